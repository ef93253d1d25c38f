"""What CloudWatch accepts of alarms: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_events.location import environment_of, known_to_differ, nameable, same_app, same_place, same_region, stage_of
from ses_events.publishing.cloudwatch import CloudWatchDestination
from ses_events.publishing.destination import PublishedTo
from ses_events.publishing.publishing import published_in_app_of
from ses_events.publishing.rules import topic
from ses_events.tokens import is_deferred
from ses_events.validation import (
    Range,
    count,
    first_of,
    interface,
    number,
    option,
    optional_interface,
    several,
)

if TYPE_CHECKING:
    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.publishing import EventPublishing


ALARM_METRICS = 10
"""How many metrics an alarm can read (CloudWatch user guide, limits of alarms)."""

PAUSES = {"bounce_rate": 0.1, "complaint_rate": 0.005}
"""Where AWS may pause the sending of an account."""


def reputation_threshold(argument: str, value: float) -> Iterator[str]:
    """A fraction, below the rate at which AWS may pause sending: 0.1 of bounces, 0.005 of complaints (SES developer
    guide, reputation metrics).
    """
    most = PAUSES[argument]
    yield from number(argument, value, f"a fraction such as {most / 2:g}, which is {most * 50:g} %")
    if 0 < value <= most or cdk.Token.is_unresolved(value):
        return
    meant = f"did you mean {value / 100:g}, which is {value:g} %?" if 0 < value / 100 <= most else f"use at most {most}"
    yield f"{argument} {value:g} is not above 0 and at most {most}, where AWS may pause sending; {meant}"


def share(argument: str, value: float) -> Iterator[str]:
    """A fraction above 0 and at most 1 (Firehose developer guide, best practices with alarms)."""
    yield from number(argument, value, "a fraction such as 0.8, which is 80 %")
    if not 0 < value <= 1 and not cdk.Token.is_unresolved(value):
        meant = f"did you mean {value / 100:g}, which is {value:g} %?" if 0 < value <= 100 else "use for example 0.8"
        yield f"{argument} {value:g} is not a fraction above 0 and at most 1; {meant}"


def quota_share(argument: str, value: float) -> Iterator[str]:
    """A fraction above 0 and below 1, as bytes are counted after throttling (Firehose developer guide, best practices
    with alarms).
    """
    yield from share(argument, value)
    if value == 1:
        yield f"{argument} 1 hardly ever raises the alarm, as Firehose counts after throttling; use for example 0.8"


def missing_events(argument: str, value: int | None) -> Iterator[str]:
    """A whole number from 1 that is known at synth, or None (CloudWatch user guide, metric math)."""
    if value is None:
        return
    if is_deferred(value):
        yield f"{argument} is known at deployment only, but metric math needs the number at synth; write it out"
    yield from count(argument, value)


def shared_counter(argument: str, value: CloudWatchDestination | None, archive: EventArchive | None) -> Iterator[str]:
    """A ``CloudWatchDestination`` to which every set of the app publishes what it publishes to the archive, or one with
    the same dimensions and default values; not by an auto-tag of SES (CloudWatch user guide, limits of alarms).
    """
    yield from option(argument, value, CloudWatchDestination, "CloudWatchDestination([dimension])")
    if value is None:
        return
    if archive is None:
        yield f"{argument} needs an archive, and there is none; give the archive that the sets share"
        return
    for dimension in value.dimensions:
        if dimension.name.startswith("ses:"):
            tag = f"{dimension.name!r}, a tag that SES itself gives to mail"
            yield f"{argument} counts by {tag}; use a name that no mail has"
    sets = [made for made in published_in_app_of(archive.stack) if _share_metrics(made[0].stack, archive.stack)]
    if not any(events_published(made, archive) for made in sets):
        yield f"{argument} comes too early: no set publishes to the archive yet; make the EventMonitoring last"
    for made in sets:
        counted, archived = events_published(made, value), events_published(made, archive)
        path = made[0].resource.node.path.rpartition("/")[0]
        if archived and counted != archived:
            yield f"{argument} does not count the events that {path!r} archives; publish the same events to both"
        if counted and not archived:
            yield (
                f"{argument} counts {path!r}, which does not publish to the archive; give each archive a counter of "
                "its own"
            )


def events_published(
    made: Iterable[PublishedTo], where: EventArchive | CloudWatchDestination
) -> frozenset[ses.EmailSendingEvent]:
    """Return what a configuration set publishes to an archive, or counts as a destination does."""
    there = [
        each.events
        for each in made
        if (
            _default_values(where) == _default_values(each.destination)
            if isinstance(where, CloudWatchDestination)
            else where is getattr(each.destination, "delivery_stream", None)
        )
    ]
    return frozenset().union(*there)


def _default_values(destination: object) -> dict[str, str] | None:
    """Return the dimensions of the metrics that count mail without any of them; None of what does not count."""
    if not isinstance(destination, CloudWatchDestination):
        return None
    return {dimension.name: dimension.default_value for dimension in destination.dimensions}


def _share_metrics(stack: cdk.Stack, other: cdk.Stack) -> bool:
    """Return whether two stacks are known to be of the same account and region."""
    here = environment_of(stack)
    if here != environment_of(other):
        return False
    return stage_of(stack) is stage_of(other) or not any(map(cdk.Token.is_unresolved, (here.account, here.region)))


_ARCHIVE_DELAY = Range(60, 86400, "seconds", source="Firehose developer guide, data delivery")


def archive_delay(argument: str, value: cdk.Duration | None, archive: EventArchive | None) -> Iterator[str]:
    """60-86400 whole seconds: after a day Firehose gives up; and more than the buffering interval of the archive, which
    every event waits for (Firehose developer guide, data delivery).
    """
    yield from _ARCHIVE_DELAY(argument, value)
    interval = getattr(archive, "buffering_seconds", None)
    if value is None or interval is None or value.is_unresolved():
        return
    delay = value.to_milliseconds() / 1000
    if delay <= interval and not cdk.Token.is_unresolved(interval):
        yield (
            f"{argument} {delay:g} seconds is not above the buffering interval of the archive, {interval:g} seconds, "
            "which every event waits for; use three times as much"
        )


def oddities_of_archive(archive: EventArchive, *, is_compared: bool) -> Iterator[tuple[str, str]]:
    """Warn of an archive that its set does not fill, or that another EventMonitoring watches: an id and a text.

    :param is_compared: whether what arrives there is compared with what is counted, or no set is given.
    """
    if not is_compared:
        yield (
            "ses-events:archive-not-compared",
            f"the configuration set publishes nothing to the archive {archive.node.path!r}, so no alarm is about "
            "events that do not arrive there; add an enabled FirehoseDestination first, or give each its own "
            "EventMonitoring",
        )
    if archive._monitored_by:
        yield (
            "ses-events:archive-watched-twice",
            f"{archive._monitored_by!r} watches the archive {archive.node.path!r} already, and each of its alarms is "
            "made and billed again; give the archive to one EventMonitoring, and the others their set alone",
        )


def alarm_actions(argument: str, value: Sequence[object], stack: cdk.Stack) -> Iterator[str]:
    """At most 5 of ``cloudwatch.IAlarmAction`` or ``sns.ITopic``; a topic is a standard one of the region of the stack,
    and not encrypted with the AWS managed key (CloudWatch API, PutMetricAlarm).
    """
    example = "a topic, or an action such as cloudwatch_actions.LambdaAction(function)"
    yield from several(argument, value, "[topic]")
    for position, action in enumerate(value):
        name = f"{argument}[{position}]"
        if hasattr(action, "topic_arn"):
            yield from topic(name, cast(Any, action), "CloudWatch")
            there = same_region(name, cast(Any, action).env, stack)
            yield from first_of(there, same_app(name, cast(Any, action), stack, "topic_arn"))
            continue
        yield from interface(name, action, "bind", example)
        # An event destination binds too; what CDK can call has one of these marks of jsii.
        mark = "__jsii_ifaces__" if hasattr(action, "__jsii_ifaces__") else "__jsii_type__"
        yield from interface(name, action, mark, example)
        if isinstance(action, cdk.aws_cloudwatch_actions.SnsAction):
            yield from nameable(name, [_topic_of(action)], stack)
    if len(value) > 5:
        yield f"{argument} has {len(value)} entries; CloudWatch takes at most 5"


def _topic_of(action: cdk.aws_cloudwatch_actions.SnsAction) -> str:
    """Return the ARN of the topic that an action tells, which it gives to an alarm only: to one that is in no app."""
    nowhere = cdk.Stack()
    alarm = cdk.aws_cloudwatch.Alarm.from_alarm_arn(nowhere, "Alarm", nowhere.format_arn(service="any", resource="any"))
    return action.bind(nowhere, alarm).alarm_action_arn


def monitored(
    publishing: EventPublishing | None, archive: EventArchive | None, analytics: EventAnalytics | None, stack: cdk.Stack
) -> Iterator[str]:
    """An ``EventPublishing``, an ``EventArchive`` or both, and their ``EventAnalytics``, of the account and region of
    the stack (CloudWatch API, PutMetricAlarm).
    """
    yield from optional_interface("publishing", publishing, "add_destination", "an EventPublishing")
    yield from optional_interface("archive", archive, "table_prefix", "an EventArchive")
    yield from optional_interface("analytics", analytics, "named_queries", "an EventAnalytics")
    if publishing is None and archive is None:
        yield "publishing and archive are missing, so there is nothing to watch; give one or both"
    for argument, part in (("publishing", publishing), ("archive", archive), ("analytics", analytics)):
        if part is not None and part.stack is not stack:
            yield from first_of(
                same_place(argument, environment_of(part.stack), stack), same_app(argument, part, stack)
            )
    asked = analytics.archive if analytics else None
    if archive is None or asked is archive or not isinstance(asked, Construct):  # StoredEvents may be those of it
        return
    if not known_to_differ(asked.stack.region, archive.stack.region):
        yield f"analytics reads the archive {asked.node.path!r}; give the EventAnalytics of {archive.node.path!r}"


def runbook_url(argument: str, value: str | None) -> Iterator[str]:
    """The address of a page, without a fragment, of at most 200 characters: it ends each description, of 1024 in all
    (CloudWatch API, PutMetricAlarm).
    """
    example = "'https://wiki.example.com/mail-alarms'"
    yield from option(argument, value, str, f"a string such as {example}")
    if value is None or cdk.Token.is_unresolved(value):
        return
    if len(value) > 200:
        yield f"{argument} has {len(value)} characters; use at most 200"
    elif "#" in value:
        yield (
            f"{argument} {value!r} has a fragment, but the name of each alarm is added as one; use what is "
            "before the '#'"
        )
    elif not re.fullmatch(r"https?://[^\s/]+\S*", value):
        yield f"{argument} {value!r} is not the address of a page; use one such as {example}"


def topic_arn(argument: str, value: str | None) -> Iterator[str]:
    """The ARN of a standard topic (CloudWatch API, PutMetricAlarm)."""
    yield from option(argument, value, str, "the ARN of a topic")
    if value is None or cdk.Token.is_unresolved(value):
        return
    if not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?", value):
        yield (
            f"{argument} {value!r} is not the ARN of a topic; use one such as "
            "'arn:aws:sns:us-east-1:111122223333:on-call'"
        )
    elif value.endswith(".fifo"):
        yield f"{argument} {value!r} is a FIFO topic, which no alarm can tell; use a standard one"
