"""The system of 2016, built with Terraform then, against the reference stack with the settings that make it that."""

from __future__ import annotations

from typing import Any

import app
from ses_events import SesEventsStack
from tests.support.templates import (
    Json,
    inline_actions,
    new_app,
    only,
    properties,
    readable,
    resources,
    synthesize,
    warnings,
)

CONTEXT = {
    "ses-events:configuration-set-name": "event-publishing",
    "ses-events:dimension-name": "campaign",
    "ses-events:dimension-default-value": "unknown",
    "ses-events:dimension-source": "messageTag",
    "ses-events:events": ["send"],
    "ses-events:prefix": "ses",
    "ses-events:buffering-interval-seconds": 60,
    "ses-events:analytics": False,
    "ses-events:monitoring": False,
}

WITHDRAWN = {"firehose:PutRecord", "sts:ExternalId"}
"""What SES no longer uses: it puts batches only, and names the account and the set instead of an external id."""


def test_the_reference_stack_is_the_system_of_2016(recommended_flags: dict[str, Any]) -> None:
    stack = SesEventsStack(new_app(**recommended_flags), "SesEvents", **app.settings(CONTEXT))
    template = readable(synthesize(stack))
    configuration_set, _ = only(template, "AWS::SES::ConfigurationSet")
    bucket, _ = only(template, "AWS::S3::Bucket")
    stream, _ = only(template, "AWS::KinesisFirehose::DeliveryStream")
    log_group, _ = only(template, "AWS::Logs::LogGroup")
    log_stream, _ = only(template, "AWS::Logs::LogStream")
    ses_role, firehose_role = roles(template)
    destinations = {
        d["Properties"]["EventDestination"]["Name"]: d["Properties"]
        for d in resources(template, "AWS::SES::ConfigurationSetEventDestination").values()
    }

    # aws_ses_configuration_set
    assert properties(template, "AWS::SES::ConfigurationSet")["Name"] == "event-publishing"

    # aws_ses_event_destination: firehose and cloudwatch
    assert destinations == {
        "firehose": {
            "ConfigurationSetName": f"${{{configuration_set}}}",
            "EventDestination": {
                "Name": "firehose",
                "Enabled": True,
                "MatchingEventTypes": ["send"],
                "KinesisFirehoseDestination": {
                    "DeliveryStreamARN": f"${{{stream}.Arn}}",
                    "IAMRoleARN": f"${{{ses_role}.Arn}}",
                },
            },
        },
        "cloudwatch": {
            "ConfigurationSetName": f"${{{configuration_set}}}",
            "EventDestination": {
                "Name": "cloudwatch",
                "Enabled": True,
                "MatchingEventTypes": ["send"],
                "CloudWatchDestination": {
                    "DimensionConfigurations": [
                        {
                            "DimensionName": "campaign",
                            "DefaultDimensionValue": "unknown",
                            "DimensionValueSource": "messageTag",
                        }
                    ]
                },
            },
        },
    }

    # aws_kinesis_firehose_delivery_stream, to a bucket, with a log group and stream for errors
    s3_destination = properties(template, "AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    assert {key: s3_destination[key] for key in ("BucketARN", "RoleARN", "Prefix", "CloudWatchLoggingOptions")} == {
        "BucketARN": f"${{{bucket}.Arn}}",
        "RoleARN": f"${{{firehose_role}.Arn}}",
        "Prefix": "ses",
        "CloudWatchLoggingOptions": {
            "Enabled": True,
            "LogGroupName": f"${{{log_group}}}",
            "LogStreamName": f"${{{log_stream}}}",
        },
    }
    assert s3_destination["BufferingHints"]["IntervalInSeconds"] == 60
    assert properties(template, "AWS::Logs::LogStream")["LogGroupName"] == f"${{{log_group}}}"

    # aws_iam_role: each for one service, on behalf of this account only
    assert trust(template, ses_role) == {
        "ses.amazonaws.com": {"sts:ExternalId"} - WITHDRAWN | {"aws:SourceAccount", "aws:SourceArn"}
    }
    assert trust(template, firehose_role) == {"firehose.amazonaws.com": {"sts:ExternalId"}}
    assert "111122223333" not in str(template) and str(template).count("${AWS::AccountId}") >= 2

    # aws_iam_role_policy: two permissions for SES; six actions of S3 and PutLogEvents for Firehose
    assert permissions(template, ses_role) == {"firehose:PutRecord", "firehose:PutRecordBatch"} - WITHDRAWN
    assert permissions(template, firehose_role) == {
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
        "logs:PutLogEvents",
    }

    # the key reads ses2016/12/29/...: taken as it is, and told
    assert warnings(stack) == {"ses-events:prefix-without-slash"}


def roles(template: Json) -> tuple[str, str]:
    """The logical ids of the roles for SES and for Firehose."""
    by_service = {next(iter(trust(template, name))): name for name in resources(template, "AWS::IAM::Role")}
    return by_service["ses.amazonaws.com"], by_service["firehose.amazonaws.com"]


def trust(template: Json, role: str) -> dict[str, set[str]]:
    """Who may assume the role, and the keys of the condition."""
    (statement,) = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return {statement["Principal"]["Service"]: set(statement["Condition"]["StringEquals"])}


def permissions(template: Json, role: str) -> set[str]:
    return inline_actions(template["Resources"][role])
