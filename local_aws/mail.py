"""Mail as SES reads it from a request to send it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mail:
    """A mail as a request to send it gives it."""

    configuration_set: str
    source: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    reply_to: list[str]
    subject: str
    text: str | None
    html: str | None
    tags: list[tuple[str, str]]
    headers: list[tuple[str, str]] = field(default_factory=list)


def read_v1(body: bytes) -> Mail | None:
    """The mail of a request SendEmail of the query protocol, when it names a configuration set."""
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    action = form.get("Action", "")
    if not action.startswith("Send") or "ConfigurationSetName" not in form:
        return None
    if action != "SendEmail":
        log.warning("the local SES publishes no events of %s", action)
        return None

    def members(list_name: str, suffix: str = "") -> Iterator[str]:
        number = 1
        while (member := f"{list_name}.member.{number}{suffix}") in form:
            yield form[member]
            number += 1

    return Mail(
        configuration_set=form["ConfigurationSetName"],
        source=form.get("Source", ""),
        to=list(members("Destination.ToAddresses")),
        cc=list(members("Destination.CcAddresses")),
        bcc=list(members("Destination.BccAddresses")),
        reply_to=list(members("ReplyToAddresses")),
        subject=form.get("Message.Subject.Data", ""),
        text=form.get("Message.Body.Text.Data"),
        html=form.get("Message.Body.Html.Data"),
        tags=list(zip(members("Tags", ".Name"), members("Tags", ".Value"), strict=False)),
    )


def read_v2(body: bytes) -> Mail | None:
    """The mail of a request SendEmail of the API v2, when it names a configuration set."""
    request = json.loads(body)
    if not request.get("ConfigurationSetName"):
        return None
    content = request.get("Content", {}).get("Simple")
    if not content:
        log.warning("the local SES publishes no events of raw and templated mail")
        return None
    destination = request.get("Destination", {})
    parts = content.get("Body", {})
    return Mail(
        configuration_set=request["ConfigurationSetName"],
        source=request.get("FromEmailAddress", ""),
        to=destination.get("ToAddresses", []),
        cc=destination.get("CcAddresses", []),
        bcc=destination.get("BccAddresses", []),
        reply_to=request.get("ReplyToAddresses", []),
        subject=content.get("Subject", {}).get("Data", ""),
        text=parts.get("Text", {}).get("Data"),
        html=parts.get("Html", {}).get("Data"),
        tags=[(tag["Name"], tag["Value"]) for tag in request.get("EmailTags", [])],
        headers=[(header["Name"], header["Value"]) for header in content.get("Headers", [])],
    )
