"""The delivery stream of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_kinesisfirehose as firehose

from ses_events.policies import key_arn

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

_Stream = firehose.CfnDeliveryStream


def new_delivery_stream(
    scope: Construct,
    delivery_stream_name: str,
    encryption_key: kms.IKey | None,
    destination: _Stream.ExtendedS3DestinationConfigurationProperty,
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
        extended_s3_destination_configuration=destination,
    )


def encryption_of_objects(bucket: s3.IBucket | None) -> _Stream.EncryptionConfigurationProperty | None:
    """The header that a policy of a given bucket may demand: each object encrypted with the bucket's key, if known."""
    if bucket is None or bucket.encryption_key is None:
        return None
    return _Stream.EncryptionConfigurationProperty(
        kms_encryption_config=_Stream.KMSEncryptionConfigProperty(awskms_key_arn=key_arn(bucket.encryption_key))
    )
