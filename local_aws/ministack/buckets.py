"""Buckets, with the encryption that CloudFormation leaves out."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local_aws.ministack.keys import key_arn


def install() -> None:
    """Let CloudFormation encrypt buckets, which it ignores."""
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
    )


def keys_of_bucket(bucket: str) -> list[str]:
    """The keys of the objects in a bucket."""
    return sorted(s3._buckets[bucket]["objects"])


def content_of_object(bucket: str, key: str) -> bytes:
    """What is in an object."""
    return bytes(s3._get_object_data(bucket, key) or b"")


def key_of_bucket(account: str, region: str, bucket: str) -> str | None:
    """Return the ARN of the customer's KMS key that a bucket encrypts new objects with by default."""
    configuration = s3._bucket_encryption.get_scoped(account, None, bucket)
    key = ElementTree.fromstring(configuration).findtext(".//{*}KMSMasterKeyID") if configuration else None
    return key_arn(key, account, region) if key else None


def _encryption_xml(encryption: dict[str, Any]) -> bytes:
    """The property BucketEncryption as the body of PutBucketEncryption."""
    rule = encryption["ServerSideEncryptionConfiguration"][0]
    default = rule["ServerSideEncryptionByDefault"]
    key = default.get("KMSMasterKeyID")
    # There is no key aws/s3 here, so S3 encrypts as if it were not asked for (the bucket of `cdk bootstrap` does).
    algorithm = default["SSEAlgorithm"] if key else "AES256"
    root = ElementTree.Element("ServerSideEncryptionConfiguration")
    rule_element = ElementTree.SubElement(root, "Rule")
    apply = ElementTree.SubElement(rule_element, "ApplyServerSideEncryptionByDefault")
    ElementTree.SubElement(apply, "SSEAlgorithm").text = algorithm
    if key:
        ElementTree.SubElement(apply, "KMSMasterKeyID").text = key
    ElementTree.SubElement(rule_element, "BucketKeyEnabled").text = str(rule.get("BucketKeyEnabled", False)).lower()
    return ElementTree.tostring(root)
