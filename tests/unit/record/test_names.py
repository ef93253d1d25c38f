"""The words of AWS for each event, spelled out here and nowhere else among the tests."""

from __future__ import annotations

from aws_cdk.aws_ses import EmailSendingEvent

from ses_events.record.names import detail_type, matching_event_type, metric_name
from tests.support.event_records import RECORDS

WORDS = {
    # CDK: CloudFormation, a record, CloudWatch, EventBridge
    "SEND": ("send", "Send", "Send", "Email Sent"),
    "REJECT": ("reject", "Reject", "Reject", "Email Rejected"),
    "BOUNCE": ("bounce", "Bounce", "Bounce", "Email Bounced"),
    "COMPLAINT": ("complaint", "Complaint", "Complaint", "Email Complaint Received"),
    "DELIVERY": ("delivery", "Delivery", "Delivery", "Email Delivered"),
    "OPEN": ("open", "Open", "Open", "Email Opened"),
    "CLICK": ("click", "Click", "Click", "Email Clicked"),
    "RENDERING_FAILURE": ("renderingFailure", "Rendering Failure", "RenderingFailure", "Email Rendering Failed"),
    "DELIVERY_DELAY": ("deliveryDelay", "DeliveryDelay", "DeliveryDelay", "Email Delivery Delayed"),
    "SUBSCRIPTION": ("subscription", "Subscription", "Subscription", "Email Subscribed"),
}


def test_each_event_of_cdk_is_known() -> None:
    known = {event.name for event in EmailSendingEvent}
    assert WORDS.keys() == known, "CONTRIBUTING.md has the places of an event type; this table is one"


def test_each_service_has_its_word_for_an_event() -> None:
    for event, (cloudformation, record, cloudwatch, eventbridge) in WORDS.items():
        assert matching_event_type(event) == cloudformation
        assert (metric_name(event), metric_name(record)) == (cloudwatch, cloudwatch)
        assert (detail_type(event), detail_type(record)) == (eventbridge, eventbridge)


def test_there_is_a_record_of_each_event() -> None:
    wanted = {record for _, record, _, _ in WORDS.values()}
    assert {record["eventType"] for record in RECORDS} == wanted, "tests/support/event_records.py has other events"
