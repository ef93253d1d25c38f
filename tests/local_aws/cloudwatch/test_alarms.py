"""Alarms as they are deployed: each goes to ALARM when what it is about happens, and somebody is told."""

from __future__ import annotations

import json

import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, send_mail
from tests.local_aws.support.deployed import Json, Stream, app, deploy, outputs_of, ses_role, without_action
from tests.local_aws.support.monitored import Monitored

STACK = "Monitored"
HELLO = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}}
MINUTES = 60
VIRUS = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class System:
    """The deployed stack, as these tests look at it."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.configuration_set = outputs["ConfigurationSet"]
        self.stream = Stream(aws, outputs["DeliveryStream"])
        self.ses_role = ses_role(aws, self.configuration_set).rpartition("/")[2]
        self.names = {name.removeprefix("Alarm"): value for name, value in outputs.items() if name.startswith("Alarm")}
        self.topic, self._queue = outputs["TopicArn"], outputs["QueueUrl"]
        self._sqs, self._cloudwatch = aws.client("sqs"), aws.client("cloudwatch")
        self.messages: list[Json] = []

    def send(self, campaign: str = "watched") -> None:
        send_mail(self.aws, self.configuration_set, campaign=campaign)

    def send_to(self, recipient: str, content: Json, **tags: str) -> None:
        """Send a mail by the API v2."""
        self.aws.client("sesv2").send_email(
            FromEmailAddress=f"sender@{DOMAIN}",
            Destination={"ToAddresses": [recipient]},
            Content=content,
            ConfigurationSetName=self.configuration_set,
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
        )

    def plant(self, metric: str, value: float) -> None:
        """Publish what SES would publish of the account."""
        self._cloudwatch.put_metric_data(
            Namespace="AWS/SES", MetricData=[{"MetricName": metric, "Value": value, "Unit": "None"}]
        )

    def state(self, alarm: str) -> str:
        """The state of an alarm."""
        found = self._cloudwatch.describe_alarms(AlarmNames=[self.names[alarm]])["MetricAlarms"]
        return str(found[0]["StateValue"])

    def set_state(self, name: str, state: str) -> None:
        """Put an alarm into a state by hand."""
        self._cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    def action_of(self, name: str) -> str:
        """What became of the newest action of an alarm."""
        found = self._cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action", MaxRecords=1)
        return str(found["AlarmHistoryItems"][0]["HistorySummary"])

    def told_after(self, seconds: float, alarm: str, state: str) -> Json | None:
        """What the topic is told by the time that some seconds of AWS have passed."""
        self.aws.advance(seconds)
        return self.told(alarm, state)

    def told(self, alarm: str, state: str) -> Json | None:
        """What the topic was told of an alarm that went into a state."""
        queue = {"QueueUrl": self._queue}
        while received := self._sqs.receive_message(**queue, MaxNumberOfMessages=10).get("Messages", []):
            self.messages += [json.loads(message["Body"]) for message in received]
            for message in received:
                self._sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
        wanted = (self.names[alarm], state)
        return next((each for each in self.messages if (each["AlarmName"], each["NewStateValue"]) == wanted), None)


@pytest.fixture(scope="module")
def system(still_aws: LocalAws) -> System:
    aws = still_aws
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    stack = Monitored(app(), STACK)
    assert deploy(aws, stack) == []
    return System(aws, outputs_of(aws, stack))


def test_mail_that_arrives_alarms_nobody(system: System) -> None:
    for _ in range(4):
        system.send()
        system.aws.advance(8 * MINUTES)

    def states() -> dict[str, str]:
        return {name: system.state(name) for name in system.names}

    def silent() -> set[str]:
        return {name for name, state in states().items() if state == "INSUFFICIENT_DATA"}

    assert silent() == {"accountbouncerate", "accountcomplaintrate", "bouncerate", "complaintrate"}
    assert "ALARM" not in states().values()


def test_a_bounce_storm_is_told_and_its_end(system: System) -> None:
    system.plant("Reputation.BounceRate", 0.06)
    told = system.told_after(5 * MINUTES, "accountbouncerate", "ALARM")
    assert told and "AWS reviews an account when 5 % of all its mail bounces" in told["AlarmDescription"]
    assert system.state("accountbouncerate") == "ALARM"
    assert system.state("bouncerate") == "INSUFFICIENT_DATA"  # nobody said anything of this set
    system.aws.advance(20 * MINUTES)  # without data the state is kept
    assert system.state("accountbouncerate") == "ALARM"
    system.plant("Reputation.BounceRate", 0.01)
    assert system.told_after(5 * MINUTES, "accountbouncerate", "OK")


def test_a_campaign_over_its_threshold_is_told(system: System) -> None:
    for _ in range(3):
        system.send(campaign="spring")
    assert system.told_after(5 * MINUTES, "MuchSpring", "ALARM")


def test_a_campaign_that_bounces_is_told_once_there_is_mail_enough(system: System) -> None:
    for _ in range(3):
        system.send_to("bounce@simulator.amazonses.com", HELLO, campaign="autumn")
    system.aws.advance(5 * MINUTES)
    assert system.state("AutumnBounces") == "OK"
    system.send_to("success@simulator.amazonses.com", HELLO, campaign="autumn")
    assert system.told_after(5 * MINUTES, "AutumnBounces", "ALARM")


def test_mail_that_ses_does_not_send_is_told(system: System) -> None:
    template = {"TemplateName": "watched", "SubjectPart": "Hello", "TextPart": "Hello {{name}}"}
    system.aws.client("ses").create_template(Template=template)
    recipient = f"recipient@{DOMAIN}"
    system.send_to(recipient, {"Simple": {**HELLO["Simple"], "Body": {"Text": {"Data": VIRUS}}}}, campaign="watched")
    system.send_to(recipient, {"Template": {"TemplateName": "watched", "TemplateData": "{}"}}, campaign="watched")
    assert system.told_after(5 * MINUTES, "rejects", "ALARM")
    assert system.told_after(5 * MINUTES, "renderingfailures", "ALARM")


def test_an_archive_that_ses_may_not_fill_is_told(system: System) -> None:
    with without_action(system.aws, system.ses_role, "firehose:PutRecordBatch"):
        for _ in range(8):
            system.send()
            system.aws.advance(10 * MINUTES)
    told = system.told("silentarchive", "ALARM")
    assert told and "the role it names (trust and firehose:PutRecordBatch" in told["AlarmDescription"]


def test_a_bucket_that_refuses_is_told_twice(system: System) -> None:
    with without_action(system.aws, system.stream.role, "s3:PutObject"):
        system.send()
        assert system.told_after(40 * MINUTES, "deliverysuccess", "ALARM")
        assert system.told_after(40 * MINUTES, "datafreshness", "ALARM")
        system.messages.clear()  # those of their first state, too
    assert system.told_after(40 * MINUTES, "deliverysuccess", "OK")
    assert system.told_after(40 * MINUTES, "datafreshness", "OK")


def test_a_topic_that_lets_nobody_in_is_named_in_the_history(system: System) -> None:
    sns, alarm = system.aws.client("sns"), system.names["throttled"]
    topic = system.topic
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    [deny] = [each for each in json.loads(policy)["Statement"] if each["Effect"] == "Deny"]
    closed = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    for wanted, change in (("Failed to execute", closed), ("Successfully executed", policy)):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=change)
        system.set_state(alarm, "OK")
        system.set_state(alarm, "ALARM")
        assert wanted in system.action_of(alarm)


def test_the_dashboard_is_deployed(system: System) -> None:
    cloudwatch = system.aws.client("cloudwatch")
    [name] = [
        entry["DashboardName"]
        for entry in cloudwatch.list_dashboards()["DashboardEntries"]
        if entry["DashboardName"].startswith(STACK)
    ]
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    listed = [arn for each in body["widgets"] if each["type"] == "alarm" for arn in each["properties"]["alarms"]]
    assert sorted(arn.rpartition(":")[2] for arn in listed) == sorted(system.names.values())
