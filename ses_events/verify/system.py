"""What is deployed: the configuration set, its destinations and their streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ses_events.event_names import metric_name
from ses_events.verify.account import Account, UsageError, error_code, error_message

KINDS = {
    "KinesisFirehoseDestination": "Data Firehose",
    "CloudWatchDestination": "CloudWatch",
    "SnsDestination": "SNS",
    "EventBridgeDestination": "EventBridge",
    "PinpointDestination": "Pinpoint",
}
"""The kinds of event destinations: their names in the API v2, and for people."""


@dataclass(frozen=True)
class Stream:
    """A delivery stream as it is deployed.

    :param s3: its ``ExtendedS3DestinationDescription``; None when it delivers to something else.
    """

    arn: str
    status: str
    s3: Mapping[str, Any] | None
    encryption: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the stream."""
        return self.arn.rpartition("/")[2]

    @property
    def role(self) -> str:
        """The ARN of the role with which it delivers."""
        return str((self.s3 or {}).get("RoleARN", ""))

    @property
    def json(self) -> Mapping[str, Any] | None:
        """Where it writes records as JSON: its S3 settings, or those of the backup when it converts to Parquet."""
        if self.s3 is None or not self.s3.get("DataFormatConversionConfiguration", {}).get("Enabled"):
            return self.s3
        backup = self.s3.get("S3BackupMode") == "Enabled" and self.s3.get("S3BackupDescription")
        return backup or None

    @property
    def interval(self) -> int:
        """The seconds that it collects records for before it writes them."""
        return int((self.json or {}).get("BufferingHints", {}).get("IntervalInSeconds", 300))


@dataclass(frozen=True)
class Destination:
    """An event destination as it is deployed.

    :param kind: its kind in the API v2, such as ``SnsDestination``.
    :param events: what it matches, as the metrics are named: ``Send``, ``RenderingFailure``.
    :param settings: what the API v2 says about its kind.
    :param stream: the stream it puts events into; None when it puts them elsewhere or the stream does not exist.
    """

    name: str
    kind: str
    enabled: bool
    events: tuple[str, ...]
    settings: Mapping[str, Any]
    stream: Stream | None = None

    @property
    def target(self) -> str:
        """Where its events go, for people."""
        if self.kind == "KinesisFirehoseDestination":
            if self.stream and self.stream.json:
                bucket = self.stream.json["BucketARN"].rpartition(":")[2]
                return f"s3://{bucket}/{self.stream.json.get('Prefix', '')}"
            return str(self.settings["DeliveryStreamArn"])
        if self.kind == "CloudWatchDestination":
            names = (dimension["DimensionName"] for dimension in self.settings["DimensionConfigurations"])
            return f"AWS/SES by {', '.join(names)}"
        return next((str(value) for value in self.settings.values()), "")


@dataclass(frozen=True)
class System:
    """A configuration set and its event destinations."""

    stack: str
    configuration_set: str
    destinations: tuple[Destination, ...]


def read_system(account: Account, stack: str, configuration_set: str | None) -> System:
    """What is deployed of a stack.

    :raises UsageError: when there is no such stack, or it does not say which set is meant.
    """
    found = list(_configuration_sets(account, stack))
    if configuration_set is None:
        if not found:
            raise UsageError(f"the stack {stack} has no configuration set: name one with --configuration-set")
        if len(found) > 1:
            raise UsageError(f"the stack {stack} has several sets, choose one: --configuration-set {' | '.join(found)}")
        configuration_set = found[0]
    try:
        answer = account.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=configuration_set
        )
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        raise UsageError(
            f"there is no configuration set {configuration_set} in {account.region}; deploy the stack {stack} again"
        ) from None
    destinations = [_destination(account, each) for each in answer.get("EventDestinations", [])]
    return System(stack, configuration_set, tuple(destinations))


def verified_identities(account: Account) -> list[str]:
    """The addresses and domains from which the account may send in this region."""
    identities: list[str] = []
    request: dict[str, Any] = {}
    while True:  # the API v2 has no paginator for them
        answer = account.client("sesv2").list_email_identities(PageSize=1000, **request)
        identities += [each["IdentityName"] for each in answer["EmailIdentities"] if each.get("SendingEnabled")]
        if not answer.get("NextToken"):
            return identities
        request = {"NextToken": answer["NextToken"]}


def _configuration_sets(account: Account, stack: str) -> Iterator[str]:
    """The names of the sets in a stack and in the stacks nested in it."""
    paginator = account.client("cloudformation").get_paginator("list_stack_resources")
    try:
        pages = list(paginator.paginate(StackName=stack))
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
        raise UsageError(f"there is no stack {stack} in {account.region}: {error_message(error)}") from None
    for resource in [each for page in pages for each in page["StackResourceSummaries"]]:
        if resource["ResourceStatus"] == "DELETE_COMPLETE" or not resource.get("PhysicalResourceId"):
            continue
        if resource["ResourceType"] == "AWS::SES::ConfigurationSet":
            yield resource["PhysicalResourceId"]
        if resource["ResourceType"] == "AWS::CloudFormation::Stack":
            yield from _configuration_sets(account, resource["PhysicalResourceId"])


def _destination(account: Account, described: Mapping[str, Any]) -> Destination:
    kind = next((kind for kind in KINDS if described.get(kind)), "")
    settings = described.get(kind, {})
    return Destination(
        name=described["Name"],
        kind=kind,
        enabled=described.get("Enabled", False),
        events=tuple(metric_name(event) for event in described["MatchingEventTypes"]),
        settings=settings,
        stream=_stream(account, settings["DeliveryStreamArn"]) if kind == "KinesisFirehoseDestination" else None,
    )


def _stream(account: Account, arn: str) -> Stream | None:
    name = arn.rpartition("/")[2]
    try:
        answer = account.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return None
    described = answer["DeliveryStreamDescription"]
    return Stream(
        arn=arn,
        status=described["DeliveryStreamStatus"],
        s3=described["Destinations"][0].get("ExtendedS3DestinationDescription"),
        encryption=described.get("DeliveryStreamEncryptionConfiguration", {}),
    )
