"""Events published to an SNS topic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns

from ses_events import location
from ses_events.location import Environment, environment_of
from ses_events.publishing import rules
from ses_events.publishing.confused_deputy import only_for, only_for_sets_named
from ses_events.publishing.destination import Bound, EventDestination, Source
from ses_events.tokens import as_text, warn_of_policy
from ses_events.validation import check, first_of

if TYPE_CHECKING:
    from constructs import Construct, IDependable


class _MayPublish(NamedTuple):
    """A statement of a topic's policy about configuration sets of an account."""

    statement: iam.PolicyStatement
    source_arns: list[str]
    policy: IDependable | None


_MAY_PUBLISH: MutableMapping[sns.ITopic, dict[tuple[Environment, str], _MayPublish]] = WeakKeyDictionary()
"""What each topic's policy says, by account and operator: one statement for many sets, as SNS takes 100 in a policy."""


class SnsDestination(EventDestination):
    """Publishes each event to a standard SNS topic.

    In the template: a statement in the topic's policy that lets SES publish for this configuration set of this account,
    and nobody else; further sets are named in the same statement. For a topic encrypted with a customer managed key, a
    statement in the key's policy. The event destination is created after them, because SES tests the topic when it is
    told of it.

    What cannot be edited is warned of, with the statement to add: an imported topic
    (``ses-events:topic-not-editable``), an imported key (``ses-events:key-not-editable``). For a topic in another stack
    the statement names the configuration set where its name is given, else any set of the account: naming the resource
    would make the stacks wait for each other.

    :param topic: a standard topic in the region of the configuration set. FIFO topics, and topics encrypted with
        ``alias/aws/sns`` (whose policy cannot let SES in), are refused (SES developer guide).
    :raises ValueError: when SES cannot publish to the topic.
    :raises TypeError: when ``topic`` is something else.
    """

    def __init__(self, topic: sns.ITopic) -> None:
        check("SnsDestination", rules.topic("topic", topic))
        self.topic = topic
        """Where the events go."""

    def problems(self, stack: cdk.Stack) -> Iterable[str]:
        """Why no configuration set of this stack can publish to it."""
        return first_of(
            location.same_region("topic", self.topic.env, stack),
            location.same_app("topic", self.topic, stack, "topic_arn"),
        )

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """What SES is told of it for one configuration set (``EventPublishing.add_destination`` calls it)."""
        stack = source.stack
        if isinstance(self.topic, sns.Topic) and cdk.Stack.of(self.topic) != stack:
            condition = only_for_sets_named(source.known_name or "*", stack)
        else:
            condition = only_for(source)
        policy = self._may_publish(scope, source, condition)
        if self.topic.master_key:
            use_key = iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                resources=["*"],  # in a key policy: this key
                conditions={"StringEquals": {"aws:SourceAccount": environment_of(stack).account}},
            )
            if not self.topic.master_key.add_to_resource_policy(use_key, True).statement_added:
                owner = f"the key {as_text(scope, self.topic.master_key.key_arn)}"
                statement = use_key.to_statement_json()
                warn_of_policy(scope, "ses-events:key-not-editable", owner, "SES can publish", statement)
        properties = ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(topic_arn=self.topic.topic_arn)
        return Bound({"sns_destination": properties}, [policy] if policy else [])

    def _may_publish(self, scope: Construct, source: Source, condition: dict[str, Any]) -> IDependable | None:
        """Let SES publish for a set; the policy that says so is what the event destination must come after."""
        [(operator, source_arn)] = [
            (operator, wanted["aws:SourceArn"]) for operator, wanted in condition.items() if "aws:SourceArn" in wanted
        ]
        of_topic = _MAY_PUBLISH.setdefault(self.topic, {})
        key = environment_of(source.stack), operator
        if key in of_topic:
            known = of_topic[key]
            if source_arn not in known.source_arns:
                known.source_arns.append(source_arn)
                known.statement.add_condition(operator, {"aws:SourceArn": known.source_arns})
            return known.policy
        statement = iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("ses.amazonaws.com")],
            resources=[self.topic.topic_arn],
            conditions=condition,
        )
        result = self.topic.add_to_resource_policy(statement)
        if result.statement_added:
            of_topic[key] = _MayPublish(statement, [source_arn], result.policy_dependable)
        else:
            owner = f"the topic {as_text(scope, self.topic.topic_arn)}"
            needed = statement.to_statement_json()
            warn_of_policy(scope, "ses-events:topic-not-editable", owner, "SES can publish", needed)
        return result.policy_dependable
