from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import CloudWatchDimension, CloudWatchDimensionSource, EmailSendingEvent
from syrupy.assertion import SnapshotAssertion

from ses_events import CloudWatchDestination, EventArchive, EventPublishing, FirehoseDestination
from tests.templates import Json, inline_actions, properties, readable, resources, synthesize

EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
CAMPAIGN = CloudWatchDimension(name="campaign", default_value="unknown", source=CloudWatchDimensionSource.MESSAGE_TAG)


def ses_roles(template: Json) -> list[Json]:
    return [
        role
        for role in resources(template, "AWS::IAM::Role").values()
        if role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == "ses.amazonaws.com"
    ]


def test_a_firehose_destination(stack: cdk.Stack, snapshot_json: SnapshotAssertion) -> None:
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    template = readable(synthesize(stack))
    archive = [name for name in template["Resources"] if name.startswith("Archive")]
    assert {name: body for name, body in template["Resources"].items() if name not in archive} == snapshot_json


def test_ses_may_put_record_batches_into_the_stream_and_nothing_else(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(archive))
    (role,) = ses_roles(readable(synthesize(stack)))
    assert [policy["PolicyDocument"]["Statement"] for policy in role["Properties"]["Policies"]] == [
        [
            {
                "Effect": "Allow",
                "Action": "firehose:PutRecordBatch",
                "Resource": "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/"
                + archive.delivery_stream_name,
            }
        ]
    ]


def test_ses_takes_the_role_for_this_set_of_this_account_only(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    (role,) = ses_roles(readable(synthesize(stack)))
    assert role["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": "${AWS::AccountId}",
                    "aws:SourceArn": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/"
                    f"${{{stack.get_logical_id(publishing.configuration_set)}}}",
                }
            },
        }
    ]


def test_one_role_serves_all_firehose_destinations_of_a_set(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    first, second = EventArchive(stack, "First"), EventArchive(stack, "Second")
    publishing.add_destination("ToFirst", FirehoseDestination(first), events=[EmailSendingEvent.SEND])
    publishing.add_destination("ToFirstToo", FirehoseDestination(first), events=[EmailSendingEvent.BOUNCE])
    publishing.add_destination("ToSecond", FirehoseDestination(second))
    (role,) = ses_roles(readable(synthesize(stack)))
    streams = [p["PolicyDocument"]["Statement"][0]["Resource"] for p in role["Properties"]["Policies"]]
    assert [stream.rpartition("/")[2] for stream in streams] == [
        first.delivery_stream_name,
        second.delivery_stream_name,
    ]
    assert inline_actions(role) == {"firehose:PutRecordBatch"}


def test_one_destination_value_serves_several_sets_with_a_role_each(stack: cdk.Stack) -> None:
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"))
    for brand in ("Red", "Blue"):
        EventPublishing(stack, brand).add_destination("ToArchive", to_archive)
    roles = ses_roles(readable(synthesize(stack)))
    conditions = [r["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] for r in roles]
    assert len({condition["StringEquals"]["aws:SourceArn"] for condition in conditions}) == 2


def test_a_cloudwatch_destination_has_no_resource_of_its_own(stack: cdk.Stack) -> None:
    header = CloudWatchDimension(name="X-Brand", default_value="none", source=CloudWatchDimensionSource.EMAIL_HEADER)
    link = CloudWatchDimension(name="position", default_value="top", source=CloudWatchDimensionSource.LINK_TAG)
    EventPublishing(stack, "Events").add_destination("ToMetrics", CloudWatchDestination([CAMPAIGN, header, link]))
    template = synthesize(stack)
    assert {resource["Type"] for resource in template["Resources"].values()} == {
        "AWS::SES::ConfigurationSet",
        EVENT_DESTINATION,
    }
    destination = properties(template, EVENT_DESTINATION)["EventDestination"]
    assert destination["CloudWatchDestination"]["DimensionConfigurations"] == [
        {"DimensionName": "campaign", "DefaultDimensionValue": "unknown", "DimensionValueSource": "messageTag"},
        {"DimensionName": "X-Brand", "DefaultDimensionValue": "none", "DimensionValueSource": "emailHeader"},
        {"DimensionName": "position", "DefaultDimensionValue": "top", "DimensionValueSource": "linkTag"},
    ]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (EmailSendingEvent.SEND, "Send"),
        (EmailSendingEvent.REJECT, "Reject"),
        (EmailSendingEvent.BOUNCE, "Bounce"),
        (EmailSendingEvent.COMPLAINT, "Complaint"),
        (EmailSendingEvent.DELIVERY, "Delivery"),
        (EmailSendingEvent.OPEN, "Open"),
        (EmailSendingEvent.CLICK, "Click"),
        (EmailSendingEvent.RENDERING_FAILURE, "RenderingFailure"),
        (EmailSendingEvent.DELIVERY_DELAY, "DeliveryDelay"),
        (EmailSendingEvent.SUBSCRIPTION, "Subscription"),
    ],
)
def test_each_event_has_its_metric(event: EmailSendingEvent, name: str) -> None:
    metric = CloudWatchDestination([CAMPAIGN]).metric(event, {"campaign": "test"})
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/SES", name, "Sum")
    assert metric.dimensions == {"campaign": "test"}


def test_a_metric_carries_every_dimension_and_makes_an_alarm(stack: cdk.Stack) -> None:
    tenant = CloudWatchDimension(name="tenant", default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG)
    metrics = CloudWatchDestination([CAMPAIGN, tenant])
    metric = metrics.metric(EmailSendingEvent.BOUNCE, {"tenant": "acme", "campaign": "spring"})
    metric.with_(period=cdk.Duration.hours(1)).create_alarm(stack, "Bounces", threshold=10, evaluation_periods=1)
    alarm = properties(synthesize(stack), "AWS::CloudWatch::Alarm")
    assert alarm["Dimensions"] == [
        {"Name": "campaign", "Value": "spring"},
        {"Name": "tenant", "Value": "acme"},
    ]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (
        "AWS/SES",
        "Bounce",
        "Sum",
        3600,
    )


def test_a_changed_list_of_dimensions_changes_nothing_later() -> None:
    dimensions = [CAMPAIGN]
    metrics = CloudWatchDestination(dimensions)
    dimensions.clear()
    assert [dimension.name for dimension in metrics.dimensions] == ["campaign"]
    assert isinstance(metrics.dimensions[0], ses.CloudWatchDimension)
