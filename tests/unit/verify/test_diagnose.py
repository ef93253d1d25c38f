from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import ANY

from ses_events.verify.account import Account, UsageError
from ses_events.verify.diagnose_delivery import why_late, why_nothing_can_arrive
from ses_events.verify.diagnose_log import why_not_delivered
from ses_events.verify.diagnose_sending import why_refused
from ses_events.verify.finding import Cause, Finding, Unseen
from ses_events.verify.s3_objects import Folder
from ses_events.verify.system import Destination, Stream, System
from tests.unit.verify.conftest import Stub, role_is, roles_work

STREAM = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/events"
ROLE = "arn:aws:iam::111122223333:role/Ses"
FIREHOSE_ROLE = "arn:aws:iam::111122223333:role/Firehose"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
SINCE = datetime(2026, 11, 24, 12, 0, 30, tzinfo=timezone.utc)
S3: dict[str, Any] = {
    "BucketARN": "arn:aws:s3:::bucket",
    "RoleARN": FIREHOSE_ROLE,
    "Prefix": "events/!{timestamp:yyyy}/",
    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
    "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": "group", "LogStreamName": "stream"},
}


def _destination(stream: Stream | None = None, **changes: Any) -> Destination:
    archive: dict[str, Any] = {
        "name": "firehose",
        "kind": "KinesisFirehoseDestination",
        "enabled": True,
        "events": ("Send", "Delivery"),
        "settings": {"IamRoleArn": ROLE, "DeliveryStreamArn": STREAM},
        "stream": stream,
    }
    return Destination(**{**archive, **changes})


def _system(*destinations: Destination) -> System:
    return System("Mail", "set", destinations)


def _whats(findings: Iterable[Finding]) -> list[str]:
    return [finding.what for finding in findings]


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("NotFoundException", "Configuration set <set> does not exist.", "the configuration set set does not exist"),
        ("MailFromDomainNotVerifiedException", "x", "the MAIL FROM domain of a.example is not verified"),
        ("TooManyRequestsException", "Daily message quota exceeded.", "the sending quota of the account is used up"),
        ("BadRequestException", "Invalid header.", "SES refused the mail"),
    ],
)
def test_a_refusal_of_ses_is_a_cause(code: str, message: str, cause: str, account: Account) -> None:
    [found] = why_refused(account, _system(), "me@a.example", "to@b.example", _error(code, message))
    assert isinstance(found, Cause)
    assert (found.what, found.seen) == (cause, f"SES said: {message} ({code})")


@pytest.mark.parametrize("failed", ["not-me@a.example", "The recipient <not-me@a.example>"])
def test_a_recipient_in_the_sandbox_is_named(failed: str, account: Account) -> None:
    message = f"Email address is not verified. The following identities failed the check in region EU-WEST-1: {failed}"
    error = _error("MessageRejected", message)
    [found] = why_refused(account, _system(), "me@a.example", "not-me@a.example", error)
    assert found.what == "the account is in the SES sandbox, and the recipient not-me@a.example is not verified"


@pytest.mark.parametrize("failed", ["me@a.example", "me@a.example, to@b.example"])
def test_a_sender_that_is_not_verified_is_named_with_those_that_are(failed: str, account: Account, stub: Stub) -> None:
    stub("sesv2").add_response(
        "list_email_identities", {"EmailIdentities": [{"IdentityName": "c.example", "SendingEnabled": True}]}
    )
    message = f"Email address is not verified. The following identities failed the check in region EU-WEST-1: {failed}"
    error = _error("MessageRejected", message)
    [found] = why_refused(account, _system(), "me@a.example", "to@b.example", error)
    assert isinstance(found, Cause)
    assert found.what == "the identity of the sender me@a.example is not verified in eu-west-1"
    assert found.fix.endswith("; or send --from one that is: c.example")


@pytest.mark.parametrize(
    ("set_sends", "account_sends", "causes"),
    [
        (False, True, ["sending is disabled for the configuration set set"]),
        (True, False, ["sending is paused for the whole account in eu-west-1 (enforcement status SHUTDOWN)"]),
        (True, True, ["sending is paused"]),
    ],
)
def test_it_is_told_who_may_not_send(
    set_sends: bool, account_sends: bool, causes: list[str], account: Account, stub: Stub
) -> None:
    stub("sesv2").add_response("get_configuration_set", {"SendingOptions": {"SendingEnabled": set_sends}})
    status = "HEALTHY" if account_sends else "SHUTDOWN"
    stub("sesv2").add_response("get_account", {"SendingEnabled": account_sends, "EnforcementStatus": status})
    error = _error("SendingPausedException", "Email sending is disabled.")
    assert _whats(why_refused(account, _system(), "me@a.example", "to@b.example", error)) == causes


def test_a_caller_who_may_not_send_has_used_it_wrongly(account: Account) -> None:
    error = _error("AccessDeniedException", "User: x is not authorized to perform: ses:SendEmail")
    with pytest.raises(UsageError, match="your credentials may not send: User: x is not authorized"):
        list(why_refused(account, _system(), "me@a.example", "to@b.example", error))


def test_a_role_and_a_stream_that_are_gone_are_named(account: Account, stub: Stub) -> None:
    stub("iam").add_client_error("get_role", "NoSuchEntity", expected_params={"RoleName": "Ses"})
    stub("iam").add_client_error("simulate_principal_policy", "NoSuchEntity")
    destination = _destination(stream=None)
    assert _whats(why_nothing_can_arrive(account, _system(destination), destination)) == [
        "the delivery stream events does not exist",
        "the role with which SES should work does not exist",
    ]


def test_roles_that_trust_and_permit_just_what_is_needed_are_no_cause(account: Account, stub: Stub) -> None:
    configuration_set = "arn:aws:ses:eu-west-1:111122223333:configuration-set/set"
    for service, resource, context in (
        ("ses", STREAM, {"aws:SourceAccount": "111122223333", "aws:SourceArn": configuration_set}),
        ("firehose", "arn:aws:s3:::bucket/events/event", {"sts:ExternalId": "111122223333"}),
    ):
        trust = {"Principal": {"Service": f"{service}.amazonaws.com"}, "Condition": {"StringEquals": context}}
        role_is(stub, trust, resource=resource)
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    destination = _destination(Stream(STREAM, "ACTIVE", S3))
    assert list(why_nothing_can_arrive(account, _system(destination), destination)) == []


def test_what_the_caller_may_not_look_at_is_no_cause(account: Account, stub: Stub) -> None:
    for _ in ("SES", "Firehose"):
        stub("iam").add_client_error("get_role", "AccessDenied")
        stub("iam").add_client_error("simulate_principal_policy", "AccessDenied")
    stub("s3").add_client_error("get_bucket_policy", "AccessDenied")
    stub("s3").add_client_error("get_bucket_encryption", "AccessDenied")
    stub("kms").add_client_error("describe_key", "AccessDeniedException")
    stream = Stream(STREAM, "ACTIVE", S3, {"KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK"})
    destination = _destination(stream)
    assert list(why_nothing_can_arrive(account, _system(destination), destination)) == [
        Unseen("whether SES may assume Ses", "you lack iam:GetRole"),
        Unseen("whether SES may firehose:PutRecordBatch", "you lack iam:SimulatePrincipalPolicy"),
        Unseen("the KMS key of the stream events", "you lack kms:DescribeKey"),
        Unseen("whether Firehose may assume Firehose", "you lack iam:GetRole"),
        Unseen("the policy of the bucket bucket", "you lack s3:GetBucketPolicy"),
        Unseen("whether Firehose may s3:PutObject", "you lack iam:SimulatePrincipalPolicy"),
        Unseen("the key of the bucket bucket", "you lack s3:GetEncryptionConfiguration"),
    ]


@pytest.mark.parametrize(
    ("state", "command"),
    [
        ("Disabled", "aws kms enable-key {there} --key-id 1"),
        (
            "PendingDeletion",
            "aws kms cancel-key-deletion {there} --key-id 1 && aws kms enable-key {there} --key-id 1",
        ),
        ("Unavailable", ""),
    ],
)
def test_a_key_that_cannot_be_used_is_named(state: str, command: str, account: Account, stub: Stub) -> None:
    roles_work(stub)
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    stub("kms").add_response("describe_key", {"KeyMetadata": {"KeyId": "1", "Arn": KEY, "KeyState": state}})
    stream = Stream(STREAM, "ACTIVE", S3, {"KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK"})
    destination = _destination(stream)
    [found] = why_nothing_can_arrive(account, _system(destination), destination)
    assert found == Cause(
        "the KMS key of the stream events cannot be used",
        f"{KEY} is in the state {state}",
        "make it usable within 24 hours: Firehose keeps records no longer",
        command.format(there="--region eu-west-1 --endpoint-url http://127.0.0.1:9"),
        about=f"kms {KEY}",
    )


def test_a_key_and_a_bucket_that_are_gone_are_named(account: Account, stub: Stub) -> None:
    roles_work(stub)
    stub("kms").add_client_error("describe_key", "NotFoundException")
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "NoSuchBucket")
    stream = Stream(STREAM, "CREATING", S3, {"KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK"})
    destination = _destination(stream)
    found = list(why_nothing_can_arrive(account, _system(destination), destination))
    assert _whats(found) == [
        "the delivery stream events is not active",
        "the KMS key of the stream events does not exist",
        "the bucket bucket does not exist",
    ]
    assert [cause.certain for cause in found if isinstance(cause, Cause)] == [False, True, True]


def test_a_denial_that_depends_on_unknown_conditions_is_not_certain(account: Account, stub: Stub) -> None:
    trust = {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    role_is(stub, trust, "implicitDeny", missing=("aws:PrincipalTag/team",))
    destination = _destination(Stream(STREAM, "ACTIVE", None))
    found = list(why_nothing_can_arrive(account, _system(destination), destination))
    assert _whats(found) == [
        "SES may be kept from assuming its role by a condition of the trust policy",
        "the role of SES may not firehose:PutRecordBatch",
    ]
    assert [cause.certain for cause in found if isinstance(cause, Cause)] == [False, False]


@pytest.mark.parametrize(("decision", "certain"), [("implicitDeny", False), ("explicitDeny", True)])
def test_a_bucket_policy_may_allow_what_the_role_does_not(
    decision: str, certain: bool, account: Account, stub: Stub
) -> None:
    role_is(stub, {"Principal": {"Service": "ses.amazonaws.com"}})
    role_is(stub, {"Principal": {"Service": "firehose.amazonaws.com"}}, decision)
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    destination = _destination(Stream(STREAM, "ACTIVE", S3))
    [found] = why_nothing_can_arrive(account, _system(destination), destination)
    assert isinstance(found, Cause)
    assert (found.what, found.certain) == ("the role of Firehose may not s3:PutObject", certain)


@pytest.mark.parametrize(
    ("entry", "cause", "certain"),
    [
        (
            {"errorCode": "S3.AccessDenied", "message": "x is not authorized to perform: s3:PutObject on resource: y"},
            "Firehose may not s3:PutObject",
            True,
        ),
        (
            {"errorCode": "S3.AccessDenied", "message": "x is not authorized to perform: kms:GenerateDataKey on y"},
            "Firehose may not use the KMS key of the bucket",
            True,
        ),
        (
            {"errorCode": "S3.KMS.DisabledException", "message": "The key is disabled."},
            "Firehose cannot use the KMS key of the bucket",
            True,
        ),
        (
            {"errorCode": "S3.NoSuchBucket", "message": "It does not exist."},
            "Firehose could not deliver: S3.NoSuchBucket",
            True,
        ),
        (
            {"errorCode": "S3.InternalError", "message": "Try again."},
            "Firehose could not deliver: S3.InternalError",
            False,
        ),
        ("no JSON", "Firehose could not deliver: its error log has no code", False),
    ],
)
def test_the_error_log_of_the_stream_is_read(
    entry: object, cause: str, certain: bool, account: Account, stub: Stub
) -> None:
    message = entry if isinstance(entry, str) else json.dumps(entry)
    stub("logs").add_response(
        "filter_log_events",
        {"events": [{"message": message}]},
        {"logGroupName": "group", "logStreamNames": ["stream"], "startTime": 1795521630000},
    )
    [found] = why_not_delivered(account, _system(), Stream(STREAM, "ACTIVE", S3), None, SINCE, "id-1")
    assert isinstance(found, Cause)
    assert (found.what, found.certain) == (cause, certain)


def test_an_error_log_that_is_off_is_not_read(account: Account) -> None:
    stream = Stream(STREAM, "ACTIVE", {**S3, "CloudWatchLoggingOptions": {"Enabled": False}})
    assert list(why_not_delivered(account, _system(), stream, None, SINCE, "id-1")) == []


@pytest.mark.parametrize(
    ("message_id", "whose"), [("id-1", "the event of this mail"), ("id-2", "events of other mail")]
)
def test_a_record_under_the_error_prefix_is_decoded(message_id: str, whose: str, account: Account, stub: Stub) -> None:
    event = json.dumps({"mail": {"messageId": message_id}})
    failure = {
        "errorCode": "DataFormatConversion.MalformedData",
        "errorMessage": "mail.tags",
        "rawData": base64.b64encode(event.encode()).decode(),
    }
    body = json.dumps(failure).encode()
    stub("logs").add_response("filter_log_events", {"events": []})
    listed = {
        "Key": "errors/format-conversion-failed/1",
        "LastModified": datetime(2026, 11, 24, 12, 1, tzinfo=timezone.utc),
    }
    old = {
        "Key": "errors/format-conversion-failed/0",
        "LastModified": datetime(2026, 11, 24, 11, 0, tzinfo=timezone.utc),
    }
    stub("s3").add_response("list_objects_v2", {"Contents": [old, listed]}, {"Bucket": "bucket", "Prefix": "errors/"})
    stub("s3").add_response(
        "get_object",
        {"Body": StreamingBody(io.BytesIO(body), len(body))},
        {"Bucket": "bucket", "Key": "errors/format-conversion-failed/1"},
    )
    errors = Folder(account.client("s3"), S3, S3["ErrorOutputPrefix"], SINCE)
    [found] = why_not_delivered(account, _system(), Stream(STREAM, "ACTIVE", S3), errors, SINCE, "id-1")
    assert isinstance(found, Cause)
    assert found.what == f"Firehose could not process {whose}, and put it under the error prefix"
    assert found.certain == (message_id == "id-1")
    assert found.seen == (
        "s3://bucket/errors/format-conversion-failed/1: DataFormatConversion.MalformedData: mail.tags; "
        f"the record: {event}"
    )


@pytest.mark.parametrize(
    ("sums", "arrived", "causes"),
    [
        ({"ThrottledRecords": 5}, True, ["the stream is throttled: it takes fewer records than it is sent"]),
        ({"KMSKeyDisabled": 1}, True, ["Firehose cannot use the KMS key of the stream: the key is disabled"]),
        ({}, True, []),
        ({"IncomingRecords": 2}, False, []),
        ({}, False, ["By its metrics, the stream has got no record from SES"]),
    ],
)
def test_the_metrics_of_the_stream_are_read(
    sums: dict[str, int], arrived: bool, causes: list[str], account: Account, stub: Stub
) -> None:
    names = ["IncomingRecords", "ThrottledRecords"]
    names += ["KMSKeyAccessDenied", "KMSKeyDisabled", "KMSKeyInvalidState", "KMSKeyNotFound"]
    results = [{"Id": f"m{place}", "Values": [sums[name]]} for place, name in enumerate(names) if name in sums]
    dimensions = [{"Name": "DeliveryStreamName", "Value": "events"}]
    queries = [
        {
            "Id": f"m{place}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Firehose", "MetricName": name, "Dimensions": dimensions},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for place, name in enumerate(names)
    ]
    start = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
    expected = {"MetricDataQueries": queries, "StartTime": start, "EndTime": ANY}
    stub("cloudwatch").add_response("get_metric_data", {"MetricDataResults": results}, expected)
    assert _whats(why_late(account, Stream(STREAM, "ACTIVE", S3), SINCE, 300, arrived=arrived)) == causes


def test_a_timeout_shorter_than_the_buffering_is_named(account: Account, stub: Stub) -> None:
    stub("cloudwatch").add_response("get_metric_data", {"MetricDataResults": [{"Id": "m0", "Values": [2]}]})
    [cause] = why_late(account, Stream(STREAM, "ACTIVE", S3), SINCE, 59.6, arrived=False)
    assert isinstance(cause, Cause)
    assert cause.what == "Firehose may not have written the event yet"
    assert cause.seen == "the stream collects records for 300 s, and it was given up after 60 s"
    assert not cause.certain


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SendEmail")
