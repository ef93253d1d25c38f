"""What CloudWatch makes of data points: the metric math that alarms here use, and the state of an alarm.

The math has FILL, DIFF, IF, PERIOD, arithmetic, comparisons, AND and OR. AWS looks at some periods before those of an
alarm where data points are missing; this looks at none: with some missing under ``ignore`` or ``missing``, a state that
those present do not decide is kept.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Series = Sequence[float | None]
"""A value for each period; None where there is no data point."""

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}
_COMPARISONS = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_NOTHING_KNOWN = {"notBreaching": "OK", "breaching": "ALARM", "missing": "INSUFFICIENT_DATA", "ignore": None}


def data_points(
    alarm: Mapping[str, Any], series: Callable[[Mapping[str, Any], int, str], Series]
) -> list[float | None]:
    """A data point for each period of an alarm, the oldest first.

    :param alarm: in the words of the API and of CloudFormation.
    :param series: gives the values of a metric with a period and a statistic, one more than the periods of the alarm:
        CloudWatch looks further back too, and DIFF needs the value before.
    """
    periods = alarm["EvaluationPeriods"]
    if "Metrics" not in alarm:
        return list(series(alarm, alarm["Period"], alarm["Statistic"]))[-periods:]
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    [expression] = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    metrics = {name: series(stat["Metric"], stat["Period"], stat["Stat"]) for name, stat in stats.items()}
    return evaluate(expression, metrics, next(iter(stats.values()))["Period"])[-periods:]


def state_of(alarm: Mapping[str, Any], points: Series) -> str | None:
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


def evaluate(expression: str, metrics: Mapping[str, Series], period: float) -> list[float | None]:
    """The data points of an expression (CloudWatch user guide, metric math).

    A point that an operand lacks is missing in the result too, and so is a division by zero; IF needs only the branch
    that it takes, and gives no point where it takes one that is not there. DIFF has none for the first.

    :param metrics: the series by id, all of one length.
    :param period: that of the metrics, in seconds.
    :raises ValueError: when the expression has anything else.
    """
    python = re.sub(r"\bAND\b|&&", "and", re.sub(r"\bOR\b|\|\|", "or", expression))
    tree = ast.parse(python, mode="eval").body
    length = len(next(iter(metrics.values())))
    return [_value(tree, metrics, at, period) for at in range(length)]


def _value(node: ast.expr, metrics: Mapping[str, Series], at: int, period: float) -> float | None:
    def of(child: ast.expr) -> float | None:
        return _value(child, metrics, at, period)

    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in metrics:
            return metrics[name][at]
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
            value = of(series)
            return of(filler) if value is None else value
        case ast.Call(func=ast.Name(id="DIFF"), args=[series]):
            return _apply(ast.Sub(), of(series), _value(series, metrics, at - 1, period)) if at else None
        case ast.Call(func=ast.Name(id="PERIOD"), args=[ast.Name()]):
            return period
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *otherwise]):
            value = of(condition)
            taken = [then] if value else otherwise
            return of(taken[0]) if value is not None and taken else None
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _apply(op, of(left), of(right))
        case ast.BoolOp(op=op, values=[first, *rest]):
            result = of(first)
            for each in rest:
                result = _apply(op, result, of(each))
            return result
    raise ValueError(f"metric math here has no {ast.unparse(node)}")


def _apply(op: Any, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (isinstance(op, ast.Div) and right == 0):
        return None
    return float(_OPERATORS[type(op)](left, right))
