"""The default event bus of EventBridge, and what EventBridge counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import eventbridge

from local_aws.ministack import metrics, requests


def install() -> None:
    """Count what rules match and invoke, and the PutEvents of customers (EventBridge user guide, metrics).

    Whether AWS counts what SES puts on the bus as PutEvents is not documented: here it does not.
    """
    eventbridge._invoke_target = _with_invocation(eventbridge._invoke_target)
    eventbridge._put_events = _with_call(eventbridge._put_events)


def put_event_of_aws(entry: Mapping[str, Any]) -> None:
    """Put an event on the default bus whose source is AWS itself, as no customer can."""
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _with_invocation(invoke: Callable[..., None]) -> Callable[..., None]:
    """Count an invocation of a target, for its rule and without one; MiniStack does not tell of one that fails."""

    def invoke_target(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], *rest: Any) -> None:
        of_rule = {"RuleName": str(rule["Name"])}
        if rule.get("EventBusName", "default") != "default":
            of_rule["EventBusName"] = str(rule["EventBusName"])
        for name in ("MatchedEvents", "TriggeredRules", "Invocations"):
            _count(name, of_rule)
        _count("Invocations", {})
        invoke(target, event, rule, *rest)

    return invoke_target


def _with_call(put: Callable[..., Any]) -> Callable[..., Any]:
    def put_events(data: Mapping[str, Any], *, allow_aws_source: bool = False) -> Any:
        if not allow_aws_source:
            _count("PutEventsApproximateCallCount", {})
            _count("PutEventsEntriesCount", {}, len(data.get("Entries", [])))
        return put(data, allow_aws_source=allow_aws_source)

    return put_events


def _count(name: str, dimensions: dict[str, str], value: float = 1) -> None:
    metrics.record_metric("AWS/Events", name, value, "Count", dimensions, requests.account(), requests.region())
