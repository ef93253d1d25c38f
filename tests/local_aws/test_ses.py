from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from ministack.core import responses

from local_aws import LocalAws
from local_aws.mail import Mail, read_v1, read_v2
from local_aws.send_event import Acceptance, send_event

V1 = {
    "Action": "SendEmail",
    "Version": "2010-12-01",
    "Source": "Ann <ann@mail.example.com>",
    "Destination.ToAddresses.member.1": "to1@example.org",
    "Destination.ToAddresses.member.2": "to2@example.org",
    "Destination.CcAddresses.member.1": "cc@example.org",
    "Destination.BccAddresses.member.1": "bcc@example.org",
    "ReplyToAddresses.member.1": "reply@example.com",
    "Message.Subject.Data": "50 % off, naïve?",
    "Message.Body.Text.Data": "Text",
    "Message.Body.Html.Data": "<p>HTML",
    "Tags.member.1.Name": "campaign",
    "Tags.member.1.Value": "test",
    "Tags.member.2.Name": "Team",
    "Tags.member.2.Value": "a-b_c",
    "ConfigurationSetName": "newsletter",
}
V2: dict[str, Any] = {
    "FromEmailAddress": "Ann <ann@mail.example.com>",
    "Destination": {
        "ToAddresses": ["to1@example.org", "to2@example.org"],
        "CcAddresses": ["cc@example.org"],
        "BccAddresses": ["bcc@example.org"],
    },
    "ReplyToAddresses": ["reply@example.com"],
    "Content": {
        "Simple": {
            "Subject": {"Data": "50 % off, naïve?"},
            "Body": {"Text": {"Data": "Text"}, "Html": {"Data": "<p>HTML"}},
        }
    },
    "EmailTags": [{"Name": "campaign", "Value": "test"}, {"Name": "Team", "Value": "a-b_c"}],
    "ConfigurationSetName": "newsletter",
}
MAIL = Mail(
    configuration_set="newsletter",
    source="Ann <ann@mail.example.com>",
    to=["to1@example.org", "to2@example.org"],
    cc=["cc@example.org"],
    bcc=["bcc@example.org"],
    reply_to=["reply@example.com"],
    subject="50 % off, naïve?",
    text="Text",
    html="<p>HTML",
    tags=[("campaign", "test"), ("Team", "a-b_c")],
)
ACCEPTANCE = Acceptance(
    message_id="0100-abc",
    account="111122223333",
    region="eu-west-1",
    caller="mailer",
    source_ip="192.0.2.1",
    time=datetime(2026, 1, 2, 3, 4, 5, 60_999, timezone.utc),
)


def test_a_request_of_the_query_protocol_is_read() -> None:
    assert read_v1(urlencode(V1).encode()) == MAIL


def test_a_request_of_the_api_v2_is_read() -> None:
    assert read_v2(json.dumps(V2).encode()) == MAIL


def test_the_headers_of_a_request_of_the_api_v2_are_read() -> None:
    simple = {**V2["Content"]["Simple"], "Headers": [{"Name": "X-Brand", "Value": "blue"}]}
    mail = read_v2(json.dumps({**V2, "Content": {"Simple": simple}}).encode())
    assert mail
    assert mail.headers == [("X-Brand", "blue")]


@pytest.mark.parametrize("action", ["VerifyDomainIdentity", "DescribeConfigurationSet", "SendRawEmail"])
def test_other_requests_of_the_query_protocol_are_no_mail(action: str) -> None:
    assert read_v1(urlencode({**V1, "Action": action}).encode()) is None


def test_mail_without_a_configuration_set_has_no_events() -> None:
    assert read_v1(urlencode({k: v for k, v in V1.items() if k != "ConfigurationSetName"}).encode()) is None
    assert read_v2(json.dumps({k: v for k, v in V2.items() if k != "ConfigurationSetName"}).encode()) is None


def test_raw_mail_of_the_api_v2_is_left_out() -> None:
    assert read_v2(json.dumps({**V2, "Content": {"Raw": {"Data": "U3ViamVjdDog"}}}).encode()) is None


def test_the_record_of_a_send_event(identity: None) -> None:
    event = send_event(MAIL, ACCEPTANCE)
    content_type = event["mail"]["headers"][-1]["value"]
    assert re.fullmatch(r'multipart/alternative;  boundary="----=_Part_\d+"', content_type)
    assert event == {
        "eventType": "Send",
        "mail": {
            "timestamp": "2026-01-02T03:04:05.060Z",
            "source": "Ann <ann@mail.example.com>",
            "sourceArn": "arn:aws:ses:eu-west-1:111122223333:identity/example.com",
            "sendingAccountId": "111122223333",
            "messageId": "0100-abc",
            "destination": ["to1@example.org", "to2@example.org", "cc@example.org", "bcc@example.org"],
            "headersTruncated": False,
            "headers": [
                {"name": "From", "value": "Ann <ann@mail.example.com>"},
                {"name": "Reply-To", "value": "reply@example.com"},
                {"name": "To", "value": "to1@example.org, to2@example.org"},
                {"name": "Cc", "value": "cc@example.org"},
                {"name": "Subject", "value": "50 % off, naïve?"},
                {"name": "MIME-Version", "value": "1.0"},
                {"name": "Content-Type", "value": content_type},
            ],
            "commonHeaders": {
                "from": ["Ann <ann@mail.example.com>"],
                "replyTo": ["reply@example.com"],
                "to": ["to1@example.org", "to2@example.org"],
                "cc": ["cc@example.org"],
                "messageId": "0100-abc",
                "subject": "50 % off, naïve?",
            },
            "tags": {
                "ses:source-tls-version": ["TLSv1.3"],
                "ses:operation": ["SendEmail"],
                "ses:configuration-set": ["newsletter"],
                "ses:source-ip": ["192.0.2.1"],
                "ses:from-domain": ["mail.example.com"],
                "ses:caller-identity": ["mailer"],
                "campaign": ["test"],
                "Team": ["a-b_c"],
            },
        },
        "send": {},
    }


@pytest.mark.parametrize(
    ("text", "html", "content_type", "encoding"),
    [
        ("Hello", None, "text/plain; charset=UTF-8", "7bit"),
        (None, "<p>Grüße", "text/html; charset=UTF-8", "quoted-printable"),
    ],
)
def test_a_mail_of_one_part_has_the_headers_of_that_part(
    identity: None, text: str | None, html: str | None, content_type: str, encoding: str
) -> None:
    mail = Mail("newsletter", "ann@example.com", ["to@example.org"], [], [], [], "Hello", text, html, [])
    assert send_event(mail, ACCEPTANCE)["mail"]["headers"][-2:] == [
        {"name": "Content-Type", "value": content_type},
        {"name": "Content-Transfer-Encoding", "value": encoding},
    ]


def test_long_headers_are_truncated(identity: None) -> None:
    headers = [(f"X-{number}", "x" * 1000) for number in range(12)]
    mail = Mail("newsletter", "ann@example.com", ["to@example.org"], [], [], [], "Hello", "Text", None, [], headers)
    event = send_event(mail, ACCEPTANCE)
    assert event["mail"]["headersTruncated"] is True
    assert event["mail"]["headers"][-1]["name"] == "X-9"


def test_one_metric_carries_all_dimensions_of_its_destination(aws: LocalAws, configuration_set: str) -> None:
    _send(aws, configuration_set, campaign="all", ignored="x")
    value = {"campaign": "all", "team": "none", "subject": "Hello", "link": "no-link", "ses:caller-identity": "root"}
    assert _count(aws, value) == 1.0
    assert _count(aws, {"campaign": "all"}, patience=0) == 0


def test_the_caller_of_an_event_is_the_user_who_sent(aws: LocalAws, configuration_set: str) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="mailer", Path="/teams/")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}]}
    iam.put_user_policy(UserName="mailer", PolicyName="Send", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="mailer")["AccessKey"]
    _send(aws, configuration_set, (key["AccessKeyId"], key["SecretAccessKey"]), campaign="user")
    value = {"campaign": "user", "team": "none", "subject": "Hello", "link": "no-link", "ses:caller-identity": "mailer"}
    assert _count(aws, value) == 1.0


def test_no_event_goes_to_a_destination_that_is_disabled_or_of_other_events(
    aws: LocalAws, configuration_set: str
) -> None:
    for name, enabled, event in (("disabled", False, "SEND"), ("bounces", True, "BOUNCE")):
        _add_destination(aws, configuration_set, name, {name: "MESSAGE_TAG"}, enabled, event)
    _send(aws, configuration_set, campaign="only")
    value = {"campaign": "only", "team": "none", "subject": "Hello", "link": "no-link", "ses:caller-identity": "root"}
    assert _count(aws, value) == 1.0
    assert _count(aws, {"disabled": "none"}, patience=0) == _count(aws, {"bounces": "none"}, patience=0) == 0


def test_mail_with_an_unknown_configuration_set_is_refused(aws: LocalAws, configuration_set: str) -> None:
    with pytest.raises(ClientError, match=r"NotFoundException.* <unknown> does not exist"):
        _send(aws, "unknown")
    with pytest.raises(ClientError, match="ConfigurationSetDoesNotExist"):
        aws.client("ses").send_email(
            Source="ann@mail.example.com",
            Destination={"ToAddresses": ["to@example.org"]},
            Message={"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Text"}}},
            ConfigurationSetName="unknown",
        )


def test_no_event_is_published_for_refused_mail(aws: LocalAws, configuration_set: str) -> None:
    with pytest.raises(ClientError, match="MessageRejected"):
        _send(aws, configuration_set, source="ann@unverified.example", campaign="refused")
    _send(aws, configuration_set, campaign="accepted")  # events leave in the order of the mail
    value = {"team": "none", "subject": "Hello", "link": "no-link", "ses:caller-identity": "root"}
    assert _count(aws, {"campaign": "accepted", **value}) == 1.0
    assert _count(aws, {"campaign": "refused", **value}, patience=0) == 0


@pytest.fixture
def identity() -> Iterator[None]:
    """example.com is verified in the account and region of ACCEPTANCE, in this process."""
    from ministack.services import ses

    with responses.request_scope(ACCEPTANCE.account, ACCEPTANCE.region):
        ses._identities["example.com"] = {"VerificationStatus": "Success"}
        yield
        ses.reset()


@pytest.fixture(scope="module")
def configuration_set(aws: LocalAws) -> str:
    """A set whose Send events are counted by dimensions of every source."""
    aws.client("ses").verify_domain_identity(Domain="example.com")
    aws.client("sesv2").create_configuration_set(ConfigurationSetName="counted")
    dimensions = {
        "campaign": "MESSAGE_TAG",
        "team": "MESSAGE_TAG",
        "ses:caller-identity": "MESSAGE_TAG",
        "subject": "EMAIL_HEADER",
        "link": "LINK_TAG",
    }
    _add_destination(aws, "counted", "metrics", dimensions, True, "SEND")
    return "counted"


def _add_destination(
    aws: LocalAws, configuration_set: str, name: str, dimensions: dict[str, str], enabled: bool, event: str
) -> None:
    configurations = [
        {
            "DimensionName": dimension,
            "DimensionValueSource": source,
            "DefaultDimensionValue": "no-link" if source == "LINK_TAG" else "none",
        }
        for dimension, source in dimensions.items()
    ]
    aws.client("sesv2").create_configuration_set_event_destination(
        ConfigurationSetName=configuration_set,
        EventDestinationName=name,
        EventDestination={
            "Enabled": enabled,
            "MatchingEventTypes": [event],
            "CloudWatchDestination": {"DimensionConfigurations": configurations},
        },
    )


def _send(
    aws: LocalAws,
    configuration_set: str,
    key: tuple[str, str] = ("test", "test"),
    source: str = "ann@mail.example.com",
    **tags: str,
) -> None:
    aws.client("sesv2", *key).send_email(
        FromEmailAddress=source,
        Destination={"ToAddresses": ["to@example.org"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Text"}}}},
        EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
        ConfigurationSetName=configuration_set,
    )


def _count(aws: LocalAws, dimensions: dict[str, str], patience: float = 20) -> float:
    """The Sum of the metric Send with exactly these dimensions, once there is one."""
    deadline = time.monotonic() + patience
    while True:
        now = datetime.now(timezone.utc)
        points = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SES",
            MetricName="Send",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        if points or time.monotonic() > deadline:
            return float(sum(point["Sum"] for point in points))
        time.sleep(0.05)
