from __future__ import annotations

import itertools

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ses as ses
from aws_cdk.aws_ses import EmailSendingEvent
from syrupy.assertion import SnapshotAssertion

from ses_events import UNTOUCHED_MAIL, CloudWatchDestination, EventPublishing
from tests.templates import only, order_of_creation, properties, readable, resources, synthesize, waits_for

CONFIGURATION_SET = "AWS::SES::ConfigurationSet"
EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"


@pytest.fixture
def publishing(stack: cdk.Stack) -> EventPublishing:
    return EventPublishing(stack, "Events")


@pytest.fixture
def metrics() -> CloudWatchDestination:
    return CloudWatchDestination(
        [
            ses.CloudWatchDimension(
                name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
            )
        ]
    )


def test_the_default_configuration_set(
    stack: cdk.Stack, publishing: EventPublishing, snapshot_json: SnapshotAssertion
) -> None:
    assert readable(synthesize(stack)) == snapshot_json


def test_every_option_of_the_set_reaches_the_template(stack: cdk.Stack) -> None:
    EventPublishing(
        stack,
        "Events",
        configuration_set_name="newsletter",
        tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
        reputation_metrics=True,
        sending_enabled=False,
    )
    assert properties(synthesize(stack), CONFIGURATION_SET) == {
        "Name": "newsletter",
        "DeliveryOptions": {"TlsPolicy": "REQUIRE"},
        "ReputationOptions": {"ReputationMetricsEnabled": True},
        "SendingOptions": {"SendingEnabled": False},
    }


def test_by_default_mail_is_left_as_it_is(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    publishing.add_destination("ToMetrics", metrics)
    matching = properties(synthesize(stack), EVENT_DESTINATION)["EventDestination"]["MatchingEventTypes"]
    assert matching == [
        "send",
        "reject",
        "bounce",
        "complaint",
        "delivery",
        "renderingFailure",
        "deliveryDelay",
        "subscription",
    ]
    assert set(EmailSendingEvent) - set(UNTOUCHED_MAIL) == {EmailSendingEvent.OPEN, EmailSendingEvent.CLICK}


def test_an_event_destination_is_enabled_unless_told_otherwise(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    on = publishing.add_destination("On", metrics)
    off = publishing.add_destination("Off", metrics, enabled=False)
    template = synthesize(stack)["Resources"]
    assert template[stack.get_logical_id(on)]["Properties"]["EventDestination"]["Enabled"] is True
    assert template[stack.get_logical_id(off)]["Properties"]["EventDestination"]["Enabled"] is False


def test_events_come_in_one_order_however_they_are_given(publishing: EventPublishing, stack: cdk.Stack) -> None:
    metrics = CloudWatchDestination(
        [ses.CloudWatchDimension(name="n", default_value="d", source=ses.CloudWatchDimensionSource.LINK_TAG)]
    )
    publishing.add_destination(
        "A", metrics, events=[EmailSendingEvent.CLICK, EmailSendingEvent.SEND, EmailSendingEvent.CLICK]
    )
    publishing.add_destination("B", metrics, events={EmailSendingEvent.SEND, EmailSendingEvent.CLICK})
    for destination in resources(synthesize(stack), EVENT_DESTINATION).values():
        assert destination["Properties"]["EventDestination"]["MatchingEventTypes"] == ["send", "click"]


def test_a_destination_has_a_name_only_when_given_one(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    publishing.add_destination("Unnamed", metrics)
    publishing.add_destination("Named", metrics, name="per-campaign")
    destinations = resources(synthesize(stack), EVENT_DESTINATION).values()
    assert [d["Properties"]["EventDestination"].get("Name") for d in destinations] == [None, "per-campaign"]


def test_ten_destinations_are_created_one_after_another(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    made = [publishing.add_destination(f"To{number}", metrics) for number in range(10)]
    template = synthesize(stack)
    ids = [stack.get_logical_id(destination) for destination in made]
    assert all(waits_for(template, later, earlier) for earlier, later in itertools.pairwise(ids))
    assert [name for name in order_of_creation(template) if name in ids] == ids


def test_the_set_is_there_to_work_with(stack: cdk.Stack, publishing: EventPublishing) -> None:
    ses.EmailIdentity(
        stack,
        "Identity",
        identity=ses.Identity.domain("example.com"),
        configuration_set=publishing.configuration_set,
    )
    cdk.CfnOutput(stack, "Name", value=publishing.configuration_set_name)
    cdk.CfnOutput(stack, "Arn", value=publishing.configuration_set_arn)
    template = readable(synthesize(stack))
    name, _ = only(template, CONFIGURATION_SET)
    assert properties(template, "AWS::SES::EmailIdentity")["ConfigurationSetAttributes"] == {
        "ConfigurationSetName": f"${{{name}}}"
    }
    assert template["Outputs"] == {
        "Name": {"Value": f"${{{name}}}"},
        "Arn": {
            "Value": f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:configuration-set/${{{name}}}"
        },
    }
