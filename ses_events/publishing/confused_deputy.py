"""How a policy tells SES acting for one configuration set from SES acting for anybody (the confused deputy)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ses_events.location import environment_of

if TYPE_CHECKING:
    import aws_cdk as cdk

    from ses_events.publishing.publishing import EventPublishing

_SOURCES = {"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"}
"""The condition keys that say for whom a service acts (IAM user guide, the confused deputy); their case is ignored."""


def only_for(publishing: EventPublishing) -> dict[str, Any]:
    """The condition that SES acts for this configuration set of this account."""
    return {
        "StringEquals": {
            "aws:SourceAccount": environment_of(publishing.stack).account,
            "aws:SourceArn": publishing.configuration_set_arn,
        }
    }


def only_for_sets_named(name: str, stack: cdk.Stack) -> dict[str, Any]:
    """The condition that SES acts for a configuration set of the account with this name; ``*`` is any."""
    here = environment_of(stack)
    return {
        "StringEquals": {"aws:SourceAccount": here.account},
        "ArnLike": {"aws:SourceArn": here.arn("ses", f"configuration-set/{name}")},
    }


def is_for_anybody(statement: Mapping[str, Any]) -> bool:
    """Whether a statement lets a service act for whom it likes: no condition asks for a source, or any will do."""
    return not any(
        key.lower() in _SOURCES and "*" not in (value if isinstance(value, list) else [value])
        for operator, wanted in statement.get("Condition", {}).items()
        if operator != "Null" and "Not" not in operator
        for key, value in wanted.items()
    )
