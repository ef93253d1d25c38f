"""Examples as a user deploys them, and the mail that goes through each."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, answer, named_query, send_mail
from ses_events.verify.cli import main
from tests.local_aws.support.deployed import Json, Route, app, deploy, events_in, eventually
from tests.support.examples import run, stacks

VIRUS = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class Example:
    """An example that is deployed, in a stage of its own: several have a stack of one name."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        aws.client("ses").verify_domain_identity(Domain=DOMAIN)
        self._resources: list[Json] = []
        for stack in stacks(run(name, cdk.Stage(app(), name.replace("_", "-")))):  # the file has them in their order
            assert deploy(aws, stack) == []
            found = aws.client("cloudformation").describe_stack_resources(StackName=stack.stack_name)
            self._resources += found["StackResources"]
            self.stack = stack.stack_name

    def of_type(self, resource_type: str, path: str = "") -> str:
        """The physical id of the one resource of a type, whose logical id starts with the words of a path."""
        [found] = [
            each["PhysicalResourceId"]
            for each in self._resources
            if each["ResourceType"] == resource_type and each["LogicalResourceId"].startswith(path)
        ]
        return str(found)


def test_minimal_archives_mail(aws: LocalAws) -> None:
    example = Example(aws, "minimal")
    bucket = example.of_type("AWS::S3::Bucket")
    configuration_set = example.of_type("AWS::SES::ConfigurationSet")
    Route(aws, configuration_set, lambda: events_in(aws, bucket))


def test_existing_parts_archives_mail_of_a_set_into_a_bucket_that_are_there(aws: LocalAws) -> None:
    aws.client("sesv2").create_configuration_set(ConfigurationSetName="newsletter")
    aws.client("s3").create_bucket(Bucket="acme-data-lake")
    Example(aws, "existing_parts")
    Route(aws, "newsletter", lambda: events_in(aws, "acme-data-lake"))
    keys = [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket="acme-data-lake")["Contents"]]
    assert all(key.startswith("ses/events/dt=") for key in keys)


def test_many_brands_archives_mail_of_each_brand_by_one_role(aws: LocalAws) -> None:
    bucket = Example(aws, "many_brands").of_type("AWS::S3::Bucket")
    acme, globex = (Route(aws, brand, lambda: events_in(aws, bucket)) for brand in ("acme", "globex"))
    sets = {event["mail"]["tags"]["ses:configuration-set"][0] for event in acme.arrived().values()}
    assert sets == {acme.configuration_set, globex.configuration_set}


def test_alarms_tells_the_topic_of_mail_that_ses_does_not_send(aws: LocalAws) -> None:
    example = Example(aws, "alarms")
    sqs, topic = aws.client("sqs"), example.of_type("AWS::SNS::Topic")
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    queue = sqs.create_queue(QueueName="on-call", Attributes={"Policy": policy})["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    aws.client("sesv2").send_email(
        FromEmailAddress=f"sender@{DOMAIN}",
        Destination={"ToAddresses": [f"recipient@{DOMAIN}"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": VIRUS}}}},
        ConfigurationSetName=example.of_type("AWS::SES::ConfigurationSet"),
        EmailTags=[{"Name": "campaign", "Value": "alarms"}],
    )

    alarm = example.of_type("AWS::CloudWatch::Alarm", "MonitoringRejects")

    def told() -> bool:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        messages = [json.loads(json.loads(message["Body"])["Message"]) for message in received]
        return (alarm, "ALARM") in [(message["AlarmName"], message["NewStateValue"]) for message in messages]

    assert eventually(told)


def test_parquet_analytics_answers_with_the_mail_just_sent_and_is_proven_by_its_backup(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = Example(aws, "parquet_analytics")
    bucket = example.of_type("AWS::S3::Bucket", "Archive")
    workgroup = example.of_type("AWS::Athena::WorkGroup")
    query = named_query(aws, workgroup, "daily_rates")

    def keys() -> list[str]:
        found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="parquet/")
        return [each["Key"] for each in found.get("Contents", [])]

    send_mail(aws, example.of_type("AWS::SES::ConfigurationSet"), campaign="spring")
    assert eventually(keys)
    rates = answer(aws.client("athena"), workgroup, query["Database"], query["QueryString"])
    assert [(row["dimension_value"], row["sent"]) for row in rates] == [("spring", "1")]

    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    code = main(["verify", "--stack", example.stack, "--from", f"verify@{DOMAIN}", "--timeout", "15", "--json"])
    outcome = json.loads(capsys.readouterr().out)
    archives = [each for each in outcome["destinations"] if each["kind"] == "KinesisFirehoseDestination"]
    assert (code, [each["status"] for each in archives]) == (0, ["proven"]), outcome
    assert set(archives[0]["arrived"]) == {"Send", "Delivery"}


def test_cross_stack_archives_mail_of_the_other_stack(aws: LocalAws) -> None:
    example = Example(aws, "cross_stack")
    bucket = example.of_type("AWS::S3::Bucket", "Archive")
    Route(aws, example.of_type("AWS::SES::ConfigurationSet"), lambda: events_in(aws, bucket))
