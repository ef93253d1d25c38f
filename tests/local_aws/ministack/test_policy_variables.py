from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws


@pytest.mark.parametrize(
    ("allowed", "keys", "others"),
    [
        ("a${*}b", ["a*b"], ["ab", "aXb", "a${*}b"]),
        ("a${?}*", ["a?", "a?b"], ["ab", "aXb"]),
        ("${$}{aws:username}/*", ["${aws:username}/a"], ["ann/a"]),
        ("${aws:username}/*", ["ann/a"], ["bob/a", "${aws:username}/a"]),
        ("${aws:PrincipalTag/team}/*", [], ["ann/a", "/a", "None/a"]),
    ],
)
def test_a_resource_may_have_variables(aws: LocalAws, allowed: str, keys: list[str], others: list[str]) -> None:
    iam, admin = aws.client("iam"), aws.client("s3")
    admin.create_bucket(Bucket="variables")
    statements = [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::variables/{allowed}"}]
    iam.create_user(UserName="ann")
    try:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="ann", PolicyName="Put", PolicyDocument=policy)
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        s3 = aws.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
        for name in keys:
            s3.put_object(Bucket="variables", Key=name)
        for name in others:
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.put_object(Bucket="variables", Key=name)
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    finally:
        iam.delete_user_policy(UserName="ann", PolicyName="Put")
        iam.delete_user(UserName="ann")


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_a_condition_may_have_variables(aws: LocalAws, operator: str) -> None:
    iam = aws.client("iam")
    aws.client("s3").create_bucket(Bucket="listed")
    condition = {operator: {"s3:prefix": "${aws:username}/"}}
    statement = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::listed",
        "Condition": condition,
    }
    iam.create_user(UserName=operator)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=operator, PolicyName="List", PolicyDocument=policy)
    key = iam.create_access_key(UserName=operator)["AccessKey"]
    s3 = aws.client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    s3.list_objects_v2(Bucket="listed", Prefix=f"{operator}/")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket="listed", Prefix="another/")
