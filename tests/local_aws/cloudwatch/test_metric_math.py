"""The stand-in for CloudWatch's metric math and states, by the examples of the CloudWatch user guide."""

from __future__ import annotations

import pytest

from local_aws.cloudwatch import metric_math


@pytest.mark.parametrize(
    ("expression", "points"),
    [
        ("a + b * 2", [5, None, 2]),
        ("a / b", [0.5, None, None]),
        ("FILL(b, 0)", [2, 0, 0]),
        ("FILL(a, b)", [1, 4, 2]),
        ("a > 1 AND FILL(b, 0) == 0", [0, 1, 1]),
        ("a > 3 || a < 2", [1, 1, 0]),
        ("IF(a >= 2, b, 7)", [7, None, 0]),
        ("IF(a >= 2, a)", [None, 4, 2]),
        ("DIFF(a)", [None, 3, -2]),
        ("a - DIFF(a)", [None, 1, 4]),
        ("DIFF(FILL(b, 0))", [None, -2, 0]),
        ("a / PERIOD(a)", [1 / 60, 4 / 60, 2 / 60]),
        ("(a - 1) != 0", [0, 1, 1]),
    ],
)
def test_an_expression_is_evaluated_point_by_point(expression: str, points: list[float | None]) -> None:
    assert metric_math.evaluate(expression, {"a": [1, 4, 2], "b": [2, None, 0]}, 60) == points


@pytest.mark.parametrize("expression", ["SEARCH('{AWS/SES}', 'Sum')", "ANOMALY_DETECTION_BAND(a)", "c", "a ** 2"])
def test_what_is_not_emulated_is_refused(expression: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        metric_math.evaluate(expression, {"a": [1]}, 60)


@pytest.mark.parametrize(
    ("treatment", "points", "state"),
    [
        ("notBreaching", [None, None, None], "OK"),
        ("breaching", [None, None, None], "ALARM"),
        ("missing", [None, None, None], "INSUFFICIENT_DATA"),
        ("ignore", [None, None, None], None),
        ("notBreaching", [2, None, 2], "ALARM"),
        ("notBreaching", [2, None, 0], "OK"),
        ("breaching", [2, None, 0], "ALARM"),
        ("ignore", [2, None, 0], None),
        ("missing", [0, None, 0], "OK"),
    ],
)
def test_missing_data_is_treated_as_told(treatment: str, points: list[float | None], state: str | None) -> None:
    alarm = {
        "TreatMissingData": treatment,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
    }
    assert metric_math.state_of(alarm, points) == state
