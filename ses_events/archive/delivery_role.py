"""What Firehose may do to deliver: each action and why, in a role of the archive's or in one of the user's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ses_events.location import Environment, environment_of, known_to_differ
from ses_events.policies import Statement, allow, key_arn, objects_by_prefix, use_of_key
from ses_events.tokens import as_text, warn_of_policy

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

# What Firehose needs (Firehose developer guide, controlling access): GetBucketLocation and ListBucket find the bucket,
# ListBucketMultipartUploads and AbortMultipartUpload serve large buffers, which go up in parts, PutObject writes, and
# GetObject is documented without a reason.
_BUCKET_ACTIONS = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
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
        reason = "Firehose names the objects it writes; it may write nowhere but under what is known of its prefixes"
        return objects_by_prefix(self.stack, self.objects, reason)


def new_role(scope: Construct, delivery: Delivery) -> iam.Role:
    """Return the role of an archive. Its permission is inline: a policy attached later would have to propagate too."""
    return iam.Role(
        scope,
        "Role",
        description="Lets Firehose deliver SES events to the archive bucket",
        assumed_by=iam.ServicePrincipal(
            "firehose.amazonaws.com", conditions={"StringEquals": {"sts:ExternalId": delivery.here.account}}
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
    if resource and delivery.stack.resolve(resource.roles):
        return policy
    statements = ", ".join(json.dumps(as_text(scope, statement)) for statement in delivery.statements)
    cdk.Annotations.of(scope).add_warning_v2(
        "ses-events:delivery-role-not-editable",
        f"the policies of the role {as_text(scope, role.role_arn)} cannot be edited from here, and Firehose can "
        f"deliver only when they have: {statements}",
    )
    return None


def warn_of_other_accounts(scope: Construct, delivery: Delivery, role: iam.IRole) -> None:
    """Warn of policies of other accounts, which cannot be edited from here and have to let Firehose in as well."""
    if delivery.is_abroad:
        needed = {
            "Effect": "Allow",
            "Principal": {"AWS": role.role_arn},
            "Action": sorted([*_BUCKET_ACTIONS, *delivery.object_actions]),
            "Resource": [delivery.bucket_arn, *delivery.objects],
        }
        owner = f"the bucket {as_text(scope, delivery.bucket.bucket_name)}"
        warn_of_policy(scope, "ses-events:bucket-of-another-account", owner, "Firehose can deliver", needed)
    if delivery.key and known_to_differ(delivery.key.env.account, delivery.here.account):
        # in a key policy, * is this key
        needed = {**delivery.key_statements[0], "Principal": {"AWS": role.role_arn}, "Resource": "*"}
        owner = f"the key {as_text(scope, key_arn(delivery.key))}"
        warn_of_policy(scope, "ses-events:key-of-another-account", owner, "Firehose can deliver", needed)
