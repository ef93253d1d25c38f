"""docs/limits.md, from the signatures of the public classes and the rules in limits.py: python -m tools.limits_table"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import ses_events
from ses_events import limits
from tests.support.templates import ROOT

RULES: dict[str, Callable[..., Any]] = {
    "EventPublishing.configuration_set": limits.configuration_set,
    "EventPublishing.configuration_set_name": limits.name,
    "EventPublishing.auto_validation_threshold": limits.suppression,
    "EventPublishing.custom_tracking_https_policy": limits.tracking,
    "EventPublishing.custom_tracking_redirect_domain": limits.tracking,
    "EventPublishing.disable_auto_validation": limits.suppression,
    "EventPublishing.disable_suppression_list": limits.suppression,
    "EventPublishing.max_delivery_duration": limits.max_delivery_duration,
    "EventPublishing.suppression_reasons": limits.suppression,
    "EventPublishing.add_destination.construct_id": limits.destination_id,
    "EventPublishing.add_destination.destination": limits.destination,
    "EventPublishing.add_destination.events": limits.events,
    "EventPublishing.add_destination.name": limits.destination_name,
    "EventPublishing.grant_send.templates": limits.templates,
    "EventPublishing.metric_bounce_rate": limits.rates,
    "EventPublishing.metric_complaint_rate": limits.rates,
    "FirehoseDestination.delivery_stream": limits.delivery_stream,
    "FirehoseDestination.role": limits.ses_role,
    "CloudWatchDestination.dimensions": limits.dimensions,
    "CloudWatchDestination.metric.event": limits.event,
    "CloudWatchDestination.metric.dimensions": limits.metric_dimensions,
    "CloudWatchDestination.rate.event": limits.event_of_a_rate,
    "CloudWatchDestination.rate.dimensions": limits.metric_dimensions,
    "CloudWatchDestination.rate.minimum": limits.minimum,
    "CloudWatchDestination.rate.period": limits.rate_period,
    "EventMonitoring.publishing": limits.monitored,
    "EventMonitoring.archive": limits.monitored,
    "EventMonitoring.analytics": limits.monitored,
    "EventMonitoring.alarm_actions": limits.alarm_actions,
    "EventMonitoring.ok_actions": limits.alarm_actions,
    "EventMonitoring.bounce_rate": limits.reputation_threshold,
    "EventMonitoring.complaint_rate": limits.reputation_threshold,
    "EventMonitoring.rejects": limits.count,
    "EventMonitoring.rendering_failures": limits.count,
    "EventMonitoring.archive_delay": limits.archive_delay,
    "EventMonitoring.quota_share": limits.share,
    "EventMonitoring.count_events": limits.room_to_count,
    "EventMonitoring.add_alarm.construct_id": limits.destination_id,
    "EventMonitoring.add_alarm.metric": limits.metric_of_an_alarm,
    "EventMonitoring.add_alarm.threshold": limits.alarm_threshold,
    "EventMonitoring.add_alarm.description": limits.alarm_description,
    "EventPublishing.metric_account.event": limits.event_of_the_account,
    "SnsDestination.topic": limits.topic,
    "EventBridgeDestination.event_bus": limits.event_bus,
    "EventArchive.bucket": limits.bucket,
    "EventArchive.encryption_key": limits.key,
    "EventArchive.log_group": limits.log_group,
    "EventArchive.server_access_logs_bucket": limits.server_access_logs_bucket,
    "EventArchive.buffering_interval": limits.buffering_interval,
    "EventArchive.buffering_size": limits.buffering_size,
    "EventArchive.delivery_stream_name": limits.delivery_stream_name,
    "EventArchive.error_output_prefix": limits.error_output_prefix,
    "EventArchive.expiration": limits.expiration,
    "EventArchive.format": limits.archive_format,
    "EventArchive.prefix": limits.prefix,
    "EventArchive.removal_policy": limits.removal_policy,
    "EventAnalytics.archive": limits.analysed_archive,
    "EventAnalytics.bytes_scanned_cutoff": limits.bytes_scanned_cutoff,
    "EventAnalytics.dimension_name": limits.dimension_name,
    "EventAnalytics.results_bucket": limits.bucket,
    "EventAnalytics.results_expiration": limits.expiration,
    "ParquetFormat.prefix": limits.table_prefix,
}
"""The rule of each option; one without is held to its type alone."""

ELSEWHERE: dict[str, Callable[..., Any]] = {
    "a topic": limits.same_region,
    "a delivery stream, event bus or set": limits.same_place,
    "the role of a `FirehoseDestination`": limits.same_account,
    "a destination of a set that is monitored": limits.destination_before_monitoring,
    "the topic of the reference stack": limits.topic_arn,
    "a dimension": limits.dimension,
    "name of a dimension": limits.dimension_name,
    "default_value of a dimension": limits.dimension_default_value,
}
"""Rules about what is no option of its own."""

WARNINGS = {
    "bucket-not-emptied": "`EventArchive(removal_policy=DESTROY)`: a bucket that holds events cannot be deleted",
    "errors-among-events": "a prefix that starts with no folder: who reads all events reads the errors too",
    "logs-bucket-not-editable": "an imported bucket for access logs: its policy needs the statement printed",
    "role-for-anybody": "a role that SES may assume on behalf of any account",
    "key-of-another-account": "the key of an archive's bucket is of another account: its policy needs a statement",
    "bucket-of-another-account": "`EventArchive(bucket=...)` of another account: its policy needs a statement",
    "endless-dimension": "a dimension whose values never end, each of them a billed metric",
    "grant-without-effect": "a grant to whom CDK can give nothing, or who is of another account: with the statements",
    "imported-role": "`FirehoseDestination(role=...)` imported: its trust policy needs the statement printed",
    "key-not-editable": "a topic with an imported key: the key's policy needs the statement printed",
    "link-tag-without-click": "a link tag as dimension where no Click event is published",
    "order-not-guaranteed": "the delivery stream cannot wait for the role for SES: a first deployment may fail",
    "prefix-leading-slash": "a prefix that starts with `/`: a folder without a name",
    "prefix-opens-bucket": "a prefix in a bucket of yours that begins with no folder: permissions are for all of it",
    "prefix-week-year": "a prefix with `YYYY` or `DD`: wrong around New Year",
    "prefix-without-slash": "a prefix without `/` at its end: keys run into it",
    "region-without-configuration-sets": "a region that had no configuration sets in CloudFormation at this version",
    "topic-not-editable": "an imported topic: its policy needs the statement printed",
}


def table() -> str:
    """The page."""
    rows = [*_option_rows(), *(_row(what, "", rule) for what, rule in ELSEWHERE.items())]
    return "\n".join(
        [
            "# Options and limits",
            "",
            "What each option takes, and where AWS says so. Anything else raises `ValueError` where it is written, a",
            "wrong type `TypeError`. Values known at deployment only (tokens) pass, but not for true or false. Made",
            "from the code by `python -m tools.limits_table`.",
            "",
            "| option | default | what is taken | source |",
            "|---|---|---|---|",
            *rows,
            "",
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


def _option_rows() -> Iterator[str]:
    for name in ses_events.__all__:
        public = getattr(ses_events, name)
        if not inspect.isclass(public) or name in ("EventDestination", "SesEventsStack"):
            continue
        methods = {"": public.__init__} | {
            f".{method}": function
            for method, function in inspect.getmembers(public, inspect.isfunction)
            if function.__qualname__ == f"{name}.{method}" and method[0] != "_" and method not in ("bind", "problems")
        }
        for method, function in methods.items():
            option = f"{name}{method}"
            if option in RULES:
                yield _row(option, "", RULES[option])
            for parameter in inspect.signature(function).parameters.values():
                if parameter.name in ("self", "scope") or (parameter.name == "construct_id" and not method):
                    continue
                full = f"{option}.{parameter.name}"
                yield _row(
                    full,
                    _default(parameter, str(public.__doc__) + str(function.__doc__)),
                    RULES.get(full),
                    str(parameter.annotation),
                )


def _row(option: str, default: str, rule: Callable[..., Any] | None, annotation: str = "") -> str:
    if rule is None:
        return f"| `{option}` | {default} | {_type(annotation)} | AWS CDK |"
    text = " ".join(str(rule.__doc__).replace("``", "`").split())
    taken, _, source = text.removesuffix(").").rpartition(" (")
    return f"| `{option}` | {default} | {taken} | {source} |"


def _default(parameter: inspect.Parameter, docstring: str) -> str:
    described = re.search(rf":param {parameter.name}: (.*?)(?=\n *:|$)", docstring, re.DOTALL)
    documented = (
        " ".join(described[1].split()).replace("``", "`").rpartition("Default: ")[2].rstrip(".") if described else ""
    )
    if parameter.default is inspect.Parameter.empty:
        return "needed"
    if parameter.default is ses_events.UNTOUCHED_MAIL:
        return "`UNTOUCHED_MAIL`"
    return documented if parameter.default is None else f"`{parameter.default}`"


def _type(annotation: str) -> str:
    words = {"bool": "true or false"}
    plain = annotation.removesuffix(" | None")
    return words.get(plain, f"`{plain}`")


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/limits.md").write_text(table())
