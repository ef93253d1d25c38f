"""What is to arrive: the mail for a system, and the events of it at each destination."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ses_events.verify.finding import Cause, Finding, Unseen
from ses_events.verify.s3_objects import READABLE, Json
from ses_events.verify.system import Destination, System

SCENARIOS = {
    "success": ("Send", "Delivery"),
    "bounce": ("Send", "Bounce"),
    "complaint": ("Send", "Delivery", "Complaint"),
    "suppressionlist": ("Send", "Bounce"),
}
"""The events that mail to each address of the mailbox simulator yields (SES developer guide, mailbox simulator)."""

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
    :param not_checked: why it is not looked at: nothing of this mail is to arrive, or nobody can see what does.
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
        return "not proven" if self.missing or any(cause.certain for cause in self.causes) else "proven"

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
            if not self._confirms(finding) and finding.what not in (known.what for known in self.findings):
                self.findings.append(finding)

    def _confirms(self, finding: Finding) -> bool:
        """Whether a cause about the same is known; what a log says makes it certain."""
        if not isinstance(finding, Cause) or not finding.about:
            return False
        known = [cause for cause in self.findings if isinstance(cause, Cause) and _is_about(cause, finding)]
        if finding.is_logged and finding.certain:
            for cause in known:
                self.findings[self.findings.index(cause)] = replace(cause, certain=True)
        return bool(known)


def _is_about(known: Cause, found: Cause) -> bool:
    """Whether two causes are one: a log says the kind of trouble only."""
    return found.about in (known.about, *(known.about.split()[:1] if found.is_logged else ()))


def plan_mail(
    system: System,
    scenario: str,
    sender: str,
    recipient: str,
    values: Mapping[str, str],
    default: str = TAG_VALUE,
) -> Mail:
    """Return the mail for a system: with a tag or header for each dimension of its metrics that is taken from one.

    :param values: values of dimensions that the user gives.
    :param default: the value of the other dimensions.
    """
    tags: dict[str, str] = {}
    headers: dict[str, str] = {}
    for name, source in settable_dimensions(system).items():
        (tags if source == "MESSAGE_TAG" else headers)[name] = values.get(name, default)
    return Mail(scenario, sender, recipient, tags, headers)


def settable_dimensions(system: System) -> dict[str, str]:
    """Return the dimensions that a mail decides the values of, and whether from a tag or a header."""
    return {
        dimension["DimensionName"]: dimension["DimensionValueSource"]
        for destination in system.destinations
        for dimension in destination.settings.get("DimensionConfigurations", [])
        if dimension["DimensionValueSource"] != "LINK_TAG" and not dimension["DimensionName"].startswith("ses:")
    }


def expected_seconds(checks: Iterable[Check]) -> int:
    """How long the events should take: the longest buffering interval of the streams that can be looked into."""
    streams = [check.destination.stream for check in checks if not check.not_checked]
    return max((stream.interval for stream in streams if stream), default=0)


def check_of(destination: Destination, mail: Mail) -> Check:
    """Return what a destination is to get of a mail, or why it is not looked at."""
    expected = tuple(event for event in SCENARIOS[mail.scenario] if event in destination.events)
    if destination.drift:
        return Check(destination, expected, findings=[destination.drift])
    if not destination.enabled:
        why = "it is disabled: SES publishes no event to it; if it should, enable it (enabled=True in add_destination)"
        return Check(destination, expected, why)
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
    if not expected:
        fitting = [name for name, events in SCENARIOS.items() if set(events) & set(destination.events)]
        other = f"prove it with --scenario {' or '.join(fitting)}" if fitting else "no mail to the simulator does"
        why = f"this mail yields none of the events that it matches ({', '.join(destination.events)}); {other}"
        return Check(destination, expected, why)
    return Check(destination, expected)
