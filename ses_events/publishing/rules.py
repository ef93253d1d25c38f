"""What SES accepts of sets and destinations: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.location import same_place
from ses_events.policies import trusts_of
from ses_events.record.names import COUNTED_AGAINST, DIMENSION_VALUE_SOURCES
from ses_events.tokens import is_deferred
from ses_events.validation import (
    Range,
    Text,
    closest,
    count,
    did_you_mean,
    instance,
    instead_of,
    interface,
    option,
    optional_interface,
    several,
    some_id,
)

if TYPE_CHECKING:
    from aws_cdk import aws_events as events_
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_sns as sns
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef, ITemplateRef

    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.destination import EventDestination


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


NAME = Text(64, "A-Z a-z 0-9 _ -", "my-set", source="CloudFormation schema; SES developer guide, quotas")
DIMENSION_DEFAULT_VALUE = Text(
    256,
    "A-Z a-z 0-9 _ -",
    "unknown",
    source="CloudFormation schema",
    note="without the @ and . that the SES API takes",
)

MAX_DELIVERY_DURATION = Range(300, 50400, "seconds", source="CloudFormation schema, MaxDeliverySeconds")
RATE_PERIOD = Range(1, 10080, "minutes", source="CloudWatch API, PutMetricAlarm")
_DIMENSION_NAME = Text(256, "A-Z a-z 0-9 _ : -", "campaign", source="CloudFormation schema; SES developer guide")


def destination_id(construct_id: str, taken: Collection[str]) -> Iterator[str]:
    """An id that is new in the construct (AWS CDK)."""
    yield from some_id(construct_id, "ToArchive")
    if construct_id.replace("/", "--") in taken:  # as CDK writes it
        yield f"construct_id {construct_id!r} is taken in this scope; use another one"


def destination_name(value: str | None, others: Collection[str | None]) -> Iterator[str]:
    """1-64 of A-Z a-z 0-9 _ -, other than the other names of the set, which has at most 10 destinations (CloudFormation
    schema; SES developer guide, quotas).
    """
    yield from NAME("name", value)
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
    yield from DIMENSION_DEFAULT_VALUE(f"{argument}.default_value", value.default_value)


def dimension_name(argument: str, value: str, source: ses.CloudWatchDimensionSource) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ : -, and no header that SES reserves (CloudFormation schema; SES developer guide)."""
    yield from instance(argument, value, str, "a string such as 'campaign'")
    yield from _DIMENSION_NAME(argument, value)
    if source == ses.CloudWatchDimensionSource.EMAIL_HEADER and value.lower() in _HEADERS_SES_REFUSES:
        yield f"{argument} {value!r} is a header SES takes no dimension from; use another header or a message tag"
    if source != ses.CloudWatchDimensionSource.MESSAGE_TAG and value.startswith("ses:"):
        yield f"{argument} {value!r} is a message tag of SES; use source=ses.CloudWatchDimensionSource.MESSAGE_TAG"


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


def minimum(argument: str, value: int) -> Iterator[str]:
    """A whole number from 1 that is known at synth (CloudWatch user guide, metric math)."""
    if is_deferred(value):
        yield f"{argument} is known at deployment only, and metric math holds it as text; write it out"
    yield from count(argument, value)


def rate_period(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """1-10080 whole minutes, known at synth (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.days(1)")
    if value is not None and value.is_unresolved():
        yield f"{argument} is known at deployment only, and CDK makes no metric of it; write it out"
    yield from RATE_PERIOD(argument, value)


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
    yield from NAME("configuration_set_name", options["configuration_set_name"])
    yield from option(
        "tls_policy", options["tls_policy"], ses.ConfigurationSetTlsPolicy, "ses.ConfigurationSetTlsPolicy.REQUIRE"
    )
    for switch in ("reputation_metrics", "sending_enabled"):
        yield from option(switch, options[switch], bool, "True or False")
    yield from MAX_DELIVERY_DURATION("max_delivery_duration", options["max_delivery_duration"])
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


def templates(argument: str, value: Collection[str | ITemplateRef]) -> Iterator[str]:
    """Names of templates, or what makes them (IAM; SES API v2, CreateEmailTemplate)."""
    yield from several(argument, value, "['welcome']")
    for position, each in enumerate(value):
        where = f"{argument}[{position}]"
        if not isinstance(each, str):
            yield from interface(where, each, "template_ref", "the name of a template or a ses.CfnTemplate")
        elif not each:
            yield f"{where} is empty; use the name of a template"
        elif not cdk.Token.is_unresolved(each) and (strange := re.search(r"[*?:/]", each)):
            yield f"{where} {each!r} has {strange[0]!r}; use the name of one template, such as 'welcome'"


def oddities_of_region(value: str) -> Iterator[tuple[str, str]]:
    """Whether CloudFormation is known to lack configuration sets there: the id of a warning and its text."""
    if value in _REGIONS_WITHOUT_CONFIGURATION_SETS or value.startswith("cn-"):
        yield (
            "ses-events:region-without-configuration-sets",
            f"region {value} had no SES configuration sets in CloudFormation when this version was made, and the "
            "deployment fails while that is so; use another region, or acknowledge this where AWS has added them",
        )


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
    if isinstance(value, cdk.aws_iam.Role) and not trusts_of(value, "ses.amazonaws.com"):
        yield (
            f"{argument} {value.node.path!r} does not trust SES; create it with assumed_by=iam.ServicePrincipal("
            "'ses.amazonaws.com', conditions={'StringEquals': {'aws:SourceAccount': stack.account}})"
        )


def _plain(name: str) -> str:
    """X-Message-ID, message_id and messageId are one."""
    return name.lower().removeprefix("x-").replace("-", "").replace("_", "")
