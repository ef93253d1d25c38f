from __future__ import annotations

from collections.abc import Collection
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from ses_events import EventDestination, EventMonitoring, EventPublishing
from ses_events.publishing.destination import Bound, Source
from tests.support.templates import logical_id, properties, synthesize, waits_for


class OwnTopic(EventDestination):
    """A destination of an app: a topic for each set."""

    def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
        topic = sns.Topic(scope, "Own", display_name=f"Events of {source.known_name}")
        to_topic = ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(topic_arn=topic.topic_arn)
        return Bound({"sns_destination": to_topic}, [topic])


def test_a_destination_of_an_app_needs_bind_alone(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events", configuration_set_name="newsletter")
    made = publishing.add_destination("ToOwn", OwnTopic())
    template = synthesize(stack)
    topic = logical_id(publishing.node.find_child("Own").node.default_child)
    assert properties(template, "AWS::SNS::Topic") == {"DisplayName": "Events of newsletter"}
    destination = properties(template, "AWS::SES::ConfigurationSetEventDestination")["EventDestination"]
    assert destination["SnsDestination"] == {"TopicARN": {"Ref": topic}}
    assert waits_for(template, logical_id(made), topic)


def test_what_only_looks_like_a_destination_is_refused(stack: cdk.Stack) -> None:
    class Like:
        def problems(self, stack: cdk.Stack) -> tuple[str, ...]:
            return ()

    like: Any = Like()
    publishing = EventPublishing(stack, "Events")
    for name in ("Before", "AfterIt"):
        with pytest.raises(TypeError, match=r"destination .* is of type Like; use FirehoseDestination"):
            publishing.add_destination("ToLike", like)
        EventMonitoring(stack, name, publishing=publishing)


@pytest.mark.parametrize(
    ("bound", "fault"),
    [
        (None, "destination.bind None is of type NoneType; use Bound({'sns_destination': ...})"),
        (
            Bound({}),
            "destination.bind.properties has []; give one of cloud_watch_destination, event_bridge_destination,",
        ),
        (Bound({"enabled": True}), "destination.bind.properties has ['enabled']; give one of cloud_watch_destination,"),
        (Bound({"sns_destination": 1}), "destination.bind.properties['sns_destination'] 1 is of type int; use a Sns"),
        (Bound({"sns_destination": {}}, [1]), "destination.bind.after[0] 1 is of type int; use a construct"),
    ],
)
def test_what_an_own_destination_binds_wrongly_is_told(stack: cdk.Stack, bound: Any, fault: str) -> None:
    class Own(OwnTopic):
        def bind(self, scope: Construct, source: Source, events: Collection[ses.EmailSendingEvent]) -> Bound:
            given: Bound = bound
            return given

    publishing = EventPublishing(stack, "Events")
    with pytest.raises((TypeError, ValueError)) as caught:
        publishing.add_destination("ToOwn", Own())
    assert str(caught.value).startswith(f"Mail/Events/ToOwn: {fault}")
    assert publishing.add_destination("ToOwn", OwnTopic())


@pytest.mark.parametrize("found", ["no", None])
def test_problems_of_an_own_destination_are_a_list(stack: cdk.Stack, found: Any) -> None:
    class Own(OwnTopic):
        def problems(self, stack: cdk.Stack) -> Any:
            return found

    with pytest.raises(TypeError, match=rf"destination.problems gives '?{found}'?; let it give a list of strings"):
        EventPublishing(stack, "Events").add_destination("ToOwn", Own())


@pytest.mark.parametrize(
    ("name", "known"), [("newsletter", "newsletter"), (None, None), (cdk.Aws.STACK_NAME, None)], ids=str
)
def test_a_source_knows_whether_its_name_is_known_before_deployment(
    stack: cdk.Stack, name: str | None, known: str | None
) -> None:
    assert Source(ses.CfnConfigurationSet(stack, "Set", name=name), stack).known_name == known
