"""The system deployed and proven on this machine: ``python -m local_aws.demo [--keep]``, from the repository's root."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from local_aws.cdk import Cdk
from local_aws.ending import drop_output, interrupt_once
from local_aws.process import LocalAws, LocalAwsError

STACK = "SesEvents"
DOMAIN = "example.com"
SPEED = 100

_RATES = ("day", "dimension_value", "sent", "delivered", "hard_bounces", "complaints")

_FOLD = textwrap.TextWrapper(80, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
T = TypeVar("T")


class NotProven(Exception):
    """Something that should have come about did not."""


class StepFailed(Exception):
    """A step of the demo failed: which one, and why."""


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.demo", description="Deploy, send mail, show its events.")
    parser.add_argument("--keep", action="store_true", help="leave it running, and print how to use it")
    keep = parser.parse_args().keep
    interrupt_once()
    try:
        demo(keep)
    except KeyboardInterrupt as interruption:
        with contextlib.suppress(OSError):  # the terminal may be closed
            print("\nInterrupted; nothing is left running.", flush=True)
        return 128 + int(interruption.args[0])
    except OSError as failure:
        drop_output()
        print(f"\nThe demo cannot go on: {failure.strerror or failure}; nothing is left running.", file=sys.stderr)
        return 1
    except (StepFailed, LocalAwsError) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return 0


def demo(keep: bool) -> None:
    """Start the local AWS, deploy, send mail, show what came of it, and take it all down.

    :raises StepFailed: when a step fails; nothing is left running then.
    """
    start = time.monotonic()
    print("Amazon SES event publishing, deployed and proven on this machine")
    print(f"(Firehose works {SPEED} times as fast here as on AWS)\n")
    with contextlib.ExitStack() as running:
        with _step("start the local AWS"):
            aws = running.enter_context(LocalAws(SPEED))
        try:
            cdk = Cdk(aws, Path.cwd())
            _deploy_and_prove(aws, cdk)
            if not keep:
                with _step("cdk destroy"):
                    cdk.destroy(STACK)
        except StepFailed as failure:
            raise StepFailed("\n".join([str(failure), *map(_FOLD.fill, aws.refusals)])) from failure
        if keep:
            print(f"\nIt keeps running until Ctrl-C. In another terminal:\n\n{aws.exports}\n")
            print(f"What SES and Firehose do is in {aws.log}", flush=True)
            while True:
                aws.require_running()
                time.sleep(0.5)
        with _step("stop"):
            running.close()
    print(f"  {'total':<62}{time.monotonic() - start:6.1f} s")


def send_mail(aws: LocalAws, configuration_set: str, **tags: str) -> str:
    """Send a mail, with tags, as ``aws ses send-email`` does; its message id."""
    answer = aws.client("ses").send_email(
        Source=f"sender@{DOMAIN}",
        Destination={"ToAddresses": [f"recipient@{DOMAIN}"]},
        Message={"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Is anybody there?"}}},
        ConfigurationSetName=configuration_set,
        Tags=[{"Name": name, "Value": value} for name, value in tags.items()],
    )
    return str(answer["MessageId"])


def archived_events(aws: LocalAws, bucket: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event in the bucket, with the key of its object."""
    s3 = aws.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for line in gzip.decompress(body).splitlines():
                yield found["Key"], json.loads(line)


def sent(aws: LocalAws, campaign: str) -> float:
    """The sum of the metric AWS/SES Send for a campaign, in the last hour."""
    now = datetime.now(timezone.utc)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SES",
        MetricName="Send",
        Dimensions=[{"Name": "campaign", "Value": campaign}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def named_query(aws: LocalAws, workgroup: str, name: str) -> dict[str, str]:
    """A query that is saved in a workgroup."""
    athena = aws.client("athena")
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=workgroup)
    ids = [query_id for page in pages for query_id in page["NamedQueryIds"]]
    queries = (athena.get_named_query(NamedQueryId=query_id)["NamedQuery"] for query_id in ids)
    return next(query for query in queries if query["Name"] == name)


def answer(athena: Any, workgroup: str, database: str, sql: str) -> list[dict[str, str | None]]:
    """The rows of a query's result, read with a boto3 client of Athena.

    :raises NotProven: when the query fails.
    """
    execution = athena.start_query_execution(
        QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] == "FAILED":
            raise NotProven(f"the query failed: {status['StateChangeReason']}")
        time.sleep(0.05)
    rows = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"]
    columns, *values = [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]
    return [dict(zip(columns, row, strict=True)) for row in values]


def _deploy_and_prove(aws: LocalAws, cdk: Cdk) -> None:
    with _step("cdk synth"):
        cdk.synth()
    with _step("cdk bootstrap"):
        cdk.bootstrap()
    with _step("cdk deploy"):
        outputs = cdk.deploy(STACK)
    with _step(f"verify the identity {DOMAIN}"):
        aws.client("sesv2").create_email_identity(EmailIdentity=DOMAIN)
    with _step("send a mail with the tag campaign=test, and one without"):
        configuration_set = outputs["ConfigurationSetName"]
        message_ids = [send_mail(aws, configuration_set, campaign="test"), send_mail(aws, configuration_set)]

    interval = _buffering_interval(aws, outputs["DeliveryStreamName"])
    with _step(f"wait for the events in S3: {interval / SPEED:g} s here, {interval} s on AWS"):
        bucket = outputs["BucketName"]
        archived = _eventually(aws, interval / SPEED, partial(_found, aws, bucket, message_ids))
    with _step("wait for the metrics in CloudWatch"):
        counts = {campaign: _eventually(aws, 0, partial(sent, aws, campaign)) for campaign in ("test", "unknown")}
        if set(counts.values()) != {1.0}:
            raise NotProven(f"each mail counts once, but the metrics are {counts}")

    with _step("ask Athena for the rates by campaign"):
        query = named_query(aws, outputs["WorkGroupName"], "daily_rates")
        rates = answer(aws.client("athena"), outputs["WorkGroupName"], query["Database"], query["QueryString"])
        if sorted(str(row["dimension_value"]) for row in rates) != sorted(counts):
            raise NotProven(f"each mail has a campaign of its own, but the rates are {rates}")

    key, event = archived[message_ids[0]]
    print(f"\nIn the bucket {bucket}:\n{key}\n{json.dumps(event, indent=2)}\n\nIn CloudWatch:")
    for campaign, count in counts.items():
        print(f"AWS/SES Send campaign={campaign}: Sum {count}")
    print(f"\nIn Athena: {query['Description']}\n{_table(rates, _RATES)}\n")


def _table(rows: list[dict[str, str | None]], columns: Sequence[str]) -> str:
    """Some columns of a result, as a table."""
    cells = [list(columns), *([row[column] or "-" for column in columns] for row in rows)]
    widths = [max(len(row[position]) for row in cells) for position in range(len(columns))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _buffering_interval(aws: LocalAws, stream: str) -> int:
    described = aws.client("firehose").describe_delivery_stream(DeliveryStreamName=stream)
    destination = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    return int(destination["BufferingHints"]["IntervalInSeconds"])


def _found(aws: LocalAws, bucket: str, message_ids: list[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Object key and Send event by message id, once all of them have arrived."""
    events = archived_events(aws, bucket)
    found = {event["mail"]["messageId"]: (key, event) for key, event in events if event["eventType"] == "Send"}
    return found if set(message_ids) <= set(found) else {}


def _eventually(aws: LocalAws, expected_seconds: float, look: Callable[[], T]) -> T:
    """What ``look`` sees as soon as that is something; it ends early when the local AWS refused anything.

    :raises NotProven: when it sees nothing.
    """
    deadline = time.monotonic() + expected_seconds + 20
    while not (seen := look()):
        if aws.refusals:
            raise NotProven("nothing arrived, because:")
        if time.monotonic() > deadline:
            raise NotProven(f"nothing arrived within {expected_seconds + 20:.0f} s")
        time.sleep(0.1)
    return seen


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """Print the name when the step begins, and its time when it is done."""
    start = time.monotonic()
    print(f"  {name:<62}", end="", flush=True)
    try:
        yield
    except BrokenPipeError:
        raise  # nobody reads that it failed
    except Exception as failure:
        print("failed", flush=True)
        raise StepFailed(f"The step '{name}' failed: {failure}") from failure
    print(f"{time.monotonic() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
