from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.aws_ses import CloudWatchDimension, CloudWatchDimensionSource, EmailSendingEvent
from syrupy.assertion import SnapshotAssertion

from ses_events import SesEventsStack
from tests.support.templates import (
    actions,
    logical_id,
    new_app,
    properties,
    readable,
    resources,
    synthesize,
    waits_for,
    warnings,
)


def test_the_reference_stack(recommended_flags: dict[str, Any], snapshot_json: SnapshotAssertion) -> None:
    template = readable(synthesize(SesEventsStack(new_app(**recommended_flags), "SesEvents")))
    for resource in template["Resources"].values():
        for statement in {"QueryString", "QueryStatement"} & set(resource["Properties"]):
            # the rest of a query is reviewed where it is written
            resource["Properties"][statement] = resource["Properties"][statement].partition("\n")[0]
        if view := resource["Properties"].get("TableInput", {}).get("ViewOriginalText"):
            resource["Properties"]["TableInput"]["ViewOriginalText"] = view.partition("{")[0]
    assert template == snapshot_json, "run make snapshots, and read what changed"


def test_every_setting_reaches_its_part(recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(
        new_app(**recommended_flags),
        "SesEvents",
        configuration_set_name="newsletter",
        dimension=CloudWatchDimension(
            name="X-Brand", default_value="none", source=CloudWatchDimensionSource.EMAIL_HEADER
        ),
        events=[EmailSendingEvent.BOUNCE],
        prefix="mail/!{timestamp:yyyy-MM-dd}/",
        buffering_interval=cdk.Duration.minutes(1),
        expiration=cdk.Duration.days(90),
        alarm_topic_arn="arn:aws:sns:us-east-1:111122223333:on-call",
        description="Mail of the newsletter",
    )
    template = synthesize(stack)
    destinations = [
        d["Properties"]["EventDestination"]
        for d in resources(template, "AWS::SES::ConfigurationSetEventDestination").values()
    ]
    archive = properties(template, "AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    bucket = template["Resources"][logical_id(stack.archive.bucket.node.default_child)]
    lifecycle = bucket["Properties"]["LifecycleConfiguration"]["Rules"][0]
    assert template["Description"] == "Mail of the newsletter"
    assert properties(template, "AWS::SES::ConfigurationSet")["Name"] == "newsletter"
    assert [d["MatchingEventTypes"] for d in destinations[:2]] == [["bounce"], ["bounce"]]
    assert destinations[1]["CloudWatchDestination"]["DimensionConfigurations"] == [
        {"DimensionName": "X-Brand", "DefaultDimensionValue": "none", "DimensionValueSource": "emailHeader"}
    ]
    assert (archive["Prefix"], archive["BufferingHints"]["IntervalInSeconds"]) == (
        "mail/!{timestamp:yyyy-MM-dd}/",
        60,
    )
    assert lifecycle["ExpirationInDays"] == 90
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    told = ["arn:aws:sns:us-east-1:111122223333:on-call"]
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == told for alarm in alarms)


def test_a_topic_of_another_region_is_refused() -> None:
    settings: dict[str, Any] = {
        "env": cdk.Environment(region="eu-west-1"),
        "alarm_topic_arn": "arn:aws:sns:us-east-1:111122223333:on-call",
    }
    message = "Mail: alarm_topic_arn is in us-east-1, this stack in eu-west-1; use one of this region"
    with pytest.raises(ValueError, match=f"^{message}$"):
        SesEventsStack(new_app(), "Mail", **settings)


@pytest.mark.parametrize(
    ("source", "grouped_by"),
    [
        (CloudWatchDimensionSource.MESSAGE_TAG, "brand"),
        (CloudWatchDimensionSource.EMAIL_HEADER, "campaign"),
        (CloudWatchDimensionSource.LINK_TAG, "campaign"),
    ],
)
def test_queries_group_by_a_message_tag(source: CloudWatchDimensionSource, grouped_by: str) -> None:
    dimension = CloudWatchDimension(name="brand", default_value="none", source=source)
    stack = SesEventsStack(new_app(), "SesEvents", dimension=dimension)
    assert stack.analytics
    query = stack.analytics.named_queries["daily_rates"].query_string
    assert f"element_at(element_at(e.mail.tags, '{grouped_by}'), 1)" in query


def test_a_prefix_that_cannot_be_queried_is_refused_unless_analytics_are_off() -> None:
    with pytest.raises(ValueError) as caught:
        SesEventsStack(new_app(), "SesEvents", prefix="mail-!{timestamp:HH}/")
    assert str(caught.value) == (
        "SesEvents/Analytics: archive.prefix 'mail-!{timestamp:HH}/' has no folder for each day, as a table needs; "
        "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'"
    )
    assert SesEventsStack(new_app(), "SesEvents", prefix="mail-!{timestamp:HH}/", analytics=False).analytics is None


def test_the_reference_stack_is_told_of_a_silent_archive_unless_it_is_not_watched(
    recommended_flags: dict[str, Any],
) -> None:
    watched, not_watched = (
        SesEventsStack(new_app(**recommended_flags), "SesEvents", monitoring=monitoring) for monitoring in (True, False)
    )
    assert watched.monitoring and watched.monitoring.silent_archive and watched.monitoring.bounce_rate
    assert not_watched.monitoring is None
    types = {resource["Type"] for resource in synthesize(not_watched)["Resources"].values()}
    assert not [each for each in types if each.startswith("AWS::CloudWatch")]
    assert len(not_watched.publishing.destinations) == 2


def test_the_outputs_name_what_a_sender_and_a_reader_need(recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(new_app(**recommended_flags), "SesEvents")
    assert stack.analytics
    outputs = {name: output["Value"] for name, output in readable(synthesize(stack))["Outputs"].items()}
    assert (outputs.pop("DatabaseName"), outputs.pop("TableName")) == (stack.analytics.database_name, "events")
    assert outputs == {
        output: f"${{{logical_id(resource)}}}"
        for output, resource in {
            "ConfigurationSetName": stack.publishing.configuration_set,
            "BucketName": stack.archive.bucket.node.default_child,
            "DeliveryStreamName": stack.archive.delivery_stream,
            "WorkGroupName": stack.analytics.workgroup,
        }.items()
    }


def test_without_analytics_and_monitoring_nothing_of_them_is_there(recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(new_app(**recommended_flags), "SesEvents", analytics=False, monitoring=False, prefix="mail/")
    template = synthesize(stack)
    assert stack.analytics is None
    assert len(template["Resources"]) == 10
    assert set(template["Outputs"]) == {"ConfigurationSetName", "BucketName", "DeliveryStreamName"}


@pytest.mark.parametrize(
    ("dimension", "problem"),
    [
        (
            "brand",
            "dimension 'brand' is of type str; use ses.CloudWatchDimension(name=..., default_value=..., source=...)",
        ),
        (
            CloudWatchDimension(name="my tag", default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG),
            "dimension.name 'my tag' has a space",
        ),
    ],
)
def test_a_wrong_dimension_is_refused_by_the_name_of_the_argument(dimension: Any, problem: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        SesEventsStack(new_app(), "SesEvents", dimension=dimension)
    assert str(caught.value).startswith(f"SesEvents: {problem}") and "\n" not in str(caught.value)


def test_the_queries_group_by_the_dimension_of_the_metrics(recommended_flags: dict[str, Any]) -> None:
    brand = CloudWatchDimension(name="brand", default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG)
    template = synthesize(SesEventsStack(new_app(**recommended_flags), "SesEvents", dimension=brand))
    queries = [query["Properties"]["QueryString"] for query in resources(template, "AWS::Athena::NamedQuery").values()]
    assert [query for query in queries if "'campaign'" in query] == []
    assert [query for query in queries if "'brand'" in query]


def test_no_policy_has_a_wildcard_action_or_any_resource(recommended_flags: dict[str, Any]) -> None:
    template = readable(synthesize(SesEventsStack(new_app(**recommended_flags), "SesEvents")))
    documents = [
        policy["PolicyDocument"]
        for role in resources(template, "AWS::IAM::Role").values()
        for policy in role["Properties"]["Policies"]
    ]
    assert len(documents) == 2
    assert not resources(template, "AWS::IAM::Policy")
    assert not [action for document in documents for action in actions(document) if "*" in action]
    assert not [s for document in documents for s in document["Statement"] if s["Resource"] == "*"]


def test_nothing_runs_code_at_deployment(recommended_flags: dict[str, Any]) -> None:
    app = new_app(**recommended_flags)
    template = synthesize(SesEventsStack(app, "SesEvents"))
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert not [t for t in types if t.startswith(("AWS::Lambda", "AWS::CloudFormation::CustomResource", "Custom::"))]
    assert [asset.path for asset in app.synth().get_stack_by_name("SesEvents").assets] == []


def test_the_last_destination_waits_for_everything_before_it(recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(new_app(**recommended_flags), "SesEvents")
    template = synthesize(stack)
    archive, metrics, monitoring = resources(template, "AWS::SES::ConfigurationSetEventDestination")
    assert waits_for(template, monitoring, metrics)
    assert waits_for(template, metrics, archive)
    assert waits_for(template, archive, logical_id(stack.archive.delivery_stream))


@pytest.mark.parametrize("flags", ["no flags", "all flags"])
def test_it_works_with_no_feature_flag_and_with_all(flags: str, recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(new_app(**(recommended_flags if flags == "all flags" else {})), "SesEvents")
    synthesize(stack)
    assert warnings(stack) == set()


@pytest.mark.parametrize("region", ["us-gov-west-1", "eu-central-1"])
def test_it_deploys_to_any_partition(region: str, recommended_flags: dict[str, Any]) -> None:
    pinned = SesEventsStack(
        new_app(**recommended_flags), "SesEvents", env=cdk.Environment(account="111122223333", region=region)
    )
    agnostic = SesEventsStack(new_app(**recommended_flags), "SesEvents")
    partition = "aws-us-gov" if region.startswith("us-gov") else "aws"
    expected = (
        str(readable(synthesize(agnostic)))
        .replace("${AWS::Partition}", partition)
        .replace("${AWS::Region}", region)
        .replace("${AWS::AccountId}", "111122223333")
    )
    # a dashboard refers to the region and the partition even where they are known
    text = str(readable(synthesize(pinned)))
    text = text.replace("${AWS::Region}", region).replace("${AWS::Partition}", partition)
    # a graph may show the rates of several regions, so the ids of a rate tell the known ones apart
    ids = re.compile(r"\b(send|bounce|delivery|complaint)_[0-9a-f]{8}\b")
    assert ids.sub(r"\1", text) == ids.sub(r"\1", expected)


def test_a_kept_bucket_is_taken_back() -> None:
    template = synthesize(SesEventsStack(new_app(), "SesEvents", bucket_name="kept"))
    buckets = [resource for resource in template["Resources"].values() if resource["Type"] == "AWS::S3::Bucket"]
    assert len(buckets) == 1  # that of query results
    assert template["Outputs"]["BucketName"]["Value"] == "kept"
    policies = json.dumps(template["Resources"]["ArchiveRole6D720787"]["Properties"]["Policies"])
    assert ":s3:::kept/events/" in policies


def test_a_kept_bucket_has_its_own_expiration() -> None:
    with pytest.raises(ValueError, match="expiration cannot be given with bucket_name, which already exists"):
        SesEventsStack(new_app(), "SesEvents", bucket_name="kept", expiration=cdk.Duration.days(9))
    with pytest.raises(ValueError, match="bucket_name 'Kept' "):
        SesEventsStack(new_app(), "SesEvents", bucket_name="Kept")
