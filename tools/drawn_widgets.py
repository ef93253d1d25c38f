"""Widgets of a CloudWatch dashboard with what they show, drawn as SVG in the grid of the dashboard."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from local_aws.cloudwatch.metric_math import Series

CELL, ROW, HEAD = 50, 34, 44
"""How large a cell of the grid is drawn, and what is above the grid."""
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf")
_OVER_LINES = ' stroke="#ffffff" stroke-width="4" paint-order="stroke"'
STATES = {"OK": "#2e7d32", "ALARM": "#c62828", "INSUFFICIENT_DATA": "#757575"}
LIMIT, QUIET = "#c62828", "#545b64"
FONT = 'font-family="Arial, Helvetica, sans-serif"'


@dataclass
class Line:
    """A line of a graph: a point for each period of a day."""

    label: str
    points: Series


@dataclass
class Widget:
    """A widget with its place in the grid: alarms with their states, numbers, or a graph with limits."""

    kind: str
    title: str
    x: int
    y: int
    width: int
    height: int
    lines: list[Line] = field(default_factory=list)
    limits: list[tuple[float, str]] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)


def drawn(widgets: Sequence[Widget], choice: str) -> str:
    """The picture of the widgets, under what is chosen for them."""
    width, height = 24 * CELL, max(widget.y + widget.height for widget in widgets) * ROW + HEAD
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {FONT}>',
        f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
        _text(14, 29, choice, 17, weight="bold"),
        _text(width - 14, 29, "the last 24 hours", 17, anchor="end"),
    ]
    for widget in widgets:
        inside = _INSIDE[widget.kind](widget, widget.width * CELL - 10, widget.height * ROW - 10)
        frame = f'<g transform="translate({widget.x * CELL + 5} {widget.y * ROW + HEAD + 5})">'
        lines += [frame, *_frame(widget), *inside, "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _frame(widget: Widget) -> Iterator[str]:
    width, height = widget.width * CELL - 10, widget.height * ROW - 10
    yield f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff" stroke="#d5dbdb"/>'
    yield _text(12, 23, widget.title, 17, weight="bold")


def _alarms(widget: Widget, width: float, height: float) -> Iterator[str]:
    columns = math.ceil(len(widget.states) / 2)
    cell, tall = (width - 14) / columns, (height - 40) / 2
    for number, (name, state) in enumerate(widget.states.items()):
        left, top = 10 + number % columns * cell, 34 + number // columns * tall
        place = f'x="{left:.1f}" y="{top:.1f}" width="{cell - 6:.1f}" height="{tall - 6:.1f}"'
        yield f'<rect {place} rx="4" fill="{STATES[state]}"/>'
        yield _text(left + 7, top + tall / 2 + 1, name, 13, colour="#ffffff")


def _numbers(widget: Widget, width: float, height: float) -> Iterator[str]:
    for number, line in enumerate(widget.lines):
        left = 12 + number * (width - 12) / len(widget.lines)
        [value] = line.points
        yield _text(left, height - 30, "--" if value is None else f"{value:,.0f}", 30)
        yield _text(left, height - 9, line.label, 15, colour=COLOURS[number])


def _graph(widget: Widget, width: float, height: float) -> Iterator[str]:
    legend = _legend(widget.lines, width)
    left, top, right, bottom = 62.0, 40.0, width - 16, height - 34 - 20 * len(legend)
    values = [value for line in widget.lines for value in line.points if value is not None]
    highest = _end_of_axis(max([*values, *(limit for limit, _ in widget.limits)], default=0) or 1)

    def at(value: float) -> float:
        return bottom - (bottom - top) * value / highest

    for share in (0, 0.5, 1):
        yield _level(left, right, at(highest * share), "#e3e6e6")
        yield _text(left - 8, at(highest * share) + 5, _short(highest * share), 14, anchor="end", colour=QUIET)
    for hour in range(0, 25, 6):
        x = left + (right - left) * hour / 24
        anchor = {0: "start", 24: "end"}.get(hour, "middle")
        yield _text(x, bottom + 19, f"-{24 - hour} h" if hour < 24 else "now", 14, anchor=anchor, colour=QUIET)
    if not values:
        yield _text((left + right) / 2, (top + bottom) / 2 + 24, "no data: nothing happened", 15, anchor="middle")
    for number, line in enumerate(widget.lines):
        yield from _curve(line.points, left, right, at, _colour(number))
    labels: dict[float, list[str]] = {}
    for value, label in widget.limits:
        labels.setdefault(value, []).append(label)
    for number, (value, several) in enumerate(labels.items()):
        x, anchor = (right - 6, "end") if number % 2 else (left + 6, "start")
        y = at(value) + (-5 if at(value) > top + 14 else 16)
        yield _level(left, right, at(value), LIMIT, 'stroke-dasharray="6 4"')
        yield _text(x, y, ", ".join(several), 13, anchor=anchor, colour=LIMIT, options=_OVER_LINES)
    for row, entries in enumerate(legend):
        y = height - 12 - 20 * (len(legend) - 1 - row)
        for x, number in entries:
            yield f'<rect x="{x:.1f}" y="{y - 10:g}" width="11" height="11" fill="{_colour(number)}"/>'
            yield _text(x + 16, y, widget.lines[number].label, 14)


def _legend(lines: Sequence[Line], width: float) -> list[list[tuple[float, int]]]:
    """The rows of the legend: where each line's label begins."""
    rows: list[list[tuple[float, int]]] = [[]]
    x = 12.0
    for number, line in enumerate(lines):
        needed = 34 + len(line.label) * 7.2
        if rows[-1] and x + needed > width:
            rows.append([])
            x = 12.0
        rows[-1].append((x, number))
        x += needed
    return rows


def _curve(points: Series, left: float, right: float, at: Callable[[float], float], colour: str) -> Iterator[str]:
    """A line through the points, over a gap of one period at most; a dot for a point that has no neighbours."""
    step = (right - left) / len(points)
    known = [number for number, value in enumerate(points) if value is not None]
    runs: list[list[int]] = []
    for number in known:
        if runs and number - runs[-1][-1] <= 2:
            runs[-1].append(number)
        else:
            runs.append([number])
    for run in runs:
        places = [f"{left + (number + 0.5) * step:.1f} {at(points[number] or 0):.1f}" for number in run]
        if len(run) == 1:
            x, y = places[0].split()
            yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'
        else:
            yield f'<path d="M{"L".join(places)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _level(left: float, right: float, y: float, colour: str, options: str = "") -> str:
    return f'<path d="M{left:g} {y:.1f}H{right:g}" stroke="{colour}" {options}/>'


def _end_of_axis(value: float) -> float:
    """The next number that a person would end an axis with."""
    power = 10 ** math.floor(math.log10(value))
    return next(float(f"{step * power:.6g}") for step in (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def _short(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _text(
    x: float,
    y: float,
    text: str,
    size: int,
    *,
    anchor: str = "start",
    colour: str = "#16191f",
    weight: str = "normal",
    options: str = "",
) -> str:
    given = {"text-anchor": (anchor, "start"), "font-weight": (weight, "normal")}
    options += "".join(f' {name}="{value}"' for name, (value, default) in given.items() if value != default)
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{options}>{escape(text)}</text>'


_INSIDE = {"alarm": _alarms, "number": _numbers, "metric": _graph}
