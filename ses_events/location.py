"""The account and region of a stack, asked of CDK once: each answer is a round trip to the process that CDK runs in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import aws_cdk as cdk

from ses_events.tokens import TOKEN

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch


class Environment(NamedTuple):
    """Where a stack is deployed; tokens where that is known at deployment only."""

    account: str
    region: str
    partition: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource here, such as ``configuration-set/name``."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def metric(
        self, namespace: str, name: str, statistic: str, dimensions: Mapping[str, str] | None = None
    ) -> cloudwatch.Metric:
        """Return a metric that is counted here; a graph elsewhere looks here, where account and region are known."""
        account, region = (None if TOKEN.search(each) else each for each in (self.account, self.region))
        return cdk.aws_cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            statistic=statistic,
            dimensions_map=dimensions,
            stack_account=account,
            stack_region=region,
        )


_PART = re.compile(rf"(?:{TOKEN.pattern}|[^:])+")
"""A part of an ARN: a token may have colons too."""

_ENVIRONMENTS: MutableMapping[cdk.Stack, Environment] = WeakKeyDictionary()


def environment_of(stack: cdk.Stack) -> Environment:
    """Return where a stack is deployed."""
    if stack not in _ENVIRONMENTS:
        # one round trip for all three
        _, partition, _, region, account, _ = _PART.findall(stack.format_arn(service="ses", resource="identity"))
        _ENVIRONMENTS[stack] = Environment(account, region, partition)
    return _ENVIRONMENTS[stack]


class Place(Protocol):
    """Where something is deployed, such as ``cdk.ResourceEnvironment``; None where that is not known."""

    @property
    def account(self) -> str | None:
        """Return the account."""

    @property
    def region(self) -> str | None:
        """Return the region."""


def same_place(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the account and region of the stack (SES developer guide; Firehose developer guide)."""
    yield from same_account(argument, theirs, stack)
    yield from same_region(argument, theirs, stack)


def same_account(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the account of the stack (IAM user guide, PassRole)."""
    account, ours = theirs.account, environment_of(stack).account
    if known_to_differ(account, ours):
        yield f"{argument} is in {account}, this stack in {ours}; use one of this account"


def same_region(argument: str, theirs: Place, stack: cdk.Stack) -> Iterator[str]:
    """In the region of the stack (SES developer guide; Firehose developer guide)."""
    region, ours = theirs.region, environment_of(stack).region
    if known_to_differ(region, ours):
        yield f"{argument} is in {region}, this stack in {ours}; use one of this region"


def known_to_differ(theirs: str | None, ours: str) -> bool:
    """Return whether two accounts or regions are known before deployment, and are not the same."""
    return bool(theirs) and theirs != ours and not any(map(cdk.Token.is_unresolved, (ours, theirs)))
