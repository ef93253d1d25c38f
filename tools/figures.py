"""The figures in the sentences of README and docs, from the template of the reference stack: python -m tools.figures"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from ses_events import EventArchive, EventMonitoring, ParquetFormat
from tests.support.round_trips import AT_SYNTH, EACH, FIRST, monitoring_expected
from tests.support.templates import ROOT, actions, new_app, properties, synthesize
from tools.monthly_costs import (
    PRICES,
    SIZES,
    Stack,
    by_campaign,
    dollars,
    metrics_of_alarms,
    parts,
    reference_stack,
    watching,
)

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def sentences(stack: Stack) -> dict[Path, list[str]]:
    """What the pages say of the reference stack; each sentence stands once on its page, with other figures or these."""
    alarms, counts, dashboard = watching(stack).values()
    [missing_events] = [metrics for name, metrics in stack.alarms.items() if "MissingEvents" in name]
    of_firehose = stack.actions["firehose.amazonaws.com"]
    return {
        ROOT / "README.md": [
            f"CDK's own stream gives Firehose {_actions_of_cdks_stream()} actions.",
            f"| alarms, saved queries | {len(stack.alarms)}, and {stack.named_queries} besides "
            f"{stack.prepared_statements} prepared statements |",
            f"| permissions | Firehose {of_firehose} actions, SES {stack.actions['ses.amazonaws.com']}; each with",
            f"| alarms | {len(stack.alarms)}, with a runbook |",
            _bills(stack),
            f"| `cdk synth` of the ready app | about {_seconds_of_a_synth()} s; ",
        ],
        ROOT / "docs/costs.md": [
            f"{stack.counted} event types of 50 campaigns are {stack.counted * 50} metrics, "
            f"${by_campaign(stack, 50):.0f}.",
            f"- **Watching** costs up to ${alarms + counts + dashboard:.2f}, ",
        ],
        ROOT / "docs/parts.md": [f"the role for Firehose with {of_firehose} actions |"],
        ROOT / "docs/performance.md": [
            f"(`FirehoseDestination.with_shared_role`) | {_costs('shared')} |",
            f"| with a role of its own | {_costs('own')} |",
            f"take {FIRST['own']} round trips, {FIRST['shared']} with a shared role, and the synth {AT_SYNTH} more.",
            f"of the reference stack take {monitoring_expected(stack.named_queries)} round trips.",
        ],
        ROOT / "docs/operations.md": [
            f"| {_alarms(stack.alarms, ' of the reference stack, over ')} |",
            f"| with a KMS key of yours: {_alarms(_more(with_key=True))} |",
            f"| with Parquet: {_alarms(_more(format=ParquetFormat()))} |",
            f"a metric for each of {stack.counted_of_the_set} event types that occurred in the month | "
            f"up to ${counts:.2f} |",
            f"| the dashboard | ${dashboard:.2f} |",
            f"`missing_events` is ${missing_events * PRICES['alarm'].dollars:.2f}, "
            f"and ${PRICES['metric'].dollars:.2f} for each type that it alone counts",
        ],
    }


def with_sentences(page: str, fresh: Iterable[str]) -> str:
    """The page with the figures of these sentences in the place of those it has."""
    for sentence in fresh:
        figures = _NUMBER.pattern.join(map(re.escape, _NUMBER.split(sentence)))
        around = re.split(figures, page)
        assert len(around) == 2, f"{len(around) - 1} sentences of the page are like this one: {sentence}"
        page = sentence.join(around)
    return page


def _bills(stack: Stack) -> str:
    """The rows of the README: a bill for each size, the first with what most of it is for."""
    rows = []
    for size in SIZES:
        bill = parts(stack, size)
        rows.append(f"{size.mails:,} mails, {size.campaigns} campaigns | {dollars(sum(bill.values()))}")
    counts = dollars(by_campaign(stack, SIZES[0].campaigns))
    return " |\n| ".join([f"| a month, {rows[0]}, of which {counts} for the counts by campaign", *rows[1:]]) + " |"


def _costs(role: str) -> str:
    """The cells of a further configuration set in docs/performance.md."""
    return " | ".join(f"{EACH[role][kind]:,}" for kind in ("round_trips", "resources", "bytes"))


def _seconds_of_a_synth() -> int:
    """What docs/getting-started.md measured."""
    [seconds] = re.findall(
        r"^\| each further `cdk synth` \| (\d+) s \|$", (ROOT / "docs/getting-started.md").read_text(), re.MULTILINE
    )
    return int(seconds)


def _actions_of_cdks_stream() -> int:
    """The actions on the bucket, its objects and the log group that the wildcards of CDK's DeliveryStream allow.

    The names of all actions are those that cfn-lint has from AWS.
    """
    stack = cdk.Stack(new_app(), "Plain")
    firehose.DeliveryStream(stack, "Stream", destination=firehose.S3Bucket(s3.Bucket(stack, "Bucket")))
    allowed = [each.lower() for each in actions(properties(synthesize(stack), "AWS::IAM::Policy")["PolicyDocument"])]
    services = json.loads((resources.files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text())
    return sum(
        any(fnmatchcase(f"{service}:{action}", each) for each in allowed)
        and not {"bucket", "object", "log-stream"}.isdisjoint(body.get("Resources") or ())
        for service in ("s3", "logs")
        for action, body in services[service]["Actions"].items()
    )


def _of_archive(**options: Any) -> dict[str, int]:
    """The alarms of an archive."""
    stack = cdk.Stack(new_app(), "Mail")
    if options.pop("with_key", False):
        options["encryption_key"] = kms.Key(stack, "Key")
    archive = EventArchive(stack, "Archive", **options)
    EventMonitoring(stack, "Monitoring", archive=archive, dashboard=False)
    return metrics_of_alarms(synthesize(stack))


def _more(**options: Any) -> dict[str, int]:
    """The alarms that an archive has with these options only."""
    plain = _of_archive()
    return {name: metrics for name, metrics in _of_archive(**options).items() if name not in plain}


def _alarms(alarms: dict[str, int], over: str = ", ") -> str:
    metrics = sum(alarms.values())
    return f"{len(alarms)} alarms{over}{metrics} metrics | ${metrics * PRICES['alarm'].dollars:.2f}"


if __name__ == "__main__":
    for path, fresh in sentences(reference_stack()).items():
        path.write_text(with_sentences(path.read_text(), fresh))
