"""``ses-events verify`` against the reference stack: it is proven, and each fault that is planted in it is named."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, STACK, archived_events
from local_aws.process import ACCOUNT, REGION
from ses_events.verify.cli import main
from tests.local_aws.support.deployed import (
    Json,
    Stream,
    event_destinations,
    eventually,
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
        described = self.aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        [name] = [each["PhysicalResourceId"] for each in described if each["ResourceType"] == "AWS::Logs::LogGroup"]
        return str(name)

    @property
    def stream(self) -> Stream:
        return Stream(self.aws, self.outputs["DeliveryStreamName"])

    def verify(self, *arguments: str) -> tuple[int, Json]:
        """Exit code and outcome of the command."""
        code = main(["verify", "--stack", STACK, "--timeout", "15", "--json", "--from", SENDER, *arguments])
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
    code = main(["verify", "--stack", STACK, "--timeout", "15", "--from", SENDER, "--endpoint-url", endpoint])
    printed = deployed.capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert re.search(r"^  ✓ firehose: Send after [0-9.]+ s\n      s3://\S+\.json\.gz$", printed.out, re.MULTILINE)
    assert re.search(r"^      AWS/SES Send campaign=verify: Sum [0-9]+", printed.out, re.MULTILINE)
    assert '"eventType": "Send"' in printed.out
    assert printed.out.endswith("\nProven.\n")
    assert "\x1b" not in printed.out


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


Fault = tuple[Callable[[Deployed], Any], str]
"""How it is planted, and the cause that names it."""

BEFORE_THE_STREAM: dict[str, Fault] = {
    "trust broken": (
        _trusting_another_set,
        r"SES may not assume its role: the trust policy does not let it",
    ),
    "PutRecordBatch missing": (
        lambda deployed: without_action(deployed.aws, deployed.ses_role, "firehose:PutRecordBatch"),
        r"the role of SES may not firehose:PutRecordBatch",
    ),
}

OF_THE_STREAM: dict[str, Fault] = {
    "PutObject missing": (
        lambda deployed: without_action(deployed.aws, deployed.stream.role, "s3:PutObject"),
        r"Firehose may not s3:PutObject",
    ),
    "key disabled": (
        lambda deployed: _bucket_key(deployed, disabled=True),
        r"the KMS key of the bucket \S+ cannot be used",
    ),
    "key not permitted": (
        lambda deployed: _bucket_key(deployed, disabled=False),
        r"Firehose may not use the KMS key of the bucket",
    ),
}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (None, "it is missing: the stack has it, the configuration set does not"),
        ({"Enabled": False}, "it is disabled, though the stack enables it"),
        ({"MatchingEventTypes": ["BOUNCE"]}, "it is not as the stack declares it"),
    ],
)
def test_what_was_changed_by_hand_is_not_proven_until_the_printed_call_has_run(
    deployed: Deployed, changes: Json | None, what: str
) -> None:
    before = event_destinations(deployed.aws, deployed.configuration_set)
    with _firehose_destination(deployed, changes):
        code, outcome = deployed.verify()
        firehose = _destination(outcome, "firehose")
        assert (code, firehose["status"], outcome["proven"]) == (1, "not proven", False)
        [cause] = firehose["causes"]
        assert cause["what"] == what
        assert _destination(outcome, "cloudwatch")["status"] == "proven"
        _run(deployed, cause["paste"])
        by_name = {each["Name"]: each for each in event_destinations(deployed.aws, deployed.configuration_set)}
        assert by_name == {each["Name"]: each for each in before}
        code, outcome = deployed.verify()
        assert (code, outcome["proven"]) == (0, True)


def _run(deployed: Deployed, command: str) -> None:
    """What the AWS CLI does with a call of an event destination."""
    aws, service, operation, *options = shlex.split(command)
    assert (aws, service) == ("aws", "sesv2")
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given["--region"] == REGION
    getattr(deployed.aws.client(service), operation.replace("-", "_"))(
        ConfigurationSetName=given["--configuration-set-name"],
        EventDestinationName=given["--event-destination-name"],
        EventDestination=json.loads(given["--event-destination"]),
    )


@pytest.mark.parametrize("fault", BEFORE_THE_STREAM)
def test_a_fault_on_the_way_to_the_stream_is_named(deployed: Deployed, fault: str) -> None:
    _assert_named(deployed, *BEFORE_THE_STREAM[fault])


@pytest.mark.parametrize("fault", OF_THE_STREAM)
def test_a_fault_of_the_stream_is_named_and_nothing_is_lost_by_it(deployed: Deployed, fault: str) -> None:
    message_id = _assert_named(deployed, *OF_THE_STREAM[fault])

    def archived() -> set[str]:
        events = [event for _, event in archived_events(deployed.aws, deployed.bucket)]
        return {event["eventType"] for event in events if event["mail"]["messageId"] == message_id}

    # The events may be in buffers of their own: each has written its last error when it is delivered.
    assert eventually(lambda: archived() == {"Send", "Delivery"})
    # AWS tells whole seconds: what is in the error log at the end of this test would be later than the next one's mail.
    deployed.stream.forget_errors()


def _assert_named(deployed: Deployed, plant: Callable[[Deployed], Any], named: str) -> str:
    """Verify the system with a fault; the id of the mail that was sent."""
    with plant(deployed):
        code, outcome = deployed.verify()
    firehose = _destination(outcome, "firehose")
    causes = [cause["what"] for cause in firehose["causes"]]
    assert (code, firehose["status"], firehose["notLookedAt"]) == (1, "not proven", [])
    assert len(causes) == 1, causes
    assert re.fullmatch(named, causes[0])
    assert _destination(outcome, "cloudwatch")["status"] == "proven"
    return str(outcome["messageId"])


def test_the_disabled_sending_of_the_set_is_named(deployed: Deployed) -> None:
    with _sending_disabled(deployed):
        code, outcome = deployed.verify()
    causes = [cause["what"] for cause in outcome["causes"]]
    assert code == 1
    assert causes == [f"sending is disabled for the configuration set {deployed.configuration_set}"]


def test_an_identity_that_is_not_verified_is_named(deployed: Deployed) -> None:
    code, outcome = deployed.verify("--from", "somebody@example.net")
    causes = [cause["what"] for cause in outcome["causes"]]
    assert code == 1
    assert causes == [f"the identity of the sender somebody@example.net is not verified in {REGION}"]


def test_a_stack_that_is_not_there_is_wrong_usage(deployed: Deployed) -> None:
    assert main(["verify", "--stack", "Nothing"]) == 2
    printed = deployed.capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ses-events verify: there is no stack Nothing in {REGION}: ")
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
