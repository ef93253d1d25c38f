"""What SES refuses to send, in its codes and words; what MiniStack refuses already is left to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

from local_aws.ministack import configuration_sets, sending
from local_aws.ses.mail import Mail

_TAG = {"name": re.compile(r"[A-Za-z0-9_-]*"), "value": re.compile(r"[A-Za-z0-9_.@-]*")}
_ALLOWED = {"name": "'_', and '-'", "value": "'_',  '-' , '.', '@'"}
_TAGS_OF_SES = ("ses:feedback-id-a", "ses:feedback-id-b")  # that a sender may give (developer guide, Feedback-ID)
_LONGEST_TAG = 255
_MOST_TAGS = 50
_MOST_RECIPIENTS = 50


@dataclass(frozen=True)
class Refusal:
    """An error of SES: its code in the query protocol, in the API v2, and its message."""

    v1: str
    v2: str
    message: str


def refusals(mail: Mail) -> Iterator[Refusal]:
    """Why SES does not send a mail; it says the first."""
    for message in _invalid_addresses(mail):
        yield Refusal("InvalidParameterValue", "BadRequestException", message)
    name = mail.configuration_set
    configuration_set = configuration_sets.configuration_set(name)
    if name and configuration_set is None:
        message = f"Configuration set <{name}> does not exist."
        yield Refusal("ConfigurationSetDoesNotExist", "NotFoundException", message)
    if not sending.account_may_send():
        message = (
            "Sending paused for this account. For more information, please check the inbox of the email address "
            "associated with your AWS account."
        )
        yield Refusal("AccountSendingPausedException", "SendingPausedException", message)
    if configuration_set and not configuration_set.get("SendingOptions", {}).get("SendingEnabled", True):
        message = f"Sending is paused for configuration set {name}"
        yield Refusal("ConfigurationSetSendingPausedException", "SendingPausedException", message)
    for message in _invalid_tags(mail.tags):
        yield Refusal("InvalidParameterValue", "BadRequestException", message)


def _invalid_addresses(mail: Mail) -> Iterator[str]:
    if not mail.source:
        yield "Missing required header 'From'."
    if mail.operation.startswith("SendBulk"):
        return  # SES answers with a status for each entry
    if not mail.destination:
        yield "Missing required header 'To'."
    if len(mail.destination) > _MOST_RECIPIENTS:
        yield f"Recipient count exceeds {_MOST_RECIPIENTS}."
    for address in [mail.source, *mail.destination]:
        name, _, domain = parseaddr(address)[1].rpartition("@")
        if address and not (name and domain):
            yield "Missing final '@domain'"


def _invalid_tags(tags: list[tuple[str, str]]) -> Iterator[str]:
    if len(tags) > _MOST_TAGS:
        yield f"The number of tags exceeds {_MOST_TAGS}."
    for tag in tags:
        for kind, text in zip(("name", "value"), tag, strict=True):
            if not text:
                yield f"The tag {kind} must be specified."
            elif len(text) > _LONGEST_TAG:
                yield f"Tag {kind} cannot exceed {_LONGEST_TAG} characters."
            elif not _TAG[kind].fullmatch(text) and text not in _TAGS_OF_SES:
                rule = f"only alphanumeric ASCII characters, {_ALLOWED[kind]} are allowed."
                yield f"Invalid tag {kind} <{text}>: {rule}"
