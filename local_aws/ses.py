"""SES as it publishes events: all that becomes of an accepted mail, to every matching event destination of its set."""

from __future__ import annotations

import contextvars
import dataclasses
import json
import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parseaddr
from typing import Any
from xml.etree import ElementTree

from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import ses, ses_v2

from local_aws import event_destinations, ministack_gaps, simulator
from local_aws.acceptance import Refusal, refusals
from local_aws.events import AcceptedMail, Event
from local_aws.mail import InvalidRequest, Mail, read_v1, read_v2, without_nulls
from local_aws.ministack_gaps import Response
from local_aws.roles import ServicePrincipal
from local_aws.suppression import SuppressionList

log = logging.getLogger(__name__)

_REMEMBERED = 10_000
"""How many mails can still be opened."""


class Ses:
    """What SES does beside what MiniStack's does. There is one in a server."""

    def __init__(self) -> None:
        self._accepted: dict[str, AcceptedMail] = {}
        self._suppression_list = SuppressionList()
        self._publisher = ThreadPoolExecutor(1, "ses-events")  # one worker: events leave in the order of the mail

    def fill_in(self) -> None:
        """From now on, refuse what SES refuses, and publish what becomes of the mail that MiniStack's SES accepts."""
        accept_v1, accept_v2 = ses.handle_request, self._suppression_list.before(ses_v2.handle_request)

        async def handle_v1(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
            try:
                mails = read_v1(body, ministack_gaps.template) if not path.startswith("/v2/") else []
            except InvalidRequest as invalid:
                return ministack_gaps.ses_error_v1("InvalidParameterValue", str(invalid))
            mails = [_with_default_set(mail) for mail in mails]
            for denial in _denials("ses", mails, headers, query):
                return denial
            for refusal in _refusals(mails):
                return ministack_gaps.ses_error_v1(refusal.v1, refusal.message)
            response: Response = await accept_v1(method, path, headers, body, query)
            if mails and response[0] == 200:
                self._publish_accepted(mails, _message_ids_v1(response[2]), headers, query)
            return response

        async def handle_v2(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
            path = path.rstrip("/")
            try:
                mails = read_v2(path, body, ministack_gaps.template) if method == "POST" else []
            except InvalidRequest as invalid:
                return ministack_gaps.ses_error_v2("BadRequestException", str(invalid))
            mails = [_with_default_set(mail) for mail in mails]
            for denial in _denials("sesv2", mails, headers, query):
                return denial
            for refusal in _refusals(mails):
                return ministack_gaps.ses_error_v2(refusal.v2, refusal.message)
            if mails:
                body = json.dumps(without_nulls(json.loads(body))).encode()
            response: Response = await accept_v2(method, path, headers, body, query)
            if mails and response[0] == 200:
                self._publish_accepted(mails, _message_ids_v2(response[2]), headers, query)
            return response

        ses.handle_request, ses_v2.handle_request = handle_v1, handle_v2
        ministack_gaps.check_event_destinations(_refuse_event_destination)

    def react(self, message_id: str, event_type: str, details: dict[str, Any]) -> None:
        """Publish an event that a recipient, or a mail server, brings about.

        :param details: see ``simulator.reaction``.
        :raises simulator.Unthinkable: when it cannot happen.
        """
        mail = self._accepted.get(message_id)
        if mail is None:
            raise simulator.Unthinkable(f"no mail with the id {message_id} was sent with a configuration set")
        event = simulator.reaction(mail, event_type, details)
        with responses.request_scope(mail.account, mail.region):
            self._publish(mail, [event])

    def _publish_accepted(self, mails: list[Mail], message_ids: list[str | None], headers: Any, query: Any) -> None:
        for mail, message_id in zip(mails, message_ids, strict=False):
            if message_id and mail.configuration_set:
                accepted = self._accepted_mail(mail, message_id, headers, query)
                self._accepted[message_id] = accepted
                if len(self._accepted) > _REMEMBERED:
                    del self._accepted[next(iter(self._accepted))]
                self._publish(accepted, simulator.outcome(accepted))

    def _accepted_mail(
        self, mail: Mail, message_id: str, headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> AcceptedMail:
        caller = iam_evaluator.resolve_caller_identity(router.extract_access_key_id(headers, query)) or {}
        # .../user/path/NAME, .../assumed-role/NAME/session, ...:root
        kind, *names = caller.get("userArn", "").rpartition(":")[2].split("/")
        wanted = {
            event_type
            for destination in ministack_gaps.event_destinations(mail.configuration_set)
            if destination["Enabled"]
            for event_type in destination["MatchingEventTypes"]
        }
        return AcceptedMail(
            mail=mail,
            message_id=message_id,
            account=responses.get_account_id(),
            region=responses.get_region(),
            caller=names[0] if kind == "assumed-role" else [kind, *names][-1],
            source_ip=responses.get_request_client_ip(),
            time=datetime.now(timezone.utc),
            identity=ministack_gaps.verified_identity(parseaddr(mail.source)[1]),
            tracked=frozenset(wanted & {"OPEN", "CLICK"}),
            suppressed=frozenset(
                address
                for address in mail.destination
                if self._suppression_list.holds_back(address, mail.configuration_set)
            ),
        )

    def _publish(self, mail: AcceptedMail, events: Iterable[Event]) -> None:
        destinations = ministack_gaps.event_destinations(mail.mail.configuration_set)
        service = _service(mail.account, mail.region, mail.mail.configuration_set)

        def publish() -> None:
            try:
                for event in events:
                    event_destinations.publish(event, destinations, service)
            except Exception:  # in a thread, where nobody would hear of it
                log.exception("events of %s not published", mail.message_id)

        # MiniStack keeps the account and region of a request in its context.
        self._publisher.submit(contextvars.copy_context().run, publish)


def _refusals(mails: list[Mail]) -> Iterable[Refusal]:
    return (refusal for mail in mails for refusal in refusals(mail))


def _denials(service: str, mails: list[Mail], headers: Mapping[str, str], query: Any) -> Iterator[Response]:
    """What IAM answers a caller who may not use the identity, the configuration set or the template of a mail."""
    access_key_id, region = router.extract_access_key_id(headers, query), responses.get_region()
    for action, resource in dict.fromkeys((mail.operation, resource) for mail in mails for resource in _used_by(mail)):
        arn = f"arn:aws:ses:{region}:{responses.get_account_id()}:{resource}"
        denied = iam_evaluator.enforce(access_key_id, f"ses:{action}", service, region, arn)
        if denied:
            caller, explicit = iam_evaluator.caller_arn(), getattr(denied, "decision", "") == "Deny"
            message = iam_actions.identity_denial_message(f"ses:{action}", caller, arn, explicit)
            request = service, f"ses:{action}", caller, str(uuid.uuid4())
            yield iam_actions.access_denied_response(*request, headers=headers, message=message, explicit_deny=explicit)


def _used_by(mail: Mail) -> Iterator[str]:
    """What of SES a mail is sent with (developer guide, controlling access): the sender needs permission for each."""
    address = parseaddr(mail.source)[1]
    yield f"identity/{ministack_gaps.verified_identity(address) or address}"
    if mail.configuration_set:
        yield f"configuration-set/{mail.configuration_set}"
    if mail.template:
        yield f"template/{mail.template}"


def _with_default_set(mail: Mail) -> Mail:
    """The mail with the default configuration set of its identity, when it names none itself."""
    identity = ministack_gaps.verified_identity(parseaddr(mail.source)[1])
    default = ministack_gaps.default_configuration_set(identity) if identity else ""
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
    service = _service(responses.get_account_id(), responses.get_region(), configuration_set)
    return event_destinations.refusal(configuration_set, name, destination, service)


def _service(account: str, region: str, configuration_set: str) -> ServicePrincipal:
    """SES, acting for a configuration set."""
    arn = f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
    return ServicePrincipal("ses.amazonaws.com", region, {"aws:SourceAccount": account, "aws:SourceArn": arn})
