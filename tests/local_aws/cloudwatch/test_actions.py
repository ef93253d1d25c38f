"""Whom a deployed alarm tells: the policies of the topic and its key decide, as on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import LocalAws
from tests.local_aws.support.deployed import Json

ACCOUNT = "000000000000"
ALARM = "told"
OPEN: Json = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": "*",
}


class Told:
    """An alarm, its topic, and the queue that has what the topic was told."""

    def __init__(self, aws: LocalAws, name: str, **attributes: str) -> None:
        self._cloudwatch, self._sqs, sns = aws.client("cloudwatch"), aws.client("sqs"), aws.client("sns")
        self.topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        from_sns = {**OPEN, "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        self._queue = self._sqs.create_queue(QueueName=name.partition(".")[0], Attributes={"Policy": policy(from_sns)})[
            "QueueUrl"
        ]
        queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name.partition('.')[0]}"
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue_arn)
        self._alarm = {
            "AlarmName": f"{ALARM}-{name}",
            "Namespace": "Nothing",
            "MetricName": "Nothing",
            "Statistic": "Sum",
            "Period": 86400,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
        }
        self.name = str(self._alarm["AlarmName"])
        self._cloudwatch.put_metric_alarm(**self._alarm, AlarmActions=[self.topic])

    def messages(self) -> int:
        """How many messages a change into the state ALARM makes."""
        self._cloudwatch.set_alarm_state(AlarmName=self.name, StateValue="ALARM", StateReason="a test")
        return len(self._sqs.receive_message(QueueUrl=self._queue).get("Messages", []))

    def history(self) -> str:
        """What became of the action."""
        found = self._cloudwatch.describe_alarm_history(AlarmName=self.name, HistoryItemType="Action")
        return str(found["AlarmHistoryItems"][0]["HistorySummary"])

    def delete(self) -> None:
        self._cloudwatch.delete_alarms(AlarmNames=[self.name])


@pytest.fixture
def tell(aws: LocalAws) -> Iterator[Any]:
    made: list[Told] = []

    def make(name: str, **attributes: str) -> Told:
        made.append(Told(aws, name, **attributes))
        return made[-1]

    yield make
    for each in made:
        each.delete()


def policy(statement: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_new_topic_lets_the_alarms_of_its_account_in(tell: Any) -> None:
    told = tell("new")
    assert told.messages() == 1
    assert told.history() == f"Successfully executed action {told.topic}"


@pytest.mark.parametrize(
    ("condition", "messages"),
    [
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*"}}, 1),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, 1),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:*"}}, 0),
        ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, 0),
    ],
)
def test_a_policy_may_name_whose_alarms_come_in(tell: Any, condition: Json, messages: int) -> None:
    told = tell(f"named-{next(iter(condition))}-{messages}", Policy=policy({**OPEN, "Condition": condition}))
    assert told.messages() == messages


def test_a_policy_that_does_not_name_cloudwatch_keeps_alarms_out(tell: Any) -> None:
    told = tell("shut", Policy=policy({**OPEN, "Principal": {"Service": "ses.amazonaws.com"}}))
    assert told.messages() == 0
    assert told.history() == (
        f'Failed to execute action {told.topic}. Received error: "Resource: arn:aws:cloudwatch:us-east-1:{ACCOUNT}:'
        f'alarm:{told.name} is not authorized to perform: SNS:Publish on resource: {told.topic}"'
    )


def test_a_key_that_does_not_name_cloudwatch_keeps_alarms_out(aws: LocalAws, tell: Any) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    told = tell("encrypted-for-alarms", KmsMasterKeyId=key)
    assert told.messages() == 0
    assert "CloudWatch Alarms does not have authorization to access the SNS topic encryption key." in told.history()
    use = {**OPEN, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(use))
    told = tell("encrypted-and-open", KmsMasterKeyId=key)
    assert told.messages() == 1


def test_no_alarm_tells_a_fifo_topic(tell: Any) -> None:
    told = tell("first.fifo", FifoTopic="true")
    assert told.messages() == 0
    assert "The MessageGroupId parameter is required for FIFO topics" in told.history()
