"""How CloudFormation creates, updates and deletes a resource."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from local_aws.ministack.requests import Response

Provisioner = Callable[..., tuple[str, dict[str, Any]]]


def handlers_of(resource_type: str) -> dict[str, Any]:
    """Return what creates, updates and deletes resources of a type; changes to it take effect."""
    handlers: dict[str, Any] = provisioners._RESOURCE_HANDLERS.setdefault(resource_type, {})
    return handlers


def run_on_thread(resource_type: str) -> None:
    """Handle resources of a type in a thread: a handler that waits would block the event loop."""
    runs_on_thread = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda each: each == resource_type or runs_on_thread(each)


def by_replacement(create: Provisioner, delete: Callable[[str, dict[str, Any]], None]) -> Provisioner:
    """Return an update that deletes the resource and creates it again."""

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        delete(physical_id, old)
        return create("", new, stack)

    return update


def body_of(answer: Response) -> dict[str, Any]:
    """Return the body of a response.

    :raises ValueError: when it is an error.
    """
    status, _, body = answer
    if status >= 400:
        raise ValueError(body)
    return dict(json.loads(body))
