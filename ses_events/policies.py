"""Access to what lies in a bucket, in the statements that Firehose, readers and queries have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk

from ses_events.location import Environment, can_name, environment_of, known_to_differ, why_apart
from ses_events.tokens import as_text

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct, IConstruct

Statement = dict[str, Any]
"""A statement of a policy, as JSON."""

NOT_KNOWN = re.compile(r"!\{|\$\{Token\[(?!AWS(\.|::)(AccountId|Partition|Region)\.)")
"""An expression of Firehose, or a token that may hold one; the others hold none, and are the same in other stacks."""


def allow(
    actions: list[str], *resources: str, sid: str | None = None, condition: Mapping[str, Any] | None = None
) -> Statement:
    """Return a statement that allows actions, under a condition or without one."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return {**({"Sid": sid} if sid else {}), **statement, **({"Condition": condition} if condition else {})}


def reading(bucket: s3.IBucket, here: Environment, *prefixes: str) -> list[Statement]:
    """Return statements to read what Firehose wrote here with these prefixes, for a reader of any stack."""
    written = (each.replace(cdk.Aws.ACCOUNT_ID, here.account).replace(cdk.Aws.REGION, here.region) for each in prefixes)
    arn, folders = bucket.bucket_arn, folders_of(*written)
    listed = {} if folders == ["*"] else {"StringLike": {"s3:prefix": folders}}
    return [
        allow(["s3:GetBucketLocation"], arn),
        allow(["s3:ListBucket"], arn, condition=listed),
        allow(["s3:GetObject"], *(f"{arn}/{folder}" for folder in folders)),
        *use_of_key(bucket.encryption_key, arn, here.region, ["kms:Decrypt"]),
    ]


def use_of_key(key: kms.IKey | None, bucket_arn: str, region: str, actions: list[str]) -> list[Statement]:
    """Return statements to use the key of a bucket, if it has one: by way of S3, and for this bucket only."""
    if key is None:
        return []
    known = None if cdk.Token.is_unresolved(region) else cdk.region_info.RegionInfo.get(region).domain_suffix
    by_s3 = {
        "StringEquals": {"kms:ViaService": f"s3.{region}.{known or cdk.Aws.URL_SUFFIX}"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket_arn, f"{bucket_arn}/*"]},
    }
    return [allow(actions, key_arn(key), sid="Key", condition=by_s3)]


def folders_of(*prefixes: str) -> list[str]:
    """Return the objects that Firehose writes with these prefixes: all below the fixed part of each.

    That is all of the bucket if a prefix begins with what is known at deployment only.
    """
    folders = {literal(NOT_KNOWN.split(each, maxsplit=1)[0]) + "*" for each in prefixes}
    return ["*"] if "*" in folders else sorted(folders)


def literal(text: str) -> str:
    """Escape what IAM would read as a wildcard or a policy variable (IAM user guide, policy variables)."""
    return re.sub(r"[*?]|\$(?!\{Token\[)", lambda special: f"${{{special[0]}}}", text)


def key_of(key: kms.IKey) -> kms.IKey:
    """Return a key, or that of an alias: an alias fits neither permissions nor a bucket that a service writes to."""
    target: kms.IKey = getattr(key, "alias_target_key", key)
    return target


def key_arn(key: kms.IKey) -> str:
    """Return the ARN of a key, or of that of an alias."""
    return key_of(key).key_arn


def trusts_of(role: iam.Role, service: str) -> list[Statement]:
    """Return the statements by which a role of this app lets a service assume it."""
    document = cdk.Stack.of(role).resolve(role.assume_role_policy.to_json()) if role.assume_role_policy else {}
    return [
        statement
        for statement in document.get("Statement", [])
        if statement["Effect"] == "Allow" and service in str(statement.get("Principal"))
    ]


def grant(
    scope: IConstruct, grantee: iam.IGrantable, statements: list[Statement], reason: str | None = None
) -> iam.Grant:
    """Give a role or user statements about the resources of a construct; warn on it if CDK cannot add them.

    :param reason: for cdk-nag, about objects by prefix.
    """
    principal = grantee.grant_principal
    # A managed policy is a grantee whose principal is nowhere in the tree.
    holder: Any = next((each for each in (principal, grantee) if hasattr(each, "node")), None)
    ours, theirs = cdk.Stack.of(scope), cdk.Stack.of(holder) if holder else None
    apart = why_apart(theirs, ours) if theirs else None
    if theirs and apart and not can_name(theirs, ours, [each["Resource"] for each in statements]):
        raise ValueError(f"{scope.node.path}: grantee {holder.node.path!r} {apart}, or import it here by its ARN")
    grants = [
        cdk.aws_iam.Grant.add_to_principal(
            grantee=grantee,
            actions=statement["Action"],
            resource_arns=statement["Resource"],
            conditions=statement.get("Condition"),
        )
        for statement in statements
    ]
    if theirs and reason:
        arns = [arn for each in statements for arn in each["Resource"]]
        cdk.Validations.of(holder).acknowledge(*objects_by_prefix(theirs, arns, reason))
    untouched = [] if grants[0].success and not _is_immutable(principal) else [_name(scope, principal)]
    account = getattr(principal, "principal_account", None)  # CDK's stand-in for an unknown role has none
    if known_to_differ(account, environment_of(ours).account):
        untouched.append(f"the resources (not of account {account})")
    if untouched:
        cdk.Annotations.of(scope).add_warning_v2(
            "ses-events:grant-without-effect",
            f"the policies of {' and of '.join(untouched)} are not changed, and the grant takes effect only when "
            "they have (docs/security.md): "
            f"{', '.join(json.dumps(as_text(scope, statement)) for statement in statements)}",
        )
    for other in grants[1:]:
        grants[0] = grants[0].combine(other)
    return grants[0]


def objects_by_prefix(stack: cdk.Stack, arns: list[str], reason: str) -> list[cdk.Acknowledgment]:
    """Return why cdk-nag need not mind each ARN that ends with a wildcard, as the objects of a prefix do."""
    return [
        cdk.Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{as_text(stack, arn, '<{}>')}]", reason=reason)
        for arn in arns
        if arn.endswith("*")
    ]


def _is_immutable(principal: iam.IPrincipal) -> bool:
    """Return whether a principal is a role to which CDK adds nothing, though it says so: so imported, or foreign."""
    iam = cdk.aws_iam
    if isinstance(principal, (iam.Role, iam.LazyRole)) or not hasattr(principal, "role_arn"):
        return False
    role: Construct = cast(Any, principal)
    return not any(isinstance(child, iam.Policy) for child in role.node.children)


def _name(scope: IConstruct, principal: Any) -> str:
    """Return a principal as a person knows it: by its path, or as policies name it."""
    if hasattr(principal, "node"):
        return str(principal.node.path)
    names = as_text(scope, principal.policy_fragment.principal_json)
    return ", ".join(name for several in names.values() for name in several)
