"""Mail, its events in S3, and the answers to queries over them, with the permissions that ``grant_query`` gives."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.demo import DOMAIN, NotProven, answer, named_query, send_mail
from local_aws.process import ACCOUNT, REGION
from ses_events.analytics.queries import VIEW_COLUMNS, named_queries, prepared_statements
from ses_events.verify.cli import main
from tests.local_aws.support.analysed import Analysed
from tests.local_aws.support.deployed import Json, Stream, app, deploy, eventually, outputs_of, without_action
from tests.pages.test_code import blocks
from tests.support.templates import ROOT

FORMATS = ["Json", "Parquet"]


class Analyst:
    """The user who may query, after a mail whose event is in both archives."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.outputs = outputs
        self._name = outputs["AnalystName"]
        self.key = aws.client("iam").create_access_key(UserName=self._name)["AccessKey"]
        self.athena, self.s3 = (
            aws.client(service, self.key["AccessKeyId"], self.key["SecretAccessKey"]) for service in ("athena", "s3")
        )
        self.message_id = self.send("first")

    def send(self, campaign: str) -> str:
        """Send a mail, and wait until its event is in both archives."""
        before = {of: len(self.keys(of)) for of in FORMATS}
        message_id = send_mail(self.aws, self.outputs["ConfigurationSet"], campaign=campaign)
        assert all(eventually(partial(self._has_more, of, before[of])) for of in FORMATS)
        return message_id

    def _has_more(self, of: str, before: int) -> bool:
        return len(self.keys(of)) > before

    def keys(self, of: str) -> list[str]:
        """The keys of the objects that queries read."""
        folder = {"Json": "events/", "Parquet": "parquet/"}[of]
        found = self.aws.client("s3").list_objects_v2(Bucket=self.outputs[f"{of}Bucket"], Prefix=folder)
        return [each["Key"] for each in found.get("Contents", [])]

    def ask(self, of: str, sql: str) -> list[dict[str, str | None]]:
        """The result of SQL over one of the archives."""
        workgroup = self.outputs[f"{of}WorkGroup"]
        return answer(self.athena, workgroup, self.outputs[f"{of}Database"], sql)

    @contextlib.contextmanager
    def reading_the_stack(self) -> Iterator[None]:
        """Give the user the policy in docs/analytics.md."""
        [policy] = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs/analytics.md").read_text(), re.M | re.S)
        for name, value in {"REGION": REGION, "ACCOUNT": ACCOUNT, "STACK": "Analysed"}.items():
            policy = policy.replace(name, value)
        iam = self.aws.client("iam")
        iam.put_user_policy(UserName=self._name, PolicyName="stack", PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_user_policy(UserName=self._name, PolicyName="stack")

    @contextlib.contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take an action out of the policy of the user."""
        iam = self.aws.client("iam")
        name = next(name for name in iam.list_user_policies(UserName=self._name)["PolicyNames"] if name != "stack")
        policy = iam.get_user_policy(UserName=self._name, PolicyName=name)["PolicyDocument"]

        def put(statements: list[Json]) -> None:
            document = json.dumps({**policy, "Statement": statements})
            iam.put_user_policy(UserName=self._name, PolicyName=name, PolicyDocument=document)

        rest = [{**each, "Action": [kept for kept in _actions(each) if kept != action]} for each in policy["Statement"]]
        assert [_actions(each) for each in rest] != [_actions(each) for each in policy["Statement"]]
        put([each for each in rest if each["Action"]])
        try:
            yield
        finally:
            put(policy["Statement"])


@pytest.fixture(scope="module")
def analyst(aws: LocalAws) -> Analyst:
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    stack = Analysed(app(), "Analysed")
    assert deploy(aws, stack) == []
    return Analyst(aws, outputs_of(aws, stack))


@pytest.mark.parametrize("of", FORMATS)
def test_a_saved_query_answers_with_the_mail_just_sent(analyst: Analyst, of: str) -> None:
    workgroup = analyst.outputs[f"{of}WorkGroup"]
    query = named_query(analyst.aws, workgroup, "daily_rates")
    rates = answer(analyst.athena, workgroup, query["Database"], query["QueryString"])
    assert [(row["dimension_value"], row["sent"]) for row in rates] == [("first", "1")]


@pytest.mark.parametrize("of", FORMATS)
def test_a_prepared_statement_traces_the_mail(analyst: Analyst, of: str) -> None:
    trace = analyst.ask(of, f"EXECUTE message_trace USING '{analyst.message_id}'")
    assert ("Send", "first") in {(event["kind"], event["dimension_value"]) for event in trace}
    assert analyst.ask(of, "EXECUTE message_trace USING 'another'") == []


@pytest.mark.parametrize("of", FORMATS)
def test_fields_tags_and_days_are_read(analyst: Analyst, of: str) -> None:
    ip = "element_at(element_at(mail.tags, 'ses:source-ip'), 1)"
    [row] = analyst.ask(of, f"SELECT DISTINCT {ip} AS ip, dt FROM events WHERE eventtype = 'Send'")
    assert row["ip"] == "127.0.0.1"
    assert f"/dt={row['dt']}/" in analyst.keys(of)[0]


@pytest.mark.parametrize("of", FORMATS)
def test_the_view_answers_a_plain_select(analyst: Analyst, of: str) -> None:
    rows = analyst.ask(of, "SELECT * FROM recipient_events WHERE kind = 'Send' ORDER BY event_at LIMIT 1")
    assert [(row["message_id"], row["dimension_value"], row["likely_bot"]) for row in rows] == [
        (analyst.message_id, "first", "false")
    ]
    assert list(rows[0]) == ["dt", *VIEW_COLUMNS]
    database = analyst.outputs[f"{of}Database"]
    [count] = analyst.ask(of, f'SELECT count(*) AS n FROM "{database}"."recipient_events" r WHERE r.dt < \'2000\'')
    assert count == {"n": "0"}


def test_the_python_of_the_page_asks_the_view(analyst: Analyst) -> None:
    names: dict[str, Any] = {}
    [code] = blocks(ROOT / "docs/questions.md", "python")
    exec(code, names)
    sql = "SELECT kind, recipient FROM recipient_events WHERE message_id = ? AND kind = 'Send'"
    asked = analyst.outputs["JsonWorkGroup"], analyst.outputs["JsonDatabase"]
    rows, _ = names["ask"](analyst.athena, *asked, sql, f"'{analyst.message_id}'")
    assert [row["kind"] for row in rows] == ["Send"] and "@" in rows[0]["recipient"]
    with pytest.raises(RuntimeError, match=r"TABLE_NOT_FOUND|is not authorized"):
        names["ask"](analyst.athena, *asked, "SELECT 1 FROM nowhere")


def test_the_json_is_kept_beside_the_parquet(analyst: Analyst) -> None:
    s3, bucket = analyst.aws.client("s3"), analyst.outputs["ParquetBucket"]
    [backup, *_] = s3.list_objects_v2(Bucket=bucket, Prefix="events/dt=")["Contents"]
    assert backup["Key"].endswith(".gz")
    assert all(key.endswith(".parquet") for key in analyst.keys("Parquet"))


def test_the_result_lies_in_the_folder_of_the_workgroup(analyst: Analyst) -> None:
    analyst.ask("Json", "SELECT 1 AS one")
    s3, bucket = analyst.s3, analyst.outputs["JsonResults"]
    keys = [each["Key"] for each in analyst.aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    contents = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if key.endswith(".csv")]
    assert b"one\r\n1\r\n" in contents
    assert all(key.startswith(f"{analyst.outputs['JsonWorkGroup']}/") for key in keys)


@pytest.mark.parametrize(
    "action",
    [
        "glue:GetDatabase",
        "glue:GetTable",
        "s3:ListBucket",
        "s3:GetObject",
        "s3:GetBucketLocation",
        "s3:PutObject",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "athena:GetPreparedStatement",
    ],
)
def test_a_query_needs(analyst: Analyst, action: str) -> None:
    sql = f"EXECUTE message_trace USING '{analyst.message_id}'"
    with analyst.without(action), pytest.raises(NotProven, match=f"is not authorized to perform: {action} "):
        analyst.ask("Parquet", sql)
    assert analyst.ask("Parquet", sql)


@pytest.mark.parametrize("action", ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"])
def test_asking_needs(analyst: Analyst, action: str) -> None:
    with analyst.without(action), pytest.raises(ClientError, match=f"is not authorized to perform: {action} "):
        analyst.ask("Json", "SELECT 1")


def test_the_analyst_finds_the_saved_queries_and_changes_none(analyst: Analyst) -> None:
    athena, workgroup = analyst.athena, analyst.outputs["JsonWorkGroup"]
    ids = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
    assert all(athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]["Description"] for query_id in ids)
    with pytest.raises(ClientError, match="athena:CreateNamedQuery"):
        athena.create_named_query(Name="mine", Database="d", QueryString="SELECT 1", WorkGroup=workgroup)


def test_the_analyst_reads_nothing_but_what_the_table_covers(analyst: Analyst) -> None:
    s3, bucket = analyst.s3, analyst.outputs["ParquetBucket"]
    [backup, *_] = analyst.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="events/")["Contents"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key=backup["Key"])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=bucket, Prefix="events/")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nowhere", "TABLE_NOT_FOUND: Table .*nowhere' does not exist|glue:GetTable"),
        ("EXECUTE nothing", "PreparedStatement nothing was not found"),
        ("EXECUTE message_trace", "Incorrect number of parameters: expected [0-9] but found 0"),
        ("SHOW TABLES", "a statement that is not SELECT or EXECUTE"),
    ],
)
def test_a_query_that_cannot_run_fails_with_its_reason(analyst: Analyst, sql: str, reason: str) -> None:
    with pytest.raises(NotProven, match=reason):
        analyst.ask("Json", sql)


def test_a_query_reads_no_file_of_this_machine(analyst: Analyst, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("mine\n1\n")
    hidden = f'(WITH "{file}" AS (SELECT 1 AS one) SELECT one FROM "{file}")'
    with pytest.raises(NotProven, match="file system operations are disabled"):
        analyst.ask("Json", f'SELECT mine FROM "{file}" t, {hidden}')


def test_a_folder_that_is_no_day_is_in_no_partition(analyst: Analyst) -> None:
    s3, bucket, [key, *_] = analyst.aws.client("s3"), analyst.outputs["JsonBucket"], analyst.keys("Json")
    before = analyst.ask("Json", "SELECT dt FROM events")
    days = ["2026-01-01'||(SELECT 'code')||'", "2026-02-31", "2015-12-31", "2999-01-01"]
    others = [key.replace(f"dt={before[0]['dt']}", f"dt={day}") for day in days]
    for other in others:
        s3.copy_object(Bucket=bucket, Key=other, CopySource={"Bucket": bucket, "Key": key})
    try:
        assert analyst.ask("Json", "SELECT dt FROM events") == before
    finally:
        for other in others:
            s3.delete_object(Bucket=bucket, Key=other)


@pytest.mark.parametrize("action", ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"])
def test_firehose_needs_to_read_the_schema(analyst: Analyst, action: str) -> None:
    stream = Stream(analyst.aws, analyst.outputs["ParquetStream"])
    denial = f"is not authorized to perform: {action} on resource"
    with without_action(analyst.aws, stream.role, action):
        send_mail(analyst.aws, analyst.outputs["ConfigurationSet"])
        # A last error of another action may come after its permission is back.
        assert eventually(lambda: [error for error in stream.errors() if denial in error])


@pytest.fixture
def shell(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a shell that reaches the local AWS."""
    for name in set(os.environ) - set(aws.environment):
        monkeypatch.delenv(name)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("of", FORMATS)
def test_the_command_answers_as_the_saved_query_does(
    analyst: Analyst, of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workgroup = analyst.outputs[f"{of}WorkGroup"]
    query = named_query(analyst.aws, workgroup, "daily_rates")

    def both() -> bool:
        """Whether the two agree, as they do when no event arrives between them."""
        rates = answer(analyst.athena, workgroup, query["Database"], query["QueryString"])
        assert main(["query", "daily_rates", "--stack", "Analysed", "--workgroup", workgroup, "--csv"]) == 0
        printed = csv.DictReader(capsys.readouterr().out.splitlines())
        return [{name: value or None for name, value in row.items()} for row in printed] == rates != []

    assert eventually(both)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("of", FORMATS)
def test_the_command_traces_the_mail_and_its_recipient(
    analyst: Analyst, of: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--stack", "Analysed", "--workgroup", analyst.outputs[f"{of}WorkGroup"], "--json"]
    assert main(["trace", analyst.message_id, *where]) == 0
    events = json.loads(capsys.readouterr().out)["rows"]
    asked = analyst.ask(of, f"EXECUTE message_trace USING '{analyst.message_id}'")
    assert [event["kind"] for event in events] == [event["kind"] for event in asked]
    recipient = next(str(event["recipient"]) for event in events if event["recipient"])
    assert main(["trace", recipient, *where]) == 0
    messages = json.loads(capsys.readouterr().out)["rows"]
    assert messages == analyst.ask(of, f"EXECUTE recipient_trace USING '{recipient}'")
    assert analyst.message_id in {message["message_id"] for message in messages}


@pytest.mark.usefixtures("shell")
def test_the_command_lists_every_query_of_the_workgroup(analyst: Analyst, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--stack", "Analysed", "--workgroup", analyst.outputs["JsonWorkGroup"]]
    assert main(["query", "--list", *where, "--json"]) == 0
    listed = {each["query"]: each["values"] for each in json.loads(capsys.readouterr().out)["rows"]}
    asked = "db", "table", "campaign"
    saved = {query.name: 0 for query in named_queries(*asked)}
    assert listed == {**saved, **{query.name: 1 for query in prepared_statements(*asked)}}


@pytest.mark.usefixtures("shell")
def test_the_documented_policy_and_the_grant_are_enough_for_the_command(
    analyst: Analyst, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["trace", analyst.message_id, "--stack", "Analysed", "--workgroup", analyst.outputs["ParquetWorkGroup"]]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", analyst.key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", analyst.key["SecretAccessKey"])
    assert main(command) == 2
    assert "docs/analytics.md has the policy" in capsys.readouterr().err
    with analyst.reading_the_stack():
        assert main(command) == 0
        assert analyst.message_id not in capsys.readouterr().err
        with analyst.without("glue:GetTable"):
            assert main(command) == 2
    assert "analytics.grant_query(role) in the CDK app gives the permission" in capsys.readouterr().err


def _actions(statement: Json) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
