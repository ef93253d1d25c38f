"""Events published to an SNS topic."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns

from ses_events import location
from ses_events.location import environment_of
from ses_events.publishing import rules
from ses_events.publishing.confused_deputy import only_for, only_for_sets_named
from ses_events.publishing.destination import Bound, EventDestination, Source
from ses_events.publishing.topic_policy import Publisher, let_publish, let_use_key
from ses_events.validation import check, first_of

if TYPE_CHECKING:
    from constructs import Construct


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
        """Return why no configuration set of this stack can publish to it."""
        return first_of(
            location.same_region("topic", self.topic.env, stack),
            location.same_app("topic", self.topic, stack, "topic_arn"),
        )

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        """Return what SES is told of it for one configuration set (``EventPublishing.add_destination`` calls it)."""
        stack = source.stack
        if isinstance(self.topic, sns.Topic) and cdk.Stack.of(self.topic) != stack:
            condition = only_for_sets_named(source.known_name or "*", stack)
        else:
            condition = only_for(source)
        here = environment_of(stack)
        ses_here = Publisher("ses.amazonaws.com", here)
        policy = let_publish(scope, self.topic, ses_here, condition, "SES can publish")
        use_key = {"StringEquals": {"aws:SourceAccount": here.account}}
        let_use_key(scope, self.topic, ses_here, ["kms:Decrypt", "kms:GenerateDataKey"], use_key, "SES can publish")
        properties = ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(topic_arn=self.topic.topic_arn)
        return Bound({"sns_destination": properties}, [policy] if policy else [])
