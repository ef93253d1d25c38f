"""AWS CDK constructs for Amazon SES event publishing.

A name is imported when it is used first: an app that counts events in CloudWatch does not load what Firehose needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ses_events.analytics import EventAnalytics
    from ses_events.archive import EventArchive
    from ses_events.destinations import EventDestination
    from ses_events.destinations.cloudwatch import CloudWatchDestination
    from ses_events.destinations.eventbridge import EventBridgeDestination
    from ses_events.destinations.firehose import FirehoseDestination
    from ses_events.destinations.sns import SnsDestination
    from ses_events.monitoring import EventMonitoring
    from ses_events.parquet import ParquetFormat
    from ses_events.publishing import UNTOUCHED_MAIL, EventPublishing
    from ses_events.stack import SesEventsStack

__all__ = [
    "UNTOUCHED_MAIL",
    "CloudWatchDestination",
    "EventAnalytics",
    "EventArchive",
    "EventBridgeDestination",
    "EventDestination",
    "EventMonitoring",
    "EventPublishing",
    "FirehoseDestination",
    "ParquetFormat",
    "SesEventsStack",
    "SnsDestination",
]

_MODULES = {
    "UNTOUCHED_MAIL": "publishing",
    "CloudWatchDestination": "destinations.cloudwatch",
    "EventAnalytics": "analytics",
    "EventArchive": "archive",
    "EventBridgeDestination": "destinations.eventbridge",
    "EventDestination": "destinations",
    "EventMonitoring": "monitoring",
    "EventPublishing": "publishing",
    "FirehoseDestination": "destinations.firehose",
    "ParquetFormat": "parquet",
    "SesEventsStack": "stack",
    "SnsDestination": "destinations.sns",
}


if not TYPE_CHECKING:  # or else a type checker takes any name

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
