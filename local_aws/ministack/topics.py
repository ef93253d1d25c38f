"""SNS topics, with the key and the default policy that CloudFormation leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import sns

from local_aws.ministack import metrics
from local_aws.ministack.keys import key_arn
from local_aws.ministack.provisioning import Provisioner, handlers_of


def install() -> None:
    """Let CloudFormation set the key of a topic, and give a topic without a policy the default one.

    MiniStack ignores the key, and lets everybody publish to such a topic.
    """
    handlers = handlers_of("AWS::SNS::Topic")
    handlers["create"] = _with_default_policy(_with_key(handlers["create"], 1))
    handlers["update"] = _with_key(handlers["update"], 2)
    sns.publish_internal = _counted(sns.publish_internal)


def key_of_topic(topic_arn: str) -> str | None:
    """Return the ARN of the KMS key that a topic is encrypted with."""
    region, account = topic_arn.split(":")[3:5]
    topic = sns._topics.get_scoped(account, region, topic_arn)
    key = topic and topic["attributes"].get("KmsMasterKeyId")
    return key_arn(key, account, region) if key else None


def policy_of_topic(arn: str) -> Any:
    """Return the policy of a topic, or None when there is no such topic."""
    policy, _ = sns.topic_policy_for_arn(arn) or (None, None)
    return policy


def publish_to_topic(arn: str, message: str, subject: str) -> None:
    """Publish a message to a topic, whatever its policy says."""
    sns.publish_internal(arn, message, subject)


def _counted(publish: Callable[..., Any]) -> Callable[..., Any]:
    """Count what is published (SNS developer guide, metrics); deliveries to subscribers are not counted here."""

    def publish_internal(topic_arn: str, message: Any, *arguments: Any, **options: Any) -> Any:
        published = publish(topic_arn, message, *arguments, **options)
        if published and not published["duplicate"]:
            region, account, name = topic_arn.split(":")[3:6]
            size = len((message if isinstance(message, str) else json.dumps(message)).encode())
            for metric, value, unit in (("NumberOfMessagesPublished", 1, "Count"), ("PublishSize", size, "Bytes")):
                metrics.record_metric("AWS/SNS", metric, value, unit, {"TopicName": name}, account, region)
        return published

    return publish_internal


def _with_key(provision: Provisioner, properties: int) -> Provisioner:
    """Set the key of a topic, whose properties are the argument at this position."""

    def provision_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = provision(*arguments, **options)
        topic, key = sns._topics[arn]["attributes"], arguments[properties].get("KmsMasterKeyId")
        topic.pop("KmsMasterKeyId", None)
        topic.update({"KmsMasterKeyId": key} if key else {})
        return arn, attributes

    return provision_topic


def _with_default_policy(create: Provisioner) -> Provisioner:
    """Let only the account itself use a topic that no policy is written for."""

    def create_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = create(*arguments, **options)
        topic = sns._topics[arn]["attributes"]
        policy = json.loads(topic["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"AWS:SourceOwner": topic["Owner"]}}
        topic["Policy"] = json.dumps(policy)
        return arn, attributes

    return create_topic
