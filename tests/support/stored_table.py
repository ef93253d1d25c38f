"""The tables of a template over objects in memory, asked as the local Athena asks those in S3."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from local_aws.athena import query
from tests.support.event_records import TODAY
from tests.support.templates import Json, resources

Rows = list[list[str | None]]
"""What Athena answers, as text."""


YEAR_MONTH_DAY = "events/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
LAYOUTS = {
    "events/dt=!{timestamp:yyyy-MM-dd}/": "events/dt=%Y-%m-%d/",
    "events/": "events/%Y/%m/%d/%H/",
    YEAR_MONTH_DAY: "events/year=%Y/month=%m/day=%d/",
    "ses": "ses%Y/%m/%d/%H/",
}
"""The prefix of a stream, and where an object of a time is then: ours, Firehose's own, Hive's, that of 2016."""


class Store:
    """The tables of a template and objects in memory: what Athena would ask the catalog and S3 for."""

    def __init__(self, template: Json, objects: dict[str, bytes]) -> None:
        inputs = [each["Properties"]["TableInput"] for each in resources(template, "AWS::Glue::Table").values()]
        self.tables = {each["Name"]: each for each in inputs}
        self._objects = objects
        self.read: list[str] = []

    def table(self, database: str, name: str) -> dict[str, Any]:
        """A table or view, as Glue keeps it."""
        found: dict[str, Any] = self.tables[name]
        if "ViewOriginalText" not in found:
            return found
        start, encoded, end = found["ViewOriginalText"]["Fn::Join"][1]  # which CloudFormation puts together
        return found | {"ViewOriginalText": start + base64.b64encode(encoded["Fn::Base64"].encode()).decode() + end}

    def keys(self, bucket: str) -> Iterable[str]:
        """The objects of the bucket."""
        assert bucket == "mail"
        return sorted(self._objects)

    def look_into(self, bucket: str, folder: str) -> None:
        """Athena lists a folder."""
        assert folder.endswith("/")

    def content(self, bucket: str, key: str) -> bytes:
        """What an object holds, which is noted as read."""
        self.read.append(key)
        return self._objects[key]


def rows_of(sql: str, store: Store, folder: Path, *values: str) -> Rows:
    """The answer to a query on ``TODAY``."""

    def on_that_day(node: exp.Expr) -> exp.Expr:
        return exp.cast(exp.Literal.string(TODAY.isoformat()), "DATE") if isinstance(node, exp.CurrentDate) else node

    tree: Any = sqlglot.parse_one(sql, dialect="athena").transform(on_that_day)
    for placeholder, value in zip([*tree.find_all(exp.Placeholder)], values, strict=True):
        placeholder.replace(exp.Literal.string(value))
    store.read.clear()
    with duckdb.connect() as connection:
        for name, read in query.tables(tree, "mail", store).items():
            query.load(connection, name, read, store, folder)
        rows: Rows = query.answer(connection, tree)["rows"]
    return rows
