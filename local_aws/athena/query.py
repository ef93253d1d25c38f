"""A query over tables of the catalog: what Athena reads for it, and the answer of DuckDB."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from local_aws.athena.projection import Projection, Values
from local_aws.glue.hive import NotEmulated, as_duckdb, columns_of, in_any_case, quoted, rows

if TYPE_CHECKING:
    from sqlglot import exp

_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")
"""What CREATE VIEW makes: in Base64, the JSON with the query."""

_TYPES = {
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}


class Catalog(Protocol):
    """Where tables and objects come from."""

    def table(self, database: str, name: str) -> dict[str, Any]:
        """A table or view."""

    def keys(self, bucket: str) -> Iterable[str]:
        """The objects of a bucket."""

    def look_into(self, bucket: str, folder: str) -> None:
        """Athena is about to list a folder."""

    def content(self, bucket: str, key: str) -> bytes:
        """What an object holds."""


@dataclass
class Read:
    """A table that a query names."""

    table: dict[str, Any]
    conditions: list[exp.Expr | None] = field(default_factory=list)
    """For each time that it is named, the condition on its partitions; None for all of them."""


def tables(tree: exp.Query, database: str, catalog: Catalog) -> dict[tuple[str, str], Read]:
    """The tables that a query names, by database and name; in the place of a view comes its query."""
    import sqlglot
    from sqlglot import exp

    found: dict[tuple[str, str], Read] = {}
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    for each in [each for each in tree.find_all(exp.Table) if each.db or each.name not in ctes]:
        name = each.db or database, each.name
        table = catalog.table(*name)
        view = _VIEW.fullmatch(table.get("ViewOriginalText") or "")
        if view:
            query: Any = sqlglot.parse_one(json.loads(base64.b64decode(view[1]))["originalSql"], dialect="athena")
            # Trino's planner follows a column that the view only passes on, also below LEFT JOIN UNNEST.
            passed = {column.name for column in query.selects if isinstance(column, exp.Column)}
            for inner, read in tables(query, name[0], catalog).items():
                said = _condition(each, [key for key in _partitions(read.table) if key in passed])
                conditions = [said if condition is None else condition for condition in read.conditions]
                found.setdefault(inner, Read(read.table)).conditions += conditions
            each.replace(query.subquery(each.alias_or_name))
        else:
            found.setdefault(name, Read(table)).conditions.append(_condition(each, _partitions(table)))
            each.set("db", exp.to_identifier(name[0], quoted=True))
    return found


def _partitions(table: dict[str, Any]) -> list[str]:
    return [key["Name"] for key in table.get("PartitionKeys") or []]


def _condition(table: exp.Table, partitions: list[str]) -> exp.Expr | None:
    """What the WHERE beside a table says of its partitions alone."""
    from sqlglot import exp

    select = table.find_ancestor(exp.Select)
    where = select and select.args.get("where")
    if not where or not isinstance(table.parent, exp.From):
        return None
    alias = table.alias_or_name
    names = {alias} if select and select.args.get("joins") else {alias, ""}  # without a join, all columns are of it
    every = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    alone = [
        each.copy()
        for each in every
        if all(column.name in partitions and column.table in names for column in each.find_all(exp.Column))
        and each.find(exp.Column)
        and not each.find(exp.Select)
    ]
    for column in [column for each in alone for column in each.find_all(exp.Column)]:
        column.set("table", None)
    return exp.and_(*alone) if alone else None


def load(connection: Any, name: tuple[str, str], read: Read, catalog: Catalog, folder: Path) -> int:
    """Make a table of DuckDB from one of the catalog; the size of the objects read for it."""
    columns, projection = columns_of(read.table), Projection(read.table)
    types = {column: of.duckdb for column, of in columns.items()} | projection.types
    relation = f"{quoted(name[0])}.{quoted(name[1])}"
    described = ", ".join(f"{quoted(column)} {of}" for column, of in types.items())
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}; CREATE TABLE {relation} ({described})")
    serde = read.table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    if serde not in (_JSON, _PARQUET):
        raise NotEmulated(f"the SerDe {serde}")
    scanned, file, json_file = 0, folder / "object", folder / "rows"
    with json_file.open("wb") as lines:
        for values, key, content in _objects(connection, projection, read, catalog):
            scanned += len(content)
            partition = dict(zip(projection.types, values, strict=True))
            if serde == _JSON:
                found = (gzip.decompress(content) if key.endswith(".gz") else content).splitlines()
                lines.write(rows(columns, found, in_any_case, partition))
            else:
                file.write_bytes(content)
                connection.read_parquet(str(file)).create_view("object", replace=True)
                constants = ", ".join(f"? AS {quoted(column)}" for column in partition)
                connection.execute(f"INSERT INTO {relation} BY NAME SELECT *, {constants} FROM object", [*values])
    if json_file.stat().st_size:
        read_json = connection.read_json(str(json_file), columns=types, format="newline_delimited")
        read_json.create_view("object", replace=True)
        connection.execute(f"INSERT INTO {relation} BY NAME SELECT * FROM object")
    return scanned


def _objects(
    connection: Any, projection: Projection, read: Read, catalog: Catalog
) -> Iterator[tuple[Values, str, bytes]]:
    """The partition, key and content of every object in the folders that the query asks for."""
    found: dict[Values, list[str]] = {projection.last: []}
    for key in catalog.keys(projection.bucket):
        values = projection.of(key)
        if values is not None:
            found.setdefault(values, []).append(key)
    for values in _asked(connection, projection, read, found):
        catalog.look_into(projection.bucket, projection.folder(values))
        for key in found[values]:
            yield values, key, catalog.content(projection.bucket, key)


def _asked(connection: Any, projection: Projection, read: Read, found: Iterable[Values]) -> list[Values]:
    """The partitions that a query asks for."""
    conditions = [each for each in read.conditions if each is not None]
    if len(conditions) < len(read.conditions) or not projection.types:
        return sorted(found)
    columns = ", ".join(f"{quoted(name)} {of}" for name, of in projection.types.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE partition ({columns})")
    connection.executemany(
        f"INSERT INTO partition VALUES ({', '.join('?' * len(projection.types))})", [*map(list, found)]
    )
    where = " OR ".join(f"({as_duckdb(each)})" for each in conditions)
    return sorted(connection.execute(f"SELECT * FROM partition WHERE {where}").fetchall())


def answer(connection: Any, tree: exp.Query) -> dict[str, Any]:
    """The columns of the answer to a query, their types and its rows, as Athena writes them."""
    connection.execute("SET TimeZone = 'UTC'")
    found = connection.sql(as_duckdb(tree))
    types = [str(of).partition("(")[0] for of in found.types]
    texts = ", ".join(_text(quoted(name), of) for name, of in zip(found.columns, types, strict=True))
    return {
        "columns": found.columns,
        "column_types": [_TYPES.get(of, "varchar") for of in types],
        "rows": [list(row) for row in found.project(texts).fetchall()],
    }


def _text(column: str, of: str) -> str:
    """A column as Athena writes it into results."""
    match of:
        case "TIMESTAMP":
            return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%g')"
        case "TIMESTAMP WITH TIME ZONE":
            return f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g UTC')"
    return f"CAST({column} AS VARCHAR)"
