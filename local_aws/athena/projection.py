"""Partition projection: the partitions that the properties of a table project, and which of them an object is in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from local_aws.glue.hive import HiveType, NotEmulated

_FIELDS = {"yyyy": ("%Y", r"\d{4}"), "MM": ("%m", r"\d\d"), "dd": ("%d", r"\d\d")}

Values = tuple[str | int, ...]
"""The value of each partition column, in their order."""


class Projection:
    """The partitions of a table, by the names and DuckDB's types of their columns; a table without any is one."""

    def __init__(self, table: dict[str, Any]) -> None:
        parameters = table.get("Parameters", {})
        keys = table.get("PartitionKeys") or []
        properties = {name: value for name, value in parameters.items() if name.startswith("projection.")}
        if keys and properties.get("projection.enabled") != "true":
            raise NotEmulated("a table with partitions and without partition projection")
        self.types = {key["Name"]: HiveType.parse(key["Type"]).duckdb for key in keys}
        place = parameters["storage.location.template"] if keys else table["StorageDescriptor"]["Location"]
        self.bucket, _, self._folder = place.removeprefix("s3://").partition("/")
        self._columns = [_column(name, properties) for name in self.types]
        pattern = re.escape(self._folder)
        for name, column in zip(self.types, self._columns, strict=True):
            pattern = pattern.replace(re.escape(f"${{{name}}}"), f"(?P<{name}>{column.pattern})")
        self._pattern = re.compile(pattern)

    @property
    def last(self) -> Values:
        """The last partition, which there is whether it has objects or not."""
        return tuple(column.read(column.last) for column in self._columns)

    def of(self, key: str) -> Values | None:
        """The partition of an object."""
        found = self._pattern.match(key)
        if not found:
            return None
        texts = {name: found[name] for name in self.types}
        if not all(column.has(texts[name]) for name, column in zip(self.types, self._columns, strict=True)):
            return None
        return tuple(column.read(texts[name]) for name, column in zip(self.types, self._columns, strict=True))

    def folder(self, values: Values) -> str:
        """The folder of a partition."""
        folder: str = self._folder
        for name, column, value in zip(self.types, self._columns, values, strict=True):
            folder = folder.replace(f"${{{name}}}", column.write(value))
        return folder


@dataclass(frozen=True)
class _Column:
    """How one column is projected: what its values look like in a folder, and which is the last."""

    pattern: str
    last: str
    has: Callable[[str], bool]
    read: Callable[[str], str | int] = str
    write: Callable[[str | int], str] = str


def _column(name: str, properties: dict[str, str]) -> _Column:
    def given(of: str) -> str:
        return properties[f"projection.{name}.{of}"]

    match given("type"):
        case "date" if (given("interval"), given("interval.unit")) == ("1", "DAYS"):
            return _days(given("format"), *given("range").split(","))
        case "integer":
            first, last = map(int, given("range").split(","))
            digits = int(properties.get(f"projection.{name}.digits", 1))
            last_text = f"{last:0{digits}}"
            return _Column(
                rf"\d{{{digits},}}",
                last_text,
                lambda text: first <= int(text) <= last,
                int,
                lambda value: f"{value:0{digits}}",
            )
        case "enum":
            values = given("values").split(",")
            return _Column("|".join(map(re.escape, values)), values[-1], values.__contains__)
        case other:
            raise NotEmulated(f"the projection of {name}, of type {other}")


def _days(java: str, first: str, last: str) -> _Column:
    python, pattern = "", ""
    for text, field, letters, other in re.findall(r"'([^']*)'|(yyyy|MM|dd)|([A-Za-z]+)|(.)", java):
        if letters:
            raise NotEmulated(f"{letters} in the format of a projection")
        python += _FIELDS[field][0] if field else (text or other).replace("%", "%%")
        pattern += _FIELDS[field][1] if field else re.escape(text or other)
    earliest, latest = _end(first, python), _end(last, python)
    return _Column(pattern, latest.strftime(python), lambda text: earliest <= _day(text, python) <= latest)


def _day(text: str, python: str) -> date:
    try:
        return datetime.strptime(text, python).date()
    except ValueError:  # a folder that looks like a day, such as 2026-02-31
        return date.max


def _end(end: str, python: str) -> date:
    """One end of the range of a projection: a day, or one reckoned from now."""
    relative = re.fullmatch(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|DAY)S?\s*)?", end)
    if not relative:
        return datetime.strptime(end.strip(), python).date()
    days = int(relative[2] or 0) * (366 if relative[3] == "YEAR" else 1)
    return datetime.now(timezone.utc).date() + timedelta(days=days if relative[1] == "+" else -days)
