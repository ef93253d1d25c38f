"""What SES and CloudWatch accept of dimensions, and of metrics with them: a function a rule, as in ``rules``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.publishing.rules import event
from ses_events.record.names import COUNTED_AGAINST, DIMENSION_VALUE_SOURCES
from ses_events.tokens import is_deferred
from ses_events.validation import Range, Text, count, instance, option, several
from ses_events.wording import did_you_mean, shown

_DIMENSION = "ses.CloudWatchDimension(name=..., default_value=..., source=...)"

_ENDLESS = {
    "ses:sourceip",
    "ses:outgoingip",
    "ses:fromdomain",
    "messageid",
    "recipient",
    "to",
    "email",
    "emailaddress",
    "user",
    "userid",
    "customerid",
    "subject",
    "date",
}
"""Dimensions whose values never end, as ``_plain`` has them."""

_HEADERS_SES_REFUSES = {"received", "to", "from", "dkim-signature", "cc", "message-id", "return-path"}

DIMENSION_DEFAULT_VALUE = Text(
    256,
    "A-Z a-z 0-9 _ -",
    "unknown",
    source="CloudFormation schema",
    note="without the @ and . that the SES API takes",
)
RATE_PERIOD = Range(1, 10080, "minutes", source="CloudWatch API, PutMetricAlarm")
_DIMENSION_VALUE = Text(255, "A-Z a-z 0-9 _ . @ -", "spring-sale", source="SES API v2, MessageTag")
_DIMENSION_NAME = Text(256, "A-Z a-z 0-9 _ : -", "campaign", source="CloudFormation schema; SES developer guide")


def dimensions(argument: str, value: Sequence[ses.CloudWatchDimension]) -> Iterator[str]:
    """1-10 dimensions with different names for a CloudWatch destination (SES developer guide, quotas)."""
    yield from several(argument, value, f"[{_DIMENSION}]")
    if not 1 <= len(value) <= 10:
        yield f"{argument} has {len(value)} entries; give a CloudWatch destination 1-10"
    names = set()
    for position, each in enumerate(value):
        yield from dimension(f"{argument}[{position}]", each)
        if each.name in names:
            yield f"{argument}[{position}].name {each.name!r} already exists; give each dimension another name"
        names.add(each.name)


def dimension(argument: str, value: ses.CloudWatchDimension) -> Iterator[str]:
    """A ``ses.CloudWatchDimension`` with a name, a default value and a source (SES API, CloudWatchDestination)."""
    yield from instance(argument, value, ses.CloudWatchDimension, _DIMENSION)
    source = "ses.CloudWatchDimensionSource.MESSAGE_TAG"
    yield from instance(f"{argument}.source", value.source, ses.CloudWatchDimensionSource, source)
    if value.source.name not in DIMENSION_VALUE_SOURCES:
        yield f"{argument}.source {value.source.name} is unknown here; use {', '.join(DIMENSION_VALUE_SOURCES)}"
    yield from dimension_name(f"{argument}.name", value.name, value.source)
    yield from default_value(f"{argument}.default_value", value.default_value)


def default_value(argument: str, value: str) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ -, without the @ and . that the SES API takes (CloudFormation schema)."""
    yield from instance(argument, value, str, "a string such as 'unknown'")
    yield from DIMENSION_DEFAULT_VALUE(argument, value)


def dimension_name(argument: str, value: str, source: ses.CloudWatchDimensionSource) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ : -, and no header that SES reserves (CloudFormation schema; SES developer guide)."""
    yield from instance(argument, value, str, "a string such as 'campaign'")
    yield from _DIMENSION_NAME(argument, value)
    if source == ses.CloudWatchDimensionSource.EMAIL_HEADER and value.lower() in _HEADERS_SES_REFUSES:
        yield (
            f"{argument} {value!r} is a header that SES does not accept as a dimension; use another header or a "
            "message tag"
        )
    if source != ses.CloudWatchDimensionSource.MESSAGE_TAG and value.startswith("ses:"):
        yield f"{argument} {value!r} is a message tag of SES; use source=ses.CloudWatchDimensionSource.MESSAGE_TAG"


def metric_dimensions(argument: str, value: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    """A value for exactly the dimensions that SES publishes, 1-255 of A-Z a-z 0-9 _ . @ - but for SES's own tags
    (CloudWatch user guide, dimensions; SES API v2, MessageTag).
    """
    yield from instance(argument, value, Mapping, f"a mapping such as {dict.fromkeys(names, '...')}")
    for missing in [wanted for wanted in names if wanted not in value]:
        yield f"{argument} lacks {missing!r}; the metric carries all of {list(names)}, so give a value for each"
    for given, dimension_value in value.items():
        name = shown(given)
        where = f"{argument}[{name}]"
        if given not in names:
            meant = did_you_mean(name.strip("'"), names)
            yield f"{argument} has {name}, which the metric does not carry; {meant}"
        yield from instance(where, dimension_value, str, "a string such as 'spring'")
        if not 1 <= len(dimension_value) <= 255 and not cdk.Token.is_unresolved(dimension_value):
            yield f"{where} has {len(dimension_value)} characters; use 1-255"
        elif not name.startswith("'ses:"):  # whose values SES makes
            yield from _DIMENSION_VALUE(where, dimension_value)


def oddities_of_dimensions(
    value: Sequence[ses.CloudWatchDimension], events: Collection[ses.EmailSendingEvent]
) -> Iterator[tuple[str, str]]:
    """Yield what SES accepts of dimensions and hardly anybody wants: the id of a warning and its text."""
    for dimension in value:
        if _plain(dimension.name) in _ENDLESS:
            yield (
                "ses-events:endless-dimension",
                f"the dimension {dimension.name!r} takes new values without end, and CloudWatch bills each event type "
                "with each value as a custom metric; count by something that has few values",
            )
        if dimension.source == ses.CloudWatchDimensionSource.LINK_TAG and ses.EmailSendingEvent.CLICK not in events:
            yield (
                "ses-events:link-tag-without-click",
                f"the dimension {dimension.name!r} is a link tag, which only Click events have, and Click is not "
                "published here: every event counts under the default value",
            )


def event_of_a_rate(argument: str, value: ses.EmailSendingEvent) -> Iterator[str]:
    """An event that is counted against sends or deliveries (SES developer guide, event publishing)."""
    yield from event(argument, value)
    if value.name not in COUNTED_AGAINST:
        yield f"{argument} {value.name} is not counted as a share of mail; use {', '.join(COUNTED_AGAINST)}"


def minimum(argument: str, value: int) -> Iterator[str]:
    """A whole number from 1 that is known at synth (CloudWatch user guide, metric math)."""
    if is_deferred(value):
        yield f"{argument} is known at deployment only, but metric math needs the number at synth; write it out"
    yield from count(argument, value)


def rate_period(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """1-10080 whole minutes, known at synth (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.days(1)")
    if value is not None and value.is_unresolved():
        yield f"{argument} is known at deployment only, but CDK needs it at synth to make a metric; write it out"
    yield from RATE_PERIOD(argument, value)


def _plain(name: str) -> str:
    """X-Message-ID, message_id and messageId are one."""
    return name.lower().removeprefix("x-").replace("-", "").replace("_", "")
