"""What CloudWatch makes of data points: the metric math that alarms here use.

The math has FILL, DIFF, ABS, IF, PERIOD, arithmetic, comparisons, AND and OR, and expressions about others.

AWS does not say whether FILL gives anything of a metric without a point in the whole range: ``fills_empty`` chooses.
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Series = Sequence[float | None]
"""A value for each period; None where there is no data point."""

_Value = list[float | None] | float | None
"""A series, or a number of the expression, which has no points that could be missing."""

EARLIER = 5
"""How many periods before those of an alarm its math sees: CloudWatch looks further back too, and DIFF needs it."""

_OPERATORS: dict[type, Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right if right else None,
    ast.Gt: lambda left, right: float(left > right),
    ast.GtE: lambda left, right: float(left >= right),
    ast.Lt: lambda left, right: float(left < right),
    ast.LtE: lambda left, right: float(left <= right),
    ast.Eq: lambda left, right: float(left == right),
    ast.NotEq: lambda left, right: float(left != right),
    ast.And: lambda left, right: float(bool(left and right)),
    ast.Or: lambda left, right: float(bool(left or right)),
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
        ready = [name for name, about in waiting.items() if not waiting.keys() & set(re.findall(r"\w+", about))]
        if not ready:
            raise ValueError(f"the expressions {', '.join(waiting)} are about each other")
        for name in ready:
            known[name] = evaluate(waiting.pop(name), known, period, fills_empty=fills_empty)
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
    value = _compiled(expression)(_Input(metrics, length, period, fills_empty))
    return list(value) if isinstance(value, list) else [value] * length


@dataclass(frozen=True)
class _Input:
    metrics: Mapping[str, Series]
    length: int
    period: float
    fills_empty: bool


_Step = Callable[[_Input], _Value]
"""A part of an expression, whose tree is read once: alarms evaluate it for each of their periods."""


@functools.cache
def _compiled(expression: str) -> _Step:
    python = re.sub(r"\bAND\b|&&", "and", re.sub(r"\bOR\b|\|\|", "or", expression))
    try:
        return _step(ast.parse(python, mode="eval").body)
    except SyntaxError as error:
        raise ValueError(f"metric math here cannot read {expression}: {error.msg}") from error


def _step(node: ast.expr) -> _Step:
    match node:
        case ast.Constant(value=int() | float() as number):
            return lambda _: float(number)
        case ast.Name(id=name):
            return lambda given: _metric(given, name)
        case ast.Call(func=ast.Name(id="FILL"), args=[series, filler]):
            points, fillers = _points(series), _points(filler)
            return lambda given: _filled(points(given), fillers(given), fills_empty=given.fills_empty)
        case ast.Call(func=ast.Name(id="DIFF"), args=[series]):
            points = _points(series)
            return lambda given: _differences(points(given))
        case ast.Call(func=ast.Name(id="ABS"), args=[series]):
            points = _points(series)
            return lambda given: [None if point is None else abs(point) for point in points(given)]
        case ast.Call(func=ast.Name(id="PERIOD"), args=[ast.Name()]):
            return lambda given: given.period
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *otherwise]):
            conditions, thens = _points(condition), _points(then)
            elses = _points(otherwise[0]) if otherwise else None
            return lambda given: _chosen(conditions(given), thens(given), elses(given) if elses else None)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
            type(op) in _OPERATORS
        ):
            return _applied(op, _step(left), _step(right))
        case ast.BoolOp(op=op, values=[first, *rest]):
            return functools.reduce(functools.partial(_applied, op), map(_step, rest), _step(first))
    raise ValueError(f"metric math here has no {ast.unparse(node)}")


def _metric(given: _Input, name: str) -> _Value:
    if name not in given.metrics:
        raise ValueError(f"metric math here has no {name}")
    series = given.metrics[name]
    return series if isinstance(series, list) else list(series)


def _points(node: ast.expr) -> Callable[[_Input], list[float | None]]:
    step = _step(node)

    def points(given: _Input) -> list[float | None]:
        value = step(given)
        return value if isinstance(value, list) else [value] * given.length

    return points


def _filled(points: list[float | None], fillers: list[float | None], *, fills_empty: bool) -> list[float | None]:
    if not fills_empty and all(point is None for point in points):
        return points
    return [other if point is None else point for point, other in zip(points, fillers, strict=True)]


def _differences(points: list[float | None]) -> list[float | None]:
    pairs = itertools.pairwise(points)
    return [None, *(None if now is None or before is None else now - before for before, now in pairs)]


def _chosen(
    conditions: list[float | None], thens: list[float | None], elses: list[float | None] | None
) -> list[float | None]:
    branches = (None if value is None else thens if value else elses for value in conditions)
    return [None if branch is None else branch[at] or 0.0 for at, branch in enumerate(branches)]


def _applied(op: Any, left: _Step, right: _Step) -> _Step:
    apply = _OPERATORS[type(op)]
    return lambda given: _apply(apply, left(given), right(given))


def _apply(apply: Callable[[float, float], float | None], left: _Value, right: _Value) -> _Value:
    if left is None or right is None:
        return None
    if isinstance(left, list) and isinstance(right, list):
        return [
            None if one is None and other is None else apply(one or 0.0, other or 0.0)
            for one, other in zip(left, right, strict=True)
        ]
    if isinstance(left, list):
        assert not isinstance(right, list)
        return [None if one is None else apply(one, right) for one in left]
    if isinstance(right, list):
        return [None if other is None else apply(left, other) for other in right]
    return apply(left, right)
