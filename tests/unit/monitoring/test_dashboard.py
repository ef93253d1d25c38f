"""The dashboard: what it shows, in which order, and nothing that is of another region or another name."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import EmailSendingEvent
from syrupy.assertion import SnapshotAssertion

from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
)
from tests.support.templates import Json, new_app, properties, readable, resources, synthesize


def campaigns(*more: str) -> CloudWatchDestination:
    source = ses.CloudWatchDimensionSource.MESSAGE_TAG
    return CloudWatchDestination(
        [ses.CloudWatchDimension(name=name, default_value="unknown", source=source) for name in ("campaign", *more)]
    )


def shown(stack: cdk.Stack) -> Json:
    """The body of the one dashboard of a stack."""
    body = properties(readable(synthesize(stack)), "AWS::CloudWatch::Dashboard")["DashboardBody"]
    assert isinstance(body, dict)
    return body


def titles(body: Json) -> list[str]:
    """What the widgets are called, from top to bottom and left to right."""
    ordered = sorted(body["widgets"], key=lambda widget: (widget["y"], widget["x"]))
    return [widget["properties"].get("title", widget["type"]) for widget in ordered]


def widget(body: Json, title: str) -> Json:
    [found] = [each["properties"] for each in body["widgets"] if each["properties"].get("title") == title]
    return dict(found)


def watched(
    stack: cdk.Stack,
    destination: CloudWatchDestination | None = None,
    events: Any = UNTOUCHED_MAIL,
    **options: Any,
) -> EventMonitoring:
    publishing = EventPublishing(stack, "Events", reputation_metrics=True)
    archive = EventArchive(stack, "Archive")
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    if destination:
        publishing.add_destination("ToMetrics", destination, events=events)
    return EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive, **options)


def test_the_whole_dashboard(stack: cdk.Stack, snapshot_json: SnapshotAssertion) -> None:
    watched(stack, campaigns(), EmailSendingEvent)
    assert shown(stack) == snapshot_json, "run make snapshots, and read what changed"


def test_it_goes_from_the_numbers_of_the_day_down_to_the_archive(stack: cdk.Stack) -> None:
    watched(stack, campaigns(), EmailSendingEvent)
    body = shown(stack)
    assert body["start"] == "-P1D"
    order = [
        "Alarms",
        "This configuration set, in the time shown",
        "Bounce rate",
        "Complaint rate",
        "Rejects",
        "Rendering failures",
        "Silent archive",
        "One campaign, chosen above: mail an hour",
        "One campaign, chosen above: rates",
        "Bounces an hour by campaign",
        "One campaign, chosen above: opens and clicks an hour",
        "Archive: bytes, and their quota",
        "Archive: share of its quotas",
        "Archive: events that came",
        "Archive: events turned away",
        "Archive: seconds that the oldest waits",
        "Archive: share of writes that S3 takes",
    ]
    assert [title for title in titles(body) if title in order] == order


def test_the_reputation_has_the_lines_of_the_alarms_and_of_aws(stack: cdk.Stack) -> None:
    watched(stack, bounce_rate=0.03)
    body = shown(stack)
    lines = {
        title: [(line["label"], line["value"]) for line in widget(body, title)["annotations"]["horizontal"]]
        for title in ("Bounce rate", "Complaint rate")
    }
    aws = [("AWS reviews the account", 0.05), ("AWS may pause sending", 0.1)]
    assert lines["Bounce rate"] == [("alarm", 0.03), *aws]
    assert [value for _, value in lines["Complaint rate"]] == [0.001, 0.001, 0.005]


def test_a_graph_has_the_line_of_its_alarm(stack: cdk.Stack) -> None:
    watched(stack, rejects=3, rendering_failures=4, quota_share=0.7, archive_delay=cdk.Duration.hours(1))
    body = shown(stack)
    lines = {
        title: [(line["label"], line["value"]) for line in widget(body, title)["annotations"]["horizontal"]]
        for title in titles(body)
        if title not in ("Bounce rate", "Complaint rate") and widget(body, title).get("annotations")
    }
    expected = {
        "Rejects": [("alarm", 3)],
        "Rendering failures": [("alarm", 4)],
        "Silent archive": [("alarm", 1)],
        "Archive: share of its quotas": [("alarm", 0.7)],
        "Archive: events turned away": [("alarm", 1)],
        "Archive: seconds that the oldest waits": [("alarm", 3600)],
        "Archive: share of writes that S3 takes": [("alarm", 1)],
    }
    assert lines | expected == lines


def test_a_campaign_is_chosen_by_a_variable(stack: cdk.Stack) -> None:
    watched(stack, campaigns())
    body = shown(stack)
    [variable] = body["variables"]
    assert variable == {
        "type": "property",
        "property": "campaign",
        "inputType": "select",
        "id": "campaign",
        "label": "campaign",
        "defaultValue": "unknown",
        "visible": True,
        "search": '{AWS/SES,"campaign"} MetricName="Send"',
        "populateFrom": "campaign",
    }
    rates = widget(body, "One campaign, chosen above: rates")["metrics"]
    assert [metric[0]["label"] for metric in rates if isinstance(metric[0], dict)] == [
        "Bounce / Send",
        "Complaint / Delivery",
    ]
    assert {metric[-1].get("period") for metric in rates} == {3600}


def test_each_dimension_of_a_metric_has_a_variable(stack: cdk.Stack) -> None:
    watched(stack, campaigns("X-Brand"))
    body = shown(stack)
    assert [(each["id"], each["property"]) for each in body["variables"]] == [
        ("campaign", "campaign"),
        ("X_Brand", "X-Brand"),
    ]
    first = widget(body, "One campaign, chosen above: mail an hour")["metrics"][0]
    assert first[:2] == ["AWS/SES", "Send"]
    assert dict(zip(first[2:6:2], first[3:6:2], strict=True)) == {"campaign": "unknown", "X-Brand": "unknown"}


def test_dimensions_that_differ_in_a_sign_have_two_variables(stack: cdk.Stack) -> None:
    watched(stack, campaigns("a-b", "a_b", "a_b_", "a:b"))
    ids = {each["property"]: each["id"] for each in shown(stack)["variables"]}
    assert ids == {"campaign": "campaign", "a-b": "a_b", "a_b": "a_b_", "a_b_": "a_b__", "a:b": "a_b___"}


def test_what_a_disabled_destination_would_count_is_not_shown(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToMetrics", campaigns(), enabled=False)
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    body = shown(stack)
    assert not body.get("variables")
    assert not [title for title in titles(body) if "campaign" in title]


def test_the_reputation_of_the_account_alone_has_the_line_of_its_alarm(stack: cdk.Stack) -> None:
    EventMonitoring(stack, "Monitoring", publishing=EventPublishing(stack, "Events"), bounce_rate=0.03)
    lines = widget(shown(stack), "Bounce rate")["annotations"]["horizontal"]
    assert [(line["label"], line["value"]) for line in lines][:1] == [("alarm", 0.03)]


def test_of_counts_by_set_and_campaign_those_of_the_set_are_shown(stack: cdk.Stack) -> None:
    source = ses.CloudWatchDimensionSource.MESSAGE_TAG
    names = ("ses:configuration-set", "campaign")
    both = [ses.CloudWatchDimension(name=name, default_value="none", source=source) for name in names]
    watched(stack, CloudWatchDestination(both), EmailSendingEvent)
    body = shown(stack)
    the_set = "${EventsConfigurationSet6B5CCE2B}"
    search = '{AWS/SES,"ses:configuration-set","campaign"} MetricName="%s" "ses:configuration-set"="%s"'
    [variable] = body["variables"]  # one about the set would change the counts of the set as a whole too
    assert (variable["property"], variable["search"]) == ("campaign", search % ("Send", the_set))
    [[bounces]] = widget(body, "Bounces an hour by campaign")["metrics"]
    assert bounces["expression"] == f"SEARCH('{search % ('Bounce', the_set)}', 'Sum', 3600)"
    for graph in ("mail an hour", "opens and clicks an hour"):
        for metric in widget(body, f"One campaign, chosen above: {graph}")["metrics"]:
            assert dict(zip(metric[2:6:2], metric[3:6:2], strict=True)) == {names[0]: the_set, "campaign": "none"}


def test_bounces_are_compared_by_a_search(stack: cdk.Stack) -> None:
    watched(stack, campaigns())
    [[search]] = widget(shown(stack), "Bounces an hour by campaign")["metrics"]
    assert search["expression"] == """SEARCH('{AWS/SES,"campaign"} MetricName="Bounce"', 'Sum', 3600)"""


@pytest.mark.parametrize(
    ("events", "missing"),
    [
        ([EmailSendingEvent.SEND], {"rates", "Bounces an hour by campaign", "opens and clicks an hour"}),
        ([EmailSendingEvent.OPEN], {"mail an hour", "rates", "Bounces an hour by campaign"}),
    ],
)
def test_what_is_not_counted_is_not_shown(stack: cdk.Stack, events: Any, missing: set[str]) -> None:
    watched(stack, campaigns(), events)
    by_campaign = [title for title in titles(shown(stack)) if "campaign" in title]
    all_of_them = {"mail an hour", "rates", "Bounces an hour by campaign", "opens and clicks an hour"}
    assert {title.rpartition("above: ")[2] for title in by_campaign} == all_of_them - missing


def test_opens_that_no_tag_counts_are_those_of_the_account(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination(
        "ToArchive", FirehoseDestination(EventArchive(stack, "Archive")), events=[EmailSendingEvent.OPEN]
    )
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    [[namespace, name, _]] = widget(shown(stack), "Opens and clicks an hour, all mail of the account in this region")[
        "metrics"
    ]
    assert (namespace, name) == ("AWS/SES", "Open")


def test_opens_that_tags_count_only_in_part_are_those_of_the_account(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    everything = FirehoseDestination(EventArchive(stack, "Archive"))
    publishing.add_destination("ToArchive", everything, events=list(EmailSendingEvent))
    publishing.add_destination("ToMetrics", campaigns(), events=[EmailSendingEvent.SEND, EmailSendingEvent.CLICK])
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    shown_of_the_account = widget(shown(stack), "Opens and clicks an hour, all mail of the account in this region")
    assert [metric[:2] for metric in shown_of_the_account["metrics"]] == [["AWS/SES", "Open"], ["AWS/SES", "Click"]]


def test_the_key_and_the_conversion_of_an_archive_have_a_graph(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", format=ParquetFormat(), encryption_key=kms.Key(stack, "Key"))
    EventMonitoring(stack, "Monitoring", archive=archive)
    assert [metric[1] for metric in widget(shown(stack), "Archive: key and conversion")["metrics"]] == [
        "KMSKeyAccessDenied",
        "KMSKeyDisabled",
        "KMSKeyInvalidState",
        "KMSKeyNotFound",
        "FailedConversion.Records",
    ]


def test_the_saved_queries_are_named_with_the_way_to_them(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    EventMonitoring(stack, "Monitoring", archive=archive, analytics=analytics)
    [text] = [each["properties"]["markdown"] for each in shown(stack)["widgets"] if each["type"] == "text"]
    title, _, _, _, *rows = text.splitlines()
    assert analytics.workgroup_name in title and "/athena/home?region=${AWS::Region}#/query-editor" in title
    queries = resources(readable(synthesize(stack)), "AWS::Athena::NamedQuery")
    assert rows == [
        f"| {query['Properties']['Name']} | {query['Properties']['Description']} | `${{{name}.NamedQueryId}}` |"
        for name, query in queries.items()
    ]


def test_the_dashboards_of_a_stack_share_one_condition() -> None:
    app = new_app()
    stack, other = cdk.Stack(app, "Mail"), cdk.Stack(app, "Other")
    for each in (stack, other):
        for name in ("A", "B"):
            archive = EventArchive(each, f"{name}Archive")
            analytics = EventAnalytics(each, f"{name}Analytics", archive=archive)
            EventMonitoring(each, name, archive=archive, analytics=analytics)
    for each in (stack, other):
        template = synthesize(each)
        [condition] = template["Conditions"]
        assert condition.startswith("AIsGovCloud")
        assert json.dumps(template["Resources"]).count(f'"Fn::If": ["{condition}"') == 2


def test_numbers_of_the_account_are_called_so(stack: cdk.Stack) -> None:
    EventMonitoring(stack, "Monitoring", publishing=EventPublishing(stack, "Events"), count_events=False)
    numbers = widget(shown(stack), "All mail of the account in this region, in the time shown")["metrics"]
    assert [metric[:2] for metric in numbers] == [
        ["AWS/SES", name] for name in ("Send", "Delivery", "Bounce", "Complaint", "Reject")
    ]


def test_an_archive_alone_has_its_own_dashboard(stack: cdk.Stack) -> None:
    EventMonitoring(stack, "Monitoring", archive=EventArchive(stack, "Archive"))
    body = shown(stack)
    assert {title.partition(":")[0] for title in titles(body)} == {"Alarms", "Archive"}
    assert not body.get("variables")


def test_nothing_is_of_a_certain_region_or_name(stack: cdk.Stack) -> None:
    watched(stack, campaigns())
    template = readable(synthesize(stack))
    dashboard = properties(template, "AWS::CloudWatch::Dashboard")
    assert "DashboardName" not in dashboard
    text = json.dumps(dashboard["DashboardBody"])
    assert not re.search(r"[a-z]{2}-[a-z]+-\d\b|\b\d{12}\b", text)
    regions = {each["properties"].get("region", "${AWS::Region}") for each in dashboard["DashboardBody"]["widgets"]}
    assert regions == {"${AWS::Region}"}


def test_there_may_be_none(stack: cdk.Stack) -> None:
    assert watched(stack, dashboard=False).dashboard is None
    assert not resources(synthesize(stack), "AWS::CloudWatch::Dashboard")
