"""Both versions of the SES API: how to extend one, and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ses, ses_v2

from local_aws.ministack.requests import Response

Handler = Callable[..., Any]
"""Answers ``(method, path, headers, body, query)``, and is awaited."""


def extend_v1(extension: Callable[[Handler], Handler]) -> None:
    """Put a handler around the one of the query protocol."""
    ses.handle_request = extension(ses.handle_request)


def extend_v2(extension: Callable[[Handler], Handler]) -> None:
    """Put a handler around the one of the API v2."""
    ses_v2.handle_request = extension(ses_v2.handle_request)


def error_v1(code: str, message: str) -> Response:
    """Return an error of the query protocol."""
    response: Response = ses._error(code, message, 400)
    return response


def error_v2(code: str, message: str) -> Response:
    """Return an error of the API v2."""
    response: Response = ses_v2._json_err(code, message, 404 if code == "NotFoundException" else 400)
    return response


def answer_v1(action: str, result: str) -> Response:
    """Return a response of the query protocol, which holds XML."""
    response: Response = ses._xml(200, f"{action}Response", result)
    return response


def answer_v2(answer: dict[str, Any]) -> Response:
    """Return a response of the API v2."""
    response: Response = ses_v2.json_response(answer)
    return response


def template(name: str) -> dict[str, str] | None:
    """Return the parts of a template of SES."""
    stored = ses._templates.get(name)
    return stored and {part: stored.get(f"{part}Part") or "" for part in ("Subject", "Text", "Html")}
