"""How a policy tells SES acting for one configuration set from SES acting for anybody (the confused deputy)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ses_events.location import environment_of

if TYPE_CHECKING:
    import aws_cdk as cdk

    from ses_events.publishing.destination import Source

_SOURCES = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"}
"""The condition keys that name the source of a request (IAM user guide, the confused deputy), without their case."""

_ASKING = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}
"""The operators by which a condition asks for a source; their case is ignored."""


def only_for(source: Source) -> dict[str, Any]:
    """Return the condition that SES acts for this configuration set of this account."""
    return {
        "StringEquals": {
            "aws:SourceAccount": environment_of(source.stack).account,
            "aws:SourceArn": source.arn,
        }
    }


def only_for_sets_named(name: str, stack: cdk.Stack) -> dict[str, Any]:
    """Return the condition that SES acts for a configuration set of the account with this name; ``*`` is any."""
    here = environment_of(stack)
    return {
        "StringEquals": {"aws:SourceAccount": here.account},
        "ArnLike": {"aws:SourceArn": here.arn("ses", f"configuration-set/{name}")},
    }


def is_for_anybody(statement: Mapping[str, Any]) -> bool:
    """Return whether a statement lets a service act for any source: no condition asks for a known one."""
    return not any(all(_is_known(key, value) for value in values) for key, values in _sources(statement))


def other_accounts(statements: Iterable[Mapping[str, Any]], account: str) -> set[str]:
    """Return the accounts that statements let a service act for, where this account is in none of them."""
    foreign = [_others(statement, account) for statement in statements]
    return set().union(*foreign) if all(foreign) else set()


def _others(statement: Mapping[str, Any], account: str) -> set[str]:
    """Return the accounts that a statement asks for in conditions that this account cannot fulfil."""
    asked = [[set(_accounts(key, value)) for value in values] for key, values in _sources(statement)]
    foreign = (set().union(*accounts) for accounts in asked if all(accounts))
    return set().union(*(accounts for accounts in foreign if account not in accounts))


def _sources(statement: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the keys and values of the conditions that hold only when the service names the source that it acts for.

    ``ForAllValues:`` and ``...IfExists`` hold when it does not say (IAM user guide, condition operators).
    """
    for operator, wanted in statement.get("Condition", {}).items():
        if operator.lower().removeprefix("foranyvalue:") in _ASKING:
            for key, value in wanted.items():
                if key.lower() in _SOURCES:
                    yield key.lower(), value if isinstance(value, list) else [value]


def _is_known(key: str, value: Any) -> bool:
    """Return whether a value names one account, organization or set of these, with no wildcard in its name."""
    if not isinstance(value, str):  # what is known at deployment only
        return True
    if key == "aws:sourcearn":
        parts = value.split(":", 5)
        value = parts[4] if len(parts) == 6 else value
    if key == "aws:sourceorgpaths":
        value = value.partition("/")[0]
    return bool(value) and not {*value} & {*"*?"}


def _accounts(key: str, value: Any) -> Iterator[str]:
    """Yield the account that a value names, where it is known."""
    account = value.split(":")[4:5] if key == "aws:sourcearn" and isinstance(value, str) else [value]
    if key in ("aws:sourceaccount", "aws:sourcearn"):
        yield from (each for each in account if isinstance(each, str) and re.fullmatch("[0-9]{12}", each))
