"""Tables of the Glue catalog in DuckDB: the types of their columns, what SerDes make of a record, and queries."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_DUCKDB_TYPES = {"string": "VARCHAR", "boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE"}

Find = Callable[[dict[str, Any], str], Any]
"""How a SerDe finds the value of a column, or of a field of a struct, in a JSON object."""


class NotEmulated(Exception):
    """AWS could do this, and it is not done here."""


@dataclass(frozen=True)
class HiveType:
    """A type of a column, such as ``struct<link:string,linktags:map<string,array<string>>>``."""

    kind: str
    fields: Mapping[str, HiveType] = field(default_factory=dict)
    """What a struct is made of; of an array or a map what is in it, as ``value``."""

    @classmethod
    def parse(cls, text: str) -> HiveType:
        """A type as the catalog writes it."""
        kind, _, inner = text.strip().partition("<")
        parts = list(split(inner.removesuffix(">"))) if inner else []
        if kind == "struct":
            named = (part.partition(":") for part in parts)
            return cls(kind, {name: cls.parse(kind) for name, _, kind in named})
        if kind in ("array", "map"):
            return cls(kind, {"value": cls.parse(parts[-1])})
        if kind not in _DUCKDB_TYPES:
            raise NotEmulated(f"the type {kind} of a column")
        return cls(kind)

    @property
    def duckdb(self) -> str:
        """The same type in DuckDB."""
        match self.kind:
            case "struct":
                return f"STRUCT({', '.join(f'{quoted(name)} {of.duckdb}' for name, of in self.fields.items())})"
            case "array":
                return f"{self.fields['value'].duckdb}[]"
            case "map":
                return f"MAP(VARCHAR, {self.fields['value'].duckdb})"
        return _DUCKDB_TYPES[self.kind]

    def read(self, value: Any, find: Find) -> Any:
        """A value of JSON as a SerDe reads it; the keys of maps keep their case."""
        if value is None:
            return None
        match self.kind:
            case "struct":
                return {name: of.read(find(value, name), find) for name, of in self.fields.items()}
            case "array":
                return [self.fields["value"].read(child, find) for child in value]
            case "map":
                return {key: self.fields["value"].read(child, find) for key, child in value.items()}
            case "string":
                return value if isinstance(value, str) else json.dumps(value)
        return value


def columns_of(definition: Mapping[str, Any]) -> dict[str, HiveType]:
    """The type of each column of a table, but of its partitions."""
    return {column["Name"]: HiveType.parse(column["Type"]) for column in definition["StorageDescriptor"]["Columns"]}


def in_any_case(record: dict[str, Any], name: str) -> Any:
    """How the Hive JSON SerDe finds a value."""
    return {key.lower(): value for key, value in record.items()}.get(name)


def by_mapping(keys: Mapping[str, str]) -> Find:
    """How the OpenX JSON SerDe finds a value, with ``CaseInsensitive`` off and its ``ColumnToJsonKeyMappings``."""
    return lambda record, name: record.get(keys.get(name, name))


def rows(columns: Mapping[str, HiveType], lines: Iterable[bytes], find: Find) -> bytes:
    """Records, a JSON object a line, with the names and types of the columns."""
    row = HiveType("struct", columns)
    return b"\n".join(json.dumps(row.read(json.loads(line), find)).encode() for line in lines)


def to_parquet(columns: Mapping[str, HiveType], lines: Iterable[bytes], find: Find) -> bytes:
    """Records, a JSON object a line, as a Parquet file with these columns."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        source, target = Path(folder, "rows"), Path(folder, "parquet")
        source.write_bytes(rows(columns, lines, find))
        types = {name: of.duckdb for name, of in columns.items()}
        read = connection.read_json(str(source), columns=types, format="newline_delimited")
        read.write_parquet(str(target), compression="snappy")
        return target.read_bytes()


def as_duckdb(statement: exp.Expr) -> str:
    """A statement of Athena in DuckDB's SQL; to both, a pattern that is not found is NULL, and ``max_by`` does not pass
    over a NULL.
    """
    from sqlglot import exp

    def shim(node: exp.Expr) -> Any:
        if isinstance(node, exp.RegexpExtract):
            return exp.func("NULLIF", node.copy(), exp.Literal.string(""))
        if isinstance(node, exp.ArgMax):
            return exp.func("arg_max_null", node.this.copy(), node.expression.copy())
        return node

    return str(statement.transform(shim).sql("duckdb"))


def split(text: str) -> Iterator[str]:
    """The parts between commas, but those within brackets or quotes."""
    depth, start, in_text = 0, 0, False
    for position, character in enumerate(text):
        in_text ^= character == "'"
        if not in_text:
            depth += (character in "<(") - (character in ">)")
            if character == "," and not depth:
                yield text[start:position].strip()
                start = position + 1
    yield text[start:].strip()


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'
