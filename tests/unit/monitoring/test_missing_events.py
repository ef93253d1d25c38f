"""The books of an archive: what SES counts against what the stream gets, on simulated mail by CloudWatch's rules."""

from __future__ import annotations

import random
from collections.abc import Iterator

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import EmailSendingEvent

from local_aws.cloudwatch import metric_math
from local_aws.cloudwatch.alarm_state import state_of
from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
)
from tests.support.mail_traffic import DAY, DELAYS, SHAPES, WEEK, Delays, Traffic, steady
from tests.support.templates import Json, logical_id, new_app, readable, resources, synthesize, warnings


def a_set(stack: cdk.Stack, archive: EventArchive, name: str = "Events", **options: object) -> EventPublishing:
    publishing = EventPublishing(stack, name)
    publishing.add_destination("ToArchive", FirehoseDestination(archive), **options)  # type: ignore[arg-type]
    return publishing


def alarm_named(monitoring: EventMonitoring, name: str) -> Json:
    made = resources(readable(synthesize(cdk.Stack.of(monitoring))), "AWS::CloudWatch::Alarm")
    properties: Json = made[logical_id(monitoring.alarms[name].node.default_child)]["Properties"]
    return properties


@pytest.fixture(scope="module")
def both() -> dict[str, Json]:
    """The alarms about events that do not arrive."""
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    monitoring = EventMonitoring(stack, "Monitoring", publishing=a_set(stack, archive), archive=archive)
    return {name: alarm_named(monitoring, name) for name in ("missing_events", "silent_archive")}


@pytest.fixture(scope="module")
def alarm(both: dict[str, Json]) -> Json:
    return both["missing_events"]


def ringing(
    alarm: Json, traffic: Traffic, minutes: range, *, earlier: int = metric_math.EARLIER, fills_empty: bool = True
) -> Iterator[int]:
    """The minutes at which the alarm rings, evaluated with periods that end then.

    :param earlier: how many periods before those of the alarm CloudWatch looks at.
    """
    for now in minutes:
        series = traffic.series(now, alarm["EvaluationPeriods"] + earlier)
        points = metric_math.data_points(alarm, series, fills_empty=fills_empty)
        if state_of(alarm, points) == "ALARM":
            yield now


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_healthy_week_rings_never(alarm: Json, shape: str, delays: str) -> None:
    traffic = Traffic(SHAPES[shape], WEEK, DELAYS[delays])
    # every 17 minutes, so that periods begin at every minute of the hour; the fewest periods that CloudWatch may see
    for earlier in (1, metric_math.EARLIER) if delays == "late counts" else (metric_math.EARLIER,):
        assert not list(ringing(alarm, traffic, range(17, WEEK, 17), earlier=earlier))


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("minutes", [10, 14, 20, 29, 40])
def test_an_outage_of_ten_minutes_rings_within_two_hours(alarm: Json, minutes: int, delays: str) -> None:
    start = DAY // 2
    traffic = Traffic(steady(4.5), DAY, DELAYS[delays], lambda at, chance: start <= at < start + minutes, seed=minutes)
    for offset in range(0, 15, 7):  # whether periods begin when they like or by the clock
        assert next(ringing(alarm, traffic, range(start + offset, start + 120, 15)), None)


@pytest.mark.parametrize("delays", DELAYS)
def test_a_twentieth_of_an_hour_rings_within_two_hours(alarm: Json, delays: str) -> None:
    """Of 2,000 events in that hour."""
    start = DAY // 2

    def lost(at: float, chance: random.Random) -> bool:
        return start <= at < start + 60 and chance.random() < 0.05

    traffic = Traffic(steady(950 / 60), DAY, DELAYS[delays], lost)
    assert traffic.events(start, start + 60) < 2050
    for offset in range(0, 15, 7):
        assert next(ringing(alarm, traffic, range(start + offset, start + 120, 15)), None)


@pytest.mark.parametrize("fills_empty", [True, False])
@pytest.mark.parametrize("earlier", [1, 2, metric_math.EARLIER])
@pytest.mark.parametrize("name", ["missing_events", "silent_archive"])
def test_a_stream_that_never_had_a_record_rings_whatever_fill_does(
    both: dict[str, Json], name: str, earlier: int, fills_empty: bool
) -> None:
    traffic = Traffic(steady(2), 360, Delays(), lambda at, chance: True)
    minutes = range(60, 360, 15)
    rang = list(ringing(both[name], traffic, minutes, earlier=earlier, fills_empty=fills_empty))
    assert rang and rang[-1] == minutes[-1] and rang[0] <= 120


def test_it_ends_within_three_hours_of_the_loss(alarm: Json) -> None:
    start = DAY // 2
    traffic = Traffic(steady(5), DAY, Delays(), lambda at, chance: start <= at < start + 20)
    assert start + 120 < max(ringing(alarm, traffic, range(start, DAY, 5))) <= start + 20 + 180


def test_fewer_missing_events_than_told_of_ring_never() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    monitoring = EventMonitoring(stack, "Monitoring", publishing=a_set(stack, archive), missing_events=200)
    traffic = Traffic(steady(5), 400, Delays(), lambda at, chance: 200 <= at < 215)
    assert not list(ringing(alarm_named(monitoring, "missing_events"), traffic, range(200, 400)))


@pytest.mark.parametrize("events", [list(UNTOUCHED_MAIL), list(EmailSendingEvent), [EmailSendingEvent.SEND]])
def test_what_is_archived_is_counted_as_far_as_an_alarm_has_room(events: list[EmailSendingEvent]) -> None:
    stack = cdk.Stack(new_app(), "Mail")
    publishing = a_set(stack, EventArchive(stack, "Archive"), events=events)
    made = alarm_named(EventMonitoring(stack, "Monitoring", publishing=publishing), "missing_events")
    queries = made["Metrics"]
    assert len([query for query in queries if "MetricStat" in query]) == min(len(events) + 1, 10)
    assert len([query for query in queries if "Expression" in query]) <= 10
    assert max(len(query.get("Expression", "")) for query in queries) <= 2048
    [count] = [each.events for each in publishing.destinations if each.resource.node.id == "ToMonitoring"]
    assert count >= {*events[:9]}


def test_an_event_that_two_destinations_bring_is_expected_twice() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    publishing = a_set(stack, archive, events=[EmailSendingEvent.SEND])
    publishing.add_destination("Again", FirehoseDestination(archive), events=[EmailSendingEvent.SEND])
    made = alarm_named(EventMonitoring(stack, "Monitoring", publishing=publishing), "missing_events")
    [counted] = [query["Expression"] for query in made["Metrics"] if query["Id"] == "counted"]
    assert counted == "FILL(send, 0) + FILL(send, 0)"


def test_there_are_no_books_where_others_fill_the_archive_or_not_all_is_counted() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    shared, own = EventArchive(stack, "Shared"), EventArchive(stack, "Own")
    sets = [a_set(stack, shared, f"Set{number}") for number in range(2)]
    alone = a_set(stack, own, "Alone")
    monitorings = [
        EventMonitoring(stack, "Sharing", publishing=sets[0], dashboard=False),
        EventMonitoring(stack, "Unwanted", publishing=alone, missing_events=None, dashboard=False),
        EventMonitoring(stack, "Uncounted", publishing=alone, count_events=False, dashboard=False),
    ]
    assert not any(each.missing_events for each in monitorings)
    [count] = [each.events for each in sets[0].destinations if each.resource.node.id == "ToMonitoring"]
    assert len(count) == 6


def a_counter(value: str = "mail") -> CloudWatchDestination:
    return CloudWatchDestination(
        [ses.CloudWatchDimension(name="archive", default_value=value, source=ses.CloudWatchDimensionSource.MESSAGE_TAG)]
    )


def test_sets_that_share_an_archive_share_a_counter() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive, counter = EventArchive(stack, "Archive"), a_counter()
    for number in range(3):
        a_set(stack, archive, f"Set{number}").add_destination("ToCounter", counter)
    made = alarm_named(
        EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=counter, dashboard=False), "missing_events"
    )
    [send] = [query["MetricStat"]["Metric"] for query in made["Metrics"] if query["Id"] == "send"]
    assert send["Dimensions"] == [{"Name": "archive", "Value": "mail"}]
    assert list(ringing(made, Traffic(steady(5), 400, lost=lambda at, chance: 200 <= at < 210), range(200, 320)))


def test_a_counter_that_counts_other_events_than_are_archived_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive, counter = EventArchive(stack, "Archive"), a_counter()
    with pytest.raises(ValueError, match="shared_counter comes too early: no set publishes to the archive yet"):
        EventMonitoring(stack, "Early", archive=archive, shared_counter=counter)
    a_set(stack, archive, "Counted").add_destination("ToCounter", counter)
    a_set(stack, archive, "Uncounted")
    EventPublishing(stack, "Elsewhere").add_destination("ToCounter", counter)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=counter)
    assert str(caught.value).replace("Mail/Monitoring: shared_counter ", "").splitlines() == [
        "does not count the events that 'Mail/Uncounted' archives; publish the same events to both",
        "counts 'Mail/Elsewhere', which does not publish to the archive; give each archive a counter of its own",
    ]
    with pytest.raises(ValueError, match="shared_counter needs an archive, and there is none"):
        EventMonitoring(stack, "Lone", publishing=EventPublishing(stack, "Lonely"), shared_counter=counter)


def test_an_archive_of_a_few_kinds_of_events_is_compared_by_these(stack: cdk.Stack) -> None:
    archive, other = EventArchive(stack, "Archive"), EventArchive(stack, "Other")
    publishing = a_set(stack, archive, events=[EmailSendingEvent.BOUNCE, EmailSendingEvent.DELIVERY_DELAY])
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive, dashboard=False)
    made = alarm_named(monitoring, "missing_events")
    counted = [query["Id"] for query in made["Metrics"] if "MetricStat" in query]
    assert sorted(counted) == ["bounce", "deliverydelay", "records"]
    assert not monitoring.silent_archive
    assert not EventMonitoring(stack, "Elsewhere", publishing=publishing, archive=other).missing_events


def test_an_archive_that_the_set_does_not_fill_is_warned_of(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    publishing = a_set(stack, archive, enabled=False)
    EventMonitoring(stack, "OfTheSet", publishing=publishing)
    assert not warnings(stack)
    EventMonitoring(stack, "OfBoth", publishing=publishing, archive=archive)
    assert warnings(stack) == {"ses-events:archive-not-compared"}


def test_two_archives_whose_counters_are_one_metric_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    first, second = EventArchive(stack, "First"), EventArchive(stack, "Second")
    for archive in (first, second):
        a_set(stack, archive, f"Of{archive.node.id}").add_destination("ToCounter", a_counter())
    with pytest.raises(
        ValueError, match="shared_counter counts 'Mail/OfSecond', which does not publish to the archive"
    ):
        EventMonitoring(stack, "Monitoring", archive=first, shared_counter=a_counter())


def test_counters_with_the_same_dimensions_and_values_are_one() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    for number in range(2):
        a_set(stack, archive, f"Set{number}").add_destination("ToCounter", a_counter())
    assert EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=a_counter()).missing_events


def test_one_counter_serves_the_archives_of_several_stages_and_regions() -> None:
    app, counter = new_app(), a_counter()
    stacks = [
        cdk.Stack(cdk.Stage(app, "Dev"), "Mail"),
        cdk.Stack(cdk.Stage(app, "Prod"), "Mail"),
        *(
            cdk.Stack(app, region, env=cdk.Environment(account="111122223333", region=region))
            for region in ("us-east-1", "eu-west-1")
        ),
    ]
    archives = [EventArchive(stack, "Archive") for stack in stacks]
    for stack, archive in zip(stacks, archives, strict=True):
        a_set(stack, archive).add_destination("ToCounter", counter)
    for stack, archive in zip(stacks, archives, strict=True):
        assert EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=counter).missing_events


def test_a_counter_by_a_tag_that_ses_gives_mail_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive, counter = EventArchive(stack, "Archive"), CloudWatchDestination.by_tag("ses:from-domain")
    a_set(stack, archive).add_destination("ToCounter", counter)
    fault = (
        "shared_counter counts by 'ses:from-domain', a tag that SES itself gives to mail; use a name that no mail has"
    )
    with pytest.raises(ValueError, match=fault):
        EventMonitoring(stack, "Monitoring", archive=archive, shared_counter=counter)


def test_a_number_of_events_that_nothing_is_compared_with_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    shared, own = EventArchive(stack, "Shared"), EventArchive(stack, "Own")
    sets = [a_set(stack, shared, f"Set{number}") for number in range(2)]
    no_archive, alone = EventPublishing(stack, "NoArchive"), a_set(stack, own, "Alone", events=[EmailSendingEvent.SEND])
    for number, (options, why) in enumerate(
        [
            ({"publishing": sets[0]}, ", as other sets fill the archive too; give the archive with a shared_counter"),
            ({"archive": shared}, " on an archive alone; give its publishing, or the shared_counter of the sets"),
            ({"publishing": no_archive}, ", as the set publishes to no archive that is watched; add a"),
            ({"publishing": alone, "archive": shared}, ", as the set publishes to no archive that is watched; add a"),
            ({"publishing": alone, "count_events": False}, ", as nothing counts SEND of the set; leave out count_ev"),
        ]
    ):
        for given in (20, 50):
            with pytest.raises(ValueError) as caught:
                EventMonitoring(stack, f"Given{number}", missing_events=given, **options)  # type: ignore[arg-type]
            assert f"missing_events {given} has no effect{why}" in str(caught.value)
    for number, options in enumerate(({"publishing": sets[0]}, {"archive": shared}, {"publishing": no_archive})):
        EventMonitoring(stack, f"Default{number}", dashboard=False, **options)  # type: ignore[arg-type]
    lone = EventArchive(stack, "Lone")
    a_set(stack, lone, "Last").add_destination("ToCounter", other := a_counter("other"))
    made = EventMonitoring(stack, "Counted", archive=lone, shared_counter=other, missing_events=50, dashboard=False)
    assert made.missing_events


@pytest.mark.parametrize(("value", "error"), [(0, "missing_events 0 is out of range"), (0.02, "of type float")])
def test_a_number_of_events_that_is_none_is_refused(value: object, error: str) -> None:
    stack = cdk.Stack(new_app(), "Mail")
    with pytest.raises((TypeError, ValueError), match=error):
        EventMonitoring(stack, "Monitoring", archive=EventArchive(stack, "Archive"), missing_events=value)  # type: ignore[arg-type]


def test_a_set_that_comes_after_the_comparison_is_warned_of() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    EventMonitoring(stack, "Monitoring", publishing=a_set(stack, archive), archive=archive)
    late = EventPublishing(stack, "Late")
    late.add_destination("ToArchive", FirehoseDestination(archive))
    assert warnings(stack) == {"ses-events:not-in-missing-events"}


def test_without_the_comparison_a_set_may_come_when_it_likes() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = EventArchive(stack, "Archive")
    first = a_set(stack, archive)
    EventMonitoring(stack, "Monitoring", publishing=first, archive=archive, missing_events=None)
    EventPublishing(stack, "Late").add_destination("ToArchive", FirehoseDestination(archive))
    assert warnings(stack) == set()
