"""Whom an alarm tells: a topic lets the alarms of this account in, or it is said what it lacks."""

from __future__ import annotations

from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from ses_events import EventArchive, EventMonitoring, EventPublishing, SnsDestination
from tests.support.templates import (
    Json,
    logical_id,
    new_app,
    properties,
    readable,
    resources,
    statements_in,
    synthesize,
    warning_texts,
    warnings,
)

ARN = "arn:aws:sns:us-east-1:111122223333:on-call"
OF_THIS_ACCOUNT = {
    "ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"},
    "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
}


def told(stack: cdk.Stack, *topics: sns.ITopic, name: str = "Monitoring", **options: Any) -> EventMonitoring:
    archive = EventArchive(stack, f"{name}Archive")
    return EventMonitoring(stack, name, archive=archive, alarm_actions=topics, ok_actions=topics, **options)


def of_cloudwatch(policy: Json) -> list[Json]:
    """The statements of a policy about CloudWatch, without their ids."""
    return [
        {key: value for key, value in statement.items() if key != "Sid"}
        for statement in policy["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]


def statement(actions: str | list[str], resource: str) -> Json:
    return {
        "Action": actions,
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": resource,
        "Condition": OF_THIS_ACCOUNT,
    }


def test_every_alarm_tells_the_topic_of_both(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "OnCall")
    told(stack, topic).add_alarm("Mine", EventArchive(stack, "Other").metric_incoming_bytes(), threshold=1)
    name = f"${{{logical_id(topic.node.default_child)}}}"
    for alarm in resources(readable(synthesize(stack)), "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [name]


def test_one_statement_lets_all_alarms_of_the_account_publish(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "OnCall", enforce_ssl=True)
    for name in ("First", "Second"):
        told(stack, topic, name=name)
    policy = properties(readable(synthesize(stack)), "AWS::SNS::TopicPolicy")["PolicyDocument"]
    assert of_cloudwatch(policy) == [statement("sns:Publish", f"${{{logical_id(topic.node.default_child)}}}")]
    assert warnings(stack) == set()


def test_one_statement_lets_all_alarms_of_the_account_use_the_key(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "OnCall", master_key=kms.Key(stack, "Key"))
    for name in ("First", "Second"):
        told(stack, topic, name=name)
    policy = properties(readable(synthesize(stack)), "AWS::KMS::Key")["KeyPolicy"]
    assert of_cloudwatch(policy) == [statement(["kms:Decrypt", "kms:GenerateDataKey*"], "*")]


def test_a_topic_of_events_and_alarms_lets_both_services_in(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "OnCall")
    EventPublishing(stack, "Events").add_destination("ToTopic", SnsDestination(topic))
    told(stack, topic)
    policy = properties(synthesize(stack), "AWS::SNS::TopicPolicy")["PolicyDocument"]
    assert [each["Principal"]["Service"] for each in policy["Statement"]] == [
        "ses.amazonaws.com",
        "cloudwatch.amazonaws.com",
    ]


def test_a_topic_of_another_stack_makes_no_dependency_cycle(stack: cdk.Stack) -> None:
    topics = cdk.Stack(cdk.Stage.of(stack), "Topics")
    told(stack, sns.Topic(topics, "OnCall", master_key=kms.Key(topics, "Key")))
    synthesize(stack)
    template = readable(synthesize(topics))
    assert len(of_cloudwatch(properties(template, "AWS::SNS::TopicPolicy")["PolicyDocument"])) == 1
    assert len(of_cloudwatch(properties(template, "AWS::KMS::Key")["KeyPolicy"])) == 1
    assert topics in stack.dependencies and stack not in topics.dependencies


def test_an_imported_topic_is_warned_of_once_with_the_statement_it_needs(stack: cdk.Stack) -> None:
    topic = sns.Topic.from_topic_arn(stack, "OnCall", ARN)
    for name in ("First", "Second"):
        told(stack, topic, name=name)
    (text,) = warning_texts(stack)
    assert text.startswith(
        f"the policy of the topic {ARN} (give its key to sns.Topic.from_topic_attributes, where it has one) cannot be "
        "edited from here, and unless it is the one that SNS gives a new topic, alarms reach it only when it has this "
        "statement"
    )
    assert statements_in(text) == [statement("sns:Publish", ARN)]
    acknowledgment = cdk.Acknowledgment(id="ses-events:topic-not-editable", reason="it has that statement")
    cdk.Validations.of(topic).acknowledge(acknowledgment)
    assert warnings(stack) == set()


def test_an_imported_key_is_warned_of_once_with_the_statement_it_needs(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/1234")
    told(stack, sns.Topic(stack, "OnCall", master_key=key))
    (text,) = warning_texts(stack)
    assert statements_in(text) == [statement(["kms:Decrypt", "kms:GenerateDataKey*"], "*")]
    assert warnings(stack) == {"ses-events:key-not-editable"}


def test_a_topic_of_another_account_needs_the_statement_in_any_case() -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="444455556666", region="us-east-1"))
    told(stack, sns.Topic.from_topic_arn(stack, "OnCall", ARN))
    (text,) = warning_texts(stack)
    assert "cannot be edited from here, and alarms reach it only when it has this statement" in text
    assert statements_in(text)[0]["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:cloudwatch:us-east-1:444455556666:alarm:*"},
        "StringEquals": {"aws:SourceAccount": "444455556666"},
    }


def test_a_topic_known_at_deployment_only_is_taken(stack: cdk.Stack) -> None:
    told(stack, sns.Topic.from_topic_arn(stack, "OnCall", cdk.Fn.import_value("OnCall")))
    assert warnings(stack) == {"ses-events:topic-not-editable"}


@pytest.mark.parametrize("argument", ["alarm_actions", "ok_actions"])
def test_a_topic_that_no_alarm_can_tell_is_refused(argument: str) -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    aws_managed = kms.Alias.from_alias_name(stack, "AwsManaged", "alias/aws/sns")
    topics = [
        sns.Topic(stack, "Fifo", fifo=True),
        sns.Topic.from_topic_arn(stack, "There", ARN),
        sns.Topic(stack, "AwsManagedKey", master_key=aws_managed),
        sns.Topic(stack, "Overridden"),
    ]
    cast(sns.CfnTopic, topics[3].node.default_child).kms_master_key_id = "alias/aws/sns"
    arguments: dict[str, Any] = {argument: topics}
    with pytest.raises(ValueError) as caught:
        EventMonitoring(stack, "Monitoring", archive=EventArchive(stack, "Archive"), **arguments)
    assert str(caught.value) == "\n".join(
        (
            f"Mail/Monitoring: {argument}[0] 'Mail/Fifo' is a FIFO topic, and CloudWatch publishes to standard topics "
            "only; use one",
            f"Mail/Monitoring: {argument}[1] is in us-east-1, this stack in eu-west-1; use one of this region",
            f"Mail/Monitoring: {argument}[2] 'Mail/AwsManagedKey' is encrypted with alias/aws/sns, whose policy cannot "
            "let CloudWatch in; use a kms.Key of your own",
            f"Mail/Monitoring: {argument}[3] 'Mail/Overridden' is encrypted with alias/aws/sns, whose policy cannot "
            "let CloudWatch in; use a kms.Key of your own",
        )
    )
