"""A stack whose events are queried, as JSON and as Parquet, by a user who may do just that: as a user writes it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ses_events import EventAnalytics, EventArchive, EventPublishing, FirehoseDestination, ParquetFormat


class Analysed(cdk.Stack):
    """One set, two archives of its events: JSON, and Parquet with a KMS key."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        soon = cdk.Duration.seconds(60)
        archives = {
            "Json": EventArchive(self, "Json", buffering_interval=soon),
            "Parquet": EventArchive(
                self,
                "Parquet",
                buffering_interval=soon,
                encryption_key=kms.Key(self, "Key"),
                format=ParquetFormat(),
            ),
        }
        publishing = EventPublishing(self, "Publishing")
        analyst = iam.User(self, "Analyst")
        cdk.CfnOutput(self, "ConfigurationSet", value=publishing.configuration_set_name)
        cdk.CfnOutput(self, "AnalystName", value=analyst.user_name)
        for name, archive in archives.items():
            publishing.add_destination(f"To{name}", FirehoseDestination(archive))
            analytics = EventAnalytics(self, f"{name}Analytics", archive=archive)
            analytics.grant_query(analyst)
            cdk.CfnOutput(self, f"{name}Bucket", value=archive.bucket.bucket_name)
            cdk.CfnOutput(self, f"{name}Stream", value=archive.delivery_stream.ref)
            cdk.CfnOutput(self, f"{name}WorkGroup", value=analytics.workgroup.ref)
            cdk.CfnOutput(self, f"{name}Database", value=analytics.database_name)
            cdk.CfnOutput(self, f"{name}Results", value=analytics.results_bucket.bucket_name)
