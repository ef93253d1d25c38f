"""Refusing the arguments of a call: all problems at once, a line each, saying what to give instead.

A rule is a generator of problems; each says the argument, the value, the rule and the fix. A value that is known at
deployment only (a CDK token) fits no pattern or range, so a rule asks whether it sees one only when it would refuse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from types import UnionType
from typing import Any, Protocol, TypeVar

import aws_cdk as cdk
from constructs import Construct

from ses_events.tokens import is_deferred
from ses_events.wording import did_you_mean, one_line, shown, type_of

_T = TypeVar("_T")


def check(where: str | tuple[Construct, object], *rules: Iterable[str]) -> None:
    """Refuse the arguments of one call, all problems at once, a line each.

    :param where: the class of a plain value, or the scope and id of a construct: its path starts every line.
    :raises TypeError: when an argument has a wrong type.
    :raises ValueError: when a rule yields any other problem.
    """
    problems: list[str] = []
    wrong_types = False
    for rule in rules:
        try:
            problems += rule
        except TypeError as error:  # what a rule raises about a wrong type; it cannot go on then
            problems.append(str(error))
            wrong_types = True
    if problems:
        place = where if isinstance(where, str) else "/".join(filter(None, (where[0].node.path, as_id(where[1]))))
        lines = [one_line(f"{place}: {problem}") for problem in problems]
        message = "\n".join(_as_many_as_can_be_read(lines, one_line(f"{place}: ")))
        raise TypeError(message) if wrong_types else ValueError(message)


def _as_many_as_can_be_read(lines: list[str], place: str) -> list[str]:
    """The first of many problems: a list of a thousand wrong values has one in each."""
    ends = list(accumulate(map(len, lines)))
    shown_lines = max(1, sum(end <= 1400 for end in ends))
    more = len(lines) - shown_lines
    return lines[:shown_lines] + ([f"{place}{more} more problems like these; mend these first"] if more else [])


def as_id(construct_id: object) -> str:
    """An id as the end of a path, also where it is none."""
    return construct_id if isinstance(construct_id, str) else shown(construct_id)


@contextmanager
def together(stack: cdk.Stack) -> Iterator[Callable[[Callable[[], _T]], _T | None]]:
    """Make the parts of a stack, and refuse it with the problems of all of them at once; then nothing of it is left.

    What it yields makes one part: it returns the part, or None where that was refused.
    """
    errors: list[TypeError | ValueError] = []

    def made(make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except (TypeError, ValueError) as error:
            errors.append(error)
            return None

    yield made
    if errors:
        if stack.node.scope:
            stack.node.scope.node.try_remove_child(stack.node.id)
        wrong_type = any(isinstance(error, TypeError) for error in errors)
        raise (TypeError if wrong_type else ValueError)("\n".join(map(str, errors))) from None


def instance(argument: str, value: object, expected: type | UnionType, fix: str) -> Iterator[str]:
    """A value of the expected type; ``fix`` says what to give instead."""
    if not isinstance(value, expected):
        raise TypeError(f"{argument} {shown(value)} is of type {type_of(value)}; use {fix}")
    if isinstance(value, str) and re.search("[\ud800-\udfff]", value):
        yield f"{argument} has a lone surrogate, which no template can hold; leave it out"


def option(argument: str, value: object, expected: type, fix: str) -> Iterator[str]:
    """A value of the expected type, or None: the default."""
    if value is not None:
        yield from instance(argument, value, expected, fix)


def interface(argument: str, value: object, attribute: str, fix: str) -> Iterator[str]:
    """An implementation of one of CDK's interfaces, known by an attribute (jsii's interfaces allow no isinstance)."""
    known = hasattr(type(value), attribute) or hasattr(value, attribute)  # of CDK's classes, without asking CDK
    if isinstance(value, type) or not known:
        raise TypeError(f"{argument} {shown(value)} is of type {type_of(value)}; use {fix}")
    yield from ()


def optional_interface(argument: str, value: object, attribute: str, fix: str) -> Iterator[str]:
    """An implementation of one of CDK's interfaces, or None: the default."""
    if value is not None:
        yield from interface(argument, value, attribute, fix)


def one_of(argument: str, value: object, known: Collection[str]) -> Iterator[str]:
    """One of the words in a list."""
    if value not in known:
        name = shown(value)
        meant = did_you_mean(name.strip("'"), known)
        yield f"{argument} {name} is unknown; {meant}"


def first_of(*rules: Iterator[str]) -> Iterator[str]:
    """The problems of the first rule that has any: the others would tell of the same in other words."""
    for rule in rules:
        problems = list(rule)
        yield from problems
        if problems:
            return


def instead_of(argument: str, value: object, others: Mapping[str, object]) -> Iterator[str]:
    """Something that exists already has its own options."""
    for other in [name for name, given in others.items() if given is not None] if value is not None else []:
        yield f"{other} cannot be given with {argument}, which already exists; set it where {argument} is made"


def several(argument: str, value: object, example: str) -> Iterator[str]:
    """A list or another collection, and not a string, which is one too."""
    if isinstance(value, str):
        yield from instance(argument, value, list, f"a list such as {example}")
    yield from instance(argument, value, Collection, f"a list such as {example}")


class Rule(Protocol):
    """A rule as a value: it checks an argument, writes the message and makes the row of docs/limits.md."""

    @property
    def text(self) -> str:
        """What is taken."""

    @property
    def source(self) -> str:
        """Where AWS says so."""

    @property
    def note(self) -> str:
        """What the row says besides."""

    def __call__(self, argument: str, value: Any) -> Iterator[str]:
        """Yield the problems of an argument. None, the default, has none."""


@dataclass(frozen=True)
class Text:
    """1 to ``longest`` of some characters, written as in ``A-Z 0-9 _ -``."""

    longest: int
    characters: str
    example: str
    source: str
    note: str = ""
    """What the row says besides."""

    @property
    def text(self) -> str:
        """What is taken, in words."""
        return f"1-{self.longest} of {self.characters}"

    def __call__(self, argument: str, value: str | None) -> Iterator[str]:
        """Yield why a value is not taken."""
        if value is None:
            return
        yield from instance(argument, value, str, f"a string such as {self.example!r}")
        allowed = self.characters.replace(" ", "")
        if re.fullmatch(f"[{allowed}]{{1,{self.longest}}}", value) or cdk.Token.is_unresolved(value):
            return
        strange = re.search(f"[^{allowed}]", value)
        if not value:
            fault = "is empty"
        elif strange:
            fault = "has a space" if strange[0] == " " else f"has {strange[0]!r}"
        else:
            fault = f"has {len(value)} characters"
        yield f"{argument} {value!r} {fault}; use {self.text}, for example {self.example!r}"


ENDLESS = 2**53 - 1
"""The largest whole number that JSON keeps: the end of a ``Range`` without another one."""


@dataclass(frozen=True)
class Range:
    """``least`` to ``most`` whole units of a ``cdk.Duration`` or ``cdk.Size``."""

    least: int
    most: int
    unit: str
    source: str
    note: str = ""
    """What the row says besides."""

    @property
    def text(self) -> str:
        """What is taken, in words."""
        bounds = f"{self.least} or more" if self.most == ENDLESS else f"{self.least}-{self.most}"
        return f"{bounds} whole {self.unit}"

    def __call__(self, argument: str, value: cdk.Duration | cdk.Size | None) -> Iterator[str]:
        """Yield why a value is not taken."""
        if value is None:
            return
        kind, convert, example = _UNITS[self.unit]
        yield from instance(argument, value, kind, example)
        try:
            amount = convert(value)
        except RuntimeError as error:  # how CDK says that a Duration or Size is not a whole number of a unit
            yield f"{argument} {str(error).partition(': ')[2].rstrip('.')}; use {self.text}"
            return
        if cdk.Token.is_unresolved(amount):
            return
        if amount != int(amount):
            yield f"{argument} {amount} {self.unit} is not a whole number; use {self.text}"
        elif not self.least <= amount <= self.most:
            yield f"{argument} {amount:.0f} {self.unit} is out of range; use {self.text}"


_UNITS: dict[str, tuple[type, Callable[[Any], float], str]] = {
    "seconds": (cdk.Duration, cdk.Duration.to_seconds, "cdk.Duration.seconds(300)"),
    "minutes": (cdk.Duration, cdk.Duration.to_minutes, "cdk.Duration.hours(1)"),
    "days": (cdk.Duration, cdk.Duration.to_days, "cdk.Duration.days(365)"),
    "MiB": (cdk.Size, cdk.Size.to_mebibytes, "cdk.Size.mebibytes(64)"),
    "bytes": (cdk.Size, cdk.Size.to_bytes, "cdk.Size.gibibytes(100)"),
}
"""The units of a ``Range``: the type that has them, how to ask for them, and an example."""


def metric_text(argument: str, value: str, example: str) -> Iterator[str]:
    """1-255 characters, for the name of a metric or a namespace (CloudWatch API, PutMetricAlarm)."""
    yield from instance(argument, value, str, f"a string such as {example!r}")
    if not 1 <= len(value) <= 255 and not cdk.Token.is_unresolved(value):
        yield f"{argument} has {len(value)} characters; use 1-255, for example {example!r}"


def count(argument: str, value: int) -> Iterator[str]:
    """A whole number from 1 (CloudWatch API, PutMetricAlarm)."""
    if is_deferred(value):
        return
    yield from number(argument, value, "a whole number such as 100", int)
    if value < 1:
        yield f"{argument} {value} is out of range; use a whole number from 1"


def number(argument: str, value: object, fix: str, expected: type | UnionType = float | int) -> Iterator[str]:
    """A number; True and False are no numbers here, though Python has them so."""
    yield from instance(argument, str(value) if isinstance(value, bool) else value, expected, fix)
    try:
        finite = math.isfinite(value)  # type: ignore[arg-type]  # a number, as instance() has seen
    except OverflowError:  # a whole number that no float holds, which CloudFormation could not write
        finite = False
    if not finite:
        raise TypeError(f"{argument} {shown(value)} is not finite; use {fix}")
