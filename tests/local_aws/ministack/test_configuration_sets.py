from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, WaiterError

from local_aws import LocalAws


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


def test_cloudformation_neither_takes_over_nor_deletes_what_it_did_not_create(aws: LocalAws) -> None:
    cloudformation, ses, s3 = aws.client("cloudformation"), aws.client("sesv2"), aws.client("s3")
    ses.create_configuration_set(ConfigurationSetName="there", Tags=[{"Key": "owner", "Value": "me"}])
    s3.create_bucket(Bucket="there")
    s3.put_object(Bucket="there", Key="mine")
    for name, resource, reason in (
        ("OverSet", {"Type": "AWS::SES::ConfigurationSet", "Properties": {"Name": "there"}}, "'there' already exists."),
        ("OverBucket", {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "there"}}, "Validation failed with 1"),
    ):
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Over": resource}}))
        with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
            cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        assert reason in str([each.get("ResourceStatusReason") for each in events])
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    assert ses.get_configuration_set(ConfigurationSetName="there")["Tags"] == [{"Key": "owner", "Value": "me"}]
    assert s3.list_objects_v2(Bucket="there")["Contents"][0]["Key"] == "mine"
    ses.delete_configuration_set(ConfigurationSetName="there")
