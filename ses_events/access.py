"""Access to what lies in a bucket, in the statements that Firehose, readers and queries have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

from ses_events.text import as_text

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

Statement = dict[str, Any]
"""A statement of a policy, as JSON."""

# An expression of Firehose, or a token, which may hold one; but a pseudo parameter holds none.
_UNKNOWN = re.compile(r"!\{|\$\{Token\[(?!AWS[.:])")
_UNKNOWN_ELSEWHERE = re.compile(r"!\{|\$\{Token\[(?!AWS(\.|::)(AccountId|Region|Partition)\.)")


def allow(
    actions: list[str], *resources: str, sid: str | None = None, condition: Mapping[str, Any] | None = None
) -> Statement:
    """A statement that allows actions, under a condition or without one."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return {**({"Sid": sid} if sid else {}), **statement, **({"Condition": condition} if condition else {})}


def reading(bucket: s3.IBucket, region: str, *prefixes: str) -> list[Statement]:
    """Reading what Firehose wrote with these prefixes, for a reader of any stack."""
    arn, folders = bucket.bucket_arn, folders_anywhere(*prefixes)
    listed = {} if folders == ["*"] else {"StringLike": {"s3:prefix": folders}}
    return [
        allow(["s3:GetBucketLocation"], arn),
        allow(["s3:ListBucket"], arn, condition=listed),
        allow(["s3:GetObject"], *(f"{arn}/{folder}" for folder in folders)),
        *use_of_key(bucket.encryption_key, arn, region, ["kms:Decrypt"]),
    ]


def use_of_key(key: kms.IKey | None, bucket_arn: str, region: str, actions: list[str]) -> list[Statement]:
    """Using the key of a bucket, where it has one: by way of S3, and for this bucket only."""
    by_s3 = {
        "StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]},
    }
    return [allow(actions, key_arn(key), sid="Key", condition=by_s3)] if key else []


def folders_of(*prefixes: str) -> list[str]:
    """The objects that Firehose writes with these prefixes: all that begin with what is known of them.

    That is all of the bucket where a prefix begins with what is known at deployment only.
    """
    return _folders(prefixes, _UNKNOWN)


def folders_anywhere(*prefixes: str) -> list[str]:
    """The same for a policy of any stack, where a pseudo parameter such as the stack's name may be another one."""
    return _folders(prefixes, _UNKNOWN_ELSEWHERE)


def key_arn(key: kms.IKey) -> str:
    """The ARN of a key: of an alias' key, as permissions cannot name an alias."""
    target: kms.IKey = getattr(key, "alias_target_key", key)
    return target.key_arn


def grant(grantee: iam.IGrantable, statements: list[Statement], reason: str) -> iam.Grant:
    """Give statements to a role or user; the reason is for cdk-nag, about objects by prefix."""
    grants = [
        cdk.aws_iam.Grant.add_to_principal(
            grantee=grantee,
            actions=statement["Action"],
            resource_arns=statement["Resource"],
            conditions=statement.get("Condition"),
        )
        for statement in statements
    ]
    # A managed policy is a grantee whose principal is nowhere in the tree.
    holder: Any = next((each for each in (grantee.grant_principal, grantee) if hasattr(each, "node")), None)
    if holder:
        arns = [arn for each in statements for arn in each["Resource"]]
        acknowledge_objects(holder, cdk.Stack.of(holder), arns, reason)
    for other in grants[1:]:
        grants[0] = grants[0].combine(other)
    return grants[0]


def acknowledge_objects(scope: Construct, stack: cdk.Stack, arns: list[str], reason: str) -> None:
    """Acknowledge cdk-nag's finding about each ARN that ends with a wildcard, as the objects of a prefix do."""
    cdk.Validations.of(scope).acknowledge(
        *(
            cdk.Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{as_text(stack, arn, '<{}>')}]", reason=reason)
            for arn in arns
            if arn.endswith("*")
        )
    )


def _folders(prefixes: Collection[str], unknown: re.Pattern[str]) -> list[str]:
    folders = {unknown.split(each, maxsplit=1)[0] + "*" for each in prefixes}
    return ["*"] if "*" in folders else sorted(folders)
