from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.clock import Clock
from local_aws.firehose import buffering
from local_aws.iam.principals import AccessDenied
from local_aws.ministack import delivery_streams
from tests.local_aws.support.deployed import eventually, sum_of

STREAM = {"name": "Archive", "version": 3, "arn": "arn:aws:firehose:us-east-1:111122223333:deliverystream/Archive"}
ARRIVAL = 1767323045.0  # 2026-01-02T03:04:05Z
INTERVAL = 900
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.mark.parametrize(
    ("prefix", "start"),
    [
        ("events/dt=!{timestamp:yyyy-MM-dd}/", "events/dt=2026-01-02/"),
        ("!{timestamp:yyyy}/!{timestamp:MM}/!{timestamp:dd}/!{timestamp:HH}/", "2026/01/02/03/"),
        ("events/!{timestamp:'year='yyyy'/month='MM}/", "events/year=2026/month=01/"),
        ("events/", "events/2026/01/02/03/"),
        ("ses", "ses2026/01/02/03/"),
        ("", "2026/01/02/03/"),
    ],
)
def test_the_prefix_is_evaluated(prefix: str, start: str) -> None:
    key = buffering.object_key(STREAM, {"Prefix": prefix}, ARRIVAL)
    assert re.fullmatch(f"{start}Archive-3-2026-01-02-03-04-05-{UUID}", key)


@pytest.mark.parametrize(
    ("settings", "extension"),
    [
        ({}, ""),
        ({"CompressionFormat": "UNCOMPRESSED"}, ""),
        ({"CompressionFormat": "GZIP"}, ".gz"),
        ({"CompressionFormat": "GZIP", "FileExtension": ".json.gz"}, ".json.gz"),
    ],
)
def test_the_key_ends_with_the_extension(settings: dict[str, str], extension: str) -> None:
    assert re.search(f"-{UUID}{re.escape(extension)}$", buffering.object_key(STREAM, settings, ARRIVAL))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"CompressionFormat": "Snappy"}, "CompressionFormat Snappy"),
        ({"CustomTimeZone": "Asia/Tokyo"}, "CustomTimeZone"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "DynamicPartitioningConfiguration"),
    ],
)
def test_what_is_not_emulated_is_refused_when_a_stream_is_made_and_when_it_was_changed(
    aws: LocalAws, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ClientError, match=f"the local Firehose has no {reason}"):
        aws.client("firehose").create_delivery_stream(
            DeliveryStreamName="refused", ExtendedS3DestinationConfiguration={**TO_S3, **settings}
        )
    service = buffering.Firehose(Clock(1))
    [answer] = service.accept(STREAM, {"id": "1", "config": settings}, [b"record"])
    assert answer == f"the local Firehose has no {reason}"


def test_a_full_buffer_is_delivered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delivered: list[int] = []
    monkeypatch.setattr(delivery_streams, "is_deployed", lambda stream: True)
    monkeypatch.setattr(buffering, "_put_object", lambda buffer: delivered.append(buffer.size))
    clock = Clock(1)
    service, destination = buffering.Firehose(clock), {"id": "1", "config": {"BufferingHints": {"SizeInMBs": 1}}}
    for _ in range(2):
        service.accept(STREAM, destination, [b"x" * 512 * 1024])
    clock.advance(0)
    assert delivered == [1024 * 1024]


def test_records_are_given_up_after_a_day(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(buffer: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(delivery_streams, "is_deployed", lambda stream: True)
    monkeypatch.setattr(buffering, "_put_object", refuse)
    clock = Clock(1)
    config = {"BufferingHints": {"IntervalInSeconds": 900}}
    buffering.Firehose(clock).accept(STREAM, {"id": "1", "config": config}, [b"record"])
    clock.advance(24 * 3600 - 60)
    assert "gave up" not in caplog.text
    clock.advance(120)
    assert "Archive gave up 1 records" in caplog.text
    assert caplog.text.count("Archive could not deliver: no") == 24 * 4


def test_nothing_is_lost_when_the_bucket_is_denied_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, interval, every = Clock(1), 300, 10.8
    start = clock.now()
    written: list[tuple[float, bytes]] = []
    refused: list[float] = []

    def put(role: object, buffer: object, settings: object, data: bytes) -> str:
        now = clock.now() - start
        if 3600 <= now < 7200:
            refused.append(now)
            raise AccessDenied("the policy of the bucket says no")
        written.extend((now, line) for line in data.splitlines())
        return "s3://bucket/key"

    monkeypatch.setattr(delivery_streams, "is_deployed", lambda stream: True)
    monkeypatch.setattr(buffering, "_role_session", lambda buffer: None)
    monkeypatch.setattr(buffering, "_put", put)
    service = buffering.Firehose(clock)
    destination = {"id": "1", "config": {"BucketARN": "bucket", "BufferingHints": {"IntervalInSeconds": interval}}}
    sent = [b"%d" % number for number in range(1000)]
    for record in sent:  # over three hours
        service.accept(STREAM, destination, [record + b"\n"])
        clock.advance(every)
    clock.advance(24 * 3600)
    assert sorted(line for _, line in written) == sorted(sent)
    assert refused
    late = [at for at, line in written if int(line) * every < 7200 - interval and at > 7200]
    assert late and max(late) <= 7200 + interval + 1


def test_records_arrive_together_and_compressed(aws: LocalAws, archive: Archive) -> None:
    archive.put([b"1\n", b"2\n", b"3\n"])
    assert eventually(archive.objects) == [b"1\n2\n3\n"]


def test_a_role_for_another_account_is_not_assumed(aws: LocalAws, archive: Archive) -> None:
    archive.trust("444455556666")
    archive.put([b"refused\n"])
    # Firehose cannot log this either: it would need the role.
    assert eventually(lambda: archive.refusals("firehose.amazonaws.com is not authorized to perform: sts:AssumeRole"))
    assert not archive.objects()
    assert not archive.errors()


def test_an_encrypted_bucket_needs_its_key(aws: LocalAws, archive: Archive) -> None:
    kms, s3 = aws.client("kms"), aws.client("s3")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=archive.name, ServerSideEncryptionConfiguration=rules)
    archive.put([b"refused\n"])
    [error] = eventually(archive.errors)[:1]
    assert f"firehose is not authorized to perform: kms:GenerateDataKey on resource: {key}" in error["message"]
    assert error["errorCode"] == "S3.AccessDenied"
    assert not archive.objects()

    archive.allow(
        "kms:GenerateDataKey",
        key,
        StringEquals={"kms:ViaService": "s3.us-east-1.amazonaws.com"},
        StringLike={"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{archive.name}"},
    )
    archive.put([b"accepted\n"])
    assert eventually(lambda: sorted(archive.objects())[1:]) == [b"refused\n"]


def test_a_bucket_that_demands_kms_takes_what_names_its_key_only(aws: LocalAws, archive: Archive) -> None:
    archive.demand_kms()
    archive.put([b"refused\n"])
    [error] = eventually(archive.errors)[:1]
    assert error["errorCode"] == "S3.AccessDenied"
    assert not archive.objects()

    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    archive.encrypt_with(key)
    archive.allow("kms:GenerateDataKey", key)
    archive.put([b"accepted\n"])
    assert eventually(archive.objects)


def test_a_bucket_whose_key_is_disabled_takes_nothing_until_it_is_enabled(
    still_aws: LocalAws, still_archive: Archive
) -> None:
    kms = still_aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]}
    still_aws.client("s3").put_bucket_encryption(Bucket=still_archive.name, ServerSideEncryptionConfiguration=rules)
    still_archive.allow("kms:GenerateDataKey", key)
    kms.disable_key(KeyId=key)
    still_archive.put([b"waits\n"])
    still_aws.advance(INTERVAL)
    assert still_archive.errors()[0]["errorCode"] == "S3.KMS.DisabledException"
    assert not still_archive.objects()
    kms.enable_key(KeyId=key)
    still_aws.advance(INTERVAL)
    assert still_archive.objects() == [b"waits\n"]


def disable(kms: Any, key: str) -> None:
    kms.disable_key(KeyId=key)


def schedule_deletion(kms: Any, key: str) -> None:
    kms.schedule_key_deletion(KeyId=key)


def deny(kms: Any, key: str) -> None:
    everything = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*"}
    nothing = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"}
    statements = [{**statement, "Resource": "*"} for statement in (everything, nothing)]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


@pytest.mark.parametrize(
    ("spoil", "metric"),
    [(disable, "KMSKeyDisabled"), (schedule_deletion, "KMSKeyInvalidState"), (deny, "KMSKeyAccessDenied")],
)
def test_a_stream_whose_key_cannot_be_used_takes_nothing_and_counts_it(
    still_aws: LocalAws, still_archive: Archive, spoil: Callable[[Any, str], None], metric: str
) -> None:
    kms = still_aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    still_archive.encrypt(key)
    still_archive.put([b"waits\n"])
    spoil(kms, key)
    with pytest.raises(ClientError, match="InvalidKMSResourceException"):
        still_archive.put([b"refused\n"])
    assert still_archive.sum_of(metric) >= 1
    still_aws.advance(INTERVAL)
    assert ":key/" in still_archive.errors()[0]["message"]
    assert not still_archive.objects()


def test_a_stream_goes_on_when_its_key_is_enabled_again(still_aws: LocalAws, still_archive: Archive) -> None:
    kms = still_aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    still_archive.encrypt(key)
    still_archive.put([b"waits\n"])
    kms.disable_key(KeyId=key)
    still_aws.advance(INTERVAL)
    assert not still_archive.objects()
    kms.enable_key(KeyId=key)
    still_aws.advance(INTERVAL)
    assert still_archive.objects() == [b"waits\n"]


def test_a_record_over_the_quota_is_turned_away_and_counted(still_aws: LocalAws, still_archive: Archive) -> None:
    still_aws.set_quota(records=2)
    try:
        answer = still_archive.put([b"1\n", b"2\n", b"3\n"])
    finally:
        still_aws.set_quota(records=500_000)
    assert answer["FailedPutCount"] == 1
    assert answer["RequestResponses"][2] == {
        "ErrorCode": "ServiceUnavailableException",
        "ErrorMessage": "Slow down.",
    }
    counts = {
        name: still_archive.sum_of(name) for name in ("ThrottledRecords", "IncomingRecords", "IncomingPutRequests")
    }
    assert counts == {"ThrottledRecords": 1, "IncomingRecords": 2, "IncomingPutRequests": 1}
    still_aws.advance(INTERVAL)
    assert still_archive.objects() == [b"1\n2\n"]


TO_S3 = {"BucketARN": "arn:aws:s3:::any", "RoleARN": "arn:aws:iam::000000000000:role/any"}
ERRORS = "errors/!{firehose:error-output-type}/"


@pytest.mark.parametrize(
    "settings",
    [
        {"BufferingHints": {"IntervalInSeconds": 961, "SizeInMBs": 5}},
        {"BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 129}},
        {"Prefix": "!{foo:bar}/", "ErrorOutputPrefix": ERRORS},
        {"Prefix": "!{timestamp:yyyy}/"},
        {"Prefix": ERRORS, "ErrorOutputPrefix": "errors/"},
        {"ErrorOutputPrefix": "errors/!{timestamp:yyyy}/"},
    ],
)
def test_a_stream_that_firehose_cannot_make_is_refused(aws: LocalAws, settings: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        aws.client("firehose").create_delivery_stream(
            DeliveryStreamName="refused", ExtendedS3DestinationConfiguration={**TO_S3, **settings}
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"BufferingHints": {"IntervalInSeconds": 900, "SizeInMBs": 128}},
        {"BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}},
        {"ErrorOutputPrefix": "errors/"},
        {"Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": "errors/"},
        {"Prefix": "!{timestamp:yyyy}/", "ErrorOutputPrefix": ERRORS},
    ],
)
def test_a_stream_that_firehose_can_make_is_taken(aws: LocalAws, settings: dict[str, Any]) -> None:
    client = aws.client("firehose")
    client.create_delivery_stream(DeliveryStreamName="taken", ExtendedS3DestinationConfiguration={**TO_S3, **settings})
    client.delete_delivery_stream(DeliveryStreamName="taken")


KINESIS = {
    "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/any",
    "RoleARN": "arn:aws:iam::000000000000:role/any",
}
MSK = {
    "MSKClusterARN": "arn:aws:kafka:us-east-1:000000000000:cluster/any/1",
    "TopicName": "any",
    "AuthenticationConfiguration": {"RoleARN": KINESIS["RoleARN"], "Connectivity": "PRIVATE"},
}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {
                "DeliveryStreamType": "KinesisStreamAsSource",
                "KinesisStreamSourceConfiguration": KINESIS,
                "MSKSourceConfiguration": MSK,
            },
            "KinesisStreamAsSource takes KinesisStreamSourceConfiguration and has KinesisStreamSourceConfiguration and",
        ),
        (
            {"DeliveryStreamType": "KinesisStreamAsSource"},
            "KinesisStreamAsSource takes KinesisStreamSourceConfiguration and has no source",
        ),
        (
            {"DeliveryStreamType": "MSKAsSource", "KinesisStreamSourceConfiguration": KINESIS},
            "MSKAsSource takes MSKSourceConfiguration and has KinesisStreamSourceConfiguration",
        ),
        (
            {"KinesisStreamSourceConfiguration": KINESIS},
            "DirectPut takes no source and has KinesisStreamSourceConfiguration",
        ),
    ],
    ids=["two sources", "no source", "another source", "a source of what is put into it"],
)
def test_a_stream_has_the_one_source_of_its_type(aws: LocalAws, settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=f"InvalidArgumentException.* of type {reason}"):
        aws.client("firehose").create_delivery_stream(
            DeliveryStreamName="refused", ExtendedS3DestinationConfiguration=TO_S3, **settings
        )


def test_the_backup_of_a_stream_is_described(aws: LocalAws) -> None:
    client = aws.client("firehose")
    backup = {**TO_S3, "Prefix": "raw/"}
    settings = {**TO_S3, "S3BackupMode": "Enabled", "S3BackupConfiguration": backup}
    client.create_delivery_stream(DeliveryStreamName="backed-up", ExtendedS3DestinationConfiguration=settings)
    described = client.describe_delivery_stream(DeliveryStreamName="backed-up")["DeliveryStreamDescription"]
    client.delete_delivery_stream(DeliveryStreamName="backed-up")
    found = described["Destinations"][0]["ExtendedS3DestinationDescription"]["S3BackupDescription"]
    assert (found["BucketARN"], found["Prefix"]) == (TO_S3["BucketARN"], "raw/")


class Archive:
    """A bucket, a stream to it, and the stream's role."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self.name = name
        self._aws = aws
        self._iam, self._firehose, self._logs = aws.client("iam"), aws.client("firehose"), aws.client("logs")
        aws.client("s3").create_bucket(Bucket=name)
        self._logs.create_log_group(logGroupName=name)
        self._logs.create_log_stream(logGroupName=name, logStreamName="errors")
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust("000000000000"))["Role"]
        self.allow("s3:PutObject", f"arn:aws:s3:::{name}/*")
        self.allow("logs:PutLogEvents", f"arn:aws:logs:us-east-1:000000000000:log-group:{name}:log-stream:errors")
        self._firehose.create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "BucketARN": f"arn:aws:s3:::{name}",
                "RoleARN": role["Arn"],
                "CompressionFormat": "GZIP",
                "BufferingHints": {"IntervalInSeconds": INTERVAL, "SizeInMBs": 64},
                "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": name, "LogStreamName": "errors"},
            },
        )

    def allow(self, action: str, resource: str, **conditions: dict[str, str]) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": conditions}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.put_role_policy(RoleName=self.name, PolicyName=action.replace(":", "-"), PolicyDocument=document)

    def demand_kms(self) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{self.name}/*",
            "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._aws.client("s3").put_bucket_policy(Bucket=self.name, Policy=policy)

    def encrypt_with(self, key: str) -> None:
        described = self._firehose.describe_delivery_stream(DeliveryStreamName=self.name)["DeliveryStreamDescription"]
        self._firehose.update_destination(
            DeliveryStreamName=self.name,
            CurrentDeliveryStreamVersionId=described["VersionId"],
            DestinationId=described["Destinations"][0]["DestinationId"],
            ExtendedS3DestinationUpdate={"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}},
        )

    def trust(self, account: str) -> None:
        self._iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=_trust(account))

    def encrypt(self, key: str) -> None:
        encryption = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}
        self._firehose.start_delivery_stream_encryption(
            DeliveryStreamName=self.name, DeliveryStreamEncryptionConfigurationInput=encryption
        )

    def put(self, records: list[bytes]) -> dict[str, Any]:
        answer: dict[str, Any] = self._firehose.put_record_batch(
            DeliveryStreamName=self.name, Records=[{"Data": record} for record in records]
        )
        return answer

    def sum_of(self, metric: str) -> float:
        return sum_of(self._aws, "AWS/Firehose", metric, DeliveryStreamName=self.name)

    def objects(self) -> list[bytes]:
        s3 = self._aws.client("s3")
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
        return [gzip.decompress(s3.get_object(Bucket=self.name, Key=key)["Body"].read()) for key in keys]

    def errors(self) -> list[dict[str, Any]]:
        events = self._logs.get_log_events(logGroupName=self.name, logStreamName="errors")["events"]
        return [json.loads(event["message"]) for event in events]

    def refusals(self, text: str) -> list[str]:
        return [line for line in self._aws.refusals if text in line and f"role/{self.name}:" in line]

    def delete(self) -> None:
        self._firehose.delete_delivery_stream(DeliveryStreamName=self.name)


@pytest.fixture
def archive(aws: LocalAws, request: pytest.FixtureRequest) -> Iterator[Archive]:
    made = Archive(aws, re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-60:].strip("-"))
    yield made
    made.delete()


@pytest.fixture
def still_archive(still_aws: LocalAws, request: pytest.FixtureRequest) -> Iterator[Archive]:
    made = Archive(still_aws, re.sub("[^a-z0-9]+", "-", request.node.name.lower())[-60:].strip("-"))
    yield made
    made.delete()


def _trust(account: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "firehose.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": account}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
