"""What CloudWatch accepts of an alarm of ``add_alarm``, and what can never ring: a function a rule, with its source."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events.construct_ids import some_id, taken
from ses_events.location import environment_of, known_to_differ, nameable, same_region
from ses_events.monitoring.rules import ALARM_METRICS, share
from ses_events.publishing.cloudwatch import CONFIGURATION_SET, CloudWatchDestination, rate_of
from ses_events.publishing.destination import PublishedTo
from ses_events.publishing.publishing import published_in_app_of
from ses_events.record.names import metric_name
from ses_events.validation import interface, metric_text, number, option

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.publishing.publishing import EventPublishing


def alarm_id(construct_id: str, scope: Construct, alarms: Collection[str]) -> Iterator[str]:
    """An id that is new in the construct, and not the name of an alarm (AWS CDK)."""
    problems = list(some_id(construct_id, "CampaignBounces"))
    yield from problems
    if not problems and (construct_id in alarms or scope.node.try_find_child(construct_id)):
        yield taken(construct_id)


def metric_of_an_alarm(argument: str, value: object, stack: cdk.Stack) -> Iterator[str]:
    """A metric or metric math of the region of the stack, with a name and a namespace of 1-255 characters and a period
    of 10, 20 or 30 seconds or 1-10080 whole minutes, of at most 10 metrics, without SEARCH and
    ANOMALY_DETECTION_BAND (CloudWatch user guide, alarms; PutMetricAlarm).
    """
    yield from interface(argument, value, "create_alarm", "a metric such as campaigns.metric(...) gives")
    expressions = "".join(_expressions(value))
    if "ANOMALY_DETECTION_BAND(" in expressions:
        yield f"{argument} has ANOMALY_DETECTION_BAND, which these alarms cannot compare with; use a threshold"
    if "SEARCH(" in expressions:
        yield f"{argument} has SEARCH, on which CloudWatch allows no alarm; use campaigns.metric(...) for each value"
        return
    metrics = list(single_metrics(value))
    if len(metrics) > ALARM_METRICS:  # one that several expressions name is there several times
        known = {(each.namespace, each.metric_name, str(each.dimensions), each.statistic) for each in metrics}
        if len(known) > ALARM_METRICS:
            yield f"{argument} is about {len(known)} metrics; CloudWatch takes at most {ALARM_METRICS} in an alarm"
    for each in metrics:
        yield from interface(argument, each, "metric_name", "metrics such as campaigns.metric(...) gives")
        for named, what in (("namespace", each.namespace), ("metric_name", each.metric_name)):
            yield from metric_text(f"{argument}.{named}", what, "Send")
        yield from _alarm_period(f"{argument}.period", each.period)
        yield from nameable(argument, (each.dimensions or {}).values(), stack)
        elsewhere = list(same_region(argument, each, stack))
        if elsewhere:
            yield f"{elsewhere[0]}, or make an EventMonitoring there"
            return


def _alarm_period(argument: str, value: cdk.Duration) -> Iterator[str]:
    """10, 20 or 30 seconds or whole minutes, up to seven days (CloudWatch API, PutMetricAlarm)."""
    seconds = value.to_milliseconds() / 1000
    if not (seconds in (10, 20, 30) or (seconds % 60 == 0 and 60 <= seconds <= 604800)):
        yield (
            f"{argument} {seconds:g} seconds is not a period that alarms take; use 10 or 30 seconds, or "
            "1-10080 whole minutes"
        )


def single_metrics(value: Any) -> Iterator[cloudwatch.Metric]:
    """Yield a metric, or those that metric math is about."""
    if not hasattr(value, "using_metrics"):
        yield value
        return
    for each in value.using_metrics.values():
        yield from single_metrics(each)


def _expressions(value: Any) -> Iterator[str]:
    """Yield the expressions of metric math, and of the math that it is about."""
    expression = getattr(value, "expression", None)
    if isinstance(expression, str):
        yield expression
        for each in (getattr(value, "using_metrics", None) or {}).values():
            yield from _expressions(each)


def oddities_of_alarm(
    value: object, publishing: EventPublishing | None, alarm: cloudwatch.Alarm
) -> Iterator[tuple[str, str]]:
    """Warn of an event that no set counts by the dimensions of the metric so far.

    Dimensions that no set publishes are not judged: another app may publish them.
    """
    for metric, event, counting in uncounted(value, publishing, alarm):
        if counting:
            yield (
                "ses-events:alarm-without-data",
                f"the alarm watches {metric.metric_name} by {', '.join(metric.dimensions or {})}, but that event is "
                f"not published to the destination that counts by these; add {event.name} to the events of "
                "add_destination",
            )


def uncounted(
    value: object, publishing: EventPublishing | None, alarm: cloudwatch.Alarm
) -> Iterator[tuple[cloudwatch.Metric, ses.EmailSendingEvent, list[PublishedTo]]]:
    """Yield the counts of events that no set publishes so far, each with the event and the destinations by which sets
    count with these dimensions: of the set itself, or of all of the app and region, which share their metrics.
    """
    known = {metric_name(event.name): event for event in ses.EmailSendingEvent}
    name = publishing.configuration_set_name if publishing else None
    for metric in single_metrics(value):
        event = known.get(metric.metric_name) if metric.namespace == "AWS/SES" else None
        dimensions = metric.dimensions
        if event is None or not dimensions or dimensions.get(CONFIGURATION_SET, name) != name:
            continue
        of_the_set = publishing.destinations if publishing else ()
        of_others = () if CONFIGURATION_SET in dimensions else _published_in_region_of(alarm)
        counting = []
        for each in itertools.chain(of_the_set, of_others):  # to ask about others is slow
            if _counts_by(each.destination, dimensions):
                counting.append(each)
                if event in each.events:
                    break
        else:
            yield metric, event, counting


def _counts_by(destination: object, dimensions: Mapping[str, object]) -> bool:
    """Return whether a destination counts by exactly these dimensions."""
    if not isinstance(destination, CloudWatchDestination):
        return False
    return {dimension.name for dimension in destination.dimensions} == set(dimensions)


def _published_in_region_of(alarm: cloudwatch.Alarm) -> Iterator[PublishedTo]:
    """Yield what the sets of the same app and region publish: they share their metrics."""
    stack = cdk.Stack.of(alarm)
    region = environment_of(stack).region
    for each in itertools.chain.from_iterable(published_in_app_of(stack)):
        if not known_to_differ(environment_of(each.stack).region, region):
            yield each


def alarm_threshold(
    argument: str, value: float, metric: object, comparison: cloudwatch.ComparisonOperator | None
) -> Iterator[str]:
    """A number; of a rate a fraction above 0 and at most 1 (CloudWatch API, PutMetricAlarm)."""
    yield from number(argument, value, "a number such as 100")
    if rate_of(metric):
        yield from share(argument, value)
        if value == 1 and getattr(comparison, "name", "") == "LESS_THAN_OR_EQUAL_TO_THRESHOLD":
            yield f"{argument} 1 is not below any rate, so the alarm never ends; use a smaller fraction such as 0.9"


def comparison(argument: str, value: cloudwatch.ComparisonOperator | None, metric: object) -> Iterator[str]:
    """A ``cloudwatch.ComparisonOperator`` with one threshold; needed for the rate of deliveries, where a low rate is
    bad (CloudWatch API, PutMetricAlarm).
    """
    below = "cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD"
    yield from option(argument, value, cdk.aws_cloudwatch.ComparisonOperator, below)
    if value is not None and re.search("LOWER|UPPER", value.name):
        yield (
            f"{argument} {value.name} is for anomaly detection, which these alarms do not use; use one such as {below}"
        )
    if value is None and rate_of(metric) == "delivery":
        yield f"{argument} is missing, and by default the alarm rings when many deliveries succeed; use {below}"


def alarm_description(argument: str, value: str | None) -> Iterator[str]:
    """At most 1024 characters (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, str, "a string such as 'Look at the list of the campaign.'")
    if value is not None and len(value) > 1024 and not cdk.Token.is_unresolved(value):
        yield f"{argument} has {len(value)} characters; use at most 1024"
