"""What SES may do to a delivery stream: the role that it assumes, and what a role of the user needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ses_events.policies import trusts_of
from ses_events.publishing.confused_deputy import is_for_anybody, only_for, only_for_sets_named
from ses_events.publishing.destination import SES_ROLE
from ses_events.tokens import as_text

if TYPE_CHECKING:
    from aws_cdk import aws_kinesisfirehose as firehose
    from constructs import Construct

    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.destination import Source


def shared_role(archive: EventArchive) -> iam.CfnRole:
    """Return the role of an archive for any configuration set of the account, made at the first call."""
    condition = only_for_sets_named("*", archive.stack)
    purpose = "Lets SES put the events of any configuration set into the archive"
    role, is_new = _role(archive, purpose, condition, archive)
    if is_new:
        archive._create_stream_after(role)
    return role


def role_of_the_set(scope: Construct, source: Source, stream: EventArchive | firehose.IDeliveryStream) -> iam.CfnRole:
    """Return the role of a configuration set, made at the first call and given each further stream."""
    purpose = "Lets SES put the events of one configuration set into a delivery stream"
    role, is_new = _role(scope, purpose, only_for(source), stream)
    if not is_new:
        policies = cast(list[iam.CfnRole.PolicyProperty], role.policies)
        policy = _inline_policy(stream)
        if policy not in policies:
            role.policies = [*policies, policy]
    return role


def _role(
    scope: Construct, description: str, condition: dict[str, Any], stream: EventArchive | firehose.IDeliveryStream
) -> tuple[iam.CfnRole, bool]:
    """Return the role for SES in a scope, and whether it is new.

    Its permission is inline: a policy attached later would have to propagate too.
    """
    try:
        role = iam.CfnRole(
            scope,
            SES_ROLE,
            description=description,
            assume_role_policy_document={"Version": "2012-10-17", "Statement": [_trust(condition)]},
            policies=[_inline_policy(stream)],
        )
    except RuntimeError:  # how CDK says that it is there; to ask before would cost each set two round trips
        made = scope.node.try_find_child(SES_ROLE)
        if not isinstance(made, iam.CfnRole):
            raise
        return made, False
    return role, True


def permit(
    role: iam.IRole, scope: Construct, source: Source, stream: EventArchive | firehose.IDeliveryStream
) -> iam.Policy:
    """Let a role of the user put events: the policy that says so, which the event destination must come after."""
    put_events = iam.PolicyStatement.from_json(_put_events(stream))
    # A policy of its own: one that the user filled may name the stream, and the stream waits for this one.
    construct_id = f"SesPolicy{role.node.addr[-8:]}"
    policy = scope.node.try_find_child(construct_id)
    if not isinstance(policy, iam.Policy):
        policy = iam.Policy(scope, construct_id)
    policy.add_statements(put_events)
    # Does nothing for an immutable role; the report of iam.Role.customize_roles has what the policy has by now.
    role.attach_inline_policy(policy)
    if isinstance(role, iam.Role):
        if any(is_for_anybody(statement) for statement in trusts_of(role, "ses.amazonaws.com")):
            condition = json.dumps(as_text(scope, only_for(source)))
            cdk.Annotations.of(scope).add_warning_v2(
                "ses-events:role-for-anybody",
                f"the role {role.node.path} lets SES assume it on behalf of any account; each statement of its "
                f"trust policy about SES needs this condition (docs/security.md#conditions): {condition}",
            )
    else:
        trust, permission = (
            json.dumps(as_text(scope, statement)) for statement in (_trust(only_for(source)), _put_events(stream))
        )
        cdk.Annotations.of(scope).add_warning_v2(
            "ses-events:imported-role",
            f"the trust policy of the role {as_text(scope, role.role_arn)} cannot be seen from here; SES "
            f"can use the role only when its trust policy has (docs/security.md) {trust} and, where "
            f"the role is immutable here, one of its policies {permission}",
        )
    return policy


def _inline_policy(stream: EventArchive | firehose.IDeliveryStream) -> iam.CfnRole.PolicyProperty:
    return iam.CfnRole.PolicyProperty(
        policy_name=f"PutEvents-{stream.delivery_stream_name}",
        policy_document={"Version": "2012-10-17", "Statement": [_put_events(stream)]},
    )


def _put_events(stream: EventArchive | firehose.IDeliveryStream) -> dict[str, Any]:
    """Return all that SES does to a stream. The ARN of an archive names the stream before it exists."""
    return {"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": stream.delivery_stream_arn}


def _trust(condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
