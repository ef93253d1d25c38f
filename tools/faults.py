"""A stack with every part, on a local AWS whose time is moved, and what can go wrong with it: planted and repaired."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from local_aws import LocalAws
from local_aws.demo import DOMAIN
from local_aws.firehose.buffering import Quota
from ses_events import (
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    SnsDestination,
)
from ses_events.stack import CAMPAIGN
from tests.local_aws.support.deployed import app, deploy, event_destinations, outputs_of, ses_role, without_action

Json = dict[str, Any]

MINUTE, HOUR = 60, 3600
METRIC_DELAY = 2 * MINUTE
"""How late metrics are; AWS promises no time."""


class Everything(cdk.Stack):
    """What the reference stack has, with a KMS key, a topic, and a rule of EventBridge beside."""

    def __init__(self, scope: Construct, construct_id: str, *, buffering_minutes: int = 5) -> None:
        super().__init__(scope, construct_id)
        key = kms.Key(self, "Key")
        archive = EventArchive(
            self,
            "Archive",
            encryption_key=key,
            buffering_interval=cdk.Duration.minutes(buffering_minutes),
        )
        publishing = EventPublishing(self, "Publishing", reputation_metrics=True)
        topic = sns.Topic(self, "Topic")
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
        publishing.add_destination("ToMetrics", CloudWatchDestination([CAMPAIGN]))
        publishing.add_destination("ToTopic", SnsDestination(topic))
        publishing.add_destination("ToBus", EventBridgeDestination())
        queue = sqs.Queue(self, "Queue")
        rule = events.Rule(self, "Rule", event_pattern=events.EventPattern(source=["aws.ses"]))
        rule.add_target(targets.SqsQueue(queue))
        analytics = EventAnalytics(self, "Analytics", archive=archive)
        monitoring = EventMonitoring(self, "Monitoring", publishing=publishing, archive=archive, analytics=analytics)
        outputs = {
            "ConfigurationSet": publishing.configuration_set_name,
            "DeliveryStream": archive.delivery_stream.ref,
            "Bucket": archive.bucket.bucket_name,
            "Results": analytics.results_bucket.bucket_name,
            "KeyId": key.key_id,
            "TopicArn": topic.topic_arn,
            "RuleName": rule.rule_name,
        }
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)
        for name, alarm in monitoring.alarms.items():
            cdk.CfnOutput(self, f"Alarm{name.replace('_', '0')}", value=alarm.alarm_name)


@dataclass
class System:
    """The deployed stack. Its time is moved by ``pass_time`` alone, which notes when alarms ring."""

    aws: LocalAws
    passed: float = 0
    """Seconds of AWS since it was deployed."""
    rang: list[tuple[str, float, float | None]] = field(default_factory=list)
    """Alarms with when each began to ring, and when it ended."""

    def __post_init__(self) -> None:
        self.aws.client("ses").verify_domain_identity(Domain=DOMAIN)
        template = {"TemplateName": "hello", "SubjectPart": "Hello", "TextPart": "Hello {{name}}"}
        self.aws.client("ses").create_template(Template=template)
        self.update(5)
        self._cloudwatch = self.aws.client("cloudwatch")

    def update(self, buffering_minutes: int) -> None:
        """Deploy the stack, or change it."""
        stack = Everything(app(), "Everything", buffering_minutes=buffering_minutes)
        failures = deploy(self.aws, stack)
        if failures:
            raise RuntimeError("\n".join(failures))
        self.outputs = outputs_of(self.aws, stack)
        self.alarms = {
            value: name.removeprefix("Alarm").replace("0", "_")
            for name, value in self.outputs.items()
            if name.startswith("Alarm")
        }
        """The alarms: the attribute of ``EventMonitoring`` by the name that CloudFormation gave."""

    @property
    def configuration_set(self) -> str:
        return self.outputs["ConfigurationSet"]

    @property
    def ses_role(self) -> str:
        return ses_role(self.aws, self.configuration_set).rpartition("/")[2]

    @property
    def stream(self) -> Json:
        described = self.aws.client("firehose").describe_delivery_stream(
            DeliveryStreamName=self.outputs["DeliveryStream"]
        )
        [destination] = described["DeliveryStreamDescription"]["Destinations"]
        to_s3: Json = destination["ExtendedS3DestinationDescription"]
        return to_s3

    @property
    def delivery_role(self) -> str:
        return str(self.stream["RoleARN"]).rpartition("/")[2]

    def pass_time(self, seconds: float, step: float = MINUTE) -> None:
        """Let time pass, and look at the alarms at each step."""
        end = self.passed + seconds
        while self.passed < end:
            pause = min(step, end - self.passed)
            self.aws.advance(pause)
            self.passed += pause
            ringing = self.ringing()
            for at, (name, since, until) in enumerate(self.rang):
                if until is None and name not in ringing:
                    self.rang[at] = (name, since, self.passed)
            known = {name for name, _, until in self.rang if until is None}
            self.rang += [(name, self.passed, None) for name in sorted(ringing - known)]

    def ringing(self) -> set[str]:
        """The alarms that ring now."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(StateValue="ALARM")
        found = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
        return {self.alarms[name] for name in found if name in self.alarms}


@contextlib.contextmanager
def started() -> Iterator[System]:
    """A local AWS with the deployed system."""
    with LocalAws(speed=1, metric_delay=METRIC_DELAY) as aws:
        yield System(aws)


Fault = Callable[[System], contextlib.AbstractContextManager[None]]
"""Plants something that goes wrong, and repairs it at the end of the context."""


@contextlib.contextmanager
def bucket_denies(system: System, output: str = "Bucket") -> Iterator[None]:
    s3, bucket = system.aws.client("s3"), system.outputs[output]
    before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    policy = json.loads(before)
    policy["Statement"].append(
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    yield
    s3.put_bucket_policy(Bucket=bucket, Policy=before)


@contextlib.contextmanager
def key_disabled(system: System) -> Iterator[None]:
    client = system.aws.client("kms")
    client.disable_key(KeyId=system.outputs["KeyId"])
    yield
    client.enable_key(KeyId=system.outputs["KeyId"])


@contextlib.contextmanager
def key_to_be_deleted(system: System) -> Iterator[None]:
    client = system.aws.client("kms")
    client.schedule_key_deletion(KeyId=system.outputs["KeyId"])
    yield
    client.cancel_key_deletion(KeyId=system.outputs["KeyId"])
    client.enable_key(KeyId=system.outputs["KeyId"])


@contextlib.contextmanager
def key_denied(system: System) -> Iterator[None]:
    client, key = system.aws.client("kms"), system.outputs["KeyId"]
    before = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    policy = json.loads(before)
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"})
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    yield
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=before)


@contextlib.contextmanager
def trust_broken(system: System) -> Iterator[None]:
    with _without_trust(system, system.ses_role):
        yield


@contextlib.contextmanager
def delivery_trust_broken(system: System) -> Iterator[None]:
    with _without_trust(system, system.delivery_role):
        yield


@contextlib.contextmanager
def _without_trust(system: System, role: str) -> Iterator[None]:
    iam = system.aws.client("iam")
    before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    nobody = {"Effect": "Deny", "Principal": {"Service": "*"}, "Action": "sts:AssumeRole"}
    broken = json.dumps({**before, "Statement": [nobody]})
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=broken)
    yield
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))


def without(action: str, of: str) -> Fault:
    """One of the roles, ``ses_role`` or ``delivery_role``, lost an action."""
    return lambda system: without_action(system.aws, getattr(system, of), action)


def destination_disabled(kind: str, what: str = "") -> Fault:
    """The event destination of a kind, with these words in its settings, was switched off by hand."""

    @contextlib.contextmanager
    def plant(system: System) -> Iterator[None]:
        of_the_set = event_destinations(system.aws, system.configuration_set)
        [destination] = [each for each in of_the_set if kind in each and what in json.dumps(each[kind])]
        name = destination.pop("Name")
        given = {"ConfigurationSetName": system.configuration_set, "EventDestinationName": name}
        ses = system.aws.client("sesv2")
        ses.update_configuration_set_event_destination(**given, EventDestination={**destination, "Enabled": False})
        yield
        ses.update_configuration_set_event_destination(**given, EventDestination=destination)

    return plant


def quota(**values: float) -> Fault:
    """The stream's quota of a second is too small for the mail."""

    @contextlib.contextmanager
    def plant(system: System) -> Iterator[None]:
        system.aws.set_quota(**values)
        yield
        system.aws.set_quota(**asdict(Quota()))

    return plant


@contextlib.contextmanager
def topic_closed(system: System) -> Iterator[None]:
    client, topic = system.aws.client("sns"), system.outputs["TopicArn"]
    before = client.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    nobody = {**json.loads(before), "Statement": []}
    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(nobody))
    yield
    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=before)


@contextlib.contextmanager
def rule_disabled(system: System) -> Iterator[None]:
    client = system.aws.client("events")
    client.disable_rule(Name=system.outputs["RuleName"])
    yield
    client.enable_rule(Name=system.outputs["RuleName"])


@contextlib.contextmanager
def stream_deleted(system: System) -> Iterator[None]:
    system.aws.client("firehose").delete_delivery_stream(DeliveryStreamName=system.outputs["DeliveryStream"])
    yield  # nothing puts it back but a deployment


@contextlib.contextmanager
def destination_deleted(system: System) -> Iterator[None]:
    """Nothing puts it back but a deployment that changes it."""
    kind = "KinesisFirehoseDestination"
    [destination] = [each for each in event_destinations(system.aws, system.configuration_set) if kind in each]
    system.aws.client("sesv2").delete_configuration_set_event_destination(
        ConfigurationSetName=system.configuration_set, EventDestinationName=destination["Name"]
    )
    yield


def reputation(metric: str, value: float) -> Fault:
    """SES publishes a rate of the account, which the local one does not reckon: it is planted."""

    @contextlib.contextmanager
    def plant(system: System) -> Iterator[None]:
        data = [{"MetricName": metric, "Value": value, "Unit": "None"}]
        system.aws.client("cloudwatch").put_metric_data(Namespace="AWS/SES", MetricData=data)
        yield

    return plant


@contextlib.contextmanager
def nothing(system: System) -> Iterator[None]:
    """All is well with the system: the fault is in the mail, or there is none."""
    yield


def results_denied(system: System) -> contextlib.AbstractContextManager[None]:
    return bucket_denies(system, "Results")
