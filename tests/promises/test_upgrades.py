"""An upgrade of the package takes nothing away from who has deployed it, and docs/upgrades.md says what else would."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses

from ses_events import (
    EventAnalytics,
    EventArchive,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
    SesEventsStack,
)
from tests.support.replacements import REPLACEABLE, Impact, Upgrade, impacts
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, Json, new_app, synthesize
from tools.releases import latest, today, version

KEPT = {path.name: json.loads(path.read_text()) for path in sorted(latest().iterdir())}
REFERENCE = "reference.SesEvents.template.json"
PAGE = (ROOT / "docs/upgrades.md").read_text()


class System(cdk.Stack):
    """An archive that is queried and a configuration set, with arguments for each; a function makes one in the stack.

    The argument ``id`` is the id of the construct, ``shared`` whether the destination has the archive's role.
    """

    def __init__(self, **arguments: dict[str, Any]) -> None:
        super().__init__(new_app(**RECOMMENDED_FLAGS), "Mail")
        given = {
            part: {name: value(self) if callable(value) else value for name, value in arguments.get(part, {}).items()}
            for part in ("archive", "publishing", "destination", "analytics")
        }
        archive = EventArchive(self, given["archive"].pop("id", "Archive"), **given["archive"])
        publishing = EventPublishing(self, given["publishing"].pop("id", "Publishing"), **given["publishing"])
        shared = given["destination"].pop("shared", False)
        publishing.add_destination(
            given["destination"].pop("id", "ToArchive"),
            FirehoseDestination.with_shared_role(archive) if shared else FirehoseDestination(archive),
            **given["destination"],
        )
        EventAnalytics(self, given["analytics"].pop("id", "Analytics"), archive=archive, **given["analytics"])


def _my_bucket(stack: cdk.Stack) -> s3.IBucket:
    return s3.Bucket.from_bucket_name(stack, "MyBucket", "mine")


def _my_set(stack: cdk.Stack) -> ses.IConfigurationSet:
    return ses.ConfigurationSet.from_configuration_set_name(stack, "MySet", "mine")


CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "the id of an `EventArchive`": {"archive": {"id": "Other"}},
    "`EventArchive(delivery_stream_name=…)`": {"archive": {"delivery_stream_name": "other"}},
    "`EventArchive(bucket=…)` instead of the new one": {"archive": {"bucket": _my_bucket}},
    "`EventArchive(log_group=…)` instead of the new one": {
        "archive": {"log_group": lambda stack: logs.LogGroup(stack, "MyLogGroup")}
    },
    "`EventArchive(format=ParquetFormat())`, with `EventAnalytics` over it": {"archive": {"format": ParquetFormat()}},
    "`EventArchive(encryption_key=…)`": {"archive": {"encryption_key": lambda stack: kms.Key(stack, "MyKey")}},
    "`EventArchive(prefix=…, error_output_prefix=…)`": {
        "archive": {
            "prefix": "mail/!{timestamp:yyyy-MM-dd}/",
            "error_output_prefix": "failed/!{firehose:error-output-type}/",
        }
    },
    "`EventArchive(buffering_interval=…, buffering_size=…)`": {
        "archive": {"buffering_interval": cdk.Duration.seconds(60), "buffering_size": cdk.Size.mebibytes(5)}
    },
    "`EventArchive(expiration=…)`": {"archive": {"expiration": cdk.Duration.days(90)}},
    "`EventArchive(removal_policy=DESTROY)`": {"archive": {"removal_policy": cdk.RemovalPolicy.DESTROY}},
    "the id of an `EventPublishing`": {"publishing": {"id": "Other"}},
    "`EventPublishing(configuration_set_name=…)`": {"publishing": {"configuration_set_name": "other"}},
    "`EventPublishing(configuration_set=…)` instead of the new one": {"publishing": {"configuration_set": _my_set}},
    "`EventPublishing(reputation_metrics=…)`": {"publishing": {"reputation_metrics": True}},
    "the id in `add_destination`": {"destination": {"id": "Other"}},
    "`add_destination(name=…)`": {"destination": {"name": "other"}},
    "`add_destination(events=…, enabled=…)`": {
        "destination": {"events": [ses.EmailSendingEvent.SEND], "enabled": False}
    },
    "`FirehoseDestination.with_shared_role(archive)` instead of a role for the set": {"destination": {"shared": True}},
    "the id of an `EventAnalytics`": {"analytics": {"id": "Other"}},
    "`EventAnalytics(results_bucket=…)` instead of the new one": {"analytics": {"results_bucket": _my_bucket}},
    "`EventAnalytics(dimension_name=…, bytes_scanned_cutoff=…)`": {
        "analytics": {"dimension_name": "brand", "bytes_scanned_cutoff": cdk.Size.gibibytes(1)}
    },
}
"""What a user may change in a stack that is deployed."""


def _renamed(template: Json, logical_id: str) -> Json:
    """As if the resource had had another id."""
    text = json.dumps(template).replace(f'"{logical_id}"', f'"{logical_id}Of2025"')
    return dict(json.loads(text))


def _changed(template: Json, change: Callable[[Json], object]) -> Json:
    changed = copy.deepcopy(template)
    change(changed["Resources"])
    return changed


@cache
def _reference(**settings: Any) -> SesEventsStack:
    return SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents", **settings)


BUCKET, STREAM, ALARM = "ArchiveBucket49F1AC64", "ArchiveDeliveryStreamEEE7D8E7", "MonitoringSilentArchive03967A15"
TO_ARCHIVE, TABLE, DATABASE = "PublishingToArchiveCB967898", "AnalyticsTable4A94F478", "AnalyticsTableDatabase7EE5AB90"

HARMFUL: dict[str, tuple[Callable[[Json], Json], set[Impact]]] = {
    "another id of the bucket": (
        lambda kept: _renamed(kept, BUCKET),
        {Impact("AWS::S3::Bucket", f"{BUCKET}Of2025", "orphan")},
    ),
    "another name of the stream": (
        lambda kept: _changed(kept, lambda of: of[STREAM]["Properties"].update(DeliveryStreamName="SesEvents2025")),
        {Impact("AWS::KinesisFirehose::DeliveryStream", STREAM, "replace")},
    ),
    "a part that is gone": (
        lambda kept: _changed(kept, lambda of: of.update(Inbox={"Type": "AWS::SQS::Queue"})),
        {Impact("AWS::SQS::Queue", "Inbox", "destroy")},
    ),
    "a name below the top of a property": (
        lambda kept: _changed(kept, lambda of: of[TO_ARCHIVE]["Properties"]["EventDestination"].update(Name="s3")),
        {Impact("AWS::SES::ConfigurationSetEventDestination", TO_ARCHIVE, "replace")},
    ),
    "another name of the database": (
        lambda kept: _changed(kept, lambda of: of[DATABASE]["Properties"]["DatabaseInput"].update(Name="ses")),
        {Impact("AWS::Glue::Database", DATABASE, "replace")},
    ),
    "another name of the table": (
        lambda kept: _changed(kept, lambda of: of[TABLE]["Properties"]["TableInput"].update(Name="mail")),
        {Impact("AWS::Glue::Table", TABLE, "replace")},
    ),
    "a stream that used to be retained": (
        lambda kept: _changed(kept, lambda of: of[STREAM].update(DeletionPolicy="Retain")),
        {Impact("AWS::KinesisFirehose::DeliveryStream", STREAM, "no longer retained")},
    ),
}
"""What an upgrade must not do: how the template of before differs from today's, and what is to be told."""

HARMLESS: dict[str, dict[str, Any]] = {
    "another lifecycle": {"expiration": cdk.Duration.days(30)},
    "alarms that tell somebody": {"alarm_topic_arn": "arn:aws:sns:us-east-1:111122223333:on-call"},
    "other folders": {"prefix": "mail/!{timestamp:yyyy-MM-dd}/", "buffering_interval": cdk.Duration.seconds(60)},
}
"""Settings of the reference stack that take nothing away."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Impact]]:
    """What every upgrade of these tests does, by one start of the CLI."""
    stacks = today()
    system = synthesize(System())
    upgrades = {
        **{name: Upgrade(stacks[name], kept) for name, kept in KEPT.items() if name in stacks},
        **{name: Upgrade(stacks[REFERENCE], before(KEPT[REFERENCE])) for name, (before, _) in HARMFUL.items()},
        **{name: Upgrade(_reference(**settings), KEPT[REFERENCE]) for name, settings in HARMLESS.items()},
        "a new alarm": Upgrade(stacks[REFERENCE], _changed(KEPT[REFERENCE], lambda of: of.pop(ALARM))),
        "without analytics": Upgrade(_reference(analytics=False), KEPT[REFERENCE]),
        "held ids": Upgrade(_renamed_with_held_ids(system), system),
        **{name: Upgrade(System(**change), system) for name, change in CHANGES.items()},
    }
    found = impacts(list(upgrades.values()), tmp_path_factory.mktemp("upgrades"))
    return {name: set(each) for name, each in zip(upgrades, found, strict=True)}


def test_the_templates_of_the_last_release_are_those_of_stacks_that_are_there() -> None:
    assert REFERENCE in KEPT
    assert set(KEPT) - set(today()) == set()


@pytest.mark.parametrize("name", KEPT)
def test_an_upgrade_from_the_last_release_takes_nothing_away(told: dict[str, set[Impact]], name: str) -> None:
    assert told[name] == set()


@pytest.mark.parametrize("name", HARMFUL)
def test_an_upgrade_that_takes_something_away_is_told(told: dict[str, set[Impact]], name: str) -> None:
    assert told[name] == HARMFUL[name][1]


def test_a_part_of_the_stack_that_goes_is_told(told: dict[str, set[Impact]]) -> None:
    assert {(each.kind, each.impact) for each in told["without analytics"]} == {
        ("AWS::Athena::WorkGroup", "destroy"),
        ("AWS::Glue::Database", "destroy"),
        ("AWS::Glue::Table", "destroy"),
        ("AWS::S3::Bucket", "orphan"),
    }


@pytest.mark.parametrize("name", HARMLESS)
def test_an_upgrade_that_takes_nothing_away_is_not_told(told: dict[str, set[Impact]], name: str) -> None:
    assert told[name] == set()


def test_a_new_alarm_is_not_told(told: dict[str, set[Impact]]) -> None:
    assert told["a new alarm"] == set()


@pytest.mark.parametrize("name", KEPT)
def test_every_output_of_the_last_release_is_there(name: str) -> None:
    assert set(KEPT[name].get("Outputs", {})) - set(synthesize(today()[name]).get("Outputs", {})) == set()


def test_a_renamed_archive_keeps_what_its_logical_ids_hold(told: dict[str, set[Impact]]) -> None:
    assert {each.kind for each in told["held ids"]} == {"AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::Logs::LogStream"}


def test_the_page_says_what_each_change_replaces(told: dict[str, set[Impact]]) -> None:
    rows = [f"| {change} | {_words(told[change])} |" for change in CHANGES]
    assert _table("Changing what is deployed") == rows


def test_the_page_lists_the_logical_id_of_everything_stateful() -> None:
    assert _table("Logical ids") == list(_contract())


def test_feature_flags_change_no_logical_id() -> None:
    without, with_flags = (
        {logical_id: body["Type"] for logical_id, body in synthesize(stack)["Resources"].items()}
        for stack in (SesEventsStack(new_app(), "SesEvents"), _reference())
    )
    assert without == with_flags


def test_the_page_names_what_may_be_replaced() -> None:
    [sentence] = re.findall(r"^These may be deleted and created again: (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(.+?)`", sentence)) == REPLACEABLE


def test_the_changelog_has_the_version() -> None:
    assert re.search(rf"^## \[{re.escape(version())}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def _renamed_with_held_ids(before: Json) -> System:
    name = before["Resources"][STREAM]["Properties"]["DeliveryStreamName"]
    stack = System(archive={"id": "Other", "delivery_stream_name": name})
    archive = stack.node.find_child("Other")
    assert isinstance(archive, EventArchive)
    bucket = archive.bucket.node.default_child
    assert isinstance(bucket, s3.CfnBucket)
    bucket.override_logical_id(BUCKET)
    archive.delivery_stream.override_logical_id(STREAM)
    return stack


def _contract() -> Iterator[str]:
    """A row for each stateful resource that the constructs make: path below the construct, type, and logical id."""
    stack = _reference()
    parquet = cdk.Stack(new_app(**RECOMMENDED_FLAGS), "SesEvents")
    shared = EventArchive(parquet, "Archive", format=ParquetFormat())
    FirehoseDestination.with_shared_role(shared)
    assert stack.analytics
    rows: dict[str, None] = {}
    for part in (stack.archive, shared, stack.publishing, stack.analytics):
        for resource in part.node.find_all():
            if isinstance(resource, cdk.CfnResource) and resource.cfn_resource_type not in REPLACEABLE:
                path = resource.node.path.partition(part.node.path + "/")[2]
                logical_id = cdk.Stack.of(resource).get_logical_id(resource)
                row = f"| `{type(part).__name__}` | `{path}` | `{resource.cfn_resource_type}` | `{logical_id}` |"
                rows[row] = None
    yield from rows


def _words(told: set[Impact]) -> str:
    by_impact: dict[str, list[str]] = {}
    for each in sorted(told):
        by_impact.setdefault(each.impact, []).append(each.kind.removeprefix("AWS::"))
    return (
        "; ".join(f"**{impact}** {', '.join(dict.fromkeys(kinds))}" for impact, kinds in sorted(by_impact.items()))
        or "nothing"
    )


def _table(heading: str) -> list[str]:
    """The rows of the table under a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]
