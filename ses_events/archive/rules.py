"""What Firehose, S3 and KMS accept of an archive: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.archive.formats import ParquetFormat
from ses_events.location import same_account, same_app, same_place, same_region
from ses_events.policies import trusts_of
from ses_events.prefix import prefix
from ses_events.validation import Range, Text, first_of, option, optional_interface

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3


DELIVERY_STREAM_NAME = Text(64, "A-Z a-z 0-9 . _ -", "ses-events", source="Firehose API, CreateDeliveryStream")
BUFFERING_INTERVAL = Range(0, 900, "seconds", source="Firehose API, BufferingHints")
BUFFERING_SIZE = Range(1, 128, "MiB", source="Firehose API, BufferingHints", note="with Parquet 64-128")
CONVERTED_BUFFERING_SIZE = Range(64, 128, "MiB", source="Firehose developer guide, record format conversion")
EXPIRATION = Range(1, 2147483647, "days", source="S3 API, LifecycleExpiration")


def bucket(argument: str, value: s3.IBucket | None, stack: cdk.Stack) -> Iterator[str]:
    """A bucket of the region of the stack, whose key is no imported alias (Firehose developer guide; Athena user
    guide).
    """
    yield from optional_interface(argument, value, "bucket_arn", "an s3.Bucket, or an imported one")
    if value is not None:
        yield from first_of(
            same_region(argument, value.env, stack), same_app(argument, value, stack, "bucket_arn", waited_for=True)
        )
        yield from key(f"{argument}.encryption_key", value.encryption_key, stack)


def key(argument: str, value: kms.IKey | None, stack: cdk.Stack) -> Iterator[str]:
    """A key of the region of the stack; no alias whose key is not known, as a permission cannot name it (KMS developer
    guide).
    """
    yield from optional_interface(argument, value, "key_arn", "a kms.Key")
    if value is None:
        return
    yield from first_of(same_region(argument, value.env, stack), same_app(argument, value, stack, "key_arn"))
    try:
        named = getattr(value, "alias_target_key", value).key_arn
    except RuntimeError:  # how CDK says that it does not know the key of an alias
        named = value.key_arn
    if ":alias/" in named:
        yield f"{argument} {value.node.path!r} is an imported alias, which no permission can name; import its key"


def server_access_logs_bucket(argument: str, value: s3.IBucket | None, stack: cdk.Stack) -> Iterator[str]:
    """A bucket of the account and region of the stack, without encryption by KMS and without a default retention of
    Object Lock, which S3 cannot log into (S3 user guide, enabling server access logging).
    """
    yield from optional_interface(argument, value, "bucket_arn", "an s3.Bucket")
    if value is None:
        return
    yield from first_of(same_place(argument, value.env, stack), same_app(argument, value, stack, "bucket_arn"))
    made = cdk.Stack.of(value).resolve(_made_here(value))
    if value.encryption_key or "aws:kms" in str(made.get("encryption")):
        yield f"{argument} {value.node.path!r} is encrypted with a KMS key, and S3 cannot log there; use SSE-S3"
    if (made.get("lock") or {}).get("rule"):
        yield f"{argument} {value.node.path!r} has a default retention, and S3 cannot log there; use a bucket without"


def _made_here(bucket: s3.IBucket) -> dict[str, object]:
    """Return what decides whether S3 can log into a bucket, of one that the app makes."""
    made = bucket.node.default_child
    if not isinstance(made, cdk.aws_s3.CfnBucket):
        return {}
    return {"encryption": made.bucket_encryption, "lock": made.object_lock_configuration}


def log_group(argument: str, value: logs.ILogGroup | None, stack: cdk.Stack) -> Iterator[str]:
    """A log group of the account and region of the stack (Firehose developer guide, monitoring)."""
    yield from optional_interface(argument, value, "log_group_arn", "a logs.LogGroup")
    if value is not None:
        yield from first_of(same_place(argument, value.env, stack), same_app(argument, value, stack, "log_group_arn"))


def delivery_role(argument: str, value: iam.IRole | None, stack: cdk.Stack) -> Iterator[str]:
    """A role of the account of the stack that trusts firehose.amazonaws.com; of an imported one that is not known
    (Firehose developer guide, controlling access; IAM user guide, PassRole).
    """
    yield from optional_interface(argument, value, "role_arn", "an iam.Role that trusts firehose.amazonaws.com")
    if value is None:
        return
    yield from first_of(same_account(argument, value.env, stack), same_app(argument, value, stack, "role_arn"))
    if isinstance(value, cdk.aws_iam.Role) and not trusts_of(value, "firehose.amazonaws.com"):
        yield (
            f"{argument} {value.node.path!r} does not trust Firehose; create it with assumed_by=iam.ServicePrincipal("
            "'firehose.amazonaws.com', conditions={'StringEquals': {'sts:ExternalId': stack.account}})"
        )


def removal_policy(argument: str, value: cdk.RemovalPolicy | None) -> Iterator[str]:
    """RETAIN, DESTROY or RETAIN_ON_UPDATE_OR_DELETE: a bucket has no snapshot (CloudFormation, DeletionPolicy)."""
    yield from option(argument, value, cdk.RemovalPolicy, "cdk.RemovalPolicy.RETAIN")
    if value == cdk.RemovalPolicy.SNAPSHOT:
        yield f"{argument} SNAPSHOT is not for buckets; use cdk.RemovalPolicy.RETAIN"


def archive_format(argument: str, value: ParquetFormat | None, prefix_of_events: str) -> Iterator[str]:
    """``ParquetFormat``, whose folder holds neither events nor errors (Athena user guide, partition projection)."""
    yield from option(argument, value, ParquetFormat, "ParquetFormat()")
    if value is None:
        return
    yield from prefix(f"{argument}.prefix", value.prefix)
    folder, other = (str(each).partition("!{")[0] for each in (value.prefix, prefix_of_events))
    if folder.startswith(other) or other.startswith(folder):
        yield (
            f"{argument}.prefix {value.prefix!r} and prefix {prefix_of_events!r} lie in each other, and a table reads "
            "one format; use different folders such as 'parquet/' and 'events/'"
        )
