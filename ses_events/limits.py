"""What SES, CloudWatch, Firehose and S3 accept: a rule a function, whose text is the rule and, in brackets, its source.

docs/limits.md is the table of these rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Any, Protocol

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.location import environment_of
from ses_events.record.names import COUNTED_AGAINST, DIMENSION_VALUE_SOURCES
from ses_events.validation import (
    amount,
    closest,
    did_you_mean,
    instance,
    instead_of,
    interface,
    one_of,
    option,
    optional_interface,
    several,
    some_id,
    text,
)

if TYPE_CHECKING:
    from aws_cdk import aws_events as events_
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef

    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.archive.archive import EventArchive
    from ses_events.archive.formats import ParquetFormat
    from ses_events.publishing.destination import EventDestination
    from ses_events.publishing.publishing import EventPublishing

PAUSES = {"bounce_rate": 0.1, "complaint_rate": 0.005}
"""Where AWS may pause the sending of an account."""

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

_HOST = r"(?!.{254})(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})"
_REGIONS_WITHOUT_CONFIGURATION_SETS = {
    "ap-east-1",
    "ap-east-2",
    "ap-southeast-4",
    "ap-southeast-6",
    "ap-southeast-7",
    "eu-south-2",
    "mx-central-1",
}
_HEADERS_SES_REFUSES = {"received", "to", "from", "dkim-signature", "cc", "message-id", "return-path"}
_ERROR_OUTPUT_TYPE = "!{firehose:error-output-type}"
TOKEN = re.compile(r"\$\{Token\[[^]]*\]\}")
"""What CDK writes for a part of a text that is known at deployment only."""
_NO_PATTERN_LETTER = re.compile("[CIJPRTUbfijlort{#']")
"""What no pattern of Java's DateTimeFormatter has outside quoted text."""


def name(argument: str, value: str | None) -> Iterator[str]:
    """1-64 of A-Z a-z 0-9 _ - (CloudFormation schema; SES developer guide, quotas)."""
    return text(argument, value, 64, "A-Z a-z 0-9 _ -", "my-set")


def delivery_stream_name(argument: str, value: str | None) -> Iterator[str]:
    """1-64 of A-Z a-z 0-9 . _ - (Firehose API, CreateDeliveryStream)."""
    return text(argument, value, 64, "A-Z a-z 0-9 . _ -", "ses-events")


def destination_id(construct_id: str, taken: Collection[str]) -> Iterator[str]:
    """An id that is new in the construct (AWS CDK)."""
    yield from some_id(construct_id, "ToArchive")
    if construct_id.replace("/", "--") in taken:  # as CDK writes it
        yield f"construct_id {construct_id!r} is taken in this scope; use another one"


def destination_name(value: str | None, others: Collection[str | None]) -> Iterator[str]:
    """1-64 of A-Z a-z 0-9 _ -, other than the other names of the set, which has at most 10 destinations (CloudFormation
    schema; SES developer guide, quotas).
    """
    yield from name("name", value)
    if value is not None and value in others:
        yield f"name {value!r} belongs to another event destination of this configuration set; use another one"
    if len(others) >= 10:
        yield "this would be event destination 11, and SES takes 10 for a configuration set; use a second set"


def events(argument: str, value: Collection[ses.EmailSendingEvent]) -> Iterator[str]:
    """At least one of ``ses.EmailSendingEvent`` (SES API, MatchingEventTypes)."""
    yield from several(argument, value, "[ses.EmailSendingEvent.SEND]")
    for position, each in enumerate(value):
        yield from event(f"{argument}[{position}]", each)
    if not value:
        yield f"{argument} is empty, and SES takes no destination without events; name one or leave the argument out"


def event(argument: str, value: ses.EmailSendingEvent) -> Iterator[str]:
    """One of ``ses.EmailSendingEvent`` (SES API, MatchingEventTypes)."""
    if not isinstance(value, ses.EmailSendingEvent):
        names = [known.name for known in ses.EmailSendingEvent]
        meant = closest(str(value).upper(), names) or names[0]
        yield from instance(argument, value, ses.EmailSendingEvent, f"ses.EmailSendingEvent.{meant}")


def dimensions(argument: str, value: Sequence[ses.CloudWatchDimension]) -> Iterator[str]:
    """1-10 dimensions with different names for a CloudWatch destination (SES developer guide, quotas)."""
    yield from several(argument, value, f"[{_DIMENSION}]")
    if not 1 <= len(value) <= 10:
        yield f"{argument} has {len(value)} entries; give a CloudWatch destination 1-10"
    names = set()
    for position, each in enumerate(value):
        yield from dimension(f"{argument}[{position}]", each)
        if each.name in names:
            yield f"{argument}[{position}].name {each.name!r} is there already; give each dimension another name"
        names.add(each.name)


def dimension(argument: str, value: ses.CloudWatchDimension) -> Iterator[str]:
    """A ``ses.CloudWatchDimension`` with a name, a default value and a source (SES API, CloudWatchDestination)."""
    yield from instance(argument, value, ses.CloudWatchDimension, _DIMENSION)
    source = "ses.CloudWatchDimensionSource.MESSAGE_TAG"
    yield from instance(f"{argument}.source", value.source, ses.CloudWatchDimensionSource, source)
    if value.source.name not in DIMENSION_VALUE_SOURCES:
        yield f"{argument}.source {value.source.name} is unknown here; use {', '.join(DIMENSION_VALUE_SOURCES)}"
    yield from dimension_name(f"{argument}.name", value.name, value.source)
    yield from dimension_default_value(f"{argument}.default_value", value.default_value)


def dimension_name(argument: str, value: str, source: ses.CloudWatchDimensionSource) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ : -, and no header that SES reserves (CloudFormation schema; SES developer guide)."""
    yield from instance(argument, value, str, "a string such as 'campaign'")
    yield from text(argument, value, 256, "A-Z a-z 0-9 _ : -", "campaign")
    if source == ses.CloudWatchDimensionSource.EMAIL_HEADER and value.lower() in _HEADERS_SES_REFUSES:
        yield f"{argument} {value!r} is a header SES takes no dimension from; use another header or a message tag"


def dimension_default_value(argument: str, value: str) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ -, without the @ and . that the SES API takes (CloudFormation schema)."""
    return text(argument, value, 256, "A-Z a-z 0-9 _ -", "unknown")


def metric_dimensions(argument: str, value: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    """A value for exactly the dimensions that SES publishes (CloudWatch user guide, dimensions)."""
    yield from instance(argument, value, Mapping, f"a mapping such as {dict.fromkeys(names, '...')}")
    for missing in [wanted for wanted in names if wanted not in value]:
        yield f"{argument} lacks {missing!r}; the metric carries all of {list(names)}, so give a value for each"
    for given, dimension_value in value.items():
        if given not in names:
            yield f"{argument} has {given!r}, which the metric does not carry; {did_you_mean(str(given), names)}"
        yield from instance(f"{argument}[{given!r}]", dimension_value, str, "a string such as 'spring'")
        if not 1 <= len(dimension_value) <= 255 and not cdk.Token.is_unresolved(dimension_value):
            yield f"{argument}[{given!r}] has {len(dimension_value)} characters; use 1-255"


def oddities_of_dimensions(
    value: Sequence[ses.CloudWatchDimension], events: Collection[ses.EmailSendingEvent]
) -> Iterator[tuple[str, str]]:
    """What SES accepts of dimensions and hardly anybody wants: the id of a warning and its text."""
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
        yield f"{argument} {value.name} is no share of mail; use {', '.join(COUNTED_AGAINST)}"


def event_of_the_account(argument: str, value: ses.EmailSendingEvent) -> Iterator[str]:
    """An event that SES counts without an event destination (SES developer guide, monitoring with CloudWatch)."""
    yield from event(argument, value)
    if value.name not in {"SEND", *COUNTED_AGAINST} - {"DELIVERY_DELAY"}:
        yield f"{argument} {value.name} is counted for event destinations only; use CloudWatchDestination"


def count(argument: str, value: int) -> Iterator[str]:
    """A whole number from 1 (CloudWatch API, PutMetricAlarm)."""
    if _is_deferred(value):
        return
    yield from _number(argument, value, "a whole number such as 100", int)
    if value < 1:
        yield f"{argument} {value} is out of range; use a whole number from 1"


def minimum(argument: str, value: int) -> Iterator[str]:
    """A whole number from 1 that is known at synth (CloudWatch user guide, metric math)."""
    if _is_deferred(value):
        yield f"{argument} is known at deployment only, and metric math holds it as text; write it out"
    yield from count(argument, value)


def rate_period(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """1-10080 whole minutes, known at synth (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.days(1)")
    if value is not None and value.is_unresolved():
        yield f"{argument} is known at deployment only, and CDK makes no metric of it; write it out"
    yield from amount(argument, value, cdk.Duration.to_minutes, 1, 10080, "minutes")


def reputation_threshold(argument: str, value: float) -> Iterator[str]:
    """A fraction, below the rate at which AWS may pause sending: 0.1 of bounces, 0.005 of complaints (SES developer
    guide, reputation metrics).
    """
    most = PAUSES[argument]
    yield from _number(argument, value, f"a fraction such as {most / 2:g}, which is {most * 50:g} %")
    if 0 < value <= most or cdk.Token.is_unresolved(value):
        return
    meant = f"did you mean {value / 100:g}, which is {value:g} %?" if 0 < value / 100 <= most else f"use at most {most}"
    yield f"{argument} {value:g} is not above 0 and at most {most}, where AWS may pause sending; {meant}"


def share(argument: str, value: float) -> Iterator[str]:
    """A fraction above 0 and at most 1 (Firehose developer guide, best practices with alarms)."""
    yield from _number(argument, value, "a fraction such as 0.8, which is 80 %")
    if not 0 < value <= 1 and not cdk.Token.is_unresolved(value):
        meant = f"did you mean {value / 100:g}, which is {value:g} %?" if 0 < value <= 100 else "use for example 0.8"
        yield f"{argument} {value:g} is no fraction above 0 and at most 1; {meant}"


def archive_delay(argument: str, value: cdk.Duration | None, archive: EventArchive | None) -> Iterator[str]:
    """60-86400 whole seconds: after a day Firehose gives up; and more than the buffering interval of the archive, which
    events wait for in health (Firehose developer guide, data delivery).
    """
    yield from option(argument, value, cdk.Duration, "cdk.Duration.minutes(15)")
    yield from amount(argument, value, cdk.Duration.to_seconds, 60, 86400, "seconds")
    interval = getattr(archive, "buffering_seconds", None)
    if value is None or interval is None or value.is_unresolved():
        return
    delay = value.to_milliseconds() / 1000
    if delay <= interval and not cdk.Token.is_unresolved(interval):
        yield (
            f"{argument} {delay:g} seconds is not above the buffering interval of the archive, {interval:g} seconds, "
            "which events wait for in health; use three times as much"
        )


def alarm_actions(argument: str, value: Sequence[object]) -> Iterator[str]:
    """At most 5 of ``cloudwatch.IAlarmAction`` (CloudWatch API, PutMetricAlarm)."""
    example = "aws_cloudwatch_actions.SnsAction(topic)"
    yield from several(argument, value, f"[{example}]")
    for position, action in enumerate(value):
        yield from interface(f"{argument}[{position}]", action, "bind", example)
        # An event destination binds too; what CDK can call has one of these marks of jsii.
        mark = "__jsii_ifaces__" if hasattr(action, "__jsii_ifaces__") else "__jsii_type__"
        yield from interface(f"{argument}[{position}]", action, mark, example)
    if len(value) > 5:
        yield f"{argument} has {len(value)} entries; CloudWatch takes at most 5"


def monitored(
    publishing: EventPublishing | None, archive: EventArchive | None, analytics: EventAnalytics | None, stack: cdk.Stack
) -> Iterator[str]:
    """An ``EventPublishing``, an ``EventArchive`` or both, and their ``EventAnalytics``, of the account and region of
    the stack (CloudWatch API, PutMetricAlarm).
    """
    yield from optional_interface("publishing", publishing, "add_destination", "an EventPublishing")
    yield from optional_interface("archive", archive, "table_prefix", "an EventArchive")
    yield from optional_interface("analytics", analytics, "named_queries", "an EventAnalytics")
    if publishing is None and archive is None:
        yield "publishing and archive are missing, so there is nothing to watch; give one or both"
    for argument, part in (("publishing", publishing), ("archive", archive), ("analytics", analytics)):
        if part is not None and part.stack is not stack:
            yield from same_place(argument, environment_of(part.stack), stack)


def room_to_count(
    argument: str, construct_id: str, taken: Collection[str], others: int, monitored_by: str | None
) -> Iterator[str]:
    """With room for one more destination of the set, which has at most 10 (SES developer guide, quotas)."""
    needs = f"{argument} needs an event destination"
    without = f"use {argument}=False and do without the alarms silent_archive and rendering_failures"
    if others >= 10:
        yield f"{needs}, and the configuration set has its 10; leave one out, or {without}"
    if construct_id in taken:
        yield f"{needs} {construct_id!r}, and one of your own has that id; give yours another one, or {without}"
    if monitored_by:
        yield (
            f"{needs}, which {monitored_by!r} would not see, as it has looked at what this configuration set publishes "
            f"to; make this EventMonitoring before that one, or {without}"
        )


def metric_of_an_alarm(argument: str, value: object) -> Iterator[str]:
    """A metric or metric math, without SEARCH (CloudWatch user guide, alarms)."""
    yield from interface(argument, value, "create_alarm", "a metric such as campaigns.metric(...) gives")
    if "SEARCH(" in str(getattr(value, "expression", "")):
        yield f"{argument} has SEARCH, of which CloudWatch makes no alarm; use campaigns.metric(...) for each value"


def alarm_threshold(argument: str, value: float, is_rate: bool) -> Iterator[str]:
    """A number; of a rate a fraction above 0 and at most 1 (CloudWatch API, PutMetricAlarm)."""
    yield from _number(argument, value, "a number such as 100")
    if is_rate:
        yield from share(argument, value)


def alarm_description(argument: str, value: str | None) -> Iterator[str]:
    """At most 1024 characters (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, str, "a string such as 'Look at the list of the campaign.'")
    if value is not None and len(value) > 1024 and not cdk.Token.is_unresolved(value):
        yield f"{argument} has {len(value)} characters; use at most 1024"


def destination_before_monitoring(
    argument: str, value: object, enabled: bool, monitored_by: str | None
) -> Iterator[str]:
    """Added before ``EventMonitoring`` looks at the set, where it is enabled and counts or archives (this package)."""
    if monitored_by and enabled and (hasattr(value, "dimensions") or hasattr(value, "delivery_stream")):
        yield (
            f"{argument} comes too late: {monitored_by!r} has looked at what this configuration set publishes to, and "
            "would not see it; make the EventMonitoring after it (in a SesEventsStack one of your own, with "
            "monitoring=False)"
        )


def configuration_set(
    argument: str, value: IConfigurationSetRef | None, stack: cdk.Stack, options: Mapping[str, object]
) -> Iterator[str]:
    """A set of the same account and region, given without options of a set (SES developer guide)."""
    if value is None:
        return
    yield from interface(
        argument, value, "configuration_set_ref", "a set such as ses.ConfigurationSet.from_configuration_set_name gives"
    )
    yield from same_place(argument, value.env, stack)
    yield from instead_of(argument, value, options)


def options_of_a_set(options: Mapping[str, Any]) -> Iterator[str]:
    """Each option of a new configuration set."""
    yield from name("configuration_set_name", options["configuration_set_name"])
    yield from option(
        "tls_policy", options["tls_policy"], ses.ConfigurationSetTlsPolicy, "ses.ConfigurationSetTlsPolicy.REQUIRE"
    )
    for switch in ("reputation_metrics", "sending_enabled"):
        yield from option(switch, options[switch], bool, "True or False")
    yield from max_delivery_duration("max_delivery_duration", options["max_delivery_duration"])
    yield from optional_interface(
        "dedicated_ip_pool", options["dedicated_ip_pool"], "dedicated_ip_pool_ref", "a ses.DedicatedIpPool"
    )
    yield from optional_interface(
        "mail_manager_archive",
        options["mail_manager_archive"],
        "mail_manager_archive_ref",
        "a ses.CfnMailManagerArchive",
    )
    yield from option("vdm_options", options["vdm_options"], ses.VdmOptions, "ses.VdmOptions(engagement_metrics=True)")
    yield from tracking(options["custom_tracking_redirect_domain"], options["custom_tracking_https_policy"])
    yield from suppression(
        options["suppression_reasons"],
        options["disable_suppression_list"],
        options["auto_validation_threshold"],
        options["disable_auto_validation"],
    )


def rates(argument: str, value: IConfigurationSetRef) -> Iterator[str]:
    """Only for a set with reputation metrics; of an imported set that is not known (SES developer guide)."""
    if reputation_metrics_of(value) is False:
        yield f"{argument} is not on, so CloudWatch gets no rates of this set; create it with {argument}=True"


def reputation_metrics_of(value: IConfigurationSetRef) -> bool | None:
    """Whether a set has reputation metrics; None of an imported set."""
    made = value if isinstance(value, ses.CfnConfigurationSet) else value.node.default_child
    if not isinstance(made, ses.CfnConfigurationSet):
        return None
    options = cdk.Stack.of(made).resolve(made.reputation_options) or {}
    return bool(options.get("reputationMetricsEnabled"))


def destination(argument: str, value: EventDestination, stack: cdk.Stack) -> Iterator[str]:
    """One of the four kinds of event destination, in the region of the stack, a delivery stream, role or event bus in
    its account too (SES API, EventDestination; SES developer guide).
    """
    yield from interface(
        argument,
        value,
        "problems",
        "FirehoseDestination(archive), CloudWatchDestination([dimension]), SnsDestination(topic) or "
        "EventBridgeDestination()",
    )
    yield from value.problems(stack)


def max_delivery_duration(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """300-50400 whole seconds (CloudFormation schema, MaxDeliverySeconds)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.hours(1)")
    yield from amount(argument, value, cdk.Duration.to_seconds, 300, 50400, "seconds")


def tracking(domain: str | None, https_policy: ses.HttpsPolicy | None) -> Iterator[str]:
    """A bare host name; an HTTPS policy only with one (CloudFormation schema, TrackingOptions)."""
    argument = "custom_tracking_redirect_domain"
    yield from option(argument, domain, str, "a host name such as 'click.example.com'")
    yield from option("custom_tracking_https_policy", https_policy, ses.HttpsPolicy, "ses.HttpsPolicy.REQUIRE")
    if domain is not None and not re.fullmatch(_HOST, domain) and not cdk.Token.is_unresolved(domain):
        yield f"{argument} {domain!r} is no bare host name; use one such as 'click.example.com'"
    if https_policy is not None and domain is None:
        yield f"custom_tracking_https_policy needs {argument}, which it is about; give both or none"


def suppression(
    reasons: ses.SuppressionReasons | None,
    disable_list: bool | None,
    threshold: ses.AutoValidationThreshold | None,
    disable_validation: bool | None,
) -> Iterator[str]:
    """Reasons or no list; a threshold or no validation (CloudFormation schema, SuppressionOptions)."""
    yield from option("suppression_reasons", reasons, ses.SuppressionReasons, "ses.SuppressionReasons.BOUNCES_ONLY")
    yield from option("disable_suppression_list", disable_list, bool, "True or False")
    yield from option(
        "auto_validation_threshold", threshold, ses.AutoValidationThreshold, "ses.AutoValidationThreshold.HIGH"
    )
    yield from option("disable_auto_validation", disable_validation, bool, "True or False")
    if reasons is not None and disable_list:
        yield "suppression_reasons contradicts disable_suppression_list=True; leave one of them out"
    if threshold is not None and disable_validation:
        yield "auto_validation_threshold contradicts disable_auto_validation=True; leave one of them out"


class Place(Protocol):
    """Where something is deployed, such as ``cdk.ResourceEnvironment``; None where that is not known."""

    @property
    def account(self) -> str | None: ...

    @property
    def region(self) -> str | None: ...


def same_place(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the account and region of the stack (SES developer guide; Firehose developer guide)."""
    yield from same_account(argument, theirs, stack)
    yield from same_region(argument, theirs, stack)


def same_account(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the account of the stack (IAM user guide, PassRole)."""
    account, ours = theirs.account, environment_of(stack).account
    if known_to_differ(account, ours):
        yield f"{argument} is in {account}, this stack in {ours}; use one of this account"


def same_region(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the region of the stack (SES developer guide; Firehose developer guide)."""
    region, ours = theirs.region, environment_of(stack).region
    if known_to_differ(region, ours):
        yield f"{argument} is in {region}, this stack in {ours}; use one of this region"


def known_to_differ(theirs: str | None, ours: str) -> bool:
    """Whether two accounts or regions are known before deployment, and are not the same."""
    return bool(theirs) and theirs != ours and not any(map(cdk.Token.is_unresolved, (ours, theirs)))


def region(value: str) -> Iterator[str]:
    """A region where CloudFormation has SES configuration sets (CloudFormation registry)."""
    if value in _REGIONS_WITHOUT_CONFIGURATION_SETS or value.startswith("cn-"):
        yield f"region {value!r} has no SES configuration sets in CloudFormation; use another region"


def topic(argument: str, value: sns.ITopic) -> Iterator[str]:
    """A standard topic, not encrypted with the AWS managed key (SES developer guide)."""
    fix = "an sns.Topic, or one that sns.Topic.from_topic_arn imports"
    yield from interface(argument, value, "topic_arn", fix)
    if value.fifo:
        yield f"{argument} {value.node.path!r} is a FIFO topic, and SES publishes to standard topics only; use one"
    if value.master_key and value.master_key.key_arn.endswith("alias/aws/sns"):
        yield (
            f"{argument} {value.node.path!r} is encrypted with alias/aws/sns, whose policy cannot let SES in; "
            "use a kms.Key of your own"
        )


def topic_arn(argument: str, value: str | None) -> Iterator[str]:
    """The ARN of a standard topic (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, str, "the ARN of a topic")
    if value is None or cdk.Token.is_unresolved(value):
        return
    if not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", value):
        yield f"{argument} {value!r} is no ARN of a topic; use one such as 'arn:aws:sns:us-east-1:111122223333:on-call'"
    elif value.endswith(".fifo"):
        yield f"{argument} {value!r} is a FIFO topic, which no alarm can tell; use a standard one"


def event_bus(argument: str, value: events_.IEventBus | None) -> Iterator[str]:
    """The default bus (SES API, EventBridgeDestination)."""
    yield from optional_interface(
        argument, value, "event_bus_name", "events.EventBus.from_event_bus_name(..., 'default')"
    )
    if value is None:
        return
    made_here = isinstance(value, cdk.aws_events.EventBus)  # and nobody can make the default bus
    if made_here or (value.event_bus_name != "default" and not cdk.Token.is_unresolved(value.event_bus_name)):
        yield (
            f"{argument} {value.node.path!r} is not the default bus, and SES takes no other; "
            "leave it out, and forward from the default bus with a rule"
        )


def delivery_stream(argument: str, value: EventArchive | firehose.IDeliveryStream) -> Iterator[str]:
    """A stream that takes direct puts, not one that a Kinesis data stream feeds (SES developer guide)."""
    fix = "an EventArchive, or a firehose.IDeliveryStream such as DeliveryStream.from_delivery_stream_arn gives"
    yield from interface(argument, value, "delivery_stream_arn", fix)
    if getattr(value.node.default_child, "delivery_stream_type", None) == "KinesisStreamAsSource":
        yield f"{argument} {value.node.path!r} is fed by a Kinesis data stream; use one that takes direct puts"


def ses_role(argument: str, value: iam.IRole | None) -> Iterator[str]:
    """A role that trusts ses.amazonaws.com; of an imported one that is not known (SES developer guide)."""
    yield from optional_interface(argument, value, "role_arn", "an iam.Role that trusts ses.amazonaws.com")
    if isinstance(value, cdk.aws_iam.Role) and not trusts_of_ses(value):
        yield (
            f"{argument} {value.node.path!r} does not trust SES; create it with assumed_by=iam.ServicePrincipal("
            "'ses.amazonaws.com', conditions={'StringEquals': {'aws:SourceAccount': stack.account}})"
        )


def trusts_of_ses(role: iam.Role) -> list[dict[str, Any]]:
    """The statements by which a role of this app lets SES assume it."""
    document = cdk.Stack.of(role).resolve(role.assume_role_policy.to_json()) if role.assume_role_policy else {}
    return [
        statement
        for statement in document.get("Statement", [])
        if statement["Effect"] == "Allow" and "ses.amazonaws.com" in str(statement.get("Principal"))
    ]


def bucket(argument: str, value: s3.IBucket | None, stack: cdk.Stack) -> Iterator[str]:
    """A bucket of the region of the stack, whose key is no imported alias (Firehose developer guide; Athena user
    guide).
    """
    yield from optional_interface(argument, value, "bucket_arn", "an s3.Bucket, or an imported one")
    if value is not None:
        yield from same_region(argument, value.env, stack)
        yield from key(f"{argument}.encryption_key", value.encryption_key, stack)


def key(argument: str, value: kms.IKey | None, stack: cdk.Stack) -> Iterator[str]:
    """A key of the region of the stack; no alias whose key is not known, as a permission cannot name it (KMS developer
    guide).
    """
    yield from optional_interface(argument, value, "key_arn", "a kms.Key")
    if value is None:
        return
    yield from same_region(argument, value.env, stack)
    try:
        named = getattr(value, "alias_target_key", value).key_arn
    except RuntimeError:  # how CDK says that it does not know the key of an alias
        named = value.key_arn
    if ":alias/" in named:
        yield f"{argument} {value.node.path!r} is an imported alias, which no permission can name; import its key"


def server_access_logs_bucket(argument: str, value: s3.IBucket | None, stack: cdk.Stack) -> Iterator[str]:
    """A bucket of the account and region of the stack, without a KMS key (S3 user guide, server access logs)."""
    yield from optional_interface(argument, value, "bucket_arn", "an s3.Bucket")
    if value is None:
        return
    yield from same_place(argument, value.env, stack)
    if value.encryption_key:
        yield f"{argument} {value.node.path!r} is encrypted with a KMS key, and S3 cannot log there; use SSE-S3"


def log_group(argument: str, value: logs.ILogGroup | None, stack: cdk.Stack) -> Iterator[str]:
    """A log group of the account and region of the stack (Firehose developer guide, monitoring)."""
    yield from optional_interface(argument, value, "log_group_arn", "a logs.LogGroup")
    if value is not None:
        yield from same_place(argument, value.env, stack)


def removal_policy(argument: str, value: cdk.RemovalPolicy | None) -> Iterator[str]:
    """RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE: a bucket has no snapshot (CloudFormation, DeletionPolicy)."""
    yield from option(argument, value, cdk.RemovalPolicy, "cdk.RemovalPolicy.RETAIN")
    if value == cdk.RemovalPolicy.SNAPSHOT:
        yield f"{argument} SNAPSHOT is not for buckets; use cdk.RemovalPolicy.RETAIN"


def buffering_interval(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """0-900 whole seconds (Firehose API, BufferingHints)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.seconds(300)")
    yield from amount(argument, value, cdk.Duration.to_seconds, 0, 900, "seconds")


def buffering_size(argument: str, value: cdk.Size | None, archive_format: object = None) -> Iterator[str]:
    """1-128 whole MiB, with Parquet 64-128 (Firehose API, BufferingHints; developer guide, record conversion)."""
    yield from option(argument, value, cdk.Size, "cdk.Size.mebibytes(64)")
    yield from amount(argument, value, cdk.Size.to_mebibytes, 64 if archive_format else 1, 128, "MiB")


def bytes_scanned_cutoff(argument: str, value: cdk.Size | None) -> Iterator[str]:
    """At least 10 MB, in whole bytes (Athena API, WorkGroupConfiguration)."""
    yield from option(argument, value, cdk.Size, "cdk.Size.gibibytes(100)")
    yield from amount(argument, value, cdk.Size.to_bytes, 10_000_000, 2**53 - 1, "bytes")


def analysed_archive(argument: str, value: EventArchive, stack: cdk.Stack) -> Iterator[str]:
    """An archive of the account and region of the stack, with a folder for each day, whose files begin with neither _
    nor . (Athena user guide).
    """
    yield from interface(argument, value, "table_prefix", "an EventArchive")
    yield from same_place(argument, environment_of(value.stack), stack)
    yield from table_prefix(f"{argument}.prefix", value.table_prefix)
    begin = (value.table_prefix.rpartition("/")[2] + value.delivery_stream_name)[:1]  # the names of Firehose's files
    if begin in ("_", "."):
        yield (
            f"{argument} has files whose names begin with {begin!r}, which Athena takes for hidden; change its "
            "delivery_stream_name, or what follows the last '/' of its prefix"
        )


def expiration(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """1-2147483647 whole days (S3 API, LifecycleExpiration)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.days(365)")
    yield from amount(argument, value, cdk.Duration.to_days, 1, 2147483647, "days")


def prefix(argument: str, value: str, error_output_prefix: str) -> Iterator[str]:
    """At most 1024 characters, expressions Firehose knows, no errors inside (Firehose developer guide, prefixes)."""
    yield from _expressions(argument, value, 1024)
    if _ERROR_OUTPUT_TYPE in value:
        yield f"{argument} {value!r} has {_ERROR_OUTPUT_TYPE}, which Firehose takes for errors only; leave it out"
    folder = value.partition("!{")[0]
    if folder and str(error_output_prefix).startswith(folder) and not TOKEN.fullmatch(folder):
        yield (
            f"{argument} {value!r} covers the errors in {error_output_prefix!r}, which would be read as events; "
            "use different folders such as 'events/' and 'errors/'"
        )


def table_prefix(argument: str, value: str) -> Iterator[str]:
    """A folder for each day, ``!{timestamp:yyyy-MM-dd}`` before any other expression, which a token cannot hide, and no
    folder without a name (Athena user guide, partition projection and table location).
    """
    if not isinstance(value, str):  # of which the rule of prefixes tells
        return
    written = TOKEN.sub("token", value)
    daily = re.match(r"((?!!\{)[^$])*!\{timestamp:yyyy-MM-dd\}[^!/$]*/", written)
    if not daily and written != value:
        yield f"{argument} is known at deployment only, and a table cannot say then where its days are; write them out"
    elif not daily:
        yield (
            f"{argument} {value!r} has no folder for each day, as a table needs; "
            "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'"
        )
    elif written.startswith("/") or "//" in written:
        yield f"{argument} {value!r} has a folder without a name, which Athena does not read; take a '/' out"


def queried_prefix(argument: str, value: str, analytics: object) -> Iterator[str]:
    """A folder for each day where analytics are on (Athena user guide, partition projection)."""
    if analytics:
        for problem in table_prefix(argument, value):
            yield f"{problem}, or turn analytics off"


def archive_format(
    argument: str, value: ParquetFormat | None, prefix_of_events: str, error_output_prefix: str
) -> Iterator[str]:
    """``ParquetFormat``, whose folder holds neither events nor errors (Athena user guide, partition projection)."""
    from ses_events.archive.formats import ParquetFormat  # which asks this module in its turn

    yield from option(argument, value, ParquetFormat, "ParquetFormat()")
    if value is None:
        return
    yield from prefix(f"{argument}.prefix", value.prefix, error_output_prefix)
    folder, other = (str(each).partition("!{")[0] for each in (value.prefix, prefix_of_events))
    if folder.startswith(other) or other.startswith(folder):
        yield (
            f"{argument}.prefix {value.prefix!r} and prefix {prefix_of_events!r} lie in each other, and a table reads "
            "one format; use different folders such as 'parquet/' and 'events/'"
        )


def error_output_prefix(argument: str, value: str) -> Iterator[str]:
    """At most 512 characters, expressions Firehose knows, the error type (Firehose developer guide, prefixes)."""
    yield from _expressions(argument, value, 512)
    if _ERROR_OUTPUT_TYPE not in value and not cdk.Token.is_unresolved(value):
        yield f"{argument} {value!r} lacks {_ERROR_OUTPUT_TYPE}, which Firehose requires; add it"


def oddities_of_prefix(argument: str, value: str) -> Iterator[tuple[str, str]]:
    """What Firehose accepts in a prefix and hardly anybody wants: the id of a warning and its text."""
    if value and not value.endswith("/") and not cdk.Token.is_unresolved(value):
        yield (
            "ses-events:prefix-without-slash",
            f"{argument} {value!r} has no '/' at its end, so keys run into it; add '/'",
        )
    if value.startswith("/"):
        yield (
            "ses-events:prefix-leading-slash",
            f"{argument} {value!r} starts with '/', which makes a nameless folder; leave it out",
        )
    if re.search(r"!\{timestamp:[^}]*(YY|DD)", value):
        yield (
            "ses-events:prefix-week-year",
            f"{argument} {value!r} has YYYY (week-year) or DD (day of year); use yyyy and dd",
        )


def oddities_of_both_prefixes(prefix: str, error_output_prefix: str) -> Iterator[tuple[str, str]]:
    """Whether errors lie among the events, where no folder tells them apart: the id of a warning and its text."""
    if not prefix.partition("!{")[0] and not cdk.Token.is_unresolved(prefix):
        yield (
            "ses-events:errors-among-events",
            f"prefix {prefix!r} starts with no folder, so that who reads all events reads the errors in "
            f"{error_output_prefix!r} too; start it with a folder such as 'events/'",
        )


def _plain(name: str) -> str:
    """X-Message-ID, message_id and messageId are one."""
    return name.lower().removeprefix("x-").replace("-", "").replace("_", "")


def _is_deferred(value: object) -> bool:
    """Whether a number is known at deployment only; CDK can be asked about finite ones alone, as JSON has no others."""
    return isinstance(value, float) and math.isfinite(value) and cdk.Token.is_unresolved(value)


def _number(argument: str, value: object, fix: str, expected: type | UnionType = float | int) -> Iterator[str]:
    """A number; True and False are no numbers here, though Python has them so."""
    yield from instance(argument, str(value) if isinstance(value, bool) else value, expected, fix)
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{argument} {value} is no finite number; use {fix}")


def _expressions(argument: str, value: str, longest: int) -> Iterator[str]:
    yield from instance(argument, value, str, "a string such as 'events/'")
    problems = list(_problems_of_expressions(argument, value, longest))
    if problems and not cdk.Token.is_unresolved(value):
        yield from problems


def _problems_of_expressions(argument: str, value: str, longest: int) -> Iterator[str]:
    if len(value) > longest:
        yield f"{argument} has {len(value)} characters; use at most {longest}"
    for expression in re.findall(r"!\{(?:(?!!\{)[^}])*\}?", value):
        namespace, _, pattern = expression[2:].rstrip("}").partition(":")
        if not expression.endswith("}"):
            yield f"{argument} {value!r} has {expression!r} without its '}}'; add it"
        elif namespace in ("partitionKeyFromQuery", "partitionKeyFromLambda"):
            yield f"{argument} {value!r} has {expression!r}, which needs dynamic partitioning; use !{{timestamp:...}}"
        elif namespace not in ("timestamp", "firehose"):
            yield f"{argument} {value!r} has {expression!r}; {did_you_mean(namespace, ('timestamp', 'firehose'))}"
        elif namespace == "firehose":
            for problem in one_of(repr(expression), pattern, ("error-output-type", "random-string")):
                yield f"{argument} {value!r} has {problem}"
        elif not pattern:
            yield f"{argument} {value!r} has {expression!r} without a pattern; use !{{timestamp:yyyy-MM-dd}}"
        elif strange := _NO_PATTERN_LETTER.search(re.sub("'[^']*'", "", pattern)):
            yield (
                f"{argument} {value!r} has {expression!r}, where {strange[0]!r} means nothing to Java's "
                "DateTimeFormatter; put text between single quotes, or outside the expression"
            )
