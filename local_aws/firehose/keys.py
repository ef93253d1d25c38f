"""The KMS keys on the way of records, and what Firehose says of one that it cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local_aws.ministack import authorization, keys

_SERVICE = "firehose.amazonaws.com"
_FAULTS = {
    None: ("NotFound", "is not found"),
    "Disabled": ("Disabled", "is disabled"),
    "PendingDeletion": ("InvalidState", "is pending deletion"),
    "PendingImport": ("InvalidState", "is pending import"),
}
"""The exceptions of KMS by the state of a key (KMS API; Firehose API, InvalidKMSResourceException)."""


@dataclass(frozen=True)
class Unusable:
    """Why a key cannot be used.

    :param exception: of KMS, without its end: NotFound, Disabled, InvalidState or AccessDenied.
    """

    exception: str
    message: str

    @property
    def metric(self) -> str:
        """The metric of the stream that counts it (Firehose developer guide, metrics of server-side encryption)."""
        return f"KMSKey{self.exception}"


class KeyUnusable(Exception):
    """A buffer could not be delivered, for the key of the stream or of the bucket."""

    def __init__(self, key: Unusable) -> None:
        super().__init__(key.message)
        self.key = key


def fault_of_state(arn: str) -> Unusable | None:
    """Return why nobody can use a key."""
    fault = _FAULTS.get(keys.state_of_key(arn))
    return fault and Unusable(fault[0], f"{arn} {fault[1]}.")


def fault_of_grant(arn: str, region: str, context: Mapping[str, str]) -> Unusable | None:
    """Return why Firehose cannot use the key of a stream, for which it got a grant when the stream was made.

    A grant needs no statement in the policy of the key, but one that denies wins (KMS developer guide, grants).
    """
    fault = fault_of_state(arn)
    policy = None if fault else keys.policy_of_key(arn)
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        if policy and authorization.resource_policy_denies(policy, _SERVICE, region, action, arn, context):
            return Unusable("AccessDenied", f"{_SERVICE} is not authorized to perform: {action} on resource: {arn}")
    return fault
