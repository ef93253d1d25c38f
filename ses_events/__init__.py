"""AWS CDK constructs for Amazon SES event publishing.

A name is imported when it is first used: an app that only counts events does not load what Firehose needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_MODULES = {
    "UNTOUCHED_MAIL": "publishing.publishing",
    "CloudWatchDestination": "publishing.cloudwatch",
    "EventAnalytics": "analytics.analytics",
    "EventArchive": "archive.archive",
    "EventBridgeDestination": "publishing.eventbridge",
    "EventDestination": "publishing.destination",
    "EventMonitoring": "monitoring.monitoring",
    "EventPublishing": "publishing.publishing",
    "FirehoseDestination": "publishing.firehose",
    "JsonFormat": "archive.formats",
    "ParquetFormat": "archive.formats",
    "SesEventsStack": "stack",
    "SnsDestination": "publishing.sns",
}
"""The public names and the module of each. A type checker reads them in ``__init__.pyi``."""

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
