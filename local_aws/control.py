"""What the server does beside AWS: it lets recipients react to mail, and changes its delays."""

from __future__ import annotations

import json
from typing import Any

from hypercorn.typing import ASGIFramework

from local_aws.ministack.delays import Delays
from local_aws.ses.outcomes import CannotHappen
from local_aws.ses.service import Ses


def with_control(app: ASGIFramework, ses: Ses, delays: Delays) -> ASGIFramework:
    """The app, with ``POST /_ses/events`` and ``PUT /_delays`` beside it; both take JSON, and no signature."""

    def react(request: dict[str, Any]) -> None:
        ses.react(request.pop("messageId", ""), request.pop("eventType", ""), request)

    def set_delays(request: dict[str, Any]) -> None:
        delays.set(float(request.get("iam", 0)), float(request.get("stream", 0)))

    calls = {("POST", "/_ses/events"): react, ("PUT", "/_delays"): set_delays}

    async def controlled(scope: Any, receive: Any, send: Any) -> None:
        call = calls.get((scope.get("method", ""), scope.get("path", "")))
        if call is None:
            await app(scope, receive, send)
            return
        try:
            request = json.loads(await _body(receive))
            if not isinstance(request, dict):
                raise ValueError("the request is no JSON object")
            call(request)
            status, answer = 200, {}
        except (CannotHappen, ValueError, TypeError) as failure:
            status, answer = 400, {"message": str(failure)}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return controlled


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body
