"""Who may send: the account, a configuration set, an identity and its default set."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack.services import eventbridge, ses, ses_v2

from local_aws.ministack import ses_api
from local_aws.ministack.configuration_sets import configuration_set
from local_aws.ministack.ses_api import Handler

_WHOLE = 100
"""How many of the latest mails, and events of a bus, MiniStack keeps as they were; of older mail what SES counts."""


class _Latest(list[dict[str, Any]]):
    """What MiniStack keeps for ever, and AWS does not keep at all.

    :param counted: what is kept of all but the latest; without it they go.
    """

    def __init__(self, *counted: str) -> None:
        super().__init__()
        self._counted = counted

    def append(self, each: dict[str, Any]) -> None:
        super().append(each)
        if len(self) > _WHOLE:
            before = self[-_WHOLE - 1]
            if self._counted:
                self[-_WHOLE - 1] = {name: before[name] for name in self._counted}
            else:
                del self[0]


def install() -> None:
    """Let sending be paused, and an identity have a default configuration set; MiniStack can do neither.

    MiniStack has a list of identities for each API: what the older one verifies is put into both.
    MiniStack keeps each mail with all that is in it, and each event.
    """
    ses._sent_emails_list = ses_v2._sent_emails_list = lambda: ses._sent_emails.setdefault(
        "entries", _Latest("MessageId", "Timestamp")
    )
    eventbridge._events_log_list = lambda: eventbridge._events_log.setdefault("entries", _Latest())
    ses_api.extend_v2(_with_sending_attributes)
    ses_api.extend_v1(_with_sending_enabled)


def account_may_send() -> bool:
    """Whether sending is enabled for the account."""
    return bool((ses._account_details.get("account") or {}).get("SendingEnabled", True))


def default_configuration_set(identity: str) -> str:
    """Return the configuration set of mail from an identity that names none, or nothing."""
    return str((ses_v2._identities.get(identity) or {}).get("ConfigurationSetName") or "")


def verified_identity(address: str) -> str | None:
    """Return the identity that lets an address send: itself, or the nearest of its domain and the domains above."""
    labels = address.rpartition("@")[2].lower().split(".")
    candidates = [address, *(".".join(labels[start:]) for start in range(len(labels)))]
    return next((name for name in candidates if name in ses._identities or name in ses_v2._identities), None)


def _with_sending_attributes(handle: Handler) -> Handler:
    """Add PutAccountSendingAttributes, and the default configuration set of an identity."""

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        request = path.rstrip("/").removeprefix("/v2/email").split("/")[1:]
        if (method, request) == ("PUT", ["account", "sending"]):
            _let_account_send(json.loads(body).get("SendingEnabled", False))
            return ses_api.answer_v2({})
        if method == "PUT" and request[:1] == ["identities"] and request[2:] == ["configuration-set"]:
            return _put_default_set(unquote(request[1]), json.loads(body).get("ConfigurationSetName", ""))
        response = await handle(method, path, headers, body, query)
        if response[0] == 200 and (method, request) == ("POST", ["identities"]):
            _put_default_set(json.loads(body)["EmailIdentity"], json.loads(body).get("ConfigurationSetName", ""))
        if response[0] == 200 and method == "DELETE" and request[:1] == ["identities"] and len(request) == 2:
            _forget_identity(unquote(request[1]))
        if response[0] == 200 and (method, request) == ("GET", ["account"]):
            return ses_api.answer_v2({**json.loads(response[2]), "SendingEnabled": account_may_send()})
        return response

    return handle_request


def _with_sending_enabled(handle: Handler) -> Handler:
    """Add the operations of the query protocol that stop sending, and tell of it."""

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action, enabled, result = form.get("Action", ""), form.get("Enabled") == "true", ""
        match action:
            case "UpdateConfigurationSetSendingEnabled":
                name = form.get("ConfigurationSetName", "")
                record = configuration_set(name)
                if record is None:
                    return ses._config_set_missing(name)
                ses_v2._put_config_set_option(record, "SendingOptions", {"SendingEnabled": enabled})
            case "UpdateAccountSendingEnabled":
                _let_account_send(enabled)
            case "VerifyEmailIdentity" | "VerifyDomainIdentity":
                identity = form.get("EmailAddress") or form.get("Domain", "")
                if identity not in ses_v2._identities:
                    new = json.dumps({"EmailIdentity": identity}).encode()
                    await ses_v2.handle_request("POST", "/v2/email/identities", headers, new, {})
                return await handle(method, path, headers, body, query)
            case "GetAccountSendingEnabled":
                result = f"<{action}Result><Enabled>{str(account_may_send()).lower()}</Enabled></{action}Result>"
            case "DeleteIdentity":
                response = await handle(method, path, headers, body, query)
                if response[0] == 200:
                    _forget_identity(form.get("Identity", ""))
                return response
            case _:
                return await handle(method, path, headers, body, query)
        return ses_api.answer_v1(action, result)

    return handle_request


def _let_account_send(enabled: bool) -> None:
    ses._account_details.setdefault("account", {})["SendingEnabled"] = enabled


def _forget_identity(identity: str) -> None:
    for identities in (ses._identities, ses_v2._identities):
        identities.pop(identity, None)


def _put_default_set(identity: str, name: str) -> Any:
    record = ses_v2._identities.get(identity)
    if record is None:
        return ses_api.error_v2("NotFoundException", f"Email identity {identity} does not exist.")
    if name and configuration_set(name) is None:
        return ses_v2._missing_config_set(name)
    record["ConfigurationSetName"] = name
    return ses_api.answer_v2({})
