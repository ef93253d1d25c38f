from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from ses_events import EventArchive, JsonFormat, ParquetFormat
from ses_events.record.fields import COLUMNS, JSON_KEYS
from tests.support.templates import (
    DELIVER,
    READ_SCHEMA,
    Json,
    inline_actions,
    logical_id,
    only,
    properties,
    readable,
    resources,
    synthesize,
    waits_for,
    warnings,
)

STREAM = "AWS::KinesisFirehose::DeliveryStream"
TABLE = "AWS::Glue::Table"
ROLE = "AWS::IAM::Role"


@pytest.fixture
def archive(stack: cdk.Stack) -> EventArchive:
    return EventArchive(stack, "Archive", format=ParquetFormat())


def test_firehose_converts_by_the_table(stack: cdk.Stack, archive: EventArchive) -> None:
    template = readable(synthesize(stack))
    role, _ = only(template, ROLE)
    destination = _destination(template)
    assert archive.event_table
    assert destination["DataFormatConversionConfiguration"] == {
        "Enabled": True,
        "InputFormatConfiguration": {
            "Deserializer": {
                "OpenXJsonSerDe": {"CaseInsensitive": False, "ColumnToJsonKeyMappings": JSON_KEYS},
            }
        },
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
        "SchemaConfiguration": {
            "CatalogId": "${AWS::AccountId}",
            "DatabaseName": archive.event_table.database_name,
            "TableName": archive.event_table.table_name,
            "Region": "${AWS::Region}",
            "RoleARN": f"${{{role}.Arn}}",
            "VersionId": "LATEST",
        },
    }
    assert (destination["CompressionFormat"], destination["FileExtension"]) == ("UNCOMPRESSED", ".parquet")
    assert destination["Prefix"] == "parquet/dt=!{timestamp:yyyy-MM-dd}/"
    assert destination["BufferingHints"] == {"IntervalInSeconds": 300, "SizeInMBs": 128}


def test_the_json_stays_where_it_is_without_parquet(stack: cdk.Stack, archive: EventArchive) -> None:
    EventArchive(stack, "Json")
    converting, plain = (
        each["Properties"]["ExtendedS3DestinationConfiguration"]
        for each in resources(readable(synthesize(stack)), STREAM).values()
    )
    assert converting["S3BackupMode"] == "Enabled"
    as_without = ("CompressionFormat", "ErrorOutputPrefix", "Prefix")
    as_with = ("BucketARN", "BufferingHints", "CloudWatchLoggingOptions", "RoleARN")
    # and no FileExtension, which a backup does not take
    assert converting["S3BackupConfiguration"] == {name: plain[name] for name in as_without} | {
        name: converting[name] for name in as_with
    }


def test_the_table_reads_the_parquet(stack: cdk.Stack, archive: EventArchive) -> None:
    table = properties(readable(synthesize(stack)), TABLE)["TableInput"]
    storage = table["StorageDescriptor"]
    assert {column["Name"]: column["Type"] for column in storage["Columns"]} == COLUMNS
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    assert storage["SerdeInfo"] == {"SerializationLibrary": serde}
    bucket = "s3://${ArchiveBucket49F1AC64}"
    assert table["Parameters"]["storage.location.template"] == f"{bucket}/parquet/dt=${{dt}}/"


def test_the_table_comes_before_the_stream(stack: cdk.Stack, archive: EventArchive) -> None:
    template = synthesize(stack)
    stream, table = logical_id(archive.delivery_stream), only(template, TABLE)[0]
    assert waits_for(template, stream, table)
    assert waits_for(template, stream, only(template, ROLE)[0])
    assert warnings(stack) == set()


def test_firehose_may_read_the_schema_and_nothing_else_besides(stack: cdk.Stack, archive: EventArchive) -> None:
    template = readable(synthesize(stack))
    _, role = only(template, ROLE)
    assert inline_actions(role) == DELIVER | READ_SCHEMA
    [statement] = [each for each in _statements(role) if each["Sid"] == "Schema"]
    start = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}"
    assert archive.event_table
    database = archive.event_table.database_name
    assert statement["Resource"] == [
        f"{start}:catalog",
        f"{start}:database/{database}",
        f"{start}:table/{database}/events",
    ]


def test_with_a_key_and_a_bucket_of_another_account_firehose_may_do_13_things(stack: cdk.Stack) -> None:
    iam.User(stack, "User")  # an older CDK refuses a stack without resources
    here = cdk.Stack(cdk.Stage.of(stack), "Here", env=cdk.Environment(account="111122223333", region="us-east-1"))
    bucket = s3.Bucket.from_bucket_attributes(
        here,
        "Bucket",
        bucket_name="there",
        account="444455556666",
        encryption_key=kms.Key.from_key_arn(here, "Key", "arn:aws:kms:us-east-1:444455556666:key/1"),
    )
    EventArchive(here, "Archive", bucket=bucket, format=ParquetFormat())
    allowed = inline_actions(only(synthesize(here), ROLE)[1])
    assert allowed == DELIVER | READ_SCHEMA | {"kms:Decrypt", "kms:GenerateDataKey", "s3:PutObjectAcl"}


def test_in_a_bucket_of_the_user_firehose_may_write_under_its_three_prefixes(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Bucket"), format=ParquetFormat())
    _, role = only(readable(synthesize(stack)), ROLE)
    [statement] = [each for each in _statements(role) if each["Sid"] == "Objects"]
    assert [arn.partition("/")[2] for arn in statement["Resource"]] == ["errors/*", "events/dt=*", "parquet/dt=*"]


@pytest.mark.parametrize("json", [None, JsonFormat()])
def test_an_archive_of_json_has_no_table(stack: cdk.Stack, json: JsonFormat | None) -> None:
    archive = EventArchive(stack, "Archive", format=json)
    assert archive.event_table is None
    assert archive.table_prefix == archive.prefix == "events/dt=!{timestamp:yyyy-MM-dd}/"
    assert not resources(synthesize(stack), TABLE)


@pytest.mark.parametrize(
    ("options", "folders"),
    [
        ({}, ["events/dt=*"]),
        ({"format": ParquetFormat()}, ["events/dt=*", "parquet/dt=*"]),
        ({"prefix": "mail/"}, ["mail/*"]),
        ({"prefix": f"{cdk.Aws.ACCOUNT_ID}/!{{timestamp:yyyy-MM-dd}}/"}, ["${AWS::AccountId}/*"]),
        ({"prefix": f"mail/{cdk.Aws.STACK_NAME}/"}, ["mail/*"]),  # in a reader's stack that is another name
    ],
)
def test_readers_may_read_the_events_and_nothing_else(
    stack: cdk.Stack, options: dict[str, Any], folders: list[str]
) -> None:
    EventArchive(stack, "Archive", **options).grant_read(iam.User(stack, "Reader"))
    bucket = "${ArchiveBucket49F1AC64.Arn}"
    statements = properties(readable(synthesize(stack)), "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert [(each["Action"], each["Resource"]) for each in statements] == [
        ("s3:GetBucketLocation", bucket),
        ("s3:ListBucket", bucket),
        ("s3:GetObject", _one_or_many([f"{bucket}/{folder}" for folder in folders])),
    ]
    assert statements[1]["Condition"] == {"StringLike": {"s3:prefix": folders}}


def test_with_a_key_readers_may_decrypt(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", encryption_key=kms.Key(stack, "Key"))
    archive.grant_read(iam.User(stack, "Reader"))
    template = readable(synthesize(stack))
    [statement] = properties(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"][3:]
    key, _ = only(template, "AWS::KMS::Key")
    assert (statement["Action"], statement["Resource"]) == ("kms:Decrypt", f"${{{key}.Arn}}")


def test_a_prefix_known_at_deployment_only_opens_the_whole_bucket_to_readers(stack: cdk.Stack) -> None:
    prefix = cdk.CfnParameter(stack, "Prefix").value_as_string
    EventArchive(stack, "Archive", prefix=prefix).grant_read(iam.User(stack, "Reader"))
    statements = properties(readable(synthesize(stack)), "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert statements[-1]["Resource"] == "${ArchiveBucket49F1AC64.Arn}/*"
    assert not [each for each in statements if "Condition" in each]


@pytest.mark.parametrize("size", [1, 63])
def test_a_buffer_too_small_to_convert_is_refused(stack: cdk.Stack, size: int) -> None:
    with pytest.raises(ValueError) as caught:
        EventArchive(stack, "Archive", format=ParquetFormat(), buffering_size=cdk.Size.mebibytes(size))
    assert str(caught.value) == f"Mail/Archive: buffering_size {size} MiB is out of range; use 64-128 whole MiB"


@pytest.mark.parametrize("size", [64, 128])
def test_a_buffer_large_enough_to_convert_is_taken(stack: cdk.Stack, size: int) -> None:
    EventArchive(stack, "Archive", format=ParquetFormat(), buffering_size=cdk.Size.mebibytes(size))
    assert _destination(synthesize(stack))["BufferingHints"]["SizeInMBs"] == size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"prefix": "parquet/dt=!{timestamp:yyyy-MM-dd}/"},
            "format.prefix 'parquet/dt=!{timestamp:yyyy-MM-dd}/' and prefix 'parquet/dt=!{timestamp:yyyy-MM-dd}/' "
            "overlap, but a table reads one format; use different folders such as 'parquet/' and 'events/'",
        ),
        (
            {"prefix": "par"},
            "format.prefix 'parquet/dt=!{timestamp:yyyy-MM-dd}/' and prefix 'par' overlap, but a table reads one "
            "format; use different folders such as 'parquet/' and 'events/'",
        ),
        (
            {"prefix": "parquet/dt=json/"},
            "format.prefix 'parquet/dt=!{timestamp:yyyy-MM-dd}/' and prefix 'parquet/dt=json/' overlap, but a table "
            "reads one format; use different folders such as 'parquet/' and 'events/'",
        ),
    ],
)
def test_parquet_among_other_objects_is_refused(stack: cdk.Stack, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        EventArchive(stack, "Archive", format=ParquetFormat(), **options)
    assert str(caught.value) == f"Mail/Archive: {message}"


def test_errors_among_parquet_files_are_warned_of(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", format=ParquetFormat(), error_output_prefix="parquet/dt=errors/")
    assert warnings(stack) == {"ses-events:errors-among-events"}


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("parquet", "'parquet' is of type str"),
        (ParquetFormat, "<class 'ses_events.archive.formats.ParquetFormat'> is of type type"),
        (s3.LifecycleRule(prefix="parquet/"), "LifecycleRule(prefix='parquet/') is of type LifecycleRule"),
    ],
)
def test_another_format_is_refused(stack: cdk.Stack, wrong: Any, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        EventArchive(stack, "Archive", format=wrong)
    assert str(caught.value) == f"Mail/Archive: format {shown}; use JsonFormat() or ParquetFormat()"


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("columns/!{timestamp:HH}/", "has no folder for each day, as a table needs; use one such as"),
        ("columns/!{timestamp:yyyy-MM-dd}/!{when}/", "has '!{when}'; use one of timestamp, firehose"),
        ("!{firehose:random-string}/", "has no folder for each day"),
        ("a\x00b", "has no folder for each day"),
        ("/columns/!{timestamp:yyyy-MM-dd}/", "has a folder without a name, which Athena does not read"),
        ("c" * 1025 + "/!{timestamp:yyyy-MM-dd}/", "has 1050 characters; use at most 1024"),
    ],
)
def test_a_wrong_prefix_for_parquet_is_refused(prefix: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^ParquetFormat: prefix ") as caught:
        ParquetFormat(prefix=prefix)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_prefix_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^ParquetFormat: prefix 5 is of type int; use a string such as 'events/'"):
        ParquetFormat(prefix=5)  # type: ignore[arg-type]


def _destination(template: Json) -> Json:
    destination: Json = properties(template, STREAM)["ExtendedS3DestinationConfiguration"]
    return destination


def _statements(role: Json) -> list[Json]:
    [policy] = role["Properties"]["Policies"]
    statements: list[Json] = policy["PolicyDocument"]["Statement"]
    return statements


def _one_or_many(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
