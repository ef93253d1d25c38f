"""The two tables of the CloudWatch user guide, and its words about alarms that would be premature (missing data)."""

from __future__ import annotations

import pytest

from local_aws.cloudwatch.alarm_state import EXTRA_PERIODS, state_of

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEPT = None


@pytest.mark.parametrize(
    ("data_points_to_alarm", "points", "states"),
    [
        (3, "0-X-X", ("OK", "OK", "OK", "OK")),
        (3, "0----", ("OK", "OK", "OK", "OK")),
        (3, "-----", ("INSUFFICIENT_DATA", KEPT, "ALARM", "OK")),
        (3, "0XX-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "--X--", ("ALARM", KEPT, "ALARM", "OK")),
        (2, "0-X-X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "00X0X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0-X--", ("OK", "OK", "ALARM", "OK")),
        (2, "----0", ("OK", "OK", "ALARM", "OK")),
        (2, "---X-", ("ALARM", KEPT, "ALARM", "OK")),
        (3, "----X", (KEPT, KEPT, "ALARM", "OK")),
        (3, "---X-", (KEPT, KEPT, "ALARM", "OK")),
    ],
)
def test_the_state_is_that_of_the_user_guide(
    data_points_to_alarm: int, points: str, states: tuple[str | None, ...]
) -> None:
    alarm = {
        "EvaluationPeriods": len(points) - EXTRA_PERIODS,
        "DatapointsToAlarm": data_points_to_alarm,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1,
    }
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points]
    found = {treatment: state_of({**alarm, "TreatMissingData": treatment}, values) for treatment in TREATMENTS}
    assert found == dict(zip(TREATMENTS, states, strict=True))
