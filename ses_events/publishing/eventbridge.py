"""Events put on EventBridge's default bus."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_ses as ses
from constructs import IDependable

from ses_events import location
from ses_events.location import environment_of
from ses_events.publishing import rules
from ses_events.validation import check

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_events as events_

    from ses_events.publishing.publishing import EventPublishing


class EventBridgeDestination:
    """Puts each event on the default event bus of the account and region (source ``aws.ses``), for rules to match.

    In the template: the ARN of the bus in the event destination; no resource of its own, and no role: SES needs none.
    Delivery is best effort and in no order (SES developer guide).

    :param event_bus: the default bus, as something else in the app names it. SES takes no other: forward from it with a
        rule. Default: the default bus.
    :raises ValueError: when ``event_bus`` is another bus.
    :raises TypeError: when ``event_bus`` is something else.
    """

    def __init__(self, event_bus: events_.IEventBus | None = None) -> None:
        check("EventBridgeDestination", rules.event_bus("event_bus", event_bus))
        self.event_bus = event_bus
        """The default bus as it was given."""

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Why no configuration set of this stack can publish to it."""
        return location.same_place("event_bus", self.event_bus.env, stack) if self.event_bus else ()

    def bind(
        self, publishing: EventPublishing, events: Collection[ses.EmailSendingEvent]
    ) -> tuple[dict[str, Any], list[IDependable]]:
        """This destination's part of the event destination (``EventPublishing.add_destination`` calls it)."""
        stack = publishing.stack
        if self.event_bus:
            event_bus_arn = self.event_bus.event_bus_arn
        else:
            event_bus_arn = environment_of(stack).arn("events", "event-bus/default")
        properties = ses.CfnConfigurationSetEventDestination.EventBridgeDestinationProperty(event_bus_arn=event_bus_arn)
        return {"event_bridge_destination": properties}, []
