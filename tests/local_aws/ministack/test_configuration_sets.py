from __future__ import annotations

import json
from typing import Any

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


def test_the_query_protocol_makes_changes_describes_and_deletes_event_destinations(aws: LocalAws) -> None:
    v1, v2 = aws.client("ses"), aws.client("sesv2")
    v2.create_configuration_set(ConfigurationSetName="by-v1")
    dimension = {"DimensionName": "campaign", "DimensionValueSource": "messageTag", "DefaultDimensionValue": "none"}
    destination = {
        "Name": "metrics",
        "Enabled": True,
        "MatchingEventTypes": ["bounce", "renderingFailure"],
        "CloudWatchDestination": {"DimensionConfigurations": [dimension]},
    }
    in_the_set = {"ConfigurationSetName": "by-v1"}

    def described() -> list[dict[str, Any]]:
        answer = v1.describe_configuration_set(**in_the_set, ConfigurationSetAttributeNames=["eventDestinations"])
        found: list[dict[str, Any]] = answer["EventDestinations"]
        return found

    v1.create_configuration_set_event_destination(**in_the_set, EventDestination=destination)
    assert described() == [destination]
    [of_v2] = v2.get_configuration_set_event_destinations(**in_the_set)["EventDestinations"]
    assert (of_v2["MatchingEventTypes"], of_v2["Enabled"]) == (["BOUNCE", "RENDERING_FAILURE"], True)
    changed = {**destination, "Enabled": False, "MatchingEventTypes": ["send"]}
    v1.update_configuration_set_event_destination(**in_the_set, EventDestination=changed)
    assert described() == [changed]
    v1.delete_configuration_set_event_destination(**in_the_set, EventDestinationName="metrics")
    assert described() == []
    v2.delete_configuration_set(**in_the_set)


def test_the_query_protocol_refuses_event_destinations_in_its_own_words(aws: LocalAws) -> None:
    v1, v2 = aws.client("ses"), aws.client("sesv2")
    v2.create_configuration_set(ConfigurationSetName="by-v1")
    dimension = {"DimensionName": "campaign", "DimensionValueSource": "messageTag", "DefaultDimensionValue": "none"}
    counted = {"CloudWatchDestination": {"DimensionConfigurations": [dimension]}}
    nobody = {"IAMRoleARN": "arn:aws:iam::000000000000:role/nobody"}
    nowhere = {"DeliveryStreamARN": "arn:aws:firehose:us-east-1:000000000000:deliverystream/nowhere"}
    to_nobody = {"KinesisFirehoseDestination": nobody | nowhere}
    topic = {"SNSDestination": {"TopicARN": "arn:aws:sns:us-east-1:000000000000:nowhere"}}
    twice = {"CloudWatchDestination": {"DimensionConfigurations": [dimension] * 2}}

    def call(what: str, name: str, target: Any, configuration_set: str = "by-v1") -> Any:
        destination = {"Name": name, "Enabled": True, "MatchingEventTypes": ["send"], **target}
        calls = getattr(v1, f"{what}_configuration_set_event_destination")
        return calls(ConfigurationSetName=configuration_set, EventDestination=destination)

    call("create", "metrics", counted)
    refusals: dict[str, tuple[Any, ...]] = {
        "EventDestinationAlreadyExists": ("create", "metrics", counted),
        "EventDestinationDoesNotExist": ("update", "other", counted),
        "ConfigurationSetDoesNotExist": ("create", "metrics", counted, "unknown"),
        "InvalidFirehoseDestination": ("create", "other", to_nobody),
        "InvalidSNSDestination": ("create", "other", topic),
        "InvalidCloudWatchDestination": ("create", "other", twice),
    }
    for code, request in refusals.items():
        with pytest.raises(ClientError) as refused:
            call(*request)
        assert refused.value.response["Error"]["Code"].startswith(code)
    v2.delete_configuration_set(ConfigurationSetName="by-v1")
