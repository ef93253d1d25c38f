"""Events put into a Data Firehose delivery stream, and what SES may do for that."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct, IDependable

from ses_events import location
from ses_events.archive.archive import EventArchive
from ses_events.location import environment_of
from ses_events.policies import trusts_of
from ses_events.publishing import rules
from ses_events.publishing.confused_deputy import is_for_anybody, only_for, only_for_sets_named
from ses_events.tokens import as_text
from ses_events.validation import check, instance

if TYPE_CHECKING:
    from aws_cdk import aws_kinesisfirehose as firehose

    from ses_events.publishing.publishing import EventPublishing

_SHARED_ROLES: MutableMapping[EventArchive, iam.CfnRole] = WeakKeyDictionary()
"""The role of an archive for any configuration set."""


class FirehoseDestination:
    """Sends each event as one JSON record to a delivery stream.

    In the template: the role that SES assumes, once for an ``EventPublishing``, under it. It may put records into the
    streams of its destinations and nothing else; SES assumes it for this configuration set of
    this account only. The stream of an ``EventArchive`` in the same stack is created after the role, so that IAM has
    propagated the role when SES tests it. Where that order cannot be kept, because the stream is in another stack or is
    no archive's, a warning says so: ``ses-events:order-not-guaranteed``.

    :param delivery_stream: an ``EventArchive``, or a stream that takes direct puts, in the account and region of the
        configuration set (SES developer guide).
    :param role: a role of your own that trusts ``ses.amazonaws.com``, for this account or set only
        (``ses-events:role-for-anybody`` warns otherwise). It gets the permission in a policy that the event
        destination, and the stream of an archive in the same stack, wait for; what else the role may do with that
        stream must name ``archive.delivery_stream_arn``, or they wait in a circle. A role is of the account of the set
        (IAM user guide, PassRole). Whom an imported one trusts is not seen here: ``ses-events:imported-role`` warns
        with the statements it needs. Default: a role for each ``EventPublishing``.
    :raises ValueError: when SES cannot use the stream or the role.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(
        self, delivery_stream: EventArchive | firehose.IDeliveryStream, *, role: iam.IRole | None = None
    ) -> None:
        check(
            "FirehoseDestination",
            ()
            if isinstance(delivery_stream, EventArchive)
            else rules.delivery_stream("delivery_stream", delivery_stream),
            rules.ses_role("role", role),
        )
        self.delivery_stream = delivery_stream
        """Where the events go."""
        self.role = role
        """The user's role."""
        self._shared_role_arn: str | None = None
        self._properties: ses.CfnConfigurationSetEventDestination.KinesisFirehoseDestinationProperty | None = None

    @classmethod
    def with_shared_role(cls, archive: EventArchive) -> FirehoseDestination:
        """A destination for many configuration sets: one role, made with the archive and before its stream.

        In the template: a role under the archive, which SES assumes for any configuration set of the account. Sets that
        are added to the archive later find it propagated. The price is that the sets share it.

        :param archive: where the events go.
        :returns: a value to add to each of the sets.
        :raises TypeError: when ``archive`` is something else.
        """
        check("FirehoseDestination.with_shared_role", instance("archive", archive, EventArchive, "an EventArchive"))
        destination = cls(archive)
        destination._shared_role_arn = _shared_role(archive).attr_arn
        return destination

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Why no configuration set of this stack can publish to it."""
        yield from location.same_place("delivery_stream", _place(self.delivery_stream), stack)
        if self.role:
            yield from location.same_account("role", self.role.env, stack)

    def bind(
        self, publishing: EventPublishing, events: Collection[ses.EmailSendingEvent]
    ) -> tuple[dict[str, Any], list[IDependable]]:
        """This destination's part of the event destination (``EventPublishing.add_destination`` calls it)."""
        stream = self.delivery_stream
        after: list[IDependable] = []
        if self._shared_role_arn:
            role_arn = self._shared_role_arn
        elif self.role:
            role_arn = self.role.role_arn
            after = self._permit(self.role, publishing)
        else:
            role = _role_of_the_set(publishing, stream)
            role_arn = role.attr_arn
            self._create_stream_after(role, publishing)
        # of all sets that share a role the same, which jsii takes long to check
        if self._properties is None or self._properties.iam_role_arn != role_arn:
            self._properties = ses.CfnConfigurationSetEventDestination.KinesisFirehoseDestinationProperty(
                delivery_stream_arn=self._delivery_stream_arn, iam_role_arn=role_arn
            )
        return {"kinesis_firehose_destination": self._properties}, after

    @cached_property
    def _delivery_stream_arn(self) -> str:
        """For the event destination, which waits for the stream of an archive by it."""
        if isinstance(self.delivery_stream, EventArchive):
            return self.delivery_stream.delivery_stream.attr_arn
        return self.delivery_stream.delivery_stream_arn

    def _permit(self, role: iam.IRole, publishing: EventPublishing) -> list[IDependable]:
        """Let the user's role put events; what the event destination must come after."""
        put_events = iam.PolicyStatement.from_json(_put_events(self.delivery_stream))
        # A policy of its own: one that the user filled may name the stream, and the stream waits for this one.
        construct_id = f"SesPolicy{role.node.addr[-8:]}"
        policy = publishing.node.try_find_child(construct_id)
        if not isinstance(policy, iam.Policy):
            policy = iam.Policy(publishing, construct_id)
        policy.add_statements(put_events)
        # Does nothing for an immutable role; the report of iam.Role.customize_roles has what the policy has by now.
        role.attach_inline_policy(policy)
        if isinstance(role, iam.Role):
            if any(is_for_anybody(statement) for statement in trusts_of(role, "ses.amazonaws.com")):
                condition = json.dumps(as_text(publishing, only_for(publishing)))
                cdk.Annotations.of(publishing).add_warning_v2(
                    "ses-events:role-for-anybody",
                    f"the role {role.node.path} lets SES assume it on behalf of any account; each statement of its "
                    f"trust policy about SES needs this condition: {condition}",
                )
        else:
            trust, permission = (
                json.dumps(as_text(publishing, statement))
                for statement in (_trust(only_for(publishing)), _put_events(self.delivery_stream))
            )
            cdk.Annotations.of(publishing).add_warning_v2(
                "ses-events:imported-role",
                f"the trust policy of the role {as_text(publishing, role.role_arn)} cannot be seen from here; SES "
                f"can use the role only when its trust policy has {trust} and, where the role is immutable here, "
                f"one of its policies {permission}",
            )
        resource = cast("iam.CfnPolicy | None", policy.node.default_child)
        if resource:  # none under iam.Role.customize_roles
            self._create_stream_after(resource, publishing)
        return [policy]

    def _create_stream_after(self, permission: iam.CfnRole | iam.CfnPolicy, publishing: EventPublishing) -> None:
        """Give IAM the time in which the stream comes up to propagate the role."""
        stream = self.delivery_stream
        if isinstance(stream, EventArchive) and stream.stack is publishing.stack:
            stream.delivery_stream.add_resource_dependency(permission)
        else:
            instead = "or use FirehoseDestination.with_shared_role(archive)" if isinstance(stream, EventArchive) else ""
            cdk.Annotations.of(publishing).add_warning_v2(
                "ses-events:order-not-guaranteed",
                f"the delivery stream {stream.node.path} does not wait for the role for SES, as it is no EventArchive "
                "of this stack: the first deployment may fail with 'Could not assume IAM role' while IAM propagates "
                f"the role; then deploy again {instead}".rstrip(),
            )


def _shared_role(archive: EventArchive) -> iam.CfnRole:
    """The role of an archive for any configuration set of the account, made at the first call."""
    if archive not in _SHARED_ROLES:
        role = _SHARED_ROLES[archive] = _role(
            archive,
            "Lets SES put the events of any configuration set into the archive",
            only_for_sets_named("*", archive.stack),
            archive,
        )
        archive.delivery_stream.add_resource_dependency(role)
    return _SHARED_ROLES[archive]


def _role_of_the_set(publishing: EventPublishing, stream: EventArchive | firehose.IDeliveryStream) -> iam.CfnRole:
    """The role of a configuration set, made at the first call and given each further stream."""
    if publishing.ses_role is None:
        publishing.ses_role = _role(
            publishing,
            "Lets SES put the events of one configuration set into a delivery stream",
            only_for(publishing),
            stream,
        )
        return publishing.ses_role
    policies = cast(list[iam.CfnRole.PolicyProperty], publishing.ses_role.policies)
    policy = _inline_policy(stream)
    if policy not in policies:
        publishing.ses_role.policies = [*policies, policy]
    return publishing.ses_role


def _role(
    scope: Construct, description: str, condition: dict[str, Any], stream: EventArchive | firehose.IDeliveryStream
) -> iam.CfnRole:
    """A role for SES. Its permission is inline: a policy attached later would have to propagate too."""
    return iam.CfnRole(
        scope,
        "SesRole",
        description=description,
        assume_role_policy_document={"Version": "2012-10-17", "Statement": [_trust(condition)]},
        policies=[_inline_policy(stream)],
    )


def _inline_policy(stream: EventArchive | firehose.IDeliveryStream) -> iam.CfnRole.PolicyProperty:
    return iam.CfnRole.PolicyProperty(
        policy_name=f"PutEvents-{stream.delivery_stream_name}",
        policy_document={"Version": "2012-10-17", "Statement": [_put_events(stream)]},
    )


def _put_events(stream: EventArchive | firehose.IDeliveryStream) -> dict[str, Any]:
    """All that SES does to a stream. The ARN of an archive names the stream before it exists."""
    return {"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": stream.delivery_stream_arn}


def _trust(condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }


def _place(stream: EventArchive | firehose.IDeliveryStream) -> location.Place:
    """The account and region of a stream: those in an imported ARN, which CDK does not look at."""
    if isinstance(stream, EventArchive):
        return environment_of(stream.stack)
    if cdk.Token.is_unresolved(stream.delivery_stream_arn):
        return stream.env
    return cdk.Arn.split(stream.delivery_stream_arn, cdk.ArnFormat.SLASH_RESOURCE_NAME)
