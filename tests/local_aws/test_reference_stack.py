"""The reference stack, deployed, and what happens when a permission is missing."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator

import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, archived_events, sent
from tests.local_aws.support.deployed import Route, Stream, events_in, eventually, refusals, ses_role, without_action


class System(Route):
    """The deployed stack, as these tests look at it."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.bucket = outputs["BucketName"]
        self.stream_name = outputs["DeliveryStreamName"]
        self.stream = Stream(aws, self.stream_name)
        self.ses_role = ses_role(aws, outputs["ConfigurationSetName"]).rpartition("/")[2]
        super().__init__(aws, outputs["ConfigurationSetName"], lambda: events_in(aws, self.bucket))

    @contextlib.contextmanager
    def trusting_another_configuration_set(self) -> Iterator[None]:
        """Let the SES role be assumed for another set than the deployed one."""
        iam = self.aws.client("iam")
        trust = json.dumps(iam.get_role(RoleName=self.ses_role)["Role"]["AssumeRolePolicyDocument"])
        assert f"configuration-set/{self.configuration_set}" in trust
        other = trust.replace(f"configuration-set/{self.configuration_set}", "configuration-set/another")
        iam.update_assume_role_policy(RoleName=self.ses_role, PolicyDocument=other)
        try:
            yield
        finally:
            iam.update_assume_role_policy(RoleName=self.ses_role, PolicyDocument=trust)


@pytest.fixture(scope="module")
def system(aws: LocalAws, reference_stack: dict[str, str]) -> System:
    """The stack, after a first mail whose way into the bucket was timed."""
    return System(aws, reference_stack)


def test_a_tagged_mail_is_archived_and_counted(system: System) -> None:
    message_id = system.send(campaign="test")
    assert system.arrives(message_id)
    event = system.arrived()[message_id]
    assert event["eventType"] == "Send"
    assert event["send"] == {}
    assert event["mail"]["tags"]["campaign"] == ["test"]
    assert event["mail"]["tags"]["ses:configuration-set"] == [system.configuration_set]
    assert eventually(lambda: sent(system.aws, "test")) == 1.0


def test_a_mail_without_the_tag_is_archived_and_counted_by_the_default_value(system: System) -> None:
    before = sent(system.aws, "unknown")
    message_id = system.send()
    assert system.arrives(message_id)
    assert "campaign" not in system.arrived()[message_id]["mail"]["tags"]
    assert eventually(lambda: sent(system.aws, "unknown") - before) == 1.0


def test_a_mail_of_the_api_v2_is_archived_and_counted(system: System) -> None:
    answer = system.aws.client("sesv2").send_email(
        FromEmailAddress=f"sender@{DOMAIN}",
        Destination={"ToAddresses": [f"recipient@{DOMAIN}"]},
        Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
        ConfigurationSetName=system.configuration_set,
        EmailTags=[{"Name": "campaign", "Value": "v2"}],
    )
    assert system.arrives(answer["MessageId"])
    assert eventually(lambda: sent(system.aws, "v2")) == 1.0


def test_the_objects_are_kept_by_day(system: System) -> None:
    keys = {key for key, _ in archived_events(system.aws, system.bucket)}
    form = re.compile(
        rf"events/dt=([0-9-]+)/{system.stream_name}-1-\1-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[0-9a-f-]{{36}}\.json\.gz"
    )
    assert all(form.fullmatch(key) for key in keys)


def test_ses_needs_firehose_put_record_batch(system: System) -> None:
    with without_action(system.aws, system.ses_role, "firehose:PutRecordBatch"):
        lost = system.send()
        # SES writes to no place of the customer's that it was refused, so this is in the log of the server only.
        assert eventually(lambda: refusals(system.aws, system.ses_role, "firehose:PutRecordBatch", lost))
        assert system.stays_out(lost)
    assert system.arrives(system.send())
    assert lost not in system.arrived()


def test_ses_needs_the_trust_of_the_role_for_its_configuration_set(system: System) -> None:
    with system.trusting_another_configuration_set():
        lost = system.send()
        assert eventually(lambda: refusals(system.aws, system.ses_role, "sts:AssumeRole", lost))
        assert system.stays_out(lost)
    assert system.arrives(system.send())
    assert lost not in system.arrived()


def test_firehose_needs_s3_put_object(system: System) -> None:
    before = len(system.stream.errors())
    with without_action(system.aws, system.stream.role, "s3:PutObject"):
        late = system.send()
        [denial, *_] = eventually(lambda: system.stream.errors()[before:])
        assert f"{system.stream.role}/firehose is not authorized to perform: s3:PutObject" in denial
        assert system.stays_out(late)
    assert system.arrives(system.send())
    assert system.arrives(late)  # Firehose kept it


def test_firehose_needs_logs_put_log_events(system: System) -> None:
    with without_action(system.aws, system.stream.role, "s3:PutObject"):
        with without_action(system.aws, system.stream.role, "logs:PutLogEvents"):
            before = len(system.stream.errors())
            late = system.send()
            assert eventually(lambda: refusals(system.aws, system.stream.role, "logs:PutLogEvents"))
            assert system.stays_out(late)
            assert len(system.stream.errors()) == before
        assert eventually(lambda: system.stream.errors()[before:])
        assert late not in system.arrived()
    assert system.arrives(system.send())
    assert system.arrives(late)
