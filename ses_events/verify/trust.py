"""What IAM simulates for no role: whether its trust policy lets a service assume it, and what a bucket denies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

_EQUAL = {"StringEquals", "ArnEquals", "ArnLike", "StringLike", "Bool"}


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


def denials(
    policy: Mapping[str, Any], role: str, action: str, resource: str
) -> Iterator[tuple[Mapping[str, Any], bool | None]]:
    """Yield the statements with which the policy of a bucket denies a role something over TLS.

    Each comes with whether it does; None where it depends on what is not known here.

    :param role: the ARN of the role.
    """
    context = {"aws:SecureTransport": "true", "aws:PrincipalArn": role}
    for statement in _several(policy.get("Statement")):
        if statement.get("Effect") != "Deny":
            continue
        conditions = [_holds(*condition, context) for condition in _conditions(statement)]
        verdicts = [
            _is_denied(statement, role),
            _covers(statement, "Action", action.lower()),
            _covers(statement, "Resource", resource),
            *conditions,
        ]
        if False not in verdicts:
            yield statement, None if None in verdicts else True


def _is_denied(statement: Mapping[str, Any], role: str) -> bool | None:
    principal = statement.get("Principal")
    if principal is None:
        return None  # NotPrincipal
    named = _several(principal.get("AWS")) if isinstance(principal, Mapping) else [principal]
    account = role.split(":")[4]
    root = role.replace(role.partition(f"{account}:")[2], "root")
    return bool({"*", role, account, root} & set(named))


def _covers(statement: Mapping[str, Any], element: str, value: str) -> bool:
    """Whether the actions or resources of a statement have one among them."""
    patterns = _several(statement.get(element)) or _several(statement.get(f"Not{element}"))
    lower = (lambda text: text.lower()) if element == "Action" else str
    found = any(fnmatchcase(value, lower(pattern).replace("[", "[[]")) for pattern in patterns)
    return found is (element in statement)


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
    if operator.startswith("Bool"):
        return sent in [value.lower() for value in values]
    return any(fnmatchcase(sent, value.replace("[", "[[]")) for value in values)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
