"""A stack that publishes to every kind of destination, with parts that are there already, as a user writes it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ses_events import EventArchive, EventBridgeDestination, EventPublishing, FirehoseDestination, SnsDestination

EXISTING_SET = "there-already"
EXISTING_BUCKET = "there-already"
PREFIX = "mail/events/dt=!{timestamp:yyyy-MM-dd}/"


class EveryDestination(cdk.Stack):
    """Three sets that are new, and one that exists; an archive with a KMS key, and one in a bucket that exists."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = sns.Topic(self, "Topic")
        secret_topic = sns.Topic(self, "SecretTopic", master_key=kms.Key(self, "TopicKey"))
        rule = events.Rule(self, "Rule", event_pattern=events.EventPattern(source=["aws.ses"]))
        queues = {name: sqs.Queue(self, f"{name}Queue") for name in ("Topic", "SecretTopic", "Bus")}
        topic.add_subscription(subscriptions.SqsSubscription(queues["Topic"]))
        secret_topic.add_subscription(subscriptions.SqsSubscription(queues["SecretTopic"]))
        rule.add_target(targets.SqsQueue(queues["Bus"]))

        secret_archive = EventArchive(
            self,
            "SecretArchive",
            encryption_key=kms.Key(self, "ArchiveKey"),
            buffering_interval=cdk.Duration.seconds(60),
        )
        archive = EventArchive(
            self,
            "Archive",
            bucket=s3.Bucket.from_bucket_name(self, "Bucket", EXISTING_BUCKET),
            prefix=PREFIX,
            buffering_interval=cdk.Duration.seconds(60),
        )
        shared_role = FirehoseDestination.with_shared_role(archive)

        first = EventPublishing(self, "First")
        first.add_destination("ToTopic", SnsDestination(topic))
        first.add_destination("ToSecretTopic", SnsDestination(secret_topic))
        first.add_destination("ToBus", EventBridgeDestination())
        first.add_destination("ToArchive", FirehoseDestination(secret_archive), name="archive")
        second = EventPublishing(self, "Second")
        second.add_destination("ToArchive", FirehoseDestination(secret_archive), name="archive")
        third = EventPublishing(self, "Third")
        third.add_destination("ToArchive", shared_role)
        existing_set = ses.ConfigurationSet.from_configuration_set_name(self, "Set", EXISTING_SET)
        EventPublishing(self, "Existing", configuration_set=existing_set).add_destination("ToArchive", shared_role)

        outputs = {
            "FirstSet": first.configuration_set_name,
            "SecondSet": second.configuration_set_name,
            "ThirdSet": third.configuration_set_name,
            "SecretBucket": secret_archive.bucket.bucket_name,
            "SecretStream": secret_archive.delivery_stream.ref,
            "TopicArn": topic.topic_arn,
            "SecretTopicArn": secret_topic.topic_arn,
            **{f"{name}QueueUrl": queue.queue_url for name, queue in queues.items()},
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
