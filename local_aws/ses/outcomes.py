"""What becomes of a mail that SES accepted, at mail servers and in mailboxes that exist only here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

from local_aws.ses import records
from local_aws.ses.records import AcceptedMail, Event

_SIMULATOR = "simulator.amazonses.com"
_OUTCOMES: dict[str, list[Callable[[AcceptedMail, str], Event]]] = {
    "bounce": [records.bounce],
    "complaint": [records.delivery, records.complaint],
    "ooto": [records.delivery, records.automatic_response],
    "suppressionlist": [records.suppressed],
}
"""By the name before @, which may carry a +label (developer guide, mailbox simulator)."""


class CannotHappen(Exception):
    """Something that cannot happen to this mail, and why."""


def outcome(mail: AcceptedMail) -> Iterator[Event]:
    """The events of a mail as they follow from sending it: every address but the mailbox simulator's gets its mail."""
    if mail.mail.failure:
        yield records.rendering_failure(mail)
        return
    yield records.send(mail)
    if mail.mail.infected:
        yield records.reject(mail)
        return
    for recipient in mail.mail.destination:
        if recipient in mail.suppressed:
            yield records.suppressed_by_the_account(mail, recipient)
            continue
        name, _, domain = parseaddr(recipient)[1].lower().partition("@")
        of_simulator = _OUTCOMES.get(name.partition("+")[0]) if domain == _SIMULATOR else None
        for event in of_simulator or [records.delivery]:
            yield event(mail, recipient)


def reaction(mail: AcceptedMail, event_type: str, details: dict[str, Any]) -> Event:
    """An event that only a recipient, or a mail server, brings about: Open, Click, DeliveryDelay or Subscription.

    :param details: see ``LocalAws.react``.
    :raises CannotHappen: when it cannot happen to this mail.
    """
    sent = mail.mail
    if sent.failure or sent.infected:
        raise CannotHappen("the mail never reached a recipient")
    client = details.get("ipAddress", "203.0.113.7"), details.get("userAgent", records.BROWSER)
    if event_type in ("Open", "Click"):
        _require_tracking(mail, event_type)
    if event_type == "Open":
        return records.open_(mail, *client)
    if event_type == "Click":
        link = details.get("link", "")
        links = _Links(sent.html or "")
        if link not in links.tags:
            raise CannotHappen(f"the mail has no link {link}; it has {', '.join(links.tags) or 'none'}")
        return records.click(mail, *client, link, links.tags[link])
    if event_type == "DeliveryDelay":
        recipient = details.get("recipient", sent.destination[0])
        if recipient not in sent.destination:
            raise CannotHappen(f"{recipient} is no recipient of the mail")
        return records.delivery_delay(mail, recipient)
    if event_type == "Subscription":
        if not sent.contact_list:
            raise CannotHappen("the mail was sent without ListManagementOptions, so it has no link to unsubscribe")
        return records.subscription(mail, *sent.contact_list)
    raise CannotHappen(
        "only Open, Click, DeliveryDelay and Subscription follow from a call; others from sending a mail"
    )


def _require_tracking(mail: AcceptedMail, event_type: str) -> None:
    if mail.mail.html is None:
        raise CannotHappen("the mail has no HTML, and SES can follow nothing else")
    if event_type.upper() not in mail.tracked:
        raise CannotHappen(f"no enabled event destination asked for {event_type} events when the mail was sent")


class _Links(HTMLParser):
    """The links that SES rewrites in a mail, with their tags: ``<a href="..." ses:tags="position:top;color:red">``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: dict[str, dict[str, list[str]] | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        link = attributes.get("href")
        if tag != "a" or not link or "ses:no-track" in attributes:
            return
        tags: dict[str, list[str]] = {}
        for name, _, value in (pair.partition(":") for pair in (attributes.get("ses:tags") or "").split(";")):
            if name.strip() and value.strip():
                tags.setdefault(name.strip(), []).append(value.strip())
        self.tags[link] = tags or None
