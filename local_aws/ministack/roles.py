"""Roles as services see them: as they were some seconds ago."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ministack.core import iam_evaluator
from ministack.services import iam

from local_aws.ministack import requests
from local_aws.ministack.delays import delays
from local_aws.ministack.provisioning import handlers_of

T = TypeVar("T")


@dataclass
class Past(Generic[T]):
    """Keep what things were like at any time since the server started."""

    _versions: dict[str, list[tuple[float, T | None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, things: Mapping[str, T]) -> None:
        """Note what all things are like now; what is missing is gone."""
        with self._lock:
            for name in {*things, *self._versions}:
                versions = self._versions.setdefault(name, [])
                if not versions or versions[-1][1] != things.get(name):
                    versions.append((time.monotonic(), things.get(name)))

    def seen(self, name: str, seconds_ago: float) -> T | None:
        """Return what a thing was like some seconds ago; None when it did not exist."""
        then = time.monotonic() - seconds_ago
        with self._lock:
            return next((thing for at, thing in reversed(self._versions.get(name, [])) if at <= then), None)


_roles_in_the_past: defaultdict[str, Past[dict[str, Any]]] = defaultdict(Past)  # by account  # by account


def install() -> None:
    """Let services see the roles that trust them as they were ``delays.iam`` seconds ago.

    Roles that only people assume change at once: nobody could work with a new account otherwise.
    """

    def note_afterwards(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            try:
                return change(*arguments, **options)
            finally:
                roles = {name: _snapshot(role) for name, role in iam._roles.items()}
                _roles_in_the_past[requests.account()].note(roles)

        return changed

    for action, handler in iam._IAM_HANDLERS.items():
        if not action.startswith(("Get", "List", "Simulate")):
            iam._IAM_HANDLERS[action] = note_afterwards(handler)
    for kind in ("Role", "Policy", "ManagedPolicy"):
        handlers = handlers_of(f"AWS::IAM::{kind}")
        handlers |= {name: note_afterwards(handlers[name]) for name in ("create", "update", "delete")}

    gather = iam_evaluator._gather_role_policies

    def gather_role_policies(name: str, account: str) -> Any:
        past = _roles_in_the_past[account].seen(name, delays.iam) if delays.iam else None
        current = iam._roles.get_scoped(account, None, name)
        if not delays.iam or '"Service"' not in str((past or current or {}).get("AssumeRolePolicyDocument")):
            return gather(name, account)
        return [iam_evaluator.parse_policy_document(document) for document in past["Policies"]] if past else []

    iam_evaluator._gather_role_policies = gather_role_policies


def role(account: str, name: str) -> Any:
    """Return an IAM role as services see it, or None."""
    if delays.iam:
        return _roles_in_the_past[account].seen(name, delays.iam)
    return iam._roles.get_scoped(account, None, name)


def _snapshot(role: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides who assumes a role and what it may do."""
    attached = (
        iam_evaluator._resolve_managed_policy_document(arn, role["Arn"].split(":")[4])
        for arn in role["AttachedPolicies"]
    )
    return {
        "RoleId": role["RoleId"],
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "Policies": [*role["InlinePolicies"].values(), *filter(None, attached)],
    }
