"""SES as a program meets it: what it refuses, and what it counts of what becomes of mail."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from botocore.exceptions import ClientError

from local_aws import LocalAws, LocalAwsError
from local_aws.ses.mail import read_v2
from local_aws.ses.records import EVENT_TYPES
from local_aws.ses.validation import InvalidRequest, read
from ses_events import EventPublishing
from ses_events.record.names import metric_name
from tests.local_aws.support.deployed import eventually
from tests.support.templates import ROOT, new_app, properties, readable, synthesize

ALL_EVENTS = [*EVENT_TYPES.values()]
DIMENSIONS = {
    "campaign": "MESSAGE_TAG",
    "ses:caller-identity": "MESSAGE_TAG",
    "subject": "EMAIL_HEADER",
    "position": "LINK_TAG",
}
NO_VALUES = {"campaign": "none", "ses:caller-identity": "root", "subject": "none", "position": "none"}
HTML = '<p><a ses:tags="position:top" href="https://example.com/">Look</a>'


class Sender:
    """Sends mail with a configuration set that counts all events, and reads the counts."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self.aws, self.name = aws, name
        self.v1, self.v2 = aws.client("ses"), aws.client("sesv2")
        self.v1.verify_domain_identity(Domain="example.com")
        self.v2.create_configuration_set(ConfigurationSetName=self.name)
        self.add_destination("metrics", DIMENSIONS)

    def add_destination(
        self, name: str, dimensions: dict[str, str], enabled: bool = True, events: list[str] = ALL_EVENTS
    ) -> None:
        configurations = [
            {"DimensionName": dimension, "DimensionValueSource": source, "DefaultDimensionValue": "none"}
            for dimension, source in dimensions.items()
        ]
        self.v2.create_configuration_set_event_destination(
            ConfigurationSetName=self.name,
            EventDestinationName=name,
            EventDestination={
                "Enabled": enabled,
                "MatchingEventTypes": events,
                "CloudWatchDestination": {"DimensionConfigurations": configurations},
            },
        )

    def send(self, campaign: str, to: str = "bea@example.org", **changes: Any) -> str:
        """Send a mail by the API v2; its message id."""
        body = {"Text": {"Data": "Hello"}, "Html": {"Data": HTML}}
        request = {
            "FromEmailAddress": "ann@mail.example.com",
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": {"Data": "Hello"}, "Body": body}},
            "EmailTags": [{"Name": "campaign", "Value": campaign}],
            "ConfigurationSetName": self.name,
            **changes,
        }
        return str(self.v2.send_email(**request)["MessageId"])

    def send_v1(self, campaign: str, **changes: Any) -> str:
        """Send a mail by the query protocol; its message id."""
        request = {
            "Source": "ann@mail.example.com",
            "Destination": {"ToAddresses": ["bea@example.org"]},
            "Message": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}},
            "Tags": [{"Name": "campaign", "Value": campaign}],
            "ConfigurationSetName": self.name,
            **changes,
        }
        return str(self.v1.send_email(**request)["MessageId"])

    def count(self, metric: str, **values: str) -> float:
        """The sum of a metric of exactly these dimensions, with no value but those given."""
        return self.count_by(metric, {**NO_VALUES, **values})

    def count_by(self, metric: str, dimensions: dict[str, str]) -> float:
        now = datetime.now(timezone.utc)
        points = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SES",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.fixture(scope="module")
def sender(aws: LocalAws) -> Sender:
    counting = Sender(aws, "counted")
    template = {"TemplateName": "hello", "SubjectPart": "{{subject}}", "TextPart": "Hello {{name}}"}
    counting.v1.create_template(Template=template)
    return counting


def test_every_event_comes_about_and_is_counted(sender: Sender) -> None:
    message_id = sender.send(
        "all", "complaint@simulator.amazonses.com", ListManagementOptions={"ContactListName": "Readers"}
    )
    sender.aws.open(message_id)
    sender.aws.click(message_id, "https://example.com/")
    sender.aws.react(message_id, "DeliveryDelay")
    sender.aws.react(message_id, "Subscription")
    sender.send("all", "bounce+label@simulator.amazonses.com")
    virus = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"}}}}
    sender.send("all", Content=virus)
    sender.send("all", Content={"Template": {"TemplateName": "hello", "TemplateData": "{}"}})

    values = {event: {"subject": "Hello"} for event in ("Send", "Delivery", "Bounce", "Complaint", "Reject", "Open")}
    values |= {"Click": {"subject": "Hello", "position": "top"}, "Subscription": {"subject": "Hello"}}
    values |= {"RenderingFailure": {}, "DeliveryDelay": {}}  # these say nothing of headers

    assert {metric_name(event) for event in EVENT_TYPES} == values.keys()
    wanted = {**dict.fromkeys(values, 1.0), "Send": 3.0}

    def counts() -> dict[str, float]:
        return {metric: sender.count(metric, campaign="all", **values[metric]) for metric in values}

    assert eventually(lambda: counts() == wanted), counts()


_AWS_OF_THE_SHELL = """
import json, sys, boto3
assert sys.argv[1:3] == ["sesv2", "send-email"]
request = json.loads(sys.argv[sys.argv.index("--cli-input-json") + 1])
print(boto3.client("sesv2").send_email(**request)["MessageId"])
"""


def test_the_calls_of_the_page_let_recipients_react(aws: LocalAws) -> None:
    [calls] = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs/local-aws.md").read_text(), re.MULTILINE | re.DOTALL)
    sender = Sender(aws, "mine")
    sender.add_destination("page", {"page": "MESSAGE_TAG"})
    shell = f'{aws.exports}\naws() {{ {shlex.join([sys.executable, "-c", _AWS_OF_THE_SHELL])} "$@"; }}\n{calls}'
    answers = subprocess.run(["bash", "-euc", shell], check=True, capture_output=True, text=True)
    reactions = "Open", "Click", "DeliveryDelay", "Subscription"
    assert answers.stdout == "{}" * len(reactions), answers
    for event in reactions:
        assert eventually(partial(sender.count_by, event, {"page": "none"})) == 1, event


def test_a_recipient_cannot_open_what_was_never_sent(aws: LocalAws) -> None:
    with pytest.raises(LocalAwsError, match="no mail with the id 0100-abc was sent"):
        aws.open("0100-abc")


def test_one_metric_carries_all_dimensions_of_its_destination(sender: Sender) -> None:
    sender.send_v1("exact")
    assert eventually(lambda: sender.count("Send", campaign="exact", subject="Hello")) == 1.0
    assert sender.count_by("Send", {"campaign": "exact"}) == 0


def test_a_header_that_is_no_value_for_a_dimension_counts_as_none(sender: Sender) -> None:
    for subject in ("Hello, world!", "Grüße", "x" * 257, ""):
        message = {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "Hello"}}}
        sender.send_v1("dropped", Message=message)
    assert eventually(lambda: (count := sender.count("Send", campaign="dropped")) == 4.0 and count) == 4.0


def test_each_mail_of_a_bulk_has_its_own_tags(sender: Sender) -> None:
    entries = [
        {
            "Destination": {"ToAddresses": [f"{name}@example.org"]},
            "ReplacementTags": [{"Name": "campaign", "Value": name}],
        }
        for name in ("bulk-one", "bulk-two")
    ]
    data = json.dumps({"subject": "Hello", "name": "you"})
    sender.v2.send_bulk_email(
        FromEmailAddress="ann@example.com",
        ConfigurationSetName=sender.name,
        DefaultContent={"Template": {"TemplateName": "hello", "TemplateData": data}},
        BulkEmailEntries=entries,
    )
    sender.v1.send_bulk_templated_email(
        Source="ann@example.com",
        ConfigurationSetName=sender.name,
        Template="hello",
        DefaultTemplateData=data,
        Destinations=entries,
    )
    # A templated mail has its subject with the Delivery, not yet with the Send.
    wanted = {(metric, name): 2.0 for metric in ("Send", "Delivery") for name in ("bulk-one", "bulk-two")}

    def counts() -> dict[tuple[str, str], float]:
        subject = {"Send": "none", "Delivery": "Hello"}
        return {(metric, name): sender.count(metric, campaign=name, subject=subject[metric]) for metric, name in wanted}

    assert eventually(lambda: counts() == wanted), counts()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_raw_mail_names_set_and_tags_in_its_headers(sender: Sender, version: str) -> None:
    data = "\r\n".join(
        [
            "From: ann@example.com",
            "To: bea@example.org",
            "Subject: Hello",
            f"X-SES-CONFIGURATION-SET: {sender.name}",
            f"X-SES-MESSAGE-TAGS: campaign=raw-{version}, team=blue",
            "",
            "Hello",
        ]
    ).encode()
    if version == "v1":
        sender.v1.send_raw_email(RawMessage={"Data": data})
    else:
        sender.v2.send_email(Content={"Raw": {"Data": data}})
    assert eventually(lambda: sender.count("Delivery", campaign=f"raw-{version}", subject="Hello")) == 1.0


def test_mail_without_a_set_has_the_default_one_of_its_identity(sender: Sender) -> None:
    def send(campaign: str) -> None:
        tags = [{"Name": "campaign", "Value": campaign}]
        message = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
        for address in ("ann@defaults.example", "ann@example.com"):  # the latter has none: no event
            sender.v1.send_email(
                Source=address, Destination={"ToAddresses": ["bea@example.org"]}, Message=message, Tags=tags
            )

    sender.v2.create_email_identity(EmailIdentity="defaults.example", ConfigurationSetName=sender.name)
    send("default")
    assert eventually(lambda: sender.count("Send", campaign="default", subject="Hello")) == 1.0
    sender.v2.put_email_identity_configuration_set_attributes(EmailIdentity="defaults.example")
    send("default-removed")
    sender.send_v1("afterwards")  # events leave in the order of the mail
    assert eventually(lambda: sender.count("Send", campaign="afterwards", subject="Hello")) == 1.0
    assert sender.count("Send", campaign="default-removed", subject="Hello") == 0


def test_the_caller_of_an_event_is_the_user_who_sent(sender: Sender) -> None:
    iam = sender.aws.client("iam")
    iam.create_user(UserName="mailer", Path="/teams/")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}]}
    iam.put_user_policy(UserName="mailer", PolicyName="Send", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="mailer")["AccessKey"]
    mailer = sender.aws.client("sesv2", key["AccessKeyId"], key["SecretAccessKey"])
    mailer.send_email(
        FromEmailAddress="ann@example.com",
        Destination={"ToAddresses": ["bea@example.org"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
        ConfigurationSetName=sender.name,
    )
    values = {"subject": "Hello", "ses:caller-identity": "mailer"}
    assert eventually(lambda: sender.count_by("Send", {**NO_VALUES, **values})) == 1.0


ARN = "arn:aws:ses:us-east-1:000000000000:"


class Granted:
    """A user who may do what a policy says, and the ways to send mail with a set, with and without a template."""

    def __init__(self, sender: Sender, name: str) -> None:
        self._name, self._iam = name, sender.aws.client("iam")
        self._iam.create_user(UserName=name)
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        credentials = key["AccessKeyId"], key["SecretAccessKey"]
        v1, v2 = sender.aws.client("ses", *credentials), sender.aws.client("sesv2", *credentials)
        of_the_set = {"ConfigurationSetName": sender.name}
        to = {"Destination": {"ToAddresses": ["bea@example.org"]}}
        by_v1, by_v2 = of_the_set | {"Source": "ann@example.com"}, of_the_set | {"FromEmailAddress": "ann@example.com"}
        message = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
        raw = f"From: ann@example.com\nTo: bea@example.org\nX-SES-CONFIGURATION-SET: {sender.name}\n\nHello".encode()
        filled = {"Template": {"TemplateName": "hello", "TemplateData": "{}"}}
        of_v1 = {"Template": "hello"}
        self.plain: list[Callable[[], Any]] = [
            lambda: v1.send_email(Message=message, **to, **by_v1),
            lambda: v1.send_raw_email(RawMessage={"Data": raw}),
            lambda: v2.send_email(Content={"Simple": message}, **to, **by_v2),
            lambda: v2.send_email(Content={"Raw": {"Data": raw}}),
        ]
        self.templated: list[Callable[[], Any]] = [
            lambda: v1.send_templated_email(**of_v1, TemplateData="{}", **to, **by_v1),
            lambda: v1.send_bulk_templated_email(**of_v1, DefaultTemplateData="{}", Destinations=[to], **by_v1),
            lambda: v2.send_email(Content=filled, **to, **by_v2),
            lambda: v2.send_bulk_email(DefaultContent=filled, BulkEmailEntries=[to], **by_v2),
        ]

    def allow(self, statements: list[dict[str, Any]]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_user_policy(UserName=self._name, PolicyName="Send", PolicyDocument=document)


def _grant_send(configuration_set: str, templates: list[str]) -> list[dict[str, Any]]:
    """The statements of ``grant_send`` in the local account."""
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="000000000000", region="us-east-1"))
    theirs = ses.ConfigurationSet.from_configuration_set_name(stack, "Set", configuration_set)
    publishing = EventPublishing(stack, "Events", configuration_set=theirs)
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    publishing.grant_send(iam.User(stack, "Sender"), identity, templates=templates)
    policy = properties(readable(synthesize(stack)), "AWS::IAM::Policy")["PolicyDocument"]
    statements: list[dict[str, Any]] = json.loads(json.dumps(policy).replace("${AWS::Partition}", "aws"))["Statement"]
    return statements


def test_a_user_sends_with_what_grant_send_allows_and_with_nothing_less(sender: Sender) -> None:
    user = Granted(sender, "granted")
    for templates, allowed, denied in (
        ([], user.plain, user.templated),
        (["hello"], user.plain + user.templated, []),
        (["another"], user.plain, user.templated),
    ):
        statements = _grant_send(sender.name, templates)
        user.allow(statements)
        for send in allowed:
            assert send()["ResponseMetadata"]["HTTPStatusCode"] == 200
        for send in denied:
            assert _error(send)[0] in ("AccessDenied", "AccessDeniedException")
        for needed in {resource for statement in statements for resource in statement["Resource"]}:
            if needed == f"{ARN}template/another":
                continue
            user.allow(
                [{**each, "Resource": [arn for arn in each["Resource"] if arn != needed]} for each in statements]
            )
            for send in user.templated if "template/" in needed else allowed:
                code, reason = _error(send)
                assert code in ("AccessDenied", "AccessDeniedException")
                assert f"on resource: {needed}" in reason or f"`{needed}'" in reason


def test_no_event_goes_to_a_destination_that_is_disabled_or_of_other_events(sender: Sender) -> None:
    sender.add_destination("disabled", {"disabled": "MESSAGE_TAG"}, enabled=False)
    sender.add_destination("bounces", {"bounces": "MESSAGE_TAG"}, events=["BOUNCE"])
    sender.send_v1("only")
    assert eventually(lambda: sender.count("Delivery", campaign="only", subject="Hello")) == 1.0
    for name in ("disabled", "bounces"):
        assert sender.count_by("Send", {name: "none"}) == sender.count_by("Delivery", {name: "none"}) == 0


@pytest.mark.parametrize(
    ("changes", "code_v1", "code_v2", "message"),
    [
        (
            {"ConfigurationSetName": "unknown"},
            "ConfigurationSetDoesNotExist",
            "NotFoundException",
            "Configuration set <unknown> does not exist.",
        ),
        (
            {"from": "ann@unverified.example"},
            "MessageRejected",
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region US-EAST-1: "
            "ann@unverified.example",
        ),
        ({"from": ""}, "InvalidParameterValue", "BadRequestException", "Missing required header 'From'."),
        ({"to": []}, "InvalidParameterValue", "BadRequestException", "Missing required header 'To'."),
        ({"to": ["bea"]}, "InvalidParameterValue", "BadRequestException", "Missing final '@domain'"),
        ({"from": "ann@"}, "InvalidParameterValue", "BadRequestException", "Missing final '@domain'"),
        (
            {"to": [f"bea{number}@example.org" for number in range(51)]},
            "InvalidParameterValue",
            "BadRequestException",
            "Recipient count exceeds 50.",
        ),
        (
            {"tags": [{"Name": "campaign", "Value": "a b"}]},
            "InvalidParameterValue",
            "BadRequestException",
            "Invalid tag value <a b>: only alphanumeric ASCII characters, '_',  '-' , '.', '@' are allowed.",
        ),
        (
            {"tags": [{"Name": "ses:campaign", "Value": "a"}]},
            "InvalidParameterValue",
            "BadRequestException",
            "Invalid tag name <ses:campaign>: only alphanumeric ASCII characters, '_', and '-' are allowed.",
        ),
        (
            {"tags": [{"Name": "a@b.c", "Value": "a"}]},
            "InvalidParameterValue",
            "BadRequestException",
            "Invalid tag name <a@b.c>: only alphanumeric ASCII characters, '_', and '-' are allowed.",
        ),
        (
            {"tags": [{"Name": f"tag{number}", "Value": "a"} for number in range(51)]},
            "InvalidParameterValue",
            "BadRequestException",
            "The number of tags exceeds 50.",
        ),
        (
            {"to": ["bea@example.org\r\nBcc: eve@example.org"]},
            "InvalidParameterValue",
            "BadRequestException",
            "The address contains a line break.",
        ),
        (
            {"tags": [{"Name": "campaign", "Value": "a" * 256}]},
            "InvalidParameterValue",
            "BadRequestException",
            "Tag value cannot exceed 255 characters.",
        ),
        (
            {"tags": [{"Name": "campaign", "Value": ""}]},
            "InvalidParameterValue",
            "BadRequestException",
            "The tag value must be specified.",
        ),
    ],
)
def test_mail_is_refused_in_the_words_of_ses(
    sender: Sender, changes: dict[str, Any], code_v1: str, code_v2: str, message: str
) -> None:
    names_v1 = {"from": "Source", "tags": "Tags", "to": "Destination"}
    names_v2 = {"from": "FromEmailAddress", "tags": "EmailTags", "to": "Destination"}
    if "to" in changes:
        changes = {"to": {"ToAddresses": changes["to"]}}
    v1 = {names_v1.get(name, name): value for name, value in changes.items()}
    v2 = {names_v2.get(name, name): value for name, value in changes.items()}
    assert _error(lambda: sender.send_v1("refused", **v1)) == (code_v1, message)
    assert _error(lambda: sender.send("refused", **v2)) == (code_v2, message)


def test_a_mail_has_as_many_and_as_long_tags_as_ses_takes(sender: Sender) -> None:
    tags = [{"Name": f"tag{number}", "Value": "a" * 255} for number in range(49)]
    tags.append({"Name": "campaign", "Value": "ann@example.com"})
    assert sender.send("", EmailTags=tags)
    assert sender.send_v1("", Tags=tags)


MALFORMED = b'From: ann@example.com\r\nTo: "\r\n\r\nHello'


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"Simple": {"Subject": {"Data": "Hello"}, "Body": {}}},
        {"Simple": {"Subject": {"Data": "a\r\nBcc: eve@example.org"}, "Body": {"Text": {"Data": "Hello"}}}},
        {
            "Simple": {
                "Subject": {"Data": "Hello"},
                "Body": {"Text": {"Data": "Hello"}},
                "Headers": [{"Name": "X-Id", "Value": "1\r\nBcc: eve@example.org"}],
            }
        },
        {"Raw": {"Data": b""}},
        {"Raw": {"Data": MALFORMED}},
    ],
)
def test_what_is_no_mail_is_refused(sender: Sender, content: dict[str, Any]) -> None:
    assert _error(lambda: sender.send("none", Content=content))[0] == "BadRequestException"


@pytest.mark.parametrize(
    "message",
    [
        {"Subject": {"Data": "Hello"}, "Body": {}},
        {"Subject": {"Data": "a\nb"}, "Body": {"Text": {"Data": "Hello"}}},
    ],
)
def test_what_is_no_mail_is_refused_by_the_query_protocol(sender: Sender, message: dict[str, Any]) -> None:
    assert _error(lambda: sender.send_v1("none", Message=message))[0] == "InvalidParameterValue"
    for data in (MALFORMED, b" "):
        request = {"RawMessage": {"Data": data}}
        assert _error(partial(sender.v1.send_raw_email, **request))[0] == "InvalidParameterValue"


def test_a_bulk_has_at_most_50_entries(sender: Sender) -> None:
    def send_v2(count: int) -> object:
        return sender.v2.send_bulk_email(
            FromEmailAddress="ann@example.com",
            DefaultContent={"Template": {"TemplateName": "hello", "TemplateData": "{}"}},
            BulkEmailEntries=[{"Destination": {"ToAddresses": ["bea@example.org"]}}] * count,
        )

    def send_v1(count: int) -> object:
        return sender.v1.send_bulk_templated_email(
            Source="ann@example.com",
            Template="hello",
            DefaultTemplateData="{}",
            Destinations=[{"Destination": {"ToAddresses": ["bea@example.org"]}}] * count,
        )

    assert send_v1(50) and send_v2(50)
    assert _error(lambda: send_v1(51))[0] == "InvalidParameterValue"
    assert _error(lambda: send_v2(51))[0] == "BadRequestException"


@pytest.mark.parametrize(
    "request_body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"Content": []}',
        b'{"Content": {"Simple": []}}',
        b'{"Content": {"Raw": {"Data": 1}}}',
        b'{"Content": {"Simple": {}}, "EmailTags": {"Name": "a"}}',
        b'{"Content": {"Simple": {}}, "EmailTags": [{"Name": "a"}]}',
        b'{"Content": {"Simple": {}}, "Destination": []}',
    ],
)
def test_a_request_of_another_shape_is_no_mail(request_body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_v2(*read("POST", "/v2/email/outbound-emails", request_body), lambda name: None)


@pytest.mark.parametrize("body", [b"[]", b'{"Content": []}', b'{"Content": {"Simple": {}}, "EmailTags": {"a": "b"}}'])
def test_a_request_of_another_shape_is_refused(aws: LocalAws, body: bytes) -> None:
    assert _error(lambda: _sent_as(aws, body))[0] == "BadRequestException"


def test_what_is_null_or_unknown_in_a_request_is_ignored(sender: Sender) -> None:
    content = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}, "Html": None}}}
    destination = {"ToAddresses": ["bea@example.org"], "CcAddresses": None}
    request = {"FromEmailAddress": "ann@example.com", "Destination": destination, "EmailTags": None, "Future": 1}
    assert _sent_as(sender.aws, json.dumps({**request, "Content": content}).encode())["MessageId"]


def _sent_as(aws: LocalAws, body: bytes) -> Any:
    """What comes of SendEmail with a body that boto3 itself would not send."""
    v2 = aws.client("sesv2")
    event, change = "before-call.sesv2.SendEmail", lambda params, **_: params.update(body=body)
    v2.meta.events.register(event, change)
    try:
        return v2.send_email(Content={})
    finally:
        v2.meta.events.unregister(event, change)


def test_nothing_is_sent_while_sending_is_paused(sender: Sender) -> None:
    with _paused_set(sender):
        message = f"Sending is paused for configuration set {sender.name}"
        assert _error(lambda: sender.send("paused")) == ("SendingPausedException", message)
        assert _error(lambda: sender.send_v1("paused")) == ("ConfigurationSetSendingPausedException", message)
    with _paused_account(sender):
        message = (
            "Sending paused for this account. For more information, please check the inbox of the email address "
            "associated with your AWS account."
        )
        assert _error(lambda: sender.send("paused")) == ("SendingPausedException", message)
        assert _error(lambda: sender.send_v1("paused")) == ("AccountSendingPausedException", message)
    sender.send_v1("resumed")  # events leave in the order of the mail
    assert eventually(lambda: sender.count("Send", campaign="resumed", subject="Hello")) == 1.0
    assert sender.count("Send", campaign="paused", subject="Hello") == 0


def test_sending_is_paused_by_the_query_protocol_too(sender: Sender) -> None:
    v1 = sender.v1
    v1.update_configuration_set_sending_enabled(ConfigurationSetName=sender.name, Enabled=False)
    assert _error(lambda: sender.send("paused"))[0] == "SendingPausedException"
    v1.update_configuration_set_sending_enabled(ConfigurationSetName=sender.name, Enabled=True)
    v1.update_account_sending_enabled(Enabled=False)
    assert not v1.get_account_sending_enabled()["Enabled"]
    assert _error(lambda: sender.send("paused"))[0] == "SendingPausedException"
    v1.update_account_sending_enabled(Enabled=True)
    assert v1.get_account_sending_enabled()["Enabled"]
    sender.send("resumed-by-v1")

    def pause_another() -> object:
        return v1.update_configuration_set_sending_enabled(ConfigurationSetName="unknown", Enabled=False)

    assert _error(pause_another)[0] == "ConfigurationSetDoesNotExist"


@pytest.mark.parametrize("identity", ["ann@verified.example", "verified.example"])
def test_both_apis_know_an_identity_that_the_older_one_verifies(aws: LocalAws, identity: str) -> None:
    v1, v2 = aws.client("ses"), aws.client("sesv2")

    def known() -> tuple[bool, bool]:
        listed = [each["IdentityName"] for each in v2.list_email_identities()["EmailIdentities"]]
        return identity in listed, identity in v1.list_identities()["Identities"]

    for deleting, name in ((v1.delete_identity, "Identity"), (v2.delete_email_identity, "EmailIdentity")):
        if "@" in identity:
            v1.verify_email_identity(EmailAddress=identity)
        else:
            v1.verify_domain_identity(Domain=identity)
        assert known() == (True, True)
        deleting(**{name: identity})
        assert known() == (False, False)


def test_mail_to_a_suppressed_address_bounces(sender: Sender) -> None:
    v2 = sender.v2

    def counts(campaign: str) -> tuple[float, float]:
        def count(metric: str) -> float:
            return sender.count(metric, campaign=campaign, subject="Hello")

        return count("Delivery"), count("Bounce")

    v2.put_suppressed_destination(EmailAddress="Eve@example.org", Reason="COMPLAINT")
    assert (
        v2.get_suppressed_destination(EmailAddress="eve@example.org")["SuppressedDestination"]["Reason"] == "COMPLAINT"
    )
    assert len(v2.list_suppressed_destinations()["SuppressedDestinationSummaries"]) == 1
    assert v2.list_suppressed_destinations(Reasons=["BOUNCE"])["SuppressedDestinationSummaries"] == []
    both = {"ToAddresses": ["Eve <eve@example.org>", "bea@example.org"]}
    sender.send("suppressed", Destination=both)
    assert eventually(lambda: counts("suppressed") == (1, 1)), counts("suppressed")

    v2.put_account_suppression_attributes(SuppressedReasons=["BOUNCE"])
    assert v2.get_account()["SuppressionAttributes"] == {"SuppressedReasons": ["BOUNCE"]}
    sender.send("not-heeded", Destination=both)
    assert eventually(lambda: counts("not-heeded") == (2, 0)), counts("not-heeded")

    v2.put_configuration_set_suppression_options(ConfigurationSetName=sender.name, SuppressedReasons=["COMPLAINT"])
    sender.send("heeded-by-the-set", Destination=both)
    assert eventually(lambda: counts("heeded-by-the-set") == (1, 1)), counts("heeded-by-the-set")

    v2.delete_suppressed_destination(EmailAddress="eve@example.org")
    assert _error(lambda: v2.get_suppressed_destination(EmailAddress="eve@example.org"))[0] == "NotFoundException"
    sender.send("removed", Destination=both)
    assert eventually(lambda: counts("removed") == (2, 0)), counts("removed")


def test_an_account_in_the_sandbox_sends_to_the_simulator_only(sender: Sender) -> None:
    details = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.com"}
    sender.v2.put_account_details(**details, ProductionAccessEnabled=False)
    try:
        code, message = _error(lambda: sender.send("sandbox"))
        assert (code, message.endswith("US-EAST-1: bea@example.org")) == ("MessageRejected", True)
        sender.send("sandbox", "success@simulator.amazonses.com")
    finally:
        sender.v2.put_account_details(**details, ProductionAccessEnabled=True)


@contextlib.contextmanager
def _paused_set(sender: Sender) -> Iterator[None]:
    def enable(enabled: bool) -> None:
        sender.v2.put_configuration_set_sending_options(ConfigurationSetName=sender.name, SendingEnabled=enabled)

    enable(False)
    try:
        yield
    finally:
        enable(True)


@contextlib.contextmanager
def _paused_account(sender: Sender) -> Iterator[None]:
    sender.v2.put_account_sending_attributes(SendingEnabled=False)
    try:
        assert not sender.v2.get_account()["SendingEnabled"]
        yield
    finally:
        sender.v2.put_account_sending_attributes(SendingEnabled=True)


def _error(call: Callable[[], object]) -> tuple[str, str]:
    """Code and message of the error that a call ends with."""
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
