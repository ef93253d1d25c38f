"""Events put into a Data Firehose delivery stream."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses

from ses_events import location
from ses_events.archive.archive import EventArchive
from ses_events.location import environment_of
from ses_events.policies import trusts_of
from ses_events.publishing import rules, ses_role
from ses_events.publishing.confused_deputy import other_accounts
from ses_events.publishing.destination import Bound, EventDestination, Source
from ses_events.validation import check, first_of, instance

if TYPE_CHECKING:
    from aws_cdk import aws_kinesisfirehose as firehose
    from constructs import Construct, IDependable


class FirehoseDestination(EventDestination):
    """Sends each event as one JSON record to a delivery stream.

    In the template: the role that SES assumes, once for an ``EventPublishing``, under it. It may put records into the
    streams of its destinations and nothing else; SES assumes it for this configuration set of this account only. It is
    created after the role of an ``EventArchive`` in the same stack and before its stream, so that IAM has propagated
    each role when Firehose and SES test it. Where that order cannot be kept, because the stream is in another stack or
    is no archive's, a warning says so: ``ses-events:order-not-guaranteed``. ``cdk deploy --express`` does not wait for
    what it orders.

    :param delivery_stream: an ``EventArchive``, or a stream that takes direct puts, in the account and region of the
        configuration set (SES developer guide).
    :param role: a role of your own that trusts ``ses.amazonaws.com``, for this account or set only
        (``ses-events:role-for-anybody`` warns otherwise). It gets the permission in a policy that the event
        destination, and the stream of an archive in the same stack, wait for; what else the role may do with that
        stream must name ``archive.delivery_stream_arn``, or a dependency cycle comes about. A role is of the account of
        the set (IAM user guide, PassRole). Whom an imported one trusts is not seen here: ``ses-events:imported-role``
        warns with the statements it needs. Default: a role for each ``EventPublishing``.
    :raises ValueError: when SES cannot use the stream or the role.
    :raises TypeError: when an argument has a wrong type.
    """

    is_monitored = True
    """``EventMonitoring`` looks at it."""

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
        """Return a destination for many configuration sets: one role, made with the archive and before its stream.

        In the template: a role under the archive, which SES assumes for any configuration set of the account. Sets that
        are added to the archive later find it propagated. The price is that the sets share it.

        :param archive: where the events go.
        :returns: a value to add to each of the sets.
        :raises TypeError: when ``archive`` is something else.
        """
        check("FirehoseDestination.with_shared_role", instance("archive", archive, EventArchive, "an EventArchive"))
        destination = cls(archive)
        destination._shared_role_arn = ses_role.shared_role(archive).attr_arn
        return destination

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Return why no configuration set of this stack can publish to it."""
        # the stream of an archive is named by the resource, which it waits for
        name = None if isinstance(self.delivery_stream, EventArchive) else "delivery_stream_arn"
        yield from first_of(
            location.same_place("delivery_stream", _place(self.delivery_stream), stack),
            location.same_app("delivery_stream", self.delivery_stream, stack, name),
        )
        if self.role:
            yield from first_of(
                location.same_account("role", self.role.env, stack),
                location.same_app("role", self.role, stack, "role_arn"),
            )
            here = environment_of(stack).account
            trusts = trusts_of(self.role, "ses.amazonaws.com") if isinstance(self.role, iam.Role) else []
            others = set() if cdk.Token.is_unresolved(here) else other_accounts(trusts, here)
            if others:
                yield (
                    f"role {self.role.node.path!r} trusts SES for {', '.join(sorted(others))} only, and this stack is "
                    f"in {here}; name this account in the condition"
                )

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """Return what SES is told of it for one configuration set (``EventPublishing.add_destination`` calls it)."""
        stream = self.delivery_stream
        if isinstance(stream, EventArchive) and stream._compared_by:
            cdk.Annotations.of(scope).add_warning_v2(
                "ses-events:not-in-missing-events",
                f"{stream._compared_by!r} was made before this set and does not count its events, which hide losses "
                f"in the archive {stream.node.path!r}; make the EventMonitoring after it, with a shared_counter "
                "(docs/operations.md)",
            )
        after: list[IDependable] = []
        if self._shared_role_arn:
            role_arn = self._shared_role_arn
        elif self.role:
            role_arn = self.role.role_arn
            policy = ses_role.permit(self.role, scope, source, stream)
            resource = cast("iam.CfnPolicy | None", policy.node.default_child)
            if resource:  # none under iam.Role.customize_roles
                self._create_stream_after(resource, scope, source)
            after = [policy]
        else:
            role = ses_role.role_of_the_set(scope, source, stream)
            role_arn = role.attr_arn
            self._create_stream_after(role, scope, source)
        # of all sets that share a role the same, which jsii takes long to check
        if self._properties is None or self._properties.iam_role_arn != role_arn:
            self._properties = ses.CfnConfigurationSetEventDestination.KinesisFirehoseDestinationProperty(
                delivery_stream_arn=self._delivery_stream_arn, iam_role_arn=role_arn
            )
        return Bound({"kinesis_firehose_destination": self._properties}, after)

    @cached_property
    def _delivery_stream_arn(self) -> str:
        """For the event destination, which waits for the stream of an archive by it."""
        if isinstance(self.delivery_stream, EventArchive):
            return self.delivery_stream.delivery_stream.attr_arn
        return self.delivery_stream.delivery_stream_arn

    def _create_stream_after(self, permission: iam.CfnRole | iam.CfnPolicy, scope: Construct, source: Source) -> None:
        """Let the stream wait for the role, or warn where it cannot."""
        stream = self.delivery_stream
        if isinstance(stream, EventArchive) and stream.stack is source.stack:
            stream._create_stream_after(permission)
        else:
            instead = "or use FirehoseDestination.with_shared_role(archive)" if isinstance(stream, EventArchive) else ""
            cdk.Annotations.of(scope).add_warning_v2(
                "ses-events:order-not-guaranteed",
                f"the delivery stream {stream.node.path} does not wait for the role for SES, because it is not "
                "an EventArchive of this stack: the first deployment may fail with 'Could not assume IAM role' "
                f"while IAM propagates the role; then deploy again {instead}".rstrip(),
            )


def _place(stream: EventArchive | firehose.IDeliveryStream) -> location.Place:
    """Return the account and region of a stream: those in an imported ARN, which CDK does not look at."""
    if isinstance(stream, EventArchive):
        return environment_of(stream.stack)
    if cdk.Token.is_unresolved(stream.delivery_stream_arn):
        return stream.env
    return cdk.Arn.split(stream.delivery_stream_arn, cdk.ArnFormat.SLASH_RESOURCE_NAME)
