from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlglot import exp

from ses_events.record.fields import COLUMNS, JSON_KEYS, TIMESTAMPS, problems
from tests.support import duckdb_athena as athena
from tests.support.event_records import RECORDS, Record

TAGS = {"tags", "linkTags"}
"""The maps: their keys are the sender's, whatever the case."""


def test_tags_are_maps_and_no_struct_is_empty() -> None:
    assert COLUMNS["mail"].endswith(",tags:map<string,array<string>>>")
    assert "linktags:map<string,array<string>>" in COLUMNS["click"]
    assert COLUMNS["failure"] == "struct<templatename:string,errormessage:string>"
    assert COLUMNS["reject"] == "struct<reason:string>"
    assert "<>" not in "".join(COLUMNS.values())


def test_the_records_are_as_described() -> None:
    assert [problem for record in RECORDS for problem in problems(record)] == []


@pytest.mark.parametrize("serde", ["Hive", "OpenX"])
def test_the_columns_read_every_field_of_every_record_and_no_other(serde: str, tmp_path: Path) -> None:
    """The Hive SerDe finds the key of a column whatever its case; OpenX as Firehose has it finds the one it is told."""
    keys = JSON_KEYS if serde == "OpenX" else {}
    records = RECORDS if serde == "OpenX" else [_lower(record) for record in RECORDS]
    (tmp_path / "dt=2026-03-09").mkdir()
    (tmp_path / "dt=2026-03-09/events.json").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    read = duckdb.sql(f"SELECT * EXCLUDE dt FROM {athena.json_lines(tmp_path, keys)}")
    rows = [dict(zip(read.columns, row, strict=True)) for row in read.fetchall()]
    assert [_filled(row) for row in rows] == [
        _filled({name: value for name, value in record.items() if name != "send"}) for record in records
    ]


def test_every_field_of_the_table_is_in_a_record() -> None:
    lacking = {*_names_of_columns()} - {name for record in RECORDS for name in _names(record)}
    assert lacking == set(), "tests/support/event_records.py has no record with these fields"


def test_an_event_happened_when_its_object_says() -> None:
    said = {f"{name}.timestamp" for record in RECORDS for name in record if "timestamp" in record[name]}
    assert {column.lower() for column in said} == {*TIMESTAMPS}
    assert TIMESTAMPS[-1] == "mail.timestamp"  # where nothing else does


def test_every_key_with_capitals_is_mapped_and_no_other() -> None:
    keys = {key for record in RECORDS for key in _keys(record) if key != key.lower()}
    assert {*JSON_KEYS.values()} == keys
    assert {name: key.lower() for name, key in JSON_KEYS.items()} == {name: name for name in JSON_KEYS}
    assert JSON_KEYS["reportingmta"] == "reportingMTA"
    assert JSON_KEYS["headerstruncated"] == "headersTruncated"


SEND = next(record for record in RECORDS if record["eventType"] == "Send")
DELIVERY = next(record for record in RECORDS if record["eventType"] == "Delivery")


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (SEND | {"bounce": {}}, ["bounce is not described"]),
        (SEND | {"send": {"at": "noon"}}, ["send.at is not described"]),
        ({"eventType": "Send", "mail": SEND["mail"]}, ["send is missing"]),
        (SEND | {"mail": None}, ["mail is missing"]),
        (SEND | {"mail": []}, ["mail [] is of type list, not an object"]),
        (SEND | {"mail": SEND["mail"] | {"destination": None}}, ["mail.destination is missing"]),
        (
            SEND | {"mail": SEND["mail"] | {"destination": "ann@example.com"}},
            ["mail.destination 'ann@example.com' is of type str, not a list"],
        ),
        (
            SEND | {"mail": SEND["mail"] | {"headersTruncated": "false", "headers": [{"name": "From"}]}},
            ["mail.headersTruncated 'false' is of type str, not boolean", "mail.headers[0].value is missing"],
        ),
        (
            SEND | {"mail": SEND["mail"] | {"tags": {"campaign": "spring", "lists": ["a", 1]}}},
            [
                "mail.tags['campaign'] 'spring' is of type str, not a list",
                "mail.tags['lists'][1] 1 is of type int, not string",
            ],
        ),
        (
            DELIVERY | {"delivery": DELIVERY["delivery"] | {"processingTimeMillis": True}},
            ["delivery.processingTimeMillis True is of type bool, not bigint"],
        ),
        ({"notificationType": "Bounce"}, ["eventType None is none of Send, Delivery, Bounce, *"]),
        (SEND | {"eventType": "send"}, ["eventType 'send' is none of Send, Delivery, Bounce, *"]),
        (SEND | {"eventType": ["Send"]}, ["eventType ['Send'] is none of Send, Delivery, Bounce, *"]),
        ([SEND], ["the record [{'eventType*"]),
        ("Send", ["the record 'Send' is of type str, not an object"]),
    ],
)
def test_what_differs_from_the_description_is_said(record: Any, lines: list[str]) -> None:
    found = [*problems(record)]
    assert len(found) == len(lines)
    for line, expected in zip(found, lines, strict=True):
        assert line.startswith(expected[:-1]) if expected.endswith("*") else line == expected


def _lower(value: Any) -> Any:
    """A value whose keys are in lower case, but for those of maps."""
    if isinstance(value, list):
        return [_lower(element) for element in value]
    if isinstance(value, dict):
        return {key.lower(): inner if key in TAGS else _lower(inner) for key, inner in value.items()}
    return value


def _filled(value: Any) -> Any:
    """A value without what is null in it."""
    if isinstance(value, list):
        return [_filled(element) for element in value]
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items() if inner is not None}
    return value


def _fields(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of the fields of a record, without the keys of maps."""
    if isinstance(value, list):
        for element in value:
            yield from _fields(element, path)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*path, key)
            if key not in TAGS:
                yield from _fields(inner, (*path, key))


def _keys(record: Record) -> set[str]:
    return {path[-1] for path in _fields(record)}


def _names(record: Record) -> set[str]:
    return {".".join(path).lower() for path in _fields(_filled(record))}


def _names_of_columns() -> Iterator[str]:
    for column, of in COLUMNS.items():
        yield column
        yield from _names_in(exp.DataType.build(of, dialect="hive"), column)


def _names_in(of: Any, path: str) -> Iterator[str]:
    for inner in of.expressions if not of.is_type("map") else []:
        name = f"{path}.{inner.name}" if isinstance(inner, exp.ColumnDef) else path
        if name != path:
            yield name
        yield from _names_in(inner.kind if isinstance(inner, exp.ColumnDef) else inner, name)
