"""The proof: one mail, and what comes of it at each event destination."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Protocol

from botocore.exceptions import ClientError

from ses_events.record.names import metric_name
from ses_events.verify.account import Account, error_code, error_message, is_denial
from ses_events.verify.diagnose_delivery import why_late, why_nothing_can_arrive
from ses_events.verify.diagnose_log import why_not_delivered
from ses_events.verify.diagnose_sending import why_refused
from ses_events.verify.finding import Cause, Finding
from ses_events.verify.plan import Arrival, Check, Mail, check_of, expected_seconds
from ses_events.verify.s3_objects import Folder
from ses_events.verify.system import System

MARGIN = 300
"""Seconds that events may take beside the buffering interval: S3 and CloudWatch show them minutes late at times."""


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
        """Take note that an event has arrived."""

    def waiting(self, checks: list[Check], seconds: float) -> None:
        """Take note that some checks are open, so long after the mail was sent."""


def prove(account: Account, system: System, mail: Mail, timeout: float | None, audience: Audience) -> Proof:
    """Send the mail and wait for its events.

    :param timeout: after how many seconds what is missing is given up. Default: the longest buffering interval of the
        streams and MARGIN.
    """
    proof = Proof(system, mail, [check_of(each, mail) for each in system.destinations])
    watchers = _watchers(account, proof, audience)
    if not proof.message_id:
        return proof
    start = time.monotonic()
    for check in proof.checks:
        if not check.not_checked and not check.destination.drift:
            check.found(why_nothing_can_arrive(account, system, check.destination))
    _wait(watchers, proof.checks, timeout, start, audience)
    for watcher in watchers:
        watcher.last_look()
        if not watcher.check.is_settled:
            watcher.check.found(watcher.why_late(time.monotonic() - start))
    return proof


def _watchers(account: Account, proof: Proof, audience: Audience) -> list[_Archive | _Metrics]:
    """Return what looks for the events of a mail, which is sent here; nothing when SES does not take it."""
    system, mail = proof.system, proof.mail
    metrics = [_Metrics(account, system, mail, check) for check in _of(proof, "CloudWatchDestination")]
    for metric in metrics:
        metric.count_before()
    before = account.now()
    try:
        answer = _send(account, system, mail)
    except ClientError as error:
        proof.refused = list(why_refused(account, system, mail.sender, mail.recipient, error))
        return []
    proof.message_id, proof.sent = answer["MessageId"], before
    audience.sent(proof)
    archives = [_Archive(account, proof, check) for check in _of(proof, "KinesisFirehoseDestination")]
    for metric in metrics:
        metric.archives = archives
    return [*archives, *metrics]


def _wait(
    watchers: Sequence[_Archive | _Metrics],
    checks: list[Check],
    timeout: float | None,
    start: float,
    audience: Audience,
) -> None:
    """Look until everything is settled, or the time is over."""
    deadline = start + (timeout if timeout is not None else expected_seconds(checks) + MARGIN)
    pause = 0.1
    while True:
        for watcher in watchers:
            _look(watcher, start, audience)
        if all(check.is_settled for check in checks) or time.monotonic() >= deadline:
            return
        audience.waiting([check for check in checks if not check.is_settled], time.monotonic() - start)
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.4, 5)


class _Archive:
    """Looks for the events in what Firehose writes."""

    def __init__(self, account: Account, proof: Proof, check: Check) -> None:
        assert proof.sent and proof.message_id
        self.check = check
        self._account, self._since, self._message_id = account, proof.sent, proof.message_id
        self._system = proof.system
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
            self.check.found(_cannot_read(self._system.called(self._events.bucket), error))
        if self.check.missing:
            self._ask_firehose()

    def last_look(self) -> None:
        """See whether a record was put aside that came to the backup as JSON: it could not be converted then."""
        if self._stream and self._stream.json is not self._stream.s3 and self.check.arrivals:
            self._ask_firehose()

    def _ask_firehose(self) -> None:
        assert self._stream
        self.check.found(
            why_not_delivered(self._account, self._system, self._stream, self._errors, self._since, self._message_id)
        )

    def why_late(self, waited: float) -> Iterator[Finding]:
        """Yield what the stream tells of why something has not come in so many seconds."""
        if self._stream:
            arrived = bool(self.check.arrivals)
            yield from why_late(self._account, self._stream, self._since, waited, arrived=arrived)


class _Metrics:
    """Looks for the events in the metrics that CloudWatch keeps with exactly the dimensions of a destination."""

    def __init__(self, account: Account, system: System, mail: Mail, check: Check) -> None:
        self.check = check
        self.archives: list[_Archive] = []
        """What looks for the same events in archives; their tags have what SES itself tags."""
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
            fix = "see what CloudWatch said"  # not that it is denied: then there would be no count before
            self.check.found([Cause("the metrics cannot be read", error_message(error), fix, certain=False)])
            return
        for event, total in sums.items():
            before = self._before.get(event, 0.0)
            if total > before:
                values = " ".join(f"{name}={value}" for name, value in (self._dimensions(event) or {}).items())
                self.check.arrivals[event] = Arrival(f"AWS/SES {event} {values}", seconds, total=total, before=before)

    def last_look(self) -> None:
        """See nothing further: a metric has no second place."""

    def why_late(self, waited: float) -> Iterator[Finding]:
        """Yield what keeps this from looking at all, however long."""
        if any(self._dimensions(event) is None for event in self.check.missing):
            yield Cause(
                "the metric has a dimension whose value SES fills in itself, and no archive shows it",
                self.check.destination.target,
                "send the same events to an EventArchive, too",
                certain=False,
            )

    def _sums(self) -> dict[str, float]:
        wanted = {event: self._dimensions(event) for event in self.check.missing}
        metrics = [("AWS/SES", event, dimensions) for event, dimensions in wanted.items() if dimensions]
        sums = self._account.sums(metrics, self._since)
        return {event: total for (_, event, _), total in zip(metrics, sums, strict=True)}

    def _dimensions(self, event: str) -> dict[str, str] | None:
        """Return the dimensions of an event's metric; None while a value is not known."""
        records = [each.check.arrivals[event].record for each in self.archives if event in each.check.arrivals]
        tags = (records[0] or {}).get("mail", {}).get("tags", self._known_tags) if records else self._known_tags
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


def _of(proof: Proof, kind: str) -> list[Check]:
    checks = [check for check in proof.checks if not check.not_checked and not check.destination.drift]
    return [check for check in checks if check.destination.kind == kind]


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
