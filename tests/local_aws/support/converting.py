"""A stack whose archive converts to Parquet and has a KMS key: as a user writes it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from ses_events import EventArchive, EventPublishing, FirehoseDestination, ParquetFormat


class Converting(cdk.Stack):
    """One set, one archive."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        archive = EventArchive(
            self,
            "Archive",
            buffering_interval=cdk.Duration.seconds(60),
            encryption_key=kms.Key(self, "Key"),
            format=ParquetFormat(),
        )
        publishing = EventPublishing(self, "Publishing")
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
        cdk.CfnOutput(self, "ConfigurationSetName", value=publishing.configuration_set_name)
        cdk.CfnOutput(self, "BucketName", value=archive.bucket.bucket_name)
        cdk.CfnOutput(self, "DeliveryStreamName", value=archive.delivery_stream.ref)
