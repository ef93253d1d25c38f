from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import sqlglot

from local_aws.glue.hive import HiveType, NotEmulated, as_duckdb, by_mapping, in_any_case, rows, split, to_parquet

COLUMNS = {
    "eventtype": HiveType.parse("string"),
    "mail": HiveType.parse("struct<messageid:string,tags:map<string,array<string>>,headerstruncated:boolean>"),
    "delivery": HiveType.parse("struct<processingtimemillis:bigint>"),
}
KEYS = {"eventtype": "eventType", "messageid": "messageId"}
RECORD = {
    "eventType": "Send",
    "mail": {"messageId": "1", "tags": {"Brand": ["a"], "brand": ["b"]}, "headersTruncated": False},
    "new": "field",
}


def test_a_type_in_duckdb() -> None:
    mail = 'STRUCT("messageid" VARCHAR, "tags" MAP(VARCHAR, VARCHAR[]), "headerstruncated" BOOLEAN)'
    assert [of.duckdb for of in COLUMNS.values()] == ["VARCHAR", mail, 'STRUCT("processingtimemillis" BIGINT)']


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(NotEmulated, match="the type decimal"):
        HiveType.parse("array<decimal>")


def test_hive_reads_keys_in_any_case_and_leaves_those_of_maps() -> None:
    mail = {"messageid": "1", "tags": {"Brand": ["a"], "brand": ["b"]}, "headerstruncated": False}
    read = json.loads(rows(COLUMNS, [json.dumps(RECORD).encode()], in_any_case))
    assert read == {"eventtype": "Send", "mail": mail, "delivery": None}


def test_openx_reads_only_the_keys_of_its_mapping() -> None:
    # headersTruncated is in no mapping here
    mail = {"messageid": "1", "tags": {"Brand": ["a"], "brand": ["b"]}, "headerstruncated": None}
    read = json.loads(rows(COLUMNS, [json.dumps(RECORD).encode()], by_mapping(KEYS)))
    assert read == {"eventtype": "Send", "mail": mail, "delivery": None}


def test_what_is_no_string_becomes_one_where_the_column_is() -> None:
    assert HiveType.parse("string").read({"a": 1}, in_any_case) == '{"a": 1}'


def test_parquet_has_the_columns_of_the_table(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    file.write_bytes(to_parquet(COLUMNS, [json.dumps(RECORD).encode()], by_mapping(KEYS)))
    read = duckdb.read_parquet(str(file))
    assert dict(zip(read.columns, map(str, read.types), strict=True)) == {
        "eventtype": "VARCHAR",
        "mail": "STRUCT(messageid VARCHAR, tags MAP(VARCHAR, VARCHAR[]), headerstruncated BOOLEAN)",
        "delivery": "STRUCT(processingtimemillis BIGINT)",
    }
    assert read.fetchone() == (
        "Send",
        {"messageid": "1", "tags": {"Brand": ["a"], "brand": ["b"]}, "headerstruncated": None},
        None,
    )


def test_commas_within_brackets_and_quotes_part_nothing() -> None:
    assert list(split("a, b<c, d>, 'e, f(', g(h, i)")) == ["a", "b<c, d>", "'e, f('", "g(h, i)"]


def test_a_pattern_that_is_not_found_is_null() -> None:
    sql = "SELECT regexp_extract('ann@example.org', '@(.+)$', 1), regexp_extract('ann', '@(.+)$', 1)"
    assert duckdb.sql(as_duckdb(sqlglot.parse_one(sql, dialect="athena"))).fetchone() == ("example.org", None)


def test_max_by_does_not_pass_over_null() -> None:
    rows_of_two = "(VALUES ('a', 1), (NULL, 2)) AS t (said, at)"
    sql = f"SELECT max_by(said, at), max_by(said, at) FILTER (WHERE said IS NOT NULL) FROM {rows_of_two}"
    assert duckdb.sql(as_duckdb(sqlglot.parse_one(sql, dialect="athena"))).fetchone() == (None, "a")
