"""Each example as a user runs it: small, without a warning, and without a finding of cdk-nag."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from cdk_nag import AwsSolutionsChecks

from tests.support.examples import EXAMPLES, run, stacks, with_recommended_flags
from tests.support.templates import ROOT, new_app, properties, readable, synthesize, warnings
from tools.gallery import PAGE, gallery, with_gallery

OF_CDK = {"cross_stack": {"@aws-cdk/core:crossStackReferencesDefaultStrong"}}
"""Warnings of CDK itself in an app without feature flags, of which examples/README.md tells."""


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_synthesizes_without_a_warning(example: str) -> None:
    for stack in stacks(with_recommended_flags(example)):
        synthesize(stack)
        assert warnings(stack) == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_needs_no_feature_flag(example: str) -> None:
    given: set[str] = set()
    for stack in stacks(run(example, new_app())):
        synthesize(stack)
        given |= warnings(stack)
    assert given == OF_CDK.get(example, set())


@pytest.mark.parametrize("example", EXAMPLES)
def test_nag_finds_nothing_unacknowledged(example: str) -> None:
    found = [AwsSolutionsChecks().validate_scope(stack) for stack in stacks(with_recommended_flags(example))]
    assert [violation.rule_name for report in found for violation in report.violations] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_is_short_and_says_when_to_use_it(example: str) -> None:
    text = (ROOT / "examples" / f"{example}.py").read_text()
    assert len(text.splitlines()) <= (60 if example == "bank" else 40)  # it has a line for each demand
    assert text.startswith('"""') and "\n\nUse it " in text.split('"""')[1]


def test_alarms_may_publish_to_the_topic_of_the_example() -> None:
    [stack] = stacks(with_recommended_flags("alarms"))
    statements = properties(readable(synthesize(stack)), "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert {
        "Action": "sns:Publish",
        "Condition": {
            "ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"},
            "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
        },
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Resource": "${OnCall0B2745F4}",
    } in [{name: value for name, value in each.items() if name != "Sid"} for each in statements]


def test_the_gallery_is_that_of_the_examples() -> None:
    page = PAGE.read_text()
    assert page == with_gallery(page, gallery()), "run python -m tools.gallery, and look at what it drew"


def test_the_command_of_the_readme_runs_one(tmp_path: Path) -> None:
    [command] = re.findall(r"^    (cdk synth .*)$", PAGE.read_text(), re.MULTILINE)
    # CDK's validation costs seconds a process; test_app.py runs it.
    whole = f"{ROOT}/node_modules/.bin/{command} --quiet --no-validation --output {tmp_path}"
    ran = subprocess.run(shlex.split(whole), cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")
    assert (tmp_path / "Mail.template.json").exists()
