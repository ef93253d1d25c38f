"""A later release of CDK has more events and more sources of a dimension's value than this one."""

from __future__ import annotations

from enum import Enum

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ses as ses

from ses_events import CloudWatchDestination, EventMonitoring, EventPublishing
from tests.support.templates import logical_id, synthesize

CAMPAIGN = ses.CloudWatchDimension(
    name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
)


def grow(kind: type[Enum], name: str, monkeypatch: pytest.MonkeyPatch) -> Enum:
    """A member that is like the others of its kind until the test ends."""
    member = object.__new__(kind)
    member._name_ = member._value_ = name
    monkeypatch.setitem(kind._member_map_, name, member)
    monkeypatch.setattr(kind, "_member_names_", [*kind._member_names_, name])
    assert member in list(kind) and kind[name] is member
    return member


def test_an_event_that_cdk_learns_is_published_and_counted(stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(ses.EmailSendingEvent, "ON_HOLD", monkeypatch)
    on_hold = ses.EmailSendingEvent["ON_HOLD"]
    publishing = EventPublishing(stack, "Events", reputation_metrics=True)
    metrics = CloudWatchDestination([CAMPAIGN])
    made = publishing.add_destination("ToMetrics", metrics, events=list(ses.EmailSendingEvent))
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    destination = synthesize(stack)["Resources"][logical_id(made)]["Properties"]["EventDestination"]
    assert destination["MatchingEventTypes"][-1] == "onHold"
    assert metrics.metric(on_hold, {"campaign": "spring"}).metric_name == "OnHold"
    with pytest.raises(ValueError, match="event ON_HOLD is not counted as a share of mail; use BOUNCE, "):
        metrics.rate(on_hold, {"campaign": "spring"})
    with pytest.raises(ValueError, match="event ON_HOLD is counted for event destinations only"):
        publishing.metric_account(on_hold)


def test_a_source_of_values_that_cdk_learns_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    grow(ses.CloudWatchDimensionSource, "TENANT", monkeypatch)
    source = ses.CloudWatchDimensionSource["TENANT"]
    dimension = ses.CloudWatchDimension(
        name="tenant", default_value="none", source=ses.CloudWatchDimensionSource.LINK_TAG
    )
    dimension._values["source"] = source
    refusal = r"dimensions\[0\].source TENANT is unknown here; use MESSAGE_TAG, EMAIL_HEADER, LINK_TAG"
    with pytest.raises(ValueError, match=refusal):
        CloudWatchDestination([dimension])
