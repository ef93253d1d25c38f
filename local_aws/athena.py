"""Athena as the service runs a query: over what the deployed table says, with the permissions of whoever asks.

DuckDB runs it, after sqlglot has put Athena's dialect into its own. What Athena would do and this does not: reading
tables without partition projection, other formats than gzip JSON and Parquet, DDL, CTAS and UNLOAD.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from local_aws import ministack_gaps
from local_aws.roles import RoleSession

_PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_SERDES = ("org.apache.hive.hcatalog.data.JsonSerDe", _PARQUET_SERDE)
_PROJECTION = {"enabled": "true", "dt.type": "date", "dt.format": "yyyy-MM-dd"}
_DUCKDB_TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE"}
_ATHENA_TYPES = {
    "VARCHAR": "varchar",
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
    """Athena would fail this query, or this is no Athena: the message says which."""


@dataclass(frozen=True)
class HiveType:
    """A type of a column, such as ``struct<link:string,tags:map<string,array<string>>>``."""

    kind: str
    fields: Mapping[str, HiveType] = field(default_factory=dict)
    """What a struct is made of; of an array and a map what is in it, as ``value``."""

    @classmethod
    def parse(cls, text: str) -> HiveType:
        """A type as the Glue catalog writes it."""
        kind, _, inner = text.strip().partition("<")
        parts = list(_split(inner.removesuffix(">"))) if inner else []
        match kind:
            case "struct":
                named = (part.partition(":") for part in parts)
                return cls(kind, {name.strip("` "): cls.parse(kind) for name, _, kind in named})
            case "array" | "map":
                return cls(kind, {"value": cls.parse(parts[-1])})
        if kind not in _DUCKDB_TYPES:
            raise QueryFailed(f"the local Athena has no type {kind!r}")
        return cls(kind)

    @property
    def duckdb(self) -> str:
        """The same type in DuckDB."""
        match self.kind:
            case "struct":
                return f"STRUCT({', '.join(f'{_quoted(name)} {of.duckdb}' for name, of in self.fields.items())})"
            case "array":
                return f"{self.fields['value'].duckdb}[]"
            case "map":
                return f"MAP(VARCHAR, {self.fields['value'].duckdb})"
        return _DUCKDB_TYPES[self.kind]

    def read(self, value: Any) -> Any:
        """A JSON value as the Hive JSON SerDe reads it: keys of structs in any case, those of maps as they are."""
        if value is None:
            return None
        match self.kind:
            case "struct":
                lowered = {key.lower(): child for key, child in value.items()}
                return {name: of.read(lowered.get(name)) for name, of in self.fields.items()}
            case "array":
                return [self.fields["value"].read(child) for child in value]
            case "map":
                return {key: self.fields["value"].read(child) for key, child in value.items()}
            case "string":
                return value if isinstance(value, str) else json.dumps(value)
        return value


@dataclass(frozen=True)
class Table:
    """A table of the Glue catalog whose partitions are projected: each day of a range is a folder in S3."""

    definition: dict[str, Any]

    @property
    def columns(self) -> dict[str, HiveType]:
        """The type of each column but the partition's."""
        described = self.definition["StorageDescriptor"]["Columns"]
        return {column["Name"]: HiveType.parse(column["Type"]) for column in described}

    @property
    def is_parquet(self) -> bool:
        """Whether the objects are Parquet; otherwise they are JSON, an object a line."""
        serde = self.definition["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
        if serde not in _SERDES:
            raise QueryFailed(f"the local Athena has no SerDe {serde}")
        return serde == _PARQUET_SERDE

    def rows(self, key: str, content: bytes) -> bytes:
        """What is in an object, for DuckDB: JSON gets the names and types of the columns."""
        if self.is_parquet:
            return content
        columns = HiveType("struct", self.columns)
        lines = (gzip.decompress(content) if key.endswith(".gz") else content).splitlines()
        return "\n".join(json.dumps(columns.read(json.loads(line))) for line in lines).encode()

    def objects(self, caller: Caller) -> Iterator[tuple[str, str, bytes]]:
        """The day, key and content of every object in the table's folders, read with the caller's permissions."""
        parameters = self.definition.get("Parameters", {})
        if any(parameters.get(f"projection.{name}") != value for name, value in _PROJECTION.items()):
            raise QueryFailed(f"the local Athena reads tables with the projection {_PROJECTION} only")
        bucket, _, template = parameters["storage.location.template"].removeprefix("s3://").partition("/")
        earliest, latest = (_day(end).isoformat() for end in parameters["projection.dt.range"].split(","))
        folder_of_a_day = re.compile(re.escape(template).replace(re.escape("${dt}"), "([^/]*)"))
        found: dict[str, list[str]] = {latest: []}
        for key in ministack_gaps.keys_of_bucket(bucket):
            folder = folder_of_a_day.match(key)
            if folder and earliest <= folder[1] <= latest and key[folder.end()] not in "._":
                found.setdefault(folder[1], []).append(key)
        for day, keys in sorted(found.items()):
            caller.require_of_bucket("s3:ListBucket", bucket, **{"s3:prefix": template.replace("${dt}", day)})
            for key in keys:
                caller.require_of_object("s3:GetObject", "kms:Decrypt", bucket, key)
                yield day, key, ministack_gaps.content_of_object(bucket, key)


class Caller:
    """Who asks: Athena reads the catalog, the events and the results' bucket with the caller's permissions."""

    def __init__(self, asked: ministack_gaps.Asked) -> None:
        self._asked = asked
        self._session = RoleSession(asked.arn, asked.region, asked.access_key_id, "", "")

    def require(self, action: str, resource: str, **context: str) -> None:
        """Check a permission.

        :param resource: an ARN, or the end of one of the same service, account and region.
        :raises AccessDenied: when the caller lacks it.
        """
        if not resource.startswith("arn:"):
            service = action.partition(":")[0]
            resource = f"arn:aws:{service}:{self._asked.region}:{self._asked.account}:{resource}"
        self._session.require(action, resource, context)

    def require_of_bucket(self, action: str, bucket: str, **context: str) -> None:
        """Check a permission on a bucket itself."""
        self._session.require(action, f"arn:aws:s3:::{bucket}", context)

    def require_of_object(self, action: str, key_action: str, bucket: str, key: str) -> None:
        """Check a permission on an object, and on the key that its bucket is encrypted with."""
        arn = f"arn:aws:s3:::{bucket}/{key}"
        self._session.require(action, arn, {})
        kms_key = ministack_gaps.key_of_bucket(self._asked.account, self._asked.region, bucket)
        if kms_key:
            via = f"s3.{self._asked.region}.amazonaws.com"
            context = {"kms:ViaService": via, "kms:EncryptionContext:aws:s3:arn": arn}
            self._session.require(key_action, kms_key, context)


def run(sql: str, database: str, asked: ministack_gaps.Asked) -> dict[str, Any]:
    """Run one query; its columns, their types and its rows, as MiniStack stores them.

    :raises QueryFailed: when Athena would refuse the query.
    :raises AccessDenied: when the caller lacks a permission for it.
    """
    import duckdb
    import sqlglot
    from sqlglot import exp

    caller = Caller(asked)
    statement, parameters = _prepared(sql, asked, caller)
    tree = sqlglot.parse_one(statement, dialect="athena")
    if not isinstance(tree, exp.Query):
        raise QueryFailed("the local Athena runs SELECT only")
    for placeholder, value in zip(list(tree.find_all(exp.Placeholder)), parameters, strict=True):
        placeholder.replace(sqlglot.parse_one(value, dialect="athena"))
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    named = {(each.db or database, each.name) for each in tree.find_all(exp.Table) if each.db or each.name not in ctes}

    workgroup = ministack_gaps.workgroup(asked.workgroup)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        scanned = sum(_load(connection, schema, name, caller, Path(folder)) for schema, name in sorted(named))
        if scanned > workgroup.get("BytesScannedCutoffPerQuery", scanned):
            raise QueryFailed("Query cancelled! : Bytes scanned limit was exceeded")
        bucket, _, results = workgroup["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        caller.require_of_bucket("s3:GetBucketLocation", bucket)
        caller.require_of_object("s3:PutObject", "kms:GenerateDataKey", bucket, f"{results}results.csv")
        connection.execute(f"SET TimeZone = 'UTC'; SET schema = '{database}'")
        answer = connection.execute(tree.sql(dialect="duckdb"))
        columns = answer.description or []
        return {
            "columns": [column[0] for column in columns],
            "column_types": [_ATHENA_TYPES.get(str(column[1]).partition("(")[0], "varchar") for column in columns],
            "rows": [list(row) for row in answer.fetchall()],
        }


def _load(connection: Any, schema: str, name: str, caller: Caller, folder: Path) -> int:
    """Make a table of DuckDB from one of the catalog; the size of the objects read for it."""
    parents = ["catalog", f"database/{schema}"]
    for resource in (*parents, "database/default"):
        caller.require("glue:GetDatabase", resource)
    for resource in (*parents, f"table/{schema}/{name}"):
        caller.require("glue:GetTable", resource)
    definition = ministack_gaps.table(schema, name)
    if definition is None:
        raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{schema}.{name}' does not exist")
    table = Table(definition)
    types = {column: of.duckdb for column, of in table.columns.items()}
    relation = f"{_quoted(schema)}.{_quoted(name)}"
    columns = "".join(f"{_quoted(column)} {of}, " for column, of in types.items())
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}; CREATE TABLE {relation} ({columns}dt VARCHAR)")
    scanned = 0
    for day, key, content in table.objects(caller):
        scanned += len(content)
        file = folder / "object"
        file.write_bytes(table.rows(key, content))
        reader = "read_parquet($file)" if table.is_parquet else "read_json($file, columns = $types, format = 'nd')"
        parameters = {"file": str(file), "day": day} | ({} if table.is_parquet else {"types": types})
        connection.execute(f"INSERT INTO {relation} BY NAME SELECT *, $day AS dt FROM {reader}", parameters)
    return scanned


def _prepared(sql: str, asked: ministack_gaps.Asked, caller: Caller) -> tuple[str, list[str]]:
    """The statement to run and its parameters; EXECUTE names one that is prepared in the workgroup."""
    execute = re.fullmatch(r"\s*EXECUTE\s+(\w+)(?:\s+USING\s+(.*?))?\s*;?\s*", sql, re.IGNORECASE | re.DOTALL)
    if not execute:
        return sql, asked.parameters
    caller.require("athena:GetPreparedStatement", f"workgroup/{asked.workgroup}")
    statement = ministack_gaps.prepared_statement(asked.workgroup, execute[1])
    if statement is None:
        raise QueryFailed(f"PreparedStatement {execute[1]} was not found in workGroup {asked.workgroup}")
    return statement, list(_split(execute[2])) if execute[2] else asked.parameters


def _day(end: str) -> date:
    """One end of the range of a projection: a day, or one reckoned from now."""
    relative = re.fullmatch(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|DAY)S?\s*)?", end)
    if not relative:
        return date.fromisoformat(end.strip())
    days = int(relative[2] or 0) * (366 if relative[3] == "YEAR" else 1)
    return datetime.now(timezone.utc).date() + timedelta(days=days if relative[1] == "+" else -days)


def _split(text: str) -> Iterator[str]:
    """The parts between commas, but those within brackets or quotes."""
    depth, start, quoted = 0, 0, False
    for position, character in enumerate(text):
        quoted ^= character == "'"
        if not quoted:
            depth += (character in "<(") - (character in ">)")
            if character == "," and not depth:
                yield text[start:position].strip()
                start = position + 1
    yield text[start:].strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
