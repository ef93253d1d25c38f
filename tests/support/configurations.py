"""Any configuration of the constructs from a list of choices: the app it makes, and what must be true of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct

from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
    SnsDestination,
)
from tests.support.templates import DELIVER, READ_SCHEMA, Json, actions, inline_actions, order_of_creation, waits_for

CHOICES: dict[str, list[str]] = {
    "placement": ["one stack", "archive in another stack", "publishing nested", "archive nested"],
    "sets": ["one", "three"],
    "set": ["new", "named", "all options", "imported", "of the app"],
    "stream": ["archive", "imported"],
    "role": ["of the set", "shared", "of the user", "imported"],
    "bucket": ["new", "logged", "destroyed", "of the user", "imported", "of the user with a key"],
    "key": ["none", "of the user"],
    "log group": ["new", "of the user"],
    "stream name": ["derived", "given"],
    "prefix": ["default", "plain", "without slash", "of the week-year", "from a parameter"],
    "buffering": ["default", "least", "most"],
    "format": ["json", "parquet"],
    "analytics": ["none", "queried", "results of the user"],
    "topic": ["none", "plain", "encrypted", "imported", "imported key", "of another stack"],
    "bus": ["none", "default"],
    "dimensions": ["none", "one", "ten", "without end", "link tag"],
    "events": ["untouched mail", "all", "bounces"],
    "enabled": ["yes", "no"],
    "monitoring": ["none", "all"],
    "flags": ["recommended", "none"],
}
"""What can be chosen; the first of each list is the default."""

PREFIXES = {"plain": "mail/", "without slash": "ses", "of the week-year": "mail/!{timestamp:YYYY/MM/dd}/"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
EVENTS = {
    "untouched mail": UNTOUCHED_MAIL,
    "all": tuple(ses.EmailSendingEvent),
    "bounces": (ses.EmailSendingEvent.BOUNCE,),
}


@dataclass
class Configuration:
    """An app made from choices."""

    chosen: dict[str, str]
    app: cdk.App
    stack: cdk.Stack = field(init=False)
    archive: EventArchive | None = None

    def __post_init__(self) -> None:
        chosen = self.chosen
        self.stack = cdk.Stack(self.app, "Mail")
        publishing: Construct = self.stack
        if chosen["placement"] == "publishing nested":
            publishing = cdk.NestedStack(self.stack, "Publishing")
        to_stream = self._firehose(publishing)
        others = list(self._other_destinations())
        for number in range(3 if chosen["sets"] == "three" else 1):
            events = EVENTS[chosen["events"]]
            made = EventPublishing(publishing, f"Set{number}", **self._set_options(publishing, number))
            made.add_destination("ToStream", to_stream, events=events, enabled=chosen["enabled"] == "yes")
            for construct_id, destination in others:
                made.add_destination(construct_id, destination, events=events, name=construct_id)
            if chosen["monitoring"] == "all":
                of_all = number == 0
                EventMonitoring(
                    self.stack,
                    f"Monitoring{number}",
                    publishing=made,
                    archive=self.archive if of_all else None,
                    account_reputation=of_all,
                    dashboard=of_all,
                )

    def _set_options(self, scope: Construct, number: int) -> dict[str, Any]:
        match self.chosen["set"]:
            case "named":
                return {"configuration_set_name": f"set-{number}"}
            case "all options":
                made = ses.ConfigurationSet(
                    scope,
                    f"Options{number}",
                    configuration_set_name=f"set-{number}",
                    auto_validation_threshold=ses.AutoValidationThreshold.HIGH,
                    custom_tracking_https_policy=ses.HttpsPolicy.REQUIRE,
                    custom_tracking_redirect_domain="click.example.com",
                    dedicated_ip_pool=ses.DedicatedIpPool(scope, f"Pool{number}"),
                    max_delivery_duration=cdk.Duration.hours(1),
                    reputation_metrics=True,
                    sending_enabled=False,
                    suppression_reasons=ses.SuppressionReasons.BOUNCES_ONLY,
                    tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
                    vdm_options=ses.VdmOptions(engagement_metrics=True, optimized_shared_delivery=False),
                )
                return {"configuration_set": made}
            case "imported":
                name = f"imported-{number}"
                return {"configuration_set": ses.ConfigurationSet.from_configuration_set_name(scope, name, name)}
            case "of the app":
                return {"configuration_set": ses.ConfigurationSet(scope, f"There{number}")}
        return {}

    def _firehose(self, publishing: Construct) -> FirehoseDestination:
        stream: Any = (
            firehose.DeliveryStream.from_delivery_stream_name(publishing, "Stream", "events")
            if self.chosen["stream"] == "imported"
            else self._new_archive()
        )
        match self.chosen["role"]:
            case "shared" if self.archive:
                return FirehoseDestination.with_shared_role(self.archive)
            case "of the user":
                only_here = {"StringEquals": {"aws:SourceAccount": self.stack.account}}
                trusted = iam.ServicePrincipal("ses.amazonaws.com", conditions=only_here)
                return FirehoseDestination(stream, role=iam.Role(publishing, "Role", assumed_by=trusted))
            case "imported":
                role = iam.Role.from_role_arn(publishing, "Role", "arn:aws:iam::111122223333:role/ses")
                return FirehoseDestination(stream, role=role)
        return FirehoseDestination(stream)

    def _new_archive(self) -> EventArchive:
        chosen, scope = self.chosen, self.stack
        if chosen["placement"] == "archive in another stack":
            scope = cdk.Stack(self.app, "Archives")
        if chosen["placement"] == "archive nested":
            scope = cdk.NestedStack(self.stack, "Archives")
        options: dict[str, Any] = {}
        match chosen["bucket"]:
            case "logged":
                options["server_access_logs_bucket"] = _bucket(scope, "Access")
            case "destroyed":
                options["removal_policy"] = cdk.RemovalPolicy.DESTROY
            case "of the user":
                options["bucket"] = _bucket(scope, "Bucket")
            case "imported":
                options["bucket"] = s3.Bucket.from_bucket_name(scope, "Bucket", "mail-archive")
            case "of the user with a key":
                key = kms.Key(scope, "BucketKey", enable_key_rotation=True)
                options["bucket"] = _bucket(scope, "Bucket", key)
        if "bucket" not in options and chosen["buffering"] == "most":
            options["expiration"] = cdk.Duration.days(400)
        if chosen["key"] == "of the user":
            options["encryption_key"] = kms.Key(scope, "Key", enable_key_rotation=True)
        if chosen["log group"] == "of the user":
            options["log_group"] = logs.LogGroup(scope, "Errors")
        if chosen["stream name"] == "given":
            options["delivery_stream_name"] = "mail.events"
        if chosen["prefix"] == "from a parameter":
            options["prefix"] = cdk.CfnParameter(cdk.Stack.of(scope), "Prefix", default="mail/").value_as_string
        elif chosen["prefix"] in PREFIXES:
            options["prefix"] = PREFIXES[chosen["prefix"]]
        if chosen["buffering"] != "default":
            least = chosen["buffering"] == "least"
            options["buffering_interval"] = cdk.Duration.seconds(0 if least else 900)
            smallest = 64 if chosen["format"] == "parquet" else 1
            options["buffering_size"] = cdk.Size.mebibytes(smallest if least else 128)
        if chosen["format"] == "parquet":
            options["format"] = ParquetFormat()
        self.archive = EventArchive(scope, "Archive", **options)
        self._new_analytics(scope, self.archive)
        return self.archive

    def _new_analytics(self, scope: Construct, archive: EventArchive) -> None:
        chosen = self.chosen
        a_folder_for_each_day = chosen["format"] == "parquet" or chosen["prefix"] in (
            "default",
            "plain",
            "without slash",
        )
        if chosen["analytics"] == "none" or not a_folder_for_each_day:
            return
        results = _bucket(scope, "Results") if chosen["analytics"] == "results of the user" else None
        analyst = iam.Role(scope, "Analyst", assumed_by=iam.AccountPrincipal("444455556666").with_conditions(MFA))
        EventAnalytics(scope, "Analytics", archive=archive, results_bucket=results).grant_query(analyst)

    def _other_destinations(self) -> Iterator[tuple[str, Any]]:
        topic = self._topic()
        if topic:
            yield "ToTopic", SnsDestination(topic)
        if self.chosen["bus"] == "default":
            yield "ToBus", EventBridgeDestination()
        source, names = ses.CloudWatchDimensionSource.MESSAGE_TAG, list[str]()
        match self.chosen["dimensions"]:
            case "one":
                names = ["campaign"]
            case "ten":
                names = [f"tag-{number}" for number in range(10)]
            case "without end":
                names = ["ses:source-ip"]
            case "link tag":
                source, names = ses.CloudWatchDimensionSource.LINK_TAG, ["position"]
        if names:
            yield (
                "ToMetrics",
                CloudWatchDestination(
                    [ses.CloudWatchDimension(name=name, default_value="none", source=source) for name in names]
                ),
            )

    def _topic(self) -> sns.ITopic | None:
        chosen, scope = self.chosen["topic"], self.stack
        key: kms.IKey | None = None
        match chosen:
            case "none":
                return None
            case "imported":
                return sns.Topic.from_topic_arn(scope, "Topic", "arn:aws:sns:us-east-1:111122223333:events")
            case "of another stack":
                scope = cdk.Stack(self.app, "Topics")
            case "encrypted":
                key = kms.Key(scope, "TopicKey", enable_key_rotation=True)
            case "imported key":
                key = kms.Key.from_key_arn(scope, "TopicKey", "arn:aws:kms:us-east-1:111122223333:key/1")
        return sns.Topic(scope, "Topic", master_key=key, enforce_ssl=True)

    def advised(self) -> set[str]:
        """The warnings that these choices deserve."""
        chosen, expected = self.chosen, set[str]()
        if self.archive:
            expected |= {
                warning
                for choice, warning in {
                    ("bucket", "destroyed"): "bucket-not-emptied",
                    ("prefix", "without slash"): "prefix-without-slash",
                    ("prefix", "of the week-year"): "prefix-week-year",
                }.items()
                if chosen[choice[0]] == choice[1]
            }
            if chosen["enabled"] == "no" and chosen["monitoring"] == "all":
                expected.add("archive-not-compared")
            if chosen["bucket"] == "imported":
                expected.add("imported-bucket")
            if chosen["prefix"] == "without slash" and chosen["bucket"] not in _NEW:
                expected.add("prefix-reaches-neighbours")
            if chosen["prefix"] == "from a parameter" and chosen["bucket"] not in _NEW:
                expected.add("prefix-opens-bucket")
        shared = chosen["role"] == "shared" and self.archive
        if chosen["role"] == "imported":
            expected.add("imported-role")
        if not shared and (chosen["placement"] != "one stack" or not self.archive):
            expected.add("order-not-guaranteed")
        if chosen["topic"] == "imported":
            expected.add("topic-not-editable")
        if chosen["topic"] == "imported key":
            expected.add("key-not-editable")
        if chosen["dimensions"] == "without end":
            expected.add("endless-dimension")
        if chosen["dimensions"] == "link tag" and chosen["events"] != "all":
            expected.add("link-tag-without-click")
        return {f"ses-events:{warning}" for warning in expected}


def check(configuration: Configuration) -> None:
    """Synthesize a configuration, and see that every promise about the template holds."""
    folder = Path(configuration.app.synth().directory)
    templates = {path.name: json.loads(path.read_text()) for path in folder.glob("*.template.json")}
    assert _warnings(folder) == configuration.advised()
    for template in templates.values():
        order_of_creation(template)
        types = {resource["Type"] for resource in template["Resources"].values()}
        assert not [each for each in types if each.startswith(("AWS::Lambda", "Custom::"))]
        _check_actions(template, configuration)
    _check_order(templates, configuration)


def _warnings(folder: Path) -> set[str]:
    entries = [
        entry
        for path in folder.glob("*.metadata.json")
        for entries in json.loads(path.read_text()).values()
        for entry in entries
    ]
    assert not [entry for entry in entries if entry["type"] == "aws:cdk:error"]
    texts = [str(entry["data"]) for entry in entries if entry["type"] == "aws:cdk:warning"]
    ids = {text.rpartition("[ack: ")[2].rstrip("]") for text in texts}
    return ids - {"@aws-cdk/core:crossStackReferencesDefaultStrong"}  # CDK's own, of an app without its flag


def _check_actions(template: Json, configuration: Configuration) -> None:
    """Exactly what each role needs, and every trust with a condition."""
    keyed = configuration.chosen["key"] == "of the user" and configuration.chosen["bucket"] in _NEW
    keyed = keyed or configuration.chosen["bucket"] == "of the user with a key"
    for role in _of_type(template, "AWS::IAM::Role"):
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]
        if trust["Principal"].get("Service") == "firehose.amazonaws.com":
            expected = DELIVER | ({"kms:Decrypt", "kms:GenerateDataKey"} if keyed else set())
            expected |= READ_SCHEMA if configuration.chosen["format"] == "parquet" else set()
            assert inline_actions(role) == expected
        elif "Policies" in role["Properties"]:
            assert inline_actions(role) == {"firehose:PutRecordBatch"}
    for policy in _of_type(template, "AWS::IAM::Policy"):
        if policy["Properties"]["PolicyName"].startswith("Analyst"):
            assert {each.partition(":")[0] for each in actions(policy["Properties"]["PolicyDocument"])} <= {
                "athena", "glue", "kms", "s3",
            }  # fmt: skip
            continue
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Action"] == "firehose:PutRecordBatch"


def _check_order(templates: dict[str, Json], configuration: Configuration) -> None:
    """Set, role or permission, stream, destination, where they are in one template."""
    for template in templates.values():
        paths = {body.get("Metadata", {}).get("aws:cdk:path", ""): name for name, body in template["Resources"].items()}
        stream = paths.get("Mail/Archive/DeliveryStream")
        for path, name in paths.items():
            if path.endswith("/Archive/Table/Table"):
                assert waits_for(template, paths[path.replace("Table/Table", "DeliveryStream")], name)
        for parent in {path.rpartition("/")[0] for path in paths if path.endswith("/ToStream")}:
            destinations = [paths[path] for path in paths if path.startswith(f"{parent}/To")]
            for earlier, later in itertools.pairwise(destinations):
                assert waits_for(template, later, earlier)
            roles = [name for path, name in paths.items() if "/SesRole" in path or "/SesPolicy" in path]
            permissions = [
                name
                for path, name in paths.items()
                if path.startswith((f"{parent}/SesRole", f"{parent}/SesPolicy", "Mail/Archive/SesRole"))
            ]
            for permission in permissions:
                assert waits_for(template, destinations[0], permission)
                assert not stream or waits_for(template, stream, permission)
            if stream:
                assert waits_for(template, destinations[0], stream)
                assert permissions
                delivers = paths["Mail/Archive/Role/Resource"]
                assert any(waits_for(template, stream, each) and waits_for(template, each, delivers) for each in roles)
            if f"{parent}/ToTopic" in paths and "Mail/Topic/Policy/Resource" in paths:
                assert waits_for(template, paths[f"{parent}/ToTopic"], paths["Mail/Topic/Policy/Resource"])


def _of_type(template: Json, resource_type: str) -> list[Json]:
    return [body for body in template.get("Resources", {}).values() if body["Type"] == resource_type]


def _bucket(scope: Construct, construct_id: str, key: kms.IKey | None = None) -> s3.Bucket:
    """A bucket of the user, who answers for it."""
    bucket = s3.Bucket(scope, construct_id, encryption_key=key, enforce_ssl=True, versioned=True)
    reason = cdk.Acknowledgment(id="AwsSolutions-S1", reason="the user's choice")
    cdk.Validations.of(bucket).acknowledge(reason)
    return bucket


_NEW = {"new", "logged", "destroyed"}
