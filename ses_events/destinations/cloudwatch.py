"""Events counted as CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import IDependable

from ses_events import limits
from ses_events.event_names import metric_name
from ses_events.refusal import check

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.publishing import EventPublishing


class CloudWatchDestination:
    """Counts events in CloudWatch, by the values of 1-10 dimensions.

    In the template: the dimensions of the event destination; no resource of its own. SES publishes the metrics
    ``AWS/SES`` Send, Bounce, ... **with exactly these dimensions together**: a metric with two dimensions cannot be
    read by one of them; for a second view add a second destination. Two configuration sets that publish the same
    dimensions share one metric. CloudWatch bills each event type times each combination of values as a custom metric
    ($0.30 a month): 10 event types of 50 campaigns cost about $150 a month. A dimension whose values never end is
    warned of (``ses-events:endless-dimension``), and so is a link tag where no Click is published
    (``ses-events:link-tag-without-click``).

    :param dimensions: 1-10 ``ses.CloudWatchDimension`` with different names: 1-256 of ``A-Z a-z 0-9 _ : -``; default
        values 1-256 of ``A-Z a-z 0-9 _ -`` (CloudFormation schema, SES developer guide).
    :raises ValueError: when a dimension breaks a rule; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(self, dimensions: Sequence[ses.CloudWatchDimension]) -> None:
        check("CloudWatchDestination", limits.dimensions("dimensions", dimensions))
        self.dimensions = tuple(dimensions)
        """What SES counts by."""

    def bind(
        self, publishing: EventPublishing, events: Collection[ses.EmailSendingEvent]
    ) -> tuple[dict[str, Any], list[IDependable]]:
        """This destination's part of the event destination (``EventPublishing.add_destination`` calls it)."""
        for warning, text in limits.oddities_of_dimensions(self.dimensions, events):
            cdk.Annotations.of(publishing).add_warning_v2(warning, text)
        return {"cloud_watch_destination": self._properties}, []

    @cached_property
    def _properties(self) -> ses.CfnConfigurationSetEventDestination.CloudWatchDestinationProperty:
        of = ses.CfnConfigurationSetEventDestination
        return of.CloudWatchDestinationProperty(
            dimension_configurations=[
                of.DimensionConfigurationProperty(
                    dimension_name=dimension.name,
                    dimension_value_source=limits.DIMENSION_VALUE_SOURCES[dimension.source],
                    default_dimension_value=dimension.default_value,
                )
                for dimension in self.dimensions
            ]
        )

    def metric(self, event: ses.EmailSendingEvent, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
        """The number of events of a kind (namespace ``AWS/SES``, statistic Sum, CDK's default period of 5 minutes).

        Adjust it with ``with_``: ``campaigns.metric(SEND, {"campaign": "spring"}).with_(period=Duration.hours(1))``.

        :param event: the event to count; its destination must match it.
        :param dimensions: a value for each dimension of this destination, by name.
        :raises ValueError: when a dimension is missing or unknown.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            "CloudWatchDestination.metric",
            limits.events("event", [event]),
            limits.metric_dimensions("dimensions", dimensions, [dimension.name for dimension in self.dimensions]),
        )
        return cdk.aws_cloudwatch.Metric(
            namespace="AWS/SES", metric_name=metric_name(event.name), dimensions_map=dict(dimensions), statistic="Sum"
        )
