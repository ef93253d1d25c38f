"""CloudWatch as it evaluates the deployed alarms: metrics by their dimensions, metric math, M of N, missing data.

An alarm is evaluated each minute of AWS, and its periods end at that moment (CloudWatch user guide, sliding window). A
change of state goes through SetAlarmState, which runs the actions.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any

import boto3

from local_aws.clock import Clock
from local_aws.cloudwatch import metric_math
from local_aws.cloudwatch.alarm_state import EXTRA_PERIODS, state_of
from local_aws.ministack import metrics

log = logging.getLogger(__name__)

_MINUTE = 60
_SHORTEST_PAUSE = 0.25
"""Seconds of ours between two evaluations, however fast the time of AWS is."""


class Alarms:
    """The alarms of the account, evaluated as the clock says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._client = boto3.Session().client("cloudwatch")
        self._pause = max(_MINUTE, _SHORTEST_PAUSE * clock.speed)

    def evaluate_always(self) -> None:
        """Evaluate all now, and once a minute from now on."""
        self._clock.later(self._pause, self.evaluate_always)
        for alarm in metrics.metric_alarms():
            try:
                self._evaluate(alarm)
            except Exception as failure:  # one alarm that cannot be evaluated must not stop the others
                log.error("the alarm %s cannot be evaluated: %s", alarm["AlarmName"], failure)

    def _evaluate(self, alarm: Mapping[str, Any]) -> None:
        evaluated = alarm["EvaluationPeriods"] + EXTRA_PERIODS
        series = functools.partial(self._series, self._clock.now(), evaluated + metric_math.EARLIER)
        points = metric_math.data_points({**alarm, "EvaluationPeriods": evaluated}, series)
        state = state_of(alarm, points)
        if state and state != alarm["StateValue"]:
            log.info("%s is %s", alarm["AlarmName"], state)
            self._client.set_alarm_state(
                AlarmName=alarm["AlarmName"],
                StateValue=state,
                StateReason=f"The data points of the periods are {points}.",
            )

    def _series(
        self, now: float, periods: int, metric: Mapping[str, Any], period: int, statistic: str
    ) -> list[float | None]:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
        name = metric["Namespace"], metric["MetricName"]
        points = metrics.data_points(*name, dimensions, since=now - periods * period)
        starts = [now - period * (periods - number) for number in range(periods)]
        return [metrics.statistic(points, statistic, start, start + period) for start in starts]
