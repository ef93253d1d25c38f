"""Whether the trust policy of a role lets a service assume it: IAM simulates permissions, but no trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

_EQUAL = {"StringEquals", "ArnEquals", "ArnLike", "StringLike"}


def lets_assume(policy: Mapping[str, Any], service: str, context: Mapping[str, str]) -> bool | None:
    """Whether a service may assume a role; None where the policy has conditions that are not understood here.

    :param policy: the trust policy.
    :param service: the service, such as ``ses.amazonaws.com``.
    :param context: the condition keys that the service sends along.
    """
    verdicts: dict[str, set[bool | None]] = {"Allow": set(), "Deny": set()}
    for statement in _several(policy.get("Statement")):
        if _names(statement, service) and _has_action(statement):
            conditions = [_holds(*condition, context) for condition in _conditions(statement)]
            holds = False if False in conditions else None if None in conditions else True
            verdicts[statement["Effect"]].add(holds)
    if True in verdicts["Deny"]:
        return False
    if True in verdicts["Allow"]:
        return None if None in verdicts["Deny"] else True
    return None if None in verdicts["Allow"] else False


def _names(statement: Mapping[str, Any], service: str) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, Mapping) and service in _several(principal.get("Service")))


def _has_action(statement: Mapping[str, Any]) -> bool:
    return any(fnmatchcase("sts:assumerole", action.lower()) for action in _several(statement.get("Action")))


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key, [str(value) for value in _several(values)]


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, str]) -> bool | None:
    sent = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator.removesuffix("IfExists") not in _EQUAL or sent is None:
        return None
    if operator.startswith("StringEquals"):
        return sent in values
    return any(fnmatchcase(sent, value.replace("[", "[[]")) for value in values)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
