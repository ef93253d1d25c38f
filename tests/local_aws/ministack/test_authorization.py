from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws


def test_permission_to_log_is_per_log_stream(aws: LocalAws) -> None:
    iam, logs = aws.client("iam"), aws.client("logs")
    logs.create_log_group(logGroupName="group")
    for stream in ("mine", "other"):
        logs.create_log_stream(logGroupName="group", logStreamName=stream)
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:group:log-stream:mine"
    statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": arn}
    iam.create_user(UserName="logger")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="logger", PolicyName="Log", PolicyDocument=document)
    key = iam.create_access_key(UserName="logger")["AccessKey"]
    logger = aws.client("logs", key["AccessKeyId"], key["SecretAccessKey"])

    events = [{"timestamp": 1767323045000, "message": "hello"}]
    logger.put_log_events(logGroupName="group", logStreamName="mine", logEvents=events)
    with pytest.raises(ClientError, match=r"not authorized to perform: logs:PutLogEvents on resource: .*:other"):
        logger.put_log_events(logGroupName="group", logStreamName="other", logEvents=events)
