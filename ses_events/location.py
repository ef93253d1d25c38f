"""The account and region of a stack, asked of CDK once: each answer is a round trip to the process that CDK runs in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from constructs import IConstruct

from ses_events.tokens import TOKEN

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch


class Environment(NamedTuple):
    """Where a stack is deployed; tokens where that is known at deployment only."""

    account: str
    region: str
    partition: str

    @property
    def known(self) -> tuple[str | None, str | None]:
        """Return the account and the region; None where it is known at deployment only."""
        account, region = (each if each and not TOKEN.search(each) else None for each in (self.account, self.region))
        return account, region

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource here, such as ``configuration-set/name``."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def metric(
        self, namespace: str, name: str, statistic: str, dimensions: Mapping[str, str] | None = None
    ) -> cloudwatch.Metric:
        """Return a metric that is counted here; a graph elsewhere looks here, where account and region are known.

        Where it is used here, CDK writes neither.
        """
        account, region = self.known
        return cdk.aws_cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            statistic=statistic,
            dimensions_map=dimensions,
            stack_account=account,
            stack_region=region,
        )


ANYWHERE = Environment("", "", "")
"""For a metric that is counted nowhere yet, or in several places."""

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


_STACKS: MutableMapping[IConstruct, cdk.Stack] = WeakKeyDictionary()
_STAGES: MutableMapping[cdk.Stack, cdk.Stage | None] = WeakKeyDictionary()
_ROOTS: MutableMapping[cdk.Stack, IConstruct] = WeakKeyDictionary()


def same_app(
    argument: str, value: IConstruct, stack: cdk.Stack, name: str | None = None, *, waited_for: bool = False
) -> Iterator[str]:
    """In the App, Stage, account and region of the stack, with a name of its own, or carried over by CDK (AWS CDK)."""
    # name: the attribute by which the template names it; without one it has no name before deployment.
    # waited_for: resources of the stack depend on it, which CDK allows within a Stage only.
    theirs = stack_of_construct(value)
    apart = why_apart(theirs, stack)
    if apart is None:
        return
    if waited_for and stage_of(theirs) is not stage_of(stack):
        refused = True
    else:
        made = any(isinstance(each, cdk.CfnElement) for each in value.node.find_all())
        refused = made and not (name and can_name(stack, theirs, getattr(value, name)))
    if refused:
        yield f"{argument} {value.node.path!r} {apart}, or import it here by its ARN"


def nameable(argument: str, texts: Iterable[str], stack: cdk.Stack) -> Iterator[str]:
    """Texts that refer to nothing of another App or Stage (AWS CDK)."""
    for token in (token for text in texts for token in TOKEN.findall(str(text))):
        reference = cdk.Tokenization.reverse(token)
        if not isinstance(reference, cdk.Reference) or reference.display_name.startswith("AWS::"):
            continue
        theirs = stack_of_construct(reference.target)
        apart = why_apart(theirs, stack)
        if apart and not can_name(stack, theirs, token):
            yield f"{argument} is about {reference.target.node.path!r}, which {apart}"


def why_apart(theirs: cdk.Stack, stack: cdk.Stack) -> str | None:
    """Why the template of a stack may not name what is in another one, and what to do; None where it may."""
    if theirs is stack:
        return None
    if stage_of(theirs) is stage_of(stack):
        if environment_of(theirs) == environment_of(stack):
            return None
        return "is in a stack of another env, which cannot be named from here; give both stacks the same env"
    if root_of(theirs) is not root_of(stack):
        return "is of another App, which cannot be named from here; make it in this one"
    return "is of another Stage, which cannot be named from here; make it in the Stage of this stack"


def can_name(stack: cdk.Stack, theirs: cdk.Stack, value: object) -> bool:
    """Whether a stack knows before deployment what a text about another one is, or CDK can carry it over."""
    try:
        text = json.dumps(stack.resolve(value))
    except RuntimeError:  # how CDK says that a resource needs a name for this
        return False
    if not re.search(r'"Ref": "(?!AWS::)|"Fn::GetAtt"', text):
        return True
    # Between Stages, what CDK carries over is missing where the other one is synthesized first.
    places = environment_of(stack), environment_of(theirs)
    return stage_of(theirs) is stage_of(stack) and not any(TOKEN.search(each.region) for each in places)


def stack_of_construct(value: IConstruct) -> cdk.Stack:
    """Return the stack of a construct, asked of CDK once: it never changes."""
    stack = vars(value).get("stack")  # of this package's constructs, without asking CDK
    if isinstance(stack, cdk.Stack):
        return stack
    if value not in _STACKS:
        _STACKS[value] = cdk.Stack.of(value)
    return _STACKS[value]


def stage_of(stack: cdk.Stack) -> cdk.Stage | None:
    """Return the App or Stage of a stack, asked of CDK once."""
    if stack not in _STAGES:
        _STAGES[stack] = cdk.Stage.of(stack)
    return _STAGES[stack]


def root_of(stack: cdk.Stack) -> IConstruct:
    """Return the root of the construct tree of a stack, asked of CDK once."""
    if stack not in _ROOTS:
        _ROOTS[stack] = stack.node.root
    return _ROOTS[stack]


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
