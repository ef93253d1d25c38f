"""Records of events as SES publishes them, of all types and with their oddities; and a fortnight of mail.

After the examples of the SES developer guide (examples of event data that Amazon SES publishes to Firehose).
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 10_3_3 like Mac OS X) AppleWebKit/603.3.8 (KHTML, like Gecko) Mobile/14G60"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.90"


def mail(message: str, sent: str, *to: str, tags: dict[str, Any] | None, **other: Any) -> Record:
    """The ``mail`` of an event; ``other`` replaces a field, or leaves it out where it is ``...``."""
    common = {"from": ["News <news@example.com>"], "to": [*to], "messageId": message, "subject": "Spring is here"}
    headers = [("From", "News <news@example.com>"), ("To", ", ".join(to)), ("Subject", "Spring is here")]
    made = {
        "timestamp": sent,
        "source": "News <news@example.com>",
        "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "sendingAccountId": "123456789012",
        "messageId": message,
        "destination": [*to],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in [*headers, ("MIME-Version", "1.0")]],
        "commonHeaders": common,
        "tags": tags,
    }
    return {name: value for name, value in {**made, **other}.items() if value is not ...}


def tags(**own: str) -> dict[str, list[str]]:
    """Tags of the sender, and those that SES adds."""
    added = {
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": ["news"],
        "ses:source-ip": ["192.0.2.1"],
        "ses:from-domain": ["example.com"],
        "ses:caller-identity": ["newsletter"],
        "ses:source-tls-version": ["TLSv1.3"],
    }
    return added | {name: [value] for name, value in own.items()}


def send(of: Record) -> Record:
    return {"eventType": "Send", "mail": of, "send": {}}


def delivery(of: Record, at: str, millis: int, *recipients: str, **other: Any) -> Record:
    told = {"timestamp": at, "processingTimeMillis": millis, "recipients": [*recipients]}
    told |= {"smtpResponse": "250 2.6.0 Message received", "reportingMTA": "a1-2.smtp-out.eu-west-1.amazonses.com"}
    outgoing = {"ses:outgoing-ip": ["192.0.2.2"], "ses:outgoing-tls-version": ["TLSv1.3"]}
    return {
        "eventType": "Delivery",
        "mail": {**of, "tags": {**(of.get("tags") or {}), **outgoing}},
        "delivery": {**told, "remoteMtaIp": "192.0.2.3", **other},
    }


def bounce(of: Record, at: str, kind: str, *recipients: Record, **other: Any) -> Record:
    bounce_type, subtype = kind.split("/")
    told = {"bounceType": bounce_type, "bounceSubType": subtype, "bouncedRecipients": [*recipients], "timestamp": at}
    return {"eventType": "Bounce", "bounce": {**told, "feedbackId": f"bounce-{of['messageId']}", **other}, "mail": of}


def complaint(of: Record, at: str, *recipients: str, **other: Any) -> Record:
    told = {"complainedRecipients": [{"emailAddress": address} for address in recipients], "timestamp": at}
    told |= {"feedbackId": f"complaint-{of['messageId']}"}
    return {"eventType": "Complaint", "complaint": {**told, **other}, "mail": of}


def delay(of: Record, at: str, kind: str, recipient: Record, **other: Any) -> Record:
    told = {"timestamp": at, "delayType": kind, "expirationTime": "2026-03-11T00:25:40.914Z"}
    bare = {name: value for name, value in of.items() if name not in ("headers", "commonHeaders")}
    return {
        "eventType": "DeliveryDelay",
        "mail": bare,
        "deliveryDelay": {**told, "delayedRecipients": [recipient], **other},
    }


def opened(of: Record, at: str, **other: Any) -> Record:
    told = {"ipAddress": "192.0.2.4", "timestamp": at, "userAgent": PHONE, **other}
    return {"eventType": "Open", "mail": {**of, "sourceArn": None}, "open": told}


def click(of: Record, at: str, link: str, **other: Any) -> Record:
    told = {"ipAddress": "192.0.2.4", "timestamp": at, "userAgent": BROWSER, "link": link, **other}
    bare = {name: value for name, value in of.items() if name != "sourceArn"}
    return {"eventType": "Click", "click": told, "mail": bare}


def reject(of: Record) -> Record:
    return {"eventType": "Reject", "mail": of, "reject": {"reason": "Bad content"}}


def rendering_failure(of: Record, template: str, message: str) -> Record:
    failure = {"errorMessage": message, "templateName": template}
    bare = {name: value for name, value in of.items() if name not in ("headers", "commonHeaders")}
    return {"eventType": "Rendering Failure", "mail": bare, "failure": failure}


def subscription(of: Record, at: str, **preferences: Any) -> Record:
    told = {"contactList": "Readers", "timestamp": at, "source": "UnsubscribeHeader", **preferences}
    return {"eventType": "Subscription", "mail": of, "subscription": told}


def _address(address: str, **told: str) -> Record:
    return {"emailAddress": address, **told}


def _message(number: int, sent: str, *to: str, **other: Any) -> Record:
    return mail(f"0102-{number:02}", sent, *to, **{"tags": tags(campaign="spring"), **other})


_UNKNOWN_USER = {"action": "failed", "status": "5.1.1"}
_ANN = _message(1, "2026-03-09T10:00:00.000Z", "ann@example.com")
_BOB = _message(2, "2026-03-09T10:00:00Z", "Bob@Example.com")
_CARL_AND_DANA = _message(3, "2026-03-09T10:00:00.250Z", "carl@example.net", "Dana <dana@example.org>")
_EVE = _message(4, "2026-03-09T10:00:00.300Z", "eve@example.org")
_FINN = _message(5, "2026-03-08T09:00:00.000Z", "finn@example.org")
_GUS = _message(6, "2026-03-09T11:00:00.000Z", "gus@example.net", tags=tags(Campaign="spring", campaigns="spring"))
_HAL = _message(7, "2026-03-09T12:00:00.000Z", "hal@example.com", tags=..., commonHeaders=..., headers=...)
_IDA = _message(8, "2026-03-08T09:00:00.100Z", "ida@example.com")
_EVE_BEFORE = _message(9, "2026-03-08T09:00:00.200Z", "eve@example.org")
_JAN = _message(10, "2026-03-02T23:50:00.000Z", "jan@example.com")
_KIM = _message(11, "2026-03-08T09:00:00.300Z", "kim@example.net")
_TEMPLATED = _message(
    12,
    "2026-03-09T13:00:00.000Z",
    "lea@example.com",
    sourceArn=...,
    commonHeaders={"from": ["news@example.com"], "to": ["lea@example.com"], "messageId": "0102-12"},
)
_REJECTED = _message(13, "2026-03-09T14:00:00.000Z", "mia@example.com", tags=None)
_LOST = _message(14, "2026-03-05T08:00:00.000Z", "ned@example.com")
_OLD = _message(15, "2026-01-01T08:00:00.000Z", "old@example.com")
_PAUL = _message(16, "2026-03-09T15:00:00.000Z", "paul@example.net", tags=tags(campaign='it\'s "autumn"'))

_PREFERENCES = {"topicSubscriptionStatus": [{"topicName": "Offers", "subscriptionStatus": "OptOut"}]}

TODAY = datetime.date(2026, 3, 10)

ARRIVED: list[tuple[str, Record]] = [
    ("2026-01-01", send(_OLD)),
    ("2026-01-01", bounce(_OLD, "2026-01-01T08:00:01.000Z", "Permanent/NoEmail", _address("old@example.com"))),
    ("2026-03-01", opened(_OLD, "2026-03-01T08:00:00.000Z", isBotEvent="Unlikely")),
    ("2026-03-02", send(_JAN)),
    (
        "2026-03-03",
        bounce(
            _JAN,
            "2026-03-03T00:01:00.000Z",
            "Permanent/NoEmail",
            _address(
                "jan@example.com",
                **_UNKNOWN_USER,
                diagnosticCode="smtp; 550-5.1.1 <jan@example.com> gone, 198.51.100.7 41be03b00d2f7-af0e1234si567.12",
            ),
            reportingMTA="dsn; a1-2.smtp-out.eu-west-1.amazonses.com",
        ),
    ),
    ("2026-03-05", send(_LOST)),
    ("2026-03-08", send(_FINN)),
    *[
        (
            "2026-03-08",
            bounce(
                _FINN,
                "2026-03-08T09:00:01.000Z",
                "Permanent/Suppressed",
                _address(
                    "finn@example.org",
                    **_UNKNOWN_USER,
                    diagnosticCode="Amazon SES has suppressed sending to this address because it has a recent history "
                    "of bouncing as an invalid address.",
                ),
                reportingMTA="dns; amazonses.com",
            ),
        )
    ]
    * 2,  # Firehose tried again
    ("2026-03-08", send(_IDA)),
    ("2026-03-08", delivery(_IDA, "2026-03-08T09:00:00.500Z", 400, "ida@example.com", remoteMtaIp=None)),
    (
        "2026-03-09",
        complaint(
            _IDA,
            "2026-03-09T08:00:00.000Z",
            "ida@example.com",
            complaintSubType=None,
            userAgent="ExampleCorp Feedback Loop (V0.01)",
            complaintFeedbackType="not-spam",
            arrivalDate="2026-03-09T03:24:21.000-05:00",
        ),
    ),
    ("2026-03-08", opened(_IDA, "2026-03-08T09:00:01.000Z", isBotEvent="Likely")),
    (
        "2026-03-08",
        click(
            _IDA, "2026-03-08T09:00:01.000Z", "https://example.com/sale?reader=2", linkTags=None, isBotEvent="Likely"
        ),
    ),
    ("2026-03-08", send(_EVE_BEFORE)),
    (
        "2026-03-08",
        complaint(
            _EVE_BEFORE,
            "2026-03-08T09:00:01.200Z",
            "eve@example.org",
            complaintSubType="OnAccountSuppressionList",
        ),
    ),
    ("2026-03-08", send(_KIM)),
    (
        "2026-03-08",
        delay(
            _KIM,
            "2026-03-08T09:10:00.000Z",
            "MailboxFull",
            _address("kim@example.net", status="4.2.2", diagnosticCode="smtp; 452 4.2.2 mailbox full"),
            reportingMTA="a1-2.smtp-out.eu-west-1.amazonses.com",
        ),
    ),
    (
        "2026-03-08",
        bounce(
            {**_KIM, "tags": None}, "2026-03-08T23:00:00.000Z", "Transient/MailboxFull", _address("kim@example.net")
        ),
    ),
    ("2026-03-09", send(_ANN)),
    ("2026-03-09", send(_ANN)),  # Firehose tried again
    ("2026-03-09", delivery(_ANN, "2026-03-09T10:00:02.000Z", 2000, "ann@example.com")),
    ("2026-03-09", delivery(_ANN, "2026-03-09T10:00:02.000Z", 2000, "ann@example.com")),
    ("2026-03-09", opened(_ANN, "2026-03-09T10:00:03.000Z", isBotEvent="Likely")),
    ("2026-03-10", opened(_ANN, "2026-03-09T20:00:00.000Z", isBotEvent="Unlikely")),
    ("2026-03-09", opened(_ANN, "2026-03-09T21:00:00.000Z")),
    (
        "2026-03-09",
        click(
            _ANN,
            "2026-03-09T21:00:05.000Z",
            "https://example.com/sale?reader=1",
            linkTags={"Place": ["top"], "place": ["button"]},
            isBotEvent="Unlikely",
        ),
    ),
    ("2026-03-09", click(_ANN, "2026-03-09T21:01:00.000Z", "https://example.com/sale#prices", linkTags=None)),
    ("2026-03-09", click(_ANN, "2026-03-09T21:01:00.000Z", "https://example.com/sale#prices", linkTags=None)),
    (
        "2026-03-10",
        subscription(
            _ANN,
            "2026-03-10T07:00:00.000Z",
            newTopicPreferences={"unsubscribeAll": True, **_PREFERENCES},
            oldTopicPreferences={"unsubscribeAll": False},
        ),
    ),
    ("2026-03-09", send(_BOB)),
    (
        "2026-03-09",
        bounce(
            _BOB,
            "2026-03-09T10:00:01.000Z",
            "Permanent/General",
            _address(
                "Bob <bob@EXAMPLE.com>", **_UNKNOWN_USER, diagnosticCode="smtp; 550 5.1.1 bob@example.com: user unknown"
            ),
            reportingMTA="dsn; mta.example.com",
            remoteMtaIp="192.0.2.3",
        ),
    ),
    ("2026-03-09", send(_CARL_AND_DANA)),
    ("2026-03-09", delivery(_CARL_AND_DANA, "2026-03-09T10:00:01.250Z", 1000, "carl@example.net")),
    (
        "2026-03-09",
        delay(
            _CARL_AND_DANA,
            "2026-03-09T10:10:00.000Z",
            "TransientCommunicationFailure",
            _address("dana@example.org", status="4.4.1", diagnosticCode="smtp; 421 4.4.1 Unable to connect"),
        ),
    ),
    ("2026-03-10", delivery(_CARL_AND_DANA, "2026-03-09T23:59:59.000Z", 50398750, "Dana <dana@example.org>")),
    ("2026-03-09", click(_CARL_AND_DANA, "2026-03-09T12:00:00.000Z", "https://example.com/imprint", linkTags={})),
    ("2026-03-09", click(_CARL_AND_DANA, "2026-03-09T10:00:02Z", "https://example.com/sale", isBotEvent="Likely")),
    ("2026-03-09", send(_EVE)),
    (
        "2026-03-09",
        bounce(
            _EVE,
            "2026-03-09T10:00:01.000Z",
            "Permanent/OnAccountSuppressionList",
            _address(
                "eve@example.org",
                **_UNKNOWN_USER,
                diagnosticCode="Amazon SES did not send the message to this address because it is on the suppression "
                "list for your account.",
            ),
            reportingMTA="dns; amazonses.com",
        ),
    ),
    ("2026-03-09", send(_GUS)),
    ("2026-03-09", delay(_GUS, "2026-03-09T11:00:01.000Z", "General", _address("gus@example.net"))),
    ("2026-03-09", delivery(_GUS, "2026-03-09T11:00:03.000Z", 3000, "gus@example.net")),
    ("2026-03-09", complaint(_GUS, "2026-03-09T18:00:00.000Z", "gus@example.net", complaintFeedbackType="abuse")),
    (
        "2026-03-09",
        bounce(
            _GUS,
            "2026-03-09T18:30:00.000Z",
            "Permanent/General",
            _address("gus@example.net", **_UNKNOWN_USER, diagnosticCode="smtp; 550 5.7.1 no more of this"),
        ),
    ),
    ("2026-03-09", complaint(_GUS, "2026-03-09T19:00:00.000Z", "gus@example.net", feedbackId="complaint-again")),
    ("2026-03-09", send(_HAL)),
    ("2026-03-09", delay(_HAL, "2026-03-09T12:10:00.000Z", "IPFailure", _address("hal@example.com", status="4.7.1"))),
    ("2026-03-09", delay(_HAL, "2026-03-09T14:10:00.000Z", "SpamDetected", _address("hal@example.com"))),
    ("2026-03-09", send(_TEMPLATED)),
    (
        "2026-03-09",
        rendering_failure(_TEMPLATED, "Welcome", "Attribute 'attributeName' is not present in the rendering data."),
    ),
    ("2026-03-09", send(_REJECTED)),
    ("2026-03-09", reject(_REJECTED)),
    ("2026-03-09", reject(_REJECTED)),
    ("2026-03-09", send(_PAUL)),
    *[
        (
            "2026-03-09",
            bounce(_PAUL, "2026-03-09T15:00:01.000Z", "Undetermined/Undetermined", _address("paul@example.net")),
        )
    ]
    * 2,  # Firehose tried again
    ("2026-03-09", {"notificationType": "Bounce", "mail": {"messageId": "0102-99"}}),  # an old feedback notification
]
"""The days of arrival and the records of the mail of a few days, much of it odd, seen on ``TODAY``."""

RECORDS: list[Record] = [record for _, record in ARRIVED if "eventType" in record] + [
    send(
        _message(
            20,
            "2026-03-09T10:00:00.000Z",
            "ann@example.com",
            headersTruncated=True,
            tags={"A": ["1", "2"], "a": []},
            commonHeaders={
                "from": ["news@example.com"],
                "sender": ["post@example.com"],
                "replyTo": ["reply@example.com"],
                "returnPath": "bounces@example.com",
                "to": ["ann@example.com"],
                "cc": ["cc@example.com"],
                "bcc": ["bcc@example.com"],
                "date": "Mon, 9 Mar 2026 10:00:00 +0000",
                "messageId": "<1@example.com>",
                "subject": "Grüße",
            },
        )
    ),
    {
        "eventType": "Delivery",
        "mail": {"timestamp": "2026-03-09T10:00:00Z", "messageId": "0102-21", "destination": []},
        "delivery": delivery(_ANN, "2026-03-09T10:00:02Z", 2**40, "ann@example.com")["delivery"],
    },
    subscription(_ANN, "2026-03-09T10:00:00.000Z", newTopicPreferences=_PREFERENCES, oldTopicPreferences=_PREFERENCES),
]
"""Records of all types that SES would publish, each of its fields in one of them."""


def write(folder: Path, arrived: Iterable[tuple[str, Record]]) -> None:
    """Write records as Firehose does: gzip objects of JSON lines, in a folder for each day of arrival."""
    days: dict[str, list[Record]] = {}
    for day, record in arrived:
        days.setdefault(day, []).append(record)
    for day, records in days.items():
        (folder / f"dt={day}").mkdir(parents=True)
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"dt={day}" / "events.json.gz").write_bytes(gzip.compress(lines.encode()))
