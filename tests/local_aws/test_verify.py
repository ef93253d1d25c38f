"""``ses-events verify`` against the reference stack: it is proven, and each fault that is planted in it is named."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, STACK, archived_events
from local_aws.process import ACCOUNT, REGION
from ses_events.verify.cli import main
from tests.local_aws.support.aws_cli import paste
from tests.local_aws.support.converting import Converting
from tests.local_aws.support.deployed import (
    Json,
    Stream,
    app,
    deploy,
    event_destinations,
    eventually,
    outputs_of,
    ses_role,
    without_action,
)

ROOT = Path(__file__).parents[2]
SENDER = f"verify@{DOMAIN}"


@dataclass
class Deployed:
    """The deployed stack, and the command that verifies it."""

    aws: LocalAws
    outputs: dict[str, str]
    capsys: pytest.CaptureFixture[str]
    stack: str = STACK

    @property
    def configuration_set(self) -> str:
        return self.outputs["ConfigurationSetName"]

    @property
    def bucket(self) -> str:
        return self.outputs["BucketName"]

    @property
    def ses_role(self) -> str:
        return ses_role(self.aws, self.configuration_set).rpartition("/")[2]

    @property
    def log_group(self) -> str:
        return self.physical_id("AWS::Logs::LogGroup")

    @property
    def stream(self) -> Stream:
        return Stream(self.aws, self.outputs["DeliveryStreamName"])

    def physical_id(self, kind: str) -> str:
        """That of the only resource of a type."""
        described = self.aws.client("cloudformation").describe_stack_resources(StackName=self.stack)["StackResources"]
        [name] = [each["PhysicalResourceId"] for each in described if each["ResourceType"] == kind]
        return str(name)

    def verify(self, *arguments: str) -> tuple[int, Json]:
        """Exit code and outcome of the command."""
        code = main(["verify", "--stack", self.stack, "--timeout", "15", "--json", "--from", SENDER, *arguments])
        printed = self.capsys.readouterr()
        assert printed.err == ""
        outcome: Json = json.loads(printed.out)
        return code, outcome


@pytest.fixture
def deployed(
    aws: LocalAws,
    reference_stack: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Deployed:
    for name in set(os.environ) - set(aws.environment):
        monkeypatch.delenv(name)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    return Deployed(aws, reference_stack, capsys)


@pytest.fixture(scope="module")
def converting_stack(aws: LocalAws) -> dict[str, str]:
    stack = Converting(app(), "Converting")
    assert deploy(aws, stack) == []
    return outputs_of(aws, stack)


@pytest.fixture
def converting(deployed: Deployed, converting_stack: dict[str, str]) -> Deployed:
    return Deployed(deployed.aws, converting_stack, deployed.capsys, "Converting")


@pytest.mark.parametrize(
    ("scenario", "events"),
    [
        ("success", {"Send", "Delivery"}),
        ("bounce", {"Send", "Bounce"}),
        ("complaint", {"Send", "Delivery", "Complaint"}),
    ],
)
def test_the_deployed_stack_is_proven(deployed: Deployed, scenario: str, events: set[str]) -> None:
    code, outcome = deployed.verify("--scenario", scenario, "--dimension", f"campaign=verify-{scenario}")
    assert (code, outcome["proven"]) == (0, True), outcome
    firehose, cloudwatch = (_destination(outcome, name)["arrived"] for name in ("firehose", "cloudwatch"))
    assert set(firehose) == set(cloudwatch) == events
    for event, arrival in firehose.items():
        assert arrival["place"].startswith(f"s3://{deployed.bucket}/events/dt=")
        assert arrival["record"]["eventType"] == event
        assert arrival["record"]["mail"]["messageId"] == outcome["messageId"]
    assert cloudwatch["Send"]["place"] == f"AWS/SES Send campaign=verify-{scenario}"
    assert cloudwatch["Send"]["sum"] == 1


def test_a_person_reads_the_event_and_the_numbers(deployed: Deployed) -> None:
    endpoint = deployed.aws.url
    command = ["verify", "--stack", STACK, "--timeout", "15", "--from", SENDER, "--endpoint-url", endpoint]
    code = main([*command, "--show-event"])
    printed = deployed.capsys.readouterr()
    assert (code, printed.err) == (0, "")
    arrived = r"^  ✓ SesEvents/Publishing/ToArchive: Send after [0-9.]+ s\n      s3://\S+\.json\.gz$"
    assert re.search(arrived, printed.out, re.MULTILINE)
    assert re.search(r"^      AWS/SES Send campaign=verify: Sum [0-9]+", printed.out, re.MULTILINE)
    assert '"eventType": "Send"' in printed.out
    assert printed.out.endswith("\nProven.\n")
    assert "\x1b" not in printed.out
    assert main(command) == 0
    lines = deployed.capsys.readouterr().out.splitlines()
    assert lines[-1] == "Proven."
    assert [line for line in lines if "eventType" in line] == []


def test_the_documented_policy_is_enough(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    with _user(deployed) as (key, secret):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        code, outcome = deployed.verify()
        assert code == 0, outcome
        with without_action(deployed.aws, deployed.ses_role, "firehose:PutRecordBatch"):
            code, outcome = deployed.verify()
    assert code == 1
    assert _destination(outcome, "firehose")["notLookedAt"] == []


def test_what_the_caller_may_not_look_at_is_said(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        _user(deployed, without={"iam:GetRole", "iam:SimulatePrincipalPolicy"}) as (key, secret),
        without_action(deployed.aws, deployed.ses_role, "firehose:PutRecordBatch"),
    ):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        code, outcome = deployed.verify("--timeout", "1")
    assert code == 1
    whys = {unseen["why"] for unseen in _destination(outcome, "firehose")["notLookedAt"]}
    assert whys == {"you lack iam:GetRole", "you lack iam:SimulatePrincipalPolicy"}


@contextlib.contextmanager
def _sending_disabled(deployed: Deployed) -> Iterator[None]:
    sesv2, name = deployed.aws.client("sesv2"), deployed.configuration_set
    sesv2.put_configuration_set_sending_options(ConfigurationSetName=name, SendingEnabled=False)
    try:
        yield
    finally:
        sesv2.put_configuration_set_sending_options(ConfigurationSetName=name, SendingEnabled=True)


@contextlib.contextmanager
def _firehose_destination(deployed: Deployed, changes: Json | None) -> Iterator[None]:
    """The event destination firehose with changes, or deleted."""
    sesv2 = deployed.aws.client("sesv2")
    named = {"ConfigurationSetName": deployed.configuration_set, "EventDestinationName": "firehose"}

    def described() -> Json | None:
        destinations = event_destinations(deployed.aws, deployed.configuration_set)
        found = [each for each in destinations if each["Name"] == "firehose"]
        return {name: value for name, value in found[0].items() if name != "Name"} if found else None

    before = described()
    assert before
    if changes is None:
        sesv2.delete_configuration_set_event_destination(**named)
    else:
        sesv2.update_configuration_set_event_destination(**named, EventDestination={**before, **changes})
    try:
        yield
    finally:
        if described() is None:
            sesv2.create_configuration_set_event_destination(**named, EventDestination=before)
        sesv2.update_configuration_set_event_destination(**named, EventDestination=before)


@contextlib.contextmanager
def _trusting_another_set(deployed: Deployed) -> Iterator[None]:
    iam = deployed.aws.client("iam")
    trust = json.dumps(iam.get_role(RoleName=deployed.ses_role)["Role"]["AssumeRolePolicyDocument"])
    other = trust.replace(f"configuration-set/{deployed.configuration_set}", "configuration-set/another")
    assert other != trust
    iam.update_assume_role_policy(RoleName=deployed.ses_role, PolicyDocument=other)
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=deployed.ses_role, PolicyDocument=trust)


@contextlib.contextmanager
def _bucket_key(deployed: Deployed, *, disabled: bool) -> Iterator[None]:
    """The bucket with a key that the stream's role was never allowed to use."""
    kms, s3 = deployed.aws.client("kms"), deployed.aws.client("s3")
    before = s3.get_bucket_encryption(Bucket=deployed.bucket)["ServerSideEncryptionConfiguration"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    if disabled:
        kms.disable_key(KeyId=key)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=deployed.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    try:
        yield
    finally:
        s3.put_bucket_encryption(Bucket=deployed.bucket, ServerSideEncryptionConfiguration=before)


@contextlib.contextmanager
def _bucket_denying_the_stream(deployed: Deployed) -> Iterator[None]:
    s3, bucket = deployed.aws.client("s3"), deployed.bucket
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    role = deployed.aws.client("iam").get_role(RoleName=deployed.stream.role)["Role"]["Arn"]
    denial = {
        "Effect": "Deny",
        "Principal": {"AWS": role},
        "Action": "s3:Put*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.loads(before)
    policy["Statement"].append(denial)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=before)


@contextlib.contextmanager
def _stream_deleted(deployed: Deployed) -> Iterator[None]:
    deployed.aws.client("firehose").delete_delivery_stream(DeliveryStreamName=deployed.outputs["DeliveryStreamName"])
    yield  # the fix makes it again


Fault = tuple[Callable[[Deployed], Any], str]
"""How it is planted, and the cause that names it."""

FAULTS: dict[str, Fault] = {
    "destination deleted": (
        lambda deployed: _firehose_destination(deployed, None),
        r"it is missing: the stack has it, the configuration set does not",
    ),
    "destination disabled": (
        lambda deployed: _firehose_destination(deployed, {"Enabled": False}),
        r"it is disabled, though the stack enables it",
    ),
    "events changed": (
        lambda deployed: _firehose_destination(deployed, {"MatchingEventTypes": ["BOUNCE"]}),
        r"it is not as the stack declares it",
    ),
    "trust broken": (
        _trusting_another_set,
        r"SES may not assume its role: the trust policy does not let it",
    ),
    "PutRecordBatch missing": (
        lambda deployed: without_action(deployed.aws, deployed.ses_role, "firehose:PutRecordBatch"),
        r"the role of SES may not firehose:PutRecordBatch",
    ),
    "stream deleted": (
        _stream_deleted,
        r"the delivery stream SesEvents/Archive/DeliveryStream does not exist",
    ),
    "PutObject missing": (
        lambda deployed: without_action(deployed.aws, deployed.stream.role, "s3:PutObject"),
        r"the role of Firehose may not s3:PutObject",
    ),
    "bucket policy denies": (
        _bucket_denying_the_stream,
        r"the policy of the bucket SesEvents/Archive/Bucket denies Firehose s3:PutObject",
    ),
}

KEY_OF_THE_BUCKET: dict[str, Fault] = {
    "key disabled": (
        lambda deployed: _bucket_key(deployed, disabled=True),
        r"the KMS key of the bucket SesEvents/Archive/Bucket cannot be used",
    ),
    "key not permitted": (
        lambda deployed: _bucket_key(deployed, disabled=False),
        r"Firehose may not use the KMS key of the bucket",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_printed_call_mends_it(deployed: Deployed, fault: str) -> None:
    plant, named = FAULTS[fault]
    before = event_destinations(deployed.aws, deployed.configuration_set)
    with plant(deployed):
        message_id, cause = _assert_named(deployed, named)
        paste(deployed.aws, cause["paste"])
        deployed.stream.forget_errors()  # AWS tells whole seconds: they would be later than the next mail
        code, outcome = deployed.verify()
        assert (code, outcome["proven"]) == (0, True), outcome
        after = event_destinations(deployed.aws, deployed.configuration_set)
        assert {each["Name"]: each for each in after} == {each["Name"]: each for each in before}
        if fault in ("PutObject missing", "bucket policy denies"):  # Firehose tries again
            _assert_nothing_is_lost(deployed, message_id)


@pytest.mark.parametrize("fault", KEY_OF_THE_BUCKET)
def test_a_fault_of_the_key_is_named_and_nothing_is_lost_by_it(deployed: Deployed, fault: str) -> None:
    plant, named = KEY_OF_THE_BUCKET[fault]
    with plant(deployed):
        message_id, _ = _assert_named(deployed, named)
    _assert_nothing_is_lost(deployed, message_id)


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        ("key", r"the KMS key of the stream Converting/Archive/DeliveryStream cannot be used"),
        ("table", r"Firehose could not convert the event of this mail, and put it under the error prefix"),
    ],
)
def test_a_fault_of_a_parquet_archive_is_named_and_the_printed_call_mends_it(
    converting: Deployed, plant: str, named: str
) -> None:
    code, outcome = converting.verify()
    assert (code, outcome["proven"]) == (0, True), outcome
    with {"key": _stream_key_disabled, "table": _table_changed}[plant](converting):
        _, cause = _assert_named(converting, named)
        paste(converting.aws, cause["paste"])
        converting.stream.forget_errors()
        code, outcome = converting.verify()
        assert (code, outcome["proven"]) == (0, True), outcome


@contextlib.contextmanager
def _stream_key_disabled(deployed: Deployed) -> Iterator[None]:
    kms = deployed.aws.client("kms")
    key = deployed.physical_id("AWS::KMS::Key")
    kms.disable_key(KeyId=key)
    try:
        yield
    finally:
        kms.enable_key(KeyId=key)


@contextlib.contextmanager
def _table_changed(deployed: Deployed) -> Iterator[None]:
    """The column of the mail is a number."""
    glue = deployed.aws.client("glue")
    described = glue.get_table(DatabaseName=deployed.physical_id("AWS::Glue::Database"), Name="events")["Table"]
    before = {key: described[key] for key in ("Name", "TableType", "Parameters", "StorageDescriptor", "PartitionKeys")}
    changed = json.loads(json.dumps(before))
    [mail] = [column for column in changed["StorageDescriptor"]["Columns"] if column["Name"] == "mail"]
    mail["Type"] = "int"
    glue.update_table(DatabaseName=described["DatabaseName"], TableInput=changed)
    try:
        yield
    finally:
        glue.update_table(DatabaseName=described["DatabaseName"], TableInput=before)


def _assert_named(deployed: Deployed, named: str) -> tuple[str, Json]:
    """Verify the system with a fault; the id of the mail that was sent, and the only cause."""
    code, outcome = deployed.verify()
    firehose, *others = sorted(outcome["destinations"], key=lambda each: each["kind"], reverse=True)
    assert (code, firehose["status"], firehose["notLookedAt"]) == (1, "not proven", [])
    [cause] = firehose["causes"]
    assert re.fullmatch(named, cause["what"])
    assert [each["status"] for each in others] == ["proven"] * len(others)
    return str(outcome["messageId"]), cause


def _assert_nothing_is_lost(deployed: Deployed, message_id: str) -> None:
    def archived() -> set[str]:
        events = [event for _, event in archived_events(deployed.aws, deployed.bucket)]
        return {event["eventType"] for event in events if event["mail"]["messageId"] == message_id}

    # The events may be in buffers of their own: each has written its last error when it is delivered.
    assert eventually(lambda: archived() == {"Send", "Delivery"})
    # AWS tells whole seconds: what is in the error log at the end of this test would be later than the next one's mail.
    deployed.stream.forget_errors()


def test_the_disabled_sending_of_the_set_is_named(deployed: Deployed) -> None:
    with _sending_disabled(deployed):
        code, outcome = deployed.verify()
        [cause] = outcome["causes"]
        assert code == 1
        assert cause["what"] == "sending is disabled for the configuration set SesEvents/Publishing/ConfigurationSet"
        paste(deployed.aws, cause["paste"])
        code, outcome = deployed.verify()
    assert (code, outcome["proven"]) == (0, True)


def test_an_identity_that_is_not_verified_is_named(deployed: Deployed) -> None:
    code, outcome = deployed.verify("--from", "somebody@example.net")
    [cause] = outcome["causes"]
    assert code == 1
    assert cause["what"] == f"the identity of the sender somebody@example.net is not verified in {REGION}"
    paste(deployed.aws, cause["paste"])
    code, outcome = deployed.verify("--from", "somebody@example.net")
    deployed.aws.client("sesv2").delete_email_identity(EmailIdentity="somebody@example.net")
    assert (code, outcome["proven"]) == (0, True)


def test_a_stack_that_is_not_there_is_wrong_usage(deployed: Deployed) -> None:
    assert main(["verify", "--stack", "Nothing"]) == 2
    printed = deployed.capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ses-events verify: there is no stack Nothing in {REGION}: ")
    assert "; give --region or --profile if it is elsewhere, or a name of: aws cloudformation describe" in printed.err
    assert printed.err.count("\n") == 1


@contextlib.contextmanager
def _user(deployed: Deployed, without: frozenset[str] | set[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """The access key of a user with the policy in docs/verify.md, but for some of its actions."""
    [policy] = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs/verify.md").read_text(), re.MULTILINE | re.DOTALL)
    values = {
        "REGION": REGION,
        "ACCOUNT": ACCOUNT,
        "STACK": STACK,
        "SET": deployed.configuration_set,
        "STREAM": deployed.outputs["DeliveryStreamName"],
        "BUCKET": deployed.bucket,
        "GROUP": deployed.log_group,
    }
    document = json.loads(re.sub(r"\b[A-Z]{3,}\b", lambda word: values[word[0]], policy))
    for statement in document["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [action for action in actions if action not in without]
    # MiniStack authorises these on no resource at all.
    unspecific = sorted({"ses:SendEmail", "iam:SimulatePrincipalPolicy"} - without)
    document["Statement"].append({"Effect": "Allow", "Action": unspecific, "Resource": "*"})
    iam = deployed.aws.client("iam")
    iam.create_user(UserName="verifier")
    iam.put_user_policy(UserName="verifier", PolicyName="verify", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="verifier")["AccessKey"]
    try:
        yield key["AccessKeyId"], key["SecretAccessKey"]
    finally:
        iam.delete_access_key(UserName="verifier", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="verifier", PolicyName="verify")
        iam.delete_user(UserName="verifier")


def _destination(outcome: Json, name: str) -> Json:
    [found] = [each for each in outcome["destinations"] if each["name"] == name]
    return dict(found)
