"""The record of a Send event, as SES writes it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from local_aws import ministack_gaps
from local_aws.mail import Mail

Event = dict[str, Any]

_HEADERS_LIMIT = 10 * 1024  # longer headers are cut (developer guide, contents of event data)


@dataclass(frozen=True)
class Acceptance:
    """What SES knows about a mail from accepting it."""

    message_id: str
    account: str
    region: str
    caller: str
    source_ip: str
    time: datetime


def send_event(mail: Mail, acceptance: Acceptance) -> Event:
    """The Send event of a mail, as SES writes it into a record."""
    headers, truncated = _headers(mail)
    common = {"from": [mail.source], "replyTo": mail.reply_to, "to": mail.to, "cc": mail.cc}
    return {
        "eventType": "Send",
        "mail": {
            "timestamp": acceptance.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "source": mail.source,
            "sourceArn": _identity_arn(mail, acceptance),
            "sendingAccountId": acceptance.account,
            "messageId": acceptance.message_id,
            "destination": [*mail.to, *mail.cc, *mail.bcc],
            "headersTruncated": truncated,
            "headers": [{"name": name, "value": value} for name, value in headers],
            "commonHeaders": {
                **{name: addresses for name, addresses in common.items() if addresses},
                "messageId": acceptance.message_id,
                "subject": mail.subject,
            },
            "tags": _tags(mail, acceptance),
        },
        "send": {},
    }


def _headers(mail: Mail) -> tuple[list[tuple[str, str]], bool]:
    """The headers of the mail that SES makes, up to the limit of an event, and whether that cut any."""
    addresses = {"From": [mail.source], "Reply-To": mail.reply_to, "To": mail.to, "Cc": mail.cc}
    headers = [(name, ", ".join(values)) for name, values in addresses.items() if values]
    headers += [("Subject", mail.subject), ("MIME-Version", "1.0")]
    if mail.text is not None and mail.html is not None:
        headers += [("Content-Type", f'multipart/alternative;  boundary="----=_Part_{uuid.uuid4().int % 10**20}"')]
    else:
        kind, part = ("plain", mail.text) if mail.html is None else ("html", mail.html)
        encoding = "7bit" if (part or "").isascii() else "quoted-printable"
        headers += [("Content-Type", f"text/{kind}; charset=UTF-8"), ("Content-Transfer-Encoding", encoding)]
    headers += mail.headers
    size = 0
    for position, (name, value) in enumerate(headers):
        size += len(name.encode()) + len(value.encode())
        if size > _HEADERS_LIMIT:
            return headers[:position], True
    return headers, False


def _identity_arn(mail: Mail, acceptance: Acceptance) -> str:
    identity = ministack_gaps.verified_identity(parseaddr(mail.source)[1])
    return f"arn:aws:ses:{acceptance.region}:{acceptance.account}:identity/{identity}"


def _tags(mail: Mail, acceptance: Acceptance) -> dict[str, list[str]]:
    """The mail's own tags and the auto-tags; those about the outgoing connection come with later events."""
    tags = {
        "ses:source-tls-version": ["TLSv1.3"],
        "ses:operation": ["SendEmail"],
        "ses:configuration-set": [mail.configuration_set],
        "ses:source-ip": [acceptance.source_ip],
        "ses:from-domain": [parseaddr(mail.source)[1].rpartition("@")[2]],
        "ses:caller-identity": [acceptance.caller],
    }
    for name, value in mail.tags:
        tags.setdefault(name, []).append(value)
    return tags
