from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ses_events.verify import account as accounts
from ses_events.verify import answers
from ses_events.verify.account import Account
from ses_events.verify.cli import main
from ses_events.verify.questions import Answer, Question
from tests.support.templates import ROOT
from tests.unit.verify.conftest import Stub, stack_is

WHERE = ["--stack", "Mail", "--region", "eu-west-1"]
WORKGROUP = ("AWS::Athena::WorkGroup", "mail")
STATEMENT = ("AWS::Athena::PreparedStatement", "recipient_trace")
COLUMNS = [("day", "date"), ("sent", "bigint"), ("rate", "double"), ("empty", "varchar")]
ROWS = [["2026-03-09", "12", "0.5", None], ["2026-03-10", "3", None, None]]


@pytest.fixture(autouse=True)
def known_account(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    yield


def test_a_trace_of_an_address_runs_the_prepared_statement(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP, STATEMENT)
    _prepared_is(stub, "recipient_trace", "SELECT 1 -- why?\nWHERE r = lower(?)")
    _answers(stub, {"QueryString": "EXECUTE recipient_trace USING 'o''neill@example.com'"})
    assert main(["trace", "Ann <o'neill@example.com>", *WHERE]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "day         sent  rate",
        "----------  ----  ----",
        "2026-03-09    12   0.5",
        "2026-03-10     3",
    ]
    assert printed.err == "2 rows; Athena read 30.0 MB, about $0.00015 at its list price\n"


@pytest.mark.parametrize(
    "about", ["0102019d0f6c8a31-5b1c-000000", "<0102019d0f6c8a31-5b1c-000000@eu-west-1.amazonses.com>"]
)
def test_a_trace_of_a_message_takes_its_id_or_its_header(about: str, stub: Stub) -> None:
    stack_is(stub, WORKGROUP)
    _prepared_is(stub, "message_trace", "SELECT ?")
    _answers(stub, {"QueryString": "EXECUTE message_trace USING '0102019d0f6c8a31-5b1c-000000'"})
    assert main(["trace", about, *WHERE]) == 0


def test_a_saved_query_is_found_by_its_name(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    _no_statement(stub)
    _saved_are(stub, "never_sent", "daily_rates")
    _answers(stub, {"QueryString": "SELECT 'daily_rates?'", "QueryExecutionContext": {"Database": "db"}})
    assert main(["query", *WHERE, "daily_rates", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"][0] == {"day": "2026-03-09", "sent": 12, "rate": 0.5, "empty": None}
    assert (document["query"], document["bytesRead"], document["workgroup"]) == ("daily_rates", 30_000_000, "mail")


def test_csv_is_nothing_but_the_rows(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    _no_statement(stub)
    _saved_are(stub, "daily_rates")
    _answers(stub, {"QueryString": "SELECT 'daily_rates?'", "QueryExecutionContext": {"Database": "db"}}, [])
    assert main(["query", "daily_rates", *WHERE, "--csv"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "day,sent,rate,empty\n"
    assert printed.err.startswith(
        "daily_rates finds nothing in the events that have arrived in the days it reads.\n0 rows"
    )


def test_no_rows_are_a_sentence(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    _prepared_is(stub, "recipient_trace", "SELECT ?")
    _answers(stub, {"QueryString": "EXECUTE recipient_trace USING 'a@b.example'"}, [])
    assert main(["trace", "a@b.example", *WHERE]) == 0
    sentence = "recipient_trace finds nothing about a@b.example in the events that have arrived in the days it reads.\n"
    assert capsys.readouterr().out == sentence


def test_the_list_shows_names_values_and_questions(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP, STATEMENT)
    _saved_are(stub, "daily_rates")
    _prepared_is(stub, "recipient_trace", "SELECT ?")
    assert main(["query", "--list", *WHERE]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "daily_rates           0  What about daily_rates?",
        "recipient_trace       1  What about recipient_trace.",
    ]


@pytest.mark.parametrize(
    ("resources", "workgroup", "error"),
    [
        ([], [], "the stack Mail has no Athena workgroup; EventAnalytics in its CDK app makes one"),
        (
            [WORKGROUP, (WORKGROUP[0], "two")],
            [],
            "the stack Mail has several workgroups, choose one: --workgroup mail | two",
        ),
        ([WORKGROUP], ["--workgroup", "two"], "the stack Mail has no workgroup two; choose one: --workgroup mail"),
    ],
)
def test_the_workgroup_is_one_of_the_stack(
    resources: list[tuple[str, str]], workgroup: list[str], error: str, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stack_is(stub, *resources)
    assert main(["trace", "a@b.example", *WHERE, *workgroup]) == 2
    assert capsys.readouterr().err == f"ses-events trace: {error}\n"


def test_the_workgroup_of_a_nested_stack_is_found(stub: Stub) -> None:
    stack_is(stub, ("AWS::CloudFormation::Stack", "arn:of:the:nested:stack"))
    stack_is(stub, WORKGROUP, stack="arn:of:the:nested:stack")
    _saved_are(stub, "daily_rates")
    assert main(["query", "--list", *WHERE]) == 0


def test_a_name_that_is_none_is_corrected(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP, STATEMENT)
    _no_statement(stub)
    _saved_are(stub, "daily_rates")
    assert main(["query", "recipient_trac", "a@b.example", *WHERE]) == 2
    assert capsys.readouterr().err == (
        "ses-events query: the workgroup mail has no query recipient_trac; did you mean recipient_trace? "
        "ses-events query --list --stack Mail shows what there is\n"
    )


def test_the_wrong_number_of_values_says_how_many_there_are(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    _prepared_is(stub, "recipient_trace", "SELECT ?")
    assert main(["query", "recipient_trace", *WHERE, "a@b.example", "b@b.example"]) == 2
    error = "recipient_trace takes one value, and 2 are given: What about recipient_trace."
    assert capsys.readouterr().err == f"ses-events query: {error}\n"


def test_a_missing_permission_is_named_with_the_grant(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    message = "User: u is not authorized to perform: athena:GetPreparedStatement on resource: r"
    stub("athena").add_client_error("get_prepared_statement", "AccessDeniedException", message)
    assert main(["trace", "a@b.example", *WHERE]) == 2
    assert capsys.readouterr().err == (
        "ses-events trace: you lack athena:GetPreparedStatement on the workgroup mail; "
        "analytics.grant_query(role) in the CDK app gives the permission\n"
    )


def test_a_stack_that_may_not_be_read_names_the_policy(stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", "no")
    assert main(["trace", "a@b.example", *WHERE]) == 2
    assert capsys.readouterr().err == (
        "ses-events trace: you lack DescribeStacks on the stack Mail; "
        "docs/analytics.md has the policy that reading the stack takes\n"
    )


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("Bytes scanned limit was exceeded", ""),
        (
            "u is not authorized to perform: glue:GetTable",
            "; analytics.grant_query(role) in the CDK app gives the permission",
        ),
    ],
)
def test_a_query_that_fails_says_why(reason: str, fix: str, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    stack_is(stub, WORKGROUP)
    _prepared_is(stub, "recipient_trace", "SELECT ?")
    stub("athena").add_response("start_query_execution", {"QueryExecutionId": "1"})
    _state_is(stub, "RUNNING")
    _state_is(stub, "FAILED", reason)
    assert main(["trace", "a@b.example", *WHERE]) == 2
    assert capsys.readouterr().err == f"ses-events trace: Athena has failed the query 1: {reason}{fix}\n"


def test_ctrl_c_stops_the_query(
    stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    stack_is(stub, WORKGROUP)
    _prepared_is(stub, "recipient_trace", "SELECT ?")
    stub("athena").add_response("start_query_execution", {"QueryExecutionId": "1"})
    _state_is(stub, "RUNNING")
    stub("athena").add_response("stop_query_execution", {}, {"QueryExecutionId": "1"})
    monkeypatch.setattr(time, "sleep", interrupt)
    assert main(["trace", "a@b.example", *WHERE]) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


def test_question_marks_in_text_and_comments_are_no_values() -> None:
    assert Question("a", "", """SELECT '?''?' AS "?" -- ?\n/* ? */ WHERE a = ? AND b = ?""").takes == 2


def test_a_row_that_is_longer_than_the_terminal_has_a_line_for_each_value() -> None:
    assert list(answers.table(Answer(COLUMNS, ROWS), 20)) == [
        "day   2026-03-09",
        "sent  12",
        "rate  0.5",
        "",
        "day   2026-03-10",
        "sent  3",
    ]


def test_what_a_server_answers_is_no_command_to_the_terminal() -> None:
    assert [*answers.table(Answer([("response", "varchar")], [["550\x1b[2J\nno"]]), None)][2] == "550 [2J no"


def test_the_prices_are_those_of_the_page() -> None:
    page = (ROOT / "docs/costs.md").read_text()
    assert re.search(rf"\| \${answers.DOLLARS_PER_TERABYTE} \| TB that a query reads, at least 10 MB a query", page)
    assert answers.dollars(0) == answers.dollars(10_000_000) == 0.00005


def _prepared_is(stub: Stub, name: str, sql: str) -> None:
    statement = {"StatementName": name, "QueryStatement": sql, "Description": f"What about {name}."}
    asked = {"StatementName": name, "WorkGroup": "mail"}
    stub("athena").add_response("get_prepared_statement", {"PreparedStatement": statement}, asked)


def _no_statement(stub: Stub) -> None:
    stub("athena").add_client_error("get_prepared_statement", "ResourceNotFoundException")


def _saved_are(stub: Stub, *names: str) -> None:
    stub("athena").add_response("list_named_queries", {"NamedQueryIds": [*names]}, {"WorkGroup": "mail"})
    for name in names:
        saved = {
            "Name": name,
            "Database": "db",
            "QueryString": f"SELECT '{name}?'",
            "Description": f"What about {name}?",
        }
        stub("athena").add_response("get_named_query", {"NamedQuery": saved}, {"NamedQueryId": name})


def _state_is(stub: Stub, state: str, reason: str = "") -> None:
    status = {"State": state, "StateChangeReason": reason}
    execution = {"Status": status, "Statistics": {"DataScannedInBytes": 30_000_000}}
    stub("athena").add_response("get_query_execution", {"QueryExecution": execution}, {"QueryExecutionId": "1"})


def _answers(stub: Stub, asked: dict[str, Any], rows: list[list[str | None]] = ROWS) -> None:
    """Athena answers, on two pages, what it must be asked."""
    stub("athena").add_response("start_query_execution", {"QueryExecutionId": "1"}, {"WorkGroup": "mail", **asked})
    _state_is(stub, "QUEUED")
    _state_is(stub, "SUCCEEDED")
    columns = {"ColumnInfo": [{"Name": name, "Type": of} for name, of in COLUMNS]}
    lines: list[list[str | None]] = [[name for name, _ in COLUMNS], *rows]
    pages: list[tuple[list[list[str | None]], dict[str, str]]] = [(lines[:2], {"NextToken": "more"}), (lines[2:], {})]
    for page, more in pages:
        cells = [{"Data": [{} if value is None else {"VarCharValue": value} for value in line]} for line in page]
        result = {"ResultSet": {"Rows": cells, "ResultSetMetadata": columns}, **more}
        stub("athena").add_response("get_query_results", result)
