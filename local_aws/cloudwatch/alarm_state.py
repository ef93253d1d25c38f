"""The state of an alarm by the data points of its evaluation range (CloudWatch user guide, missing data)."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

EXTRA_PERIODS = 2
"""How many periods before those of an alarm are looked at for points where some are missing.

AWS does not say how many there are; its example has an evaluation range of 5 for an alarm of 3 periods.
"""

_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WITHOUT_DATA = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "ignore": None}


def state_of(alarm: Mapping[str, Any], points: Sequence[float | None]) -> str | None:
    """Return the state that an alarm takes; None keeps the one it has.

    :param points: those of the evaluation range, the oldest first; None where one is missing.
    """
    periods = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm") or periods
    treatment = alarm.get("TreatMissingData") or "missing"
    beyond = _COMPARISONS[alarm["ComparisonOperator"]]
    known = [(at, beyond(point, alarm["Threshold"])) for at, point in enumerate(points) if point is not None]
    if not known:
        return _WITHOUT_DATA[treatment]
    if len(known) >= periods:  # the treatment of missing data is not asked
        return "ALARM" if sum(breaching for _, breaching in known[-periods:]) >= needed else "OK"
    breaching, missing = sum(breaching for _, breaching in known), periods - len(known)
    if treatment == "breaching":
        return "ALARM" if breaching + missing >= needed else "OK"
    if breaching >= needed:
        return "ALARM"
    if treatment == "notBreaching":
        return "OK"
    if breaching < len(known):
        return "OK"
    age_of_oldest = len(points) - known[0][0]
    return "ALARM" if treatment == "missing" and age_of_oldest >= needed else None  # the next one may not breach
