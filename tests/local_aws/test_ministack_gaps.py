from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from botocore.exceptions import ClientError, WaiterError

import local_aws
from local_aws import LocalAws

MODULES = sorted(Path(local_aws.__file__).parent.glob("*.py"))


def test_the_private_names_of_ministack_exist() -> None:
    used = {(module.__name__, name): hasattr(module, name) for path in MODULES for module, name in _private(path)}
    assert len(used) > 8
    assert [name for name, exists in used.items() if not exists] == []


def test_one_module_uses_private_names_of_ministack() -> None:
    assert [path.name for path in MODULES if any(_private(path))] == ["ministack_gaps.py"]


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


def test_cloudformation_encrypts_a_topic(aws: LocalAws) -> None:
    keys = [aws.client("kms").create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    cloudformation = aws.client("cloudformation")
    for change, waiter, key in (
        (cloudformation.create_stack, "stack_create_complete", keys[0]),
        (cloudformation.update_stack, "stack_update_complete", keys[1]),
    ):
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "encrypted", "KmsMasterKeyId": key}}
        change(StackName="topic", TemplateBody=json.dumps({"Resources": {"Topic": topic}}))
        cloudformation.get_waiter(waiter).wait(StackName="topic", WaiterConfig={"Delay": 0.1})
        arn = "arn:aws:sns:us-east-1:000000000000:encrypted"
        assert aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"] == key


def test_a_topic_of_cloudformation_is_open_to_its_account_only(aws: LocalAws) -> None:
    cloudformation, sns = aws.client("cloudformation"), aws.client("sns")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "by-cloudformation"}}
    cloudformation.create_stack(StackName="default", TemplateBody=json.dumps({"Resources": {"Topic": topic}}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="default", WaiterConfig={"Delay": 0.1})
    by_sns, by_cloudformation = (
        sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
        for arn in (
            sns.create_topic(Name="by-sns")["TopicArn"],
            "arn:aws:sns:us-east-1:000000000000:by-cloudformation",
        )
    )
    assert json.loads(by_cloudformation) == json.loads(by_sns.replace("by-sns", "by-cloudformation"))


def test_cloudformation_neither_takes_over_nor_deletes_what_it_did_not_create(aws: LocalAws) -> None:
    cloudformation, ses, s3 = aws.client("cloudformation"), aws.client("sesv2"), aws.client("s3")
    ses.create_configuration_set(ConfigurationSetName="there", Tags=[{"Key": "owner", "Value": "me"}])
    s3.create_bucket(Bucket="there")
    s3.put_object(Bucket="there", Key="mine")
    for name, resource in (
        ("OverSet", {"Type": "AWS::SES::ConfigurationSet", "Properties": {"Name": "there"}}),
        ("OverBucket", {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "there"}}),
    ):
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Over": resource}}))
        with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    assert ses.get_configuration_set(ConfigurationSetName="there")["Tags"] == [{"Key": "owner", "Value": "me"}]
    assert s3.list_objects_v2(Bucket="there")["Contents"][0]["Key"] == "mine"
    ses.delete_configuration_set(ConfigurationSetName="there")


def test_cloudformation_makes_changes_and_deletes_what_is_saved_in_a_workgroup(aws: LocalAws) -> None:
    cloudformation, athena = aws.client("cloudformation"), aws.client("athena")

    def saved() -> list[str]:
        ids = athena.list_named_queries(WorkGroup="saved")["NamedQueryIds"]
        queries = [athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]["QueryString"] for query_id in ids]
        names = [
            each["StatementName"] for each in athena.list_prepared_statements(WorkGroup="saved")["PreparedStatements"]
        ]
        statements = [
            athena.get_prepared_statement(WorkGroup="saved", StatementName=name)["PreparedStatement"]["QueryStatement"]
            for name in names
        ]
        return queries + statements

    for change, done, sql in (
        (cloudformation.create_stack, "stack_create_complete", "SELECT 1"),
        (cloudformation.update_stack, "stack_update_complete", "SELECT 2"),
    ):
        resources = {
            "WorkGroup": {"Type": "AWS::Athena::WorkGroup", "Properties": {"Name": "saved"}},
            "Query": {
                "Type": "AWS::Athena::NamedQuery",
                "Properties": {"Database": "d", "Name": "q", "QueryString": sql, "WorkGroup": {"Ref": "WorkGroup"}},
            },
            "Statement": {
                "Type": "AWS::Athena::PreparedStatement",
                "Properties": {"StatementName": "s", "QueryStatement": sql, "WorkGroup": {"Ref": "WorkGroup"}},
            },
        }
        change(StackName="saved", TemplateBody=json.dumps({"Resources": resources}))
        cloudformation.get_waiter(done).wait(StackName="saved", WaiterConfig={"Delay": 0.1})
        assert saved() == [sql, sql]
    cloudformation.delete_stack(StackName="saved")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="saved", WaiterConfig={"Delay": 0.1})
    assert saved() == []


def test_both_versions_of_the_ses_api_know_a_configuration_set(aws: LocalAws) -> None:
    v1, v2 = aws.client("ses"), aws.client("sesv2")
    v1.create_configuration_set(ConfigurationSet={"Name": "of-v1"})
    v2.create_configuration_set(ConfigurationSetName="of-v2")
    for name in ("of-v1", "of-v2"):
        assert v1.describe_configuration_set(ConfigurationSetName=name)["ConfigurationSet"] == {"Name": name}
        assert v2.get_configuration_set(ConfigurationSetName=name)["ConfigurationSetName"] == name
        v2.delete_configuration_set(ConfigurationSetName=name)
        with pytest.raises(ClientError, match="ConfigurationSetDoesNotExist"):
            v1.describe_configuration_set(ConfigurationSetName=name)


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


def _private(path: Path) -> Iterator[tuple[ModuleType, str]]:
    """Modules of MiniStack, with the private names of them that a module of ours uses."""
    tree = ast.parse(path.read_text())
    modules = {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for name in node.names
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
            and node.attr.startswith("_")
        ):
            yield importlib.import_module(modules[node.value.id]), node.attr
