"""The buckets that the constructs make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct, IValidation

from ses_events.policies import key_of
from ses_events.tokens import as_text, warn_of_policy

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def new_bucket(
    scope: Construct,
    encryption_key: kms.IKey | None,
    expiration: cdk.Duration | None,
    removal_policy: cdk.RemovalPolicy | None,
    logs_bucket: s3.IBucket | None,
) -> s3.Bucket:
    """Return a private, encrypted, versioned bucket for TLS requests, with the arguments of ``EventArchive``."""
    bucket = _private_bucket(
        scope, "Bucket", encryption_key, expiration, removal_policy or cdk.RemovalPolicy.RETAIN, versioned=True
    )
    if logs_bucket:
        _log_access(bucket, logs_bucket)
    return bucket


def warn_of_what_is_unseen(scope: Construct, bucket: s3.IBucket) -> None:
    """Warn of an imported bucket whose key is not given: with one, Firehose may not write there."""
    of_the_app = isinstance(bucket, s3.Bucket) or isinstance(bucket.node.scope, s3.CfnBucket)  # Bucket.from_cfn_bucket
    if not of_the_app and not bucket.encryption_key:
        name = as_text(scope, bucket.bucket_name)
        cdk.Annotations.of(scope).add_warning_v2(
            "ses-events:imported-bucket",
            f"whether the bucket {name} has a KMS key cannot be seen from here; if it has one, S3 refuses what "
            "Firehose writes, and after 24 hours it is lost. Import it by "
            "s3.Bucket.from_bucket_attributes(encryption_key=...), or acknowledge this where it has none "
            "(docs/security.md)",
        )


def without_access_logs() -> cdk.Acknowledgment:
    """Return why cdk-nag need not mind that nobody logs access to the bucket of an archive."""
    return cdk.Acknowledgment(
        id="AwsSolutions-S1",
        reason="Firehose is the only writer and CloudTrail data events record readers; access logs need a bucket of "
        "their own, which server_access_logs_bucket takes",
    )


def new_results_bucket(scope: Construct, encryption_key: kms.IKey | None, expiration: cdk.Duration) -> s3.Bucket:
    """Return a private, encrypted bucket for TLS requests, without versions, that empties itself."""
    bucket = _private_bucket(scope, "Results", encryption_key, expiration, cdk.RemovalPolicy.RETAIN, versioned=None)
    cdk.Validations.of(bucket).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions-S1",
            reason="results of queries, which can be run again, for some days; access logs would outlive them. "
            "results_bucket takes a bucket that has them",
        )
    )
    return bucket


def _private_bucket(
    scope: Construct,
    construct_id: str,
    encryption_key: kms.IKey | None,
    expiration: cdk.Duration | None,
    removal_policy: cdk.RemovalPolicy,
    *,
    versioned: bool | None,
) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        construct_id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        bucket_key_enabled=True if encryption_key else None,
        encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key_of(encryption_key) if encryption_key else None,
        enforce_ssl=True,
        versioned=versioned,
        removal_policy=removal_policy,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                noncurrent_version_expiration=cdk.Duration.days(30) if versioned else None,
                # S3 takes either, and days of expiration let delete markers expire, too (S3 user guide).
                expired_object_delete_marker=True if versioned and not expiration else None,
                expiration=expiration,
            )
        ],
    )
    node = bucket.node
    node.add_validation(cast(IValidation, _NotEmptied(cast(s3.CfnBucket, node.default_child))))
    return bucket


@jsii.implements(IValidation)
class _NotEmptied:
    """Warns of a bucket that is deleted with its stack.

    Only at synth is that known: ``cdk.RemovalPolicies`` decides for a whole stage, by an aspect.
    """

    def __init__(self, bucket: s3.CfnBucket) -> None:
        self._bucket = bucket

    def validate(self) -> list[str]:
        """Return no error; what is to be said is a warning."""
        if self._bucket.cfn_options.deletion_policy == cdk.CfnDeletionPolicy.DELETE:
            path = self._bucket.node.path.removesuffix("/Resource")
            cdk.Annotations.of(self._bucket).add_warning_v2(
                "ses-events:bucket-not-emptied",
                f"the bucket {path} is to be deleted with the stack, which fails "
                "while it holds anything; use cdk.RemovalPolicy.RETAIN, or see docs/upgrades.md for environments that "
                "do not last",
            )
        return []


def _log_access(bucket: s3.Bucket, logs_bucket: s3.IBucket) -> None:
    """Log access by the policy of the logs' bucket. CDK itself would use an ACL in apps without a feature flag."""
    stack = cdk.Stack.of(bucket)
    cast(s3.CfnBucket, bucket.node.default_child).logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=logs_bucket.bucket_name
    )
    conditions: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": stack.account}}
    if cdk.Stack.of(logs_bucket) == stack:  # else the two stacks would wait for each other
        conditions["ArnLike"] = {"aws:SourceArn": bucket.bucket_arn}
    statement = iam.PolicyStatement(
        actions=["s3:PutObject"],
        principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
        resources=[logs_bucket.arn_for_objects("*")],
        conditions=conditions,
    )
    if not logs_bucket.add_to_resource_policy(statement).statement_added:
        owner = f"the bucket {as_text(bucket, logs_bucket.bucket_name)}"
        warn_of_policy(
            bucket, "ses-events:logs-bucket-not-editable", owner, "S3 can log there", statement.to_statement_json()
        )
