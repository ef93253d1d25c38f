"""A stack is taken down, with what CloudFormation leaves of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cdk import Cdk, CdkError
from ses_events.verify.account import Account, error_code, error_message
from tools.prove.field import STREAM, made, stack_events


def take_down(account: Account, cdk: Cdk, stack: str) -> list[str]:
    """Delete a stack, and the buckets and streams that it or a rollback leaves; what is still there after that."""
    try:
        [described] = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError:
        return []  # there is no such stack
    stack_id = described["StackId"]  # its events are there after the stack
    events, left = stack_events(account, stack_id), list[str]()
    try:
        cdk.destroy(stack)
    except CdkError as error:
        left.append(f"the stack {stack} ({str(error).splitlines()[-1].strip()})")
    with contextlib.suppress(ClientError):  # a deployment that was interrupted may have made more in between
        events = stack_events(account, stack_id)
    firehose, s3 = account.client("firehose"), account.client("s3")
    for name in made(events, STREAM):  # which cannot be deleted, as by a rollback, before it is active
        left += _refused(f"the stream {name}", lambda name=name: _delete_stream(firehose, name))
    for name in made(events, "AWS::S3::Bucket"):
        left += _refused(f"the bucket {name}", lambda name=name: _delete_bucket(s3, name))
    return left


def _refused(what: str, delete: Any) -> Iterator[str]:
    try:
        delete()
    except ClientError as error:
        if error_code(error) not in ("NoSuchBucket", "ResourceNotFoundException"):
            yield f"{what} ({error_message(error)})"


def _delete_stream(firehose: Any, name: str) -> None:
    described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    if described["DeliveryStreamStatus"] != "DELETING":
        firehose.delete_delivery_stream(DeliveryStreamName=name)


def _delete_bucket(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=bucket)
