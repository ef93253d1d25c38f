"""The deployed system, as a measurement sees it."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from local_aws.cdk import Cdk
from ses_events.verify.account import Account

Json = dict[str, Any]
T = TypeVar("T")

STREAM = "AWS::KinesisFirehose::DeliveryStream"


@dataclass(frozen=True)
class Answer:
    """What AWS said to a doubt.

    :param settled: whether that settles it.
    """

    settled: bool
    text: str


@dataclass
class Field:
    """A deployed stack.

    :param express: the stack that is deployed with ``--express``.
    :param sender: who mail comes from.
    :param outputs: what the stack put out.
    :param speed: how much faster than AWS this one is: what takes minutes there is waited for as much shorter.
    """

    account: Account
    cdk: Cdk
    stack: str
    express: str
    sender: str
    outputs: dict[str, str]
    speed: float = 1

    @property
    def configuration_set(self) -> str:
        """The name of the set."""
        return self.outputs["ConfigurationSetName"]

    def client(self, service: str) -> Any:
        """A client of a service."""
        return self.account.client(service)

    def pause(self, seconds: float) -> None:
        """Wait for so long on AWS."""
        time.sleep(seconds / self.speed)

    def eventually(self, look: Callable[[], T], seconds: float = 360) -> T:
        """What ``look`` sees as soon as that is something, and at the latest after so long on AWS."""
        deadline = time.monotonic() + max(seconds / self.speed, 10)  # a machine may be busy
        while not (seen := look()) and time.monotonic() < deadline:
            self.pause(5)
        return seen

    def send(self, **request: Any) -> str:
        """Send a mail to the mailbox simulator; its message id."""
        content = {"Simple": {"Subject": {"Data": "make prove"}, "Body": {"Text": {"Data": "make prove"}}}}
        answer = self.client("sesv2").send_email(
            FromEmailAddress=self.sender,
            Destination={"ToAddresses": ["success@simulator.amazonses.com"]},
            ConfigurationSetName=self.configuration_set,
            **{"Content": content, **request},
        )
        return str(answer["MessageId"])

    def events(self, *message_ids: str) -> list[Json]:
        """The events of mails that are in the bucket."""
        lines = (line for body in self.objects("events/dt=") for line in gzip.decompress(body).splitlines())
        return [json.loads(line) for line in lines if any(each.encode() in line for each in message_ids)]

    def objects(self, prefix: str) -> Iterator[bytes]:
        """What is in the objects of the bucket under a prefix."""
        s3, bucket = self.client("s3"), self.outputs["BucketName"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for each in page.get("Contents", []):
                yield s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()

    def destinations(self) -> list[Json]:
        """The event destinations of the set, in the words of the API v2."""
        answer = self.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=self.configuration_set
        )
        return list(answer["EventDestinations"])

    def role(self, service: str) -> str:
        """The name of the role for ``ses`` or ``firehose``."""
        if service == "firehose":
            described = self.client("firehose").describe_delivery_stream(
                DeliveryStreamName=self.outputs["DeliveryStreamName"]
            )
            [found] = described["DeliveryStreamDescription"]["Destinations"]
            return str(found["ExtendedS3DestinationDescription"]["RoleARN"]).rpartition("/")[2]
        settings = [each.get("KinesisFirehoseDestination") for each in self.destinations()]
        return str(next(each["IamRoleArn"] for each in settings if each)).rpartition("/")[2]

    @contextlib.contextmanager
    def stream(self, name: str) -> Iterator[str]:
        """A delivery stream beside that of the stack, with its role and bucket, which writes at once; its ARN."""
        firehose = self.client("firehose")
        described = firehose.describe_delivery_stream(DeliveryStreamName=self.outputs["DeliveryStreamName"])
        [found] = described["DeliveryStreamDescription"]["Destinations"]
        of_stack = found["ExtendedS3DestinationDescription"]
        settings = {
            "RoleARN": of_stack["RoleARN"],
            "BucketARN": of_stack["BucketARN"],
            "Prefix": f"events/{name}/",
            "ErrorOutputPrefix": "errors/",
            "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
        }
        # Firehose itself refuses a role that IAM has not propagated.
        create = firehose.create_delivery_stream
        arn = create(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=settings)["DeliveryStreamARN"]
        try:
            yield str(arn)
        finally:
            self.active(name)  # or it cannot be deleted
            firehose.delete_delivery_stream(DeliveryStreamName=name)

    def active(self, name: str) -> bool:
        """Whether a stream becomes active."""
        describe = self.client("firehose").describe_delivery_stream

        def is_active() -> bool:
            status = describe(DeliveryStreamName=name)["DeliveryStreamDescription"]["DeliveryStreamStatus"]
            return bool(status != "CREATING")

        return self.eventually(is_active)

    def delivers(self, name: str) -> bool:
        """Whether a record that is put into a stream arrives in the bucket."""
        self.active(name)
        self.client("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"make prove\n"})
        return bool(self.eventually(lambda: list(self.objects(f"events/{name}/")), 180))


def stack_events(account: Account, stack: str) -> list[Json]:
    """The events of a stack, first first.

    :param stack: its name, or its id where it may be gone.
    """
    pages = account.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]][::-1]


def made(events: list[Json], resource_type: str) -> list[str]:
    """The physical ids of the resources of a type that were made, though they may be gone."""
    of_type = [event for event in events if event["ResourceType"] == resource_type]
    return list(dict.fromkeys(event["PhysicalResourceId"] for event in of_type if event.get("PhysicalResourceId")))


def refusals(events: list[Json]) -> list[str]:
    """Why resources of a stack failed."""
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed]
    return [reason for reason in reasons if "cancelled" not in reason]


def seconds_of(events: list[Json], resource_type: str) -> float:
    """How long the first resource of a type took to be created."""
    times: dict[str, datetime] = {}
    for event in events:
        if event["ResourceType"] == resource_type:
            times.setdefault(event["ResourceStatus"], event["Timestamp"])
    if {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"} - {*times}:
        return 0.0
    return (times["CREATE_COMPLETE"] - times["CREATE_IN_PROGRESS"]).total_seconds()
