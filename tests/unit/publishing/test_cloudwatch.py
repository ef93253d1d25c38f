from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk.aws_ses import CloudWatchDimension, CloudWatchDimensionSource, EmailSendingEvent

from ses_events import CloudWatchDestination, EventPublishing
from ses_events.record.names import metric_name
from tests.support.templates import new_app, properties, synthesize, warnings

EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
CAMPAIGN = CloudWatchDimension(name="campaign", default_value="unknown", source=CloudWatchDimensionSource.MESSAGE_TAG)


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


def test_a_tag_is_the_shortest_way_to_count() -> None:
    campaigns, tenants = CloudWatchDestination.by_tag("campaign"), CloudWatchDestination.by_tag("t", default_value="-")
    assert [(each.name, each.default_value, each.source) for each in campaigns.dimensions + tenants.dimensions] == [
        ("campaign", "unknown", CloudWatchDimensionSource.MESSAGE_TAG),
        ("t", "-", CloudWatchDimensionSource.MESSAGE_TAG),
    ]


@pytest.mark.parametrize("event", EmailSendingEvent)
def test_each_event_has_its_metric(event: EmailSendingEvent) -> None:
    metric = CloudWatchDestination([CAMPAIGN]).metric(event, {"campaign": "test"})
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/SES", metric_name(event.name), "Sum")
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


def test_a_source_of_a_wrong_type_is_refused() -> None:
    dimension = CloudWatchDimension(name="team", default_value="none", source=CloudWatchDimensionSource.LINK_TAG)
    dimension._values["source"] = "linkTag"  # as python -O lets it pass
    with pytest.raises(TypeError) as caught:
        CloudWatchDestination([CAMPAIGN, dimension])
    assert str(caught.value) == (
        "CloudWatchDestination: dimensions[1].source 'linkTag' is of type str; "
        "use ses.CloudWatchDimensionSource.MESSAGE_TAG"
    )


@pytest.mark.parametrize("source", [CloudWatchDimensionSource.EMAIL_HEADER, CloudWatchDimensionSource.LINK_TAG])
def test_a_tag_of_ses_comes_from_no_other_source(source: CloudWatchDimensionSource) -> None:
    dimension = CloudWatchDimension(name="ses:configuration-set", default_value="none", source=source)
    with pytest.raises(ValueError, match=r"dimensions\[0\].name 'ses:configuration-set' is a message tag of SES; use "):
        CloudWatchDestination([dimension])


def test_a_changed_list_of_dimensions_changes_nothing_later() -> None:
    dimensions = [CAMPAIGN]
    metrics = CloudWatchDestination(dimensions)
    dimensions.clear()
    assert [dimension.name for dimension in metrics.dimensions] == ["campaign"]


@pytest.mark.parametrize(
    "name", ["ses:source-ip", "ses:outgoing-ip", "ses:from-domain", "Message-Id", "X-Message-ID", "recipient"]
)
def test_a_dimension_without_end_is_warned_of(stack: cdk.Stack, name: str) -> None:
    endless = CloudWatchDimension(name=name, default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG)
    EventPublishing(stack, "Events").add_destination("ToMetrics", CloudWatchDestination([endless]))
    assert warnings(stack) == {"ses-events:endless-dimension"}


@pytest.mark.parametrize("name", ["ses:configuration-set", "ses:caller-identity", "campaign", "tenant"])
def test_a_dimension_with_an_end_is_not(stack: cdk.Stack, name: str) -> None:
    dimension = CloudWatchDimension(name=name, default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG)
    EventPublishing(stack, "Events").add_destination("ToMetrics", CloudWatchDestination([dimension]))
    assert warnings(stack) == set()


def test_a_link_tag_says_something_only_where_clicks_are_published(stack: cdk.Stack) -> None:
    link = CloudWatchDimension(name="position", default_value="top", source=CloudWatchDimensionSource.LINK_TAG)
    clicks = EventPublishing(stack, "Clicks")
    clicks.add_destination("ToMetrics", CloudWatchDestination([link]), events=[EmailSendingEvent.CLICK])
    assert warnings(stack) == set()
    other = cdk.Stack(new_app(), "Other")
    EventPublishing(other, "Events").add_destination("ToMetrics", CloudWatchDestination([link]))
    assert warnings(other) == {"ses-events:link-tag-without-click"}


@pytest.mark.parametrize(
    ("value", "fault"), [("Spring Sale", "has a space"), ("früh", "has 'ü'"), ("a:b", "has ':'"), ("50%", "has '%'")]
)
def test_a_value_that_no_tag_can_have_is_refused(value: str, fault: str) -> None:
    campaigns = CloudWatchDestination([CAMPAIGN])
    for call in (campaigns.metric, campaigns.rate):
        with pytest.raises(ValueError) as caught:
            call(EmailSendingEvent.BOUNCE, {"campaign": value})
        assert str(caught.value) == (
            f"CloudWatchDestination.{call.__name__}: dimensions['campaign'] {value!r} {fault}; "
            "use 1-255 of A-Z a-z 0-9 _ . @ -, for example 'spring-sale'"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("campaign", "Spring_sale-2.0@acme.example"),
        ("campaign", "x" * 255),
        ("campaign", f"{cdk.Aws.STACK_NAME} sale"),
        ("ses:caller-identity", "arn:aws:iam::111122223333:user/a b"),
    ],
)
def test_a_value_that_a_tag_can_have_is_taken(name: str, value: str) -> None:
    dimension = CloudWatchDimension(name=name, default_value="none", source=CloudWatchDimensionSource.MESSAGE_TAG)
    metric = CloudWatchDestination([dimension]).metric(EmailSendingEvent.BOUNCE, {name: value})
    assert metric.dimensions == {name: value}
