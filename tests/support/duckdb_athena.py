"""DuckDB in place of Athena: a table of events by ``ses_events.record.fields``, and queries in the SQL of Athena.

What differs from ``local_aws.athena.engine``: ``current_date`` is the day a test wants, and a time has no zone and is
in UTC.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from local_aws.glue import hive
from ses_events.record.fields import COLUMNS, JSON_KEYS


def columns(keys: Mapping[str, str] = JSON_KEYS) -> dict[str, str]:
    """The columns of the table, as DuckDB writes their types; names are those of JSON, as in ``keys``."""

    def key(node: exp.Expression) -> exp.Expression:
        return exp.to_identifier(keys.get(node.name, node.name)) if isinstance(node, exp.Identifier) else node

    types = {name: exp.DataType.build(of, dialect="hive").transform(key) for name, of in COLUMNS.items()}
    return {keys.get(name, name): of.sql("duckdb", identify=True) for name, of in types.items()}


def json_lines(folder: Path, keys: Mapping[str, str] = JSON_KEYS) -> str:
    """What reads all objects below a folder, as the table's SerDe does: a table function of DuckDB."""
    types = ", ".join(f"'{name}': '{of}'" for name, of in columns(keys).items())
    return (
        f"read_json('{folder}/**/*.json*', format = 'newline_delimited', columns = {{{types}}}, "
        "hive_partitioning = true, hive_types = {'dt': 'VARCHAR'})"
    )


def connect(database: str, table: str, source: str) -> duckdb.DuckDBPyConnection:
    """A connection that has the table of events, which reads ``source`` each time."""
    connection = duckdb.connect()
    connection.execute(f'CREATE SCHEMA "{database}"')
    connection.execute(f'CREATE VIEW "{database}"."{table}" AS SELECT * FROM {source}')
    return connection


@functools.cache
def as_duckdb(sql: str, today: datetime.date) -> str:
    """A statement in Athena's SQL, for DuckDB, as if run on that day."""

    def shim(node: exp.Expression) -> Any:
        match node:
            case exp.CurrentDate():
                return exp.cast(exp.Literal.string(today.isoformat()), "DATE")
            case exp.FromISO8601Timestamp():
                return exp.cast(node.this.copy(), "TIMESTAMP")
        return node

    return hive.as_duckdb(sqlglot.parse_one(sql, dialect="athena").transform(shim))
