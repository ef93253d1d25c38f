"""The app of this repository, deployed with the CDK CLI, and what happens when a permission is missing."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from local_aws.cdk import Cdk
from local_aws.demo import DOMAIN, STACK, archived_events, send_mail, sent

ROOT = Path(__file__).parents[2]
PATIENCE = 30
"""Seconds after which something that must come is missed; only a failing test waits so long."""


class System:
    """The deployed stack, as these tests look at it."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.iam = aws.client("iam")
        self.configuration_set = outputs["ConfigurationSetName"]
        self.bucket = outputs["BucketName"]
        self.stream = outputs["DeliveryStreamName"]
        described = aws.client("firehose").describe_delivery_stream(DeliveryStreamName=self.stream)
        s3 = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
        destinations = aws.client("sesv2").get_configuration_set_event_destinations(
            ConfigurationSetName=self.configuration_set
        )["EventDestinations"]
        [to_firehose] = [d for destination in destinations if (d := destination.get("KinesisFirehoseDestination"))]
        self.ses_role = to_firehose["IamRoleArn"].rpartition("/")[2]
        self.firehose_role = s3["RoleARN"].rpartition("/")[2]
        self.log = s3["CloudWatchLoggingOptions"]
        self.control_seconds = 0.0

    def send(self, **tags: str) -> str:
        return send_mail(self.aws, self.configuration_set, **tags)

    def events(self) -> dict[str, dict[str, Any]]:
        """The events in the bucket, by message id."""
        return {event["mail"]["messageId"]: event for _, event in archived_events(self.aws, self.bucket)}

    def arrives(self, message_id: str) -> bool:
        return bool(_eventually(lambda: message_id in self.events(), PATIENCE))

    def error_log(self) -> list[str]:
        """The messages in the error log stream of the delivery stream."""
        logs = self.aws.client("logs")
        names = {"logGroupName": self.log["LogGroupName"], "logStreamName": self.log["LogStreamName"]}
        return [json.loads(event["message"])["message"] for event in logs.get_log_events(**names)["events"]]

    def wait_as_long_as_a_mail_takes(self) -> None:
        """Twice as long, and no less than two buffering intervals."""
        time.sleep(max(2 * self.control_seconds, 2 * 300 / self.aws.speed))

    @contextlib.contextmanager
    def without(self, role: str, action: str) -> Iterator[None]:
        """Take an action out of the inline policies of a role."""
        policies = {
            name: self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        }
        holding = {name: policy for name, policy in policies.items() if action in json.dumps(policy)}
        assert holding, f"{role} has no {action}"
        for name, policy in holding.items():
            rest = [statement for s in policy["Statement"] if (statement := _without(s, action))["Action"]]
            if rest:
                self._put_policy(role, name, {**policy, "Statement": rest})
            else:
                self.iam.delete_role_policy(RoleName=role, PolicyName=name)
        try:
            yield
        finally:
            for name, policy in holding.items():
                self._put_policy(role, name, policy)

    @contextlib.contextmanager
    def trusting_another_configuration_set(self) -> Iterator[None]:
        """Let the SES role be assumed for another set than the deployed one."""
        trust = json.dumps(self.iam.get_role(RoleName=self.ses_role)["Role"]["AssumeRolePolicyDocument"])
        assert f"configuration-set/{self.configuration_set}" in trust
        other = trust.replace(f"configuration-set/{self.configuration_set}", "configuration-set/another")
        self.iam.update_assume_role_policy(RoleName=self.ses_role, PolicyDocument=other)
        try:
            yield
        finally:
            self.iam.update_assume_role_policy(RoleName=self.ses_role, PolicyDocument=trust)

    def _put_policy(self, role: str, name: str, policy: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


@pytest.fixture(scope="module")
def system(aws: LocalAws) -> System:
    """The stack, after a first mail whose way into the bucket was timed."""
    cdk = Cdk(aws, ROOT)
    cdk.synth()
    cdk.bootstrap()
    deployed = System(aws, cdk.deploy(STACK))
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    start = time.monotonic()
    assert deployed.arrives(deployed.send(campaign="control"))
    deployed.control_seconds = time.monotonic() - start
    return deployed


def test_a_tagged_mail_is_archived_and_counted(system: System) -> None:
    message_id = system.send(campaign="test")
    assert system.arrives(message_id)
    event = system.events()[message_id]
    assert event["eventType"] == "Send"
    assert event["send"] == {}
    assert event["mail"]["tags"]["campaign"] == ["test"]
    assert event["mail"]["tags"]["ses:configuration-set"] == [system.configuration_set]
    assert sent(system.aws, "test") == 1.0


def test_a_mail_without_the_tag_is_archived_and_counted_by_the_default_value(system: System) -> None:
    message_id = system.send()
    assert system.arrives(message_id)
    assert "campaign" not in system.events()[message_id]["mail"]["tags"]
    assert sent(system.aws, "unknown") == 1.0


def test_a_mail_of_the_api_v2_is_archived_and_counted(system: System) -> None:
    answer = system.aws.client("sesv2").send_email(
        FromEmailAddress=f"sender@{DOMAIN}",
        Destination={"ToAddresses": [f"recipient@{DOMAIN}"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
        ConfigurationSetName=system.configuration_set,
        EmailTags=[{"Name": "campaign", "Value": "v2"}],
    )
    assert system.arrives(answer["MessageId"])
    assert sent(system.aws, "v2") == 1.0


def test_the_objects_are_kept_by_day(system: System) -> None:
    keys = {key for key, _ in archived_events(system.aws, system.bucket)}
    form = re.compile(
        rf"events/dt=([0-9-]+)/{system.stream}-1-\1-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[0-9a-f-]{{36}}\.json\.gz"
    )
    assert all(form.fullmatch(key) for key in keys)


def test_ses_needs_firehose_put_record_batch(system: System) -> None:
    with system.without(system.ses_role, "firehose:PutRecordBatch"):
        lost = system.send()
        # SES writes to no place of the customer's that it was refused, so this is in the log of the server only.
        assert _eventually(lambda: _refusal(system, system.ses_role, "firehose:PutRecordBatch", lost), PATIENCE)
        system.wait_as_long_as_a_mail_takes()
        assert lost not in system.events()
    assert system.arrives(system.send())
    assert lost not in system.events()


def test_ses_needs_the_trust_of_the_role_for_its_configuration_set(system: System) -> None:
    with system.trusting_another_configuration_set():
        lost = system.send()
        assert _eventually(lambda: _refusal(system, system.ses_role, "sts:AssumeRole", lost), PATIENCE)
        system.wait_as_long_as_a_mail_takes()
        assert lost not in system.events()
    assert system.arrives(system.send())
    assert lost not in system.events()


def test_firehose_needs_s3_put_object(system: System) -> None:
    before = len(system.error_log())
    with system.without(system.firehose_role, "s3:PutObject"):
        late = system.send()
        [denial, *_] = _eventually(lambda: system.error_log()[before:], PATIENCE)
        assert f"{system.firehose_role}/firehose is not authorized to perform: s3:PutObject" in denial
        system.wait_as_long_as_a_mail_takes()
        assert late not in system.events()
    assert system.arrives(system.send())
    assert system.arrives(late)  # Firehose kept it


def test_firehose_needs_logs_put_log_events(system: System) -> None:
    before = len(system.error_log())
    with system.without(system.firehose_role, "s3:PutObject"):
        with system.without(system.firehose_role, "logs:PutLogEvents"):
            late = system.send()
            assert _eventually(lambda: _refusal(system, system.firehose_role, "logs:PutLogEvents"), PATIENCE)
            system.wait_as_long_as_a_mail_takes()
            assert len(system.error_log()) == before
        assert _eventually(lambda: system.error_log()[before:], PATIENCE)
        assert late not in system.events()
    assert system.arrives(system.send())
    assert system.arrives(late)


def _without(statement: dict[str, Any], action: str) -> dict[str, Any]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return {**statement, "Action": [kept for kept in actions if kept != action]}


def _refusal(system: System, role: str, action: str, message_id: str = "") -> list[str]:
    """Lines of the server's log that say that a role was refused an action."""
    return [line for line in system.aws.refusals if role in line and action in line and message_id in line]


def _eventually(look: Callable[[], Any], seconds: float) -> Any:
    """What ``look`` sees as soon as that is something, and at the latest then."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen
