"""docs/security.md has every action that a template allows, where it says, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns

from ses_events import (
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
from ses_events.stack import CAMPAIGN
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, Json, new_app, synthesize

PAGE = (ROOT / "docs/security.md").read_text()
SECTIONS = {
    "The role for SES": ["Events/SesRole", "Archive/SesRole"],
    "The role for Firehose": ["Archive/Role", "Abroad/Role"],
    "The policies of buckets": [
        "Archive/Bucket/Policy",
        "Analytics/Results/Policy",
        "Logged/Bucket/Policy",
        "Logs/Policy",
    ],
    "The policies of a topic of events and its key": ["Topic/Policy", "TopicKey"],
    "The policies of a topic of alarms and its key": ["OnCall/Policy", "OnCallKey"],
    "`publishing.grant_send(grantee, identity, templates=…)`": ["Sender/DefaultPolicy"],
    "`archive.grant_read(grantee)`": ["Reader/DefaultPolicy"],
    "`analytics.grant_query(grantee)`": ["Analyst/DefaultPolicy"],
}
"""Whose statements each table is about."""

KEYS = {"Key", "TopicKey", "OnCallKey"}
OF_THE_USER = {**{key: {"kms:*"} for key in KEYS}, "Logged/Role": None}
"""What CDK gives the owner of a key; and a second archive's role, which has less than the first one's."""


@pytest.fixture(scope="module")
def statements() -> dict[str, list[Json]]:
    """The statements of a stack with everything on, by the path of the resource."""
    stack = cdk.Stack(
        new_app(**RECOMMENDED_FLAGS), "Mail", env=cdk.Environment(account="111122223333", region="us-east-1")
    )
    key, topic_key, on_call_key = (
        kms.Key(stack, name, enable_key_rotation=True) for name in ("Key", "TopicKey", "OnCallKey")
    )
    archive = EventArchive(stack, "Archive", encryption_key=key, format=ParquetFormat())
    EventArchive(stack, "Logged", server_access_logs_bucket=s3.Bucket(stack, "Logs"))
    abroad = s3.Bucket.from_bucket_attributes(stack, "There", bucket_name="mail-archive", account="444455556666")
    EventArchive(stack, "Abroad", bucket=abroad)
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    publishing.add_destination("ToShared", FirehoseDestination.with_shared_role(archive))
    publishing.add_destination("ToTopic", SnsDestination(sns.Topic(stack, "Topic", master_key=topic_key)))
    publishing.add_destination("ToBus", EventBridgeDestination())
    publishing.add_destination("ToMetrics", CloudWatchDestination([CAMPAIGN]))
    sender, reader, analyst = (iam.User(stack, name) for name in ("Sender", "Reader", "Analyst"))
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    publishing.grant_send(sender, identity, templates=["welcome"])
    archive.grant_read(reader)
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    analytics.grant_query(analyst)
    on_call = sns.Topic(stack, "OnCall", master_key=on_call_key)
    EventMonitoring(
        stack, "Monitoring", publishing=publishing, archive=archive, alarm_actions=[on_call], dashboard=False
    )
    template = synthesize(stack)
    return {
        construct.node.path.partition("/")[2].removesuffix("/Resource"): list(
            _statements(template["Resources"][stack.get_logical_id(construct)].get("Properties", {}))
        )
        for construct in stack.node.find_all()
        if isinstance(construct, cdk.CfnResource)
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_each_table_has_the_actions_of_its_policies(section: str, statements: dict[str, list[Json]]) -> None:
    allowed = {path: _actions(statements[path]) - (OF_THE_USER.get(path) or set()) for path in SECTIONS[section]}
    assert set(_first_column(section)) == set().union(*allowed.values())
    assert len(_first_column(section)) == len(set(_first_column(section)))


def test_no_policy_is_left_out(statements: dict[str, list[Json]]) -> None:
    with_actions = {path for path, found in statements.items() if _actions(found)}
    assert with_actions - {path for paths in SECTIONS.values() for path in paths} == {"Key", "Logged/Role"}
    assert _actions(statements["Logged/Role"]) <= set(_first_column("The role for Firehose"))


def test_the_conditions_are_those_of_the_policies(statements: dict[str, list[Json]]) -> None:
    conditions = {
        key
        for found in statements.values()
        for statement in found
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }
    assert set(_first_column("Conditions")) == conditions


def test_every_service_acts_under_a_condition(statements: dict[str, list[Json]]) -> None:
    for_services = [
        statement
        for found in statements.values()
        for statement in found
        if "Service" in json.dumps(statement.get("Principal", ""))
    ]
    assert for_services and not [statement for statement in for_services if "Condition" not in statement]


def test_no_statement_is_about_all_resources_or_actions(statements: dict[str, list[Json]]) -> None:
    for path, found in statements.items():
        for statement in found:
            if statement["Effect"] == "Allow" and path not in KEYS:
                assert "*" not in _list(statement.get("Resource", []))
                assert not [action for action in _list(statement["Action"]) if "*" in action]


def test_the_acknowledged_findings_are_those_of_the_code() -> None:
    code = "".join(path.read_text() for path in (ROOT / "ses_events").rglob("*.py"))
    in_code = re.findall(r'id=f?"(AwsSolutions-\w+)', code)
    assert sorted(_first_column("What is acknowledged")) == sorted(in_code)


def _first_column(section: str) -> list[str]:
    (text,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def _statements(properties: Json) -> Iterator[Json]:
    """Every statement in the properties of a resource, wherever it is."""
    for value in properties.values():
        yield from _in(value)


def _in(value: Any) -> Iterator[Json]:
    match value:
        case {"Statement": list(found)}:
            yield from found
        case dict():
            yield from _statements(value)
        case list():
            for child in value:
                yield from _in(child)


def _actions(found: Iterable[Json]) -> set[str]:
    return {action for statement in found for action in _list(statement["Action"])} - {"sts:AssumeRole"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
