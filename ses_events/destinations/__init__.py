"""Where a configuration set can publish its events: one module for each kind of event destination that SES knows."""

from ses_events.destinations.cloudwatch import CloudWatchDestination
from ses_events.destinations.eventbridge import EventBridgeDestination
from ses_events.destinations.firehose import FirehoseDestination
from ses_events.destinations.sns import SnsDestination

EventDestination = FirehoseDestination | CloudWatchDestination | SnsDestination | EventBridgeDestination
"""What ``EventPublishing.add_destination`` takes.

Each has ``bind(publishing, events)``: it makes what it needs, and returns its part of ``EventDestinationProperty`` and
what must exist before SES can be told of it.
"""

__all__ = [
    "CloudWatchDestination",
    "EventBridgeDestination",
    "EventDestination",
    "FirehoseDestination",
    "SnsDestination",
]
