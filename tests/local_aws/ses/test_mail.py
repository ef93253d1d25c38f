from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import pytest

from local_aws.ses.mail import Mail, read_v1, read_v2
from local_aws.ses.validation import read

SEND = "/v2/email/outbound-emails"
BULK = "/v2/email/outbound-bulk-emails"
EICAR = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"

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
    "Message.Body.Text.Data": "Grüße",
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
    "Content": {"Simple": {"Subject": {"Data": "50 % off, naïve?"}, "Body": {"Text": {"Data": "Grüße"}}}},
    "EmailTags": [{"Name": "campaign", "Value": "test"}, {"Name": "Team", "Value": "a-b_c"}],
    "ConfigurationSetName": "newsletter",
}
MAIL = Mail(
    operation="SendEmail",
    configuration_set="newsletter",
    source="Ann <ann@mail.example.com>",
    destination=["to1@example.org", "to2@example.org", "cc@example.org", "bcc@example.org"],
    headers=[
        ("From", "Ann <ann@mail.example.com>"),
        ("Reply-To", "reply@example.com"),
        ("To", "to1@example.org, to2@example.org"),
        ("Cc", "cc@example.org"),
        ("Subject", "50 % off, naïve?"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=UTF-8"),
        ("Content-Transfer-Encoding", "quoted-printable"),
    ],
    tags=[("campaign", "test"), ("Team", "a-b_c")],
)

RAW = EmailMessage()
RAW["From"] = "Ann <ann@example.com>"
RAW["To"] = "Bea <bea@example.org>, carl@example.org"
RAW["Bcc"] = "dan@example.org"
RAW["Subject"] = "Hello"
RAW["X-SES-CONFIGURATION-SET"] = "in-headers"
RAW["X-SES-MESSAGE-TAGS"] = "campaign=spring, team=blue"
RAW["X-Brand"] = "blue"
RAW.set_content("Hello")
RAW.add_alternative("<p>Hello", subtype="html")
RAW_DATA = base64.b64encode(RAW.as_bytes()).decode()


def templates(name: str) -> Mapping[str, str] | None:
    return {"Subject": "Hello {{name}}", "Text": "", "Html": '<a href="{{link}}">'} if name == "hello" else None


def v1(request: Mapping[str, str]) -> list[Mail]:
    return read_v1(urlencode(request).encode(), templates)


def v2(request: Mapping[str, Any], path: str = SEND) -> list[Mail]:
    return read_v2(*read("POST", path, json.dumps(request).encode()), templates)


def test_a_mail_of_the_query_protocol_is_read() -> None:
    assert v1(V1) == [MAIL]


def test_a_mail_of_the_api_v2_is_read() -> None:
    assert v2(V2) == [MAIL]


def test_headers_of_the_api_v2_are_among_those_of_the_mail() -> None:
    simple = {**V2["Content"]["Simple"], "Headers": [{"Name": "X-Brand", "Value": "blue"}]}
    [mail] = v2({**V2, "Content": {"Simple": simple}})
    assert mail.headers == [*MAIL.headers, ("X-Brand", "blue")]


@pytest.mark.parametrize("action", ["VerifyDomainIdentity", "DescribeConfigurationSet", "SendBounce"])
def test_other_requests_of_the_query_protocol_are_no_mail(action: str) -> None:
    assert v1({**V1, "Action": action}) == []


@pytest.mark.parametrize(
    ("method", "path", "request_body"),
    [
        ("POST", "/v2/email/identities", {"EmailIdentity": "example.com"}),
        ("POST", "/v2/email/configuration-sets", V2),
        ("PUT", "/v2/email/account/sending", {}),
        ("GET", SEND, V2),
        ("POST", "/v2/email/unknown", V2),
    ],
)
def test_other_requests_of_the_api_v2_are_no_mail(method: str, path: str, request_body: Mapping[str, Any]) -> None:
    assert read_v2(*read(method, path, json.dumps(request_body).encode()), templates) == []


def test_text_and_html_are_two_parts() -> None:
    [mail] = v1({**V1, "Message.Body.Html.Data": "<p>Hello"})
    assert mail.headers[-1][0] == "Content-Type"
    assert mail.headers[-1][1].startswith('multipart/alternative;  boundary="----=_Part_')
    assert mail.html == "<p>Hello"


def test_html_alone_is_one_part() -> None:
    request = {name: value for name, value in V1.items() if name != "Message.Body.Text.Data"}
    [mail] = v1({**request, "Message.Body.Html.Data": "<p>Hello"})
    assert mail.headers[-2:] == [("Content-Type", "text/html; charset=UTF-8"), ("Content-Transfer-Encoding", "7bit")]


@pytest.mark.parametrize(
    ("operation", "mails"),
    [
        ("SendRawEmail", v1({"Action": "SendRawEmail", "RawMessage.Data": RAW_DATA})),
        ("SendEmail", v2({"Content": {"Raw": {"Data": RAW_DATA}}})),
    ],
)
def test_a_raw_mail_is_read_from_its_headers_which_ses_takes_away(operation: str, mails: list[Mail]) -> None:
    [mail] = mails
    assert (mail.operation, mail.source) == (operation, "Ann <ann@example.com>")
    assert mail.destination == ["bea@example.org", "carl@example.org", "dan@example.org"]
    assert mail.configuration_set == "in-headers"
    assert mail.tags == [("campaign", "spring"), ("team", "blue")]
    assert mail.html == "<p>Hello\n"
    assert [name for name, _ in mail.headers] == ["From", "To", "Subject", "X-Brand", "MIME-Version", "Content-Type"]


@pytest.mark.parametrize(
    "mails",
    [
        v1({**V1, "Action": "SendRawEmail", "RawMessage.Data": RAW_DATA, "Destinations.member.1": "eve@example.org"}),
        v2(
            {
                **V2,
                "Content": {"Raw": {"Data": RAW_DATA}},
                "Destination": {"ToAddresses": ["eve@example.org"]},
            }
        ),
    ],
)
def test_the_parameters_of_a_raw_mail_win_over_its_headers(mails: list[Mail]) -> None:
    [mail] = mails
    assert (mail.source, mail.destination) == ("Ann <ann@mail.example.com>", ["eve@example.org"])
    assert mail.configuration_set == "newsletter"
    assert mail.tags == [("campaign", "test"), ("Team", "a-b_c")]  # the tags of the headers do not join them


@pytest.mark.parametrize(
    "mails",
    [
        v1({**V1, "Action": "SendTemplatedEmail", "Template": "hello", "TemplateData": '{"name":"Bea","link":"/"}'}),
        v2({**V2, "Content": {"Template": {"TemplateName": "hello", "TemplateData": '{"name":"Bea","link":"/"}'}}}),
        v2(
            {
                **V2,
                "Content": {
                    "Template": {
                        "TemplateContent": {"Subject": "Hello {{name}}", "Html": '<a href="/">'},
                        "TemplateData": '{"name":"Bea"}',
                    }
                },
            }
        ),
    ],
)
def test_a_template_is_filled_in(mails: list[Mail]) -> None:
    [mail] = mails
    assert ("Subject", "Hello Bea") in mail.headers
    assert (mail.html, mail.failure) == ('<a href="/">', None)
    assert mail.template is not None


def test_a_template_that_lacks_a_value_is_a_failure() -> None:
    [mail] = v1({**V1, "Action": "SendTemplatedEmail", "Template": "hello", "TemplateData": '{"name":"Bea"}'})
    assert (mail.template, mail.failure) == ("hello", "Attribute 'link' is not present in the rendering data.")


@pytest.mark.parametrize(
    ("operation", "mails"),
    [
        (
            "SendBulkTemplatedEmail",
            v1(
                {
                    "Action": "SendBulkTemplatedEmail",
                    "Source": "ann@example.com",
                    "ConfigurationSetName": "newsletter",
                    "Template": "hello",
                    "DefaultTemplateData": '{"name": "you", "link": "/"}',
                    "DefaultTags.member.1.Name": "campaign",
                    "DefaultTags.member.1.Value": "spring",
                    "Destinations.member.1.Destination.ToAddresses.member.1": "bea@example.org",
                    "Destinations.member.1.ReplacementTemplateData": '{"name": "Bea"}',
                    "Destinations.member.2.Destination.CcAddresses.member.1": "carl@example.org",
                    "Destinations.member.2.ReplacementTags.member.1.Name": "campaign",
                    "Destinations.member.2.ReplacementTags.member.1.Value": "summer",
                }
            ),
        ),
        (
            "SendBulkEmail",
            v2(
                {
                    "FromEmailAddress": "ann@example.com",
                    "ConfigurationSetName": "newsletter",
                    "DefaultContent": {
                        "Template": {
                            "TemplateArn": "arn:aws:ses:us-east-1:000000000000:template/hello",
                            "TemplateData": '{"name": "you", "link": "/"}',
                        }
                    },
                    "DefaultEmailTags": [{"Name": "campaign", "Value": "spring"}],
                    "BulkEmailEntries": [
                        {
                            "Destination": {"ToAddresses": ["bea@example.org"]},
                            "ReplacementEmailContent": {
                                "ReplacementTemplate": {"ReplacementTemplateData": '{"name": "Bea"}'}
                            },
                        },
                        {
                            "Destination": {"CcAddresses": ["carl@example.org"]},
                            "ReplacementTags": [{"Name": "campaign", "Value": "summer"}],
                        },
                    ],
                },
                BULK,
            ),
        ),
    ],
)
def test_a_bulk_is_a_mail_for_each_entry(operation: str, mails: list[Mail]) -> None:
    bea, carl = mails
    assert (bea.operation, bea.configuration_set, bea.template) == (operation, "newsletter", "hello")
    assert (bea.destination, carl.destination) == (["bea@example.org"], ["carl@example.org"])
    assert ("Subject", "Hello Bea") in bea.headers
    assert ("Subject", "Hello you") in carl.headers
    assert (bea.tags, carl.tags) == ([("campaign", "spring")], [("campaign", "summer")])


def test_the_contact_list_is_read() -> None:
    [mail] = v2({**V2, "ListManagementOptions": {"ContactListName": "Readers", "TopicName": "Weekly"}})
    assert mail.contact_list == ("Readers", "Weekly")


@pytest.mark.parametrize(
    "mails",
    [
        v1({**V1, "Message.Body.Text.Data": f"$({EICAR}!)"}),
        v2({"Content": {"Raw": {"Data": base64.b64encode(f"Subject: virus\n\n{EICAR}".encode()).decode()}}}),
    ],
)
def test_the_antivirus_test_file_is_found(mails: list[Mail]) -> None:
    assert [mail.infected for mail in mails] == [True]
