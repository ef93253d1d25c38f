"""Who is told of what: each alarm's exact rule, and that what can go wrong sets it off."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent

from local_aws.cloudwatch import metric_math
from local_aws.cloudwatch.alarm_state import state_of
from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
    SesEventsStack,
    SnsDestination,
)
from ses_events.record.names import metric_name
from tests.support.templates import (
    ROOT,
    Json,
    logical_id,
    new_app,
    properties,
    readable,
    resources,
    synthesize,
    warning_texts,
    warnings,
)

SET = "${EventsConfigurationSet6B5CCE2B}"
STREAM = "MailArchive4B50850C"
COUNTED = [metric_name(event.name) for event in UNTOUCHED_MAIL]

ALARMS = {
    "account_bounce_rate": "Average of AWS/SES Reputation.BounceRate in 300 s >= 0.05, 1 of 1, ignore",
    "account_complaint_rate": "Average of AWS/SES Reputation.ComplaintRate in 300 s >= 0.001, 1 of 1, ignore",
    "bounce_rate": "Average of AWS/SES Reputation.BounceRate{SET} in 300 s >= 0.05, 1 of 1, ignore",
    "complaint_rate": "Average of AWS/SES Reputation.ComplaintRate{SET} in 300 s >= 0.001, 1 of 1, ignore",
    "rejects": "Sum of AWS/SES Reject{SET} in 300 s >= 1, 1 of 12, notBreaching",
    "rendering_failures": "Sum of AWS/SES RenderingFailure{SET} in 300 s >= 1, 1 of 12, notBreaching",
    "silent_archive": (
        "IF(FILL(sends, 0) - DIFF(FILL(sends, 0)) > 0, "
        "IF(0 * FILL(sends, 0) + 2 * FILL(records, 0) - DIFF(FILL(records, 0)) == 0, 1, 0)) "
        "[sends: Sum of AWS/SES Send{SET} in 900 s; records: Sum of AWS/Firehose IncomingRecords{STREAM} in 900 s] "
        ">= 1, 1 of 1, ignore"
    ),
    "missing_events": (
        "IF((known > 0) AND (settled >= 20) AND (settled >= 0.015 * counted_4) AND (around >= 20) AND (around >= "
        "0.015 * counted_4), 1, 0) [known: ((((FILL(0 * DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, "
        "0))) - DIFF((FILL(0 * DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, 0))))) - DIFF(((FILL(0 * "
        "DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, 0))) - DIFF((FILL(0 * DIFF(counted) + 1, 0) - "
        "DIFF(FILL(0 * DIFF(counted) + 1, 0))))))) - DIFF((((FILL(0 * DIFF(counted) + 1, 0) - DIFF(FILL(0 * "
        "DIFF(counted) + 1, 0))) - DIFF((FILL(0 * DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, 0))))) "
        "- DIFF(((FILL(0 * DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, 0))) - DIFF((FILL(0 * "
        "DIFF(counted) + 1, 0) - DIFF(FILL(0 * DIFF(counted) + 1, 0))))))))); counted: "
        + " + ".join(f"FILL({name.lower()}, 0)" for name in COUNTED)
        + "".join(f"; {name.lower()}: Sum of AWS/SES {name}{{SET}} in 900 s" for name in COUNTED)
        + "; settled: missing_4 - 0.25 * "
        "ABS(DIFF(counted_4)); missing_4: missing_2 + ((missing_2 - DIFF(missing_2)) - DIFF((missing_2 - "
        "DIFF(missing_2)))); missing_2: 2 * (missing - DIFF(missing)) - DIFF((missing - DIFF(missing))); missing: "
        "counted - FILL(records, 0); records: Sum of AWS/Firehose IncomingRecords{STREAM} in 900 s; counted_4: "
        "counted_2 + ((counted_2 - DIFF(counted_2)) - DIFF((counted_2 - DIFF(counted_2)))); counted_2: 2 * "
        "(counted - DIFF(counted)) - DIFF((counted - DIFF(counted))); around: missing_4 + 2 * missing - "
        "DIFF(missing) - DIFF(missing_4)] >= 1, 3 of 8, notBreaching"
    ),
    "data_freshness": "Maximum of AWS/Firehose DeliveryToS3.DataFreshness{STREAM} in 300 s > 900, 3 of 3, notBreaching",
    "delivery_success": "Average of AWS/Firehose DeliveryToS3.Success{STREAM} in 300 s < 1, 3 of 3, notBreaching",
    "throttled": "Sum of AWS/Firehose ThrottledRecords{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "bytes_near_quota": (
        "bytes / PERIOD(bytes) / bytes_quota [bytes: Sum of AWS/Firehose IncomingBytes{STREAM} in 300 s; "
        "bytes_quota: Average of AWS/Firehose BytesPerSecondLimit{STREAM} in 300 s] > 0.8, 1 of 3, notBreaching"
    ),
    "records_near_quota": (
        "records / PERIOD(records) / records_quota [records: Sum of AWS/Firehose IncomingRecords{STREAM} in 300 s; "
        "records_quota: Average of AWS/Firehose RecordsPerSecondLimit{STREAM} in 300 s] > 0.8, 1 of 3, notBreaching"
    ),
    "put_requests_near_quota": (
        "put_requests / PERIOD(put_requests) / put_requests_quota "
        "[put_requests: Sum of AWS/Firehose IncomingPutRequests{STREAM} in 300 s; put_requests_quota: "
        "Average of AWS/Firehose PutRequestsPerSecondLimit{STREAM} in 300 s] > 0.8, 1 of 3, notBreaching"
    ),
    "key_access_denied": "Sum of AWS/Firehose KMSKeyAccessDenied{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "key_disabled": "Sum of AWS/Firehose KMSKeyDisabled{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "key_invalid_state": "Sum of AWS/Firehose KMSKeyInvalidState{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "key_not_found": "Sum of AWS/Firehose KMSKeyNotFound{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "failed_conversion": "Sum of AWS/Firehose FailedConversion.Records{STREAM} in 300 s >= 1, 1 of 12, notBreaching",
    "backup_freshness": "Maximum of AWS/Firehose BackupToS3.DataFreshness{STREAM} in 300 s > 900, 3 of 3, notBreaching",
    "backup_success": "Average of AWS/Firehose BackupToS3.Success{STREAM} in 300 s < 1, 3 of 3, notBreaching",
}
"""Every alarm, as a person would say it."""

NOTHING: list[float | None] = []
FAILURES: dict[str, tuple[str, dict[str, list[float | None]]]] = {
    "the account bounces": ("account_bounce_rate", {"Reputation.BounceRate": [0.05]}),
    "the account is complained of": ("account_complaint_rate", {"Reputation.ComplaintRate": [0.001]}),
    "a set bounces": ("bounce_rate", {"Reputation.BounceRate{SET}": [0.07]}),
    "a set is complained of": ("complaint_rate", {"Reputation.ComplaintRate{SET}": [0.002]}),
    "one mail had a virus, 50 minutes ago": ("rejects", {"Reject{SET}": [1, *[None] * 10]}),
    "one template lacked a variable": ("rendering_failures", {"RenderingFailure{SET}": [1]}),
    "the role of SES is broken, with mail always": (
        "silent_archive", {"Send{SET}": [5, 5, 5], "IncomingRecords{STREAM}": [5, None, None]}
    ),
    "the role of SES is broken, and was from the first day": ("silent_archive", {"Send{SET}": [5, 5, 5]}),
    "the role of SES is broken, with one mail a night": ("silent_archive", {"Send{SET}": [1, None]}),
    "a tenth of the events is lost": (
        "missing_events",
        {"Send{SET}": [100] * 13, "Delivery{SET}": [100] * 13, "IncomingRecords{STREAM}": [*[200] * 6, *[180] * 7]},
    ),
    "events wait": ("data_freshness", {"DeliveryToS3.DataFreshness{STREAM}": [901, 1201, 1501]}),
    "S3 refuses half": ("delivery_success", {"DeliveryToS3.Success{STREAM}": [0.5, 0.5, 0.5]}),
    "one event was turned away": ("throttled", {"ThrottledRecords{STREAM}": [1, *[None] * 11]}),
    "bytes near the quota": (
        "bytes_near_quota",
        {"IncomingBytes{STREAM}": [4.3e6 * 300, None, None], "BytesPerSecondLimit{STREAM}": [5242880] * 3},
    ),
    "records near the quota": (
        "records_near_quota",
        {"IncomingRecords{STREAM}": [81_000 * 300], "RecordsPerSecondLimit{STREAM}": [100_000]},
    ),
    "requests near the quota": (
        "put_requests_near_quota",
        {"IncomingPutRequests{STREAM}": [801 * 300], "PutRequestsPerSecondLimit{STREAM}": [1000]},
    ),
    "the key's policy lost Firehose": ("key_access_denied", {"KMSKeyAccessDenied{STREAM}": [3]}),
    "the key is disabled": ("key_disabled", {"KMSKeyDisabled{STREAM}": [3]}),
    "the key is to be deleted": ("key_invalid_state", {"KMSKeyInvalidState{STREAM}": [3]}),
    "the key is gone": ("key_not_found", {"KMSKeyNotFound{STREAM}": [3]}),
    "an event is no row of the table": ("failed_conversion", {"FailedConversion.Records{STREAM}": [1]}),
    "JSON waits": ("backup_freshness", {"BackupToS3.DataFreshness{STREAM}": [901, 1201, 1501]}),
    "S3 refuses JSON": ("backup_success", {"BackupToS3.Success{STREAM}": [0, 0, 0]}),
}  # fmt: skip
"""What can go wrong: which alarm sees it, and the newest data points that CloudWatch has of it."""

GOOD: dict[str, tuple[str, dict[str, list[float | None]]]] = {
    "hardly any bounces": ("account_bounce_rate", {"Reputation.BounceRate": [0.0499]}),
    "mail arrives in the next period, every time": (
        "silent_archive",
        {"Send{SET}": [1, None, 1, None], "IncomingRecords{STREAM}": [None, 1, None, 1]},
    ),
    "mail arrives in its period": ("silent_archive", {"Send{SET}": [1, None], "IncomingRecords{STREAM}": [1, None]}),
    "the newest record is not reported yet": (
        "silent_archive", {"Send{SET}": [9, 9, 9, 9], "IncomingRecords{STREAM}": [9, 9, 9, None]}
    ),
    "the buffer waits for its interval": ("data_freshness", {"DeliveryToS3.DataFreshness{STREAM}": [300] * 3}),
    "one write failed and was repeated": ("delivery_success", {"DeliveryToS3.Success{STREAM}": [0.5, 1, 1]}),
    "the stream is idle": ("bytes_near_quota", {"BytesPerSecondLimit{STREAM}": [5242880] * 3}),
    "the stream is at 80 %": (
        "bytes_near_quota", {"IncomingBytes{STREAM}": [800 * 300], "BytesPerSecondLimit{STREAM}": [1000]}
    ),
}  # fmt: skip


def a_set(stack: cdk.Stack, **options: Any) -> EventPublishing:
    return EventPublishing(stack, "Events", **options)


def an_archive(stack: cdk.Stack, **options: Any) -> EventArchive:
    return EventArchive(stack, "Archive", **options)


def by(*names: str) -> CloudWatchDestination:
    source = ses.CloudWatchDimensionSource.MESSAGE_TAG
    return CloudWatchDestination(
        [ses.CloudWatchDimension(name=name, default_value="unknown", source=source) for name in names]
    )


CAMPAIGNS, OF_THE_SET = by("campaign"), by("ses:configuration-set")
SPRING = {"campaign": "spring"}


def everything(stack: cdk.Stack, **options: Any) -> EventMonitoring:
    """All that an alarm can be about."""
    publishing = a_set(stack, reputation_metrics=True)
    archive = parquet_archive(stack, encryption_key=kms.Key(stack, "Key"))
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    publishing.add_destination("ToMetrics", CAMPAIGNS)
    return EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive, dashboard=False, **options)


def parquet_archive(stack: cdk.Stack, **options: Any) -> EventArchive:
    return an_archive(stack, format=ParquetFormat(), **options)


@pytest.fixture(scope="module")
def alarms() -> dict[str, Json]:
    """The properties of every alarm by name."""
    stack = cdk.Stack(new_app(), "Mail")
    return properties_by_name(everything(stack))


def properties_by_name(monitoring: EventMonitoring) -> dict[str, Json]:
    template = readable(synthesize(cdk.Stack.of(monitoring)))
    made = resources(template, "AWS::CloudWatch::Alarm")
    assert len(made) == len(monitoring.alarms)
    return {name: made[logical_id(alarm.node.default_child)]["Properties"] for name, alarm in monitoring.alarms.items()}


def metric_text(metric: Mapping[str, Any]) -> str:
    """``Send{SET}``: the name and what it is about."""
    values = [dimension["Value"] for dimension in metric.get("Dimensions", [])]
    text = f"{{{','.join(values)}}}" if values else ""
    return f"{metric['MetricName']}{text.replace(SET, 'SET').replace(STREAM, 'STREAM')}"


def as_said(alarm: Json) -> str:
    """An alarm in one line."""
    if "Metrics" in alarm:
        [math] = [query for query in alarm["Metrics"] if query["ReturnData"]]
        stats = [
            f"{query['Id']}: {query['Expression']}"
            if "Expression" in query
            else f"{query['Id']}: {query['MetricStat']['Stat']} of {query['MetricStat']['Metric']['Namespace']} "
            f"{metric_text(query['MetricStat']['Metric'])} in {query['MetricStat']['Period']} s"
            for query in alarm["Metrics"]
            if query is not math
        ]
        watched = f"{math['Expression']} [{'; '.join(stats)}]"
    else:
        watched = f"{alarm['Statistic']} of {alarm['Namespace']} {metric_text(alarm)} in {alarm['Period']} s"
    signs = {
        "GreaterThanOrEqualToThreshold": ">=",
        "GreaterThanThreshold": ">",
        "LessThanThreshold": "<",
        "LessThanOrEqualToThreshold": "<=",
    }
    periods = alarm["EvaluationPeriods"]
    return (
        f"{watched} {signs[alarm['ComparisonOperator']]} {alarm['Threshold']}, "
        f"{alarm.get('DatapointsToAlarm', periods)} of {periods}, {alarm['TreatMissingData']}"
    )


def state(alarm: Json, planted: Mapping[str, list[float | None]]) -> str | None:
    """The state by planted data points, the newest last."""

    def series(metric: Mapping[str, Any], period: int, statistic: str) -> list[float | None]:
        points, periods = planted.get(metric_text(metric), NOTHING), alarm["EvaluationPeriods"] + metric_math.EARLIER
        return [*[None] * periods, *points][-periods:]

    return state_of(alarm, metric_math.data_points(alarm, series))


def test_every_alarm_watches_what_it_should(alarms: dict[str, Json]) -> None:
    assert {name: as_said(alarm) for name, alarm in alarms.items()} == ALARMS


def test_every_alarm_is_a_public_attribute_that_says_what_it_is() -> None:
    stack = cdk.Stack(new_app(), "Mail")
    monitoring = everything(stack)
    assert {name: getattr(monitoring, name) for name in ALARMS} == monitoring.alarms
    assert set(ALARMS) == set(EventMonitoring.__annotations__)


@pytest.mark.parametrize("failure", FAILURES)
def test_what_goes_wrong_sets_off_an_alarm(alarms: dict[str, Json], failure: str) -> None:
    name, planted = FAILURES[failure]
    assert state(alarms[name], planted) == "ALARM"


@pytest.mark.parametrize("case", GOOD)
def test_what_is_right_sets_off_none(alarms: dict[str, Json], case: str) -> None:
    name, planted = GOOD[case]
    assert state(alarms[name], planted) == "OK"


def test_every_alarm_is_set_off_by_something() -> None:
    assert {name for name, _ in FAILURES.values()} == set(ALARMS)


def test_without_any_data_nothing_is_wrong(alarms: dict[str, Json]) -> None:
    states = {name: state(alarm, {}) for name, alarm in alarms.items()}
    kept = {"account_bounce_rate", "account_complaint_rate", "bounce_rate", "complaint_rate", "silent_archive"}
    assert states == {name: None if name in kept else "OK" for name in ALARMS}  # None: as it was


@pytest.mark.parametrize(
    ("sends", "records"),
    [
        ([1, None, None], [None, None, None]),  # silent, and no mail since: that says nothing
        ([None], [9, 9]),  # others fill the archive
        ([9], [None]),  # the newest mail is not judged yet
    ],
)
def test_a_silent_archive_is_judged_by_mail_alone(
    alarms: dict[str, Json], sends: list[float | None], records: list[float | None]
) -> None:
    assert state(alarms["silent_archive"], {"Send{SET}": sends, "IncomingRecords{STREAM}": records}) is None


def test_a_description_says_what_happened_what_aws_does_and_what_to_look_at(alarms: dict[str, Json]) -> None:
    for alarm in alarms.values():
        text = alarm["AlarmDescription"]
        assert len(text) < 700  # a name in it may have 64 characters for its reference, of 1024 in all
        assert re.search("AWS|SES|Firehose|S3", text)
        assert re.search("Look |Ask for more", text)


def of_each(monitoring: EventMonitoring) -> dict[str, str]:
    """The description of each alarm, without what is known at deployment only."""
    found = properties_by_name(monitoring)
    return {name: re.sub(r"\$\{\w+\}", "", alarm["AlarmDescription"]) for name, alarm in found.items()}


def test_a_description_leads_to_a_page_of_the_user(stack: cdk.Stack) -> None:
    for name, text in of_each(everything(stack, runbook_url="https://wiki.example.com/mail")).items():
        assert text.endswith(f" Runbook: https://wiki.example.com/mail#{name}")


def test_a_description_names_a_query_only_where_it_is_saved(stack: cdk.Stack) -> None:
    nested = cdk.NestedStack(cdk.Stack(cdk.Stage.of(stack), "Questions"), "Nested")
    analytics = EventAnalytics(nested, "Analytics", archive=an_archive(stack))
    options: dict[str, Any] = {"publishing": a_set(stack), "account_reputation": False, "dashboard": False}
    bare = EventMonitoring(stack, "Bare", **options)
    asked = EventMonitoring(stack, "Asked", **options, analytics=analytics)
    made = resources(synthesize(stack), "AWS::CloudWatch::Alarm")
    query = f" Run: ses-events query never_sent --stack Questions --workgroup {analytics.workgroup_name}."
    for monitoring, run in ((bare, ""), (asked, query)):
        text = made[logical_id(monitoring.alarms["rejects"].node.default_child)]["Properties"]["AlarmDescription"]
        assert run in text["Fn::Join"][1][-1] and ("query" in text["Fn::Join"][1][-1]) == bool(run)


def test_a_description_names_verify_only_where_a_set_is_watched(stack: cdk.Stack) -> None:
    alone = EventMonitoring(stack, "Alone", archive=an_archive(stack), dashboard=False)
    assert not [text for text in of_each(alone).values() if "ses-events verify" in text]


def test_the_verify_of_a_description_says_which_set_of_the_stack(stack: cdk.Stack) -> None:
    made = {}
    for name in ("News", "Bills"):
        publishing, archive = EventPublishing(stack, name), EventArchive(stack, f"{name}Archive")
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
        made[publishing] = EventMonitoring(
            stack, f"{name}Alarms", publishing=publishing, archive=archive, dashboard=False
        ).alarms
    template = readable(synthesize(stack))["Resources"]
    for publishing, alarms in made.items():
        whose = f"${{{logical_id(publishing.configuration_set)}}}"
        for name in ("silent_archive", "data_freshness"):
            text = template[logical_id(alarms[name].node.default_child)]["Properties"]["AlarmDescription"]
            assert f" Run: ses-events verify --stack Mail --configuration-set {whose}. " in text


def test_a_description_is_never_too_long_for_cloudwatch() -> None:
    stack = cdk.Stack(new_app(), "S" * 128)
    url = "https://wiki.example.com/".ljust(200, "x")
    for alarm in properties_by_name(everything(stack, runbook_url=url)).values():
        text = re.sub(r"\$\{\w*ConfigurationSet\w+\}", "S" * 64, alarm["AlarmDescription"])
        assert len(re.sub(r"\$\{\w+\}", "l" * 128, text)) <= 1024  # with the name of a log group


def test_an_alarm_has_no_name_of_its_own(alarms: dict[str, Json]) -> None:
    assert not [alarm for alarm in alarms.values() if "AlarmName" in alarm]


def test_one_statement_tells_one_topic_of_everything(stack: cdk.Stack) -> None:
    on_call = [actions.SnsAction(sns.Topic(stack, "OnCall"))]
    for alarm in properties_by_name(everything(stack, alarm_actions=on_call, ok_actions=on_call)).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["${OnCall0B2745F4}"]


def test_without_a_topic_there_are_alarms_without_actions(alarms: dict[str, Json]) -> None:
    assert not [alarm for alarm in alarms.values() if "AlarmActions" in alarm or "OKActions" in alarm]


def test_every_threshold_can_be_set(stack: cdk.Stack) -> None:
    made = properties_by_name(
        everything(
            stack,
            bounce_rate=0.02,
            complaint_rate=0.0005,
            rejects=5,
            rendering_failures=6,
            archive_delay=cdk.Duration.hours(1),
            quota_share=0.5,
        )
    )
    assert {name: alarm["Threshold"] for name, alarm in made.items() if name in ALARMS} == {
        "account_bounce_rate": 0.02,
        "account_complaint_rate": 0.0005,
        "bounce_rate": 0.02,
        "complaint_rate": 0.0005,
        "rejects": 5,
        "rendering_failures": 6,
        "silent_archive": 1,
        "missing_events": 1,
        "data_freshness": 3600,
        "delivery_success": 1,
        "throttled": 1,
        **{f"{what}_near_quota": 0.5 for what in ("bytes", "records", "put_requests")},
        **{f"key_{what}": 1 for what in ("access_denied", "disabled", "invalid_state", "not_found")},
        "failed_conversion": 1,
        "backup_freshness": 3600,
        "backup_success": 1,
    }
    assert "has reached 2 %" in made["bounce_rate"]["AlarmDescription"]
    assert "more than 60 minutes" in made["data_freshness"]["AlarmDescription"]


def test_the_ends_of_a_range_belong_to_it(stack: cdk.Stack) -> None:
    for number, ends in enumerate(
        (
            {"bounce_rate": 0.1, "complaint_rate": 0.005, "quota_share": 0.99, "archive_delay": cdk.Duration.days(1)},
            {
                "bounce_rate": 1e-9,
                "complaint_rate": 1e-9,
                "quota_share": 1e-9,
                "archive_delay": cdk.Duration.minutes(1),
            },
        )
    ):
        options: dict[str, Any] = ends
        archive = EventArchive(stack, f"Archive{number}", buffering_interval=cdk.Duration.seconds(59))
        EventMonitoring(stack, f"Monitoring{number}", archive=archive, **options)


def test_a_slow_buffer_may_take_its_time(stack: cdk.Stack) -> None:
    archive = an_archive(stack, buffering_interval=cdk.Duration.seconds(900))
    assert (
        properties_by_name(EventMonitoring(stack, "Monitoring", archive=archive))["data_freshness"]["Threshold"]
        == 3 * 900
    )


# What an alarm is about must be there.


def test_the_set_is_counted_as_a_whole(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    destination = properties(readable(synthesize(stack)), "AWS::SES::ConfigurationSetEventDestination")
    assert destination["EventDestination"] == {
        "CloudWatchDestination": {
            "DimensionConfigurations": [
                {
                    "DefaultDimensionValue": "none",
                    "DimensionName": "ses:configuration-set",
                    "DimensionValueSource": "messageTag",
                }
            ]
        },
        "Enabled": True,
        "MatchingEventTypes": ["send", "reject", "bounce", "complaint", "delivery", "renderingFailure"],
    }


def test_what_is_counted_already_is_not_counted_twice(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    publishing.add_destination("Mine", OF_THE_SET, events=[EmailSendingEvent.SEND, EmailSendingEvent.REJECT])
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    EventMonitoring(stack, "Another", publishing=publishing)
    assert [(each.destination is OF_THE_SET, len(each.events)) for each in publishing.destinations] == [
        (True, 2),
        (False, 4),
    ]


def test_a_set_that_is_not_counted_has_the_alarms_of_the_account(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    publishing.add_destination("ToArchive", FirehoseDestination(an_archive(stack)))
    publishing.add_destination("ToMetrics", by("ses:configuration-set", "campaign"))  # cannot be read by the set alone
    made = properties_by_name(EventMonitoring(stack, "Monitoring", publishing=publishing, count_events=False))
    assert set(made) == {"account_bounce_rate", "account_complaint_rate", "rejects", "rendering_failures"}
    for alarm, metric in (("rejects", "Reject"), ("rendering_failures", "RenderingFailure")):
        assert as_said(made[alarm]) == f"Sum of AWS/SES {metric} in 300 s >= 1, 1 of 12, notBreaching"
        assert "(some mail of this account in this region)" in made[alarm]["AlarmDescription"]
    assert [each.resource.node.id for each in publishing.destinations] == ["ToArchive", "ToMetrics"]


def test_a_count_of_your_own_is_enough_for_a_silent_archive(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    publishing.add_destination("Mine", OF_THE_SET, events=[EmailSendingEvent.SEND])
    publishing.add_destination("ToArchive", FirehoseDestination(an_archive(stack)))
    made = EventMonitoring(stack, "Monitoring", publishing=publishing, count_events=False)
    assert made.silent_archive


@pytest.mark.parametrize(
    ("to_archive", "seen"),
    [
        ({}, True),
        ({"events": [EmailSendingEvent.BOUNCE]}, False),
        ({"enabled": False}, False),
        (None, False),
    ],
)
def test_an_archive_is_silent_only_if_sends_should_get_there(
    stack: cdk.Stack, to_archive: dict[str, Any] | None, seen: bool
) -> None:
    publishing, archive = a_set(stack), an_archive(stack)
    if to_archive is not None:
        publishing.add_destination("ToArchive", FirehoseDestination(archive), **to_archive)
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive)
    assert (monitoring.silent_archive is not None) == seen


def test_each_of_two_archives_can_be_the_silent_one(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    archives = [EventArchive(stack, name) for name in ("First", "Second")]
    for archive in archives:
        publishing.add_destination(f"To{archive.node.id}", FirehoseDestination(archive))
    watching = [
        EventMonitoring(stack, f"Watch{archive.node.id}", publishing=publishing, archive=archive)
        for archive in archives
    ]
    template = readable(synthesize(stack))
    for archive, monitoring in zip(archives, watching, strict=True):
        alarm = template["Resources"][logical_id(monitoring.alarms["silent_archive"].node.default_child)]
        [records] = [query for query in alarm["Properties"]["Metrics"] if query["Id"] == "records"]
        [stream] = records["MetricStat"]["Metric"]["Dimensions"]
        assert stream["Value"] == archive.delivery_stream_name


def test_sets_that_share_an_archive_watch_it_once(stack: cdk.Stack) -> None:
    archive = an_archive(stack)
    sets = [EventPublishing(stack, f"Set{number}") for number in range(3)]
    for publishing in sets:
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
    of_the_archive = EventMonitoring(stack, "ArchiveMonitoring", archive=archive)
    of_the_sets = [
        EventMonitoring(each, "Monitoring", publishing=each, account_reputation=False, dashboard=False) for each in sets
    ]
    assert len(of_the_archive.alarms) == 6
    assert {frozenset(each.alarms) for each in of_the_sets} == {
        frozenset({"rejects", "rendering_failures", "silent_archive"})
    }
    synthesize(stack)


def test_without_a_key_and_parquet_there_are_no_alarms_about_them(stack: cdk.Stack) -> None:
    made = EventMonitoring(stack, "Monitoring", archive=an_archive(stack)).alarms
    assert set(made) == {
        "data_freshness",
        "delivery_success",
        "throttled",
        "bytes_near_quota",
        "records_near_quota",
        "put_requests_near_quota",
    }


def test_the_rates_of_a_set_need_its_reputation_metrics(stack: cdk.Stack) -> None:
    there = ses.ConfigurationSet.from_configuration_set_name(stack, "There", "there")
    for number, publishing in enumerate([a_set(stack), EventPublishing(stack, "Imported", configuration_set=there)]):
        monitoring = EventMonitoring(stack, f"Monitoring{number}", publishing=publishing)
        assert monitoring.bounce_rate is None and monitoring.complaint_rate is None


def test_a_stream_that_is_no_archive_is_watched_for_silence_only(stack: cdk.Stack) -> None:
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "events")
    publishing = a_set(stack)
    publishing.add_destination("ToStream", FirehoseDestination(stream))
    made = properties_by_name(EventMonitoring(stack, "Monitoring", publishing=publishing))
    assert "IncomingRecords{events}" in as_said(made["silent_archive"])
    wrong: Any = stream
    with pytest.raises(TypeError, match="; use an EventArchive"):
        EventMonitoring(stack, "Another", archive=wrong)


@pytest.mark.parametrize(
    ("account", "region", "problem"),
    [
        ("444455556666", "us-east-1", "is in 444455556666, this stack in 111122223333; use one of this account"),
        ("111122223333", "eu-central-1", "is in eu-central-1, this stack in us-east-1; use one of this region"),
    ],
)
def test_what_another_account_or_region_measures_is_refused(account: str, region: str, problem: str) -> None:
    app = new_app()
    there = cdk.Stack(app, "There", env=cdk.Environment(account=account, region=region))
    here = cdk.Stack(app, "Here", env=cdk.Environment(account="111122223333", region="us-east-1"))
    with pytest.raises(ValueError) as caught:
        EventMonitoring(here, "Monitoring", publishing=a_set(there), archive=an_archive(there))
    assert str(caught.value).splitlines() == [
        f"Here/Monitoring: {part} {problem}" for part in ("publishing", "archive")
    ]


def test_an_archive_that_two_watch_is_warned_of(stack: cdk.Stack) -> None:
    archive = an_archive(stack)
    EventMonitoring(stack, "First", archive=archive, dashboard=False)
    assert warnings(stack) == set()
    second = EventMonitoring(stack, "Second", archive=archive, dashboard=False)
    assert "ses-events:archive-watched-twice" in str(warnings(stack))
    cdk.Annotations.of(second).acknowledge_warning("ses-events:archive-watched-twice")
    assert warnings(stack) == set()


def test_an_archive_of_another_stack_makes_no_circle(stack: cdk.Stack) -> None:
    app = cdk.Stage.of(stack)
    archive = EventArchive(cdk.Stack(app, "Archives"), "Archive")
    publishing = a_set(stack)
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    watcher = cdk.Stack(app, "Watcher")
    EventMonitoring(watcher, "Monitoring", publishing=publishing, archive=archive)
    for each in (stack, archive.stack, watcher):
        synthesize(each)
    assert warnings(watcher) == set()


# Destinations that come later.


@pytest.mark.parametrize("destination", [CAMPAIGNS, None])
def test_a_destination_that_would_be_missed_is_refused(stack: cdk.Stack, destination: Any) -> None:
    publishing = a_set(stack)
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    with pytest.raises(ValueError) as caught:
        publishing.add_destination("Late", destination or FirehoseDestination(an_archive(stack)))
    assert str(caught.value) == (
        "Mail/Events/Late: destination comes too late: 'Mail/Monitoring' was made before it and would not watch it; "
        "make the EventMonitoring after it (in a SesEventsStack one of your own, "
        "with monitoring=False)"
    )


def test_a_destination_that_no_alarm_is_about_may_come_later(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    EventMonitoring(stack, "Monitoring", publishing=publishing)
    publishing.add_destination("Late", EventBridgeDestination())
    publishing.add_destination("Disabled", CAMPAIGNS, enabled=False)
    synthesize(stack)


def test_a_reference_stack_takes_another_count_before_an_own_monitoring() -> None:
    app = new_app()
    stack = SesEventsStack(app, "Mail", monitoring=False)
    stack.publishing.add_destination("ByTeam", by("team"))
    assert EventMonitoring(stack, "Own", publishing=stack.publishing, archive=stack.archive).silent_archive


def test_a_count_of_the_set_that_another_monitoring_would_miss_is_refused_in_its_own_words(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    EventMonitoring(stack, "First", publishing=publishing, count_events=False)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Second", publishing=publishing)
    assert str(caught.value) == (
        "Mail/Second: count_events needs an event destination, which 'Mail/First' would not see, as it has looked at "
        "what this configuration set publishes to; make this EventMonitoring before that one, or use "
        "count_events=False and do without the alarm silent_archive"
    )
    EventMonitoring(stack, "Second", publishing=publishing, count_events=False)


@pytest.mark.parametrize(
    "make",
    [
        lambda publishing: publishing.add_destination("ToMonitoring", CAMPAIGNS),
        lambda publishing: sns.Topic(publishing, "ToMonitoring"),
    ],
    ids=["destination", "construct"],
)
def test_what_of_ones_own_has_the_id_of_the_count_is_named(
    stack: cdk.Stack, make: Callable[[EventPublishing], object]
) -> None:
    publishing = a_set(stack)
    make(publishing)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", publishing=publishing)
    assert str(caught.value) == (
        "Mail/Monitoring: count_events needs an event destination 'ToMonitoring', and something of your own has that "
        "id; give yours another one, or use count_events=False and do without the alarm silent_archive"
    )
    EventMonitoring(stack, "Monitoring", publishing=publishing, count_events=False)


def test_a_monitoring_whose_id_is_taken_leaves_no_count_behind(stack: cdk.Stack) -> None:
    publishing, _ = a_set(stack), sns.Topic(stack, "Monitoring")
    with pytest.raises(ValueError, match="construct_id 'Monitoring' is taken"):
        EventMonitoring(stack, "Monitoring", publishing=publishing)
    assert publishing.destinations == ()


# A function that is told.


def a_function(stack: cdk.Stack, **options: bool) -> actions.LambdaAction:
    arn = "arn:aws:lambda:us-east-1:111122223333:function:on-call"
    function = cdk.aws_lambda.Function.from_function_attributes(
        stack, "OnCall", function_arn=arn, same_environment=True
    )
    return actions.LambdaAction(function, **options)


def test_a_function_may_be_told_by_one_monitoring(stack: cdk.Stack) -> None:
    told = [a_function(stack)]
    archive = an_archive(stack)
    monitoring = EventMonitoring(stack, "Monitoring", archive=archive, alarm_actions=told, ok_actions=told)
    assert len(resources(synthesize(stack), "AWS::Lambda::Permission")) == len(monitoring.alarms)


def test_a_function_that_two_would_tell_is_refused(stack: cdk.Stack) -> None:
    told = [a_function(stack)]
    EventMonitoring(stack, "First", archive=EventArchive(stack, "A"), alarm_actions=told)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Second", archive=EventArchive(stack, "B"), alarm_actions=told)
    assert str(caught.value) == (
        "Mail/Second/DataFreshness: alarm_actions or ok_actions has a LambdaAction whose function another alarm "
        "calls, and CDK has one permission for both; use LambdaAction(function, use_unique_permission_id=True)"
    )


def test_a_function_whose_permissions_are_unique_is_told_by_several(stack: cdk.Stack) -> None:
    told = [a_function(stack, use_unique_permission_id=True)]
    monitorings = [
        EventMonitoring(stack, name, archive=EventArchive(stack, f"{name}Archive"), alarm_actions=told)
        for name in ("First", "Second")
    ]
    made = resources(synthesize(stack), "AWS::Lambda::Permission")
    assert len(made) == sum(len(each.alarms) for each in monitorings)


# Alarms of one's own.


def campaign_alarm(
    stack: cdk.Stack, metric: cloudwatch.Metric | cloudwatch.MathExpression, threshold: float
) -> tuple[EventMonitoring, Json]:
    monitoring = EventMonitoring(
        stack,
        "Monitoring",
        archive=an_archive(stack),
        alarm_actions=[actions.Ec2Action(actions.Ec2InstanceAction.REBOOT)],
    )
    monitoring.add_alarm("Spring", metric, threshold=threshold, description="Look at the list of the spring campaign.")
    return monitoring, properties_by_name(monitoring)["Spring"]


@pytest.fixture(scope="module")
def bounce_rate() -> Json:
    """The properties of an alarm on the bounce rate of a campaign."""
    rate = CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, {"campaign": "spring"})
    return campaign_alarm(cdk.Stack(new_app(), "Mail"), rate, 0.05)[1]


def test_the_rate_of_a_campaign_is_an_alarm_like_the_others(bounce_rate: Json) -> None:
    assert re.fullmatch(
        r"IF\(FILL\((send_\w{8}), 0\) >= 100, FILL\((bounce_\w{8}), 0\) / \1, 0\) "
        r"\[\2: Sum of AWS/SES Bounce{spring} in 3600 s; \1: Sum of AWS/SES Send{spring} in 3600 s\] "
        r">= 0.05, 1 of 1, notBreaching",
        as_said(bounce_rate),
    )
    assert bounce_rate["AlarmActions"]
    assert bounce_rate["AlarmDescription"] == "Look at the list of the spring campaign."


@pytest.mark.parametrize(
    ("bounces", "sends", "expected"),
    [
        (5, 100, "ALARM"),
        (4, 100, "OK"),
        (99, 99, "OK"),  # too little mail to say anything
        (5, None, "OK"),  # bounces of what was sent before
        (None, 1000, "OK"),
        (None, None, "OK"),
        (0, 0, "OK"),
    ],
)
def test_a_rate_is_told_of_once_there_is_mail_enough(
    bounce_rate: Json, bounces: float | None, sends: float | None, expected: str
) -> None:
    assert state(bounce_rate, {"Bounce{spring}": [bounces], "Send{spring}": [sends]}) == expected


def test_complaints_are_counted_against_deliveries() -> None:
    rate = CAMPAIGNS.rate(EmailSendingEvent.COMPLAINT, {"campaign": "spring"}, minimum=1000)
    assert re.match(r"IF\(FILL\(delivery_\w+, 0\) >= 1000, FILL\(complaint_\w+, 0\)", rate.expression)


def test_the_rates_of_several_values_fit_in_one_graph(stack: cdk.Stack) -> None:
    rates = [CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, {"campaign": name}) for name in ("spring", "summer")]
    cloudwatch.Dashboard(stack, "Mine", widgets=[[cloudwatch.GraphWidget(left=rates)]])
    synthesize(stack)


BY_SET = by("ses:configuration-set", "campaign")
A_DAY = cdk.Duration.days(1)


def test_the_rates_of_several_sets_and_periods_fit_in_one_graph(stack: cdk.Stack) -> None:
    names = [EventPublishing(stack, name).configuration_set_name for name in ("Spring", "Autumn")]
    names += [f"{names[0]}-old", cdk.Fn.import_value("One"), cdk.Fn.import_value("Two")]
    rates = [
        BY_SET.rate(EmailSendingEvent.BOUNCE, {"ses:configuration-set": name, **SPRING}, period=period)
        for name in names
        for period in (None, A_DAY)
    ]
    assert len({rate.expression for rate in rates}) == 10
    cloudwatch.Dashboard(stack, "Mine", widgets=[[cloudwatch.GraphWidget(left=rates)]])
    synthesize(stack)


def test_the_order_of_the_values_of_a_rate_means_nothing() -> None:
    values = {"ses:configuration-set": "news", **SPRING}
    turned = dict(reversed(values.items()))
    one, other = (BY_SET.rate(EmailSendingEvent.BOUNCE, each).expression for each in (values, turned))
    assert one == other


def test_a_rate_of_a_day_counts_by_the_day(stack: cdk.Stack) -> None:
    rate = CAMPAIGNS.rate(EmailSendingEvent.COMPLAINT, SPRING, minimum=1, period=A_DAY)
    said = as_said(campaign_alarm(stack, rate, 0.001)[1])
    assert re.search(
        r"Sum of AWS/SES Complaint{spring} in 86400 s; .* Sum of AWS/SES Delivery{spring} in 86400 s", said
    )
    assert warnings(stack) == set()


@pytest.mark.parametrize(
    ("period", "error"),
    [
        (86400, "period 86400 is of type int; use cdk.Duration.days(1)"),
        (cdk.Duration.seconds(90), "period '90 seconds' cannot be converted into a whole number of minutes; use"),
        (cdk.Duration.days(8), "period 11520 minutes is out of range; use 1-10080 whole minutes"),
        (cdk.Duration.minutes(0), "period 0 minutes is out of range; use 1-10080 whole minutes"),
        (
            cdk.Duration.minutes(cdk.Token.as_number({"Ref": "Period"})),
            "period is known at deployment only, but CDK needs it at synth to make a metric; write it out",
        ),
    ],
)
def test_a_period_that_no_alarm_has_is_refused(period: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING, period=period)
    assert str(caught.value).startswith(f"CloudWatchDestination.rate: {error}")
    assert CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING, period=cdk.Duration.days(7))


def sets_by_campaign() -> Json:
    """The template of two sets with rates on their dashboards and in an alarm."""
    stack = cdk.Stack(new_app(), "Mail")
    for name in ("News", "Letters"):
        publishing = EventPublishing(stack, name)
        publishing.add_destination("ToMetrics", BY_SET)
        monitoring = EventMonitoring(publishing, "Monitoring", publishing=publishing)
        of_the_set = {"ses:configuration-set": publishing.configuration_set_name, **SPRING}
        monitoring.add_alarm("Bounces", BY_SET.rate(EmailSendingEvent.BOUNCE, of_the_set), threshold=0.05)
    return synthesize(stack)


def test_the_same_app_has_the_same_template_each_time() -> None:
    first, second, third = (sets_by_campaign() for _ in range(3))
    assert first == second == third


def test_a_template_depends_on_no_seed_of_python() -> None:
    code = f"import json; from {__name__} import sets_by_campaign as made; print(json.dumps(made()))"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    one, other = (run.communicate()[0] for run in runs)  # as text, so that the order is compared too
    assert one == other != ""


def test_the_count_of_a_campaign(stack: cdk.Stack) -> None:
    bounces = CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, {"campaign": "spring"})
    monitoring, alarm = campaign_alarm(stack, bounces.with_(period=cdk.Duration.hours(1)), 100)
    assert as_said(alarm) == "Sum of AWS/SES Bounce{spring} in 3600 s >= 100, 1 of 1, notBreaching"
    widgets = properties(readable(synthesize(stack)), "AWS::CloudWatch::Dashboard")["DashboardBody"]["widgets"]
    assert widgets[-2]["properties"]["alarms"] == [
        f"${{{logical_id(monitoring.alarms['Spring'].node.default_child)}.Arn}}"
    ]
    assert widgets[-1]["properties"]["title"] == "Bounce"


def an_alarm(
    stack: cdk.Stack, metric: cloudwatch.Metric | cloudwatch.MathExpression, threshold: float, **options: Any
) -> Json:
    monitoring = EventMonitoring(stack, "Monitoring", archive=an_archive_once(stack), dashboard=False)
    monitoring.add_alarm("Mine", metric, threshold=threshold, **options)
    return properties_by_name(monitoring)["Mine"]


BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def test_a_rate_of_deliveries_is_told_of_when_it_is_small(stack: cdk.Stack) -> None:
    alarm = an_alarm(stack, CAMPAIGNS.rate(EmailSendingEvent.DELIVERY, SPRING), 0.95, comparison=BELOW)
    assert as_said(alarm).endswith(" < 0.95, 1 of 1, notBreaching")
    for deliveries, sends, expected in [
        (94, 100, "ALARM"),
        (None, 100, "ALARM"),
        (95, 100, "OK"),
        (0, 99, "OK"),  # too little mail to say anything
        (None, None, "OK"),
    ]:
        assert state(alarm, {"Delivery{spring}": [deliveries], "Send{spring}": [sends]}) == expected
    assert alarm["AlarmDescription"] == "Delivery / Send (campaign spring) was less than 95 % in 1 hour."


def test_mail_that_is_not_sent_is_too_little_mail(stack: cdk.Stack) -> None:
    sends = CAMPAIGNS.metric(EmailSendingEvent.SEND, SPRING).with_(period=A_DAY)
    at_most = cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD
    alarm = an_alarm(stack, sends, 100, comparison=at_most)
    assert as_said(alarm) == "Sum of AWS/SES Send{spring} in 86400 s <= 100, 1 of 1, breaching"
    assert {sent: state(alarm, {"Send{spring}": [sent]}) for sent in (101, 100, None)} == {
        101: "OK",
        100: "ALARM",
        None: "ALARM",
    }


def test_no_data_of_what_is_no_count_is_not_too_little(stack: cdk.Stack) -> None:
    alarm = an_alarm(stack, an_archive_once(stack).metric_delivery_success(), 1, comparison=BELOW)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("metric", "threshold", "description"),
    [
        (
            CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING),
            1_000_000,
            "Sum of Bounce (campaign spring) was at least 1000000 in 5 minutes.",
        ),
        (
            CAMPAIGNS.rate(EmailSendingEvent.COMPLAINT, SPRING, period=A_DAY),
            0.001,
            "Complaint / Delivery (campaign spring) was at least 0.1 % in 1 day.",
        ),
        (
            cloudwatch.MathExpression(
                expression="m / 2", using_metrics={"m": CAMPAIGNS.metric(EmailSendingEvent.SEND, SPRING)}, label="half"
            ),
            1.5,
            "half was at least 1.5 in 5 minutes.",
        ),
    ],
)
def test_an_alarm_without_a_description_says_what_it_is_about(
    stack: cdk.Stack, metric: cloudwatch.Metric | cloudwatch.MathExpression, threshold: float, description: str
) -> None:
    assert an_alarm(stack, metric, threshold)["AlarmDescription"] == description


def test_a_threshold_that_is_known_at_deployment_is_not_described(stack: cdk.Stack) -> None:
    most = cdk.CfnParameter(stack, "Most", type="Number").value_as_number
    alarm = an_alarm(stack, CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING), most)
    assert alarm["AlarmDescription"] == "Sum of Bounce (campaign spring) was at least its threshold in 5 minutes."


DELIVERIES = CAMPAIGNS.rate(EmailSendingEvent.DELIVERY, SPRING)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            {"threshold": 0.95},
            "comparison is missing, and by default the alarm rings when many deliveries succeed; use "
            "cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD",
        ),
        (
            {"threshold": 1, "comparison": cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD},
            "threshold 1 is not below any rate, so the alarm never ends; use a smaller fraction such as 0.9",
        ),
        (
            {"threshold": 0.9, "comparison": cloudwatch.ComparisonOperator.LESS_THAN_LOWER_THRESHOLD},
            "comparison LESS_THAN_LOWER_THRESHOLD is for anomaly detection, which these alarms do not use; use one "
            "such as cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD",
        ),
        (
            {"threshold": 0.9, "comparison": "<"},
            "comparison '<' is of type str; use cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD",
        ),
    ],
)
def test_a_comparison_that_says_nothing_is_refused(stack: cdk.Stack, options: dict[str, Any], error: str) -> None:
    monitoring = EventMonitoring(stack, "Monitoring", archive=an_archive(stack), dashboard=False)
    with pytest.raises((TypeError, ValueError)) as caught:
        monitoring.add_alarm("Spring", DELIVERIES, **options)
    assert str(caught.value) == f"Mail/Monitoring/Spring: {error}"


OPENS = EmailSendingEvent.OPEN
DEAD = {"ses-events:alarm-without-data"}


@pytest.mark.parametrize(
    ("metric", "published", "expected"),
    [
        (CAMPAIGNS.metric(OPENS, SPRING), UNTOUCHED_MAIL, DEAD),
        (CAMPAIGNS.metric(OPENS, SPRING), [OPENS], set()),
        (CAMPAIGNS.rate(OPENS, SPRING), UNTOUCHED_MAIL, DEAD),
        (CAMPAIGNS.rate(OPENS, SPRING), [OPENS], DEAD),  # without the deliveries that it is a share of
        (CAMPAIGNS.rate(OPENS, SPRING), [OPENS, EmailSendingEvent.DELIVERY], set()),
        (by("team").metric(OPENS, {"team": "news"}), UNTOUCHED_MAIL, set()),  # of whom, is not known here
        (OF_THE_SET.metric(OPENS, {"ses:configuration-set": "another"}), UNTOUCHED_MAIL, set()),
    ],
)
def test_an_alarm_on_what_is_not_published_is_warned_of(
    stack: cdk.Stack,
    metric: cloudwatch.Metric | cloudwatch.MathExpression,
    published: Any,
    expected: set[str],
) -> None:
    publishing = a_set(stack)
    publishing.add_destination("ToMetrics", CAMPAIGNS, events=published)
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, dashboard=False)
    monitoring.add_alarm("Opens", metric, threshold=0.5)
    assert warnings(stack) == expected


def test_a_rate_of_bounces_needs_the_sends_that_it_is_a_share_of(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    publishing.add_destination("ToMetrics", CAMPAIGNS, events=[EmailSendingEvent.BOUNCE])
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, dashboard=False)
    monitoring.add_alarm("Bounces", CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING), threshold=0.05)
    [text] = warning_texts(stack)
    assert (
        "the alarm watches Send by campaign, but that event is not published to the destination that counts by these; "
        "add SEND to the events of add_destination"
    ) in text


def test_an_alarm_on_the_count_of_the_set_is_warned_of_where_it_is_not_counted(stack: cdk.Stack) -> None:
    publishing = a_set(stack, reputation_metrics=True)
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, dashboard=False)
    of_the_set = {"ses:configuration-set": publishing.configuration_set_name}
    monitoring.add_alarm("Sends", OF_THE_SET.metric(EmailSendingEvent.SEND, of_the_set), threshold=1)
    monitoring.add_alarm("Bounces", publishing.metric_bounce_rate(), threshold=0.01)
    assert warnings(stack) == set()
    monitoring.add_alarm("Opens", OF_THE_SET.metric(OPENS, of_the_set), threshold=1)
    assert warnings(stack) == DEAD


@pytest.mark.parametrize("later", [False, True])
def test_an_alarm_of_an_archive_that_sets_share_needs_a_set_that_counts(stack: cdk.Stack, later: bool) -> None:
    archive = EventArchive(stack, "Shared")

    def add_set() -> None:
        a_set(stack).add_destination("ToMetrics", CAMPAIGNS, events=[EmailSendingEvent.SEND])

    if not later:
        add_set()
    monitoring = EventMonitoring(stack, "Monitoring", archive=archive, dashboard=False)
    monitoring.add_alarm("Opens", CAMPAIGNS.metric(OPENS, SPRING), threshold=1)
    monitoring.add_alarm("Sends", CAMPAIGNS.metric(EmailSendingEvent.SEND, SPRING), threshold=1)
    if later:
        add_set()
    [text] = warning_texts(stack)
    assert text.startswith("the alarm watches Open by campaign, but that event is not published")


@pytest.mark.parametrize("later", [False, True])
def test_a_count_that_another_set_shares_has_data_whichever_comes_first(stack: cdk.Stack, later: bool) -> None:
    publishing = a_set(stack)
    publishing.add_destination("ToMetrics", CAMPAIGNS)
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, dashboard=False)
    calls: list[Callable[[], object]] = [
        lambda: EventPublishing(stack, "Other").add_destination("ToMetrics", CAMPAIGNS, events=[OPENS]),
        lambda: monitoring.add_alarm("Opens", CAMPAIGNS.metric(OPENS, SPRING), threshold=1),
    ]
    for call in reversed(calls) if later else calls:
        call()
    assert warnings(stack) == set()


# Wrong arguments.


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"publishing": None}, "publishing and archive are missing, so there is nothing to watch; give one or both"),
        (
            {"bounce_rate": 5},
            "bounce_rate 5 is not above 0 and at most 0.1, where AWS may pause sending; "
            "did you mean 0.05, which is 5 %?",
        ),
        (
            {"complaint_rate": 0.1},
            "complaint_rate 0.1 is not above 0 and at most 0.005, where AWS may pause sending; "
            "did you mean 0.001, which is 0.1 %?",
        ),
        (
            {"bounce_rate": 50},
            "bounce_rate 50 is not above 0 and at most 0.1, where AWS may pause sending; use at most 0.1",
        ),
        (
            {"complaint_rate": 0},
            "complaint_rate 0 is not above 0 and at most 0.005, where AWS may pause sending; use at most 0.005",
        ),
        ({"rejects": 0}, "rejects 0 is out of range; use a whole number from 1"),
        ({"rendering_failures": -1}, "rendering_failures -1 is out of range; use a whole number from 1"),
        (
            {"archive_delay": cdk.Duration.seconds(59)},
            "archive_delay 59 seconds is out of range; use 60-86400 whole seconds",
        ),
        (
            {"quota_share": 80},
            "quota_share 80 is not a fraction above 0 and at most 1; did you mean 0.8, which is 80 %?",
        ),
        pytest.param(
            {"quota_share": 1.0},
            "quota_share 1 hardly ever raises the alarm, as Firehose counts after throttling; use for example 0.8",
            id="a whole quota, which nothing exceeds",
        ),
        (
            {"runbook_url": "https://wiki.example.com/mail#alarms"},
            "runbook_url 'https://wiki.example.com/mail#alarms' has a fragment, but the name of each alarm is added "
            "as one; use what is before the '#'",
        ),
        (
            {"runbook_url": "wiki/mail alarms"},
            "runbook_url 'wiki/mail alarms' is not the address of a page; use one such as "
            "'https://wiki.example.com/mail-alarms'",
        ),
        ({"runbook_url": f"https://{'x' * 193}"}, "runbook_url has 201 characters; use at most 200"),
        ({"quota_share": -1}, "quota_share -1 is not a fraction above 0 and at most 1; use for example 0.8"),
        (
            {"alarm_actions": [actions.Ec2Action(actions.Ec2InstanceAction.STOP)] * 6},
            "alarm_actions has 6 entries; CloudWatch takes at most 5",
        ),
    ],
)
def test_a_wrong_value_is_refused(stack: cdk.Stack, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", **{"publishing": a_set(stack), **arguments})
    assert str(caught.value) == f"Mail/Monitoring: {problem}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"publishing": "events"}, "publishing 'events' is of type str; use an EventPublishing"),
        ({"archive": "events"}, "archive 'events' is of type str; use an EventArchive"),
        ({"analytics": "events"}, "analytics 'events' is of type str; use an EventAnalytics"),
        ({"bounce_rate": "5 %"}, "bounce_rate '5 %' is of type str; use a fraction such as 0.05, which is 5 %"),
        ({"bounce_rate": True}, "bounce_rate 'True' is of type str; use a fraction such as 0.05, which is 5 %"),
        (
            {"complaint_rate": "0.001"},
            "complaint_rate '0.001' is of type str; use a fraction such as 0.0025, which is 0.25 %",
        ),
        ({"rejects": 1.5}, "rejects 1.5 is of type float; use a whole number such as 100"),
        ({"quota_share": None}, "quota_share None is of type NoneType; use a fraction such as 0.8, which is 80 %"),
        ({"archive_delay": 900}, "archive_delay 900 is of type int; use cdk.Duration.seconds(300)"),
        (
            {"bounce_rate": float("nan")},
            "bounce_rate nan is not finite; use a fraction such as 0.05, which is 5 %",
        ),
        (
            {"quota_share": float("inf")},
            "quota_share inf is not finite; use a fraction such as 0.8, which is 80 %",
        ),
        ({"rejects": float("nan")}, "rejects nan is of type float; use a whole number such as 100"),
        (
            {"rendering_failures": float("inf")},
            "rendering_failures inf is of type float; use a whole number such as 100",
        ),
        (
            {"runbook_url": 5},
            "runbook_url 5 is of type int; use a string such as 'https://wiki.example.com/mail-alarms'",
        ),
        ({"dashboard": "yes"}, "dashboard 'yes' is of type str; use True or False"),
        ({"count_events": "yes"}, "count_events 'yes' is of type str; use True or False"),
        ({"account_reputation": "yes"}, "account_reputation 'yes' is of type str; use True or False"),
        (
            {"alarm_actions": ["arn:aws:sns:us-east-1:111122223333:on-call"]},
            "alarm_actions[0] 'arn:aws:sns:us-east-1:111122223333:on-call' is of type str; "
            "use a topic, or an action such as cloudwatch_actions.LambdaAction(function)",
        ),
    ],
)
def test_a_wrong_type_is_refused(stack: cdk.Stack, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(TypeError) as caught:
        EventMonitoring(stack, "Monitoring", **{"publishing": a_set(stack), **arguments})
    assert str(caught.value) == f"Mail/Monitoring: {problem}"


@pytest.mark.parametrize("argument", ["alarm_actions", "ok_actions"])
def test_a_topic_or_an_action_in_place_of_a_list_is_refused(stack: cdk.Stack, argument: str) -> None:
    topic = sns.Topic(stack, "OnCall")
    for given, kind in ((topic, "Topic"), (actions.SnsAction(topic), "SnsAction")):
        wrong: dict[str, Any] = {argument: given}
        with pytest.raises(TypeError) as caught:
            EventMonitoring(stack, "Monitoring", archive=an_archive_once(stack), **wrong)
        assert str(caught.value).endswith(f"is of type {kind}; use a list such as [topic]")


def test_an_event_destination_is_no_alarm_action(stack: cdk.Stack) -> None:
    wrong: Any = SnsDestination(sns.Topic(stack, "OnCall"))
    with pytest.raises(TypeError) as caught:
        EventMonitoring(stack, "Monitoring", archive=an_archive(stack), alarm_actions=[wrong])
    assert re.fullmatch(
        r"Mail/Monitoring: alarm_actions\[0\] <.*> is of type SnsDestination; "
        r"use a topic, or an action such as cloudwatch_actions\.LambdaAction\(function\)",
        str(caught.value),
    )


def test_an_alarm_action_may_be_of_ones_own(stack: cdk.Stack) -> None:
    @jsii.implements(cloudwatch.IAlarmAction)
    class Wake:
        def bind(self, scope: Any, alarm: Any) -> cloudwatch.AlarmActionConfig:
            return cloudwatch.AlarmActionConfig(alarm_action_arn="arn:aws:sns:us-east-1:111122223333:on-call")

    EventMonitoring(stack, "Monitoring", archive=an_archive(stack), alarm_actions=[Wake()])
    alarms = resources(synthesize(stack), "AWS::CloudWatch::Alarm").values()
    assert all(alarm["Properties"]["AlarmActions"] for alarm in alarms)


def test_queries_of_another_region_are_refused() -> None:
    app = new_app()
    here, there = (
        cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=region))
        for name, region in (("Here", "us-east-1"), ("There", "eu-west-1"))
    )
    analytics = EventAnalytics(there, "Analytics", archive=an_archive(there))
    with pytest.raises(ValueError) as caught:
        EventMonitoring(here, "Monitoring", archive=an_archive(here), analytics=analytics)
    assert str(caught.value) == (
        "Here/Monitoring: analytics is in eu-west-1, this stack in us-east-1; use one of this region"
    )


@pytest.mark.parametrize("delay", [60, 300])
def test_a_delay_that_every_event_has_is_refused(stack: cdk.Stack, delay: int) -> None:
    archive = an_archive(stack)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", archive=archive, archive_delay=cdk.Duration.seconds(delay))
    assert str(caught.value) == (
        f"Mail/Monitoring: archive_delay {delay} seconds is not above the buffering interval of the archive, 300 "
        "seconds, which every event waits for; use three times as much"
    )
    EventMonitoring(stack, "Monitoring", archive=archive, archive_delay=cdk.Duration.seconds(301))


def an_archive_once(stack: cdk.Stack) -> Any:
    return stack.node.try_find_child("Archive") or an_archive(stack)


def test_all_problems_are_said_at_once(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", bounce_rate=5, complaint_rate=5, rejects=0)
    assert len(str(caught.value).splitlines()) == 4


def test_a_full_set_has_no_room_for_the_count(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    for number in range(10):
        publishing.add_destination(f"To{number}", CAMPAIGNS)
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", publishing=publishing)
    assert str(caught.value) == (
        "Mail/Monitoring: count_events needs an event destination, but the configuration set already has 10; leave "
        "one out, or use count_events=False and do without the alarm silent_archive"
    )
    EventMonitoring(stack, "Monitoring", publishing=publishing, count_events=False)


def test_a_threshold_that_is_known_at_deployment_passes(stack: cdk.Stack) -> None:
    rate = cdk.CfnParameter(stack, "Rate", type="Number", default=0.05).value_as_number
    monitoring = EventMonitoring(stack, "Monitoring", publishing=a_set(stack), bounce_rate=rate, dashboard=False)
    made = properties_by_name(monitoring)
    assert made["account_bounce_rate"]["Threshold"] == "${Rate}"
    assert "has reached its threshold" in made["account_bounce_rate"]["AlarmDescription"]


def test_a_number_of_mails_that_is_known_at_deployment_passes(stack: cdk.Stack) -> None:
    rejects: Any = cdk.CfnParameter(stack, "Rejects", type="Number", default=1).value_as_number
    publishing = EventPublishing(stack, "Events")
    monitoring = EventMonitoring(stack, "Monitoring", publishing=publishing, rejects=rejects, dashboard=False)
    assert properties_by_name(monitoring)["rejects"]["Threshold"] == "${Rejects}"
    with pytest.raises(
        ValueError, match="minimum is known at deployment only, but metric math needs the number at synth; "
    ):
        CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING, minimum=rejects)


def test_a_delay_that_is_known_at_deployment_passes(stack: cdk.Stack) -> None:
    delay = cdk.Duration.seconds(cdk.CfnParameter(stack, "Delay", type="Number", default=900).value_as_number)
    archive = EventArchive(stack, "Archive", format=ParquetFormat())
    monitoring = EventMonitoring(stack, "Monitoring", archive=archive, archive_delay=delay, dashboard=False)
    made = properties_by_name(monitoring)
    for alarm in ("data_freshness", "backup_freshness"):
        assert made[alarm]["Threshold"] == "${Delay}"
        assert "the oldest for more than its threshold." in made[alarm]["AlarmDescription"]


def test_the_delay_of_an_interval_that_is_known_at_deployment_fits_the_longest(stack: cdk.Stack) -> None:
    interval = cdk.Duration.seconds(cdk.CfnParameter(stack, "Interval", type="Number", default=900).value_as_number)
    archive = EventArchive(stack, "Archive", buffering_interval=interval)
    made = properties_by_name(EventMonitoring(stack, "Monitoring", archive=archive))
    assert made["data_freshness"]["Threshold"] == 2700


def sum_of(number: int) -> cloudwatch.MathExpression:
    """Metric math about so many metrics."""
    metrics: dict[str, cloudwatch.IMetric] = {
        f"m{each}": cloudwatch.Metric(namespace="Mine", metric_name=f"Mails{each}") for each in range(number)
    }
    return cloudwatch.MathExpression(expression=" + ".join(metrics), using_metrics=metrics)


BAND = cloudwatch.MathExpression(
    expression="ANOMALY_DETECTION_BAND(m, 2)",
    using_metrics={"m": cloudwatch.Metric(namespace="Mine", metric_name="Mails")},
)
SEARCH = cloudwatch.MathExpression(expression="""SEARCH('{AWS/SES,campaign} MetricName="Bounce"', 'Sum')""")
SEARCHED = cloudwatch.SearchExpression(expression=SEARCH.expression)


def sum_over(found: cloudwatch.IMetric) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(expression="SUM(found)", using_metrics={"found": found})


@pytest.mark.parametrize(
    ("construct_id", "metric", "threshold", "error"),
    [
        ("Spring", SEARCH, 1, "metric has SEARCH, on which CloudWatch allows no alarm; use campaigns.metric(...) for"),
        ("Spring", sum_over(SEARCH), 1, "metric has SEARCH, on which CloudWatch allows no alarm; use campaigns.metric"),
        (
            "Spring",
            sum_over(SEARCHED),
            1,
            "metric has SEARCH, on which CloudWatch allows no alarm; use campaigns.metri",
        ),
        (
            "Spring",
            BAND,
            1,
            "metric has ANOMALY_DETECTION_BAND, which these alarms cannot compare with; use a threshold",
        ),
        ("Spring", sum_of(11), 1, "metric is about 11 metrics; CloudWatch takes at most 10 in an alarm"),
        (
            "Spring",
            CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING),
            5,
            "threshold 5 is not a fraction above 0 and at most 1; did you mean 0.05, which is 5 %?",
        ),
        ("Throttled", CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING), 5, "construct_id 'Throttled' is taken"),
        ("throttled", CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING), 5, "construct_id 'throttled' is taken"),
        ("Spring", CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING), "5", "threshold '5' is of type str"),
        ("Spring", "Bounce", 5, "metric 'Bounce' is of type str; use a metric such as campaigns.metric(...) gives"),
    ],
)
def test_a_wrong_alarm_of_ones_own_is_refused(
    stack: cdk.Stack, construct_id: str, metric: Any, threshold: Any, error: str
) -> None:
    monitoring = EventMonitoring(stack, "Monitoring", archive=an_archive(stack))
    with pytest.raises((TypeError, ValueError)) as caught:
        monitoring.add_alarm(construct_id, metric, threshold=threshold)
    assert str(caught.value).startswith(f"Mail/Monitoring/{construct_id}: {error}")


def test_an_alarm_may_be_about_ten_metrics(stack: cdk.Stack) -> None:
    monitoring = EventMonitoring(stack, "Monitoring", archive=an_archive(stack))
    ten = sum_of(10)
    twice = cloudwatch.MathExpression(expression="a - b", using_metrics={"a": ten, "b": sum_of(10)})
    assert monitoring.add_alarm("Ten", ten, threshold=1) and monitoring.add_alarm("Twice", twice, threshold=1)


def test_a_description_may_be_long_and_not_longer(stack: cdk.Stack) -> None:
    monitoring = EventMonitoring(stack, "Monitoring", archive=an_archive(stack))
    metric = CAMPAIGNS.metric(EmailSendingEvent.BOUNCE, SPRING)
    monitoring.add_alarm("Long", metric, threshold=1, description="x" * 1024)
    with pytest.raises(ValueError, match="description has 1025 characters; use at most 1024"):
        monitoring.add_alarm("Longer", metric, threshold=1, description="x" * 1025)


@pytest.mark.parametrize("event", [EmailSendingEvent.SEND, EmailSendingEvent.SUBSCRIPTION])
def test_an_event_that_is_no_share_of_mail_has_no_rate(event: EmailSendingEvent) -> None:
    with pytest.raises(
        ValueError, match=f"CloudWatchDestination.rate: event {event.name} is not counted as a share of mail; use"
    ):
        CAMPAIGNS.rate(event, SPRING)


def test_a_rate_has_the_dimensions_of_its_destination_and_a_minimum() -> None:
    with pytest.raises(ValueError, match="dimensions lacks 'campaign'"):
        CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, {})
    with pytest.raises(ValueError, match="minimum 0 is out of range; use a whole number from 1"):
        CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING, minimum=0)
    endless: Any = float("inf")
    with pytest.raises(TypeError, match="minimum inf is of type float; use a whole number such as 100"):
        CAMPAIGNS.rate(EmailSendingEvent.BOUNCE, SPRING, minimum=endless)


def test_a_wrong_event_is_named_as_the_argument_that_it_is(stack: cdk.Stack) -> None:
    wrong: Any = "bounce"
    for call, *others in (CAMPAIGNS.rate, SPRING), (CAMPAIGNS.metric, SPRING), (a_set(stack).metric_account,):
        with pytest.raises(TypeError, match=r": event 'bounce' is of type str; use ses\.EmailSendingEvent\.BOUNCE"):
            call(wrong, *others)


# The metrics of the constructs.


def test_the_metrics_of_an_archive(stack: cdk.Stack) -> None:
    archive = an_archive(stack)
    methods = [name for name in dir(EventArchive) if name.startswith("metric_")]
    made = {name: getattr(archive, name)() for name in methods}
    assert {name: (metric.statistic, metric.metric_name) for name, metric in made.items()} == {
        "metric_backup_freshness": ("Maximum", "BackupToS3.DataFreshness"),
        "metric_backup_success": ("Average", "BackupToS3.Success"),
        "metric_bytes_per_second_limit": ("Average", "BytesPerSecondLimit"),
        "metric_data_freshness": ("Maximum", "DeliveryToS3.DataFreshness"),
        "metric_delivery_success": ("Average", "DeliveryToS3.Success"),
        "metric_failed_conversion_records": ("Sum", "FailedConversion.Records"),
        "metric_incoming_bytes": ("Sum", "IncomingBytes"),
        "metric_incoming_put_requests": ("Sum", "IncomingPutRequests"),
        "metric_incoming_records": ("Sum", "IncomingRecords"),
        "metric_key_access_denied": ("Sum", "KMSKeyAccessDenied"),
        "metric_key_disabled": ("Sum", "KMSKeyDisabled"),
        "metric_key_invalid_state": ("Sum", "KMSKeyInvalidState"),
        "metric_key_not_found": ("Sum", "KMSKeyNotFound"),
        "metric_put_requests_per_second_limit": ("Average", "PutRequestsPerSecondLimit"),
        "metric_records_per_second_limit": ("Average", "RecordsPerSecondLimit"),
        "metric_throttled_records": ("Sum", "ThrottledRecords"),
    }
    assert {metric.namespace for metric in made.values()} == {"AWS/Firehose"}
    assert {str(metric.dimensions) for metric in made.values()} == {f"{{'DeliveryStreamName': '{STREAM}'}}"}


def test_a_metric_knows_its_region(stack: cdk.Stack) -> None:
    app = new_app()
    here, there, same = (
        cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=region))
        for name, region in (("Here", "eu-west-1"), ("There", "us-east-1"), ("Same", "us-east-1"))
    )
    archive, publishing = an_archive(there), a_set(there, reputation_metrics=True)
    metrics = [
        archive.metric_incoming_records(),
        publishing.metric_bounce_rate(),
        publishing.metric_account_bounce_rate(),
        publishing.metric_account_complaint_rate(),
        publishing.metric_account(EmailSendingEvent.SEND),
    ]
    assert {(each.account, each.region) for each in metrics} == {("111122223333", "us-east-1")}
    assert not an_archive(stack).metric_incoming_records().region  # known at deployment only
    graph = [[cloudwatch.GraphWidget(left=metrics)]]
    cloudwatch.Dashboard(here, "Mine", widgets=graph)
    cloudwatch.Dashboard(same, "Mine", widgets=graph)
    shown, of_the_same = (
        properties(readable(synthesize(each)), "AWS::CloudWatch::Dashboard")["DashboardBody"]["widgets"][0]
        for each in (here, same)
    )
    assert [each[-1].get("region") for each in shown["properties"]["metrics"]] == ["us-east-1"] * 5
    assert "us-east-1" not in str(of_the_same) and "111122223333" not in str(of_the_same)


def test_an_alarm_on_a_metric_of_another_region_is_refused() -> None:
    app = new_app()
    here, there = (
        cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=region))
        for name, region in (("Here", "eu-west-1"), ("There", "us-east-1"))
    )
    monitoring = EventMonitoring(here, "Monitoring", archive=an_archive(here))
    records = an_archive(there).metric_incoming_records()
    per_second = cloudwatch.MathExpression(expression="m / PERIOD(m)", using_metrics={"m": records})
    for metric in (records, per_second):
        with pytest.raises(ValueError) as caught:
            monitoring.add_alarm("Records", metric, threshold=1)
        assert str(caught.value) == (
            "Here/Monitoring/Records: metric is in us-east-1, this stack in eu-west-1; use one of this region, or make "
            "an EventMonitoring there"
        )


def test_a_destination_counts_in_the_region_of_the_sets_that_publish_to_it() -> None:
    app = new_app()
    here, there, same = (
        cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=region))
        for name, region in (("Here", "eu-west-1"), ("There", "us-east-1"), ("Same", "us-east-1"))
    )
    campaigns = CloudWatchDestination.by_tag("campaign")
    for number in (1, 2):
        EventPublishing(there, f"Set{number}").add_destination("ToMetrics", campaigns)
    spring = {"campaign": "spring"}
    bounces = campaigns.metric(EmailSendingEvent.BOUNCE, spring)
    rate = campaigns.rate(EmailSendingEvent.BOUNCE, spring)
    graph = [[cloudwatch.GraphWidget(left=[bounces, rate])]]
    cloudwatch.Dashboard(here, "Mine", widgets=graph)
    cloudwatch.Dashboard(same, "Mine", widgets=graph)
    for each in (there, same):
        monitoring = EventMonitoring(each, "Monitoring", archive=an_archive(each))
        monitoring.add_alarm("Bounces", bounces, threshold=10)
        monitoring.add_alarm("BounceRate", rate, threshold=0.1)
    elsewhere = EventMonitoring(here, "Monitoring", archive=an_archive(here))
    for metric in (bounces, rate):
        with pytest.raises(ValueError, match="metric is in us-east-1, this stack in eu-west-1; use one of this region"):
            elsewhere.add_alarm("Bounces", metric, threshold=0.1)
    of_here, of_there, of_the_same = (synthesize(each)["Resources"] for each in (here, there, same))
    shown = readable({"Resources": {name: each for name, each in of_here.items() if name.startswith("Mine")}})
    [graph_there] = properties(shown, "AWS::CloudWatch::Dashboard")["DashboardBody"]["widgets"]
    regions = [each[-1].get("region") for each in graph_there["properties"]["metrics"] if each[0] == "AWS/SES"]
    assert regions == ["us-east-1"] * 3
    own = [resource for name, resource in (of_there | of_the_same).items() if name.startswith(("Mine", "Monitoring"))]
    for resource in own:  # as of a metric that knows no region
        assert "us-east-1" not in str(resource) and "AccountId'" not in str(resource)


def test_a_graph_compares_the_rates_of_two_regions() -> None:
    app, rates = new_app(), []
    for region in ("eu-west-1", "us-east-1"):
        stack = cdk.Stack(app, region, env=cdk.Environment(account="111122223333", region=region))
        campaigns = CloudWatchDestination.by_tag("campaign")
        EventPublishing(stack, "Events").add_destination("ToMetrics", campaigns)
        rates.append(campaigns.rate(EmailSendingEvent.BOUNCE, {"campaign": "spring"}))
    cloudwatch.Dashboard(stack, "Both", widgets=[[cloudwatch.GraphWidget(left=rates)]])
    template = readable(synthesize(stack))
    [graph] = properties(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]["widgets"]
    regions = [each[-1].get("region") for each in graph["properties"]["metrics"] if each[0] == "AWS/SES"]
    assert regions == ["eu-west-1"] * 2 + [None] * 2


@pytest.mark.parametrize(
    "envs",
    [
        [],
        [None],
        [cdk.Environment(account="111122223333", region=region) for region in ("eu-west-1", "us-east-1")],
    ],
    ids=["before any set", "known at deployment only", "two regions"],
)
def test_a_destination_of_no_one_known_region_counts_wherever_it_is_asked(envs: list[cdk.Environment | None]) -> None:
    app, campaigns = new_app(), CloudWatchDestination.by_tag("campaign")
    for number, env in enumerate(envs):
        publishing = EventPublishing(cdk.Stack(app, f"Mail{number}", env=env), "Events")
        publishing.add_destination("ToMetrics", campaigns)
    metric = campaigns.metric(EmailSendingEvent.BOUNCE, {"campaign": "spring"})
    assert not metric.account and not metric.region


def test_any_metric_of_an_archive_is_a_metric_of_cdk(stack: cdk.Stack) -> None:
    metric = an_archive(stack).metric("DeliveryToS3.Bytes").with_(period=cdk.Duration.minutes(1))
    assert (metric.metric_name, metric.statistic, metric.period.to_seconds()) == ("DeliveryToS3.Bytes", "Sum", 60)
    with pytest.raises(TypeError, match="metric_name 5 is of type int; use a string such as"):
        an_archive_once(stack).metric(5)


def test_the_account_counts_without_an_event_destination(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    assert publishing.metric_account(EmailSendingEvent.OPEN).metric_name == "Open"
    assert publishing.metric_account(EmailSendingEvent.RENDERING_FAILURE).metric_name == "RenderingFailure"
    for event in (EmailSendingEvent.SUBSCRIPTION, EmailSendingEvent.DELIVERY_DELAY):
        with pytest.raises(ValueError, match=f"event {event.name} is counted for event destinations only"):
            publishing.metric_account(event)


def test_a_set_knows_what_it_publishes_where(stack: cdk.Stack) -> None:
    publishing = a_set(stack)
    publishing.add_destination("ToMetrics", CAMPAIGNS, name="metrics")
    publishing.add_destination("ToBus", EventBridgeDestination(), enabled=False)
    metrics, bus = publishing.destinations
    assert (metrics.name, metrics.destination, metrics.events) == ("metrics", CAMPAIGNS, frozenset(UNTOUCHED_MAIL))
    assert (bus.name, bus.events) == (None, frozenset())
    same = EventPublishing(stack, "Same", configuration_set=publishing.configuration_set)
    assert same.destinations == publishing.destinations


def test_the_queries_of_another_archive_are_refused(stack: cdk.Stack) -> None:
    archive, other = EventArchive(stack, "Archive"), EventArchive(stack, "Other")
    analytics = EventAnalytics(stack, "Analytics", archive=other)
    wanted = "analytics reads the archive 'Mail/Other'; give the EventAnalytics of 'Mail/Archive'"
    with pytest.raises(ValueError, match=wanted):
        EventMonitoring(stack, "Monitoring", archive=archive, analytics=analytics)
