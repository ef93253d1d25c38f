"""Where a configuration set can publish its events; each destination renders its part of the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events import limits
from ses_events.archive import EventArchive


class FirehoseDestination:
    """Sends each event as one JSON record to the delivery stream of an ``EventArchive``.

    In the template: the role that SES assumes, once for a configuration set, under the construct of the set. It may put
    records into the streams of the set's destinations and nothing else; SES assumes it for this configuration set of
    this account only. A stream in the same stack is created after the role, so that IAM has propagated the role when
    SES tests it. For a stream in another stack a warning, ``ses-events:stream-in-another-stack``, says that this order
    cannot be kept.

    :param archive: where the events go: the same account and region as the configuration set (SES developer guide).
    :raises TypeError: when ``archive`` is something else.
    """

    def __init__(self, archive: EventArchive) -> None:
        limits.check("FirehoseDestination", limits.instance("archive", archive, EventArchive, "an EventArchive"))
        self.archive = archive

    def bind(self, scope: Construct, configuration_set_arn: str) -> dict[str, Any]:
        """The part of the event destination that is this one's (``EventPublishing.add_destination`` calls it)."""
        stream = self.archive.delivery_stream
        role = _ses_role(scope, configuration_set_arn, self.archive)
        if cdk.Stack.of(scope) == cdk.Stack.of(stream):
            stream.add_resource_dependency(role)
        else:
            cdk.Annotations.of(scope).add_warning_v2(
                "ses-events:stream-in-another-stack",
                f"the role for SES cannot be created before the delivery stream {stream.node.path} of another stack: "
                "the first deployment may fail with 'Could not assume IAM role' while IAM propagates the role; "
                "then deploy again, or put the archive into this stack",
            )
        return {
            "kinesis_firehose_destination": (
                ses.CfnConfigurationSetEventDestination.KinesisFirehoseDestinationProperty(
                    delivery_stream_arn=stream.attr_arn, iam_role_arn=role.attr_arn
                )
            )
        }


class CloudWatchDestination:
    """Counts events in CloudWatch, by the values of 1-10 dimensions.

    In the template: the dimensions of the event destination; no resource of its own. SES publishes the metrics
    ``AWS/SES`` Send, Bounce, ... **with exactly these dimensions together**: a metric with two dimensions cannot be
    read by one of them; for a second view add a second destination. Two configuration sets that publish the same
    dimensions share one metric. CloudWatch bills each event type times each combination of values as a custom metric
    ($0.30 a month): 10 event types of 50 campaigns cost about $150 a month, so use no dimension with endless values.

    :param dimensions: 1-10 ``ses.CloudWatchDimension`` with different names: 1-256 of ``A-Z a-z 0-9 _ : -``; default
        values 1-256 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema, SES developer guide).
    :raises ValueError: when a dimension breaks a rule; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(self, dimensions: Sequence[ses.CloudWatchDimension]) -> None:
        limits.check("CloudWatchDestination", limits.dimensions("dimensions", dimensions))
        self.dimensions = tuple(dimensions)

    def bind(self, scope: Construct, configuration_set_arn: str) -> dict[str, Any]:
        """The part of the event destination that is this one's (``EventPublishing.add_destination`` calls it)."""
        return {
            "cloud_watch_destination": ses.CfnConfigurationSetEventDestination.CloudWatchDestinationProperty(
                dimension_configurations=[
                    ses.CfnConfigurationSetEventDestination.DimensionConfigurationProperty(
                        dimension_name=dimension.name,
                        dimension_value_source=limits.DIMENSION_VALUE_SOURCES[dimension.source],
                        default_dimension_value=dimension.default_value,
                    )
                    for dimension in self.dimensions
                ]
            )
        }

    def metric(self, event: ses.EmailSendingEvent, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
        """The number of events of a kind (namespace ``AWS/SES``, statistic Sum, CDK's default period of 5 minutes).

        Adjust it with ``with_``: ``campaigns.metric(SEND, {"campaign": "spring"}).with_(period=Duration.hours(1))``.

        :param event: the event to count; its destination must match it.
        :param dimensions: a value for each dimension of this destination, by name.
        :raises ValueError: when a dimension is missing or unknown.
        :raises TypeError: when an argument has a wrong type.
        """
        limits.check(
            "CloudWatchDestination.metric",
            limits.events("event", [event]),
            limits.metric_dimensions("dimensions", dimensions, [dimension.name for dimension in self.dimensions]),
        )
        return cloudwatch.Metric(
            namespace="AWS/SES", metric_name=_metric_name(event), dimensions_map=dimensions, statistic="Sum"
        )


EventDestination = FirehoseDestination | CloudWatchDestination
"""What ``EventPublishing.add_destination`` takes."""


def _ses_role(scope: Construct, configuration_set_arn: str, archive: EventArchive) -> iam.CfnRole:
    """The role that SES assumes for one configuration set, allowed to put records into the archive's stream.

    Its permissions are inline: a policy attached later would have to propagate too. They name the stream's future ARN.
    """
    put_events = iam.CfnRole.PolicyProperty(
        policy_name=f"PutEvents-{archive.delivery_stream_name}",
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "firehose:PutRecordBatch",
                    "Resource": archive.delivery_stream_arn,
                }
            ],
        },
    )
    role = scope.node.try_find_child("SesRole")
    if isinstance(role, iam.CfnRole):
        policies = cast(list[iam.CfnRole.PolicyProperty], role.policies)
        if put_events not in policies:
            role.policies = [*policies, put_events]
        return role
    return iam.CfnRole(
        scope,
        "SesRole",
        description="Lets SES put the events of one configuration set into a delivery stream",
        assume_role_policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ses.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {
                            "aws:SourceAccount": cdk.Stack.of(scope).account,
                            "aws:SourceArn": configuration_set_arn,
                        }
                    },
                }
            ],
        },
        policies=[put_events],
    )


def _metric_name(event: ses.EmailSendingEvent) -> str:
    """The event as CloudWatch spells it: RenderingFailure where the event type is renderingFailure."""
    event_type = limits.MATCHING_EVENT_TYPES[event]
    return event_type[0].upper() + event_type[1:]
