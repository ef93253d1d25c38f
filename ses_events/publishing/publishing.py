"""A configuration set and the event destinations it publishes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events.construct_ids import new_id, stack_of
from ses_events.location import environment_of, root_of, stage_of
from ses_events.policies import allow, grant, literal
from ses_events.publishing import rules
from ses_events.publishing.configuration_set import made_here
from ses_events.publishing.destination import SES_ROLE, EventDestination, PublishedTo, Source
from ses_events.record.names import matching_event_type, metric_name
from ses_events.validation import check, instance, interface, option

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_iam as iam
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef, ITemplateRef


UNTOUCHED_MAIL = tuple(
    event for event in ses.EmailSendingEvent if event not in (ses.EmailSendingEvent.OPEN, ses.EmailSendingEvent.CLICK)
)
"""All events that leave the mail as it is: not Open, which adds a pixel, nor Click, which rewrites links.

The account's Virtual Deliverability Manager or a sender may still ask for either; docs/security.md says how not.
"""

_SENDING_WITH_A_TEMPLATE = [
    "ses:SendEmail",  # of the API v2; the others are SendBulkEmail of v2, and the two of v1
    "ses:SendBulkEmail",
    "ses:SendTemplatedEmail",
    "ses:SendBulkTemplatedEmail",
]
"""What sends with a template; IAM asks for each on the identity, the set and the template (SES, IAM reference)."""


@dataclass
class _Destinations:
    """The event destinations of a configuration set."""

    made: list[PublishedTo] = field(default_factory=list)
    monitored_by: str | None = None
    """The path of an EventMonitoring that has looked at them, and would miss a later one."""


_DESTINATIONS: dict[object, _Destinations] = {}
"""The event destinations of each configuration set, by its identity; several EventPublishing may share one."""


def _identity(configuration_set: IConfigurationSetRef, source: Source) -> object:
    """Return what is equal for the same configuration set, also where an app imports it twice."""
    if made_here(configuration_set):
        return configuration_set  # not what was found: jsii gives another object at each look
    return stage_of(source.stack), environment_of(source.stack), source.name


def published_in_app_of(stack: cdk.Stack) -> Iterator[Sequence[PublishedTo]]:
    """Yield what each configuration set of the app of a stack publishes to."""
    for destinations in _DESTINATIONS.values():
        if destinations.made and root_of(destinations.made[0].stack) is root_of(stack):
            yield destinations.made


class EventPublishing(Construct):
    """A configuration set whose events go to event destinations.

    In the template: an ``AWS::SES::ConfigurationSet``, unless one is given; an
    ``AWS::SES::ConfigurationSetEventDestination`` for each ``add_destination``; and what a destination needs. Mail
    takes part when it is sent with the set's name. ``cdk.Tags.of(publishing)`` tags the set.
    ``ses-events:region-without-configuration-sets`` warns of a region that CloudFormation is known to lack them in.

    :param configuration_set: a set that already exists, imported or of this app: ``ses.ConfigurationSet(...)`` or
        ``ses.CfnConfigurationSet(...)`` with the options that SES has. Default: a new one.
    :param configuration_set_name: 1-64 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema). A change replaces the set: the
        old one is deleted, and mail that names it fails with ConfigurationSetDoesNotExist. Default: generated.
    :param reputation_metrics: whether CloudWatch gets this set's bounce and complaint rates. Default: no.
    :raises ValueError: when an argument breaks a rule of SES; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration_set: IConfigurationSetRef | None = None,
        configuration_set_name: str | None = None,
        reputation_metrics: bool | None = None,
    ) -> None:
        options = {"configuration_set_name": configuration_set_name, "reputation_metrics": reputation_metrics}
        stack = stack_of(scope, construct_id)
        check(
            (scope, construct_id),
            rules.configuration_set("configuration_set", configuration_set, stack, options),
            rules.NAME("configuration_set_name", configuration_set_name),
            option("reputation_metrics", reputation_metrics, bool, "True or False"),
        )
        with new_id(scope, construct_id):
            super().__init__(scope, construct_id)
        for warning, text in rules.oddities_of_region(environment_of(stack).region):
            cdk.Annotations.of(self).add_warning_v2(warning, text)
        self.stack = stack
        """The stack of this construct, and so of its event destinations."""

        self.configuration_set = configuration_set or ses.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            name=configuration_set_name,
            reputation_options=None
            if reputation_metrics is None
            else ses.CfnConfigurationSet.ReputationOptionsProperty(reputation_metrics_enabled=reputation_metrics),
        )
        """The set: an ``AWS::SES::ConfigurationSet``, or the one that was given."""

        self._source = Source(self.configuration_set, stack)
        this_set = _identity(self.configuration_set, self._source)
        self._destinations = _DESTINATIONS.setdefault(this_set, _Destinations())
        self._ids = {SES_ROLE} if configuration_set else {SES_ROLE, "ConfigurationSet"}

    @property
    def configuration_set_name(self) -> str:
        """The name to send mail with."""
        return self._source.name

    @property
    def configuration_set_arn(self) -> str:
        """The ARN of the configuration set."""
        return self._source.arn

    @property
    def ses_role(self) -> iam.CfnRole | None:
        """The role that SES puts events into delivery streams with; made for the first destination that needs it."""
        return cast("iam.CfnRole | None", self.node.try_find_child(SES_ROLE))

    def add_destination(
        self,
        construct_id: str,
        destination: EventDestination,
        *,
        events: Collection[ses.EmailSendingEvent] = UNTOUCHED_MAIL,
        enabled: bool = True,
        name: str | None = None,
    ) -> ses.CfnConfigurationSetEventDestination:
        """Publish events of this configuration set to a destination.

        The destinations of a set are created one after another: SES takes one such call a second.
        ``ses-events:published-twice`` warns of events that the set publishes to the same place already.

        :param construct_id: an id for the destination, unique in this construct. A change replaces the destination.
        :param destination: a ``FirehoseDestination``, ``CloudWatchDestination``, ``SnsDestination`` or
            ``EventBridgeDestination``, or an ``EventDestination`` of your own; one value can serve several sets.
        :param events: what to publish. Asking for Open or Click makes SES add a pixel to the mail or rewrite its links.
        :param enabled: whether SES publishes.
        :param name: 1-64 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema), unique in the set. A change replaces the
            destination. Default: generated at deployment.
        :returns: the ``AWS::SES::ConfigurationSetEventDestination``.
        :raises ValueError: when an argument breaks a rule of SES, or the set has 10 destinations; a line for each.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            (self, construct_id),
            rules.destination_id(construct_id, self._ids),
            rules.destination("destination", destination, self.stack),
            rules.events("events", events),
            instance("enabled", enabled, bool, "True or False"),
            rules.destination_name(name, [other.name for other in self._destinations.made]),
            rules.destination_before_monitoring("destination", destination, enabled, self._destinations.monitored_by),
        )
        published = frozenset(events if enabled else ())
        for warning in rules.oddities_of_destination(construct_id, destination, published, self._destinations.made):
            cdk.Annotations.of(self).add_warning_v2(*warning)
        bound = destination.bind(self, self._source, events)
        check((self, construct_id), rules.bound("destination.bind", bound))
        with new_id(self, construct_id):
            event_destination = ses.CfnConfigurationSetEventDestination(
                self,
                construct_id,
                configuration_set_name=self.configuration_set,
                event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                    name=name,
                    enabled=enabled,
                    # in one order, whatever order or kind of collection was given
                    matching_event_types=[matching_event_type(e.name) for e in ses.EmailSendingEvent if e in events],
                    **bound.properties,
                ),
            )
        if bound.after:
            event_destination.node.add_dependency(*bound.after)
        for previous in [other.resource for other in self._destinations.made if other.stack is self.stack][-1:]:
            event_destination.add_resource_dependency(previous)
        self._destinations.made.append(PublishedTo(name, self.stack, event_destination, destination, published))
        self._ids.add(construct_id.replace("/", "--"))
        return event_destination

    @property
    def destinations(self) -> tuple[PublishedTo, ...]:
        """What the configuration set publishes to, in the order of creation; by any EventPublishing of it."""
        return tuple(self._destinations.made)

    def _why_no_count(self, argument: str, construct_id: str) -> Iterator[str]:
        """Yield why an EventMonitoring cannot have its own destination here, for the argument that asks for one."""
        there = self._destinations
        is_taken = self.node.try_find_child(construct_id) is not None
        return rules.room_to_count(argument, construct_id, len(there.made), there.monitored_by, is_taken=is_taken)

    def _monitored_by(self, path: str) -> None:
        """From now on, refuse a destination that the EventMonitoring of this path would miss."""
        self._destinations.monitored_by = path

    def grant_send(
        self, grantee: iam.IGrantable, identity: ses.IEmailIdentity, *, templates: Collection[str | ITemplateRef] = ()
    ) -> iam.Grant:
        """Let a role or user send mail from an identity with this configuration set.

        In the template: ``ses:SendEmail`` and ``ses:SendRawEmail`` on the identity **and** the set; SES asks for both.
        With templates: also what sends with them, one by one or in bulk, on the identity, the set and these templates.
        ``ses-events:grant-without-effect`` warns with the statement where the grantee has no policy that CDK can edit,
        as a service, an account or an immutable role, or where it is of another account.

        :param grantee: who is to send.
        :param identity: the address or domain that the mail is from.
        :param templates: names of templates to send with, or ``ses.CfnTemplate``. Default: no templated mail.
        :returns: what was granted.
        :raises ValueError: when a name is none of a template.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            f"{self.node.path}.grant_send",
            interface("grantee", grantee, "grant_principal", "a role, a user or what has one"),
            rules.sent_from("identity", identity, self.stack),
            rules.templates("templates", templates, self.stack),
        )
        needed = literal(identity.email_identity_arn), self.configuration_set_arn
        sending = [allow(["ses:SendEmail", "ses:SendRawEmail"], *needed)]
        if templates:
            here = environment_of(self.stack)
            names = [each if isinstance(each, str) else each.template_ref.template_id for each in templates]
            arns = [here.arn("ses", f"template/{name}") for name in names]
            sending.append(allow(_SENDING_WITH_A_TEMPLATE, *needed, *arns))
        return grant(self, grantee, sending)

    def metric_bounce_rate(self) -> cloudwatch.Metric:
        """Return the bounce rate of this set as SES reckons it: 0.05 is 5 %, where AWS reviews an account.

        Namespace ``AWS/SES``, statistic Average, CDK's default period; adjust it with ``with_``.

        :raises ValueError: when ``reputation_metrics`` is not True: then CloudWatch gets no rates.
        """
        return self._rate("Reputation.BounceRate")

    def metric_complaint_rate(self) -> cloudwatch.Metric:
        """Return the complaint rate of this set as SES reckons it: 0.001 is 0.1 %, where AWS reviews an account.

        Namespace ``AWS/SES``, statistic Average, CDK's default period; adjust it with ``with_``.

        :raises ValueError: when ``reputation_metrics`` is not True: then CloudWatch gets no rates.
        """
        return self._rate("Reputation.ComplaintRate")

    def metric_account_bounce_rate(self) -> cloudwatch.Metric:
        """Return the bounce rate of all mail of the account in this region, by which AWS reviews it (Average)."""
        return environment_of(self.stack).metric("AWS/SES", "Reputation.BounceRate", "Average")

    def metric_account_complaint_rate(self) -> cloudwatch.Metric:
        """Return the complaint rate of all mail of the account in this region, by which AWS reviews it (Average)."""
        return environment_of(self.stack).metric("AWS/SES", "Reputation.ComplaintRate", "Average")

    def metric_account(self, event: ses.EmailSendingEvent) -> cloudwatch.Metric:
        """Return the events of a kind of all mail of the account in this region (Sum), without cost.

        :param event: Send, Reject, Bounce, Complaint, Delivery, Open, Click or Rendering Failure.
        :raises ValueError: when SES publishes no such metric without an event destination.
        :raises TypeError: when the argument has a wrong type.
        """
        check("EventPublishing.metric_account", rules.event_of_the_account("event", event))
        return environment_of(self.stack).metric("AWS/SES", metric_name(event.name), "Sum")

    def _rate(self, metric_name: str) -> cloudwatch.Metric:
        check((self, ""), rules.rates("reputation_metrics", self.configuration_set))
        of_the_set = {"ses:configuration-set": self.configuration_set_name}
        return environment_of(self.stack).metric("AWS/SES", metric_name, "Average", of_the_set)
