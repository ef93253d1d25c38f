"""The request that MiniStack is serving: its account, its caller, and the response to it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator, responses, router

Response = tuple[int, dict[str, str], bytes]


def account() -> str:
    """Return the account that is asked."""
    return str(responses.get_account_id())


def region() -> str:
    """Return the region that is asked."""
    return str(responses.get_region())


def client_ip() -> str:
    """Return the address that the request came from."""
    return str(responses.get_request_client_ip())


def access_key_id(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Return the access key that signed the request."""
    return str(router.extract_access_key_id(headers, query))


def caller_arn() -> str:
    """Return the ARN of the caller."""
    return str(iam_evaluator.caller_arn())


def caller_name(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Return the name of the caller: of the user, of the role it has assumed, or ``root``."""
    caller = iam_evaluator.resolve_caller_identity(access_key_id(headers, query)) or {}
    # .../user/path/NAME, .../assumed-role/NAME/session, ...:root
    kind, *names = caller.get("userArn", "").rpartition(":")[2].split("/")
    return str(names[0] if kind == "assumed-role" else [kind, *names][-1])


def as_if_asked(account: str, region: str) -> contextlib.AbstractContextManager[Any]:
    """Act in an account and a region, from any thread, until the end of the context."""
    scope: contextlib.AbstractContextManager[Any] = responses.request_scope(account, region)
    return scope


def kept_by_account_and_region() -> Any:
    """Return a new dictionary, which has other content for each account and region that is asked."""
    return responses.AccountRegionScopedDict()
