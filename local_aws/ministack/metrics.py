"""CloudWatch metrics, and the alarms that CloudFormation makes of them."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local_aws.clock import Clock
from local_aws.ministack.delays import delays
from local_aws.ministack.requests import as_if_asked

_KEPT_SECONDS = 14 * 24 * 3600
_MINUTE = 60
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
"""What an alarm does when it goes into a state."""

_storing = threading.RLock()
_clock = Clock(1)


def install() -> None:
    """Let CloudFormation make alarms of metric math, and leave it to others to evaluate alarms.

    MiniStack refuses the former, and looks at all dimensions of a metric together in the latter.
    """
    provisioners._cw_metric_alarm_record = _with_metric_math(provisioners._cw_metric_alarm_record)
    cloudwatch._evaluate_alarm = lambda alarm: None
    cloudwatch._evict_old_metrics = _forget_old_points
    cloudwatch._store_datum = _in_order(cloudwatch._store_datum)


def tell_time(of_aws: Clock) -> None:
    """Keep the data points by a clock of AWS."""
    global _clock
    _clock = of_aws


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
    """Return the deployed alarms; MiniStack lists a copy, so they may come and go meanwhile."""
    return list(cloudwatch._alarms.values())


def record_metric(
    namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str], account: str, region: str
) -> None:
    """Publish a sample of now, from any thread; it is there ``delays.metric`` seconds later.

    CloudWatch keeps a data point of each minute, with the sum, the number and the extremes of its samples: what is kept
    here grows with time, and not with the mail. While samples of a minute are still to come, it has a part of them.
    """
    key = namespace, name, cloudwatch._dims_key(dimensions)
    sample = {"Timestamp": time.time(), "Value": value, "Unit": unit, "Dimensions": dict(dimensions)}
    if delays.metric:
        _clock.later(delays.metric, functools.partial(_store, key, sample, account, region))
    else:
        _store(key, sample, account, region)


def data_points(namespace: str, name: str, dimensions: dict[str, str], since: float = 0) -> list[dict[str, Any]]:
    """Return what was published of the metric with exactly these dimensions.

    :param since: only what was published from this time of AWS on.
    """
    key = namespace, name, cloudwatch._dims_key(dimensions)
    with _storing:
        latest = reversed(cloudwatch._metrics.get(key, []))
        return list(itertools.takewhile(lambda point: _clock.of(point["Timestamp"]) >= since, latest))


def statistic(points: list[dict[str, Any]], name: str, start: float, end: float) -> float | None:
    """Return a statistic of what was published between two times of AWS; None of nothing."""
    found = cloudwatch._calc_stats([point for point in points if start <= _clock.of(point["Timestamp"]) < end])
    return float(found[name]) if found else None


def _store(key: tuple[str, str, Any], sample: dict[str, Any], account: str, region: str) -> None:
    minute = _clock.of(sample["Timestamp"]) // _MINUTE
    with as_if_asked(account, region), _storing:
        points = cloudwatch._metrics.setdefault(key, [])
        at = len(points)
        while at and points[at - 1]["Timestamp"] > sample["Timestamp"]:
            at -= 1
        if at and points[at - 1].get("_minute") == minute:
            _add(points[at - 1], sample["Value"])
        else:
            points.insert(at, {**sample, "_minute": minute})


def _add(point: dict[str, Any], value: float) -> None:
    """Add a sample to a data point: as one more of the same value, which percentiles know, or to its statistics."""
    if "_stat" not in point and point["Value"] == value:
        point["Count"] = point.get("Count", 1.0) + 1
        return
    count, total, least, most = cloudwatch._point_stats(point)
    statistics = count + 1, total + value, min(least, value), max(most, value)
    point["_stat"] = dict(zip(("SampleCount", "Sum", "Minimum", "Maximum"), statistics, strict=True))


def _forget_old_points() -> None:
    """Forget what is older than two weeks; MiniStack's own way would lose what a thread adds meanwhile."""
    oldest = time.time() - _KEPT_SECONDS
    with _storing:
        for key, points in list(cloudwatch._metrics.items()):
            if points and points[0]["Timestamp"] < oldest:
                points[:] = [point for point in points if point["Timestamp"] >= oldest]
            if not points:
                del cloudwatch._metrics[key]


def _in_order(store: Callable[..., None]) -> Callable[..., None]:
    """Store what PutMetricData is given where its time belongs."""

    def store_in_order(namespace: str, name: str, dimensions: dict[str, str], *rest: Any) -> None:
        with _storing:
            store(namespace, name, dimensions, *rest)
            key = namespace, name, cloudwatch._dims_key(dimensions)
            cloudwatch._metrics[key].sort(key=lambda point: point["Timestamp"])

    return store_in_order


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
