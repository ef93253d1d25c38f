"""How CloudFormation creates, updates and deletes a resource."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import handlers, provisioners, stacks

from local_aws.ministack.requests import Response

Provisioner = Callable[..., tuple[str, dict[str, Any]]]

_modes: dict[str, str] = {}  # of the latest change of each stack


def install() -> None:
    """Know which stacks are deployed in the express mode, which MiniStack takes for the standard one."""

    def note_mode(handle: Callable[[Mapping[str, Any]], Response]) -> Callable[[Mapping[str, Any]], Response]:
        def noted(request: Mapping[str, Any]) -> Response:
            name = handlers._p(request, "StackName").rpartition("stack/")[2].partition("/")[0]
            _modes[name] = handlers._p(request, "DeploymentConfig.Mode")
            return handle(request)

        return noted

    for action in ("CreateStack", "UpdateStack", "CreateChangeSet"):
        handlers._ACTION_HANDLERS[action] = note_mode(handlers._ACTION_HANDLERS[action])


def is_express(stack: str) -> bool:
    """Whether a stack is deployed without waiting for its resources (``cdk deploy --express``)."""
    return _modes.get(stack) == "EXPRESS"


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
