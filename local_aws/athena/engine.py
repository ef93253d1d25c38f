"""Athena as the service runs a query: over what the deployed table says, with the permissions of whoever asks.

DuckDB runs it, once sqlglot has put Athena's dialect into its own. What is not emulated fails and says so: statements
other than SELECT and EXECUTE, tables without partition projection by day, formats other than JSON and Parquet.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from local_aws.glue.hive import NotEmulated, as_duckdb, columns_of, in_any_case, quoted, rows, split
from local_aws.iam.principals import RoleSession
from local_aws.ministack import buckets, catalog, workgroups

_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_PROJECTION = {"enabled": "true", "dt.type": "date", "dt.format": "yyyy-MM-dd"}
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


class QueryFailed(Exception):
    """Athena would fail this query."""


class Caller:
    """Who asks: Athena reads the catalog and the events, and writes results, with the caller's permissions."""

    def __init__(self, asked: workgroups.Asked) -> None:
        self._asked = asked
        self._session = RoleSession(asked.arn, asked.region, asked.access_key_id, "", "")

    def require(self, action: str, resource: str, **context: str) -> None:
        """Check a permission on a resource of the account and region, given by the end of its ARN.

        :raises AccessDenied: when the caller lacks it.
        """
        start = f"arn:aws:{action.partition(':')[0]}:{self._asked.region}:{self._asked.account}"
        self._session.require(action, f"{start}:{resource}", context)

    def table(self, database: str, name: str) -> dict[str, Any]:
        """A table of the catalog.

        :raises QueryFailed: when there is none.
        """
        parents = ["catalog", f"database/{database}"]
        for resource in (*parents, "database/default"):
            self.require("glue:GetDatabase", resource)
        for resource in (*parents, f"table/{database}/{name}"):
            self.require("glue:GetTable", resource)
        found = catalog.table(self._asked.account, self._asked.region, database, name)
        if found is None:
            raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return dict(found)

    def require_of_bucket(self, action: str, bucket: str, **context: str) -> None:
        """Check a permission on a bucket."""
        self._session.require(action, f"arn:aws:s3:::{bucket}", context)

    def require_of_object(self, action: str, kms_action: str, bucket: str, key: str) -> None:
        """Check a permission on an object, and on its KMS key: the bucket's for one that is written now."""
        arn = f"arn:aws:s3:::{bucket}/{key}"
        self._session.require(action, arn, {})
        here = self._asked.account, self._asked.region, bucket
        kms_key = buckets.key_of_bucket(*here) if action == "s3:PutObject" else buckets.key_of_object(*here, key)
        if kms_key:
            self._session.require(kms_action, kms_key, buckets.encryption_context(*here, key))

    def require_results(self) -> None:
        """Check that the result may be written."""
        bucket, _, folder = self._asked.output_location.removeprefix("s3://").partition("/")
        self.require_of_bucket("s3:GetBucketLocation", bucket)
        self.require_of_object("s3:PutObject", "kms:GenerateDataKey", bucket, f"{folder}results.csv")


def permit(action: str, database: str, table: str, asked: workgroups.Asked) -> None:
    """Check that a table may be made or dropped, which MiniStack does, by the action of Glue that this takes.

    :raises AccessDenied: when the caller lacks a permission for it.
    """
    caller = Caller(asked)
    for resource in ("catalog", f"database/{database}", f"table/{database}/{table}"):
        caller.require(action, resource)
    caller.require_results()


def run(sql: str, database: str, asked: workgroups.Asked) -> dict[str, Any]:
    """Run one query; its columns, their types and its rows, as MiniStack keeps them.

    :raises QueryFailed: when Athena would refuse the query.
    :raises AccessDenied: when the caller lacks a permission for it.
    :raises NotEmulated: when this is no Athena.
    """
    import duckdb
    import sqlglot
    from sqlglot import exp

    caller = Caller(asked)
    statement, parameters = _prepared(sql, asked, caller)
    tree = sqlglot.parse_one(statement, dialect="athena")
    if not isinstance(tree, exp.Query):
        raise NotEmulated("a statement that is not SELECT or EXECUTE")
    placeholders = list(tree.find_all(exp.Placeholder))
    if len(placeholders) != len(parameters):
        raise QueryFailed(f"Incorrect number of parameters: expected {len(placeholders)} but found {len(parameters)}")
    for placeholder, value in zip(placeholders, parameters, strict=True):
        placeholder.replace(sqlglot.parse_one(value, dialect="athena"))
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = {(each.db or database, each.name) for each in tree.find_all(exp.Table) if each.db or each.name not in ctes}

    workgroup = workgroups.workgroup(asked.workgroup)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        scanned = sum(_load(connection, schema, name, caller, Path(folder)) for schema, name in sorted(tables))
        if scanned > workgroup.get("BytesScannedCutoffPerQuery", scanned):
            raise QueryFailed("Query cancelled! : Bytes scanned limit was exceeded")
        caller.require_results()
        connection.execute("SET TimeZone = 'UTC'")
        if database in {schema for schema, _ in tables}:
            connection.execute(f"SET schema = {quoted(database)}")
        connection.execute("SET enable_external_access = false")  # to DuckDB, a table may be any file of this machine
        answer = connection.sql(as_duckdb(tree))
        types = [str(of).partition("(")[0] for of in answer.types]
        texts = ", ".join(_text(quoted(name), of) for name, of in zip(answer.columns, types, strict=True))
        return {
            "columns": answer.columns,
            "column_types": [_TYPES.get(of, "varchar") for of in types],
            "rows": [list(row) for row in answer.project(texts).fetchall()],
        }


def _prepared(sql: str, asked: workgroups.Asked, caller: Caller) -> tuple[str, list[str]]:
    """The statement to run and its parameters; EXECUTE names one that is prepared in the workgroup."""
    execute = re.fullmatch(r"\s*EXECUTE\s+(\w+)(?:\s+USING\s+(.*?))?\s*;?\s*", sql, re.IGNORECASE | re.DOTALL)
    if not execute:
        return sql, asked.parameters
    caller.require("athena:GetPreparedStatement", f"workgroup/{asked.workgroup}")
    statement = workgroups.prepared_statement(asked.workgroup, execute[1])
    if statement is None:
        raise QueryFailed(f"PreparedStatement {execute[1]} was not found in workGroup {asked.workgroup}")
    return statement, list(split(execute[2])) if execute[2] else asked.parameters


def _load(connection: Any, schema: str, name: str, caller: Caller, folder: Path) -> int:
    """Make a table of DuckDB from one of the catalog; the size of the objects read for it."""
    table = caller.table(schema, name)
    columns = columns_of(table)
    types = {column: of.duckdb for column, of in columns.items()}
    relation, file = f"{quoted(schema)}.{quoted(name)}", folder / "object"
    described = "".join(f"{quoted(column)} {of}, " for column, of in types.items())
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}; CREATE TABLE {relation} ({described}dt VARCHAR)")
    scanned = 0
    for day, key, content in _objects(table, caller):
        scanned += len(content)
        match table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]:
            case serde if serde == _JSON:
                lines = (gzip.decompress(content) if key.endswith(".gz") else content).splitlines()
                file.write_bytes(rows(columns, lines, in_any_case))
                read = connection.read_json(str(file), columns=types, format="newline_delimited")
            case serde if serde == _PARQUET:
                file.write_bytes(content)
                read = connection.read_parquet(str(file))
            case serde:
                raise NotEmulated(f"the SerDe {serde}")
        read.create_view("object", replace=True)
        connection.execute(f"INSERT INTO {relation} BY NAME SELECT *, ? AS dt FROM object", [day])
    return scanned


def _objects(table: dict[str, Any], caller: Caller) -> Iterator[tuple[str, str, bytes]]:
    """The day, key and content of every object in the folders that the table's projection names."""
    parameters = table.get("Parameters", {})
    if any(parameters.get(f"projection.{name}") != value for name, value in _PROJECTION.items()):
        raise NotEmulated(f"a table without the projection {_PROJECTION}")
    bucket, _, template = parameters["storage.location.template"].removeprefix("s3://").partition("/")
    earliest, latest = (_day(end).isoformat() for end in parameters["projection.dt.range"].split(","))
    folder_of_a_day = re.compile(re.escape(template).replace(re.escape("${dt}"), "([^/]*)"))
    found: dict[str, list[str]] = {latest: []}
    for key in buckets.keys_of_bucket(bucket):
        folder = folder_of_a_day.match(key)
        if folder and earliest <= folder[1] <= latest:
            found.setdefault(folder[1], []).append(key)
    for day, keys in sorted(found.items()):
        caller.require_of_bucket("s3:ListBucket", bucket, **{"s3:prefix": template.replace("${dt}", day)})
        for key in keys:
            caller.require_of_object("s3:GetObject", "kms:Decrypt", bucket, key)
            yield day, key, buckets.content_of_object(bucket, key)


def _day(end: str) -> date:
    """One end of the range of a projection: a day, or one reckoned from now."""
    relative = re.fullmatch(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|DAY)S?\s*)?", end)
    if not relative:
        return date.fromisoformat(end.strip())
    days = int(relative[2] or 0) * (366 if relative[3] == "YEAR" else 1)
    return datetime.now(timezone.utc).date() + timedelta(days=days if relative[1] == "+" else -days)


def _text(column: str, of: str) -> str:
    """A column as Athena writes it into results."""
    match of:
        case "TIMESTAMP":
            return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%g')"
        case "TIMESTAMP WITH TIME ZONE":
            return f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%g UTC')"
    return f"CAST({column} AS VARCHAR)"
