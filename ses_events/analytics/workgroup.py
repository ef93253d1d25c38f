"""The Athena workgroup in which the questions are asked, and the key of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.location import environment_of, known_to_differ
from ses_events.policies import key_arn

if TYPE_CHECKING:
    from aws_cdk import aws_athena as athena
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct


def new_workgroup(
    scope: Construct, name: str, results: s3.IBucket, bytes_scanned_cutoff: cdk.Size | None
) -> athena.CfnWorkGroup:
    """Make a workgroup whose settings hold for every query: engine version 3, a cut-off, results in one folder."""
    of, key = cdk.aws_athena.CfnWorkGroup, results.encryption_key
    return of(
        scope,
        "WorkGroup",
        name=name,
        description="Queries over the events of Amazon SES",
        recursive_delete_option=True,  # or the stack could not go once a query has run
        work_group_configuration=of.WorkGroupConfigurationProperty(
            bytes_scanned_cutoff_per_query=bytes_scanned_cutoff.to_bytes() if bytes_scanned_cutoff else 100 * 1024**3,
            enforce_work_group_configuration=True,
            engine_version=of.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
            publish_cloud_watch_metrics_enabled=True,
            requester_pays_enabled=False,
            result_configuration=of.ResultConfigurationProperty(
                output_location=results.s3_url_for_object(f"{name}/"),
                encryption_configuration=of.EncryptionConfigurationProperty(
                    encryption_option="SSE_KMS" if key else "SSE_S3", kms_key=key_arn(key) if key else None
                ),
            ),
        ),
    )


def key_of_this_account(bucket: s3.IBucket, stack: cdk.Stack) -> kms.IKey | None:
    """Return the key of a bucket, but not one of another account: its policy would have to let every analyst in."""
    key = bucket.encryption_key
    return None if key and known_to_differ(key.env.account, environment_of(stack).account) else key
