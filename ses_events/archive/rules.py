"""What Firehose, S3 and KMS accept of an archive: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events import prefix as prefixes
from ses_events.archive.formats import EventFormat
from ses_events.location import same_account, same_app, same_place, same_region
from ses_events.policies import trusts_of
from ses_events.validation import Range, Text, first_of, instance, instead_of, option, optional_interface

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3


DELIVERY_STREAM_NAME = Text(64, "A-Z a-z 0-9 . _ -", "ses-events", source="Firehose API, CreateDeliveryStream")
BUFFERING_INTERVAL = Range(0, 900, "seconds", source="Firehose API, BufferingHints")
EXPIRATION = Range(1, 2147483647, "days", source="S3 API, LifecycleExpiration")


def bucket(argument: str, value: s3.IBucket | None, stack: cdk.Stack) -> Iterator[str]:
    """A bucket of the region of the stack, whose key is not an imported alias (Firehose developer guide; Athena user
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
    """A role of the account of the stack that trusts firehose.amazonaws.com; the trust of an imported role is not
    checked (Firehose developer guide, controlling access; IAM user guide, PassRole).
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


def archive_format(argument: str, value: EventFormat, prefix_of_events: str) -> Iterator[str]:
    """``JsonFormat``, or ``ParquetFormat``, whose folder holds neither events nor errors (Athena user guide, partition
    projection).
    """
    yield from instance(argument, value, EventFormat, "JsonFormat() or ParquetFormat()")
    yield from value.problems(argument, prefix_of_events)


def buffering_size(argument: str, value: cdk.Size | None, chosen: EventFormat) -> Iterator[str]:
    """What the format takes (Firehose API, BufferingHints)."""
    if isinstance(chosen, EventFormat):
        yield from chosen.buffering_size(argument, value)


def of_the_bucket(
    stack: cdk.Stack,
    given: s3.IBucket | None,
    encryption_key: kms.IKey | None,
    expiration: cdk.Duration | None,
    removed: cdk.RemovalPolicy | None,
    logs_bucket: s3.IBucket | None,
) -> list[Iterable[str]]:
    """Return the checks of the bucket of an archive."""
    of_a_new_one = {"expiration": expiration, "removal_policy": removed, "server_access_logs_bucket": logs_bucket}
    return [
        bucket("bucket", given, stack),
        instead_of("bucket", given, of_a_new_one),
        key("encryption_key", encryption_key, stack),
        EXPIRATION("expiration", expiration),
        removal_policy("removal_policy", removed),
        server_access_logs_bucket("server_access_logs_bucket", logs_bucket, stack),
    ]


def of_the_stream(
    name: str | None, interval: cdk.Duration | None, size: cdk.Size | None, chosen: EventFormat
) -> list[Iterable[str]]:
    """Return the checks of the delivery stream of an archive."""
    return [
        BUFFERING_INTERVAL("buffering_interval", interval),
        buffering_size("buffering_size", size, chosen),
        DELIVERY_STREAM_NAME("delivery_stream_name", name),
    ]


def of_the_prefixes(prefix: str, error_output_prefix: str, chosen: EventFormat) -> list[Iterable[str]]:
    """Return the checks of where the events of an archive go."""
    return [
        prefixes.error_output_prefix("error_output_prefix", error_output_prefix, prefix),
        archive_format("format", chosen, prefix),
        prefixes.prefix("prefix", prefix),
    ]
