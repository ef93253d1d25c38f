"""The records of all event types, field by field, and when each is published."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from aws_cdk.aws_ses import EmailSendingEvent

from local_aws.ses import records
from local_aws.ses.outcomes import CannotHappen, outcome, reaction
from local_aws.ses.records import AcceptedMail
from tests.local_aws.ses.test_mail import MAIL

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
HTML = """
<a href="https://example.com/a" ses:tags="position:top;color:red;color:blue">A</a>
<a href="https://example.com/b">B</a> <a ses:no-track href="https://example.com/c">C</a>
"""
SUPPRESSION_LIST = "has suppressed sending to this address"


def accepted(tracked: tuple[str, ...] = ("OPEN", "CLICK"), **changes: Any) -> AcceptedMail:
    return AcceptedMail(
        mail=dataclasses.replace(MAIL, **changes),
        message_id="0100-abc",
        account="111122223333",
        region="eu-west-1",
        caller="mailer",
        source_ip="192.0.2.1",
        time=datetime(2026, 1, 2, 3, 4, 5, 60_999, timezone.utc),
        identity="example.com",
        tracked=frozenset(tracked),
    )


def to(*recipients: str, **changes: Any) -> AcceptedMail:
    return accepted(destination=list(recipients), **changes)


def test_the_record_of_a_send_event() -> None:
    assert records.send(accepted()) == {
        "eventType": "Send",
        "mail": {
            "timestamp": "2026-01-02T03:04:05.060Z",
            "source": "Ann <ann@mail.example.com>",
            "sourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
            "sendingAccountId": "111122223333",
            "messageId": "0100-abc",
            "destination": ["to1@example.org", "to2@example.org", "cc@example.org", "bcc@example.org"],
            "headersTruncated": False,
            "headers": [
                {"name": "From", "value": "Ann <ann@mail.example.com>"},
                {"name": "Reply-To", "value": "reply@example.com"},
                {"name": "To", "value": "to1@example.org, to2@example.org"},
                {"name": "Cc", "value": "cc@example.org"},
                {"name": "Subject", "value": "50 % off, naïve?"},
                {"name": "MIME-Version", "value": "1.0"},
                {"name": "Content-Type", "value": "text/plain; charset=UTF-8"},
                {"name": "Content-Transfer-Encoding", "value": "quoted-printable"},
            ],
            "commonHeaders": {
                "from": ["Ann <ann@mail.example.com>"],
                "replyTo": ["reply@example.com"],
                "to": ["to1@example.org", "to2@example.org"],
                "cc": ["cc@example.org"],
                "messageId": "0100-abc",
                "subject": "50 % off, naïve?",
            },
            "tags": {
                "ses:source-tls-version": ["TLSv1.3"],
                "ses:operation": ["SendEmail"],
                "ses:configuration-set": ["newsletter"],
                "ses:source-ip": ["192.0.2.1"],
                "ses:from-domain": ["mail.example.com"],
                "ses:caller-identity": ["mailer"],
                "campaign": ["test"],
                "Team": ["a-b_c"],
            },
        },
        "send": {},
    }


RECIPIENT = "bea@example.org"
OBJECTS: dict[str, tuple[records.Event, str, dict[str, Any]]] = {
    "Delivery": (
        records.delivery(accepted(), RECIPIENT),
        "delivery",
        {
            "timestamp": TIME,
            "processingTimeMillis": r"[1-9]\d*",
            "recipients": [RECIPIENT],
            "smtpResponse": "250 2.6.0 Message received",
            "remoteMtaIp": "192.0.2.25",
            "reportingMTA": "a0-1.smtp-out.amazonses.com",
        },
    ),
    "Bounce": (
        records.bounce(accepted(), RECIPIENT),
        "bounce",
        {
            "feedbackId": r"[0-9a-f-]+-000000",
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": RECIPIENT,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "timestamp": TIME,
            "reportingMTA": "dsn; a0-1.smtp-out.amazonses.com",
            "remoteMtaIp": "192.0.2.25",
        },
    ),
    "Suppressed": (
        records.suppressed(accepted(), RECIPIENT),
        "bounce",
        {
            "feedbackId": r"[0-9a-f-]+-000000",
            "bounceType": "Permanent",
            "bounceSubType": "Suppressed",
            "bouncedRecipients": [
                {
                    "emailAddress": RECIPIENT,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": f"Amazon SES {SUPPRESSION_LIST} .*",
                }
            ],
            "timestamp": TIME,
            "reportingMTA": "dns; amazonses.com",
        },
    ),
    "OnAccountSuppressionList": (
        records.suppressed_by_the_account(accepted(), RECIPIENT),
        "bounce",
        {
            "feedbackId": r"[0-9a-f-]+-000000",
            "bounceType": "Permanent",
            "bounceSubType": "OnAccountSuppressionList",
            "bouncedRecipients": [
                {
                    "emailAddress": RECIPIENT,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "Amazon SES did not send the message to this address because it is on .*",
                }
            ],
            "timestamp": TIME,
            "reportingMTA": "dns; amazonses.com",
        },
    ),
    "Complaint": (
        records.complaint(accepted(), RECIPIENT),
        "complaint",
        {
            "feedbackId": r"[0-9a-f-]+-000000",
            "complaintSubType": "None",
            "complainedRecipients": [{"emailAddress": RECIPIENT}],
            "timestamp": TIME,
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": "abuse",
            "arrivalDate": TIME,
        },
    ),
    "Reject": (records.reject(accepted()), "reject", {"reason": "Bad content"}),
    "Open": (
        records.open_(accepted(), "203.0.113.7", "Agent"),
        "open",
        {"timestamp": TIME, "userAgent": "Agent", "ipAddress": "203.0.113.7", "isBotEvent": "Unlikely"},
    ),
    "Click": (
        records.click(accepted(), "203.0.113.7", "Agent", "https://example.com/", {"position": ["top"]}),
        "click",
        {
            "timestamp": TIME,
            "ipAddress": "203.0.113.7",
            "userAgent": "Agent",
            "link": "https://example.com/",
            "linkTags": {"position": ["top"]},
            "isBotEvent": "Unlikely",
        },
    ),
    "Rendering Failure": (
        records.rendering_failure(accepted(template="hello", failure="Attribute 'x' is missing")),
        "failure",
        {"errorMessage": "Attribute 'x' is missing", "templateName": "hello"},
    ),
    "DeliveryDelay": (
        records.delivery_delay(accepted(), RECIPIENT),
        "deliveryDelay",
        {
            "delayType": "TransientCommunicationFailure",
            "expirationTime": "2026-01-02T17:04:05.060Z",
            "delayedRecipients": [
                {
                    "emailAddress": RECIPIENT,
                    "status": "4.4.1",
                    "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
                }
            ],
            "timestamp": TIME,
        },
    ),
    "Subscription": (
        records.subscription(accepted(), "Readers", "Weekly"),
        "subscription",
        {
            "contactList": "Readers",
            "timestamp": TIME,
            "source": "UnsubscribeHeader",
            "newTopicPreferences": {
                "unsubscribeAll": "False",
                "topicSubscriptionStatus": [{"topicName": "Weekly", "subscriptionStatus": "OptOut"}],
            },
            "oldTopicPreferences": {
                "unsubscribeAll": "False",
                "topicSubscriptionStatus": [{"topicName": "Weekly", "subscriptionStatus": "OptIn"}],
            },
        },
    ),
}


def test_there_is_a_record_of_each_event() -> None:
    assert {*records.EVENT_TYPES.values()} == {event.name for event in EmailSendingEvent}, (
        "mend local_aws/ses/records.py"
    )
    tested = {event["eventType"] for event, _, _ in OBJECTS.values()}
    assert tested == records.EVENT_TYPES.keys() - {"Send"}, "OBJECTS lacks an event"


@pytest.mark.parametrize("name", OBJECTS)
def test_the_object_of_an_event(name: str) -> None:
    event, key, expected = OBJECTS[name]
    assert event["eventType"] == ("Bounce" if key == "bounce" else name)
    assert set(event) == {"eventType", "mail", key}
    assert _matches(event[key], expected), event[key]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("Delivery", set()),
        ("Bounce", set()),
        ("Complaint", set()),
        ("Subscription", set()),
        ("Reject", set()),
        ("Open", {"sourceArn"}),
        ("Click", {"sourceArn"}),
        ("Rendering Failure", {"headers", "commonHeaders"}),
        ("DeliveryDelay", {"headers", "commonHeaders"}),
    ],
)
def test_some_events_say_less_about_the_mail(name: str, missing: set[str]) -> None:
    event, _, _ = OBJECTS[name]
    assert set(records.send(accepted())["mail"]) - set(event["mail"]) == missing


def test_events_after_delivery_have_the_tags_of_the_outgoing_connection() -> None:
    having = {name for name, (event, _, _) in OBJECTS.items() if "ses:outgoing-ip" in event["mail"]["tags"]}
    assert having == {"Delivery", "Bounce", "Complaint", "Open", "Click", "DeliveryDelay", "Subscription"}


def test_a_templated_mail_has_no_subject_before_it_is_filled_in() -> None:
    mail = accepted(template="hello")
    send, delivery = records.send(mail)["mail"], records.delivery(mail, RECIPIENT)["mail"]
    assert "sourceArn" not in send
    assert "subject" not in send["commonHeaders"]
    assert "Subject" not in [header["name"] for header in send["headers"]]
    assert delivery["commonHeaders"]["subject"] == "50 % off, naïve?"


def test_long_headers_are_truncated() -> None:
    event = records.send(accepted(headers=[(f"X-{number}", "x" * 1000) for number in range(12)]))
    assert event["mail"]["headersTruncated"] is True
    assert event["mail"]["headers"][-1]["name"] == "X-9"


def test_a_tag_given_twice_has_two_values() -> None:
    event = records.send(accepted(tags=[("campaign", "a"), ("campaign", "b"), ("Campaign", "c")]))
    assert (event["mail"]["tags"]["campaign"], event["mail"]["tags"]["Campaign"]) == (["a", "b"], ["c"])


@pytest.mark.parametrize(
    ("recipient", "event_types"),
    [
        ("bea@example.org", ["Send", "Delivery"]),
        ("Bea <bea@example.org>", ["Send", "Delivery"]),
        ("success@simulator.amazonses.com", ["Send", "Delivery"]),
        ("ooto@simulator.amazonses.com", ["Send", "Delivery", "Bounce"]),
        ("bounce@simulator.amazonses.com", ["Send", "Bounce"]),
        ("bounce+label@simulator.amazonses.com", ["Send", "Bounce"]),
        ("Bounce@Simulator.AmazonSES.com", ["Send", "Bounce"]),
        ("bounce@example.org", ["Send", "Delivery"]),
        ("complaint@simulator.amazonses.com", ["Send", "Delivery", "Complaint"]),
        ("suppressionlist@simulator.amazonses.com", ["Send", "Bounce"]),
    ],
)
def test_the_address_decides_what_becomes_of_a_mail(recipient: str, event_types: list[str]) -> None:
    assert [event["eventType"] for event in outcome(to(recipient))] == event_types


def test_an_out_of_office_reply_is_a_bounce_that_says_no_reason() -> None:
    expected = {
        "feedbackId": r"[0-9a-f-]+-000000",
        "bounceType": "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": "ooto@simulator.amazonses.com"}],
        "timestamp": TIME,
    }
    assert _matches(list(outcome(to("ooto@simulator.amazonses.com")))[-1]["bounce"], expected)


def test_recipients_have_events_of_their_own_after_one_send() -> None:
    happened = list(outcome(to("bea@example.org", "suppressionlist@simulator.amazonses.com")))
    assert [event["eventType"] for event in happened] == ["Send", "Delivery", "Bounce"]
    assert happened[1]["delivery"]["recipients"] == ["bea@example.org"]
    assert happened[2]["bounce"]["bounceSubType"] == "Suppressed"


@pytest.mark.parametrize(
    ("changes", "event_types"),
    [({"infected": True}, ["Send", "Reject"]), ({"template": "t", "failure": "no"}, ["Rendering Failure"])],
)
def test_some_mail_never_leaves(changes: dict[str, Any], event_types: list[str]) -> None:
    assert [event["eventType"] for event in outcome(accepted(**changes))] == event_types


@pytest.mark.parametrize(
    ("link", "tags"),
    [
        ("https://example.com/a", {"position": ["top"], "color": ["red", "blue"]}),
        ("https://example.com/b", None),
    ],
)
def test_a_click_has_the_tags_of_its_link(link: str, tags: dict[str, list[str]] | None) -> None:
    click = reaction(accepted(html=HTML), "Click", {"link": link, "ipAddress": "198.51.100.1"})["click"]
    assert (click["link"], click["linkTags"], click["ipAddress"]) == (link, tags, "198.51.100.1")


@pytest.mark.parametrize(
    ("event_type", "mail", "key"),
    [
        ("Open", accepted(html=HTML), "open"),
        ("DeliveryDelay", accepted(), "deliveryDelay"),
        ("Subscription", accepted(contact_list=("Readers", None)), "subscription"),
    ],
)
def test_recipients_and_their_servers_react(event_type: str, mail: AcceptedMail, key: str) -> None:
    event = reaction(mail, event_type, {})
    assert (event["eventType"], set(event)) == (event_type, {"eventType", "mail", key})


@pytest.mark.parametrize(
    ("event_type", "mail", "details", "reason"),
    [
        ("Open", accepted(), {}, "the mail has no HTML"),
        ("Open", accepted(("CLICK",), html=HTML), {}, "no enabled event destination asked for Open events"),
        ("Click", accepted(("OPEN",), html=HTML), {}, "no enabled event destination asked for Click events"),
        (
            "Click",
            accepted(html=HTML),
            {"link": "https://example.com/c"},
            "the mail has no link https://example.com/c; it has https://example.com/a, https://example.com/b",
        ),
        ("Click", accepted(html="<p>"), {}, "the mail has no link ; it has none"),
        ("DeliveryDelay", accepted(), {"recipient": "x@example.org"}, "x@example.org is no recipient of the mail"),
        ("Subscription", accepted(), {}, "the mail was sent without ListManagementOptions"),
        ("Open", accepted(html=HTML, infected=True), {}, "the mail never reached a recipient"),
        ("Bounce", accepted(), {}, "only Open, Click, DeliveryDelay and Subscription follow from a call"),
        ("", accepted(), {}, "only Open, Click, DeliveryDelay and Subscription follow from a call"),
    ],
)
def test_what_cannot_happen_to_a_mail_is_refused(
    event_type: str, mail: AcceptedMail, details: dict[str, str], reason: str
) -> None:
    with pytest.raises(CannotHappen, match=f"^{re.escape(reason)}"):
        reaction(mail, event_type, details)


def _matches(found: Any, expected: Any) -> bool:
    """Whether texts and numbers look as expected, in the same places."""
    if isinstance(expected, dict):
        return set(found) == set(expected) and all(_matches(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_matches, found, expected))
    return bool(re.fullmatch(expected, str(found)))
