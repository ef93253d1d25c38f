"""KMS keys, by any of their names."""

from __future__ import annotations

from typing import Any

from ministack.services import kms

from local_aws.ministack.requests import as_if_asked


def key_arn(key: str, account: str, region: str) -> str:
    """Return the ARN of a key given by its id, alias or ARN."""
    if key.startswith("arn:"):
        return key
    return f"arn:aws:kms:{region}:{account}:{key if key.startswith('alias/') else f'key/{key}'}"


def state_of_key(arn: str) -> str | None:
    """Return the state of a key, such as Enabled, Disabled or PendingDeletion; None when there is no such key."""
    region, account = arn.split(":")[3:5]
    with as_if_asked(account, region):
        key = kms._resolve_key(arn)
    return key and str(key["KeyState"])


def policy_of_key(arn: str) -> Any:
    """Return the policy of a key, or None when there is no such key."""
    policy, _ = kms.key_policy_for_arn(arn) or (None, None)
    return policy
