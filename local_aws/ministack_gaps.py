"""Where MiniStack 1.5.33 does less than AWS, or something else; the only module that touches its private names."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from ministack.core import iam_actions
from ministack.services import eventbridge, firehose, iam, s3, ses, ses_v2, sns
from ministack.services.cloudformation import provisioners

Records = list[tuple[str, bytes]]
"""Record ids and data, as Firehose takes them in."""

Provisioner = Callable[..., tuple[str, dict[str, Any]]]
"""How CloudFormation creates or updates a resource: its physical id and attributes come back."""


def fill() -> None:
    """Make MiniStack do what AWS does, where this system depends on it."""
    # CloudFormation ignores the encryption of a bucket.
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
    )
    # CloudFormation ignores the key of a topic, and lets everybody publish to a topic without a policy.
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    handlers["create"] = _with_default_policy(_with_key(handlers["create"], 1))
    handlers["update"] = _with_key(handlers["update"], 2)
    # Each version of the SES API knows its own configuration sets only.
    ses_v2._create_config_set = _with_name_of_v1(ses_v2._create_config_set)
    ses._configuration_sets = ses_v2._config_sets
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


def key_of_bucket(account: str, region: str, bucket: str) -> str | None:
    """The ARN of the customer's KMS key that a bucket encrypts new objects with by default."""
    configuration = s3._bucket_encryption.get_scoped(account, None, bucket)
    key = ElementTree.fromstring(configuration).findtext(".//{*}KMSMasterKeyID") if configuration else None
    return _key_arn(key, account, region) if key else None


def key_of_topic(topic_arn: str) -> str | None:
    """The ARN of the KMS key that a topic is encrypted with."""
    region, account = topic_arn.split(":")[3:5]
    topic = sns._topics.get_scoped(account, region, topic_arn)
    key = topic and topic["attributes"].get("KmsMasterKeyId")
    return _key_arn(key, account, region) if key else None


def put_event_of_aws(entry: Mapping[str, Any]) -> None:
    """Put an event on the default bus whose source is AWS itself, as no customer can."""
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


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


def _with_key(provision: Provisioner, properties: int) -> Provisioner:
    """Set the key of a topic, whose properties are the argument at this position."""

    def provision_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = provision(*arguments, **options)
        topic, key = sns._topics[arn]["attributes"], arguments[properties].get("KmsMasterKeyId")
        topic.pop("KmsMasterKeyId", None)
        topic.update({"KmsMasterKeyId": key} if key else {})
        return arn, attributes

    return provision_topic


def _with_default_policy(create: Provisioner) -> Provisioner:
    """Let only the account itself use a topic that no policy is written for."""

    def create_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = create(*arguments, **options)
        topic = sns._topics[arn]["attributes"]
        policy = json.loads(topic["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"AWS:SourceOwner": topic["Owner"]}}
        topic["Policy"] = json.dumps(policy)
        return arn, attributes

    return create_topic


def _with_name_of_v1(create: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def create_configuration_set(name: str, options: dict[str, Any]) -> dict[str, Any]:
        record = create(name, options)
        record["Name"] = name
        return record

    return create_configuration_set


def _with_log_stream(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service == "logs" and headers.get("x-amz-target", "").endswith(".PutLogEvents"):
            return f"{arn.removesuffix(':*')}:log-stream:{json.loads(body).get('logStreamName', '')}"
        return arn

    return extract


def _key_arn(key: str, account: str, region: str) -> str:
    """The ARN of a key given by its id, alias or ARN."""
    if key.startswith("arn:"):
        return key
    return f"arn:aws:kms:{region}:{account}:{key if key.startswith('alias/') else f'key/{key}'}"
