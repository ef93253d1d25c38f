"""The same events in four layouts, deployed: whoever may query gets the same rows from each saved query."""

from __future__ import annotations

import datetime
import gzip
import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from local_aws import LocalAws
from local_aws.demo import answer
from ses_events import EventAnalytics, StoredEvents
from tests.local_aws.support.deployed import app, deploy, outputs_of
from tests.support.event_records import bounce, click, complaint, delivery, mail, opened, send, tags
from tests.support.stored_table import LAYOUTS

BUCKET = "events-of-2016"
STATEMENTS = {"message_trace": "layout-7", "recipient_trace": "7@example.com"}


@pytest.fixture(scope="module")
def deployed(aws: LocalAws) -> dict[str, str]:
    """The outputs of a stack with questions to each layout, of one bucket that was there before."""
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET)
    now = datetime.datetime.now(datetime.timezone.utc)
    for number, folder in enumerate(LAYOUTS.values()):
        for key, content in _objects(now, f"{number}/{folder}").items():
            client.put_object(Bucket=BUCKET, Key=key, Body=content)
        client.put_object(Bucket=BUCKET, Key=f"{number}/errors/x", Body=b"no event")
    stack = cdk.Stack(app(), "Layouts")
    analyst = iam.User(stack, "Analyst")
    cdk.CfnOutput(stack, "AnalystName", value=analyst.user_name)
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", BUCKET)
    results = s3.Bucket(stack, "Results")
    for number, prefix in enumerate(LAYOUTS):
        events = StoredEvents(bucket, f"{number}/{prefix}")
        analytics = EventAnalytics(stack, f"Layout{number}", archive=events, results_bucket=results)
        analytics.grant_query(analyst)
        cdk.CfnOutput(stack, f"WorkGroup{number}", value=analytics.workgroup.ref)
        cdk.CfnOutput(stack, f"Database{number}", value=analytics.database_name)
    assert deploy(aws, stack) == []
    return outputs_of(aws, stack)


def test_every_saved_query_gives_the_same_rows(aws: LocalAws, deployed: dict[str, str]) -> None:
    key = aws.client("iam").create_access_key(UserName=deployed["AnalystName"])["AccessKey"]
    athena = aws.client("athena", key["AccessKeyId"], key["SecretAccessKey"])
    answers = []
    for number in range(len(LAYOUTS)):
        workgroup, database = deployed[f"WorkGroup{number}"], deployed[f"Database{number}"]
        ids = athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]
        queries = [athena.get_named_query(NamedQueryId=each)["NamedQuery"] for each in ids]
        asked = {each["Name"]: each["QueryString"] for each in queries}
        asked |= {name: f"EXECUTE {name} USING '{value}'" for name, value in STATEMENTS.items()}
        asked["view"] = "SELECT kind, recipient, event_at FROM recipient_events ORDER BY 1, 2, 3"
        answers.append({name: answer(athena, workgroup, database, asked[name]) for name in sorted(asked)})
    assert len(answers[0]) == 14
    assert answers[0]["daily_rates"] and len(answers[0]["view"]) == 200
    for each in answers[1:]:
        assert each == answers[0]


def _objects(now: datetime.datetime, folder: str) -> dict[str, bytes]:
    """200 events of the last three days: what the queries ask for of them is the same until tomorrow, too."""
    lines: dict[str, list[str]] = {}
    for number in range(40):
        at = now - datetime.timedelta(hours=1 + number * 1.5)
        time, to = at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), f"{number}@example.com"
        of = mail(f"layout-{number}", time, to, tags=tags(campaign=f"c{number % 3}"))
        outcome = (
            bounce(of, time, "Permanent/General", {"emailAddress": to, "action": "failed", "status": "5.1.1"})
            if number % 5 == 0
            else delivery(of, time, number, to)
        )
        for record in (
            send(of),
            outcome,
            opened(of, time),
            click(of, time, "https://example.com/"),
            complaint(of, time, to),
        ):
            lines.setdefault(f"{at.strftime(folder)}events-1.gz", []).append(json.dumps(record))
    return {key: gzip.compress("\n".join(of).encode()) for key, of in lines.items()}
