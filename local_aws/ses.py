"""SES as it publishes events: the Send event of an accepted mail, to every matching event destination of its set."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

from ministack.core import iam_evaluator, responses, router
from ministack.services import ses, ses_v2

from local_aws.event_destinations import publish
from local_aws.mail import Mail, read_v1, read_v2
from local_aws.roles import ServicePrincipal
from local_aws.send_event import Acceptance, send_event

Response = tuple[int, dict[str, str], bytes]

_PUBLISHER = ThreadPoolExecutor(1, "ses-events")  # one worker: events leave in the order of the mail


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
    region, account = acceptance.region, acceptance.account
    configuration_set = f"arn:aws:ses:{region}:{account}:configuration-set/{mail.configuration_set}"
    service = ServicePrincipal(
        "ses.amazonaws.com", region, {"aws:SourceAccount": account, "aws:SourceArn": configuration_set}
    )
    context = contextvars.copy_context()  # MiniStack keeps the account and region of a request in it
    _PUBLISHER.submit(context.run, publish, send_event(mail, acceptance), destinations, service)
