"""The app as the CDK CLI runs it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cfnlint.api
import pytest
from cdk_nag import AwsSolutionsChecks

import app
from tests.support.templates import ROOT, Json, synthesize, warnings


def cdk_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "node_modules/.bin/cdk"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """The app synthesized twice by the real CLI: the folder of each assembly, and what the CLI printed."""
    made = []
    for name in ("first", "second"):
        folder = tmp_path_factory.mktemp(name)
        run = cdk_cli("synth", "--quiet", "--output", str(folder))
        assert run.returncode == 0, run.stderr
        made.append((folder, run.stdout + run.stderr))
    return made


def test_synth_says_nothing_and_needs_no_account(assemblies: list[tuple[Path, str]]) -> None:
    assert [printed.strip() for _, printed in assemblies] == ["", ""]


def test_two_synths_are_byte_identical(assemblies: list[tuple[Path, str]]) -> None:
    (first, _), (second, _) = assemblies
    files, again = (
        # CDK writes where its seconds went beside a synth that took many, as on a busy machine
        sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != "performance-counters.json")
        for folder in (first, second)
    )
    assert "SesEvents.template.json" in files
    assert files == again
    assert [name for name in files if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_the_template_has_no_metadata_resource_and_no_finding_of_cfn_lint(
    assemblies: list[tuple[Path, str]], supported_regions: list[str]
) -> None:
    template = (assemblies[0][0] / "SesEvents.template.json").read_text()
    assert "AWS::CDK::Metadata" not in template
    config = cfnlint.api.ManualArgs(
        regions=supported_regions,
        ignore_checks=["W3005"],  # an explicit DependsOn that another one implies: the order of creation, on purpose
        include_checks=["I"],
    )
    assert [str(match) for match in cfnlint.api.lint(template, config=config)] == []


@pytest.fixture(scope="module")
def supported_regions() -> list[str]:
    return ["us-east-1", "eu-west-1", "us-gov-west-1"]


def test_nag_finds_nothing_unacknowledged() -> None:
    stack = _stack({})
    assert [violation.rule_name for violation in AwsSolutionsChecks().validate_scope(stack).violations] == []


def test_the_settings_in_cdk_json_are_the_defaults(recommended_flags: dict[str, Any]) -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert {key for key in context if key.startswith("ses-events:")} == set(app.KEYS), "cdk.json names other settings"
    assert _template(context) == _template(recommended_flags)


def test_the_page_has_a_row_for_each_setting() -> None:
    rows = re.findall(r"^\| `(ses-events:[a-z-]+)` \|", (ROOT / "docs/app.md").read_text(), re.MULTILINE)
    assert set(rows) == set(app.KEYS), f"docs/app.md: add or remove the rows {sorted(set(rows) ^ set(app.KEYS))}"


def test_settings_of_the_command_line_reach_the_template() -> None:
    template = json.dumps(
        _template(
            {
                "ses-events:configuration-set-name": "newsletter",
                "ses-events:dimension-name": "brand",
                "ses-events:dimension-default-value": "none",
                "ses-events:dimension-source": "linkTag",
                "ses-events:events": "click, bounce",
                "ses-events:prefix": "mail/",
                "ses-events:analytics": "false",
                "ses-events:buffering-interval-seconds": "60",
                "ses-events:expiration-days": "90",
                "ses-events:alarm-topic-arn": "arn:aws:sns:us-east-1:111122223333:on-call",
            }
        )
    )
    for expected in (
        '"Name": "newsletter"',
        '"DimensionName": "brand"',
        '"DefaultDimensionValue": "none"',
        '"DimensionValueSource": "linkTag"',
        '"MatchingEventTypes": ["bounce", "click"]',
        '"Prefix": "mail/"',
        '"IntervalInSeconds": 60',
        '"ExpirationInDays": 90',
        '"AlarmActions": ["arn:aws:sns:us-east-1:111122223333:on-call"]',
    ):
        assert expected in template
    assert "AWS::Athena" not in template


@pytest.mark.parametrize("off", [False, "false"])
def test_monitoring_is_turned_off_by_a_setting(off: bool | str) -> None:
    types = {body["Type"] for body in _template({"ses-events:monitoring": off})["Resources"].values()}
    assert not [each for each in types if each.startswith("AWS::CloudWatch")]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"prefx": "a/"}, "key 'ses-events:prefx' is unknown; did you mean 'ses-events:prefix'?"),
        ({"dimension-source": "messagetag"}, "ses-events:dimension-source 'messagetag' is unknown; did you mean"),
        ({"events": ["sent"]}, "ses-events:events 'sent' is unknown; did you mean 'send'?"),
        ({"buffering-interval-seconds": "1m"}, "ses-events:buffering-interval-seconds '1m' is not a whole number"),
        ({"expiration-days": 1.5}, "ses-events:expiration-days 1.5 is not a whole number"),
    ],
)
def test_a_setting_that_cannot_be_read_is_refused_by_its_key(context: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^context: ") as caught:
        app.settings({f"ses-events:{key}": value for key, value in context.items()})
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["ses_events:prefix", "sesevents:prefix", "SES-Events:prefix"])
def test_a_setting_whose_namespace_is_misspelt_is_refused(key: str) -> None:
    with pytest.raises(ValueError) as caught:
        app.settings({key: "mail/", "events:prefix": "of another package", "ses-events": "no setting"})
    assert str(caught.value) == f"context: key {key!r} is unknown; did you mean 'ses-events:prefix'?"


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"configuration-set-name": "my set"}, "SesEvents/Publishing: configuration_set_name 'my set' has a space"),
        ({"dimension-name": "my tag"}, "SesEvents: dimension.name 'my tag' has a space"),
        ({"dimension-default-value": "a@b"}, "SesEvents: dimension.default_value 'a@b' has '@'"),
        ({"events": []}, "SesEvents/Publishing/ToArchive: events is empty"),
        ({"prefix": "a/!{x:y}"}, "SesEvents/Archive: prefix 'a/!{x:y}' has '!{x:y}'; use one of timestamp, firehose"),
        (
            {"prefix": "m-!{timestamp:HH}/"},
            "SesEvents/Analytics: archive.prefix 'm-!{timestamp:HH}/' has no folder for each day",
        ),
        ({"buffering-interval-seconds": 901}, "SesEvents/Archive: buffering_interval 901 seconds is out of range"),
        ({"expiration-days": 0}, "SesEvents/Archive: expiration 0 days is out of range"),
        (
            {"alarm-topic-arn": "on-call"},
            "SesEvents: alarm_topic_arn 'on-call' is not the ARN of a topic; use one such as",
        ),
        (
            {"alarm-topic-arn": "arn:aws:sns:us-east-1:111122223333:on-call.fifo"},
            "SesEvents: alarm_topic_arn 'arn:aws:sns:us-east-1:111122223333:on-call.fifo' is a FIFO topic",
        ),
    ],
)
def test_a_setting_that_aws_would_refuse_is_refused_by_the_construct_that_takes_it(
    context: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        app.ses_events_app({f"ses-events:{key}": value for key, value in context.items()})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "key", ["configuration-set-name", "dimension-name", "dimension-source", "prefix", "events", "monitoring"]
)
def test_a_setting_of_a_wrong_type_is_refused_by_its_key(key: str) -> None:
    with pytest.raises(TypeError, match=rf"^context: ses-events:{key} 5 is of type int; use "):
        app.settings({f"ses-events:{key}": 5})


@pytest.mark.parametrize("value", ["no", 1])
def test_analytics_are_on_or_off(value: object) -> None:
    with pytest.raises(TypeError, match=r"^context: ses-events:analytics .* is of type .*; use true or false$"):
        app.settings({"ses-events:analytics": value})


def test_a_wrong_setting_ends_the_cli_with_lines_and_no_traceback() -> None:
    run = cdk_cli(
        "synth", "-c", "ses-events:prefx=a/", "-c", "ses-events:dimension-source=tag", "-c", "ses-events:events=bouce"
    )
    assert run.returncode == 1
    assert "context: key 'ses-events:prefx' is unknown; did you mean 'ses-events:prefix'?" in run.stderr
    assert "Traceback" not in run.stderr


def _stack(context: dict[str, Any]) -> cdk.Stack:
    stack = app.ses_events_app(context).node.find_child("SesEvents")
    assert isinstance(stack, cdk.Stack)
    told = {"ses-events:topic-not-editable"} if context.get("ses-events:alarm-topic-arn") else set()
    assert warnings(stack) == told
    return stack


def _template(context: dict[str, Any]) -> Json:
    return synthesize(_stack(context))
