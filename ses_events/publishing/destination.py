"""Where a configuration set can publish its events: one module for each kind of event destination that SES knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_ses as ses
    from constructs import IDependable

    from ses_events.publishing.publishing import EventPublishing


class EventDestination(Protocol):
    """What ``EventPublishing.add_destination`` takes: a plain value that one or several configuration sets publish to.

    The four of SES are ``FirehoseDestination``, ``CloudWatchDestination``, ``SnsDestination`` and
    ``EventBridgeDestination``.
    """

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Why no configuration set of a stack can publish to it.

        :param stack: the stack of the configuration set.
        """

    def bind(
        self, publishing: EventPublishing, events: Collection[ses.EmailSendingEvent]
    ) -> tuple[dict[str, Any], list[IDependable]]:
        """Make what the destination needs.

        :param publishing: the construct of the configuration set; what is made, is made under it.
        :param events: what the destination gets, already checked.
        :returns: its part of ``EventDestinationProperty``, and what must exist before SES can be told of it.
        """
