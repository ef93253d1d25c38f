"""How the days of events lie in a bucket, as the prefix says that Firehose wrote them with."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ses_events.policies import NOT_KNOWN
from ses_events.tokens import TOKEN

EXPRESSION_OF_TIME = "!{timestamp:"
"""What an expression of time begins with."""

APPENDED = "!{timestamp:yyyy/MM/dd/HH/}"
"""What Firehose appends to a prefix that has no expression of time (Firehose developer guide, custom prefixes)."""

_DAY_AND_HOUR = re.compile(
    r"(?P<before>((?!!\{)[^$\x01])*)\x01yyyy\x02(?P<to_month>[^!$%,'\x00-\x02]*)\x01MM\x02(?P<to_day>[^!$%,'\x00-\x02]*)"
    r"\x01dd\x02(?P<after>[^!/$\x01]*)/((?P<to_hour>[^!$\x01]*)\x01HH\x02(?P<after_hour>[^!/$\x01]*)/)?"
)
"""Of a prefix with \\0 for each token, and each field of time between \\1 and \\2."""


@dataclass(frozen=True)
class Layout:
    """Where the folders of a day, and of an hour, are below a bucket."""

    before: str
    """What comes before the day, or before ``${origin}``, which stands for what differs between several prefixes."""

    day: tuple[str, str, str] = ("", "-", "-")
    """What comes before the year, the month and the day in the partition ``dt``."""

    after: str = ""
    """What follows in the name of the day's folder."""

    hour: tuple[str, str] | None = None
    """What comes before and after the hour, where it is a folder of the day."""

    origins: tuple[str, ...] = ()
    """What stands in the place of ``${origin}``: the values of a partition."""

    @property
    def partitions(self) -> dict[str, str]:
        """The type of each partition, by its name."""
        return {
            "dt": "string",
            **({"hour": "int"} if self.hour else {}),
            **({"origin": "string"} if self.origins else {}),
        }

    @property
    def folder(self) -> str:
        """The folder of a partition, as ``storage.location.template`` has it."""
        hour = f"{self.hour[0]}${{hour}}{self.hour[1]}/" if self.hour else ""
        return f"{self.before}${{dt}}{self.after}/{hour}"

    @property
    def java(self) -> str:
        """The pattern of ``dt`` for Java's DateTimeFormatter."""
        literals = (f"'{each}'" if re.search(r"[^-/_=.:, ]", each) else each for each in self.day)
        return "".join(each + field for each, field in zip(literals, ("yyyy", "MM", "dd"), strict=True))

    @property
    def sql(self) -> str:
        """The pattern of ``dt`` for ``date_format`` and ``date_parse`` of Athena."""
        return "".join(each + field for each, field in zip(self.day, ("%Y", "%m", "%d"), strict=True))

    def first_day(self, year: int) -> str:
        """Return the partition of the first day of a year."""
        return self.sql.replace("%Y", str(year)).replace("%m", "01").replace("%d", "01")


DAILY = Layout("")
"""A ``dt`` such as 2026-03-09, without an hour."""


def layout_of(prefix: str) -> Layout | None:
    """Return the layout of what Firehose writes with a prefix; None where no table can project it.

    In the order of their values days have to be in the order of time: the year first, in four digits, then the month
    and the day in two. They come before any other expression, and end a folder or the like of one.
    """
    timed = EXPRESSION_OF_TIME in prefix
    if "\0" in prefix or (not timed and NOT_KNOWN.search(prefix)):  # a \0 stands for a token below
        return None
    text = TOKEN.sub("\0", prefix if timed else prefix + APPENDED)
    found = _DAY_AND_HOUR.match(re.sub(r"!\{timestamp:((?:'[^']*'|[^}'])*)\}", _fields, text))
    if not found:
        return None
    before, lead, month, day = found["before"], "", found["to_month"], found["to_day"]
    if re.search(r"\w", month + day):  # of year=2026/month=03/day=09 all is the partition, for a reader
        lead = before.rpartition("/")[2]
        before = before.removesuffix(lead)
        if re.search(r"[%,'\0]", lead):
            return None
    tokens = iter(TOKEN.findall(prefix))
    before, after, to_hour, after_hour = (
        re.sub("\0", lambda _: next(tokens), part or "")
        for part in (before, found["after"], found["to_hour"], found["after_hour"])
    )
    return Layout(before, (lead, month, day), after, None if found["to_hour"] is None else (to_hour, after_hour))


def merged(layouts: Sequence[Layout]) -> Layout:
    """One layout of several that differ in what comes before the day.

    :raises ValueError: when one table cannot have them all.
    """
    first, *others = layouts
    if not others:
        return first
    if any(replace(each, before=first.before) != first for each in others):
        raise ValueError("have different folders for days; make an EventAnalytics for each layout")
    befores = [each.before for each in layouts]
    start = "".join(_common(befores).rpartition("/")[:2])
    rest = [each.removeprefix(start) for each in befores]
    end = "".join(_common([each[::-1] for each in rest])[::-1].partition("/")[1:])
    origins = tuple(each.removesuffix(end) for each in rest)
    if not all(origins):
        raise ValueError("overlap; leave out what another one covers")
    if len({*origins}) < len(origins):
        raise ValueError("are not all different; give each once")
    for each in origins:
        if "," in each or each.strip() != each:
            raise ValueError(
                f"differ in {each!r}, which Athena cannot take for a partition; make several EventAnalytics"
            )
    return replace(first, before=f"{start}${{origin}}{end}", origins=origins)


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    return "".join(each[0] for each in itertools.takewhile(lambda each: len({*each}) == 1, zip(*texts, strict=False)))


def _fields(expression: re.Match[str]) -> str:
    r"""Return a pattern of DateTimeFormatter: its letters between \\1 and \\2, and its quoted text as it is."""
    parts = re.finditer(r"'(?P<text>[^']*)'|(?P<field>([A-Za-z])\3*)|(?P<other>.)", expression[1])
    return "".join(f"\1{part['field']}\2" if part["field"] else part["text"] or part["other"] or "" for part in parts)
