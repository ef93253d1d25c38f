"""The records of events, as SES writes them (developer guide, contents of event data)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import formataddr, getaddresses, parseaddr
from typing import Any

from local_aws.ses.mail import Mail

Event = dict[str, Any]

EVENT_TYPES = {
    "Send": "SEND",
    "Reject": "REJECT",
    "Bounce": "BOUNCE",
    "Complaint": "COMPLAINT",
    "Delivery": "DELIVERY",
    "Open": "OPEN",
    "Click": "CLICK",
    "Rendering Failure": "RENDERING_FAILURE",
    "DeliveryDelay": "DELIVERY_DELAY",
    "Subscription": "SUBSCRIPTION",
}
"""The names that records have for the event types of the API v2."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

_OBJECTS = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}
_HEADERS_LIMIT = 10 * 1024  # longer headers are cut
_OUTGOING_IP = "192.0.2.10"  # addresses of RFC 5737: nothing leaves this machine
_REMOTE_MTA_IP = "192.0.2.25"
_REPORTING_MTA = "a0-1.smtp-out.amazonses.com"
_SUPPRESSED = (
    "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid "
    "address. For more information about how to remove an address from the suppression list, see the Amazon SES "
    "Developer Guide: https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html"
)
_SUPPRESSED_BY_THE_ACCOUNT = (
    "Amazon SES did not send the message to this address because it is on the suppression list for your account. For "
    "more information about removing addresses from the suppression list, see the Amazon SES Developer Guide at "
    "https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html"
)


@dataclass(frozen=True)
class AcceptedMail:
    """A mail, and what SES knows from accepting it.

    :param identity: the verified identity that lets it be sent.
    :param tracked: which of OPEN and CLICK an event destination asked for when it was sent.
    :param suppressed: recipients on the suppression list of the account.
    """

    mail: Mail
    message_id: str
    account: str
    region: str
    caller: str
    source_ip: str
    time: datetime
    identity: str | None
    tracked: frozenset[str] = frozenset()
    suppressed: frozenset[str] = frozenset()


def send(mail: AcceptedMail) -> Event:
    """SES accepted the mail, and will try to deliver it."""
    # SES has not filled in a template yet when it writes this.
    return _event(mail, "Send", {}, source_arn=not mail.mail.template, subject=not mail.mail.template, outgoing=False)


def rendering_failure(mail: AcceptedMail) -> Event:
    """The template of the mail could not be filled in."""
    details = {"errorMessage": mail.mail.failure, "templateName": mail.mail.template}
    return _event(mail, "Rendering Failure", details, headers=False, outgoing=False)


def reject(mail: AcceptedMail) -> Event:
    """SES found a virus in the mail."""
    return _event(mail, "Reject", {"reason": "Bad content"}, outgoing=False)


def delivery(mail: AcceptedMail, recipient: str) -> Event:
    """The mail server of a recipient took the mail."""
    now = _now()
    details = {
        "timestamp": _iso(now),
        "processingTimeMillis": max(1, round((now - mail.time).total_seconds() * 1000)),
        "recipients": [parseaddr(recipient)[1]],
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": _REMOTE_MTA_IP,
        "reportingMTA": _REPORTING_MTA,
    }
    return _event(mail, "Delivery", details)


def bounce(mail: AcceptedMail, recipient: str) -> Event:
    """The mail server of a recipient knows no such user."""
    code = "smtp; 550 5.1.1 user unknown"
    details = {
        "reportingMTA": f"dsn; {_REPORTING_MTA}",
        "remoteMtaIp": _REMOTE_MTA_IP,
    }
    return _event(mail, "Bounce", {**_hard_bounce("General", recipient, code), **details})


def automatic_response(mail: AcceptedMail, recipient: str) -> Event:
    """The recipient is out of the office, and an automatic response says so: to SES, that is a bounce."""
    return _event(mail, "Bounce", _bounce("Transient", "General", {"emailAddress": parseaddr(recipient)[1]}))


def suppressed(mail: AcceptedMail, recipient: str) -> Event:
    """The recipient is on the suppression list of SES, which has not even tried."""
    return _not_tried(mail, "Suppressed", recipient, _SUPPRESSED)


def suppressed_by_the_account(mail: AcceptedMail, recipient: str) -> Event:
    """The recipient is on the suppression list of the account, and SES has not even tried."""
    return _not_tried(mail, "OnAccountSuppressionList", recipient, _SUPPRESSED_BY_THE_ACCOUNT)


def complaint(mail: AcceptedMail, recipient: str) -> Event:
    """A recipient marked the mail as spam."""
    now = _iso(_now())
    details = {
        "feedbackId": _feedback_id(),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": parseaddr(recipient)[1]}],
        "timestamp": now,
        "userAgent": "Amazon SES Mailbox Simulator",
        "complaintFeedbackType": "abuse",
        "arrivalDate": now,
    }
    return _event(mail, "Complaint", details)


def open_(mail: AcceptedMail, ip_address: str, user_agent: str) -> Event:
    """A recipient opened the mail."""
    details = {"timestamp": _iso(_now()), "userAgent": user_agent, "ipAddress": ip_address, "isBotEvent": "Unlikely"}
    return _event(mail, "Open", details, source_arn=False)


def click(
    mail: AcceptedMail, ip_address: str, user_agent: str, link: str, link_tags: Mapping[str, list[str]] | None
) -> Event:
    """A recipient clicked a link in the mail."""
    details = {
        "timestamp": _iso(_now()),
        "ipAddress": ip_address,
        "userAgent": user_agent,
        "link": link,
        "linkTags": link_tags,
        "isBotEvent": "Unlikely",
    }
    return _event(mail, "Click", details, source_arn=False)


def delivery_delay(mail: AcceptedMail, recipient: str) -> Event:
    """The mail server of a recipient could not be reached yet."""
    delayed = {
        "emailAddress": parseaddr(recipient)[1],
        "status": "4.4.1",
        "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
    }
    details = {
        "delayType": "TransientCommunicationFailure",
        "expirationTime": _iso(mail.time + timedelta(hours=14)),  # MaxDeliverySeconds is 50400 by default
        "delayedRecipients": [delayed],
        "timestamp": _iso(_now()),
    }
    return _event(mail, "DeliveryDelay", details, headers=False)


def subscription(mail: AcceptedMail, contact_list: str, topic: str | None) -> Event:
    """A recipient left the topic of a contact list, or the list."""

    def preferences(status: str, unsubscribe_all: bool) -> dict[str, Any]:
        topics = [{"topicName": topic, "subscriptionStatus": status}] if topic else []
        return {"unsubscribeAll": unsubscribe_all, "topicSubscriptionStatus": topics}

    details = {
        "contactList": contact_list,
        "timestamp": _iso(_now()),
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences("OptOut", topic is None),
        "oldTopicPreferences": preferences("OptIn", False),
    }
    return _event(mail, "Subscription", details)


def _not_tried(mail: AcceptedMail, sub_type: str, recipient: str, why: str) -> Event:
    details = {**_hard_bounce(sub_type, recipient, why), "reportingMTA": "dns; amazonses.com"}
    return _event(mail, "Bounce", details, outgoing=False)


def _hard_bounce(sub_type: str, recipient: str, diagnostic_code: str) -> dict[str, Any]:
    bounced = {
        "emailAddress": parseaddr(recipient)[1],
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": diagnostic_code,
    }
    return _bounce("Permanent", sub_type, bounced)


def _bounce(bounce_type: str, sub_type: str, bounced: dict[str, str]) -> dict[str, Any]:
    return {
        "feedbackId": _feedback_id(),
        "bounceType": bounce_type,
        "bounceSubType": sub_type,
        "bouncedRecipients": [bounced],
        "timestamp": _iso(_now()),
    }


def _event(
    mail: AcceptedMail,
    event_type: str,
    details: Mapping[str, Any],
    *,
    headers: bool = True,
    source_arn: bool = True,
    subject: bool = True,
    outgoing: bool = True,
) -> Event:
    """A record; not every type of event has all of ``mail``."""
    sender = mail.mail
    kept, truncated = _up_to_the_limit([pair for pair in sender.headers if subject or pair[0] != "Subject"])
    record: Event = {
        "timestamp": _iso(mail.time),
        "source": sender.source,
        "sourceArn": f"arn:aws:ses:{mail.region}:{mail.account}:identity/{mail.identity}",
        "sendingAccountId": mail.account,
        "messageId": mail.message_id,
        "destination": sender.destination,
        "headersTruncated": truncated and headers,
        "headers": [{"name": name, "value": value} for name, value in kept],
        "commonHeaders": _common_headers(kept, mail.message_id),
        "tags": _tags(mail, outgoing),
    }
    left_out = {"headers", "commonHeaders"} if not headers else set()
    left_out |= {"sourceArn"} if not source_arn else set()
    return {
        "eventType": event_type,
        "mail": {name: value for name, value in record.items() if name not in left_out},
        _OBJECTS.get(event_type, event_type.lower()): dict(details),
    }


def _up_to_the_limit(headers: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool]:
    size = 0
    for position, (name, value) in enumerate(headers):
        size += len(name.encode()) + len(value.encode())
        if size > _HEADERS_LIMIT:
            return headers[:position], True
    return headers, False


def _common_headers(headers: list[tuple[str, str]], message_id: str) -> dict[str, Any]:
    addresses = {"from": "from", "sender": "sender", "reply-to": "replyTo", "to": "to", "cc": "cc", "bcc": "bcc"}
    texts = {"return-path": "returnPath", "date": "date", "message-id": "messageId", "subject": "subject"}
    common: dict[str, Any] = {"messageId": message_id}
    for name, value in headers:
        if name.lower() in addresses:
            people = [formataddr(person) if person[0] else person[1] for person in getaddresses([value])]
            common.setdefault(addresses[name.lower()], []).extend(people)
        elif name.lower() in texts:
            common[texts[name.lower()]] = value
    return common


def _tags(mail: AcceptedMail, outgoing: bool) -> dict[str, list[str]]:
    """The auto-tags and the mail's own tags."""
    tags = {
        "ses:source-tls-version": ["TLSv1.3"],
        "ses:operation": [mail.mail.operation],
        "ses:configuration-set": [mail.mail.configuration_set],
        "ses:source-ip": [mail.source_ip],
        "ses:from-domain": [parseaddr(mail.mail.source)[1].rpartition("@")[2]],
        "ses:caller-identity": [mail.caller],
    }
    if outgoing:
        tags |= {"ses:outgoing-ip": [_OUTGOING_IP], "ses:outgoing-tls-version": ["TLSv1.3"]}
    for name, value in mail.mail.tags:
        tags.setdefault(name, []).append(value)
    return tags


def _feedback_id() -> str:
    unique = uuid.uuid4()
    return f"{unique.hex[:16]}-{unique}-000000"


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
