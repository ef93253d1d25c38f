"""The reference stack: mail's events kept in S3, counted in CloudWatch, queried with Athena, and all of it watched."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events import location
from ses_events import prefix as prefixes
from ses_events.analytics.analytics import EventAnalytics
from ses_events.archive import rules as archive_rules
from ses_events.archive.archive import DEFAULT_PREFIX, EventArchive
from ses_events.monitoring import rules as monitoring_rules
from ses_events.monitoring.monitoring import EventMonitoring
from ses_events.publishing import rules as publishing_rules
from ses_events.publishing.cloudwatch import CloudWatchDestination
from ses_events.publishing.firehose import FirehoseDestination
from ses_events.publishing.publishing import UNTOUCHED_MAIL, EventPublishing
from ses_events.validation import check, instance

CAMPAIGN = ses.CloudWatchDimension(
    name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
)
"""The message tag ``campaign``, and ``unknown`` for mail without it."""


class SesEventsStack(cdk.Stack):
    """One configuration set whose events are kept in an ``EventArchive``, counted in CloudWatch by one dimension, there
    to be queried, and watched.

    In the template: the resources of ``EventPublishing`` (with reputation metrics), ``EventArchive``,
    ``EventAnalytics`` and ``EventMonitoring``, the event destinations ``firehose`` and ``cloudwatch``, and the outputs
    ConfigurationSetName, BucketName, DeliveryStreamName and WorkGroupName.

    :param configuration_set_name: see ``EventPublishing``.
    :param analytics: whether the archive can be queried, which needs a ``prefix`` with a folder for each day.
    :param dimension: what to count by; where that is a message tag, queries group by it too, and by ``campaign`` where
        it is a header or a link tag. Default: the message tag ``campaign``, ``unknown`` where mail has none.
    :param events: what both destinations get. Default: all but Open and Click.
    :param prefix: see ``EventArchive``.
    :param buffering_interval: see ``EventArchive``.
    :param expiration: see ``EventArchive``.
    :param monitoring: whether to watch all this with ``EventMonitoring``.
    :param alarm_topic_arn: the standard SNS topic that is told when something goes wrong and when it is over, of the
        region of the stack; its policy and key must let CloudWatch in (docs/operations.md). Default: none, and the
        alarms are seen in CloudWatch only.
    :param stack_options: what ``aws_cdk.Stack`` takes: ``env``, ``description``, ``tags``, ...
    :raises ValueError: when an argument breaks a rule of SES, Firehose or S3.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        analytics: bool = True,
        configuration_set_name: str | None = None,
        dimension: ses.CloudWatchDimension = CAMPAIGN,
        events: Collection[ses.EmailSendingEvent] = UNTOUCHED_MAIL,
        prefix: str = DEFAULT_PREFIX,
        buffering_interval: cdk.Duration | None = None,
        expiration: cdk.Duration | None = None,
        monitoring: bool = True,
        alarm_topic_arn: str | None = None,
        **stack_options: Any,
    ) -> None:
        check(
            (scope, construct_id) if isinstance(scope, Construct) else str(construct_id),
            instance("analytics", analytics, bool, "True or False"),
            publishing_rules.name("configuration_set_name", configuration_set_name),
            publishing_rules.dimension("dimension", dimension),
            publishing_rules.events("events", events),
            prefixes.prefix("prefix", prefix),
            prefixes.queried_prefix("prefix", prefix, analytics),
            archive_rules.buffering_interval("buffering_interval", buffering_interval),
            archive_rules.expiration("expiration", expiration),
            instance("monitoring", monitoring, bool, "True or False"),
            monitoring_rules.topic_arn("alarm_topic_arn", alarm_topic_arn),
        )
        super().__init__(scope, construct_id, **stack_options)
        self.archive = EventArchive(
            self, "Archive", prefix=prefix, buffering_interval=buffering_interval, expiration=expiration
        )
        """Where the events are kept."""
        self.metrics = CloudWatchDestination([dimension])
        """The metrics by the dimension."""
        self.publishing = EventPublishing(
            self, "Publishing", configuration_set_name=configuration_set_name, reputation_metrics=True
        )
        """The configuration set."""
        tag = dimension if dimension.source == CAMPAIGN.source else CAMPAIGN
        self.analytics = (
            EventAnalytics(self, "Analytics", archive=self.archive, dimension_name=tag.name) if analytics else None
        )
        """The queries over the archive; None when it is off."""

        self.publishing.add_destination("ToArchive", FirehoseDestination(self.archive), events=events, name="firehose")
        self.publishing.add_destination("ToMetrics", self.metrics, events=events, name="cloudwatch")
        self.monitoring = self._monitoring(alarm_topic_arn) if monitoring else None
        """The alarms and the dashboard."""

        cdk.CfnOutput(self, "ConfigurationSetName", value=self.publishing.configuration_set_name)
        cdk.CfnOutput(self, "BucketName", value=self.archive.bucket.bucket_name)
        cdk.CfnOutput(self, "DeliveryStreamName", value=self.archive.delivery_stream.ref)
        if self.analytics:
            cdk.CfnOutput(self, "WorkGroupName", value=self.analytics.workgroup.ref)

    def _monitoring(self, topic_arn: str | None) -> EventMonitoring:
        told = []
        if topic_arn:
            topic = cdk.aws_sns.Topic.from_topic_arn(self, "AlarmTopic", topic_arn)
            check((self, ""), location.same_region("alarm_topic_arn", topic.env, self))
            told.append(cdk.aws_cloudwatch_actions.SnsAction(topic))
        return EventMonitoring(
            self,
            "Monitoring",
            publishing=self.publishing,
            archive=self.archive,
            analytics=self.analytics,
            alarm_actions=told,
            ok_actions=told,
        )
