"""docs/limits.md, from the signatures of the public classes and the rules of each room: python -m tools.limits_table"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import ses_events
from ses_events import location, validation
from ses_events import prefix as prefixes
from ses_events import stack as stack_rules
from ses_events.analytics import rules as analytics_rules
from ses_events.archive import formats
from ses_events.archive import rules as archive_rules
from ses_events.monitoring import own_alarm_rules
from ses_events.monitoring import rules as monitoring_rules
from ses_events.publishing import dimensions as dimension_rules
from ses_events.publishing import rules as publishing_rules
from ses_events.record import stored_events
from ses_events.validation import Range, Rule, Text
from tests.support.templates import ROOT

RULES: dict[str, Rule | Callable[..., Any]] = {
    "EventPublishing.configuration_set": publishing_rules.configuration_set,
    "EventPublishing.configuration_set_name": publishing_rules.NAME,
    "EventPublishing.add_destination.construct_id": publishing_rules.destination_id,
    "EventPublishing.add_destination.destination": publishing_rules.destination,
    "EventPublishing.add_destination.events": publishing_rules.events,
    "EventPublishing.add_destination.name": publishing_rules.destination_name,
    "EventPublishing.grant_send.identity": publishing_rules.sent_from,
    "EventPublishing.grant_send.templates": publishing_rules.templates,
    "EventPublishing.metric_bounce_rate": publishing_rules.rates,
    "EventPublishing.metric_complaint_rate": publishing_rules.rates,
    "FirehoseDestination.delivery_stream": publishing_rules.delivery_stream,
    "FirehoseDestination.role": publishing_rules.ses_role,
    "CloudWatchDestination.dimensions": dimension_rules.dimensions,
    "CloudWatchDestination.by_tag.name": dimension_rules.dimension_name,
    "CloudWatchDestination.by_tag.default_value": dimension_rules.default_value,
    "CloudWatchDestination.metric.event": publishing_rules.event,
    "CloudWatchDestination.metric.dimensions": dimension_rules.metric_dimensions,
    "CloudWatchDestination.rate.event": dimension_rules.event_of_a_rate,
    "CloudWatchDestination.rate.dimensions": dimension_rules.metric_dimensions,
    "CloudWatchDestination.rate.minimum": dimension_rules.minimum,
    "CloudWatchDestination.rate.period": dimension_rules.rate_period,
    "EventMonitoring.publishing": monitoring_rules.monitored,
    "EventMonitoring.archive": monitoring_rules.monitored,
    "EventMonitoring.analytics": monitoring_rules.monitored,
    "EventMonitoring.alarm_actions": monitoring_rules.alarm_actions,
    "EventMonitoring.ok_actions": monitoring_rules.alarm_actions,
    "EventMonitoring.runbook_url": monitoring_rules.runbook_url,
    "EventMonitoring.bounce_rate": monitoring_rules.reputation_threshold,
    "EventMonitoring.complaint_rate": monitoring_rules.reputation_threshold,
    "EventMonitoring.rejects": validation.count,
    "EventMonitoring.missing_events": monitoring_rules.missing_events,
    "EventMonitoring.shared_counter": monitoring_rules.shared_counter,
    "EventMonitoring.rendering_failures": validation.count,
    "EventMonitoring.archive_delay": monitoring_rules.archive_delay,
    "EventMonitoring.quota_share": monitoring_rules.quota_share,
    "EventMonitoring.count_events": publishing_rules.room_to_count,
    "EventMonitoring.add_alarm.construct_id": own_alarm_rules.alarm_id,
    "EventMonitoring.add_alarm.metric": own_alarm_rules.metric_of_an_alarm,
    "EventMonitoring.add_alarm.threshold": own_alarm_rules.alarm_threshold,
    "EventMonitoring.add_alarm.comparison": own_alarm_rules.comparison,
    "EventMonitoring.add_alarm.description": own_alarm_rules.alarm_description,
    "EventPublishing.metric_account.event": publishing_rules.event_of_the_account,
    "SnsDestination.topic": publishing_rules.topic,
    "EventBridgeDestination.event_bus": publishing_rules.event_bus,
    "EventBridgeDestination.pattern.configuration_set_name": publishing_rules.NAME,
    "EventBridgeDestination.pattern.events": publishing_rules.events_of_eventbridge,
    "EventArchive.bucket": archive_rules.bucket,
    "EventArchive.encryption_key": archive_rules.key,
    "EventArchive.log_group": archive_rules.log_group,
    "EventArchive.server_access_logs_bucket": archive_rules.server_access_logs_bucket,
    "EventArchive.buffering_interval": archive_rules.BUFFERING_INTERVAL,
    "EventArchive.buffering_size": formats.BUFFERING_SIZE,
    "EventArchive.delivery_stream_name": archive_rules.DELIVERY_STREAM_NAME,
    "EventArchive.error_output_prefix": prefixes.error_output_prefix,
    "EventArchive.expiration": archive_rules.EXPIRATION,
    "EventArchive.format": archive_rules.archive_format,
    "EventArchive.prefix": prefixes.prefix,
    "EventArchive.role": archive_rules.delivery_role,
    "EventArchive.removal_policy": archive_rules.removal_policy,
    "EventAnalytics.archive": analytics_rules.analysed_archive,
    "EventAnalytics.bytes_scanned_cutoff": analytics_rules.BYTES_SCANNED_CUTOFF,
    "EventAnalytics.dimension_name": dimension_rules.dimension_name,
    "EventAnalytics.results_bucket": archive_rules.bucket,
    "EventAnalytics.results_expiration": archive_rules.EXPIRATION,
    "ParquetFormat.prefix": prefixes.table_prefix,
    "SesEventsStack.alarm_topic_arn": monitoring_rules.topic_arn,
    "SesEventsStack.bucket_name": stack_rules.BUCKET_NAME,
    "SesEventsStack.buffering_interval": archive_rules.BUFFERING_INTERVAL,
    "SesEventsStack.configuration_set_name": publishing_rules.NAME,
    "SesEventsStack.dimension": dimension_rules.dimension,
    "SesEventsStack.events": publishing_rules.events,
    "SesEventsStack.expiration": archive_rules.EXPIRATION,
    "SesEventsStack.prefix": prefixes.prefix,
    "SesEventsStack.stack_options": stack_rules.options_of_a_stack,
    "StoredEvents.prefixes": stored_events.stored_prefixes,
}
"""The rule of each option; one without is held to its type alone."""

ELSEWHERE: dict[str, Rule | Callable[..., Any]] = {
    "a topic": location.same_region,
    "a delivery stream, event bus or set": location.same_place,
    "a part that another stack makes": location.same_app,
    "the dimensions of the metric of an alarm": location.nameable,
    "the role of a `FirehoseDestination`": location.same_account,
    "what an `EventDestination` of an app binds": publishing_rules.bound,
    "a destination of a set that is monitored": publishing_rules.destination_before_monitoring,
    "a dimension": dimension_rules.dimension,
    "`name` of a dimension": dimension_rules.dimension_name,
    "`default_value` of a dimension": dimension_rules.DIMENSION_DEFAULT_VALUE,
}
"""Rules about what is no option of its own."""

_INTERNAL = {"bind", "prefix_oddities", "problems"}
"""Methods that the constructs call on the values they are given."""

WARNINGS = {
    "alarm-without-data": "`add_alarm` on an event that no set publishes to the destination with these dimensions",
    "bucket-not-emptied": "a new bucket that is deleted with its stack, which fails while it holds anything",
    "archive-not-compared": "`EventMonitoring` of a set and an archive that it publishes nothing to",
    "archive-watched-twice": "`EventMonitoring(archive=...)` that another watches: each of its alarms is made twice",
    "errors-among-events": "a prefix that covers the errors: whoever reads all events reads them too",
    "logs-bucket-not-editable": "an imported bucket for access logs: its policy needs the statement printed",
    "role-for-anybody": "a role that SES may assume on behalf of any account",
    "key-of-another-account": "the key of an archive's bucket is of another account: its policy needs a statement",
    "bucket-of-another-account": "`EventArchive(bucket=...)` of another account: its policy needs a statement",
    "delivery-role-not-editable": "`EventArchive(role=...)` that CDK cannot edit: it needs the statements printed",
    "endless-dimension": "a dimension whose values never end, each of them a billed metric",
    "grant-without-effect": "a grantee whose policies CDK cannot edit, or of another account: prints the statements",
    "imported-bucket": "`EventArchive(bucket=...)` imported without `encryption_key`: it may have a key all the same",
    "imported-role": "a role for SES or Firehose that is imported: its trust policy needs the statement printed",
    "key-not-editable": "a topic with an imported key: the key's policy needs the statement printed",
    "link-tag-without-click": "a link tag as dimension where no Click event is published",
    "not-in-missing-events": "a set added to an archive after the `EventMonitoring` whose `missing_events` watches it",
    "order-not-guaranteed": "the delivery stream cannot wait for the role for SES: a first deployment may fail",
    "prefix-leading-slash": "a prefix that starts with `/`: a folder without a name",
    "prefix-opens-bucket": "a prefix in a bucket of yours that does not begin with a folder: "
    "permissions are for the whole bucket",
    "prefix-strftime": "a prefix with `%Y` or the like: Firehose writes it into the key as it is",
    "prefix-plain-braces": "a prefix with `{timestamp:...}` without `!`: Firehose writes it into the key as it is",
    "prefix-reaches-neighbours": "a prefix in a bucket of yours whose folder does not end before any expression: "
    "permissions are for folders of like names too",
    "prefix-week-year": "a prefix with `YYYY` or `DD`: wrong around New Year",
    "prefix-without-slash": "a prefix without `/` at its end: the rest of each key follows it directly",
    "published-twice": "events that two destinations of a set publish to the same stream, topic, bus or metrics",
    "region-without-configuration-sets": "a region that had no configuration sets in CloudFormation at this version",
    "topic-not-editable": "an imported topic: its policy needs the statement printed",
}


def table() -> str:
    """The page."""
    elsewhere = [_row(what, "", rule) for what, rule in ELSEWHERE.items()]
    return "\n".join(
        [
            "# Options and limits",
            "",
            "What each option takes, and where AWS says so. Anything else raises `ValueError` where it is written, a",
            "wrong type `TypeError`. A value that is known at deployment only (a token) "
            "is accepted, except for true or false. Made",
            "from the code by `python -m tools.limits_table`.",
            "",
            *(line for name in ses_events.__all__ for line in _part(f"`{name}`", [*_option_rows(name)])),
            *_part("Elsewhere", elsewhere),
            "## Warnings",
            "",
            "What is legal and probably not meant. Acknowledge one on the construct that says it:",
            "`cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=..., reason=...))`.",
            "",
            "| id | when |",
            "|---|---|",
            *(f"| `ses-events:{warning}` | {when} |" for warning, when in WARNINGS.items()),
            "",
        ]
    )


def _part(heading: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    return [f"## {heading}", "", "| option | default | what is taken | source |", "|---|---|---|---|", *rows, ""]


def _option_rows(name: str) -> Iterator[str]:
    """Yield a row for each option of a public class and of its methods."""
    public = getattr(ses_events, name)
    if not inspect.isclass(public) or name == "EventDestination":
        return
    methods = {"": public.__init__} if inspect.isfunction(public.__init__) else {}
    methods |= {
        f".{method}": function
        for method, function in inspect.getmembers(public, _is_method)
        if _is_documented_with(name, function) and method[0] != "_" and method not in _INTERNAL
    }
    for method, function in methods.items():
        option = f"{name}{method}"
        if option in RULES:
            yield _row(f"`{method[1:] or name}`", "", RULES[option])
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name in ("self", "scope") or (parameter.name == "construct_id" and not method):
                continue
            argument = f"{method}.{parameter.name}"[1:]
            yield _row(
                f"`{argument}`",
                _default(parameter, str(public.__doc__) + str(function.__doc__)),
                RULES.get(f"{option}.{parameter.name}"),
                str(parameter.annotation),
            )


def _is_method(value: object) -> bool:
    return inspect.isfunction(value) or inspect.ismethod(value)  # the latter of the class itself


def _is_documented_with(name: str, function: Callable[..., Any]) -> bool:
    """Whether a method is ours, and of no other public class, which has it in its own rows."""
    owner = function.__qualname__.partition(".")[0]
    return function.__module__.startswith("ses_events.") and (owner == name or owner not in ses_events.__all__)


def _row(option: str, default: str, rule: Rule | Callable[..., Any] | None, annotation: str = "") -> str:
    if rule is None:
        return f"| {option} | {default} | {_type(annotation)} | AWS CDK |"
    if isinstance(rule, (Text, Range)):
        taken = f"{rule.text}, {rule.note}" if rule.note else rule.text
        return f"| {option} | {default} | {taken} | {rule.source} |"
    text = " ".join(str(rule.__doc__).replace("``", "`").split())
    taken, _, source = text.removesuffix(").").rpartition(" (")
    return f"| {option} | {default} | {taken} | {source} |"


def _default(parameter: inspect.Parameter, docstring: str) -> str:
    described = re.search(rf":param {parameter.name}: (.*?)(?=\n *:|$)", docstring, re.DOTALL)
    documented = (
        " ".join(described[1].split()).replace("``", "`").rpartition("Default: ")[2].rstrip(".") if described else ""
    )
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "those of CDK"
    if parameter.default is inspect.Parameter.empty:
        return "needed"
    if parameter.default is ses_events.UNTOUCHED_MAIL:
        return "`UNTOUCHED_MAIL`"
    return documented if parameter.default in (None, stack_rules.CAMPAIGN) else f"`{parameter.default}`"


def _type(annotation: str) -> str:
    words = {"bool": "true or false"}
    plain = annotation.removesuffix(" | None")
    return words.get(plain, f"`{plain}`")


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/limits.md").write_text(table())
