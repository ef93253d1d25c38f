"""CloudWatch metrics, and the alarms that CloudFormation makes of them."""

from __future__ import annotations

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
