"""How a policy tells SES acting for one configuration set from SES acting for anybody (the confused deputy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk

if TYPE_CHECKING:
    from ses_events.publishing import EventPublishing


def only_for(publishing: EventPublishing) -> dict[str, Any]:
    """The condition that SES acts for this configuration set of this account."""
    return {
        "StringEquals": {
            "aws:SourceAccount": publishing.stack.account,
            "aws:SourceArn": publishing.configuration_set_arn,
        }
    }


def only_for_sets_named(name: str, stack: cdk.Stack) -> dict[str, Any]:
    """The condition that SES acts for a configuration set of the account with this name; ``*`` is any."""
    arn = stack.format_arn(service="ses", resource="configuration-set", resource_name=name)
    return {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": arn}}
