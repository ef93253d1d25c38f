"""What tests look at in a system that is deployed, and what they take away from it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import aws_cdk as cdk
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.demo import archived_events, send_mail

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE = 30
"""Seconds after which something that must come is missed; only a failing test waits so long."""


def eventually(look: Callable[[], T]) -> T:
    """What ``look`` sees as soon as that is something, and at the latest when patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def app() -> cdk.App:
    """An app whose stacks ``deploy`` can deploy."""
    # Other tests validate the templates of all features, which takes CDK seconds.
    return cdk.App(
        analytics_reporting=False,
        context={"aws:cdk:enable-path-metadata": True},  # as the CDK CLI does
        builtin_cloud_formation_validation=False,
        default_stack_synthesizer=cdk.BootstraplessSynthesizer(),
    )


def deploy(aws: LocalAws, stack: cdk.Stack, mode: str = "STANDARD") -> list[str]:
    """Create or update a stack, and wait for the end; why resources of it failed this time.

    :param mode: EXPRESS for what ``cdk deploy --express`` does.

    The CDK CLI does the same, with more checks, in more than ten times as long; the test of the demo shows that it can.
    """
    stage = cdk.Stage.of(stack)
    assert stage
    cloudformation, name = aws.client("cloudformation"), stack.stack_name
    template = json.dumps(stage.synth().get_stack_by_name(name).template)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="templates")  # a call takes a template of 51,200 bytes, a file may have a million
    s3.put_object(Bucket="templates", Key=name, Body=template)
    known = len(_stack_events(aws, name)) if _exists(aws, name) else 0
    change = cloudformation.update_stack if known else cloudformation.create_stack
    change(
        StackName=name,
        TemplateURL=f"{aws.url}/templates/{name}",
        Capabilities=["CAPABILITY_IAM"],
        DeploymentConfig={"Mode": mode},
    )

    def finished() -> bool:
        [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return not str(found["StackStatus"]).endswith("_IN_PROGRESS")

    assert eventually(finished)
    return [
        event["ResourceStatusReason"]
        for event in _stack_events(aws, name)[: -known or None]
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack"
    ]


def outputs_of(aws: LocalAws, stack: cdk.Stack) -> dict[str, str]:
    """The outputs of a stack that is deployed."""
    [found] = aws.client("cloudformation").describe_stacks(StackName=stack.stack_name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


class Route:
    """The way of events from a configuration set to one place, timed with a first mail.

    :param arrived: the Send events that are in that place, by message id.
    """

    def __init__(self, aws: LocalAws, configuration_set: str, arrived: Callable[[], dict[str, Json]]) -> None:
        self._aws = aws
        self.configuration_set = configuration_set
        self.arrived = arrived
        start = time.monotonic()
        assert self.arrives(self.send(campaign="control"))
        self._control_seconds = time.monotonic() - start

    def send(self, **tags: str) -> str:
        """Send a mail; its message id."""
        return send_mail(self._aws, self.configuration_set, **tags)

    def arrives(self, message_id: str) -> bool:
        return bool(eventually(lambda: message_id in self.arrived()))

    def stays_out(self, message_id: str) -> bool:
        """Whether an event is not there after twice the time that the first mail took."""
        time.sleep(2 * self._control_seconds)
        return message_id not in self.arrived()


class Queue:
    """An SQS queue, and the Send events that have been received from it.

    :param event: how to get the event of SES out of a message; None where it holds none.
    """

    def __init__(self, aws: LocalAws, url: str, event: Callable[[Json], Json | None]) -> None:
        self._sqs = aws.client("sqs")
        self._url = url
        self._event = event
        self.messages: dict[str, Json] = {}
        """Each message with a Send event as the queue had it, by the message id of the mail."""
        self._events: dict[str, Json] = {}

    def events(self) -> dict[str, Json]:
        """The Send events received so far, by message id."""
        for received in self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            message = json.loads(received["Body"])
            event = self._event(message)
            if event and event["eventType"] == "Send":
                self.messages[event["mail"]["messageId"]] = message
                self._events[event["mail"]["messageId"]] = event
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=received["ReceiptHandle"])
        return self._events


class Stream:
    """A delivery stream."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        described = aws.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
        destination = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
        options = destination["CloudWatchLoggingOptions"]
        self._log = {"logGroupName": options["LogGroupName"], "logStreamName": options["LogStreamName"]}
        self._logs = aws.client("logs")
        self.role: str = destination["RoleARN"].rpartition("/")[2]
        """The name of its role."""

    def errors(self) -> list[str]:
        """The messages in its error log."""
        return [json.loads(event["message"])["message"] for event in self._logs.get_log_events(**self._log)["events"]]

    def forget_errors(self) -> None:
        """Empty its error log."""
        self._logs.delete_log_stream(**self._log)
        self._logs.create_log_stream(**self._log)


def events_in(aws: LocalAws, bucket: str) -> dict[str, Json]:
    """The Send events in a bucket, by message id."""
    events = (event for _, event in archived_events(aws, bucket) if event["eventType"] == "Send")
    return {event["mail"]["messageId"]: event for event in events}


def sum_of(aws: LocalAws, namespace: str, metric: str, **dimensions: str) -> float:
    """What a metric counted in the last hour."""
    now = datetime.now(timezone.utc)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def event_destinations(aws: LocalAws, configuration_set: str) -> list[Json]:
    """The event destinations of a configuration set, in the words of the API v2."""
    answer = aws.client("sesv2").get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
    return list(answer["EventDestinations"])


def ses_role(aws: LocalAws, configuration_set: str) -> str:
    """The ARN of the role with which SES puts the events of a set into a stream."""
    destinations = event_destinations(aws, configuration_set)
    [role] = {d["KinesisFirehoseDestination"]["IamRoleArn"] for d in destinations if "KinesisFirehoseDestination" in d}
    return str(role)


def refusals(aws: LocalAws, *words: str) -> list[str]:
    """Lines of the server's log about something refused, with all these words."""
    return [line for line in aws.refusals if all(word in line for word in words)]


@contextlib.contextmanager
def without_action(aws: LocalAws, role: str, action: str) -> Iterator[None]:
    """Take an action out of the inline policies of a role."""
    iam = aws.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    holding = {name: policy for name, policy in policies.items() if action in json.dumps(policy)}
    assert holding, f"{role} has no {action}"

    def put(name: str, policy: Json) -> None:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))

    for name, policy in holding.items():
        rest = [statement for each in policy["Statement"] if (statement := _without(each, action))["Action"]]
        if rest:
            put(name, {**policy, "Statement": rest})
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
    try:
        yield
    finally:
        for name, policy in holding.items():
            put(name, policy)


def _exists(aws: LocalAws, stack_name: str) -> bool:
    try:
        return bool(aws.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"])
    except ClientError:
        return False


def _stack_events(aws: LocalAws, stack_name: str) -> list[Json]:
    """The events of a stack, latest first; none when there is no stack."""
    try:
        pages = aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_name)
        return [event for page in pages for event in page["StackEvents"]]
    except ClientError:
        return []


def _without(statement: Json, action: str) -> Json:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return {**statement, "Action": [kept for kept in actions if kept != action]}
