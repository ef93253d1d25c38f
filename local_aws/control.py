"""What the server does beside AWS: it lets recipients react to mail, changes its delays, and moves its clock."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

from hypercorn.typing import ASGIFramework

from local_aws.clock import Clock
from local_aws.firehose.buffering import Quota
from local_aws.ministack.delays import Delays
from local_aws.ses.outcomes import CannotHappen
from local_aws.ses.service import Ses


def with_control(app: ASGIFramework, ses: Ses, clock: Clock, delays: Delays, quota: Quota) -> ASGIFramework:
    """The app, with ``POST /_ses/events``, ``PUT /_delays``, ``PUT /_quota`` and ``POST /_clock`` beside it.

    They take JSON, and no signature.
    """

    def react(request: dict[str, Any]) -> None:
        ses.react(request.pop("messageId", ""), request.pop("eventType", ""), request)

    def set_delays(request: dict[str, Any]) -> None:
        delays.set(*(float(request.get(name, 0)) for name in ("iam", "stream", "metric")))

    def advance(request: dict[str, Any]) -> None:
        seconds = float(request.get("advance", 0))
        if not 0 <= seconds < math.inf:
            raise ValueError(f"the clock cannot be moved on by {seconds:g} s")
        ses.publish_what_waits()
        clock.advance(seconds)

    calls = {
        ("POST", "/_ses/events"): react,
        ("PUT", "/_delays"): set_delays,
        ("PUT", "/_quota"): lambda request: quota.set(**request),
        ("POST", "/_clock"): advance,
    }

    async def controlled(scope: Any, receive: Any, send: Any) -> None:
        call = calls.get((scope.get("method", ""), scope.get("path", "")))
        if call is None:
            await app(scope, receive, send)
            return
        try:
            request = json.loads(await _body(receive))
            if not isinstance(request, dict):
                raise ValueError("the request is no JSON object")
            await asyncio.to_thread(call, request)
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
