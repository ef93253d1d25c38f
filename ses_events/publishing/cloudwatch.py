"""Events counted as CloudWatch metrics."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events import tokens
from ses_events.location import ANYWHERE, Environment, environment_of
from ses_events.publishing import dimensions as dimension_rules
from ses_events.publishing import rules
from ses_events.publishing.destination import Bound, EventDestination, Source
from ses_events.record.names import COUNTED_AGAINST, DIMENSION_VALUE_SOURCES, metric_name
from ses_events.validation import check

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from constructs import Construct


CONFIGURATION_SET = "ses:configuration-set"
"""The message tag that SES gives every mail of a configuration set (SES developer guide, auto-tags)."""


class CloudWatchDestination(EventDestination):
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

    is_monitored = True
    """``EventMonitoring`` looks at it."""

    def __init__(self, dimensions: Sequence[ses.CloudWatchDimension]) -> None:
        check("CloudWatchDestination", dimension_rules.dimensions("dimensions", dimensions))
        self.dimensions = tuple(dimensions)
        """What SES counts by."""
        self.is_of_the_set = [dimension.name for dimension in dimensions] == [CONFIGURATION_SET]
        """Whether it counts by the configuration set alone."""
        self._counted_in: set[Environment] = set()

    @classmethod
    def by_tag(cls, name: str, *, default_value: str = "unknown") -> CloudWatchDestination:
        """Count by a message tag: ``CloudWatchDestination.by_tag("campaign")``.

        :param name: of the tag, as the name of a dimension.
        :param default_value: what mail without the tag is counted as.
        :raises ValueError: when an argument breaks a rule of SES; a line for each.
        :raises TypeError: when an argument has a wrong type.
        """
        tag = ses.CloudWatchDimensionSource.MESSAGE_TAG
        check(
            "CloudWatchDestination.by_tag",
            dimension_rules.dimension_name("name", name, tag),
            dimension_rules.default_value("default_value", default_value),
        )
        return cls([ses.CloudWatchDimension(name=name, default_value=default_value, source=tag)])

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """Return what SES is told of it for one configuration set (``EventPublishing.add_destination`` calls it)."""
        for warning, text in dimension_rules.oddities_of_dimensions(self.dimensions, events):
            cdk.Annotations.of(scope).add_warning_v2(warning, text)
        self._counted_in.add(environment_of(source.stack))
        return Bound({"cloud_watch_destination": self._properties})

    @cached_property
    def _properties(self) -> ses.CfnConfigurationSetEventDestination.CloudWatchDestinationProperty:
        of = ses.CfnConfigurationSetEventDestination
        return of.CloudWatchDestinationProperty(
            dimension_configurations=[
                of.DimensionConfigurationProperty(
                    dimension_name=dimension.name,
                    dimension_value_source=DIMENSION_VALUE_SOURCES[dimension.source.name],
                    default_dimension_value=dimension.default_value,
                )
                for dimension in self.dimensions
            ]
        )

    @property
    def _place(self) -> Environment:
        """Where the sets that publish to it so far are, if that is one place."""
        [place] = self._counted_in if len(self._counted_in) == 1 else [ANYWHERE]
        return place

    def metric(self, event: ses.EmailSendingEvent, dimensions: Mapping[str, str]) -> cloudwatch.Metric:
        """Return the number of events of a kind (namespace ``AWS/SES``, statistic Sum, CDK's default of 5 minutes).

        Adjust it with ``with_``: ``campaigns.metric(SEND, {"campaign": "spring"}).with_(period=Duration.hours(1))``.
        It is read in the account and region of the sets that publish to this destination so far, where that is one
        known place; otherwise, where it is used.

        :param event: the event to count; its destination must match it.
        :param dimensions: a value for each dimension of this destination, by name: 1-255 of ``A-Z a-z 0-9 _ . @ -``, as
            SES counts no other value of a tag or header.
        :raises ValueError: when a dimension is missing or unknown, or SES cannot count its value.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            "CloudWatchDestination.metric",
            rules.event("event", event),
            dimension_rules.metric_dimensions(
                "dimensions", dimensions, [dimension.name for dimension in self.dimensions]
            ),
        )
        return self._place.metric("AWS/SES", metric_name(event.name), "Sum", dict(dimensions))

    def rate(
        self,
        event: ses.EmailSendingEvent,
        dimensions: Mapping[str, str],
        *,
        minimum: int = 100,
        period: cdk.Duration | None = None,
    ) -> cloudwatch.MathExpression:
        """Return the share of mail that an event happened to, hour by hour, for alarms and graphs: 0.05 is 5 %.

        Bounces, rejects, delays and deliveries are counted against sends; complaints, opens and clicks against
        deliveries. The period is an hour because what happens to mail trails the mail. A small mailing within an hour
        of a large one has the late bounces of that too, and complaints come days later: for those, take
        ``period=cdk.Duration.days(1)``, and not ``with_``, which leaves the two metrics at an hour.

        The rate of bounces counts every Bounce event, and AWS does not: automatic replies, and recipients on the
        account's suppression list, are in it. ``EventPublishing.metric_bounce_rate`` is the rate of AWS, and the saved
        query ``daily_rates`` tells the kinds apart.

        :param event: what happened; this destination must get it, and what it is counted against.
        :param dimensions: as in ``metric``.
        :param minimum: with less mail than this in a period the rate is 0: one bounce of two mails is no storm. In an
            alarm of ``add_alarm`` that tells of too small a rate it is 1 then.
        :param period: how long mail and what happened to it are counted, 1-10080 whole minutes (CloudWatch API,
            PutMetricAlarm). Default: an hour.
        :raises ValueError: when a dimension is missing, unknown or impossible, the event has no rate, or another
            argument breaks a rule of CloudWatch; a line for each.
        :raises TypeError: when an argument has a wrong type.
        """
        check(
            "CloudWatchDestination.rate",
            dimension_rules.event_of_a_rate("event", event),
            dimension_rules.metric_dimensions(
                "dimensions", dimensions, [dimension.name for dimension in self.dimensions]
            ),
            dimension_rules.minimum("minimum", minimum),
            dimension_rules.rate_period("period", period),
        )
        base = ses.EmailSendingEvent[COUNTED_AGAINST[event.name]]
        # An id must be one metric's in a graph, where rates of several values, places and periods may be.
        values = {name: _without_counters(value) for name, value in dimensions.items()}
        place = "".join(each for each in self._place.known if each)
        which = f"{zlib.crc32((json.dumps(values, sort_keys=True) + place).encode()):08x}"
        if period:
            which += f"_{period.to_seconds():.0f}"
        happened, mails = (f"{metric_name(each.name).lower()}_{which}" for each in (event, base))
        return cdk.aws_cloudwatch.MathExpression(
            expression=f"IF(FILL({mails}, 0) >= {minimum}, FILL({happened}, 0) / {mails}, 0)",
            using_metrics={happened: self.metric(event, dimensions), mails: self.metric(base, dimensions)},
            label=f"{metric_name(event.name)} / {metric_name(base.name)}",
            period=period or cdk.Duration.hours(1),
        )


def rate_of(metric: object) -> str | None:
    """Return what a metric of ``CloudWatchDestination.rate`` is the share of, such as ``bounce``; None of others."""
    expression = str(getattr(metric, "expression", ""))
    rate = re.fullmatch(r"IF\(FILL\((\w+), 0\) >= \d+, FILL\(([a-z]+)_\w+, 0\) / \1, 0\)", expression)
    return rate[2] if rate else None


def _without_counters(value: str) -> str:
    """Return a text whose tokens are named by what they are of: CDK numbers them, and goes on in the next build.

    One that is of no construct, such as ``Fn.import_value``, keeps its number: nothing else tells it from another.
    """

    def name(token: re.Match[str]) -> str:
        of = cdk.Tokenization.reverse_string(token[0]).first_token
        return f"{of.target.node.path}.{of.display_name}" if isinstance(of, cdk.Reference) else token[0]

    return tokens.TOKEN.sub(name, value)
