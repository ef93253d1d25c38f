"""AWS CDK constructs for Amazon SES event publishing."""

from ses_events.archive import EventArchive
from ses_events.destinations import (
    CloudWatchDestination,
    EventBridgeDestination,
    EventDestination,
    FirehoseDestination,
    SnsDestination,
)
from ses_events.publishing import UNTOUCHED_MAIL, EventPublishing
from ses_events.stack import SesEventsStack

__all__ = [
    "UNTOUCHED_MAIL",
    "CloudWatchDestination",
    "EventArchive",
    "EventBridgeDestination",
    "EventDestination",
    "EventPublishing",
    "FirehoseDestination",
    "SesEventsStack",
    "SnsDestination",
]
