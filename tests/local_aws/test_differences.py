"""Where the AWS on this machine is known to differ: the rows with a tick of docs/local-aws-differences.md."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from tests.local_aws.support.deployed import eventually
from tests.support.templates import ROOT, Json


def _unknown_property(aws: LocalAws) -> bool:
    return _create(aws, "Unknown", {"NoSuchProperty": 1}) == "CREATE_COMPLETE"


def _settings_of_a_bucket(aws: LocalAws) -> bool:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    _create(
        aws,
        "Settings",
        {
            "BucketName": "settings-of-a-bucket",
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]},
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1}]},
            "ObjectLockEnabled": True,
        },
    )
    s3, bucket = aws.client("s3"), {"Bucket": "settings-of-a-bucket"}
    [found] = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return (
        found["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        and _refuses("NoSuchLifecycleConfiguration", lambda: s3.get_bucket_lifecycle_configuration(**bucket))
        and _refuses("ObjectLockConfigurationNotFoundError", lambda: s3.get_object_lock_configuration(**bucket))
    )


def _engagement_metrics(aws: LocalAws) -> bool:
    enabled = {"VdmEnabled": "ENABLED"}
    put = aws.client("sesv2").put_account_vdm_attributes
    return _refuses("NotFoundException", lambda: put(VdmAttributes=enabled))


def _lake_formation(aws: LocalAws) -> bool:
    return _refuses("400", aws.client("lakeformation").list_permissions)


def _identities(aws: LocalAws) -> bool:
    aws.client("sesv2").create_email_identity(EmailIdentity="of-v2.example.com")
    return "of-v2.example.com" not in aws.client("ses").list_identities()["Identities"]


def _sandbox(aws: LocalAws) -> bool:
    return bool(aws.client("sesv2").get_account()["ProductionAccessEnabled"])


DIFFERENCES: dict[str, Callable[[LocalAws], bool]] = {
    "a property": _unknown_property,
    "encryption": _settings_of_a_bucket,
    "Virtual Deliverability Manager": _engagement_metrics,
    "Lake Formation": _lake_formation,
    "identities": _identities,
    "the SES sandbox": _sandbox,
}
"""What a row begins with, and whether the difference is still there."""


@pytest.mark.parametrize("row", DIFFERENCES)
def test_a_difference_of_the_page_is_still_there(aws: LocalAws, row: str) -> None:
    assert DIFFERENCES[row](aws)


def test_each_row_with_a_tick_is_tried() -> None:
    rows = [
        line for line in (ROOT / "docs/local-aws-differences.md").read_text().splitlines() if line.endswith("| ✓ |")
    ]
    assert [next(row for row in DIFFERENCES if line.startswith(f"| {row}")) for line in rows] == [*DIFFERENCES]


def _create(aws: LocalAws, name: str, properties: Json) -> str:
    cloudformation = aws.client("cloudformation")
    template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))

    def status() -> str:
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        found = str(stack["StackStatus"])
        return "" if found.endswith("IN_PROGRESS") else found

    return eventually(status)


def _refuses(code: str, call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == code)
    return False
