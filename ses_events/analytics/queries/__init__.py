"""The questions a table of events answers: a query a file, in Athena's SQL.

The first line of a file is its question. A file says where the table, the name of the dimension and the rows of
``recipient_events.sql`` go: ``{events}``, ``{dimension}``, ``{recipient_events}``. How days lie in the bucket differs:
``{days}`` is the pattern of ``dt``, ``{day}`` the day as 2026-03-09, and ``{partitions}`` are the columns.
``{timestamps}`` are the columns with the time of an event, which depends on its type.

The rows, one for each event and recipient, are written into each query that reads them; they come from what the query
calls ``recent``: days that are picked at the table itself, which bounds the scan. The same rows are a view, for whoever
asks in other words.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from ses_events.record.fields import TIMESTAMPS
from ses_events.record.layout import DAILY, Layout

_PREPARED = ("message_trace", "recipient_trace")
_ROWS = "recipient_events"

VIEW_COLUMNS = {
    "event_at": "timestamp",
    "event_type": "varchar",
    "kind": "varchar",
    "message_id": "varchar",
    "sent_at": "timestamp",
    "recipient": "varchar",
    "recipient_domain": "varchar",
    "one_domain": "boolean",
    "configuration_set": "varchar",
    "dimension_value": "varchar",
    "subtype": "varchar",
    "complaint_id": "varchar",
    "smtp_status": "varchar",
    "response": "varchar",
    "processing_time_millis": "bigint",
    "likely_bot": "boolean",
    "link": "varchar",
}
"""The columns of the view beside the partitions, with Athena's types.

Times are in UTC and without a zone, which a view cannot keep.
"""


@dataclass(frozen=True)
class Query:
    """A query that is ready to be run.

    :param name: the stem of its file, which Athena takes as the name of a named query or prepared statement.
    :param title: the question it answers, on one line; in a prepared statement without a question mark.
    :param sql: the statement, with the title as a comment on top; ``?`` where a prepared statement takes a value.
    :param columns: the type of each column of a view.
    """

    name: str
    title: str
    sql: str
    columns: Mapping[str, str] = field(default_factory=dict)


def named_queries(database: str, table: str, dimension: str, layout: Layout = DAILY) -> list[Query]:
    """Return the queries without parameters, in the order of their names.

    :param database: the Glue database of the table.
    :param table: the table, with ``ses_events.record.fields.COLUMNS`` and the partitions of the layout.
    :param dimension: the message tag to group mail by, such as ``campaign``. Mail without it shows under ``unknown``.
    :param layout: how the days of the table lie in the bucket.
    :raises TypeError: when an argument is not a string.
    :raises ValueError: when an argument is empty.
    """
    files = (file.name.removesuffix(".sql") for file in resources.files(__name__).iterdir() if file.name[-4:] == ".sql")
    return _queries(sorted({*files} - {*_PREPARED, _ROWS}), database, table, dimension, layout)


def prepared_statements(database: str, table: str, dimension: str, layout: Layout = DAILY) -> list[Query]:
    """Return the queries that take a value: what happened to one message, and to the mail for one recipient.

    The arguments are those of ``named_queries``.
    """
    return _queries([*_PREPARED], database, table, dimension, layout)


def view(database: str, table: str, dimension: str, layout: Layout = DAILY) -> Query:
    """Return the rows of ``recipient_events.sql`` over all days, as ``VIEW_COLUMNS`` with the partitions before them.

    The arguments are those of ``named_queries``.
    """
    [rows] = _queries([_ROWS], database, table, dimension, layout)
    types = {name: "varchar" if kind == "string" else kind for name, kind in layout.partitions.items()} | VIEW_COLUMNS
    columns = ",\n".join(
        f"  CAST({name} AS timestamp) AS {name}" if kind == "timestamp" else f"  {name}" for name, kind in types.items()
    )
    recent = f"WITH recent AS (SELECT * FROM {_identifier(database)}.{_identifier(table)}),"
    return Query(_ROWS, rows.title, f"{recent}\n{rows.sql.rstrip()}\nSELECT\n{columns}\nFROM {_ROWS}\n", types)


def _queries(names: list[str], database: str, table: str, dimension: str, layout: Layout) -> list[Query]:
    given = {"database": database, "table": table, "dimension": dimension}
    for argument, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"{argument} {value!r} is of type {type(value).__name__}; use a string")
    if empty := [argument for argument, value in given.items() if not value]:
        raise ValueError("\n".join(f"{argument} is empty; use a name" for argument in empty))
    parts = {
        "{events}": f"{_identifier(database)}.{_identifier(table)}",
        "{dimension}": "'" + dimension.replace("'", "''") + "'",
        "{days}": f"'{layout.sql}'",
        "{day}": "e.dt" if layout.sql == DAILY.sql else f"date_format(date_parse(e.dt, '{layout.sql}'), '{DAILY.sql}')",
        "{partitions}": ", ".join(f"e.{name}" for name in layout.partitions),
        "{timestamps}": "\n      ".join(textwrap.wrap(", ".join(f"e.{column}" for column in TIMESTAMPS), 112)),
    }
    return [_query(name, parts) for name in names]


def _query(name: str, parts: dict[str, str]) -> Query:
    text = _file(name).replace(f"{{{_ROWS}}}", _file(_ROWS).rstrip())
    sql = re.sub("|".join(map(re.escape, parts)), lambda part: parts[part[0]], text)
    return Query(name, sql.partition("\n")[0].removeprefix("-- "), sql)


def _file(name: str) -> str:
    return (resources.files(__name__) / f"{name}.sql").read_text(encoding="utf-8")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
