"""What is deployed: the configuration set, its destinations and their streams."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ses_events.record.names import metric_name
from ses_events.verify.account import Account, UsageError, error_code
from ses_events.verify.drift import Declared, declared_destinations, drift, missing
from ses_events.verify.finding import Cause
from ses_events.verify.template import Resource, Unresolved
from ses_events.verify.template import Stack as StackTemplate

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
    :param declared_backup: its ``S3BackupConfiguration`` in the stack, as far as it can be resolved.
    :param path: its construct path where it is the stack's.
    """

    arn: str
    status: str
    s3: Mapping[str, Any] | None
    encryption: Mapping[str, Any] = field(default_factory=dict)
    declared_backup: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return self.path or self.name

    def an_object(self) -> str:
        """Return the ARN of an object as the stream writes them."""
        assert self.s3
        return f"{self.s3['BucketARN']}/{self.s3.get('Prefix', '').partition('!{')[0]}event"

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
        if self.s3.get("S3BackupMode") != "Enabled":
            return None
        return self.s3.get("S3BackupDescription") or self.declared_backup or None

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
    :param path: the construct path where the stack declares it, else its name.
    :param drift: how it differs from what the stack declares.
    """

    name: str
    kind: str
    enabled: bool
    events: tuple[str, ...]
    settings: Mapping[str, Any]
    stream: Stream | None = None
    path: str = ""
    drift: Cause | None = None

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return self.path or self.name

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
    """A configuration set and its event destinations.

    :param stack: the name of the stack.
    :param paths: the construct paths of the stack's resources by their physical ids.
    :param template: what the stack declares.
    :param others: the configuration sets of the stack that are not looked at.
    :param not_compared: why some of it is not compared with the stack.
    """

    stack: str
    configuration_set: str
    destinations: tuple[Destination, ...]
    paths: Mapping[str, str] = field(default_factory=dict)
    not_compared: str = ""
    template: StackTemplate | None = None
    others: tuple[str, ...] = ()

    def called(self, name: str) -> str:
        """Return a resource as a person knows it: its construct path where it is the stack's, else its name or ARN.

        :param name: its name or ARN.
        """
        short = re.split("[:/]", name)[-1] if name.startswith("arn:") else name
        return self.paths.get(name) or self.paths.get(short) or short


def read_system(account: Account, stack_name: str, configuration_set: str | None) -> System:
    """Return what is deployed of a stack: its configuration set, or the one it adds destinations to.

    :param configuration_set: which set, where the stack has several or none: its name, or of one that the stack makes
        the logical id or construct path.
    :raises UsageError: when there is no such stack, or it is open which set is meant.
    """
    stack = StackTemplate(account, stack_name)
    declared = list(declared_destinations(stack))
    made = [resource for _, resource in stack.of_type("AWS::SES::ConfigurationSet")]
    known = list(dict.fromkeys([*(each.physical_id for each in made), *(each.configuration_set for each in declared)]))
    to_name = [name for name in known if not name.startswith("<")]
    names = [_physical_name(configuration_set, made)] if configuration_set else to_name
    called = [stack.paths.get(each) for each in to_name]
    choice = " | ".join(f"{each} ({path})" if path else each for each, path in zip(to_name, called, strict=True))
    if not names:
        raise UsageError(f"the stack {stack_name} has no configuration set: name one with --configuration-set")
    if len(names) > 1:
        raise UsageError(f"the stack {stack_name} has several sets, choose one: --configuration-set {choice}")
    [name] = names
    live = None if "/" in name else _live_destinations(account, name)  # a path that is none of the stack
    if live is None and name not in known:
        instead = f"; the stack {stack_name} has --configuration-set {choice}" if choice else ""
        raise UsageError(f"there is no configuration set {name} in {account.region}{instead}")
    of_set = {each.name: each for each in declared if each.configuration_set == name}
    lost = missing(list(of_set.values()), [each["Name"] for each in live or ()])
    backups = _declared_backups(stack)
    destinations = [
        *(_destination(account, each, each, of_set.get(each["Name"]), backups, stack.paths) for each in live or ()),
        *(
            _destination(account, {"Name": each.name, **each.definition}, None, each, backups, stack.paths)
            for each in lost
        ),
    ]
    others = tuple(each for each in known if each != name and not each.startswith("<"))
    notes = [f"the template of {name} is YAML, which verify does not read" for name in stack.unreadable]
    return System(stack_name, name, tuple(destinations), stack.paths, "; ".join(notes), stack, others)


def verified_identities(account: Account) -> list[str]:
    """Return the addresses and domains from which the account may send in this region."""
    identities: list[str] = []
    request: dict[str, Any] = {}
    while True:  # the API v2 has no paginator for them
        answer = account.client("sesv2").list_email_identities(PageSize=1000, **request)
        identities += [each["IdentityName"] for each in answer["EmailIdentities"] if each.get("SendingEnabled")]
        if not answer.get("NextToken"):
            return identities
        request = {"NextToken": answer["NextToken"]}


def _physical_name(given: str, made: Sequence[Resource]) -> str:
    """Return the name of a set that is given by its name, or by the logical id or construct path of one of the stack's.

    The path may be that of its ``EventPublishing``. An id that two sets have, as in nested stacks, is of neither.
    """
    names = {each.physical_id for each in made}
    meant = {
        each.physical_id
        for each in made
        if given in (each.logical_id, each.path, each.path.removesuffix("/ConfigurationSet"))
    }
    return meant.pop() if given not in names and len(meant) == 1 else given


def _live_destinations(account: Account, configuration_set: str) -> list[Mapping[str, Any]] | None:
    """Return the event destinations of a set in the words of the API v2; None where there is no such set."""
    try:
        answer = account.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=configuration_set
        )
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return None
    return list(answer.get("EventDestinations", []))


def _declared_backups(stack: StackTemplate) -> dict[str, Mapping[str, Any]]:
    """Return the S3 backups that a stack declares, by the names of their streams."""
    backups = {}
    for owner, resource in stack.of_type("AWS::KinesisFirehose::DeliveryStream"):
        settings = resource.properties.get("ExtendedS3DestinationConfiguration", {}).get("S3BackupConfiguration", {})
        with contextlib.suppress(Unresolved):
            backups[resource.physical_id] = owner.resolve(settings)
    return {name: backup for name, backup in backups.items() if "BucketARN" in backup}


def _destination(
    account: Account,
    described: Mapping[str, Any],
    live: Mapping[str, Any] | None,
    declared: Declared | None,
    backups: Mapping[str, Mapping[str, Any]],
    paths: Mapping[str, str],
) -> Destination:
    kind = next((kind for kind in KINDS if described.get(kind)), "")
    settings = described.get(kind, {})
    return Destination(
        name=described["Name"],
        kind=kind,
        enabled=described.get("Enabled", False),
        events=tuple(metric_name(event) for event in described["MatchingEventTypes"]),
        settings=settings,
        stream=_stream(account, settings["DeliveryStreamArn"], backups, paths)
        if "DeliveryStreamArn" in settings
        else None,
        path=declared.path if declared else "",
        drift=drift(account, declared, live) if declared else None,
    )


def _stream(
    account: Account, arn: str, backups: Mapping[str, Mapping[str, Any]], paths: Mapping[str, str]
) -> Stream | None:
    name = arn.rpartition("/")[2]
    if name.startswith("<"):
        return None  # the stack says which in a way that verify cannot tell
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
        declared_backup=backups.get(name, {}),
        path=paths.get(name, ""),
    )
