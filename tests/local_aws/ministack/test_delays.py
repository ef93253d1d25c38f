"""The order of creation, on an AWS where roles and delivery streams take their time.

On AWS a service knows a new role after some 20 s, and a stream is ACTIVE after 30 s or more: here 25 times as fast.
What must come too early is tried with the 20 s of AWS: no machine is so slow that it comes late enough.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from botocore.exceptions import ClientError

from local_aws import LocalAws
from ses_events import EventPublishing, FirehoseDestination, SesEventsStack
from ses_events.stack import CAMPAIGN
from tests.local_aws.support.deployed import app, deploy, eventually

IAM_SECONDS, STREAM_SECONDS = 20 / 25, 30 / 25
STREAM = "arn:aws:firehose:us-east-1:000000000000:deliverystream"
NO_ACCESS = "Could not access Kinesis Firehose Stream <{}> using IAM role <{}>."
NOT_ASSUMED = "Could not assume IAM role <arn:aws:iam::000000000000:role/"


@pytest.fixture
def slow(aws: LocalAws) -> Iterator[None]:
    with _slow(aws):
        yield


@pytest.fixture
def slow_roles(aws: LocalAws) -> Iterator[None]:
    with _slow(aws, iam=20):
        yield


@pytest.fixture(scope="module")
def reference_failures(aws: LocalAws) -> list[str]:
    """What failed when the reference stack was deployed for the first time, with a role for sets to come."""
    with _slow(aws):
        return deploy(aws, _reference())


def test_the_reference_stack_deploys_first_time(reference_failures: list[str]) -> None:
    assert reference_failures == []


@pytest.mark.usefixtures("slow_roles")
def test_the_same_system_of_cdk_l2s_does_not(aws: LocalAws) -> None:
    [failure] = deploy(aws, _l2s("Slow"))
    assert NOT_ASSUMED in failure


def test_nothing_but_the_delay_is_wrong_with_the_l2s(aws: LocalAws) -> None:
    assert deploy(aws, _l2s("Fast")) == []


@pytest.mark.usefixtures("slow_roles", "reference_failures")
def test_a_set_added_later_fails_with_a_role_of_its_own(aws: LocalAws) -> None:
    def add_set(stack: SesEventsStack) -> None:
        publishing = EventPublishing(stack, "Later")
        publishing.add_destination("ToArchive", FirehoseDestination(stack.archive))

    [failure] = deploy(aws, _reference(add_set))
    assert NOT_ASSUMED in failure


@pytest.mark.usefixtures("slow", "reference_failures")
def test_a_set_added_later_works_with_the_role_of_the_archive(aws: LocalAws) -> None:
    def add_set(stack: SesEventsStack) -> None:
        publishing = EventPublishing(stack, "Later")
        publishing.add_destination("ToArchive", FirehoseDestination.with_shared_role(stack.archive))

    assert deploy(aws, _reference(add_set)) == []


@pytest.mark.usefixtures("reference_failures")
def test_a_policy_takes_as_long_as_a_role(aws: LocalAws) -> None:
    [name] = [name for name in _streams(aws) if "Reference" in name]
    stream, role = f"{STREAM}/{name}", _role(aws, "late-policy")
    time.sleep(IAM_SECONDS)  # the role alone is known now
    with _slow(aws):
        start = time.monotonic()
        _permit(aws, "late-policy", stream)

        def accepted() -> bool:
            reason = _refusal(aws, "late-policy", stream, role)
            assert reason in ("", NO_ACCESS.format(stream, role))
            return not reason

        assert eventually(accepted)
        assert time.monotonic() - start >= IAM_SECONDS


def test_a_stream_takes_no_events_while_it_is_created(aws: LocalAws) -> None:
    service, role = aws.client("firehose"), _role(aws, "early-policy")
    _permit(aws, "early-policy", f"{STREAM}/taking-*")

    def create(name: str) -> str:
        destination = {"BucketARN": "arn:aws:s3:::any", "RoleARN": role}
        service.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
        return f"{STREAM}/{name}"

    def status(name: str) -> str:
        described = service.describe_delivery_stream(DeliveryStreamName=name)
        return str(described["DeliveryStreamDescription"]["DeliveryStreamStatus"])

    try:
        aws.set_delays(stream=3600)
        stream = create("taking-long")
        assert _refusal(aws, "early-policy", stream, role) == NO_ACCESS.format(stream, role)
        assert status("taking-long") == "CREATING"
        aws.set_delays(stream=STREAM_SECONDS)
        start = time.monotonic()
        stream = create("taking-time")
        assert eventually(lambda: status("taking-time") == "ACTIVE")
        assert time.monotonic() - start >= STREAM_SECONDS
        assert _refusal(aws, "early-policy", stream, role) == ""
    finally:
        aws.set_delays()


def _reference(add: Callable[[SesEventsStack], None] = lambda stack: None) -> cdk.Stack:
    stack = SesEventsStack(app(), "Reference")
    FirehoseDestination.with_shared_role(stack.archive)
    add(stack)
    return stack


def _l2s(name: str) -> cdk.Stack:
    """The system of the reference stack as CDK's own constructs make it."""
    stack = cdk.Stack(app(), name)
    bucket = firehose.S3Bucket(s3.Bucket(stack, "Bucket"), compression=firehose.Compression.GZIP)
    stream = firehose.DeliveryStream(stack, "Stream", destination=bucket)
    configuration_set = ses.ConfigurationSet(stack, "Set")
    to_stream = ses.EventDestination.firehose_delivery_stream(delivery_stream=stream)
    configuration_set.add_event_destination("ToArchive", destination=to_stream)
    to_metrics = ses.EventDestination.cloud_watch_dimensions([CAMPAIGN])
    configuration_set.add_event_destination("ToMetrics", destination=to_metrics)
    return stack


def _role(aws: LocalAws, name: str) -> str:
    """The ARN of a new role for SES that may do nothing, beside a configuration set of the same name."""
    aws.client("sesv2").create_configuration_set(ConfigurationSetName=name)
    trust = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]
    return str(role["Arn"])


def _permit(aws: LocalAws, role: str, stream: str) -> None:
    put = {"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": stream}
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="Put", PolicyDocument=_document(put))


def _refusal(aws: LocalAws, configuration_set: str, stream: str, role: str) -> str:
    """Why an event destination is refused, or nothing."""
    try:
        aws.client("sesv2").create_configuration_set_event_destination(
            ConfigurationSetName=configuration_set,
            EventDestinationName="archive",
            EventDestination={
                "MatchingEventTypes": ["SEND"],
                "KinesisFirehoseDestination": {"IamRoleArn": role, "DeliveryStreamArn": stream},
            },
        )
    except ClientError as refused:
        return str(refused.response["Error"]["Message"])
    return ""


def _streams(aws: LocalAws) -> list[str]:
    return list(aws.client("firehose").list_delivery_streams(Limit=100)["DeliveryStreamNames"])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextlib.contextmanager
def _slow(aws: LocalAws, iam: float = IAM_SECONDS) -> Iterator[None]:
    aws.set_delays(iam=iam, stream=STREAM_SECONDS)
    try:
        yield
    finally:
        aws.set_delays()
