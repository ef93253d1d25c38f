from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns

from ses_events import EventPublishing, SnsDestination
from tests.support.templates import (
    Json,
    logical_id,
    only,
    properties,
    readable,
    resources,
    statements_in,
    synthesize,
    waits_for,
    warning_texts,
    warnings,
)

EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
SET_ARN = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set"


def publish_statement(topic: str, condition: Json) -> Json:
    return {
        "Action": "sns:Publish",
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Resource": topic,
        "Condition": condition,
    }


def without_sid(policy: Json) -> list[Json]:
    return [
        {key: value for key, value in statement.items() if key != "Sid"}
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_ses_may_publish_for_this_set_of_this_account_before_the_destination_exists(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    destination = publishing.add_destination("ToTopic", SnsDestination(sns.Topic(stack, "Topic")))
    template = synthesize(stack)
    policy, _ = only(template, "AWS::SNS::TopicPolicy")
    topic, _ = only(template, "AWS::SNS::Topic")
    assert without_sid(properties(readable(template), "AWS::SNS::TopicPolicy")) == [
        publish_statement(
            f"${{{topic}}}",
            {
                "StringEquals": {
                    "aws:SourceAccount": "${AWS::AccountId}",
                    "aws:SourceArn": f"{SET_ARN}/${{{logical_id(publishing.configuration_set)}}}",
                }
            },
        )
    ]
    assert properties(template, EVENT_DESTINATION)["EventDestination"]["SnsDestination"] == {"TopicARN": {"Ref": topic}}
    assert waits_for(template, logical_id(destination), policy)
    assert warnings(stack) == set()


def test_a_topic_of_many_sets_lets_ses_publish_for_each_in_one_statement(stack: cdk.Stack) -> None:
    to_topic = SnsDestination(sns.Topic(stack, "Topic"))
    brands = [EventPublishing(stack, f"Brand{number}") for number in range(101)]
    for brand in brands:
        brand.add_destination("ToTopic", to_topic)
    template = synthesize(stack)
    (statement,) = without_sid(properties(readable(template), "AWS::SNS::TopicPolicy"))
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "${AWS::AccountId}",
            "aws:SourceArn": [f"{SET_ARN}/${{{logical_id(brand.configuration_set)}}}" for brand in brands],
        }
    }
    policy, _ = only(template, "AWS::SNS::TopicPolicy")
    assert all(waits_for(template, name, policy) for name in resources(template, EVENT_DESTINATION))


def test_two_destinations_of_a_set_to_one_topic_are_one_statement_for_that_set(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    publishing = EventPublishing(stack, "Events")
    for name in ("First", "Second"):
        publishing.add_destination(name, SnsDestination(topic))
    (statement,) = without_sid(properties(readable(synthesize(stack)), "AWS::SNS::TopicPolicy"))
    set_arn = f"{SET_ARN}/${{{logical_id(publishing.configuration_set)}}}"
    assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == set_arn


def test_sets_of_other_stacks_share_a_statement_of_the_topic(stack: cdk.Stack) -> None:
    topics = cdk.Stack(cdk.Stage.of(stack), "Topics")
    to_topic = SnsDestination(sns.Topic(topics, "Topic"))
    for name in ("red", "blue"):
        EventPublishing(stack, name, configuration_set_name=name).add_destination("ToTopic", to_topic)
    synthesize(stack)
    (statement,) = without_sid(properties(readable(synthesize(topics)), "AWS::SNS::TopicPolicy"))
    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": [f"{SET_ARN}/red", f"{SET_ARN}/blue"]}


def test_the_key_of_the_topic_lets_ses_in(stack: cdk.Stack) -> None:
    to_topic = SnsDestination(sns.Topic(stack, "Topic", master_key=kms.Key(stack, "Key")))
    for brand in ("Red", "Blue"):
        EventPublishing(stack, brand).add_destination("ToTopic", to_topic)
    template = readable(synthesize(stack))
    statements = [
        statement
        for statement in properties(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
        if statement["Principal"].get("Service") == "ses.amazonaws.com"
    ]
    assert statements == [
        {
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}},
        }
    ]


def test_an_imported_topic_is_warned_of_with_the_statement_it_needs(stack: cdk.Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:bounces")
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToTopic", SnsDestination(topic))
    (text,) = warning_texts(stack)
    assert text.startswith(
        "the policy of the topic arn:aws:sns:us-east-1:111122223333:bounces (give its key to "
        "sns.Topic.from_topic_attributes, where it has one) cannot be edited from here, "
        "and SES can publish only when it has this statement (docs/security.md): {"
    )
    assert statements_in(text) == [
        publish_statement(
            "arn:aws:sns:us-east-1:111122223333:bounces",
            {
                "StringEquals": {
                    "aws:SourceAccount": "${AWS::AccountId}",
                    "aws:SourceArn": f"{SET_ARN}/${{Mail/Events/ConfigurationSet}}",
                }
            },
        )
    ]
    assert warnings(stack) == {"ses-events:topic-not-editable"}
    cdk.Validations.of(publishing).acknowledge(
        cdk.Acknowledgment(id="ses-events:topic-not-editable", reason="added by the team that owns the topic")
    )
    assert warnings(stack) == set()


def test_an_imported_key_is_warned_of_with_the_statement_it_needs(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/1234")
    topic = sns.Topic(stack, "Topic", master_key=key)
    EventPublishing(stack, "Events").add_destination("ToTopic", SnsDestination(topic))
    (text,) = warning_texts(stack)
    assert warnings(stack) == {"ses-events:key-not-editable"}
    (statement,) = statements_in(text)
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}}


@pytest.mark.parametrize(
    ("set_of", "source_arn"),
    [
        ("a given name", f"{SET_ARN}/newsletter"),
        ("a generated name", f"{SET_ARN}/*"),
        ("an imported set", f"{SET_ARN}/imported"),
    ],
)
def test_a_topic_of_another_stack_makes_no_circle_of_stacks(stack: cdk.Stack, set_of: str, source_arn: str) -> None:
    topics = cdk.Stack(cdk.Stage.of(stack), "Topics")
    topic = sns.Topic(topics, "Topic")
    publishing = EventPublishing(
        stack,
        "Events",
        configuration_set_name="newsletter" if set_of == "a given name" else None,
        configuration_set=ses.ConfigurationSet.from_configuration_set_name(stack, "Set", "imported")
        if set_of == "an imported set"
        else None,
    )
    publishing.add_destination("ToTopic", SnsDestination(topic))
    synthesize(stack)
    (statement,) = without_sid(properties(readable(synthesize(topics)), "AWS::SNS::TopicPolicy"))
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
        "ArnLike": {"aws:SourceArn": source_arn},
    }
    assert topics in stack.dependencies and stack not in topics.dependencies


def test_a_topic_in_the_parent_of_a_nested_stack_is_ready_before_the_nested_stack(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    nested = cdk.NestedStack(stack, "Nested")
    EventPublishing(nested, "Events").add_destination("ToTopic", SnsDestination(topic))
    parent = synthesize(stack)
    synthesize(nested)
    (nested_stack,) = resources(parent, "AWS::CloudFormation::Stack")
    (policy,) = resources(parent, "AWS::SNS::TopicPolicy")
    assert waits_for(parent, nested_stack, policy)


def test_the_statement_for_an_imported_topic_is_exact_even_from_a_nested_stack(stack: cdk.Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:bounces")
    publishing = EventPublishing(cdk.NestedStack(stack, "Nested"), "Events")
    publishing.add_destination("ToTopic", SnsDestination(topic))
    ((statement,),) = [statements_in(text) for text in warning_texts(stack)]
    name = "${Mail/Nested/Events/ConfigurationSet}"
    assert statement["Condition"]["StringEquals"]["aws:SourceArn"] == f"{SET_ARN}/{name}"
