"""The gallery of examples/README.md, from what each example makes: python -m tools.gallery"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import IConstruct

from ses_events import (
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    ParquetFormat,
    SnsDestination,
)
from tests.support.examples import EXAMPLES, stacks, with_recommended_flags
from tests.support.templates import ROOT, synthesize
from tools.monthly_costs import SIZES, month

PAGE = ROOT / "examples/README.md"
BEGIN = "<!-- Below: python -m tools.gallery -->\n"
ORDER = (
    "minimal",
    "existing_parts",
    "many_brands",
    "alarms",
    "parquet_analytics",
    "one_key",
    "cross_stack",
    "environments",
    "bank",
)
"""From the first that a newcomer needs to the last."""

FIRST = {
    "existing_parts": [
        "aws sesv2 create-configuration-set --configuration-set-name newsletter",
        "aws s3 mb s3://acme-data-lake",
    ]
}
"""What must be there before an example can be deployed."""
ELSEWHERE = {"environments": "111111111111 and 222222222222"}
"""Examples that name their accounts, which the local AWS is not."""


def gallery() -> str:
    """The part of the page for each example."""
    assert sorted(ORDER) == EXAMPLES
    return "\n".join(line for example in ORDER for line in _entry(example))


def with_gallery(page: str, fresh: str) -> str:
    """The page with these examples in the place of those it has."""
    before, mark, _ = page.partition(BEGIN)
    assert mark, f"{PAGE.name} has no {BEGIN}"
    return before + mark + "\n" + fresh


def _entry(example: str) -> Iterator[str]:
    app = with_recommended_flags(example)
    templates = [synthesize(stack) for stack in stacks(app)]
    found = sum(len(template["Resources"]) for template in templates)
    of = f" in {len(templates)} stacks" if len(templates) > 1 else ""
    text = ast.get_docstring(ast.parse((PAGE.parent / f"{example}.py").read_text())) or ""
    summary, when = text.split("\n\n")
    yield from (f"## {example}", "", summary, f"[{example}.py]({example}.py): {found} resources{of},")
    yield from (f"${month(templates, SIZES[0]):.2f} a month.", "", when, "")
    yield from ("```mermaid", "flowchart LR", *_picture(app), "```", "")
    yield from ("```sh", *_commands(example, len(templates)), "```", "")


def _commands(example: str, count: int) -> list[str]:
    run = f'--app "python -m examples.{example}"'
    if example in ELSEWHERE:
        return [f"# the local AWS is not {ELSEWHERE[example]}", f"cdk synth --quiet {run}"]
    everything = " --all" if count > 1 else ""
    return [*FIRST.get(example, []), f"cdk deploy{everything} --require-approval never {run}"]


def _picture(app: cdk.Stage) -> Iterator[str]:
    """An arrow for each way that an event takes from a configuration set, and the alarms that look at it."""
    made = app.node.find_all()
    ids = {construct: re.sub(r"\W", "_", construct.node.path) or "App" for construct in made}
    archives = [each for each in made if isinstance(each, EventArchive)]
    sets = [each for each in made if isinstance(each, EventPublishing)]
    for publishing in sets:
        is_new = isinstance(publishing.configuration_set, ses.CfnConfigurationSet)
        kind = "configuration set" if is_new else "configuration set that is there"
        yield f'  {ids[publishing]}["{publishing.node.path}<br/>{kind}"]'
    for archive in archives:
        folder = re.sub(r"!\{.*?\}", "…", archive.prefix)
        kind = "JSON and Parquet" if isinstance(archive.format, ParquetFormat) else "JSON"
        name = ids[archive]
        yield f'  {name}["{archive.node.path}<br/>Data Firehose"] --> {name}_S3[("S3<br/>{folder}<br/>{kind}")]'
    for publishing in sets:
        for _, _, _, destination, events in publishing.destinations:
            what = f"{len(events)} event types" if len(events) > 1 else f"{next(iter(events)).name.capitalize()} events"
            yield f'  {ids[publishing]} -- "{what}" --> {_place(destination, publishing, ids)}'
    for analytics in (each for each in made if isinstance(each, EventAnalytics)):
        [archive] = [each for each in archives if each.stack is analytics.stack]
        yield f'  {ids[archive]}_S3 --> {ids[analytics]}["Athena<br/>{len(analytics.named_queries)} saved queries"]'
    yield from _alarms([*sets, *archives], ids)


def _place(destination: object, publishing: EventPublishing, ids: Mapping[IConstruct, str]) -> str:
    if isinstance(destination, FirehoseDestination):
        return ids[destination.delivery_stream]
    if isinstance(destination, SnsDestination):
        return f'{ids[destination.topic]}["SNS topic<br/>{destination.topic.node.path}"]'
    assert isinstance(destination, CloudWatchDestination), destination
    by = ", ".join(dimension.name for dimension in destination.dimensions)
    where = f"{ids[cdk.Stage.of(publishing) or publishing]}_by_{by}"
    return f'{re.sub(r"[^A-Za-z]", "_", where)}["metrics of CloudWatch<br/>by {by}"]'


def _alarms(parts: Sequence[EventPublishing | EventArchive], ids: Mapping[IConstruct, str]) -> Iterator[str]:
    """Yield how many alarms there are in a stage, and of which of its parts they are."""
    for stage in dict.fromkeys(cdk.Stage.of(part) for part in parts):
        assert stage
        watching = [each for each in stage.node.find_all() if isinstance(each, EventMonitoring)]
        count = sum(len(each.alarms) for each in watching)
        dashboards = sum(bool(each.dashboard) for each in watching)
        label = f'["{count} alarms,<br/>{dashboards} dashboard{"s" if dashboards > 1 else ""}"]'
        if watching:
            yield from (
                f"  {ids[part]} -.-> {ids[stage]}_Alarms{label}" for part in parts if cdk.Stage.of(part) is stage
            )


if __name__ == "__main__":
    PAGE.write_text(with_gallery(PAGE.read_text(), gallery()))
