"""What SES cannot read gets its error 400, and is never a fault of the server."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local_aws import LocalAws
from local_aws.ses.mail import read_v1, read_v2
from local_aws.ses.validation import InvalidRequest, read
from tests.local_aws.ses.test_mail import templates

SEND, BULK = "/v2/email/outbound-emails", "/v2/email/outbound-bulk-emails"
SET = "/v2/email/configuration-sets"
DESTINATION = {"ToAddresses": ["bea@example.org"]}
TEXT = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
ENTRY = {"Destination": DESTINATION}
LONE = "\ud800"  # half of a surrogate pair
HEADERS = b"From: ann@example.com\r\nTo: bea@example.org\r\n"
V1 = {
    "Action": "SendEmail",
    "Source": "ann@example.com",
    "Destination.ToAddresses.member.1": "bea@example.org",
    "Message.Subject.Data": "Hello",
    "Message.Body.Text.Data": "Hello",
}
TEMPLATED = {name: value for name, value in V1.items() if not name.startswith("Message")}
TEMPLATED |= {"Action": "SendTemplatedEmail", "Template": "hello"}
COUNTED = {"Action": "CreateConfigurationSetEventDestination", "ConfigurationSetName": "unknown"}


@pytest.fixture(scope="module")
def post(aws: LocalAws) -> Any:
    """Post what boto3 would not send; the status and the text of the answer."""
    aws.client("ses").verify_domain_identity(Domain="example.com")
    credentials = Credentials(aws.environment["AWS_ACCESS_KEY_ID"], aws.environment["AWS_SECRET_ACCESS_KEY"])
    session = URLLib3Session(verify=aws.environment["AWS_CA_BUNDLE"])

    def send(method: str, path: str, body: str, content_type: str) -> tuple[int, str]:
        request = AWSRequest(method, aws.url + path, {"Content-Type": content_type}, body.encode())
        SigV4Auth(credentials, "ses", "us-east-1").add_auth(request)
        answer = session.send(request.prepare())
        return answer.status_code, answer.text

    return send


def mail(**changes: Any) -> dict[str, Any]:
    """A mail that SES takes, but for what changes."""
    return {"FromEmailAddress": "ann@example.com", "Destination": DESTINATION, "Content": {"Simple": TEXT}, **changes}


def headers(name: str, value: str) -> dict[str, Any]:
    return mail(Content={"Simple": {**TEXT, "Headers": [{"Name": name, "Value": value}]}})


def bulk(*entries: Any, **changes: Any) -> dict[str, Any]:
    template = {"TemplateName": "hello", "TemplateData": "{}"}
    request = {"FromEmailAddress": "ann@example.com", "DefaultContent": {"Template": template}}
    return {**request, "BulkEmailEntries": list(entries), **changes}


def raw(content: bytes) -> dict[str, Any]:
    return mail(Content={"Raw": {"Data": base64.b64encode(content).decode()}})


@pytest.mark.parametrize(
    ("method", "path", "request_body", "reason"),
    [
        ("POST", SEND, [], "The request is not a JSON object."),
        ("POST", SEND, "mail", "The request is not a JSON object."),
        ("POST", SEND, {}, "Missing required parameter"),
        ("POST", SEND, mail(Content=[]), "Invalid type for parameter Content"),
        ("POST", SEND, mail(Content={"Simple": []}), "Invalid type for parameter Content.Simple"),
        ("POST", SEND, mail(Content={"Raw": {"Data": {}}}), "Invalid type for parameter Content.Raw.Data"),
        ("POST", SEND, mail(Destination=[]), "Invalid type for parameter Destination"),
        ("POST", SEND, mail(Destination={"ToAddresses": "bea@example.org"}), "Invalid type"),
        ("POST", SEND, mail(EmailTags={"a": "b"}), "Invalid type for parameter EmailTags"),
        ("POST", SEND, mail(EmailTags=[[]]), "Invalid type for parameter EmailTags[0]"),
        ("POST", SEND, mail(EmailTags=[{"Name": "a"}]), "Missing required parameter in EmailTags[0]"),
        ("POST", SEND, mail(EmailTags=[{"Name": f"t{n}", "Value": "a"} for n in range(51)]), "tags exceeds 50"),
        ("POST", SEND, mail(ListManagementOptions=[]), "Invalid type for parameter ListManagementOptions"),
        ("POST", SEND, mail(Content={}), "The message has no content."),
        ("POST", SEND, mail(Content={"Simple": {**TEXT, "Body": {}}}), "The message has no content."),
        ("POST", SEND, mail(Content={"Simple": {**TEXT, "Subject": {"Data": "a\nb"}}}), "contains a line break"),
        ("POST", SEND, mail(Content={"Simple": {**TEXT, "Subject": {"Data": LONE}}}), "not valid JSON"),
        ("POST", SEND, mail(FromEmailAddress="ann@example.com\r\nBcc: e@example.org"), "contains a line break"),
        ("POST", SEND, mail(Destination={"ToAddresses": [f"b@example.org{LONE}"]}), "not valid JSON"),
        ("POST", SEND, headers("X-Id", "1\r\nBcc: eve@example.org"), "regular expression pattern: [ -~]*"),
        ("POST", SEND, headers("X Id", "1"), "'content.simple.headers.1.member.name' failed to satisfy constraint"),
        ("POST", SEND, headers("X-Id", "a" * 996), "length less than or equal to 995"),
        ("POST", SEND, headers("a" * 127, "1"), "length less than or equal to 126"),
        ("POST", SEND, raw(b""), "The message has no content."),
        ("POST", SEND, raw(b"Hello"), "Illegal header 'Hello'."),
        ("POST", SEND, raw(HEADERS + b"<p a: b\r\n\r\nHello"), "Illegal header '<p a'."),
        ("POST", SEND, raw(b": 1\r\n" + HEADERS + b"\r\nHello"), "Empty header names are illegal."),
        ("POST", SEND, raw(b"from: eve@example.com\r\n" + HEADERS + b"\r\nHello"), "Duplicate header 'From'."),
        ("POST", SEND, raw(b"From: =?utf-8?b?%%%?=\r\n\r\nHello"), "The message cannot be parsed"),
        ("POST", BULK, bulk(*[ENTRY] * 51), "The number of destinations exceeds 50."),
        ("POST", BULK, bulk([]), "Invalid type for parameter BulkEmailEntries[0]"),
        ("POST", BULK, bulk(ENTRY, BulkEmailEntries={}), "Invalid type for parameter BulkEmailEntries"),
        ("POST", BULK, bulk(ENTRY, DefaultContent={"Template": []}), "Invalid type"),
        ("POST", SET, [], "The request is not a JSON object."),
        ("POST", SET, {"ConfigurationSetName": []}, "Invalid type for parameter ConfigurationSetName"),
        ("POST", f"{SET}/any/event-destinations", {"EventDestination": []}, "EventDestinationName"),
        ("PUT", "/v2/email/account/sending", [], "The request is not a JSON object."),
        ("PUT", "/v2/email/suppression/addresses", {"EmailAddress": {}, "Reason": "BOUNCE"}, "Invalid type"),
    ],
)
def test_the_api_v2_refuses(post: Any, method: str, path: str, request_body: Any, reason: str) -> None:
    status, answer = post(method, path, json.dumps(request_body), "application/json")
    assert status == 400
    assert reason in json.loads(answer)["message"]


def test_what_a_path_says_is_not_said_by_a_body(post: Any) -> None:
    body = json.dumps({"ConfigurationSetName": [[]], "SendingEnabled": True})
    status, answer = post("PUT", f"{SET}/unknown/sending", body, "application/json")
    assert (status, "unknown" in answer) == (404, True)


@pytest.mark.parametrize("body", ["{", "\x00", "[", '{"Content"}', "[" * 100_000], ids=lambda body: body[:9])
def test_what_is_no_json_is_refused(post: Any, body: str) -> None:
    status, answer = post("POST", SEND, body, "application/json")
    assert (status, "not valid JSON" in answer) == (400, True)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({**V1, "Message.Body.Text.Data": ""}, "The message has no content."),
        ({**V1, "Message.Subject.Data": "a\r\nb"}, "contains a line break"),
        ({**V1, "Destination.ToAddresses.member.1": "b@example.org\nBcc: e@example.org"}, "contains a line break"),
        ({**V1, **{f"Tags.member.{n}.Name": f"t{n}" for n in range(1, 52)}}, "The number of tags exceeds 50."),
        ({**V1, "Tags.member.1": "a=b"}, "The tag name must be specified."),
        ({"Action": "SendRawEmail"}, "The message has no content."),
        ({"Action": "SendRawEmail", "RawMessage.Data": "Hello"}, "Illegal header"),
        ({**TEMPLATED, "TemplateData": "[]"}, "The template data is not a JSON object."),
        ({**TEMPLATED, "TemplateData": "null"}, "The template data is not a JSON object."),
        (
            {
                "Action": "SendBulkTemplatedEmail",
                "Source": "ann@example.com",
                "Template": "hello",
                "DefaultTemplateData": "1",
                "Destinations.member.1.Destination.ToAddresses.member.1": "bea@example.org",
            },
            "The template data is not a JSON object.",
        ),
        ({**COUNTED, "EventDestination": "metrics"}, "The request cannot be read."),
        (
            {**COUNTED, "EventDestination.Name": "metrics", "EventDestination.Name.x": "y"},
            "The request cannot be read.",
        ),
        ({**COUNTED, "EventDestination.Name.x": "y"}, "Invalid type for parameter EventDestinationName"),
    ],
)
def test_the_query_protocol_refuses(post: Any, form: dict[str, str], reason: str) -> None:
    status, answer = post("POST", "/", urlencode(form), "application/x-www-form-urlencoded")
    assert (status, "<Code>InvalidParameterValue</Code>" in answer) == (400, True)
    assert reason in answer


def test_a_header_that_may_come_twice_is_taken() -> None:
    twice = b"Received: from a\r\nReceived: from b\r\nX-Id: 1\r\nX-Id: 2\r\n"
    request = raw(twice + HEADERS + b"\r\nHello")
    [read_mail] = read_v2(*read("POST", SEND, json.dumps(request).encode()), templates)
    assert [value for name, value in read_mail.headers if name == "X-Id"] == ["1", "2"]


@pytest.mark.parametrize(("limit", "api"), [(10 * 1024**2, "v1"), (40 * 1024**2, "v2")])
def test_a_mail_has_a_greatest_size(limit: int, api: str) -> None:
    def read_mail(size: int) -> object:
        text = "a" * size
        if api == "v1":
            return read_v1(
                urlencode({**V1, "Message.Subject.Data": "", "Message.Body.Text.Data": text}).encode(), templates
            )
        simple = {"Subject": {"Data": ""}, "Body": {"Text": {"Data": text}}}
        return read_v2(*read("POST", SEND, json.dumps(mail(Content={"Simple": simple})).encode()), templates)

    assert read_mail(limit)
    with pytest.raises(InvalidRequest, match=rf"^Message length is more than {limit} bytes long: '{limit + 1}'\.$"):
        read_mail(limit + 1)
