"""SES as it publishes events: all that becomes of an accepted mail, to every matching event destination of its set."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any
from xml.etree import ElementTree

from local_aws.iam.principals import ServicePrincipal
from local_aws.ministack import authorization, configuration_sets, requests, sending, ses_api
from local_aws.ministack.requests import Response
from local_aws.ministack.ses_api import Handler
from local_aws.ses import outcomes, publish, validation
from local_aws.ses.mail import Mail, read_v1, read_v2
from local_aws.ses.records import EVENT_TYPES, AcceptedMail, Event
from local_aws.ses.refusals import Refusal, refusals
from local_aws.ses.suppression import SuppressionList
from local_aws.ses.validation import InvalidRequest

log = logging.getLogger(__name__)

_REMEMBERED = 10_000
"""How many mails can still be opened."""


_TOGETHER = 100
"""The events of how many mails are published together at most; those of one more have a turn of their own."""


class Ses:
    """What SES does beside what MiniStack's does. There is one in a server."""

    def __init__(self) -> None:
        self._accepted: dict[str, AcceptedMail] = {}
        self._suppression_list = SuppressionList()
        self._waiting: deque[publish.Waiting] = deque()
        self._publisher = ThreadPoolExecutor(1, "ses-events")  # one worker: events leave in the order of the mail

    def fill_in(self) -> None:
        """From now on, refuse what SES refuses, and publish what becomes of the mail that MiniStack's SES accepts."""
        ses_api.extend_v1(self._before_v1)
        ses_api.extend_v2(self._suppression_list.before)
        ses_api.extend_v2(self._before_v2)
        configuration_sets.take_event_types(EVENT_TYPES.values())
        configuration_sets.check_event_destinations(_refuse_event_destination)

    def react(self, message_id: str, event_type: str, details: dict[str, Any]) -> None:
        """Publish an event that a recipient, or a mail server, brings about.

        :param details: see ``outcomes.reaction``.
        :raises outcomes.CannotHappen: when it cannot happen.
        """
        mail = self._accepted.get(message_id)
        if mail is None:
            raise outcomes.CannotHappen(f"no mail with the id {message_id} was sent with a configuration set")
        event = outcomes.reaction(mail, event_type, details)
        self._publish(mail, [event])

    def publish_what_waits(self) -> None:
        """Wait until all that has happened to mail so far is published."""
        self._publisher.submit(self._publish_waiting).result()

    def _before_v1(self, accept: Handler) -> Handler:
        async def handle_v1(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
            try:
                mails = read_v1(body, ses_api.template) if not path.startswith("/v2/") else []
            except InvalidRequest as invalid:
                return ses_api.error_v1("InvalidParameterValue", str(invalid))
            mails = [_with_default_set(mail) for mail in mails]
            for denial in _denials("ses", mails, headers, query):
                return denial
            for refusal in _refusals(mails):
                return ses_api.error_v1(refusal.v1, refusal.message)
            response: Response = await accept(method, path, headers, body, query)
            if mails and response[0] == 200:
                self._publish_accepted(mails, _message_ids_v1(response[2]), headers, query)
            return response

        return handle_v1

    def _before_v2(self, accept: Handler) -> Handler:
        async def handle_v2(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
            path = path.rstrip("/")
            try:
                operation, read = validation.read(method, path, body)
                mails = read_v2(operation, read, ses_api.template)
            except InvalidRequest as invalid:
                return ses_api.error_v2("BadRequestException", str(invalid))
            mails = [_with_default_set(mail) for mail in mails]
            for denial in _denials("sesv2", mails, headers, query):
                return denial
            for refusal in _refusals(mails):
                return ses_api.error_v2(refusal.v2, refusal.message)
            if operation:
                body = json.dumps(read).encode()
            response: Response = await accept(method, path, headers, body, query)
            if mails and response[0] == 200:
                self._publish_accepted(mails, _message_ids_v2(response[2]), headers, query)
            return response

        return handle_v2

    def _publish_accepted(self, mails: list[Mail], message_ids: list[str | None], headers: Any, query: Any) -> None:
        for mail, message_id in zip(mails, message_ids, strict=False):
            if message_id and mail.configuration_set:
                accepted = self._accepted_mail(mail, message_id, headers, query)
                self._accepted[message_id] = accepted
                if len(self._accepted) > _REMEMBERED:
                    del self._accepted[next(iter(self._accepted))]
                self._publish(accepted, outcomes.outcome(accepted))

    def _accepted_mail(
        self, mail: Mail, message_id: str, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> AcceptedMail:
        wanted = {
            event_type
            for destination in configuration_sets.event_destinations(mail.configuration_set)
            if destination["Enabled"]
            for event_type in destination["MatchingEventTypes"]
        }
        return AcceptedMail(
            mail=mail,
            message_id=message_id,
            account=requests.account(),
            region=requests.region(),
            caller=requests.caller_name(headers, query),
            source_ip=requests.client_ip(),
            time=datetime.now(timezone.utc),
            identity=sending.verified_identity(parseaddr(mail.source)[1]),
            tracked=frozenset(wanted & {"OPEN", "CLICK"}),
            suppressed=frozenset(
                address
                for address in mail.destination
                if self._suppression_list.holds_back(address, mail.configuration_set)
            ),
        )

    def _publish(self, mail: AcceptedMail, events: Iterable[Event]) -> None:
        with requests.as_if_asked(mail.account, mail.region):
            destinations = configuration_sets.event_destinations(mail.mail.configuration_set)
        service = _service(mail.account, mail.region, mail.mail.configuration_set)
        self._waiting.append(publish.Waiting(mail, events, destinations, service))
        self._publisher.submit(self._publish_waiting)

    def _publish_waiting(self) -> None:
        """Publish what waits by now, together: Firehose takes many records in a request."""
        waiting = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
        try:
            publish.publish(waiting)
        except Exception:  # in a thread, where nobody would hear of it
            log.exception("events of %d mails not published", len(waiting))


def _refusals(mails: list[Mail]) -> Iterable[Refusal]:
    return (refusal for mail in mails for refusal in refusals(mail))


def _denials(service: str, mails: list[Mail], headers: Mapping[str, str], query: Any) -> Iterator[Response]:
    """What IAM answers a caller who may not use the identity, the configuration set or the template of a mail."""
    for action, resource in dict.fromkeys((mail.operation, resource) for mail in mails for resource in _used_by(mail)):
        arn = f"arn:aws:ses:{requests.region()}:{requests.account()}:{resource}"
        denied = authorization.refused(service, f"ses:{action}", arn, headers, query)
        if denied:
            yield denied


def _used_by(mail: Mail) -> Iterator[str]:
    """What of SES a mail is sent with (developer guide, controlling access): the sender needs permission for each."""
    address = parseaddr(mail.source)[1]
    yield f"identity/{sending.verified_identity(address) or address}"
    if mail.configuration_set:
        yield f"configuration-set/{mail.configuration_set}"
    if mail.template:
        yield f"template/{mail.template}"


def _with_default_set(mail: Mail) -> Mail:
    """The mail with the default configuration set of its identity, when it names none itself."""
    identity = sending.verified_identity(parseaddr(mail.source)[1])
    default = sending.default_configuration_set(identity) if identity else ""
    return mail if mail.configuration_set else dataclasses.replace(mail, configuration_set=default)


def _message_ids_v1(body: bytes) -> list[str | None]:
    """The message ids in a response, None where an entry of a bulk was refused."""
    response = ElementTree.fromstring(body)
    entries = response.findall(".//{*}Status/{*}member") or [response]
    return [entry.findtext(".//{*}MessageId") for entry in entries]


def _message_ids_v2(body: bytes) -> list[str | None]:
    response = json.loads(body)
    return [entry.get("MessageId") for entry in response.get("BulkEmailEntryResults", [response])]


def _refuse_event_destination(configuration_set: str, name: str, destination: Mapping[str, Any]) -> str | None:
    service = _service(requests.account(), requests.region(), configuration_set)
    return publish.refusal(configuration_set, name, destination, service)


def _service(account: str, region: str, configuration_set: str) -> ServicePrincipal:
    """SES, acting for a configuration set."""
    arn = f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
    return ServicePrincipal("ses.amazonaws.com", region, {"aws:SourceAccount": account, "aws:SourceArn": arn})
