"""What Firehose may do to deliver: each action and why, in a role of the archive's or in one of the user's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ses_events.location import Environment, environment_of, known_to_differ
from ses_events.policies import Statement, allow, key_arn, key_of, objects_by_prefix, use_of_key
from ses_events.tokens import as_text, warn_of_policy

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

# What Firehose needs (Firehose developer guide, controlling access): GetBucketLocation and ListBucket find the bucket,
# ListBucketMultipartUploads and AbortMultipartUpload serve large buffers, which go up in parts, PutObject writes, and
# GetObject is documented without a reason.
_BUCKET_ACTIONS = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
_FIREHOSE = "firehose.amazonaws.com"
_OBJECT_ACTIONS = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]


@dataclass(frozen=True)
class Delivery:
    """What Firehose touches when it delivers.

    :param bucket_account: None where the bucket is of the stack.
    :param folders: the prefixes of the objects that it writes, each with a wildcard.
    :param key: the key of the bucket.
    :param error_log: the ARN of the log stream.
    :param schema: the statements that let it read the schema of a table, where it converts.
    """

    stack: cdk.Stack
    bucket: s3.IBucket
    bucket_arn: str
    bucket_account: str | None
    folders: list[str]
    key: kms.IKey | None
    error_log: str
    schema: list[Statement]

    @cached_property
    def here(self) -> Environment:
        """Where the archive is."""
        return environment_of(self.stack)

    @cached_property
    def objects(self) -> list[str]:
        """The ARNs of the objects, by prefix."""
        return [f"{self.bucket_arn}/{folder}" for folder in self.folders]

    @cached_property
    def is_abroad(self) -> bool:
        """Whether the bucket is of another account."""
        return known_to_differ(self.bucket_account, self.here.account)

    @cached_property
    def object_actions(self) -> list[str]:
        """What Firehose does to objects; in a bucket of another account it gives the owner the object."""
        return _OBJECT_ACTIONS + (["s3:PutObjectAcl"] if self.is_abroad else [])

    @cached_property
    def key_statements(self) -> list[Statement]:
        """The statement about the key of the bucket, where it has one."""
        return use_of_key(self.key, self.bucket_arn, self.here.region, ["kms:Decrypt", "kms:GenerateDataKey"])

    @cached_property
    def statements(self) -> list[Statement]:
        """All that the role needs."""
        return [
            allow(_BUCKET_ACTIONS, self.bucket_arn, sid="Bucket"),
            allow(self.object_actions, *self.objects, sid="Objects"),
            allow(["logs:PutLogEvents"], self.error_log, sid="ErrorLog"),
            *self.schema,
            *self.key_statements,
        ]

    @cached_property
    def acknowledgments(self) -> list[cdk.Acknowledgment]:
        """Why cdk-nag need not mind the objects by prefix."""
        reason = "Firehose names the objects it writes; it may write only below the fixed part of each prefix"
        return objects_by_prefix(self.stack, self.objects, reason)


def new_role(scope: Construct, delivery: Delivery) -> iam.Role:
    """Return the role of an archive. Its permission is inline: a policy attached later would have to propagate too."""
    return iam.Role(
        scope,
        "Role",
        description="Lets Firehose deliver SES events to the archive bucket",
        assumed_by=iam.ServicePrincipal(
            _FIREHOSE, conditions={"StringEquals": {"sts:ExternalId": delivery.here.account}}
        ),
        inline_policies={"Deliver": iam.PolicyDocument.from_json({"Statement": delivery.statements})},
    )


def permit(role: iam.IRole, scope: Construct, delivery: Delivery) -> iam.Policy | None:
    """Let a role of the user's deliver: the policy that the stream waits for, where CDK can give the role one."""
    # A policy of its own: one that the user filled may name the stream, and the stream waits for this one.
    policy = iam.Policy(
        scope, "DeliveryPolicy", document=iam.PolicyDocument.from_json({"Statement": delivery.statements})
    )
    role.attach_inline_policy(policy)
    resource = cast("iam.CfnPolicy | None", policy.node.default_child)  # none under iam.Role.customize_roles
    is_editable = resource and delivery.stack.resolve(resource.roles)
    arn, trusted = as_text(scope, role.role_arn), ""
    if not isinstance(role, iam.Role):  # whose trust policy is not known
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": _FIREHOSE},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": delivery.here.account}},
        }
        trusted = f"its trust policy has {json.dumps(as_text(scope, trust))}"
    if not is_editable:
        statements = ", ".join(json.dumps(as_text(scope, statement)) for statement in delivery.statements)
        cdk.Annotations.of(scope).add_warning_v2(
            "ses-events:delivery-role-not-editable",
            f"the policies of the role {arn} cannot be edited from here, and Firehose can deliver only when they have "
            f"(docs/security.md): {statements}" + (f", and {trusted}" if trusted else ""),
        )
        return None
    if trusted:
        cdk.Annotations.of(scope).add_warning_v2(
            "ses-events:imported-role",
            f"the trust policy of the role {arn} cannot be seen from here; Firehose can deliver only when {trusted} "
            "(docs/security.md)",
        )
    return policy


def let_in(scope: Construct, delivery: Delivery, role: iam.IRole) -> None:
    """Let Firehose in by the policies of a bucket and a key of another account: of this app, or with a warning."""
    page = "accounts-and-regions.md#one-bucket-for-all-accounts"
    if delivery.is_abroad:
        folders = [each.replace(cdk.Aws.ACCOUNT_ID, delivery.here.account) for each in delivery.objects]
        statement = allow(sorted([*_BUCKET_ACTIONS, *delivery.object_actions]), delivery.bucket_arn, *folders)
        statement = _by(role, delivery, statement)
        added = delivery.bucket.add_to_resource_policy(iam.PolicyStatement.from_json(statement)).statement_added
        if not added:
            owner = f"the bucket {as_text(scope, delivery.bucket.bucket_name)}"
            warn_of_policy(
                scope, "ses-events:bucket-of-another-account", owner, "Firehose can deliver", statement, page
            )
    if delivery.key and known_to_differ(delivery.key.env.account, delivery.here.account):
        by_s3 = delivery.key_statements[0]
        # Not for which bucket, as that waits for its key; the role may use the key for it alone. * is this key.
        by_s3 = {**by_s3, "Condition": {"StringEquals": by_s3["Condition"]["StringEquals"]}, "Resource": "*"}
        statement = _by(role, delivery, by_s3)
        key = key_of(delivery.key)
        if not key.add_to_resource_policy(iam.PolicyStatement.from_json(statement), True).statement_added:
            owner = f"the key {as_text(scope, key_arn(key))}"
            warn_of_policy(scope, "ses-events:key-of-another-account", owner, "Firehose can deliver", statement, page)


def _by(role: iam.IRole, delivery: Delivery, statement: Statement) -> Statement:
    """Return a statement for a role, by its account and name.

    The policy may come first, and a role that does not exist cannot be a principal (IAM user guide, principals).
    """
    here = delivery.here
    partition = None if cdk.Token.is_unresolved(here.region) else cdk.region_info.RegionInfo.get(here.region).partition
    of_account = f"arn:{partition or here.partition}:iam::{here.account}"
    arn = f"{of_account}:role/{_name_of(role)}" if cdk.Token.is_unresolved(role.role_arn) else role.role_arn
    condition = {**statement.get("Condition", {}), "ArnLike": {"aws:PrincipalArn": arn}}
    return {**statement, "Principal": {"AWS": f"{of_account}:root"}, "Condition": condition}


def _name_of(role: iam.IRole) -> str:
    """Return the path and name of a role of the app, as a pattern where CloudFormation makes the name."""
    resource, stack = role.node.default_child, cdk.Stack.of(role)
    if not isinstance(resource, iam.CfnRole):
        return "*"
    name, path = stack.resolve(resource.role_name), resource.path or "/"
    while stack.nested_stack_parent:
        stack = stack.nested_stack_parent
    if name is None:
        generated = f"{stack.stack_name}-{stack.get_logical_id(resource)}-"
        # of more than 64 characters, 12 of them its own, CloudFormation keeps less
        fits = stack is cdk.Stack.of(role) and len(generated) <= 52
        name = f"{generated if fits else stack.stack_name[:20]}*"
    return f"{path.removeprefix('/')}{name}"
