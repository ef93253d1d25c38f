"""What the text of an alarm leads to: a command that shows more, and the section about it in a page."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import aws_cdk as cdk

if TYPE_CHECKING:
    from ses_events.analytics.analytics import EventAnalytics
    from ses_events.monitoring.alarms import AlarmRule
    from ses_events.publishing.publishing import EventPublishing

PAGE = "docs/operations.md"
"""This project's page; a path in its repository, which has no address of its own yet."""


@dataclass(frozen=True)
class Runbook:
    """Where the alarms of one ``EventMonitoring`` lead.

    :param url: a page with a section for each alarm. Default: this project's.
    """

    publishing: EventPublishing | None
    analytics: EventAnalytics | None
    url: str | None

    def description(self, rule: AlarmRule) -> str:
        """Return the description of an alarm, with the commands of the parts that are there, and the link."""
        commands = []  # each names what its stack may have several of
        if rule.query and self.analytics:
            which = f"--stack {_deployed_name(self.analytics.stack)} --workgroup {self.analytics.workgroup_name}"
            commands.append(f"ses-events query {rule.query} {which}")
        if rule.verify and self.publishing:
            of_set = f"--configuration-set {self.publishing.configuration_set_name}"
            commands.append(f"ses-events verify --stack {_deployed_name(self.publishing.stack)} {of_set}")
        run = f" Run: {'; '.join(commands)}." if commands else ""
        return f"{rule.description}{run} Runbook: {self.url or PAGE}#{rule.name}"


_NAMES: MutableMapping[cdk.Stack, str] = WeakKeyDictionary()


def _deployed_name(stack: cdk.Stack) -> str:
    """Return the name by which a person knows a stack, asked of CDK once: of a nested stack, that of the outermost."""
    if stack not in _NAMES:
        parent = stack.nested_stack_parent
        _NAMES[stack] = _deployed_name(parent) if parent else stack.stack_name
    return _NAMES[stack]
