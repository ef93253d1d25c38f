"""The suppression list of an account: addresses that SES takes mail to, and does not send it."""

from __future__ import annotations

import json
import time
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote

from local_aws.ministack import configuration_sets, requests, ses_api
from local_aws.ministack.requests import Response
from local_aws.ministack.ses_api import Handler

_REASONS = ("BOUNCE", "COMPLAINT")


class SuppressionList:
    """What the API v2 says and does about suppressed addresses. Nothing here puts an address on the list but a call."""

    def __init__(self) -> None:
        self._addresses: Any = requests.kept_by_account_and_region()
        self._account: Any = requests.kept_by_account_and_region()

    def holds_back(self, address: str, configuration_set: str) -> bool:
        """Whether mail to an address is not sent: it is on the list, for a reason that the set or the account heeds."""
        options = (configuration_sets.configuration_set(configuration_set) or {}).get("SuppressionOptions", {})
        suppressed = self._addresses.get(parseaddr(address)[1].lower())
        return bool(suppressed) and suppressed["Reason"] in options.get("SuppressedReasons", self._reasons)

    def before(self, handle: Handler) -> Handler:
        """The handler of the API v2, with what it lacks."""

        async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Response:
            match method, path.rstrip("/").removeprefix("/v2/email").split("/")[1:]:
                case "PUT", ["account", "suppression"]:
                    self._account["reasons"] = json.loads(body or b"{}").get("SuppressedReasons", [])
                    return ses_api.answer_v2({})
                case "GET", ["account"]:
                    _, _, answer = await handle(method, path, headers, body, query)
                    attributes = {"SuppressedReasons": list(self._reasons)}
                    return ses_api.answer_v2({**json.loads(answer), "SuppressionAttributes": attributes})
                case "PUT", ["suppression", "addresses"]:
                    request = json.loads(body)
                    return self._put(request.get("EmailAddress", ""), request.get("Reason", ""))
                case "GET", ["suppression", "addresses"]:
                    reasons = query.get("Reason", _REASONS)
                    wanted = [each for each in self._addresses.values() if each["Reason"] in reasons]
                    return ses_api.answer_v2({"SuppressedDestinationSummaries": wanted})
                case (("GET" | "DELETE"), ["suppression", "addresses", address]):
                    found = self._addresses.get(unquote(address).lower())
                    if found is None:
                        message = f"Email address {unquote(address)} does not exist on your suppression list."
                        return ses_api.error_v2("NotFoundException", message)
                    if method == "DELETE":
                        del self._addresses[unquote(address).lower()]
                        return ses_api.answer_v2({})
                    return ses_api.answer_v2({"SuppressedDestination": found})
            response: Response = await handle(method, path, headers, body, query)
            return response

        return handle_request

    @property
    def _reasons(self) -> Any:
        return self._account.get("reasons", _REASONS)  # what AWS gives to new accounts

    def _put(self, address: str, reason: str) -> Response:
        if reason not in _REASONS or "@" not in address:
            message = f"{address} with the reason {reason} cannot be on the suppression list."
            return ses_api.error_v2("BadRequestException", message)
        entry = {"EmailAddress": address.lower(), "Reason": reason, "LastUpdateTime": int(time.time())}
        self._addresses[address.lower()] = entry
        return ses_api.answer_v2({})
