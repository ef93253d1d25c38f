"""Event destinations as SES creates them: it tries each, and refuses what it could not publish to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.demo import DOMAIN, send_mail
from local_aws.iam.principals import ServicePrincipal
from local_aws.ministack import metrics
from local_aws.ses.publish import Waiting, publish
from local_aws.ses.records import Event
from tests.local_aws.support.deployed import eventually, refusals, sum_of

SET = "tried"
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
STREAM = ARN.format("firehose", "deliverystream/tried")
ROLE = "arn:aws:iam::000000000000:role/{}"


@pytest.fixture(scope="module", autouse=True)
def configuration_set(aws: LocalAws) -> None:
    """A set, a stream, roles that fit it more or less, and topics."""
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    aws.client("sesv2").create_configuration_set(ConfigurationSetName=SET)
    aws.client("s3").create_bucket(Bucket="tried")
    iam, sns = aws.client("iam"), aws.client("sns")
    for name, principal, stream in (
        ("fitting", "ses.amazonaws.com", STREAM),
        ("of-firehose", "firehose.amazonaws.com", STREAM),
        ("for-another-stream", "ses.amazonaws.com", f"{STREAM}-not"),
    ):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_allow("sts:AssumeRole", principal=principal))
        policy = _allow("firehose:PutRecordBatch", resource=stream)
        iam.put_role_policy(RoleName=name, PolicyName="Put", PolicyDocument=policy)
    aws.client("firehose").create_delivery_stream(
        DeliveryStreamName="tried",
        ExtendedS3DestinationConfiguration={"BucketARN": "arn:aws:s3:::tried", "RoleARN": ROLE.format("of-firehose")},
    )
    sns.create_topic(Name="default-policy")
    sns.create_topic(Name="open", Attributes={"Policy": _allow("sns:Publish", principal="ses.amazonaws.com")})


def create(aws: LocalAws, name: str, **destination: Any) -> None:
    aws.client("sesv2").create_configuration_set_event_destination(
        ConfigurationSetName=SET,
        EventDestinationName=name,
        EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND"], **destination},
    )


def delete(aws: LocalAws, name: str) -> None:
    aws.client("sesv2").delete_configuration_set_event_destination(ConfigurationSetName=SET, EventDestinationName=name)


def firehose(role: str, stream: str = STREAM) -> dict[str, Any]:
    return {"KinesisFirehoseDestination": {"IamRoleArn": ROLE.format(role), "DeliveryStreamArn": stream}}


NO_ACCESS = "Could not access Kinesis Firehose Stream <{}> using IAM role <{}>."


@pytest.mark.parametrize(
    ("destination", "message", "reason"),
    [
        (
            firehose("nobody"),
            f"Could not assume IAM role <{ROLE.format('nobody')}>.",
            f"sts:AssumeRole on resource: {ROLE.format('nobody')}: it does not exist",
        ),
        (
            firehose("of-firehose"),
            f"Could not assume IAM role <{ROLE.format('of-firehose')}>.",
            f"sts:AssumeRole on resource: {ROLE.format('of-firehose')}: its policy does not allow it",
        ),
        (
            firehose("for-another-stream"),
            NO_ACCESS.format(STREAM, ROLE.format("for-another-stream")),
            f"is not authorized to perform: firehose:PutRecordBatch on resource: {STREAM}",
        ),
        (
            firehose("for-another-stream", f"{STREAM}-not"),
            NO_ACCESS.format(f"{STREAM}-not", ROLE.format("for-another-stream")),
            f"{STREAM}-not is not there, or not yet active",
        ),
        (
            {"SnsDestination": {"TopicArn": ARN.format("sns", "default-policy")}},
            f"Could not publish to SNS topic <{ARN.format('sns', 'default-policy')}>.",
            f"sns:Publish on resource: {ARN.format('sns', 'default-policy')}: its policy does not allow it",
        ),
        (
            {"SnsDestination": {"TopicArn": ARN.format("sns", "nowhere")}},
            f"Could not publish to SNS topic <{ARN.format('sns', 'nowhere')}>.",
            f"sns:Publish on resource: {ARN.format('sns', 'nowhere')}: it does not exist",
        ),
        (
            {"KinesisFirehoseDestination": {"IamRoleArn": "fitting", "DeliveryStreamArn": STREAM}},
            "IamRoleArn is no valid ARN: <fitting>.",
            "",
        ),
        (firehose("fitting", "tried"), "DeliveryStreamArn is no valid ARN: <tried>.", ""),
        ({"SnsDestination": {"TopicArn": "open"}}, "TopicArn is no valid ARN: <open>.", ""),
        (
            {"EventBridgeDestination": {"EventBusArn": ARN.format("events", "event-bus/mine")}},
            f"Only the default event bus is supported, not <{ARN.format('events', 'event-bus/mine')}>.",
            "",
        ),
    ],
)
def test_what_ses_cannot_publish_to_is_refused_and_the_reason_logged(
    aws: LocalAws, destination: dict[str, Any], message: str, reason: str
) -> None:
    before = len(refusals(aws, f"refused of {SET} not created"))
    with pytest.raises(ClientError) as refused:
        create(aws, "refused", **destination)
    assert refused.value.response["Error"] == {"Code": "BadRequestException", "Message": message}
    assert "EventDestinations" not in aws.client("sesv2").get_configuration_set_event_destinations(
        ConfigurationSetName=SET
    )
    [line] = refusals(aws, f"refused of {SET} not created")[before:]  # others go on meanwhile
    assert f"refused of {SET} not created: {message}" in line
    assert reason in line


def dimensions(*names: str, source: str = "MESSAGE_TAG", default: str = "none") -> dict[str, Any]:
    configurations = [
        {"DimensionName": name, "DimensionValueSource": source, "DefaultDimensionValue": default} for name in names
    ]
    return {"CloudWatchDestination": {"DimensionConfigurations": configurations}}


@pytest.mark.parametrize(
    "destination",
    [
        dimensions(*(f"tag{number}" for number in range(11))),
        dimensions("campaign", "campaign"),
        dimensions("my campaign"),
        dimensions("a" * 257),
        dimensions("campaign", default="not known"),
        dimensions("campaign", default="a" * 257),
        *(
            dimensions(header, source="EMAIL_HEADER")
            for header in ("Received", "to", "FROM", "DKIM-Signature", "Cc", "Message-ID", "return-path")
        ),
    ],
)
def test_dimensions_that_ses_cannot_count_by_are_refused(aws: LocalAws, destination: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="BadRequestException"):
        create(aws, "counted", **destination)


@pytest.mark.parametrize(
    "destination",
    [
        dimensions(*(f"tag{number}" for number in range(10))),
        dimensions("to", "from"),
        dimensions("campaign", "Campaign"),
        dimensions("subject", source="EMAIL_HEADER"),
        dimensions("ses:" + "a" * 252, default="a@b.c" + "-" * 251),
    ],
)
def test_dimensions_that_ses_can_count_by_are_taken(aws: LocalAws, destination: dict[str, Any]) -> None:
    create(aws, "counted", **destination)
    delete(aws, "counted")


def test_cloudformation_fails_with_the_same_words(aws: LocalAws) -> None:
    properties = {
        "ConfigurationSetName": SET,
        "EventDestination": {
            "MatchingEventTypes": ["send"],
            "KinesisFirehoseDestination": {"IAMRoleARN": ROLE.format("nobody"), "DeliveryStreamARN": STREAM},
        },
    }
    template = {
        "Resources": {"ToNobody": {"Type": "AWS::SES::ConfigurationSetEventDestination", "Properties": properties}}
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="ToNobody", TemplateBody=json.dumps(template))

    def failures() -> list[str]:
        events = cloudformation.describe_stack_events(StackName="ToNobody")["StackEvents"]
        return [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]

    assert f"Could not assume IAM role <{ROLE.format('nobody')}>." in eventually(failures)[0]


def test_a_destination_is_tried_again_when_it_changes(aws: LocalAws) -> None:
    create(aws, "changing", **firehose("fitting"))
    sesv2 = aws.client("sesv2")
    with pytest.raises(ClientError, match="Could not assume IAM role"):
        sesv2.update_configuration_set_event_destination(
            ConfigurationSetName=SET,
            EventDestinationName="changing",
            EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND"], **firehose("nobody")},
        )
    [kept] = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=SET)["EventDestinations"]
    assert kept["KinesisFirehoseDestination"]["IamRoleArn"] == ROLE.format("fitting")
    delete(aws, "changing")


def test_a_topic_gets_a_message_when_it_is_tried(aws: LocalAws) -> None:
    sqs, topic = aws.client("sqs"), ARN.format("sns", "open")
    policy = _allow("sqs:SendMessage", principal="sns.amazonaws.com")
    url = sqs.create_queue(QueueName="tried", Attributes={"Policy": policy})["QueueUrl"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ARN.format("sqs", "tried"))
    create(aws, "topic", SnsDestination={"TopicArn": topic})
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    text = "Successfully validated SNS topic for Amazon SES event publishing."
    assert json.loads(message["Body"])["Message"] == text
    delete(aws, "topic")


def test_an_event_that_cannot_be_published_is_in_the_log_once(aws: LocalAws) -> None:
    sns, topic = aws.client("sns"), ARN.format("sns", "closing")
    sns.create_topic(Name="closing", Attributes={"Policy": _allow("sns:Publish", principal="ses.amazonaws.com")})
    create(aws, "closing", SnsDestination={"TopicArn": topic})
    closed = _allow("sns:Publish", principal="x")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=closed)
    message_id, next_id = send_mail(aws, SET), send_mail(aws, SET)
    assert eventually(lambda: refusals(aws, next_id))  # events leave in the order of the mail
    [line] = refusals(aws, message_id)
    reason = f"ses.amazonaws.com is not authorized to perform: sns:Publish on resource: {topic}"
    assert line.endswith(
        f"Send of {message_id} not published to closing of {SET} (Sns): {reason}: its policy does not allow it"
    )
    delete(aws, "closing")


def test_a_mail_whose_events_cannot_be_made_keeps_those_of_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Iterator[Event]:
        raise RuntimeError("no such event")
        yield

    service = ServicePrincipal("ses.amazonaws.com", "us-east-1", {"aws:SourceAccount": "000000000000"})
    mail = Mock(account="000000000000", region="us-east-1", message_id="0102")
    tags = {"ses:configuration-set": ["any"]}
    event = {"eventType": "Send", "mail": {"messageId": "0103", "tags": tags}}
    dimension = {"DimensionName": "kept", "DimensionValueSource": "MESSAGE_TAG", "DefaultDimensionValue": "yes"}
    to_metrics = {
        "Name": "metrics",
        "Enabled": True,
        "MatchingEventTypes": ["SEND"],
        "CloudWatchDestination": {"DimensionConfigurations": [dimension]},
    }
    publish([Waiting(mail, broken(), [to_metrics], service), Waiting(mail, [event], [to_metrics], service)])
    assert "events of 0102 not published" in caplog.text
    assert len(metrics.data_points("AWS/SES", "Send", {"kept": "yes"})) == 1


def test_of_events_that_go_together_those_over_the_quota_are_lost_one_by_one(still_aws: LocalAws) -> None:
    aws, name = still_aws, "together"
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    aws.client("sesv2").create_configuration_set(ConfigurationSetName=name)
    aws.client("s3").create_bucket(Bucket=name)
    role = aws.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=_allow("sts:AssumeRole", principal="ses.amazonaws.com")
    )["Role"]["Arn"]
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="Put", PolicyDocument=_allow("firehose:PutRecordBatch"))
    stream = aws.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={"BucketARN": f"arn:aws:s3:::{name}", "RoleARN": role},
    )["DeliveryStreamARN"]
    aws.client("sesv2").create_configuration_set_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="archive",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND", "DELIVERY"],
            "KinesisFirehoseDestination": {"IamRoleArn": role, "DeliveryStreamArn": stream},
        },
    )
    aws.set_quota(records=1)
    try:
        message_id = send_mail(aws, name)
        aws.advance(0)
    finally:
        aws.set_quota(records=500_000)
    assert len(refusals(aws, f"Delivery of {message_id} not published to archive", "Slow down.")) == 1
    assert not refusals(aws, f"Send of {message_id}")
    names = ("IncomingRecords", "ThrottledRecords", "IncomingPutRequests")
    counts = {each: sum_of(aws, "AWS/Firehose", each, DeliveryStreamName=name) for each in names}
    assert counts == {"IncomingRecords": 1, "ThrottledRecords": 1, "IncomingPutRequests": 1}


def _allow(action: str, *, resource: str = "*", principal: str | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": {"Service": principal}} if principal else {"Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
