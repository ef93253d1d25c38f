"""Where MiniStack 1.5.33 does less than AWS, or something else; the only module that touches its private names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from ministack.core import iam_actions
from ministack.services import firehose, iam, s3, ses, ses_v2
from ministack.services.cloudformation import provisioners

Records = list[tuple[str, bytes]]
"""Record ids and data, as Firehose takes them in."""


def fill() -> None:
    """Make MiniStack do what AWS does, where this system depends on it."""
    # CloudFormation ignores the encryption of a bucket.
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
    )
    # logs:PutLogEvents is authorised on the log group.
    iam_actions.extract_resource_arn = _with_log_stream(iam_actions.extract_resource_arn)


def hand_over_records(accept: Callable[[dict[str, Any], dict[str, Any], Records], None]) -> None:
    """Call ``accept(stream, destination, records)`` for what is put into a delivery stream to S3.

    MiniStack itself would write each record to an object of its own at once, with no role and no compression.
    """
    firehose._deliver_records_to_s3 = accept


def is_deployed(stream: Mapping[str, Any]) -> bool:
    """Whether a delivery stream still exists."""
    region, account = stream["arn"].split(":")[3:5]
    return firehose._streams.get_scoped(account, region, stream["name"]) is stream


def evaluated_prefix(prefix: str, arrival: time.struct_time) -> str:
    """The start of an object's key: ``!{timestamp:...}`` filled in, or ``yyyy/MM/dd/HH/`` put behind."""
    return str(firehose._evaluate_prefix(prefix, arrival))


def encryption_key(account: str, bucket: str) -> str | None:
    """The customer's KMS key that a bucket encrypts new objects with by default: an id, alias or ARN."""
    configuration = s3._bucket_encryption.get_scoped(account, None, bucket)
    return ElementTree.fromstring(configuration).findtext(".//{*}KMSMasterKeyID") if configuration else None


def role(account: str, name: str) -> Any:
    """A deployed IAM role, or None."""
    return iam._roles.get_scoped(account, None, name)


def verified_identity(address: str) -> str | None:
    """The identity that lets an address send: itself, or the nearest of its domain and the domains above."""
    labels = address.rpartition("@")[2].lower().split(".")
    candidates = [address, *(".".join(labels[start:]) for start in range(len(labels)))]
    return next((name for name in candidates if name in ses._identities or name in ses_v2._identities), None)


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


def _with_log_stream(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service == "logs" and headers.get("x-amz-target", "").endswith(".PutLogEvents"):
            return f"{arn.removesuffix(':*')}:log-stream:{json.loads(body).get('logStreamName', '')}"
        return arn

    return extract
