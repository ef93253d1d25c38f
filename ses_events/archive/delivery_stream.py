"""The delivery stream of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_kinesisfirehose as firehose

from ses_events.policies import key_arn

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_Stream = firehose.CfnDeliveryStream


def new_delivery_stream(
    scope: Construct,
    delivery_stream_name: str,
    encryption_key: kms.IKey | None,
    destination: dict[str, Any],
) -> _Stream:
    """A stream for direct puts, encrypted with the key, or with Firehose's own where there is none."""
    return _Stream(
        scope,
        "DeliveryStream",
        delivery_stream_name=delivery_stream_name,
        delivery_stream_type="DirectPut",
        delivery_stream_encryption_configuration_input=_Stream.DeliveryStreamEncryptionConfigurationInputProperty(
            key_type="CUSTOMER_MANAGED_CMK" if encryption_key else "AWS_OWNED_CMK",
            key_arn=key_arn(encryption_key) if encryption_key else None,
        ),
        extended_s3_destination_configuration=_Stream.ExtendedS3DestinationConfigurationProperty(**destination),
    )


def json_destination(
    *,
    bucket_arn: str,
    role_arn: str,
    prefix: str,
    error_output_prefix: str,
    seconds: float,
    mebibytes: float,
    log_group_name: str,
    log_stream_name: str,
) -> dict[str, Any]:
    """The plain S3 destination, which writes gzip JSON; a format makes the extended one of it."""
    return {
        "bucket_arn": bucket_arn,
        "role_arn": role_arn,
        "prefix": prefix,
        "error_output_prefix": error_output_prefix,
        "compression_format": "GZIP",
        "buffering_hints": _Stream.BufferingHintsProperty(interval_in_seconds=seconds, size_in_m_bs=mebibytes),
        "cloud_watch_logging_options": _Stream.CloudWatchLoggingOptionsProperty(
            enabled=True, log_group_name=log_group_name, log_stream_name=log_stream_name
        ),
    }
