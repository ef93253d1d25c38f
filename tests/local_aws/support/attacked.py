"""A stack as an attacker finds it: one bucket with several archives, two teams of analysts, a key that was changed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from ses_events import EventAnalytics, EventArchive, EventPublishing, FirehoseDestination, SnsDestination

FOLDERS = {"Star": "*", "Question": "?", "Variable": "${aws:username}"}
"""What the prefix of each archive in the common bucket begins with, by the name of its reader."""


class Attacked(cdk.Stack):
    """Three archives in a common bucket, each with a reader; one with a key that has two, and two teams of analysts."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        soon, day = cdk.Duration.seconds(60), "dt=!{timestamp:yyyy-MM-dd}/"
        common = s3.Bucket(self, "Common")
        archives = {
            name: EventArchive(
                self,
                f"{name}Archive",
                bucket=common,
                prefix=f"{folder}/{day}",
                error_output_prefix=f"{folder}/errors/",
                buffering_interval=soon,
            )
            for name, folder in FOLDERS.items()
        }
        earlier_key = kms.Key(self, "EarlierKey")
        keyed = EventArchive(self, "KeyedArchive", encryption_key=kms.Key(self, "LaterKey"), buffering_interval=soon)
        publishing = EventPublishing(self, "Publishing")
        topic = sns.Topic(self, "Topic", master_key=kms.Key(self, "TopicKey"))
        publishing.add_destination("ToTopic", SnsDestination(topic))
        for name, archive in {**archives, "Keyed": keyed}.items():
            publishing.add_destination(f"To{name}", FirehoseDestination(archive))
            reader = iam.User(self, f"{name}Reader")
            archive.grant_read(reader)
            cdk.CfnOutput(self, f"{name}ReaderName", value=reader.user_name)
        veteran = iam.User(self, "Veteran")
        keyed.grant_read(veteran)
        earlier_key.grant_decrypt(veteran)
        results = s3.Bucket(self, "Answers")
        for team in ("Marketing", "Support"):
            analyst = iam.User(self, f"{team}Analyst")
            analytics = EventAnalytics(self, team, archive=keyed, results_bucket=results)
            analytics.grant_query(analyst)
            cdk.CfnOutput(self, f"{team}AnalystName", value=analyst.user_name)
            cdk.CfnOutput(self, f"{team}WorkGroup", value=analytics.workgroup.ref)
            cdk.CfnOutput(self, f"{team}Database", value=analytics.database_name)
        outputs = {
            "ConfigurationSet": publishing.configuration_set_name,
            "CommonBucket": common.bucket_name,
            "ResultsBucket": results.bucket_name,
            "KeyedBucket": keyed.bucket.bucket_name,
            "KeyedStream": keyed.delivery_stream.ref,
            "KeyedRole": keyed.role.role_arn,
            "EarlierKeyArn": earlier_key.key_arn,
            "TopicArn": topic.topic_arn,
            "VeteranName": veteran.user_name,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
