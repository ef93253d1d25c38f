"""CloudWatch as it evaluates the deployed alarms: metrics by their dimensions, metric math, M of N, missing data.

Periods run as much faster as everything here: at a speed of 100 a period of 5 minutes is 3 seconds, and so old a data
point may be. An alarm is evaluated each minute on AWS, here each 60 s / speed, but not more often than four times a
second; the periods end at that moment. What a busy machine is late with is made up for, up to a minute: no data point
falls between two evaluations. A change of state goes through SetAlarmState, which runs the actions.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

import boto3

from local_aws.cloudwatch import metric_math
from local_aws.ministack import metrics

log = logging.getLogger(__name__)


def evaluate_always(speed: float) -> None:
    """From now on, evaluate the alarms of the account and set their states, in a thread."""
    threading.Thread(target=_evaluate_always, args=[speed], name="alarms", daemon=True).start()


def _evaluate_always(speed: float) -> None:
    client = boto3.Session().client("cloudwatch")
    pause = max(60 / speed, 0.25)
    at = time.time()
    while True:
        time.sleep(max(at - time.time(), 0))
        try:
            alarms = metrics.metric_alarms()
        except RuntimeError:  # one was made or deleted while they were listed
            continue
        for alarm in alarms:
            try:
                _evaluate(alarm, at, speed, client)
            except Exception as failure:  # one alarm that cannot be evaluated must not stop the others
                log.error("the alarm %s cannot be evaluated: %s", alarm["AlarmName"], failure)
        at = max(at + pause, time.time() - 60)


def _evaluate(alarm: Mapping[str, Any], now: float, speed: float, client: Any) -> None:
    points = metric_math.data_points(alarm, functools.partial(_series, now, speed, alarm["EvaluationPeriods"] + 1))
    state = metric_math.state_of(alarm, points)
    if state and state != alarm["StateValue"]:
        log.info("%s is %s", alarm["AlarmName"], state)
        client.set_alarm_state(
            AlarmName=alarm["AlarmName"], StateValue=state, StateReason=f"The data points of the periods are {points}."
        )


def _series(
    now: float, speed: float, periods: int, metric: Mapping[str, Any], period: int, statistic: str
) -> list[float | None]:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
    points = metrics.data_points(metric["Namespace"], metric["MetricName"], dimensions)
    length = period / speed
    starts = [now - length * (periods - number) for number in range(periods)]
    return [metrics.statistic(points, statistic, start, start + length) for start in starts]
