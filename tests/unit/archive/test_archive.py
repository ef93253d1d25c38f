from __future__ import annotations

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct
from syrupy.assertion import SnapshotAssertion

from ses_events import EventArchive
from tests.support.templates import (
    DELIVER,
    actions,
    inline_actions,
    new_app,
    only,
    properties,
    readable,
    synthesize,
    warnings,
)

BUCKET = "AWS::S3::Bucket"
STREAM = "AWS::KinesisFirehose::DeliveryStream"
ROLE = "AWS::IAM::Role"


def test_the_default_archive(stack: cdk.Stack, snapshot_json: SnapshotAssertion) -> None:
    EventArchive(stack, "Archive")
    assert readable(synthesize(stack)) == snapshot_json, "run make snapshots, and read what changed"


def test_firehose_may_do_nothing_but_deliver(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    _, role = only(synthesize(stack), ROLE)
    assert inline_actions(role) == DELIVER


def test_firehose_may_touch_only_the_bucket_its_objects_and_its_log_stream(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    template = readable(synthesize(stack))
    (policy,) = properties(template, ROLE)["Policies"]
    assert {s["Sid"]: s["Resource"] for s in policy["PolicyDocument"]["Statement"]} == {
        "Bucket": "${ArchiveBucket49F1AC64.Arn}",
        "Objects": "${ArchiveBucket49F1AC64.Arn}/*",
        "ErrorLog": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
        "${ArchiveLogGroup12EBE074}:log-stream:${ArchiveLogStream0C2370FC}",
    }


def test_only_firehose_for_this_account_can_take_the_role(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    assert readable(properties(synthesize(stack), ROLE))["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Action": "sts:AssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "firehose.amazonaws.com"},
            "Condition": {"StringEquals": {"sts:ExternalId": "${AWS::AccountId}"}},
        }
    ]


def test_an_aspect_sees_the_stream_as_what_it_is(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    seen: list[str] = []

    @jsii.implements(cdk.IAspect)
    class Streams:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, firehose.CfnDeliveryStream):
                seen.append(node.node.path)

    cdk.Aspects.of(stack).add(Streams())
    synthesize(stack)
    assert seen == ["Mail/Archive/DeliveryStream"]


@pytest.mark.parametrize(("encrypted", "findings"), [(True, []), (False, ["AwsSolutions-KDF1"])])
def test_nag_looks_at_the_encryption_of_the_stream(stack: cdk.Stack, encrypted: bool, findings: list[str]) -> None:
    archive = EventArchive(stack, "Archive")
    if not encrypted:
        archive.delivery_stream.delivery_stream_encryption_configuration_input = None
    assert [violation.rule_name for violation in AwsSolutionsChecks().validate_scope(stack).violations] == findings


def test_the_bucket_outlives_the_stack_and_the_log_group_does_not(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    template = synthesize(stack)
    assert only(template, BUCKET)[1]["DeletionPolicy"] == "Retain"
    assert only(template, BUCKET)[1]["UpdateReplacePolicy"] == "Retain"
    assert only(template, "AWS::Logs::LogGroup")[1]["DeletionPolicy"] == "Delete"
    assert properties(template, "AWS::Logs::LogGroup") == {"RetentionInDays": 30}


def test_the_bucket_takes_tls_requests_only(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive")
    policy = properties(synthesize(stack), "AWS::S3::BucketPolicy")["PolicyDocument"]
    assert actions(policy) == set()
    assert [s["Condition"] for s in policy["Statement"]] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_events_expire_only_when_asked_to(stack: cdk.Stack) -> None:
    EventArchive(stack, "Kept")
    assert "ExpirationInDays" not in properties(synthesize(stack), BUCKET)["LifecycleConfiguration"]["Rules"][0]

    expiring = cdk.Stack(new_app(), "Expiring")
    EventArchive(expiring, "Archive", expiration=cdk.Duration.days(400))
    assert properties(synthesize(expiring), BUCKET)["LifecycleConfiguration"]["Rules"] == [
        {
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "ExpirationInDays": 400,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Status": "Enabled",
        }
    ]


def test_prefixes_buffering_and_name_reach_the_stream(stack: cdk.Stack) -> None:
    archive = EventArchive(
        stack,
        "Archive",
        delivery_stream_name="mail.events",
        prefix="mail/!{timestamp:yyyy/MM}/",
        error_output_prefix="failed/!{firehose:error-output-type}/!{firehose:random-string}/",
        buffering_interval=cdk.Duration.seconds(0),
        buffering_size=cdk.Size.mebibytes(128),
    )
    stream = properties(synthesize(stack), STREAM)
    s3_destination = stream["ExtendedS3DestinationConfiguration"]
    assert stream["DeliveryStreamName"] == archive.delivery_stream_name == "mail.events"
    assert s3_destination["Prefix"] == "mail/!{timestamp:yyyy/MM}/"
    assert s3_destination["ErrorOutputPrefix"] == "failed/!{firehose:error-output-type}/!{firehose:random-string}/"
    assert s3_destination["BufferingHints"] == {"IntervalInSeconds": 0, "SizeInMBs": 128}


def test_two_archives_have_two_streams_by_two_names(stack: cdk.Stack) -> None:
    first, second = EventArchive(stack, "First"), EventArchive(stack, "Second")
    synthesize(stack)
    assert first.delivery_stream_name != second.delivery_stream_name


def test_the_derived_name_fits_however_deep_the_construct_lies(stack: cdk.Stack) -> None:
    deep = cdk.Stack(cdk.Stage(stack, "S" * 100), "D" * 20)
    assert len(EventArchive(deep, "A" * 200).delivery_stream_name) <= 64


def test_what_was_made_is_there_to_work_with(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    reader = cdk.aws_iam.Role(stack, "Reader", assumed_by=cdk.aws_iam.AccountRootPrincipal())
    archive.bucket.grant_read(reader)
    archive.log_group.grant_read(reader)
    cdk.CfnOutput(stack, "Stream", value=cdk.Token.as_string(archive.delivery_stream.get_att("Arn")))
    assert isinstance(archive.bucket, s3.Bucket)
    assert synthesize(stack)["Outputs"]["Stream"]


@pytest.mark.parametrize("tagged", ["archive", "stack", "app"])
def test_tags_are_on_whatever_of_the_archive_has_tags(tagged: str) -> None:
    # With the flag nothing is left to CloudFormation, which passes on a stack's tags.
    app = new_app(**{"@aws-cdk/core:explicitStackTags": True})
    stack = cdk.Stack(app, "Test")
    archive = EventArchive(stack, "Archive")
    cdk.Tags.of({"archive": archive, "stack": stack, "app": app}[tagged]).add("team", cdk.Aws.STACK_NAME)
    cdk.Tags.of(archive).add("no", "stream", exclude_resource_types=[STREAM])
    template = synthesize(stack)
    team = {"Key": "team", "Value": {"Ref": "AWS::StackName"}}
    assert properties(template, STREAM)["Tags"] == [team]
    for resource_type in (BUCKET, ROLE, "AWS::Logs::LogGroup"):
        assert properties(template, resource_type)["Tags"] == [{"Key": "no", "Value": "stream"}, team]


@pytest.mark.parametrize(
    ("prefix", "warning"),
    [
        ("ses", "ses-events:prefix-without-slash"),
        ("/ses/", "ses-events:prefix-leading-slash"),
        ("ses/!{timestamp:YYYY/MM/dd}/", "ses-events:prefix-week-year"),
        ("ses/!{timestamp:yyyy/DD}/", "ses-events:prefix-week-year"),
        ("", "ses-events:errors-among-events"),
        ("!{timestamp:yyyy}/", "ses-events:errors-among-events"),
        ("errors/", "ses-events:errors-among-events"),
        ("ses/{timestamp:yyyy}/", "ses-events:prefix-plain-braces"),
        ("ses/%Y/%m/%d/", "ses-events:prefix-strftime"),
    ],
)
def test_an_odd_prefix_is_taken_with_a_warning_that_can_be_acknowledged(prefix: str, warning: str) -> None:
    warned, quiet = cdk.Stack(new_app(), "Warned"), cdk.Stack(new_app(), "Quiet")
    EventArchive(warned, "Archive", prefix=prefix)
    archive = EventArchive(quiet, "Archive", prefix=prefix)
    cdk.Validations.of(archive).acknowledge(cdk.Acknowledgment(id=warning, reason="as it was"))
    assert warnings(warned) == {warning}
    assert warnings(quiet) == set()


@pytest.mark.parametrize(
    ("prefix", "errors"),
    [
        ("events/dt=!{timestamp:yyyy-MM-dd}/", "errors/"),
        ("events/", "prefix1/"),
        ("events/dt=!{timestamp:yyyy-MM-dd}/", "failed/!{firehose:error-output-type}/!{timestamp:yyyy}/"),
        ("events/", ""),
    ],
)
def test_errors_may_go_under_a_plain_prefix(stack: cdk.Stack, prefix: str, errors: str) -> None:
    EventArchive(stack, "Archive", prefix=prefix, error_output_prefix=errors)
    stream = properties(synthesize(stack), STREAM)["ExtendedS3DestinationConfiguration"]
    assert stream["ErrorOutputPrefix"] == errors


@pytest.mark.parametrize(
    "prefix", ["ses/", "ses/!{timestamp:yyyy/MM/dd/HH}/", "ses/!{timestamp:yyyy-MM-dd'T'HH}/", "DD/YYYY/", "50%/"]
)
def test_an_ordinary_prefix_raises_no_warning(stack: cdk.Stack, prefix: str) -> None:
    EventArchive(stack, "Archive", prefix=prefix)
    assert warnings(stack) == set()


def test_an_odd_error_output_prefix_is_taken_with_its_warnings(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", error_output_prefix="/!{firehose:error-output-type}/!{timestamp:YYYY}")
    assert warnings(stack) == {
        "ses-events:prefix-leading-slash",
        "ses-events:prefix-week-year",
        "ses-events:prefix-without-slash",
    }
