"""Buckets, with the encryption that CloudFormation leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local_aws.ministack.authorization import refused
from local_aws.ministack.keys import key_arn
from local_aws.ministack.requests import Response, account, region

_KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def install() -> None:
    """Let CloudFormation encrypt buckets, which it ignores, and ask for the key of an object, which S3 does not do."""
    s3._get_object = _with_decrypt(s3._get_object)
    s3._put_object = _with_data_key(s3._put_object)
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


def key_of_object(account: str, region: str, bucket: str, key: str) -> str | None:
    """Return the ARN of the customer's KMS key that an object is encrypted with."""
    found = s3._buckets[bucket]["objects"][key].get("preserved_headers", {}).get(_KEY)
    return key_arn(found, account, region) if found else None


def encryption_context(account: str, region: str, bucket: str, key: str) -> dict[str, str]:
    """Return the condition keys of a use of KMS by S3: for the bucket where it has an S3 bucket key, or the object."""
    configuration = s3._bucket_encryption.get_scoped(account, None, bucket)
    has_key = configuration and ElementTree.fromstring(configuration).findtext(".//{*}BucketKeyEnabled") == "true"
    return {
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}" if has_key else f"arn:aws:s3:::{bucket}/{key}",
    }


def _with_decrypt(get_object: Callable[..., Response]) -> Callable[..., Response]:
    def get(bucket: str, key: str, headers: Mapping[str, str], query: Mapping[str, Any] | None = None) -> Response:
        response = get_object(bucket, key, headers, query)
        of_object = response[1].get(_KEY) if response[0] < 300 else None
        return _refused_key("kms:Decrypt", of_object, bucket, key, headers, query) or response

    return get


def _with_data_key(put_object: Callable[..., Response]) -> Callable[..., Response]:
    def put(bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> Response:
        encrypted = s3._buckets.get(bucket) and s3._resolve_sse_write_headers(headers, bucket)[0]
        of_object = (encrypted or {}).get(_KEY)
        refusal = _refused_key("kms:GenerateDataKey", of_object, bucket, key, headers, None)
        return refusal or put_object(bucket, key, body, headers)

    return put


def _refused_key(
    action: str, kms_key: str | None, bucket: str, key: str, headers: Mapping[str, str], query: Mapping[str, Any] | None
) -> Response | None:
    """How S3 refuses a caller who may not use the key of an object; other services here ask in their own way."""
    if kms_key is None or not ("authorization" in headers or query):
        return None
    here = account(), region()
    arn, context = key_arn(kms_key, *here), encryption_context(*here, bucket, key)
    return refused("s3", action, arn, headers, query or {}, context)


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
