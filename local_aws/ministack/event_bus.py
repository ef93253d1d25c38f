"""The default event bus of EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge


def put_event_of_aws(entry: Mapping[str, Any]) -> None:
    """Put an event on the default bus whose source is AWS itself, as no customer can."""
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
