"""The alarms of the user on the dashboard: all in view, and a small difference when one goes."""

from __future__ import annotations

import difflib
import json

import aws_cdk as cdk
import pytest
from aws_cdk.aws_ses import EmailSendingEvent

from ses_events import CloudWatchDestination, EventMonitoring, EventPublishing
from tests.support.templates import Json, new_app, properties, readable, synthesize


def dashboard(senders: list[str]) -> Json:
    """The dashboard of a set with an alarm for each sender."""
    stack, by_sender = cdk.Stack(new_app(), "Mail"), CloudWatchDestination.by_tag("sender")
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToMetrics", by_sender)
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing)
    for sender in senders:
        rate = by_sender.rate(EmailSendingEvent.BOUNCE, {"sender": sender})
        monitoring.add_alarm(f"Bounces-{sender}", rate, threshold=0.05)
    if senders:
        complaints = by_sender.metric(EmailSendingEvent.COMPLAINT, {"sender": senders[0]})
        monitoring.add_alarm("Complaints", complaints, threshold=3)
    body = properties(readable(synthesize(stack)), "AWS::CloudWatch::Dashboard")["DashboardBody"]
    assert isinstance(body, dict)
    return body


@pytest.fixture(scope="module")
def of_102() -> Json:
    return dashboard([f"s{number}" for number in range(101)])


def test_the_state_of_every_alarm_is_shown_a_hundred_in_a_widget(of_102: Json) -> None:
    states = [each for each in of_102["widgets"] if each["properties"].get("title") == "Alarms of your own"]
    assert [len(each["properties"]["alarms"]) for each in states] == [100, 2]
    assert [(each["width"], each["height"]) for each in states] == [(24, 4), (24, 4)]


def test_what_is_alike_is_in_one_graph_with_its_threshold(of_102: Json) -> None:
    [rates] = [each for each in of_102["widgets"] if each["properties"].get("title") == "Bounce / Send"]
    lines = [metric[0]["label"] for metric in rates["properties"]["metrics"] if isinstance(metric[0], dict)]
    assert lines == [f"Bounces-s{number}" for number in range(101)]
    assert rates["properties"]["annotations"]["horizontal"] == [{"value": 0.05, "label": "alarm", "yAxis": "left"}]
    [complaints] = [each for each in of_102["widgets"] if each["properties"].get("title") == "Complaint"]
    assert complaints["y"] == rates["y"] + 6


def test_nothing_overlaps_and_little_is_added(of_102: Json) -> None:
    taken = [
        (x, y)
        for each in of_102["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(taken) == len(set(taken))
    height = max(each["y"] + each["height"] for each in dashboard([])["widgets"])
    assert max(y for _, y in taken) + 1 == height + 4 + 4 + 6 + 6


def test_one_alarm_less_is_a_small_difference() -> None:
    senders = [f"s{number}" for number in range(8)]
    bodies = dashboard(senders), dashboard([sender for sender in senders if sender != "s3"])
    before, after = (json.dumps(each, indent=1).splitlines() for each in bodies)
    changed = [line for line in difflib.unified_diff(before, after, n=0) if line[0] in "+-"]
    assert len(changed) < 60
