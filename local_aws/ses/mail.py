"""Mail as SES reads it from a request to send it."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from email import errors
from email.message import EmailMessage
from email.utils import getaddresses
from urllib.parse import parse_qs

from local_aws.ses.rendering import RenderingFailure, render
from local_aws.ses.validation import InvalidRequest, Json

Pairs = list[tuple[str, str]]

Templates = Callable[[str], Mapping[str, str] | None]
"""How to get the Subject, Text and Html of a template of the account by its name."""

_CONFIGURATION_SET = "X-SES-CONFIGURATION-SET"
_MESSAGE_TAGS = "X-SES-MESSAGE-TAGS"
_MOST_BULK_ENTRIES = 50
_LARGEST_V1, _LARGEST_V2 = 10 * 1024**2, 40 * 1024**2  # bytes of a message (developer guide, quotas)
_ONCE = """
    Accept-Language acceptLanguage Archived-At Auto-Submitted Bounces-to Comments Content-Alternative
    Content-Base Content-Class Content-Description Content-Disposition Content-Duration Content-ID
    Content-Language Content-Length Content-Location Content-MD5 Content-Transfer-Encoding Content-Type Date
    Delivered-To Disposition-Notification-Options Disposition-Notification-To DKIM-Signature DomainKey-Signature
    Errors-To From Importance In-Reply-To Keywords List-Archive List-Help List-Id List-Owner List-Post
    List-Subscribe List-Unsubscribe List-Unsubscribe-Post Message-Context Message-ID MIME-Version Organization
    Original-From Original-Message-ID Original-Recipient Original-Subject Precedence Priority References
    Reply-To Return-Path Return-Receipt-To Sender Solicitation Sensitivity Subject Thread-Index Thread-Topic
    User-Agent VBR-Info
"""
"""The headers that a message may have once (developer guide, header fields)."""
_VIRUS = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"  # with a file of it, SES says, one tests Reject events (developer guide)


@dataclass(frozen=True)
class Mail:
    """A mail as a request to send it gives it.

    :param operation: of the API, which sent it.
    :param configuration_set: its name, or nothing.
    :param destination: all recipients.
    :param headers: as recipients get them.
    :param infected: whether SES finds a virus in it.
    :param template: the name of the template it was made with, or None.
    :param failure: why the template could not be filled in.
    :param contact_list: name and topic of the list that recipients may leave, or None.
    :param size: in bytes.
    """

    operation: str
    configuration_set: str
    source: str
    destination: list[str]
    headers: Pairs
    tags: Pairs = field(default_factory=list)
    html: str | None = None
    infected: bool = False
    template: str | None = None
    failure: str | None = None
    contact_list: tuple[str, str | None] | None = None
    size: int = field(default=0, compare=False)


def read_v1(body: bytes, templates: Templates) -> list[Mail]:
    """The mail that a request of the query protocol sends: none, one, or one for each bulk destination.

    :raises InvalidRequest: when it has no mail that SES can read.
    """
    return [_small(mail, _LARGEST_V1) for mail in _mails_v1(body, templates)]


def _mails_v1(body: bytes, templates: Templates) -> list[Mail]:
    form = _Form({name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()})
    action = form.get("Action")
    if action not in ("SendEmail", "SendRawEmail", "SendTemplatedEmail", "SendBulkTemplatedEmail"):
        return []
    source, configuration_set = form.get("Source"), form.get("ConfigurationSetName")
    if action == "SendRawEmail":
        destination, tags = form.members("Destinations"), form.pairs("Tags")
        return [_raw(action, form.get("RawMessage.Data"), source, destination, configuration_set, tags)]

    def envelope(prefix: str) -> _Envelope:
        to, cc, bcc = (form.members(f"{prefix}.{kind}Addresses") for kind in ("To", "Cc", "Bcc"))
        return _Envelope(action, configuration_set, source, to, cc, bcc, form.members("ReplyToAddresses"))

    if action == "SendEmail":
        subject, text, html = (form.get(f"Message.{part}.Data") for part in ("Subject", "Body.Text", "Body.Html"))
        _require_content(text, html)
        return [envelope("Destination").mail(form.pairs("Tags"), subject, text, html)]
    destinations = form.prefixes("Destinations")
    _require_few(destinations)
    name = form.get("Template") or _name_in(form.get("TemplateArn"))
    content = templates(name) or {}
    if action == "SendTemplatedEmail":
        mail = envelope("Destination").templated(form.pairs("Tags"), name, content, form.get("TemplateData"))
        return [mail]
    return [
        envelope(f"{prefix}.Destination").templated(
            _replaced(form.pairs("DefaultTags"), form.pairs(f"{prefix}.ReplacementTags")),
            name,
            content,
            _merged(form.get("DefaultTemplateData"), form.get(f"{prefix}.ReplacementTemplateData")),
        )
        for prefix in destinations
    ]


def read_v2(operation: str, request: Json, templates: Templates) -> list[Mail]:
    """The mail that a request of the API v2 sends: none, one, or one for each entry of a bulk.

    :param request: as ``validation.read`` has it.
    :raises InvalidRequest: when it has no mail that SES can read.
    """
    if operation not in ("SendEmail", "SendBulkEmail"):
        return []
    return [_small(mail, _LARGEST_V2) for mail in _mails_v2(operation, request, templates)]


def _mails_v2(operation: str, request: Json, templates: Templates) -> list[Mail]:
    source, configuration_set = request.get("FromEmailAddress", ""), request.get("ConfigurationSetName", "")

    def envelope(destination: Json) -> _Envelope:
        to, cc, bcc = (destination.get(f"{kind}Addresses", []) for kind in ("To", "Cc", "Bcc"))
        management = request.get("ListManagementOptions")
        contact_list = (management["ContactListName"], management.get("TopicName")) if management else None
        reply_to = request.get("ReplyToAddresses", [])
        return _Envelope(operation, configuration_set, source, to, cc, bcc, reply_to, contact_list)

    if operation == "SendBulkEmail":
        _require_few(request["BulkEmailEntries"])
        template = request.get("DefaultContent", {}).get("Template", {})
        name, content = _template(template, templates)
        default_tags, default_headers = _pairs(request.get("DefaultEmailTags")), _pairs(template.get("Headers"))
        return [
            envelope(entry.get("Destination", {})).templated(
                _replaced(default_tags, _pairs(entry.get("ReplacementTags"))),
                name,
                content,
                _merged(template.get("TemplateData"), _replacement_data(entry)),
                _replaced(default_headers, _pairs(entry.get("ReplacementHeaders"))),
            )
            for entry in request.get("BulkEmailEntries", [])
        ]

    tags, content = _pairs(request.get("EmailTags")), request.get("Content", {})
    sender = envelope(request.get("Destination", {}))
    if "Raw" in content:
        return [_raw(operation, content["Raw"].get("Data", ""), source, sender.destination, configuration_set, tags)]
    if "Template" in content:
        template = content["Template"]
        name, parts = _template(template, templates)
        return [sender.templated(tags, name, parts, template.get("TemplateData"), _pairs(template.get("Headers")))]
    simple = content.get("Simple", {})
    text, html = (simple.get("Body", {}).get(part, {}).get("Data") for part in ("Text", "Html"))
    _require_content(text, html)
    return [sender.mail(tags, simple.get("Subject", {}).get("Data", ""), text, html, _pairs(simple.get("Headers")))]


def _require_content(text: str | None, html: str | None) -> None:
    if not text and not html:
        raise InvalidRequest("The message has no content.")


def _require_one_line(headers: Pairs) -> None:
    for name, value in headers:
        if re.search(r"[\r\n]", name + value):
            raise InvalidRequest(f"The {name} contains a line break.")


def _require_object(data: str | None) -> None:
    with contextlib.suppress(ValueError):  # of which the event Rendering Failure tells
        if not isinstance(json.loads(data or "{}"), dict):
            raise InvalidRequest("The template data is not a JSON object.")


def _small(mail: Mail, largest: int) -> Mail:
    if mail.size > largest:
        raise InvalidRequest(f"Message length is more than {largest} bytes long: '{mail.size}'.")
    return mail


def _require_few(entries: Sized) -> None:
    if len(entries) > _MOST_BULK_ENTRIES:
        raise InvalidRequest(f"The number of destinations exceeds {_MOST_BULK_ENTRIES}.")


class _Form:
    """The parameters of the query protocol, which spells lists ``Name.member.1``, ``Name.member.2`` ..."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters

    def get(self, name: str) -> str:
        return self._parameters.get(name, "")

    def prefixes(self, name: str) -> list[str]:
        """What the parameters of each member start with."""

        def present() -> Iterator[str]:
            number = 1
            while any(key == (start := f"{name}.member.{number}") or key.startswith(f"{start}.") for key in parameters):
                yield start
                number += 1

        parameters = self._parameters
        return list(present())

    def members(self, name: str) -> list[str]:
        return [self.get(prefix) for prefix in self.prefixes(name)]

    def pairs(self, name: str) -> Pairs:
        return [(self.get(f"{prefix}.Name"), self.get(f"{prefix}.Value")) for prefix in self.prefixes(name)]


@dataclass(frozen=True)
class _Envelope:
    """What requests say about a mail besides its content; SES makes the headers of such mail."""

    operation: str
    configuration_set: str
    source: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    reply_to: list[str]
    contact_list: tuple[str, str | None] | None = None

    def __post_init__(self) -> None:
        addresses = [self.source, *self.to, *self.cc, *self.bcc, *self.reply_to]
        _require_one_line([("address", address) for address in addresses])

    @property
    def destination(self) -> list[str]:
        return [*self.to, *self.cc, *self.bcc]

    def mail(self, tags: Pairs, subject: str, text: str | None, html: str | None, headers: Pairs | None = None) -> Mail:
        _require_one_line([("Subject", subject), *(headers or [])])
        return self._made(tags, subject, text, html, headers)

    def _made(self, tags: Pairs, subject: str, text: str | None, html: str | None, headers: Pairs | None) -> Mail:
        return Mail(
            operation=self.operation,
            configuration_set=self.configuration_set,
            source=self.source,
            destination=self.destination,
            headers=[*self._headers(subject, text, html), *(headers or [])],
            tags=tags,
            html=html or None,
            infected=any(_VIRUS in (part or "") for part in (text, html)),
            contact_list=self.contact_list,
            size=sum(len(part.encode()) for part in (subject, text or "", html or "")),
        )

    def templated(
        self, tags: Pairs, name: str, content: Mapping[str, str], data: str | None, headers: Pairs | None = None
    ) -> Mail:
        _require_one_line(headers or [])
        _require_object(data)
        try:
            parts, failure = render(content, data or ""), None
        except RenderingFailure as missing:
            parts, failure = {}, str(missing)
        mail = self._made(tags, parts.get("Subject", ""), parts.get("Text"), parts.get("Html"), headers)
        return Mail(**{**vars(mail), "template": name, "failure": failure})

    def _headers(self, subject: str, text: str | None, html: str | None) -> Pairs:
        addresses = {"From": [self.source], "Reply-To": self.reply_to, "To": self.to, "Cc": self.cc}
        headers = [(name, ", ".join(values)) for name, values in addresses.items() if values]
        headers += [("Subject", subject), ("MIME-Version", "1.0")]
        if text and html:
            boundary = f"----=_Part_{uuid.uuid4().int % 10**20}"
            return [*headers, ("Content-Type", f'multipart/alternative;  boundary="{boundary}"')]
        kind, part = ("html", html) if html else ("plain", text or "")
        encoding = "7bit" if part.isascii() else "quoted-printable"
        return [*headers, ("Content-Type", f"text/{kind}; charset=UTF-8"), ("Content-Transfer-Encoding", encoding)]


def _raw(operation: str, data: str, source: str, destination: list[str], configuration_set: str, tags: Pairs) -> Mail:
    """A mail given as MIME. Parameters win over its headers for SES, which recipients do not get."""
    try:
        content = base64.b64decode(data)
    except ValueError:
        content = data.encode()
    if not content.strip():
        raise InvalidRequest("The message has no content.")
    try:
        return _parsed(operation, content, source, destination, configuration_set, tags)
    except InvalidRequest:
        raise
    except Exception as failure:  # whatever Python's parser ends with when MIME is malformed
        raise InvalidRequest(f"The message cannot be parsed: {failure}") from failure


def _parsed(
    operation: str, content: bytes, source: str, destination: list[str], configuration_set: str, tags: Pairs
) -> Mail:
    message = email.message_from_bytes(content, policy=email.policy.default)
    for defect in message.defects:
        if isinstance(defect, errors.MissingHeaderBodySeparatorDefect):  # what follows is then taken for the body
            line = _bytes(message).splitlines()[0].decode("utf-8", "replace")
            raise InvalidRequest(f"Illegal header '{line.partition(':')[0]}'.")
        if isinstance(defect, errors.InvalidHeaderDefect):
            raise InvalidRequest("Empty header names are illegal.")
    names = Counter(name.lower() for name in message)
    for name in _ONCE.split():
        if names[name.lower()] > 1:
            raise InvalidRequest(f"Duplicate header '{name}'.")
    headers = [(name, str(value)) for name, value in message.items()]
    in_headers = [
        address
        for name in ("To", "Cc", "Bcc")
        for _, address in getaddresses([str(value) for value in message.get_all(name, [])])
    ]
    parts = [part for part in message.walk() if not part.is_multipart()]
    html = next((part for part in parts if part.get_content_type() == "text/html"), None)
    return Mail(
        operation=operation,
        configuration_set=configuration_set or str(message.get(_CONFIGURATION_SET, "")).strip(),
        source=source or str(message.get("From", "")),
        destination=destination or in_headers,
        headers=[(name, value) for name, value in headers if not name.upper().startswith(("X-SES-", "BCC"))],
        tags=tags or _tags_in(str(message.get(_MESSAGE_TAGS, ""))),
        html=_bytes(html).decode("utf-8", "replace") if html else None,
        infected=any(_VIRUS.encode() in _bytes(part) for part in parts),
        size=len(content),
    )


def _bytes(part: EmailMessage) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _tags_in(header: str) -> Pairs:
    """The tags in a header such as ``campaign=spring, team=blue``."""
    pairs = [pair.partition("=") for pair in header.split(",") if pair.strip()]
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _template(template: Json, templates: Templates) -> tuple[str, Mapping[str, str]]:
    """Name and content of the template of a request of the API v2."""
    name = template.get("TemplateName") or _name_in(template.get("TemplateArn", ""))
    content = templates(name) if name else template.get("TemplateContent")
    return name, content or {}


def _name_in(template_arn: str) -> str:
    return template_arn.rpartition("/")[2]


def _pairs(items: list[Json] | None) -> Pairs:
    return [(item["Name"], item["Value"]) for item in items or []]


def _replaced(defaults: Pairs, replacements: Pairs) -> Pairs:
    """The defaults that nothing with the same name replaces, and the replacements."""
    names = {name for name, _ in replacements}
    return [*(pair for pair in defaults if pair[0] not in names), *replacements]


def _replacement_data(entry: Json) -> str | None:
    data: str | None = (
        entry.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {}).get("ReplacementTemplateData")
    )
    return data


def _merged(default: str | None, replacement: str | None) -> str:
    """Template data in which values that a destination does not give are the default ones."""
    try:
        return json.dumps({**json.loads(default or "{}"), **json.loads(replacement or "{}")})
    except (ValueError, TypeError):
        return replacement or default or ""
