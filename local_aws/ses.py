"""SES as it publishes events: the Send event of an accepted mail, to every matching event destination of its set."""

from __future__ import annotations

import contextvars
import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from ministack.core import iam_evaluator, responses, router
from ministack.services import cloudwatch, ses, ses_v2

from local_aws import ministack_gaps
from local_aws.roles import assume

log = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
Event = dict[str, Any]

_HEADERS_LIMIT = 10 * 1024  # longer headers are cut (developer guide, contents of event data)
_PUBLISHER = ThreadPoolExecutor(1, "ses-events")  # one worker: events leave in the order of the mail


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


@dataclass(frozen=True)
class Acceptance:
    """What SES knows about a mail from accepting it."""

    message_id: str
    account: str
    region: str
    caller: str
    source_ip: str
    time: datetime


def publish_accepted_mail() -> None:
    """From now on, publish the Send event of each mail that MiniStack's SES accepts."""
    accept_v1, accept_v2 = ses.handle_request, ses_v2.handle_request

    async def handle_v1(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
        response: Response = await accept_v1(method, path, headers, body, query)
        mail = read_v1(body)
        if mail and response[0] == 200:
            _, destinations = await _event_destinations(mail.configuration_set)
            message_id = ElementTree.fromstring(response[2]).findtext(".//{*}MessageId", "")
            _publish_later(mail, _acceptance(message_id, headers, query), destinations)
        return response

    async def handle_v2(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
        mail = read_v2(body) if (method, path) == ("POST", "/v2/email/outbound-emails") else None
        if mail:
            found, destinations = await _event_destinations(mail.configuration_set)
            if found[0] != 200:
                return found  # MiniStack itself would accept the unknown configuration set
        response: Response = await accept_v2(method, path, headers, body, query)
        if mail and response[0] == 200:
            message_id = json.loads(response[2])["MessageId"]
            _publish_later(mail, _acceptance(message_id, headers, query), destinations)
        return response

    ses.handle_request, ses_v2.handle_request = handle_v1, handle_v2


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


async def _event_destinations(configuration_set: str) -> tuple[Response, list[dict[str, Any]]]:
    """The answer of GetConfigurationSetEventDestinations, and the destinations in it."""
    path = f"/v2/email/configuration-sets/{configuration_set}/event-destinations"
    response: Response = await ses_v2.handle_request("GET", path, {}, b"", {})
    return response, json.loads(response[2]).get("EventDestinations", [])


def _acceptance(message_id: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> Acceptance:
    caller = iam_evaluator.resolve_caller_identity(router.extract_access_key_id(headers, query)) or {}
    # .../user/path/NAME, .../assumed-role/NAME/session, ...:root
    kind, *names = caller.get("userArn", "").rpartition(":")[2].split("/")
    return Acceptance(
        message_id=message_id,
        account=responses.get_account_id(),
        region=responses.get_region(),
        caller=names[0] if kind == "assumed-role" else [kind, *names][-1],
        source_ip=responses.get_request_client_ip(),
        time=datetime.now(timezone.utc),
    )


def _publish_later(mail: Mail, acceptance: Acceptance, destinations: list[dict[str, Any]]) -> None:
    context = contextvars.copy_context()  # MiniStack keeps the account and region of a request in it
    _PUBLISHER.submit(context.run, _publish, send_event(mail, acceptance), acceptance, destinations)


def _publish(event: Event, acceptance: Acceptance, destinations: list[dict[str, Any]]) -> None:
    for destination in destinations:
        if not destination["Enabled"] or "SEND" not in destination["MatchingEventTypes"]:
            continue
        for kind, deliver in _DELIVERIES.items():
            if kind not in destination:
                continue
            try:
                deliver(event, destination[kind], acceptance)
                log.info("Send of %s published to %s", acceptance.message_id, destination["Name"])
            except Exception as failure:  # one destination's failure is no reason to leave out the next
                log.error("Send of %s not published to %s: %s", acceptance.message_id, destination["Name"], failure)


def _to_firehose(event: Event, settings: Mapping[str, Any], acceptance: Acceptance) -> None:
    region, account = acceptance.region, acceptance.account
    configuration_set = event["mail"]["tags"]["ses:configuration-set"][0]
    source_arn = f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
    context = {"aws:SourceAccount": account, "aws:SourceArn": source_arn}
    role = assume(settings["IamRoleArn"], "ses.amazonaws.com", region, context)
    answer = role.client("firehose").put_record_batch(
        DeliveryStreamName=settings["DeliveryStreamArn"].rpartition("/")[2],
        Records=[{"Data": json.dumps(event).encode() + b"\n"}],
    )
    if answer["FailedPutCount"]:
        raise RuntimeError(answer["RequestResponses"][0]["ErrorMessage"])


def _to_cloudwatch(event: Event, settings: Mapping[str, Any], acceptance: Acceptance) -> None:
    dimensions = {
        dimension["DimensionName"]: _dimension_value(event, dimension)
        for dimension in settings["DimensionConfigurations"]
    }
    cloudwatch.record_metric("AWS/SES", event["eventType"], 1, "Count", dimensions)


def _dimension_value(event: Event, dimension: Mapping[str, str]) -> str:
    name, source = dimension["DimensionName"], dimension["DimensionValueSource"]
    values: list[str] = []  # of a link tag: only clicks have them
    if source == "MESSAGE_TAG":
        values = event["mail"]["tags"].get(name, [])
    elif source == "EMAIL_HEADER":
        values = [h["value"] for h in event["mail"]["headers"] if h["name"].lower() == name.lower()]
    return next(iter(values), dimension["DefaultDimensionValue"])


_DELIVERIES: dict[str, Callable[[Event, Mapping[str, Any], Acceptance], None]] = {
    "KinesisFirehoseDestination": _to_firehose,
    "CloudWatchDestination": _to_cloudwatch,
}
"""How an event gets to each kind of event destination, by the kind's name in the API v2."""
