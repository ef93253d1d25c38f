"""Events put on EventBridge's default bus."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events import location
from ses_events.location import environment_of
from ses_events.publishing import rules
from ses_events.publishing.destination import Bound, EventDestination, Source
from ses_events.record.names import detail_type
from ses_events.validation import check, first_of, instance

if TYPE_CHECKING:
    from aws_cdk import aws_events as events_
    from constructs import Construct


class EventBridgeDestination(EventDestination):
    """Puts each event on the default event bus of the account and region (source ``aws.ses``), for rules to match.

    In the template: the ARN of the bus in the event destination; no resource of its own, and no role: SES needs none.
    Delivery is best effort and in no order (SES developer guide).

    :param event_bus: the default bus, as something else in the app names it. It is the only one that SES
        publishes to: forward from it with a rule. Default: the default bus.
    :raises ValueError: when ``event_bus`` is another bus.
    :raises TypeError: when ``event_bus`` is something else.
    """

    def __init__(self, event_bus: events_.IEventBus | None = None) -> None:
        check("EventBridgeDestination", rules.event_bus("event_bus", event_bus))
        self.event_bus = event_bus
        """The default bus as it was given."""

    @staticmethod
    def pattern(configuration_set_name: str, events: Collection[ses.EmailSendingEvent]) -> events_.EventPattern:
        """Return the pattern of a rule for events of one configuration set, and of no other.

        EventBridge has names of its own for SES's events, such as ``Email Bounced``; a guess matches nothing.

        :param configuration_set_name: the name of the set, such as ``publishing.configuration_set_name``.
        :param events: what the rule is to match; the destination must publish them too.
        :raises ValueError: when there is no event, or one whose name in EventBridge is not known.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            "EventBridgeDestination.pattern",
            first_of(
                instance("configuration_set_name", configuration_set_name, str, "publishing.configuration_set_name"),
                rules.NAME("configuration_set_name", configuration_set_name),
            ),
            rules.events_of_eventbridge("events", events),
        )
        return cdk.aws_events.EventPattern(
            source=["aws.ses"],
            detail_type=[name for e in ses.EmailSendingEvent if e in events and (name := detail_type(e.name))],
            detail={"mail": {"tags": {"ses:configuration-set": [configuration_set_name]}}},
        )

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Return why no configuration set of this stack can publish to it."""
        if self.event_bus is None:
            return ()
        return first_of(
            location.same_place("event_bus", self.event_bus.env, stack),
            location.same_app("event_bus", self.event_bus, stack, "event_bus_arn"),
        )

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """Return what SES is told of it for one configuration set (``EventPublishing.add_destination`` calls it)."""
        if self.event_bus:
            event_bus_arn = self.event_bus.event_bus_arn
        else:
            event_bus_arn = environment_of(source.stack).arn("events", "event-bus/default")
        properties = ses.CfnConfigurationSetEventDestination.EventBridgeDestinationProperty(event_bus_arn=event_bus_arn)
        return Bound({"event_bridge_destination": properties})
