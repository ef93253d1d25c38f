"""docs/operations.md, the alarms and the saved queries agree: whoever reads of an alarm at night gets somewhere."""

from __future__ import annotations

import re

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from ses_events import (
    EventAnalytics,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
)
from ses_events.analytics.queries import named_queries, prepared_statements
from tests.support.templates import ROOT, logical_id, new_app, resources, synthesize

PAGE = (ROOT / "docs/operations.md").read_text()
SECTIONS = dict(re.findall(r"^### `(\w+)`\n\n(.*?)\n\n(?=#)", PAGE, re.MULTILINE | re.DOTALL))
"""What the page says of each alarm, by its name."""

COMMAND = re.compile(r"ses-events \w+[^;`.]* --stack\s\w+")


@pytest.fixture(scope="module")
def descriptions() -> dict[str, str]:
    """The description of every alarm there is, by its name, in a stack called as that of the page."""
    stack = cdk.Stack(new_app(), "SesEvents")
    archive = EventArchive(stack, "Archive", encryption_key=kms.Key(stack, "Key"), format=ParquetFormat())
    publishing = EventPublishing(stack, "Publishing", reputation_metrics=True)
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    monitoring = EventMonitoring(
        stack, "Monitoring", publishing=publishing, archive=archive, analytics=analytics, dashboard=False
    )
    made = resources(synthesize(stack), "AWS::CloudWatch::Alarm")
    return {
        name: str(made[logical_id(alarm.node.default_child)]["Properties"]["AlarmDescription"])
        for name, alarm in monitoring.alarms.items()
    }


def test_every_alarm_has_a_section_and_every_section_an_alarm(descriptions: dict[str, str]) -> None:
    assert list(SECTIONS) == list(EventMonitoring.__annotations__)
    assert descriptions.keys() == SECTIONS.keys()


def test_a_section_says_what_an_alarm_means_what_to_look_at_and_what_to_do() -> None:
    paragraphs = {name: [text[:8] for text in section.split("\n\n")] for name, section in SECTIONS.items()}
    assert {name: starts for name, starts in paragraphs.items() if starts[1:] != ["**Look:*", "**Do:** "]} == {}


def test_a_description_ends_with_the_link_to_its_section(descriptions: dict[str, str]) -> None:
    # A heading is its own fragment on GitHub, in lower case and without the marks of code.
    assert {name for name, text in descriptions.items() if f" Runbook: docs/operations.md#{name}" not in text} == set()


def test_the_command_of_a_description_is_in_its_section(descriptions: dict[str, str]) -> None:
    commands = {name: COMMAND.findall(text) for name, text in descriptions.items()}
    sections = {name: " ".join(text.split()) for name, text in SECTIONS.items()}
    missing = [command for name, found in commands.items() for command in found if f"`{command}`" not in sections[name]]
    assert missing == []
    none = {"bytes_near_quota", "records_near_quota", "put_requests_near_quota", "failed_conversion"}
    assert {name for name, found in commands.items() if not found} == none


def test_every_query_of_page_and_descriptions_exists(descriptions: dict[str, str]) -> None:
    known = {each.name for ask in (named_queries, prepared_statements) for each in ask("db", "events", "campaign")}
    named = set(re.findall(r"ses-events query (\w+)", " ".join([*PAGE.split(), *descriptions.values()])))
    assert named and named <= known
