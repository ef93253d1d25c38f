"""The stand-in for CloudWatch's metric math and states, by the examples of the CloudWatch user guide."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.cloudwatch import metric_math


@pytest.mark.parametrize(
    ("expression", "points"),
    [
        ("a + b * 2", [5, 4, 2]),
        ("a / b", [0.5, None, None]),
        ("FILL(b, 0)", [2, 0, 0]),
        ("FILL(a, b)", [1, 4, 2]),
        ("a > 1 AND FILL(b, 0) == 0", [0, 1, 1]),
        ("a > 3 || a < 2", [1, 1, 0]),
        ("IF(a >= 2, b, 7)", [7, 0, 0]),
        ("IF(a >= 2, a)", [None, 4, 2]),
        ("DIFF(a)", [None, 3, -2]),
        ("a - DIFF(a)", [1, 1, 4]),
        ("DIFF(FILL(b, 0))", [None, -2, 0]),
        ("a - b", [-1, 4, 2]),
        ("a / PERIOD(a)", [1 / 60, 4 / 60, 2 / 60]),
        ("(a - 1) != 0", [0, 1, 1]),
        ("ABS(DIFF(a))", [None, 3, 2]),
    ],
)
def test_an_expression_is_evaluated_point_by_point(expression: str, points: list[float | None]) -> None:
    assert metric_math.evaluate(expression, {"a": [1, 4, 2], "b": [2, None, 0]}, 60) == points


@pytest.mark.parametrize(("fills_empty", "points"), [(True, [0, 0]), (False, [None, None])])
def test_a_metric_without_any_point_is_filled_or_not(fills_empty: bool, points: list[float | None]) -> None:
    metrics: dict[str, list[float | None]] = {"never": [None, None], "always": [1, 2]}
    assert metric_math.evaluate("FILL(never, 0)", metrics, 60, fills_empty=fills_empty) == points
    assert metric_math.evaluate("always - FILL(never, 0)", metrics, 60, fills_empty=fills_empty) == [1, 2]


def test_an_expression_may_be_about_others() -> None:
    queries: list[dict[str, Any]] = [
        {"Id": "twice", "Expression": "2 * once"},
        {"Id": "once", "Expression": "a + 1", "ReturnData": False},
        {"Id": "a", "MetricStat": {}, "ReturnData": False},
    ]
    assert metric_math.evaluate_queries(queries, {"a": [1, 2]}, 60) == [4, 6]


def test_expressions_that_are_about_each_other_are_refused() -> None:
    queries: list[dict[str, Any]] = [
        {"Id": "one", "Expression": "a + other", "ReturnData": False},
        {"Id": "other", "Expression": "one + 1"},
        {"Id": "a", "MetricStat": {}, "ReturnData": False},
    ]
    with pytest.raises(ValueError, match="the expressions one, other are about each other"):
        metric_math.evaluate_queries(queries, {"a": [1, 2]}, 60)


@pytest.mark.parametrize(
    "expression", ["SEARCH('{AWS/SES}', 'Sum')", "ANOMALY_DETECTION_BAND(a)", "c", "a ** 2", "a ^ 2", "!a", "a +"]
)
def test_what_is_not_emulated_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"metric math here (has no|cannot read) "):
        metric_math.evaluate(expression, {"a": [1]}, 60)
