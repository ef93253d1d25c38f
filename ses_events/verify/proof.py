"""The proof: one mail, and what comes of it at each event destination."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Protocol

from botocore.exceptions import ClientError

from ses_events.event_names import metric_name
from ses_events.verify.deployed import Account, Destination, System, error_code, error_message, is_denial
from ses_events.verify.diagnosis import (
    Cause,
    Finding,
    Unseen,
    metric_sums,
    why_late,
    why_not_delivered,
    why_nothing_can_arrive,
    why_refused,
)
from ses_events.verify.objects import READABLE, Folder, Json

SCENARIOS = {
    "success": ("Send", "Delivery"),
    "bounce": ("Send", "Bounce"),
    "complaint": ("Send", "Delivery", "Complaint"),
    "suppressionlist": ("Send", "Bounce"),
}
"""The events that mail to each address of the mailbox simulator yields (SES developer guide, mailbox simulator)."""

MARGIN = 300
"""Seconds that events may take beside the buffering interval: S3 and CloudWatch show them minutes late at times."""

TAG_VALUE = "verify"
"""The value of message tags that dimensions are taken from, unless the user gives another."""


@dataclass(frozen=True)
class Mail:
    """The mail that proves the system.

    :param scenario: one of SCENARIOS.
    :param tags: its message tags.
    :param headers: its headers that dimensions are taken from.
    """

    scenario: str
    sender: str
    recipient: str
    tags: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def events(self) -> set[str]:
        """The events that it yields."""
        return set(SCENARIOS[self.scenario])


@dataclass(frozen=True)
class Arrival:
    """An event at a destination.

    :param place: the object that holds it, or the metric that counts it, for people.
    :param seconds: how long after sending it was seen.
    :param record: the event itself, where it is kept.
    :param total: the sum of the metric, where it is counted.
    :param before: the sum of the same minute before the mail was sent.
    """

    place: str
    seconds: float
    record: Json | None = None
    total: float | None = None
    before: float = 0


@dataclass
class Check:
    """What a destination was to get, and what it got.

    :param expected: the events, in the order in which they come.
    :param not_checked: why nobody can look here.
    """

    destination: Destination
    expected: tuple[str, ...]
    not_checked: str | None = None
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """The events that have not come."""
        return [event for event in self.expected if event not in self.arrivals]

    @property
    def status(self) -> str:
        """``proven``, ``not checked`` or ``not proven``."""
        if self.not_checked:
            return "not checked"
        return "proven" if self.expected and not self.missing else "not proven"

    @property
    def causes(self) -> list[Cause]:
        """Why something is missing, what is certain first."""
        causes = [finding for finding in self.findings if isinstance(finding, Cause)]
        certain = [cause for cause in causes if cause.certain]
        return certain or causes

    @property
    def unseen(self) -> list[Unseen]:
        """What could not be looked at for the causes."""
        return [finding for finding in self.findings if isinstance(finding, Unseen)]

    @property
    def is_settled(self) -> bool:
        """Whether waiting longer is of no use."""
        return self.status != "not proven" or any(cause.certain for cause in self.causes)

    def found(self, findings: Iterable[Finding]) -> None:
        """Keep findings that say something new: Firehose logs the same error in many words."""
        for finding in findings:
            if finding.what not in (known.what for known in self.findings):
                self.findings.append(finding)


@dataclass
class Proof:
    """The outcome.

    :param refused: why SES did not take the mail.
    """

    system: System
    mail: Mail
    checks: list[Check]
    message_id: str | None = None
    sent: datetime | None = None
    refused: list[Finding] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether everything that can be looked at has arrived, and there was something to look at."""
        statuses = {check.status for check in self.checks}
        return self.message_id is not None and "proven" in statuses and "not proven" not in statuses


class Audience(Protocol):
    """Who is told about the progress."""

    def sent(self, proof: Proof) -> None:
        """SES has taken the mail."""

    def arrived(self, check: Check, event: str) -> None:
        """An event has arrived."""

    def waiting(self, checks: list[Check], seconds: float) -> None:
        """Some checks are open, so long after the mail was sent."""


def prove(account: Account, system: System, mail: Mail, timeout: float | None, audience: Audience) -> Proof:
    """Send the mail and wait for its events.

    :param timeout: after how many seconds what is missing is given up. Default: the longest buffering interval of the
        streams and MARGIN.
    """
    checks = [_check(destination, mail) for destination in system.destinations]
    proof = Proof(system, mail, checks)
    metrics = [_Metrics(account, system, mail, check) for check in _of(checks, "CloudWatchDestination")]
    for metric in metrics:
        metric.count_before()
    before = account.now()
    try:
        answer = _send(account, system, mail)
    except ClientError as error:
        proof.refused = list(why_refused(account, system, mail.sender, mail.recipient, error))
        return proof
    proof.message_id, proof.sent = answer["MessageId"], before
    audience.sent(proof)
    archives = [_Archive(account, proof, check) for check in _of(checks, "KinesisFirehoseDestination")]

    start = time.monotonic()
    for check in checks:
        if not check.not_checked:
            check.found(why_nothing_can_arrive(account, system, check.destination, mail.events))
    deadline = start + (timeout if timeout is not None else expected_seconds(checks) + MARGIN)
    pause = 0.1
    while True:
        records: dict[str, Json] = {}
        for archive in archives:
            _look(archive, start, audience)
            records |= {event: each.record for event, each in archive.check.arrivals.items() if each.record}
        for metric in metrics:
            metric.records = records
            _look(metric, start, audience)
        if all(check.is_settled for check in checks) or time.monotonic() >= deadline:
            break
        audience.waiting([check for check in checks if not check.is_settled], time.monotonic() - start)
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.4, 5)
    for archive in archives:
        if not archive.check.is_settled:
            archive.check.found(archive.why_late())
    return proof


def expected_seconds(checks: Iterable[Check]) -> int:
    """How long the events should take: the longest buffering interval of the streams that can be looked into."""
    streams = [check.destination.stream for check in checks if not check.not_checked]
    return max((stream.interval for stream in streams if stream), default=0)


def plan_mail(system: System, scenario: str, sender: str, recipient: str, values: Mapping[str, str]) -> Mail:
    """The mail for a system: with a tag or header for each dimension of its metrics that is taken from one.

    :param values: values of dimensions that the user gives.
    """
    tags: dict[str, str] = {}
    headers: dict[str, str] = {}
    for name, source in settable_dimensions(system).items():
        (tags if source == "MESSAGE_TAG" else headers)[name] = values.get(name, TAG_VALUE)
    return Mail(scenario, sender, recipient, tags, headers)


def settable_dimensions(system: System) -> dict[str, str]:
    """The dimensions that a mail decides the values of, and whether from a tag or a header."""
    return {
        dimension["DimensionName"]: dimension["DimensionValueSource"]
        for destination in system.destinations
        for dimension in destination.settings.get("DimensionConfigurations", [])
        if dimension["DimensionValueSource"] != "LINK_TAG" and not dimension["DimensionName"].startswith("ses:")
    }


class _Archive:
    """Looks for the events in what Firehose writes."""

    def __init__(self, account: Account, proof: Proof, check: Check) -> None:
        assert proof.sent and proof.message_id
        self.check = check
        self._account, self._since, self._message_id = account, proof.sent, proof.message_id
        self._stream = check.destination.stream
        self._events = self._errors = None
        if self._stream and self._stream.s3 and self._stream.json:
            s3, settings = account.client("s3"), self._stream.json
            self._events = Folder(s3, settings, settings.get("Prefix", ""), proof.sent)
            errors = self._stream.s3.get("ErrorOutputPrefix")
            if errors:
                self._errors = Folder(s3, self._stream.s3, errors, proof.sent)

    def look(self, seconds: float) -> None:
        """Take note of what has arrived, and of what Firehose says when something has not."""
        if not self._events or not self._stream:
            return
        try:
            for key, document in self._events.new_documents(self._account.now(), self._message_id.encode()):
                event = metric_name(str(document.get("eventType", "")))
                if document.get("mail", {}).get("messageId") == self._message_id and event in self.check.missing:
                    place = f"s3://{self._events.bucket}/{key}"
                    self.check.arrivals[event] = Arrival(place, seconds, record=document)
        except ClientError as error:
            self.check.found(_cannot_read(self._events.bucket, error))
        if self.check.missing:
            self.check.found(
                why_not_delivered(self._account, self._stream, self._errors, self._since, self._message_id)
            )

    def why_late(self) -> Iterator[Finding]:
        """What the metrics of the stream tell."""
        if self._stream:
            yield from why_late(self._account, self._stream, self._since, arrived=bool(self.check.arrivals))


class _Metrics:
    """Looks for the events in the metrics that CloudWatch keeps with exactly the dimensions of a destination."""

    def __init__(self, account: Account, system: System, mail: Mail, check: Check) -> None:
        self.check = check
        self.records: dict[str, Json] = {}
        """The events that were found in an archive; their tags have what SES itself tags."""
        self._account, self._mail = account, mail
        self._known_tags = {
            **{name: [value] for name, value in mail.tags.items()},
            "ses:configuration-set": [system.configuration_set],
            "ses:from-domain": [parseaddr(mail.sender)[1].rpartition("@")[2]],
            "ses:operation": ["SendEmail"],
        }
        self._before: dict[str, float] = {}
        self._since = account.now()

    def count_before(self) -> None:
        """Note what the metrics have counted of this minute before the mail is sent."""
        self._since = self._account.now()
        self._before = self._sums()

    def look(self, seconds: float) -> None:
        """Take note of what has been counted."""
        try:
            sums = self._sums()
        except ClientError as error:
            what = "you lack cloudwatch:GetMetricData" if is_denial(error) else error_message(error)
            self.check.found([Cause("the metrics cannot be read", what, "see the policy in docs/verify.md")])
            return
        for event, total in sums.items():
            before = self._before.get(event, 0.0)
            if total > before:
                values = " ".join(f"{name}={value}" for name, value in (self._dimensions(event) or {}).items())
                self.check.arrivals[event] = Arrival(f"AWS/SES {event} {values}", seconds, total=total, before=before)

    def _sums(self) -> dict[str, float]:
        wanted = {event: self._dimensions(event) for event in self.check.missing}
        metrics = [("AWS/SES", event, dimensions) for event, dimensions in wanted.items() if dimensions]
        sums = metric_sums(self._account, metrics, self._since)
        return {event: total for (_, event, _), total in zip(metrics, sums, strict=True)}

    def _dimensions(self, event: str) -> dict[str, str] | None:
        """The dimensions of an event's metric; None while a value is not known."""
        tags = self.records.get(event, {}).get("mail", {}).get("tags", self._known_tags)
        headers = {name.lower(): value for name, value in self._mail.headers.items()}
        dimensions = {}
        for dimension in self.check.destination.settings["DimensionConfigurations"]:
            name, source = dimension["DimensionName"], dimension["DimensionValueSource"]
            value = dimension["DefaultDimensionValue"]
            if source == "EMAIL_HEADER":
                value = headers.get(name.lower(), value)
            elif source == "MESSAGE_TAG":
                if name.startswith("ses:") and name not in tags and tags is self._known_tags:
                    return None
                value = next(iter(tags.get(name, [])), value)
            dimensions[name] = value
        return dimensions


def _of(checks: list[Check], kind: str) -> list[Check]:
    return [check for check in checks if check.destination.kind == kind and not check.not_checked]


def _check(destination: Destination, mail: Mail) -> Check:
    expected = tuple(event for event in SCENARIOS[mail.scenario] if event in destination.events)
    if destination.kind == "SnsDestination":
        why = "what a topic gets can be read by subscribing to it only, which verify does not do"
        return Check(destination, expected, why)
    if destination.kind == "EventBridgeDestination":
        why = "what a bus gets can be read by adding a rule only, which verify does not do"
        return Check(destination, expected, why)
    stream = destination.stream
    if destination.kind == "KinesisFirehoseDestination":
        if stream and stream.s3 is None:
            return Check(destination, expected, f"the stream {stream.name} does not deliver to S3")
        if stream and stream.json is None:
            why = "the stream converts to Parquet and keeps no JSON: turn its S3 backup on to see the events"
            return Check(destination, expected, why)
        compression = stream.json.get("CompressionFormat", "UNCOMPRESSED") if stream and stream.json else "GZIP"
        if compression not in READABLE:
            return Check(destination, expected, f"verify cannot read the compression {compression}")
    elif destination.kind != "CloudWatchDestination":
        return Check(destination, expected, "verify does not know this kind of destination")
    return Check(destination, expected)


def _send(account: Account, system: System, mail: Mail) -> Any:
    headers = [{"Name": name, "Value": value} for name, value in mail.headers.items()]
    text = f"ses-events verify sent this mail to prove the event publishing of {system.configuration_set}."
    content = {
        "Subject": {"Data": "ses-events verify"},
        "Body": {"Text": {"Data": text}},
        **({"Headers": headers} if headers else {}),
    }
    return account.client("sesv2").send_email(
        FromEmailAddress=mail.sender,
        Destination={"ToAddresses": [mail.recipient]},
        Content={"Simple": content},
        ConfigurationSetName=system.configuration_set,
        EmailTags=[{"Name": name, "Value": value} for name, value in mail.tags.items()],
    )


def _look(watcher: _Archive | _Metrics, start: float, audience: Audience) -> None:
    check = watcher.check
    if check.is_settled:
        return
    before = set(check.arrivals)
    watcher.look(time.monotonic() - start)
    for event in check.expected:
        if event in check.arrivals and event not in before:
            audience.arrived(check, event)


def _cannot_read(bucket: str, error: ClientError) -> Iterator[Finding]:
    if error_code(error) == "NoSuchBucket":
        fix = "make the bucket again, or deploy an archive with another one"
        yield Cause(f"the bucket {bucket} does not exist", error_message(error), fix)
    elif is_denial(error) or error_code(error).startswith("KMS"):
        fix = "let your credentials read it: the policy is in docs/verify.md (kms:Decrypt, too, when it has a key)"
        yield Cause(f"you may not read the bucket {bucket}: the events cannot be seen", error_message(error), fix)
    else:
        yield Cause(f"the bucket {bucket} cannot be read", error_message(error), "see what S3 said", certain=False)
