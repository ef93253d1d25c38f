"""How a policy tells SES acting for one configuration set from SES acting for anybody (the confused deputy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ses_events.environment import environment_of

if TYPE_CHECKING:
    import aws_cdk as cdk

    from ses_events.publishing import EventPublishing


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
