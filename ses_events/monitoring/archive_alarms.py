"""What a delivery stream says of itself: the alarms of an archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.monitoring.alarms import HOUR, AlarmRule, percent
from ses_events.tokens import is_deferred

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.archive.archive import EventArchive


def archive_alarms(
    archive: EventArchive, archive_delay: cdk.Duration | None, quota_share: float
) -> Iterator[AlarmRule]:
    """Yield the alarms about what the delivery stream says of itself."""
    stream = f"the delivery stream {archive.delivery_stream_name}"
    log_group = archive.log_group.log_group_name
    interval = archive.buffering_seconds
    if is_deferred(interval):
        interval = 900  # the longest of Firehose
    delay = archive_delay.to_seconds() if archive_delay else max(900, 3 * interval)
    why = f"Firehose tries for 24 hours and then loses the events. Look at the log group {log_group}: it says why"
    causes = "the role of the stream, the bucket's policy and its key are what it may be."
    yield _late("data_freshness", archive.metric_data_freshness(), delay, f"Events wait in {stream}", why, causes)
    yield _refused(
        "delivery_success", archive.metric_delivery_success(), f"S3 refuses what {stream} writes", why, causes
    )
    yield AlarmRule(
        "throttled",
        archive.metric_throttled_records(),
        1,
        f"Firehose turned events away, because {stream} was over its quota. AWS does not say whether SES tries again: "
        "take the events for lost. Look at the dashboard for which quota it is, and ask for more in Service Quotas "
        "(Firehose: bytes, records or requests per second).",
        periods=HOUR,
        breaching=1,
        query="archive_health",
    )
    yield from _quota_alarms(archive, stream, quota_share)
    if archive.encryption_key:
        yield from _key_alarms(archive, stream)
    if archive.format.converts:
        yield AlarmRule(
            "failed_conversion",
            archive.metric_failed_conversion_records(),
            1,
            f"Firehose could not convert events to Parquet, as they do not fit the Glue table of {stream}. They are in "
            "the JSON, and under the error prefix of the bucket, but not in the queries. Look at the log group "
            f"{log_group}, and compare the event with the columns.",
            periods=HOUR,
            breaching=1,
        )
        json = f"The JSON of events waits in {stream}"
        yield _late("backup_freshness", archive.metric_backup_freshness(), delay, json, why, causes)
        refused = f"S3 refuses the JSON that {stream} writes"
        yield _refused("backup_success", archive.metric_backup_success(), refused, why, causes)


def _quota_alarms(archive: EventArchive, stream: str, quota_share: float) -> Iterator[AlarmRule]:
    """Yield the alarms about the quotas of the delivery stream, before it turns events away."""
    share, period = percent(quota_share), cdk.Duration.minutes(5)
    for what, used, limit in (
        ("bytes", archive.metric_incoming_bytes(), archive.metric_bytes_per_second_limit()),
        ("records", archive.metric_incoming_records(), archive.metric_records_per_second_limit()),
        ("put_requests", archive.metric_incoming_put_requests(), archive.metric_put_requests_per_second_limit()),
    ):
        words = what.replace("_", " ")
        yield AlarmRule(
            f"{what}_near_quota",
            cdk.aws_cloudwatch.MathExpression(
                expression=f"{what} / PERIOD({what}) / {what}_quota",
                using_metrics={what: used, f"{what}_quota": limit},
                label=f"share of the quota of {words}",
                period=period,
            ),
            quota_share,
            f"More than {share} of the quota of {words} per second is used (average of 5 minutes) of "
            f"{stream}. Firehose turns away what is above it. Ask for more in Service Quotas now, or spread the mail.",
            comparison="GREATER_THAN_THRESHOLD",
            periods=3,
            breaching=1,
        )


def _late(name: str, metric: cloudwatch.Metric, delay: float, what: str, why: str, causes: str) -> AlarmRule:
    age = "its threshold" if is_deferred(delay) else f"{delay / 60:g} minutes"
    description = f"{what}: the oldest for more than {age}. {why}; {causes}"
    return AlarmRule(name, metric, delay, description, "GREATER_THAN_THRESHOLD", periods=3, verify=True)


def _refused(name: str, metric: cloudwatch.Metric, what: str, why: str, causes: str) -> AlarmRule:
    return AlarmRule(name, metric, 1, f"{what}. {why}; {causes}", "LESS_THAN_THRESHOLD", periods=3, verify=True)


def _key_alarms(archive: EventArchive, stream: str) -> Iterator[AlarmRule]:
    for name, metric, fault, look in (
        ("access_denied", archive.metric_key_access_denied(), "may not be used", "at its policy and its grants"),
        ("disabled", archive.metric_key_disabled(), "is disabled", "whether to enable it again"),
        ("invalid_state", archive.metric_key_invalid_state(), "is in a state of no use", "whether it is to be deleted"),
        ("not_found", archive.metric_key_not_found(), "is not there", "whether it was deleted"),
    ):
        yield AlarmRule(
            f"key_{name}",
            metric,
            1,
            f"The KMS key of {stream} {fault}. Firehose turns new events away; what it has it tries to deliver for 24 "
            f"hours, and then discards it. Look in the KMS console {look}.",
            periods=HOUR,
            breaching=1,
            verify=True,
        )
