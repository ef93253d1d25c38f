"""The questions of docs/questions.md: each is asked, and answered as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from ses_events import EventAnalytics, StoredEvents
from ses_events.analytics.queries import view
from tests.pages.test_code import blocks
from tests.support.event_records import (
    ARRIVED,
    click,
    mail,
    opened,
    subscription,
    tags,
)
from tests.support.stored_table import Rows, Store, rows_of
from tests.support.templates import ROOT, new_app, synthesize

PAGE = ROOT / "docs/questions.md"
QUESTIONS = dict(zip(["unsubscribes", "bots", "customers", "days"], blocks(PAGE, "sql"), strict=True))
NEWS = mail("news-1", "2026-03-08T08:00:00.000Z", "Ann@example.com", tags=tags(campaign="news"))
MORE = [
    ("2026-03-08", opened(NEWS, "2026-03-08T08:01:00.000Z", isBotEvent="Likely")),
    ("2026-03-08", opened(NEWS, "2026-03-08T09:00:00.000Z", isBotEvent="Unlikely")),
    ("2026-03-08", opened({**NEWS, "messageId": "news-2"}, "2026-03-08T08:02:00.000Z", isBotEvent="Likely")),
    ("2026-03-08", click(NEWS, "2026-03-08T09:01:00.000Z", "https://example.com/")),
    (
        "2026-03-09",
        subscription(
            NEWS,
            "2026-03-09T07:00:00.000Z",
            newTopicPreferences={
                "unsubscribeAll": False,
                "topicSubscriptionStatus": [
                    {"topicName": "Offers", "subscriptionStatus": "OptOut"},
                    {"topicName": "News", "subscriptionStatus": "OptIn"},
                ],
            },
        ),
    ),
]
CUSTOMERS = [
    (" JAN@example.com", "free"),
    (" IDA@example.com", "paid"),
    ("gus@example.net", "paid"),
    ("no@x.org", "free"),
]
CUSTOMERS_TABLE = {
    "Name": "customers",
    "StorageDescriptor": {
        "Columns": [{"Name": "email", "Type": "string"}, {"Name": "plan", "Type": "string"}],
        "Location": "s3://mail/crm/",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"},
    },
}


@pytest.fixture(scope="module")
def store() -> Store:
    """The events of some days, and a table of customers in another database."""
    stack = cdk.Stack(new_app(), "Mail")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "mail")
    EventAnalytics(stack, "Analytics", archive=StoredEvents(bucket, "events/dt=!{timestamp:yyyy-MM-dd}/"))
    objects: dict[str, list[str]] = {}
    for day, record in [*ARRIVED, *MORE]:
        objects.setdefault(f"events/dt={day}/1.json", []).append(json.dumps(record))
    objects["crm/1.json"] = [json.dumps({"email": email, "plan": plan}) for email, plan in CUSTOMERS]
    made = Store(synthesize(stack), {key: "\n".join(lines).encode() for key, lines in objects.items()})
    made.tables["customers"] = CUSTOMERS_TABLE
    return made


ANSWERS: dict[str, Rows] = {
    "unsubscribes": [
        ["2026-03-10 07:00:00.000 UTC", "ann@example.com", "Readers", "true", "Offers"],
        ["2026-03-09 07:00:00.000 UTC", "Ann@example.com", "Readers", "false", "Offers"],
    ],
    "bots": [["spring", "3", "2"], ["news", "2", "1"]],
    "customers": [["free", "1", "2026-03-03 00:01:00.000"], ["paid", "1", "2026-03-09 19:00:00.000"]],
}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_of_the_page_is_answered(store: Store, question: str, tmp_path: Path) -> None:
    assert rows_of(QUESTIONS[question], store, tmp_path) == ANSWERS[question]
    assert "events/dt=2026-01-01/1.json" not in store.read  # the view lets the condition on dt through to the table


def test_the_days_of_the_page_are_answered(store: Store, tmp_path: Path) -> None:
    rows = rows_of(QUESTIONS["days"], store, tmp_path)
    assert [row[0] for row in rows] == sorted(str(row[0]) for row in rows)
    assert {row[0] for row in rows} == {day for day, _ in ARRIVED if "2026-03-03" <= day <= "2026-03-09"}
    assert ["2026-03-08", "Click", "2"] in rows
    assert {*store.read} == {f"events/dt={row[0]}/1.json" for row in rows}


def test_the_columns_are_those_of_the_view() -> None:
    section = PAGE.read_text().partition("| column of the view |")[2].partition("\n\n")[0]
    named = {
        name
        for row in section.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1 if row.startswith("|") else 0])
    }
    assert named - {"hour", "origin"} == {*view("mail", "events", "campaign").columns}


def test_the_python_of_the_page_asks_athena() -> None:
    names: dict[str, Any] = {}
    [code] = blocks(PAGE, "python")
    exec(compile(code, PAGE.name, "exec"), names)
    with pytest.raises(RuntimeError, match="SYNTAX_ERROR"):
        names["ask"](_Failing(), "workgroup", "database", "SELECT nothing")


class _Failing:
    """An Athena that fails each query."""

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        assert asked["QueryExecutionContext"] == {"Database": "database"} and "ExecutionParameters" not in asked
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, **asked: Any) -> dict[str, Any]:
        return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "SYNTAX_ERROR: line 1:8"}}}
