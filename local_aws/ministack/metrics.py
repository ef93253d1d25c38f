"""CloudWatch metrics, and the alarms that CloudFormation makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local_aws.ministack.requests import as_if_asked


def install() -> None:
    """Let CloudFormation make alarms of metric math, and leave it to others to evaluate alarms.

    MiniStack refuses the former, and looks at all dimensions of a metric together in the latter.
    """
    provisioners._cw_metric_alarm_record = _with_metric_math(provisioners._cw_metric_alarm_record)
    cloudwatch._evaluate_alarm = lambda alarm: None


_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
"""What an alarm does when it goes into a state."""


def check_topics_of_alarms(refusal: Callable[[str, str], str | None]) -> None:
    """Let an alarm tell the topics that nothing speaks against, and write into its history what became of each.

    :param refusal: why an alarm cannot tell a topic, by their ARNs; MiniStack lets every alarm tell every topic.
    """
    tell = cloudwatch._dispatch_alarm_actions

    def tell_who_listens(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        of_state, told = _ACTIONS[new_state], []
        for action in alarm.get(of_state) or [] if alarm.get("ActionsEnabled", True) else []:
            refused = refusal(alarm["AlarmArn"], action) if cloudwatch._is_sns_action_arn(action) else None
            told += [] if refused else [action]
            what = f'Failed to execute action {action}. Received error: "{refused}"' if refused else None
            _remember(alarm["AlarmName"], what or f"Successfully executed action {action}")
        tell({**alarm, of_state: told}, old_state, new_state, reason)

    cloudwatch._dispatch_alarm_actions = tell_who_listens


def _remember(alarm_name: str, what: str) -> None:
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm_name,
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": what,
            "HistoryData": "{}",
        }
    )


def metric_alarms() -> list[dict[str, Any]]:
    """Return the deployed alarms."""
    return list(cloudwatch._alarms.values())


def record_metric(
    namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str], account: str, region: str
) -> None:
    """Publish a data point of now, from any thread."""
    with as_if_asked(account, region):
        cloudwatch.record_metric(namespace, name, value, unit, dimensions)


def data_points(namespace: str, name: str, dimensions: dict[str, str]) -> list[dict[str, Any]]:
    """Return what was published of the metric with exactly these dimensions."""
    return list(cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dimensions)), []))


def statistic(points: list[dict[str, Any]], name: str, start: float, end: float) -> float | None:
    """Return a statistic of what was published between two times; None of nothing."""
    found = cloudwatch._calc_stats([point for point in points if start <= point["Timestamp"] < end])
    return float(found[name]) if found else None


def _with_metric_math(alarm_record: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return alarm_record(name, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        alarm = alarm_record(name, {**plain, "MetricName": "-", "Namespace": "-"})
        of_one_metric = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
        kept = {key: value for key, value in alarm.items() if key not in of_one_metric}
        return {**kept, "Metrics": properties["Metrics"]}

    return record
