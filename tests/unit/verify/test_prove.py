from __future__ import annotations

import dataclasses
import gzip
import io
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import ANY

from ses_events.verify.account import Account
from ses_events.verify.finding import Cause
from ses_events.verify.plan import Check, expected_seconds, plan_mail
from ses_events.verify.prove import Proof, prove
from ses_events.verify.report import Silent, Terminal, as_json
from ses_events.verify.system import Destination, Stream, System
from tests.unit.verify.conftest import Stub, roles_work

STREAM = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/events"
MINUTE = {"Period": 60, "Stat": "Sum"}


def _dimension(name: str, source: str = "MESSAGE_TAG") -> dict[str, str]:
    return {"DimensionName": name, "DimensionValueSource": source, "DefaultDimensionValue": "none"}


def _metrics(*dimensions: dict[str, str]) -> Destination:
    settings = {"DimensionConfigurations": list(dimensions)}
    return Destination("metrics", "CloudWatchDestination", True, ("Send",), settings)


def _matching(*events: str, enabled: bool = True) -> Destination:
    return dataclasses.replace(_metrics(_dimension("campaign")), name="other", events=events, enabled=enabled)


def _archive(**s3: Any) -> Destination:
    stream = Stream(
        STREAM,
        "ACTIVE",
        {"BucketARN": "arn:aws:s3:::bucket", "RoleARN": "arn:aws:iam::111122223333:role/Firehose", **s3},
    )
    settings = {"IamRoleArn": "arn:aws:iam::111122223333:role/Ses", "DeliveryStreamArn": STREAM}
    return Destination("archive", "KinesisFirehoseDestination", True, ("Send",), settings, stream)


def _prove(account: Account, *destinations: Destination, timeout: float | None = 0.1, **values: str) -> Proof:
    system = System("Mail", "set", destinations)
    mail = plan_mail(system, "success", "Me <me@a.example>", "success@simulator.amazonses.com", values)
    return prove(account, system, mail, timeout, Silent())


def _sums(stub: Stub, total: int, *dimensions: tuple[str, str]) -> None:
    metric = {
        "Namespace": "AWS/SES",
        "MetricName": "Send",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
    }
    expected = {
        "MetricDataQueries": [{"Id": "m0", "MetricStat": {"Metric": metric, **MINUTE}}],
        "StartTime": ANY,
        "EndTime": ANY,
    }
    answer = {"MetricDataResults": [{"Id": "m0", "Values": [total] if total else []}]}
    stub("cloudwatch").add_response("get_metric_data", answer, expected)


def test_dimensions_have_the_values_that_the_mail_and_ses_give_them(account: Account, stub: Stub) -> None:
    dimensions = [
        _dimension("campaign"),
        _dimension("X-Team", "EMAIL_HEADER"),
        _dimension("button", "LINK_TAG"),
        _dimension("ses:configuration-set"),
        _dimension("ses:from-domain"),
    ]
    values = [
        ("campaign", "spring"),
        ("X-Team", "verify"),
        ("button", "none"),
        ("ses:configuration-set", "set"),
        ("ses:from-domain", "a.example"),
    ]
    _sums(stub, 0, *values)
    stub("sesv2").add_response(
        "send_email",
        {"MessageId": "1"},
        {
            "FromEmailAddress": "Me <me@a.example>",
            "Destination": {"ToAddresses": ["success@simulator.amazonses.com"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "ses-events verify"},
                    "Body": {"Text": {"Data": ANY}},
                    "Headers": [{"Name": "X-Team", "Value": "verify"}],
                }
            },
            "ConfigurationSetName": "set",
            "EmailTags": [{"Name": "campaign", "Value": "spring"}],
        },
    )
    _sums(stub, 1, *values)
    proof = _prove(account, _metrics(*dimensions), campaign="spring")
    assert proof.proven
    [check] = proof.checks
    assert check.arrivals["Send"].total == 1


def test_what_was_counted_before_the_mail_proves_nothing(account: Account, stub: Stub) -> None:
    for total in (2, 2, 2):
        _sums(stub, total, ("campaign", "verify"))
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    proof = _prove(account, _metrics(_dimension("campaign")))
    assert not proof.proven
    assert proof.checks[0].missing == ["Send"]


def test_without_the_metrics_no_mail_is_sent(account: Account, stub: Stub) -> None:
    stub("cloudwatch").add_client_error("get_metric_data", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        _prove(account, _metrics(_dimension("campaign")))


def test_metrics_that_cannot_be_read_once_are_read_again(account: Account, stub: Stub) -> None:
    _sums(stub, 0, ("campaign", "verify"))
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    stub("cloudwatch").add_client_error("get_metric_data", "InternalServiceFault", "Try again.")
    _sums(stub, 1, ("campaign", "verify"))
    proof = _prove(account, _metrics(_dimension("campaign")), timeout=5)
    assert proof.proven
    assert [finding.what for finding in proof.checks[0].findings] == ["the metrics cannot be read"]


def test_a_dimension_that_ses_fills_in_is_read_from_the_archive(account: Account, stub: Stub) -> None:
    event = {"eventType": "Send", "mail": {"messageId": "1", "tags": {"ses:source-ip": ["192.0.2.1"]}}}
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    roles_work(stub)
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    _object(stub, account, "raw/", event, {"eventType": "Send", "mail": {"messageId": "2"}})
    _sums(stub, 1, ("ses:source-ip", "192.0.2.1"))
    backup = {"BucketARN": "arn:aws:s3:::raw", "Prefix": "raw/!{firehose:random-string}/", "CompressionFormat": "GZIP"}
    parquet = _archive(
        DataFormatConversionConfiguration={"Enabled": True}, S3BackupMode="Enabled", S3BackupDescription=backup
    )
    proof = _prove(account, parquet, _metrics(_dimension("ses:source-ip")), timeout=5)
    assert proof.proven
    assert proof.checks[0].arrivals["Send"].record == event
    assert json.loads(as_json(account, proof))["destinations"][0]["arrived"]["Send"]["place"] == "s3://raw/raw/1"


def test_a_dimension_that_nothing_shows_is_said(account: Account, stub: Stub) -> None:
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    [check] = _prove(account, _metrics(_dimension("ses:source-ip"))).checks
    assert [cause.what for cause in check.causes] == [
        "the metric has a dimension whose value SES fills in itself, and no archive shows it"
    ]


@pytest.mark.parametrize(
    ("destination", "why"),
    [
        (
            Destination("topic", "SnsDestination", True, ("Send",), {"TopicArn": "arn"}),
            "what a topic gets can be read by subscribing to it only, which verify does not do",
        ),
        (
            Destination("bus", "EventBridgeDestination", True, ("Send",), {"EventBusArn": "arn"}),
            "what a bus gets can be read by adding a rule only, which verify does not do",
        ),
        (
            _archive(DataFormatConversionConfiguration={"Enabled": True}, S3BackupMode="Disabled"),
            "the stream converts to Parquet and keeps no JSON: turn its S3 backup on to see the events",
        ),
        (_archive(CompressionFormat="Snappy"), "verify cannot read the compression Snappy"),
        (Destination("new", "", True, ("Send",), {}), "verify does not know this kind of destination"),
        (
            _matching("Send", enabled=False),
            "it is disabled: SES publishes no event to it; if it should, enable it (enabled=True in add_destination)",
        ),
        (
            _matching("Open", "Click"),
            "this mail yields none of the events that it matches (Open, Click); no mail to the simulator does",
        ),
        (
            _matching("Complaint", "Open"),
            "this mail yields none of the events that it matches (Complaint, Open); prove it with --scenario complaint",
        ),
        (
            _matching("Bounce", "Complaint"),
            "this mail yields none of the events that it matches (Bounce, Complaint); "
            "prove it with --scenario bounce or complaint or suppressionlist",
        ),
    ],
)
def test_what_is_not_looked_at_is_said_and_proves_nothing(
    destination: Destination, why: str, account: Account, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    proof = _prove(account, destination)
    assert [(check.status, check.not_checked) for check in proof.checks] == [("not checked", why)]
    assert not proof.proven
    Terminal(None).outcome(proof)
    printed = capsys.readouterr().out
    assert f"- {destination.name}: not checked {why} Not proven: " in " ".join(printed.split())
    assert printed.endswith("\nNot proven: there is no destination that this mail can prove.\n")


def test_what_is_not_looked_at_does_not_fail_what_is_proven(
    account: Account, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    _sums(stub, 0, ("campaign", "verify"))
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    _sums(stub, 1, ("campaign", "verify"))
    off = dataclasses.replace(_archive(), name="off", enabled=False)
    proof = _prove(account, _metrics(_dimension("campaign")), _matching("Open"), off)
    assert proof.proven
    terminal = Terminal(None)
    terminal.system(account, proof.system)
    terminal.outcome(proof)
    lines = capsys.readouterr().out.splitlines()
    assert "  off: Data Firehose, disabled" in lines
    assert lines[-1] == "Proven, but 2 of 3 destinations not checked."


def test_a_person_reads_why_in_lines_that_fit(account: Account, stub: Stub, capsys: pytest.CaptureFixture[str]) -> None:
    _sums(stub, 0, ("campaign", "verify"))
    stub("sesv2").add_client_error("send_email", "MailFromDomainNotVerifiedException", "No MX record was found. " * 9)
    proof = _prove(account, _metrics(_dimension("campaign")))
    Terminal(None).outcome(proof)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        "✗ SES did not take the mail",
        "      why   the MAIL FROM domain of a.example is not verified",
    ]
    [paste] = [line for line in lines if line.startswith("      paste ")]
    endpoint = "--endpoint-url http://127.0.0.1:9"
    assert paste.endswith(f"aws sesv2 get-email-identity --region eu-west-1 {endpoint} --email-identity a.example")
    assert max(len(line) for line in lines if line != paste) <= 100
    assert lines[-1] == "Not proven."


def test_what_is_certain_leaves_no_room_for_guesses() -> None:
    check = Check(_archive(), ("Send",))
    guess, fact = (Cause(what, "seen", "fix", certain=what == "fact") for what in ("guess", "fact"))
    check.found([guess])
    assert (check.causes, check.is_settled) == ([guess], False)
    check.found([fact])
    assert (check.causes, check.is_settled) == ([fact], True)


def test_the_longest_buffering_of_the_streams_is_waited_for() -> None:
    archives = [_archive(BufferingHints={"IntervalInSeconds": seconds}) for seconds in (60, 900, 120)]
    checks = [Check(destination, ("Send",)) for destination in archives]
    assert expected_seconds(checks) == 900
    checks[1].not_checked = "nobody can look there"
    assert expected_seconds(checks) == 120
    assert expected_seconds([Check(_metrics(_dimension("campaign")), ("Send",))]) == 0


def test_the_events_are_waited_for_as_long_as_buffering_and_margin_together(
    account: Account, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def sleep(_: float) -> None:
        nonlocal now
        now += 1000  # more than the interval or MARGIN alone

    monkeypatch.setattr("ses_events.verify.prove.time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    roles_work(stub)
    stub("s3").add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    for _ in range(2):
        stub("s3").add_response("list_objects_v2", {})
    _object(stub, account, "raw/", {"eventType": "Send", "mail": {"messageId": "1"}})
    s3 = {"BucketARN": "arn:aws:s3:::raw", "Prefix": "raw/!{firehose:random-string}/"}
    archive = _archive(**s3, BufferingHints={"IntervalInSeconds": 900})
    assert _prove(account, archive, timeout=None).proven


def _object(stub: Stub, account: Account, prefix: str, *events: dict[str, Any]) -> None:
    """An object that is new, after one that is not."""
    body = gzip.compress("\n".join(map(json.dumps, events)).encode())
    contents = [
        {"Key": "raw/0", "LastModified": account.now() - timedelta(minutes=5)},
        {"Key": "raw/1", "LastModified": account.now() + timedelta(seconds=5)},
    ]
    stub("s3").add_response("list_objects_v2", {"Contents": contents}, {"Bucket": "raw", "Prefix": prefix})
    answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
    stub("s3").add_response("get_object", answer, {"Bucket": "raw", "Key": "raw/1"})
