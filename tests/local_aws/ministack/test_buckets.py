from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

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


def test_an_object_with_a_key_needs_permission_for_the_key(aws: LocalAws) -> None:
    iam, kms, admin = aws.client("iam"), aws.client("kms"), aws.client("s3")
    keys = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    admin.create_bucket(Bucket="secrets")
    iam.create_user(UserName="secretary")
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": keys[0],
            "Condition": {
                "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::secrets/*"},
            },
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="secretary", PolicyName="Secrets", PolicyDocument=document)
    key = iam.create_access_key(UserName="secretary")["AccessKey"]
    s3 = aws.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    for kms_key in keys:
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
        admin.put_object(Bucket="secrets", Key=kms_key[-4:], Body=b"secret", **encryption)
    s3.put_object(Bucket="secrets", Key="mine", ServerSideEncryption="aws:kms", SSEKMSKeyId=keys[0])
    assert s3.get_object(Bucket="secrets", Key=keys[0][-4:])["Body"].read() == b"secret"
    with pytest.raises(ClientError, match=r"AccessDenied.* kms:Decrypt"):
        s3.get_object(Bucket="secrets", Key=keys[1][-4:])
    with pytest.raises(ClientError, match=r"AccessDenied.* kms:GenerateDataKey"):
        s3.put_object(Bucket="secrets", Key="theirs", ServerSideEncryption="aws:kms", SSEKMSKeyId=keys[1])
    assert "theirs" not in [each["Key"] for each in admin.list_objects_v2(Bucket="secrets")["Contents"]]
