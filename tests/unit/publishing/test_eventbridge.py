from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_ses as ses

from ses_events import EventBridgeDestination, EventPublishing
from tests.support.templates import logical_id, new_app, properties, readable, synthesize

EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"


def bus_arn(stack: cdk.Stack, destination: EventBridgeDestination) -> Any:
    EventPublishing(stack, "Events").add_destination("ToBus", destination)
    template = readable(synthesize(stack))
    assert {resource["Type"] for resource in template["Resources"].values()} == {
        "AWS::SES::ConfigurationSet",
        EVENT_DESTINATION,
    }
    return properties(template, EVENT_DESTINATION)["EventDestination"]["EventBridgeDestination"]["EventBusArn"]


def test_events_go_to_the_default_bus(stack: cdk.Stack) -> None:
    expected = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
    assert bus_arn(stack, EventBridgeDestination()) == expected


@pytest.mark.parametrize(("region", "partition"), [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov")])
def test_the_default_bus_is_that_of_the_stack_s_partition(
    region: str, partition: str, recommended_flags: dict[str, Any]
) -> None:
    env = cdk.Environment(account="111122223333", region=region)
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=env)
    expected = f"arn:{partition}:events:{region}:111122223333:event-bus/default"
    assert bus_arn(stack, EventBridgeDestination()) == expected


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:events:us-east-1:111122223333:event-bus/default", cdk.Fn.import_value("DefaultBus")],
)
def test_the_default_bus_may_be_named(stack: cdk.Stack, arn: str) -> None:
    bus = events.EventBus.from_event_bus_arn(stack, "Bus", arn)
    assert bus_arn(stack, EventBridgeDestination(bus)) == stack.resolve(arn)


def test_a_rule_matches_the_events_of_one_set_by_eventbridge_s_names(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    wanted = {ses.EmailSendingEvent.COMPLAINT, ses.EmailSendingEvent.BOUNCE, ses.EmailSendingEvent.DELIVERY_DELAY}
    events.Rule(stack, "Rule", event_pattern=EventBridgeDestination.pattern(publishing.configuration_set_name, wanted))
    pattern = properties(synthesize(stack), "AWS::Events::Rule")["EventPattern"]
    assert set(pattern.pop("detail-type")) == {"Email Bounced", "Email Complaint Received", "Email Delivery Delayed"}
    assert pattern == {
        "source": ["aws.ses"],
        "detail": {"mail": {"tags": {"ses:configuration-set": [{"Ref": logical_id(publishing.configuration_set)}]}}},
    }


def test_every_event_has_a_name_in_eventbridge(stack: cdk.Stack) -> None:
    pattern = EventBridgeDestination.pattern("newsletter", list(ses.EmailSendingEvent))
    assert len(set(pattern.detail_type or [])) == len(ses.EmailSendingEvent)


def test_a_set_in_place_of_its_name_is_refused_once(stack: cdk.Stack) -> None:
    wrong: Any = EventPublishing(stack, "Events")
    with pytest.raises(TypeError) as caught:
        EventBridgeDestination.pattern(wrong, [ses.EmailSendingEvent.BOUNCE])
    assert str(caught.value) == (
        "EventBridgeDestination.pattern: configuration_set_name <EventPublishing 'Mail/Events'> is of type "
        "EventPublishing; use publishing.configuration_set_name"
    )


def test_a_pattern_without_events_is_refused(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    with pytest.raises(ValueError, match=r"EventBridgeDestination\.pattern: events is empty"):
        EventBridgeDestination.pattern(publishing.configuration_set_name, [])
