"""What CloudWatch makes of data points: the metric math that alarms here use.

The math has FILL, DIFF, ABS, IF, PERIOD, arithmetic, comparisons, AND and OR, and expressions about others.

AWS does not say whether FILL gives anything of a metric without a point in the whole range: ``fills_empty`` chooses.
"""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Series = Sequence[float | None]
"""A value for each period; None where there is no data point."""

_Value = list[float | None] | float
"""A series, or a number of the expression, which has no points that could be missing."""

EARLIER = 5
"""How many periods before those of an alarm its math sees: CloudWatch looks further back too, and DIFF needs it."""

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


def data_points(
    alarm: Mapping[str, Any],
    series: Callable[[Mapping[str, Any], int, str], Series],
    *,
    fills_empty: bool = True,
) -> list[float | None]:
    """A data point for each period of an alarm, the oldest first.

    :param alarm: in the words of the API and of CloudFormation.
    :param series: gives the values of a metric with a period and a statistic, those of the periods of the alarm and
        ``EARLIER`` before.
    :param fills_empty: whether FILL fills a metric without any point, or gives none.
    """
    periods = alarm["EvaluationPeriods"]
    if "Metrics" not in alarm:
        return list(series(alarm, alarm["Period"], alarm["Statistic"]))[-periods:]
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    metrics = {name: series(stat["Metric"], stat["Period"], stat["Stat"]) for name, stat in stats.items()}
    period = next(iter(stats.values()))["Period"]
    return evaluate_queries(alarm["Metrics"], metrics, period, fills_empty=fills_empty)[-periods:]


def evaluate_queries(
    queries: Sequence[Mapping[str, Any]], metrics: Mapping[str, Series], period: float, *, fills_empty: bool = True
) -> list[float | None]:
    """The data points of the expression that an alarm is about, which may be about others of its queries."""
    known = dict(metrics)
    waiting = {query["Id"]: query["Expression"] for query in queries if "Expression" in query}
    while waiting:
        for name, expression in list(waiting.items()):
            if not waiting.keys() & set(re.findall(r"\w+", expression)):
                known[name] = evaluate(expression, known, period, fills_empty=fills_empty)
                del waiting[name]
    [returned] = [query["Id"] for query in queries if "Expression" in query and query.get("ReturnData", True)]
    return list(known[returned])


def evaluate(
    expression: str, metrics: Mapping[str, Series], period: float, *, fills_empty: bool = True
) -> list[float | None]:
    """The data points of an expression (CloudWatch user guide, metric math).

    A point that one series lacks counts as 0 where the other has one; a division by 0 gives none. IF gives 0 where the
    branch that it takes lacks the point, and none where it has no such branch. DIFF has none for the first.

    :param metrics: the series by id, all of one length.
    :param period: that of the metrics, in seconds.
    :param fills_empty: whether FILL fills a series without any point, or gives none.
    :raises ValueError: when the expression has anything else.
    """
    length = len(next(iter(metrics.values())))
    value = _value(_parsed(expression), metrics, period, fills_empty)
    return value if isinstance(value, list) else [value] * length


@functools.cache
def _parsed(expression: str) -> ast.expr:
    python = re.sub(r"\bAND\b|&&", "and", re.sub(r"\bOR\b|\|\|", "or", expression))
    return ast.parse(python, mode="eval").body


def _value(node: ast.expr, metrics: Mapping[str, Series], period: float, fills_empty: bool) -> _Value:
    def of(child: ast.expr) -> _Value:
        return _value(child, metrics, period, fills_empty)

    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in metrics:
            return list(metrics[name])
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
            points, fillers = (_points(of(each), metrics) for each in (series, filler))
            if not fills_empty and all(point is None for point in points):
                return points
            return [other if point is None else point for point, other in zip(points, fillers, strict=True)]
        case ast.Call(func=ast.Name(id="DIFF"), args=[series]):
            points = _points(of(series), metrics)
            return [None, *(_both(points[at], points[at - 1], operator.sub) for at in range(1, len(points)))]
        case ast.Call(func=ast.Name(id="ABS"), args=[series]):
            return [None if point is None else abs(point) for point in _points(of(series), metrics)]
        case ast.Call(func=ast.Name(id="PERIOD"), args=[ast.Name()]):
            return period
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *otherwise]):
            conditions, thens = _points(of(condition), metrics), _points(of(then), metrics)
            elses = _points(of(otherwise[0]), metrics) if otherwise else None
            return [
                None
                if value is None or not (value or elses)
                else (thens[at] if value else elses[at] if elses else None) or 0.0
                for at, value in enumerate(conditions)
            ]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _apply(op, of(left), of(right))
        case ast.BoolOp(op=op, values=[first, *rest]):
            result = of(first)
            for each in rest:
                result = _apply(op, result, of(each))
            return result
    raise ValueError(f"metric math here has no {ast.unparse(node)}")


def _points(value: _Value, metrics: Mapping[str, Series]) -> list[float | None]:
    return value if isinstance(value, list) else [value] * len(next(iter(metrics.values())))


def _apply(op: Any, left: _Value, right: _Value) -> _Value:
    apply = _OPERATORS[type(op)]
    if isinstance(left, list) and isinstance(right, list):
        return [
            None if one is None and other is None else _both(one or 0.0, other or 0.0, apply)
            for one, other in zip(left, right, strict=True)
        ]
    if isinstance(left, list):
        assert not isinstance(right, list)
        return [_both(one, right, apply) for one in left]
    if isinstance(right, list):
        return [_both(left, other, apply) for other in right]
    return float(apply(left, right))


def _both(left: float | None, right: float | None, apply: Callable[[float, float], float]) -> float | None:
    if left is None or right is None or (apply is operator.truediv and right == 0):
        return None
    return float(apply(left, right))
