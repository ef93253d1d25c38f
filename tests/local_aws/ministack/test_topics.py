from __future__ import annotations

import json

from local_aws import LocalAws
from tests.local_aws.support.deployed import sum_of

METRICS = ("NumberOfMessagesPublished", "PublishSize")


def test_cloudformation_encrypts_a_topic(aws: LocalAws) -> None:
    keys = [aws.client("kms").create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    cloudformation = aws.client("cloudformation")
    for change, waiter, key in (
        (cloudformation.create_stack, "stack_create_complete", keys[0]),
        (cloudformation.update_stack, "stack_update_complete", keys[1]),
    ):
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "encrypted", "KmsMasterKeyId": key}}
        change(StackName="topic", TemplateBody=json.dumps({"Resources": {"Topic": topic}}))
        cloudformation.get_waiter(waiter).wait(StackName="topic", WaiterConfig={"Delay": 0.1})
        arn = "arn:aws:sns:us-east-1:000000000000:encrypted"
        assert aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == key


def test_what_is_published_to_a_topic_is_counted(aws: LocalAws) -> None:
    sns = aws.client("sns")
    arn = sns.create_topic(Name="counted")["TopicArn"]
    for message in ("one", "three"):
        sns.publish(TopicArn=arn, Message=message)
    counts = {name: sum_of(aws, "AWS/SNS", name, TopicName="counted") for name in METRICS}
    assert counts == {"NumberOfMessagesPublished": 2, "PublishSize": 8}


def test_a_topic_of_cloudformation_is_open_to_its_account_only(aws: LocalAws) -> None:
    cloudformation, sns = aws.client("cloudformation"), aws.client("sns")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "by-cloudformation"}}
    cloudformation.create_stack(StackName="default", TemplateBody=json.dumps({"Resources": {"Topic": topic}}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="default", WaiterConfig={"Delay": 0.1})
    by_sns, by_cloudformation = (
        sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
        for arn in (
            sns.create_topic(Name="by-sns")["TopicArn"],
            "arn:aws:sns:us-east-1:000000000000:by-cloudformation",
        )
    )
    assert json.loads(by_cloudformation) == json.loads(by_sns.replace("by-sns", "by-cloudformation"))
