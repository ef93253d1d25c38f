"""What a user pays at synth, in exact numbers: a change that costs a round trip to CDK or loads a module shows here."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from ses_events.analytics.queries import named_queries
from tests.support.templates import ROOT


def measured(*arguments: str) -> Any:
    process = subprocess.run(
        [sys.executable, "-m", "tests.support.round_trips", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(process.stdout)


@pytest.mark.parametrize(
    ("role", "first", "each"),
    [
        ("shared", 38, {"round_trips": 5, "resources": 3, "bytes": 1069}),
        ("own", 39, {"round_trips": 9, "resources": 4, "bytes": 2006}),
    ],
)
def test_a_set_costs_what_its_resources_cost(role: str, first: int, each: dict[str, int]) -> None:
    """The first set of an app comes with the archive. A further one with a shared role is the construct, the set, two
    destinations, and that one waits for the other. A role of its own adds the role, its ARN, the name of the set for
    its trust policy, and that the stream waits for it. CDK calls back once, about the bucket: whether it is deleted
    with the stack is known at synth only, and takes seven round trips, four of them then.
    """
    one, eleven, hundred = measured(role, "1", "11", "100")
    assert one["callbacks"] == hundred["callbacks"] == 1
    assert one["at_synth"] == hundred["at_synth"] == 5
    assert one["round_trips"] == first
    assert {kind: (eleven[kind] - one[kind]) // 10 for kind in each} == each, "what a set costs is written here"
    assert hundred["resources"] <= 500  # CloudFormation's quotas for a template
    assert hundred["bytes"] <= 1_000_000


def test_monitoring_costs_what_its_alarms_metrics_and_graphs_cost() -> None:
    """14 alarms, 14 graphs, 43 metrics, 15 of them again with a label, 10 steps of metric math, the name of the stack
    and, by two, whether the id of the count is free; two more for a query.
    """
    expected = 163 + 2 * len(named_queries("events", "events", "campaign"))
    assert measured("monitoring") == expected, "count what is new in the docstring, too"


@pytest.mark.parametrize(
    ("names", "services"),
    [
        (["EventPublishing", "CloudWatchDestination"], ["aws_ses"]),
        (["EventPublishing", "SnsDestination"], ["aws_codestarnotifications", "aws_iam", "aws_ses", "aws_sns"]),
        (
            ["EventPublishing", "FirehoseDestination"],
            # Firehose's module loads EC2's and that of S3 assets
            [
                "aws_ec2",
                "aws_events",
                "aws_iam",
                "aws_kinesisfirehose",
                "aws_logs",
                "aws_s3",
                "aws_s3_assets",
                "aws_ses",
            ],
        ),
    ],
    ids=lambda value: value[-1],
)
def test_an_app_loads_the_services_it_uses(names: list[str], services: list[str]) -> None:
    assert measured("services", *names) == [f"aws_cdk.{service}" for service in services]


def test_the_package_itself_loads_no_cdk() -> None:
    code = "import ses_events, sys; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
