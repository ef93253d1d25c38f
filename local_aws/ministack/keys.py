"""KMS keys, by any of their names."""

from __future__ import annotations

from typing import Any

from ministack.services import kms


def key_arn(key: str, account: str, region: str) -> str:
    """Return the ARN of a key given by its id, alias or ARN."""
    if key.startswith("arn:"):
        return key
    return f"arn:aws:kms:{region}:{account}:{key if key.startswith('alias/') else f'key/{key}'}"


def policy_of_key(arn: str) -> Any:
    """Return the policy of a key, or None when there is no such key."""
    policy, _ = kms.key_policy_for_arn(arn) or (None, None)
    return policy
