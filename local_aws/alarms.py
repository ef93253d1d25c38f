"""CloudWatch as it evaluates the deployed alarms: metrics by their dimensions, metric math, M of N, missing data.

Periods run as much faster as everything here: at a speed of 100 a period of 5 minutes is 3 seconds, and so old a data
point may be. An alarm is evaluated each minute on AWS, here each 60 s / speed, but not more often than four times a
second; the periods end at that moment. A change of state goes through SetAlarmState, which runs the actions.

AWS looks at some periods before those of an alarm where data points are missing; this looks at none: with some points
missing under ``ignore`` or ``missing``, a state that those present do not decide is kept.
"""

from __future__ import annotations

import logging
import operator
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from local_aws import metric_math, ministack_gaps

log = logging.getLogger(__name__)

_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_NOTHING_KNOWN = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "ignore": None}


def evaluate_always(speed: float) -> None:
    """From now on, evaluate the alarms of the account and set their states, in a thread."""
    threading.Thread(target=_evaluate_always, args=[speed], name="alarms", daemon=True).start()


def _evaluate_always(speed: float) -> None:
    client = boto3.Session().client("cloudwatch")
    while True:
        time.sleep(max(60 / speed, 0.25))
        try:
            alarms = ministack_gaps.metric_alarms()
        except RuntimeError:  # one was made or deleted while they were listed
            continue
        for alarm in alarms:
            try:
                _evaluate(alarm, speed, client)
            except Exception as failure:  # one alarm that cannot be evaluated must not stop the others
                log.error("the alarm %s cannot be evaluated: %s", alarm["AlarmName"], failure)


def _evaluate(alarm: Mapping[str, Any], speed: float, client: Any) -> None:
    points = _data_points(alarm, time.time(), speed)
    state = state_of(alarm, points)
    if state and state != alarm["StateValue"]:
        log.info("%s is %s", alarm["AlarmName"], state)
        client.set_alarm_state(
            AlarmName=alarm["AlarmName"], StateValue=state, StateReason=f"The data points of the periods are {points}."
        )


def state_of(alarm: Mapping[str, Any], points: Sequence[float | None]) -> str | None:
    """The state that an alarm takes by the data points of its periods; None keeps the one it has."""
    known = [point for point in points if point is not None]
    missing, treatment = len(points) - len(known), alarm.get("TreatMissingData", "missing")
    if not known:
        return _NOTHING_KNOWN[treatment]
    beyond = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = sum(beyond(point, alarm["Threshold"]) for point in known)
    if treatment == "breaching":
        breaching += missing
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    if breaching >= needed:
        return "ALARM"
    undecided = treatment in ("ignore", "missing") and breaching + missing >= needed
    return None if undecided else "OK"


def _data_points(alarm: Mapping[str, Any], now: float, speed: float) -> list[float | None]:
    """A data point for each period of an alarm, the oldest first."""
    periods = alarm["EvaluationPeriods"]
    if "Metrics" not in alarm:
        return _series(alarm, alarm["Period"], alarm["Statistic"], now, speed, periods)
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    [expression] = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    period = next(iter(stats.values()))["Period"]
    series = {
        name: _series(stat["Metric"], stat["Period"], stat["Stat"], now, speed, periods) for name, stat in stats.items()
    }
    return metric_math.evaluate(expression, series, period)


def _series(
    metric: Mapping[str, Any], period: float, statistic: str, now: float, speed: float, periods: int
) -> list[float | None]:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    points = ministack_gaps.data_points(metric["Namespace"], metric["MetricName"], dimensions)
    length = float(period) / speed
    starts = [now - length * (periods - number) for number in range(periods)]
    return [ministack_gaps.statistic(points, statistic, start, start + length) for start in starts]
