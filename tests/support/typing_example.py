"""What a type checker must see in an app that uses the package; mypy reads it with everything else (make lint).

Where a type is lost and becomes Any, mypy reports the comment of the error that it no longer finds.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses

import ses_events
from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
    SesEventsStack,
    SnsDestination,
)


def correct(stack: cdk.Stack, dimension: ses.CloudWatchDimension) -> None:
    publishing = EventPublishing(stack, "Events", reputation_metrics=True)
    archive = EventArchive(stack, "Archive", format=ParquetFormat(), buffering_size=cdk.Size.mebibytes(64))
    destinations: list[EventDestination] = [
        FirehoseDestination(archive),
        FirehoseDestination.with_shared_role(archive),
        CloudWatchDestination([dimension]),
        EventBridgeDestination(),
    ]
    for number, destination in enumerate(destinations):
        made: ses.CfnConfigurationSetEventDestination = publishing.add_destination(f"To{number}", destination)
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    bucket: s3.IBucket = archive.bucket
    rate: cloudwatch.Metric = publishing.metric_bounce_rate()
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive)
    alarm: cloudwatch.Alarm | None = monitoring.bounce_rate
    EventAnalytics(stack, "Analytics", archive=archive)
    print(bucket, rate, alarm)


def wrong(stack: cdk.Stack, bucket: s3.IBucket) -> None:
    publishing = EventPublishing(stack, "Events", reputation_metrics="yes")  # type: ignore[arg-type]
    archive = EventArchive(stack, "Archive", buket=bucket)  # type: ignore[call-arg]
    publishing.add_destination("ToBucket", bucket)  # type: ignore[arg-type]
    publishing.add_destination("ToArchive", FirehoseDestination(archive), events=["send"])  # type: ignore[list-item]
    publishing.add_destination("ToTopic", SnsDestination("Bounces"))  # type: ignore[arg-type]
    FirehoseDestination(bucket)  # type: ignore[arg-type]
    CloudWatchDestination(["campaign"])  # type: ignore[list-item]
    EventAnalytics(stack, "Analytics", archive=bucket)  # type: ignore[arg-type]
    EventMonitoring(stack, "Monitoring", publishing=archive)  # type: ignore[arg-type]
    SesEventsStack(stack, "Mail", prefix=2026)  # type: ignore[arg-type]
    name: int = publishing.configuration_set_name  # type: ignore[assignment]
    events: list[str] = [*UNTOUCHED_MAIL]  # type: ignore[list-item]
    ses_events.EventPublishin(stack, "Mail")  # type: ignore[attr-defined]
    print(publishing.configuration_st, archive.buket, name, events)  # type: ignore[attr-defined]
