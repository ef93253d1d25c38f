"""Whether as many events reach the delivery stream as SES counts: the books of an archive, and the alarm about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk.aws_ses import EmailSendingEvent

from ses_events.monitoring.alarms import AlarmRule
from ses_events.monitoring.rules import ALARM_METRICS, events_published
from ses_events.publishing.publishing import published_in_app_of
from ses_events.record.names import metric_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from aws_cdk import aws_cloudwatch as cloudwatch

    from ses_events.archive.archive import EventArchive
    from ses_events.publishing.cloudwatch import CloudWatchDestination
    from ses_events.publishing.publishing import EventPublishing

_SHARE = 0.015
"""The fraction of the events of an hour that must miss; below it, delays look like a loss."""

_IN_FLIGHT = 0.25
"""Of the change from one quarter of an hour to the next: what may be counted already and not yet recorded, or the other
way round. Steady mail has as much of it at the begin of an hour as at the end.
"""


class Default(int):
    """A number that the user has not given: where it has no effect, nothing is refused."""


FEWEST = Default(20)
"""How many missing events raise the alarm, unless the user says."""


def events_in_books(publishing: EventPublishing, stream: EventArchive) -> list[EmailSendingEvent]:
    """Return what the set publishes to a stream that it fills alone; an event twice where two destinations get it.

    Nothing where another set of the app fills the stream, too: its records would hide what is missing. An alarm has no
    room for the tenth kind of event, which is Subscription. Few unsubscribe, so its records hide hardly a loss.
    """
    if sum(bool(events_published(made, stream)) for made in published_in_app_of(stream.stack)) != 1:
        return []
    filling = [each for each in publishing.destinations if getattr(each.destination, "delivery_stream", None) is stream]
    room = [event for event in EmailSendingEvent if any(event in each.events for each in filling)][: ALARM_METRICS - 1]
    return [event for event in room for each in filling if event in each.events]


def why_not_compared(
    argument: str,
    value: int | None,
    publishing: EventPublishing | None,
    filled: EventArchive | None,
    in_books: Collection[EmailSendingEvent],
    counted: Collection[EmailSendingEvent],
) -> Iterator[str]:
    """Yield why a number that the user gives for the alarm of a set would have no effect.

    Nothing added later changes that: a monitored set refuses more destinations that count or archive.

    :param filled: the archive to watch, if the set publishes to it.
    :param in_books: the events to compare, of ``events_in_books``.
    :param counted: the events that CloudWatch counts of the set as a whole.
    """
    if value is None or isinstance(value, Default):
        return
    no_effect = f"{argument} {value} has no effect"
    uncounted = [event.name for event in in_books if event not in counted]
    if publishing is None:
        yield f"{no_effect} on an archive alone; give its publishing, or the shared_counter of the sets that fill it"
    elif filled is None:
        yield f"{no_effect}, as the set publishes to no archive that is watched; add a FirehoseDestination first"
    elif not in_books:
        yield f"{no_effect}, as other sets fill the archive too; give the archive with a shared_counter"
    elif uncounted:
        yield (
            f"{no_effect}, as nothing counts {', '.join(uncounted)} of the set; leave out count_events=False, or give "
            "the set a destination that does"
        )


def alarm_of_a_set(
    publishing: EventPublishing,
    events: list[EmailSendingEvent],
    counts: Mapping[EmailSendingEvent, cloudwatch.Metric],
    stream: EventArchive,
    least: int,
) -> Iterator[AlarmRule]:
    """Yield the alarm of a set that fills an archive alone; nothing where not all of its events are counted.

    :param events: the events to compare, of ``events_in_books``.
    """
    if events and counts.keys() >= set(events):
        whose = f"the configuration set {publishing.configuration_set_name}"
        yield _alarm(whose, events, counts, stream, least)


def alarm_of_several_sets(counter: CloudWatchDestination, archive: EventArchive, least: int) -> Iterator[AlarmRule]:
    """Yield the alarm of all sets that fill an archive and are counted together."""
    defaults = {dimension.name: dimension.default_value for dimension in counter.dimensions}  # which no mail has
    published = {event for made in published_in_app_of(archive.stack) for event in events_published(made, archive)}
    events = [event for event in EmailSendingEvent if event in published][: ALARM_METRICS - 1]
    counts = {event: counter.metric(event, defaults) for event in events}
    yield _alarm("the configuration sets that share the archive", events, counts, archive, least)


def _alarm(
    whose: str,
    events: list[EmailSendingEvent],
    counts: Mapping[EmailSendingEvent, cloudwatch.Metric],
    stream: EventArchive,
    least: int,
) -> AlarmRule:
    """Return the alarm of fewer events in the stream than counted: a share of an hour, or all for some minutes."""
    return AlarmRule(
        "missing_events",
        _missing({metric_name(event.name).lower(): counts[event] for event in events}, events, stream, least),
        1,
        f"SES counted at least {least} events of {whose} in an hour, "
        f"{_SHARE * 100:g} % of them or more, that the delivery stream {stream.delivery_stream_name} did not get. SES "
        "keeps nothing: these events are lost. Look in CloudTrail at who changed the role that SES assumes, the event "
        "destination or the stream in the last two hours, and at throttled records. The alarm ends within "
        "three hours of the end of the loss.",
        periods=8,
        breaching=3,
        verify=True,
    )


def _missing(
    metrics: Mapping[str, cloudwatch.Metric], events: list[EmailSendingEvent], stream: EventArchive, least: int
) -> cloudwatch.MathExpression:
    """Return metric math that is 1 where events of the hour that ended a quarter of an hour ago are missing.

    A lag is ``x - DIFF(x)``, the value of the period before, so an hour is a sum of four lags. The newest period is not
    judged: its metrics may be late. The hour must miss events beyond what may be in flight, and so must the hour and a
    half around it, which has both ends of a burst that crosses the ends of the hour. CloudWatch does not say how many
    periods before those of the alarm it looks at: where a lag would reach before the first, nothing is judged.

    Whether FILL gives anything of a metric without a point is open. A point that one operand lacks counts as 0, so each
    FILL is beside one that has points: without records, ``missing`` is ``counted``.
    """
    of, period = cdk.aws_cloudwatch.MathExpression, cdk.Duration.minutes(15)
    math: dict[str, cloudwatch.IMetric] = {**metrics, "records": stream.metric_incoming_records()}

    def add(name: str, expression: str, *names: str) -> None:
        using = {each: math[each] for each in names}
        math[name] = of(expression=expression, using_metrics=using, label=name.replace("_", " "), period=period)

    counted = " + ".join(f"FILL({metric_name(event.name).lower()}, 0)" for event in events)
    add("counted", counted, *metrics)
    add("missing", "counted - FILL(records, 0)", "counted", "records")
    for name in ("counted", "missing"):
        add(f"{name}_2", f"2 * {_lag(name)} - DIFF({_lag(name)})", name)
        add(f"{name}_4", f"{name}_2 + {_lag(_lag(f'{name}_2'))}", f"{name}_2")
    add("settled", f"missing_4 - {_IN_FLIGHT} * ABS(DIFF(counted_4))", "missing_4", "counted_4")
    add("around", "missing_4 + 2 * missing - DIFF(missing) - DIFF(missing_4)", "missing_4", "missing")
    add("known", _lag(_lag(_lag(_lag("FILL(0 * DIFF(counted) + 1, 0)")))), "counted")
    beyond = [
        f"({hour} >= {threshold})" for hour in ("settled", "around") for threshold in (least, f"{_SHARE} * counted_4")
    ]
    names = ("known", "settled", "around", "counted_4")
    return of(
        expression=f"IF((known > 0) AND {' AND '.join(beyond)}, 1, 0)",
        using_metrics={each: math[each] for each in names},
        label="events counted, not archived",
        period=period,
    )


def _lag(series: str) -> str:
    """Return a series a period later."""
    return f"({series} - DIFF({series}))"
