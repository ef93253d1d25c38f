"""What SES accepts of sets and destinations: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.construct_ids import some_id, taken
from ses_events.location import same_app, same_place
from ses_events.policies import trusts_of
from ses_events.publishing.configuration_set import made_here, options_of
from ses_events.publishing.destination import Bound, EventDestination, PublishedTo
from ses_events.record.names import COUNTED_AGAINST, detail_type
from ses_events.validation import Text, first_of, instance, instead_of, interface, optional_interface, several
from ses_events.wording import closest, shown

if TYPE_CHECKING:
    from aws_cdk import aws_events as events_
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_sns as sns
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef, ITemplateRef

    from ses_events.archive.archive import EventArchive


_OF = ses.CfnConfigurationSetEventDestination

_REGIONS_WITHOUT_CONFIGURATION_SETS = {
    "ap-east-1",
    "ap-east-2",
    "ap-southeast-4",
    "ap-southeast-6",
    "ap-southeast-7",
    "eu-south-2",
    "mx-central-1",
}


NAME = Text(64, "A-Z a-z 0-9 _ -", "my-set", source="CloudFormation schema; SES developer guide, quotas")


def destination_id(construct_id: str, others: Collection[str]) -> Iterator[str]:
    """An id that is new in the construct (AWS CDK)."""
    yield from some_id(construct_id, "ToArchive")
    if construct_id.replace("/", "--") in others:  # as CDK writes it
        yield taken(construct_id)


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
        yield f"{argument} is empty, but SES needs at least one event; name one or leave the argument out"


def events_of_eventbridge(argument: str, value: Collection[ses.EmailSendingEvent]) -> Iterator[str]:
    """At least one event, each with a name in EventBridge that is known here (EventBridge, events of SES)."""
    yield from events(argument, value)
    for each in value:
        if detail_type(each.name) is None:
            yield f"event {each.name} has no name in EventBridge that this version knows; leave it out"


def event(argument: str, value: ses.EmailSendingEvent) -> Iterator[str]:
    """One of ``ses.EmailSendingEvent`` (SES API, MatchingEventTypes)."""
    if not isinstance(value, ses.EmailSendingEvent):
        names = [known.name for known in ses.EmailSendingEvent]
        meant = closest(shown(value).strip("'").upper(), names) or names[0]
        yield from instance(argument, value, ses.EmailSendingEvent, f"ses.EmailSendingEvent.{meant}")


def event_of_the_account(argument: str, value: ses.EmailSendingEvent) -> Iterator[str]:
    """An event that SES counts without an event destination (SES developer guide, monitoring with CloudWatch)."""
    yield from event(argument, value)
    if value.name not in {"SEND", "RENDERING_FAILURE", *COUNTED_AGAINST} - {"DELIVERY_DELAY"}:
        yield f"{argument} {value.name} is counted for event destinations only; use CloudWatchDestination"


def room_to_count(
    argument: str, construct_id: str, others: int, monitored_by: str | None, *, is_taken: bool
) -> Iterator[str]:
    """With room for one more destination of the set, which has at most 10 (SES developer guide, quotas)."""
    needs = f"{argument} needs an event destination"
    without = f"use {argument}=False and do without the alarm silent_archive"
    if others >= 10:
        yield f"{needs}, but the configuration set already has 10; leave one out, or {without}"
    if is_taken:
        yield f"{needs} {construct_id!r}, and something of your own has that id; give yours another one, or {without}"
    if monitored_by:
        yield (
            f"{needs}, which {monitored_by!r} would not see, as it has looked at what this configuration set publishes "
            f"to; make this EventMonitoring before that one, or {without}"
        )


def destination_before_monitoring(
    argument: str, value: EventDestination, enabled: bool, monitored_by: str | None
) -> Iterator[str]:
    """Added before the ``EventMonitoring`` is made, if it is enabled and counts or archives (this package)."""
    if monitored_by and enabled and isinstance(value, EventDestination) and value.is_monitored:
        yield (
            f"{argument} comes too late: {monitored_by!r} was made before it and would not watch it; make the "
            "EventMonitoring after it (in a SesEventsStack one of your own, with monitoring=False)"
        )


def configuration_set(
    argument: str, value: IConfigurationSetRef | None, stack: cdk.Stack, options: Mapping[str, object]
) -> Iterator[str]:
    """A set of the same account and region, given without options for a new set. For a set of the app: a bare host
    name, an HTTPS policy only with one, 300-50400 seconds, known words. For an imported one: the name of one set (SES
    developer guide; CloudFormation schema).
    """
    if value is None:
        return
    yield from interface(
        argument, value, "configuration_set_ref", "a set such as ses.ConfigurationSet.from_configuration_set_name gives"
    )
    yield from first_of(same_place(argument, value.env, stack), same_app(argument, value, stack))
    yield from instead_of(argument, value, options)
    yield from options_of(argument, value)
    if made_here(value) is None:
        yield from NAME(f"{argument}.configuration_set_name", value.configuration_set_ref.configuration_set_name)


def rates(argument: str, value: IConfigurationSetRef) -> Iterator[str]:
    """Only for a set with reputation metrics; an imported set is not checked (SES developer guide)."""
    if reputation_metrics_of(value) is False:
        yield f"{argument} is not on, so CloudWatch gets no rates of this set; create it with {argument}=True"


def reputation_metrics_of(value: IConfigurationSetRef) -> bool | None:
    """Return whether a set has reputation metrics; None of an imported set."""
    made = made_here(value)
    if made is None:
        return None
    options = cdk.Stack.of(made).resolve(made.reputation_options) or {}
    return bool(options.get("reputationMetricsEnabled"))


def destination(argument: str, value: EventDestination, stack: cdk.Stack) -> Iterator[str]:
    """An ``EventDestination`` in the region of the stack, a delivery stream, role or event bus in its account too
    (SES API, EventDestination; SES developer guide).
    """
    yield from instance(
        argument,
        value,
        EventDestination,
        "FirehoseDestination(archive), CloudWatchDestination([dimension]), SnsDestination(topic) or "
        "EventBridgeDestination()",
    )
    found = value.problems(stack)
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise TypeError(f"{argument}.problems gives {shown(found)}; let it give a list of strings")
    yield from found


_KINDS = {
    "cloud_watch_destination": _OF.CloudWatchDestinationProperty,
    "event_bridge_destination": _OF.EventBridgeDestinationProperty,
    "kinesis_firehose_destination": _OF.KinesisFirehoseDestinationProperty,
    "sns_destination": _OF.SnsDestinationProperty,
}


def bound(argument: str, value: Bound) -> Iterator[str]:
    """A ``Bound`` with one destination of SES, and no more (SES API, EventDestination)."""
    yield from instance(argument, value, Bound, "Bound({'sns_destination': ...})")
    yield from instance(f"{argument}.properties", value.properties, Mapping, "{'sns_destination': ...}")
    if len(value.properties) != 1 or not value.properties.keys() <= _KINDS.keys():
        yield f"{argument}.properties has {shown([*value.properties])}; give one of {', '.join(_KINDS)}"
        return
    [(kind, given)] = value.properties.items()
    if not isinstance(given, (_KINDS[kind], Mapping)):
        yield from interface(f"{argument}.properties[{kind!r}]", given, "resolve", f"a {_KINDS[kind].__name__}")
    yield from several(f"{argument}.after", value.after, "[topic]")
    for position, each in enumerate(value.after):
        mark = "__jsii_ifaces__" if hasattr(each, "__jsii_ifaces__") else "__jsii_type__"
        yield from interface(f"{argument}.after[{position}]", each, mark, "a construct")


def oddities_of_destination(
    construct_id: str,
    value: EventDestination,
    events: Collection[ses.EmailSendingEvent],
    others: Collection[PublishedTo],
) -> Iterator[tuple[str, str]]:
    """Warn of events that the set publishes to the same place already: the id of a warning and its text."""
    for other in others:
        twice = [event.name for event in ses.EmailSendingEvent if event in events and event in other.events]
        if twice and _reach_the_same(value, other.destination):
            yield (
                "ses-events:published-twice",
                f"{construct_id!r} publishes {', '.join(twice)} to where {other.resource.node.path!r} does already, so "
                "each such event may arrive twice; leave them out of the events of one, or leave one out",
            )
            return


def _reach_the_same(one: EventDestination, other: EventDestination) -> bool:
    """Return whether two destinations are known to be one stream, topic, bus or the same metrics."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    mine, others = (
        [getattr(each, name, None) for name in ("delivery_stream", "topic", "dimensions")] for each in (one, other)
    )
    return mine == others and (any(mine) or hasattr(one, "event_bus"))


def sent_from(argument: str, value: ses.IEmailIdentity, stack: cdk.Stack) -> Iterator[str]:
    """An identity that the stack can name (IAM)."""
    yield from interface(argument, value, "email_identity_arn", "a ses.EmailIdentity")
    yield from same_app(argument, value, stack, "email_identity_arn")


def templates(argument: str, value: Collection[str | ITemplateRef], stack: cdk.Stack) -> Iterator[str]:
    """Names of templates, or what makes them, which the stack can name (IAM; SES API v2, CreateEmailTemplate)."""
    yield from several(argument, value, "['welcome']")
    for position, each in enumerate(value):
        where = f"{argument}[{position}]"
        if not isinstance(each, str):
            yield from interface(where, each, "template_ref", "the name of a template or a ses.CfnTemplate")
            yield from same_app(where, each, stack)
            continue
        yield from instance(where, each, str, "the name of a template")
        if not each:
            yield f"{where} is empty; use the name of a template"
        elif not cdk.Token.is_unresolved(each) and (strange := re.search(r"[*?:/]", each)):
            yield f"{where} {each!r} has {strange[0]!r}; use the name of one template, such as 'welcome'"


def oddities_of_region(value: str) -> Iterator[tuple[str, str]]:
    """Warn where CloudFormation is known to lack configuration sets: the id of a warning and its text."""
    if value in _REGIONS_WITHOUT_CONFIGURATION_SETS or value.startswith("cn-"):
        yield (
            "ses-events:region-without-configuration-sets",
            f"region {value} had no SES configuration sets in CloudFormation when this version was made, and the "
            "deployment fails while that is so; use another region, or acknowledge this where AWS has added them",
        )


def topic(argument: str, value: sns.ITopic, publisher: str = "SES") -> Iterator[str]:
    """A standard topic, not encrypted with the AWS managed key (SES developer guide)."""
    fix = "an sns.Topic, or one that sns.Topic.from_topic_arn imports"
    yield from interface(argument, value, "topic_arn", fix)
    path = value.node.path
    if value.fifo:
        yield f"{argument} {path!r} is a FIFO topic, and {publisher} publishes to standard topics only; use one"
    key = value.master_key.key_arn if value.master_key else getattr(value.node.default_child, "kms_master_key_id", None)
    if key and key.endswith("alias/aws/sns"):
        yield (
            f"{argument} {path!r} is encrypted with alias/aws/sns, whose policy cannot let {publisher} in; "
            "use a kms.Key of your own"
        )


def event_bus(argument: str, value: events_.IEventBus | None) -> Iterator[str]:
    """The default bus (SES API, EventBridgeDestination)."""
    yield from optional_interface(
        argument, value, "event_bus_name", "events.EventBus.from_event_bus_name(..., 'default')"
    )
    if value is None:
        return
    is_new = isinstance(value, cdk.aws_events.EventBus)  # and nobody can make the default bus
    if is_new or (value.event_bus_name != "default" and not cdk.Token.is_unresolved(value.event_bus_name)):
        yield (
            f"{argument} {value.node.path!r} is not the default bus, the only one that SES publishes to; "
            "leave it out, and forward from the default bus with a rule"
        )


def delivery_stream(argument: str, value: EventArchive | firehose.IDeliveryStream) -> Iterator[str]:
    """A stream that takes direct puts, not one that a Kinesis data stream feeds (SES developer guide)."""
    fix = "an EventArchive, or a firehose.IDeliveryStream such as DeliveryStream.from_delivery_stream_arn gives"
    yield from interface(argument, value, "delivery_stream_arn", fix)
    if getattr(value.node.default_child, "delivery_stream_type", None) == "KinesisStreamAsSource":
        yield f"{argument} {value.node.path!r} is fed by a Kinesis data stream; use one that takes direct puts"


def ses_role(argument: str, value: iam.IRole | None) -> Iterator[str]:
    """A role that trusts ses.amazonaws.com; the trust of an imported role is not checked (SES developer guide)."""
    yield from optional_interface(argument, value, "role_arn", "an iam.Role that trusts ses.amazonaws.com")
    if isinstance(value, cdk.aws_iam.Role) and not trusts_of(value, "ses.amazonaws.com"):
        yield (
            f"{argument} {value.node.path!r} does not trust SES; create it with assumed_by=iam.ServicePrincipal("
            "'ses.amazonaws.com', conditions={'StringEquals': {'aws:SourceAccount': stack.account}})"
        )
