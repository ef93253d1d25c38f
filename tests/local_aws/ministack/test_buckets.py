from __future__ import annotations

import json

import pytest

from local_aws import LocalAws


@pytest.mark.parametrize("key", [None, "arn:aws:kms:us-east-1:000000000000:key/1234"])
def test_cloudformation_encrypts_a_bucket(aws: LocalAws, key: str | None) -> None:
    name = "encrypted-with-a-key" if key else "encrypted"
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, "BucketEncryption": encryption}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Bucket": bucket}}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    [rule] = aws.client("s3").get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == default
