"""How a topic, and the key that encrypts it, let a service of AWS publish: one statement each, however many ask."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from ses_events.location import Environment
from ses_events.tokens import as_text, warn_of_policy

if TYPE_CHECKING:
    from constructs import IConstruct, IDependable


class Publisher(NamedTuple):
    """A service that acts for an account in a region."""

    service: str
    """As policies name it, such as ``ses.amazonaws.com``."""
    environment: Environment


class _MayPublish(NamedTuple):
    """A statement of a topic's policy about a publisher."""

    statement: iam.PolicyStatement
    source_arns: list[str]
    policy: IDependable | None


_MAY_PUBLISH: MutableMapping[sns.ITopic, dict[tuple[Publisher, str], _MayPublish]] = WeakKeyDictionary()
"""What each topic's policy says, by publisher and operator: one statement for many, as SNS takes 100 in a policy."""


def let_publish(
    scope: IConstruct, topic: sns.ITopic, publisher: Publisher, condition: dict[str, Any], purpose: str
) -> IDependable | None:
    """Let a service publish for what ``aws:SourceArn`` of a condition names, and return the policy that says so.

    :param purpose: what the statement is for, in the warning on ``scope`` where the topic cannot be edited.
    """
    [(operator, source_arn)] = [
        (operator, wanted["aws:SourceArn"]) for operator, wanted in condition.items() if "aws:SourceArn" in wanted
    ]
    of_topic = _MAY_PUBLISH.setdefault(topic, {})
    if (publisher, operator) in of_topic:
        known = of_topic[publisher, operator]
        if source_arn not in known.source_arns:
            known.source_arns.append(source_arn)
            known.statement.add_condition(operator, {"aws:SourceArn": known.source_arns})
        return known.policy
    statement = iam.PolicyStatement(
        actions=["sns:Publish"],
        principals=[iam.ServicePrincipal(publisher.service)],
        resources=[topic.topic_arn],
        conditions=condition,
    )
    result = topic.add_to_resource_policy(statement)
    if result.statement_added:
        of_topic[publisher, operator] = _MayPublish(statement, [source_arn], result.policy_dependable)
    else:
        owner = f"the topic {as_text(scope, topic.topic_arn)}"
        if not topic.master_key:
            owner += " (give its key to sns.Topic.from_topic_attributes, where it has one)"
        warn_of_policy(scope, "ses-events:topic-not-editable", owner, purpose, statement.to_statement_json())
    return result.policy_dependable


def let_use_key(
    scope: IConstruct,
    topic: sns.ITopic,
    publisher: Publisher,
    actions: list[str],
    condition: dict[str, Any],
    purpose: str,
) -> None:
    """Let a service encrypt what it publishes, where the topic has a key that is known."""
    if topic.master_key is None:
        return
    statement = iam.PolicyStatement(
        actions=actions,
        principals=[iam.ServicePrincipal(publisher.service)],
        resources=["*"],  # in a key policy: this key
        conditions=condition,
    )
    if not topic.master_key.add_to_resource_policy(statement, True).statement_added:
        owner = f"the key {as_text(scope, topic.master_key.key_arn)}"
        warn_of_policy(scope, "ses-events:key-not-editable", owner, purpose, statement.to_statement_json())
