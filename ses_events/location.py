"""The account and region of a stack, asked of CDK once: each answer is a round trip to the process that CDK runs in."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import aws_cdk as cdk


class Environment(NamedTuple):
    """Where a stack is deployed; tokens where that is known at deployment only."""

    account: str
    region: str
    partition: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource here, such as ``configuration-set/name``."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


_ENVIRONMENTS: MutableMapping[cdk.Stack, Environment] = WeakKeyDictionary()


def environment_of(stack: cdk.Stack) -> Environment:
    """Where a stack is deployed."""
    if stack not in _ENVIRONMENTS:
        _ENVIRONMENTS[stack] = Environment(stack.account, stack.region, stack.partition)
    return _ENVIRONMENTS[stack]
