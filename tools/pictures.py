"""The pictures of docs/architecture.md, drawn from the template of the reference stack: python -m tools.pictures"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import aws_cdk as cdk

from ses_events import SesEventsStack
from tests.support.templates import (
    RECOMMENDED_FLAGS,
    ROOT,
    Json,
    inline_actions,
    new_app,
    only,
    resources,
    synthesize,
    waits_for,
)

PAGE = ROOT / "docs/architecture.md"
MANY = ("AWS::CloudWatch::", "AWS::Athena::NamedQuery", "AWS::Athena::PreparedStatement")
"""What the picture of the order leaves out: nothing waits for it."""


def pictures() -> dict[str, str]:
    """The text of each picture, in Mermaid, by its name."""
    stack = SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents")
    template = synthesize(stack)
    paths = {
        stack.get_logical_id(construct): construct.node.path.partition("/")[2].removesuffix("/Resource")
        for construct in stack.node.find_all()
        if isinstance(construct, cdk.CfnResource)
    }
    drawn = {"data-flow": _data_flow(template, paths), "order-of-creation": _order_of_creation(template, paths)}
    return {name: _without_hashes("\n".join([_first_line(name), *lines, ""]), paths) for name, lines in drawn.items()}


def with_pictures(page: str, drawn: dict[str, str]) -> str:
    """The page with these pictures in the place of those it has."""
    for name, text in drawn.items():
        before, block, rest = page.partition(f"```mermaid\n{_first_line(name)}\n")
        assert block, f"{PAGE.name} has no block for the picture {name}"
        page = f"{before}```mermaid\n{text}{rest[rest.index('```') :]}"
    return page


def _first_line(name: str) -> str:
    return f"%% {name}: drawn by python -m tools.pictures"


def _without_hashes(text: str, logical_ids: Iterable[str]) -> str:
    """The text with logical ids that a person can read."""
    short = {logical_id: logical_id[:-8] for logical_id in logical_ids}
    assert len(set(short.values())) == len(short)
    return re.sub(r"\w+", lambda word: short.get(word[0], word[0]), text)


def _order_of_creation(template: Json, paths: dict[str, str]) -> Iterator[str]:
    """An arrow from each resource to those that wait for it, but for what another arrow says already."""
    yield "flowchart TD"
    names = [name for name, body in template["Resources"].items() if not body["Type"].startswith(MANY)]
    for name in names:
        yield f'  {name}["{paths[name]}<br/>{template["Resources"][name]["Type"]}"]'
    after = {earlier: {later for later in names if waits_for(template, later, earlier)} for earlier in names}
    for earlier in names:
        between = set().union(*(after[later] for later in after[earlier]))
        yield from (f"  {earlier} --> {later}" for later in names if later in after[earlier] - between)
    on_the_way = [
        name
        for name in names
        if template["Resources"][name]["Type"].startswith(("AWS::SES::", "AWS::KinesisFirehose::"))
        or paths[name].endswith("SesRole")
    ]
    yield "  classDef chain stroke-width:3px"
    yield f"  class {','.join(on_the_way)} chain"


def _data_flow(template: Json, paths: dict[str, str]) -> Iterator[str]:
    """An arrow for each way that data takes by the properties of the resources."""
    configuration_set, _ = only(template, "AWS::SES::ConfigurationSet")
    stream, body = only(template, "AWS::KinesisFirehose::DeliveryStream")
    delivery = body["Properties"]["ExtendedS3DestinationConfiguration"]
    bucket = delivery["BucketARN"]["Fn::GetAtt"][0]
    log_stream = delivery["CloudWatchLoggingOptions"]["LogStreamName"]["Ref"]
    role = template["Resources"][delivery["RoleARN"]["Fn::GetAtt"][0]]
    puts, logs = (_action(role, name) for name in ("s3:PutObject", "logs:PutLogEvents"))
    folder = re.sub(r"!\{.*?\}", "…", delivery["Prefix"])
    yield "flowchart TD"
    yield f'  mail(["mail sent with the set"]) --> {configuration_set}["{paths[configuration_set]}"]'
    metrics: dict[str, str] = {}
    for name, each in resources(template, "AWS::SES::ConfigurationSetEventDestination").items():
        destination = each["Properties"]["EventDestination"]
        events = f"{len(destination['MatchingEventTypes'])} event types"
        yield f'  {configuration_set} --> {name}["{paths[name]}<br/>{events}"]'
        if "KinesisFirehoseDestination" in destination:
            assumed = destination["KinesisFirehoseDestination"]["IAMRoleARN"]["Fn::GetAtt"][0]
            does = _action(template["Resources"][assumed], "firehose:PutRecordBatch")
            yield f'  {name} -- "{does}" --> {stream}["{paths[stream]}"]'
        else:
            dimensions = destination["CloudWatchDestination"]["DimensionConfigurations"]
            by = ", ".join(dimension["DimensionName"] for dimension in dimensions)
            metrics[by] = f"by{len(metrics)}"
            yield f'  {name} --> {metrics[by]}["metrics of AWS/SES<br/>by {by}"]'
    yield f'  {stream} -- "{puts}" --> {bucket}[("{paths[bucket]}<br/>{folder}")]'
    yield f'  {stream} -- "errors: {logs}" --> {log_stream}["{paths[log_stream]}"]'
    yield from _questions(template, paths, bucket)
    yield from _watching(template, configuration_set, stream, metrics)


def _questions(template: Json, paths: dict[str, str], bucket: str) -> Iterator[str]:
    tables = {name: body["Properties"]["TableInput"] for name, body in resources(template, "AWS::Glue::Table").items()}
    [table] = [name for name, of in tables.items() if "Location" in of["StorageDescriptor"]]
    assert {"Ref": bucket} in tables[table]["StorageDescriptor"]["Location"]["Fn::Join"][1]
    workgroup, body = only(template, "AWS::Athena::WorkGroup")
    results = body["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"]["Fn::Join"][1][1]
    saved, prepared = (len(resources(template, f"AWS::Athena::{kind}")) for kind in ("NamedQuery", "PreparedStatement"))
    yield f'  {bucket} --> {table}["{paths[table]}<br/>a row an event"]'
    asked = f"{saved} saved queries,<br/>{prepared} prepared statements"
    yield f'  {table} --> {workgroup}["{paths[workgroup]}<br/>{asked}"]'
    yield f'  {workgroup} --> {results["Ref"]}[("{paths[results["Ref"]]}")]'


def _watching(template: Json, configuration_set: str, stream: str, metrics: dict[str, str]) -> Iterator[str]:
    """How many alarms look at what; one may look at two things."""
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    looked_at = Counter(
        itertools.chain.from_iterable(
            {_source(metric, metrics, stream) for metric in _metrics(alarm["Properties"])} for alarm in alarms.values()
        )
    )
    yield f'  alarms["{len(alarms)} alarms, a dashboard"]'
    if "reputation" in looked_at:
        yield f'  {configuration_set} --> reputation["metrics of AWS/SES that<br/>SES publishes by itself"]'
    yield from (f'  {source} -. "{count} alarms" .-> alarms' for source, count in looked_at.items())


def _metrics(alarm: Json) -> list[Json]:
    several = [metric["MetricStat"]["Metric"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
    return several or [alarm]


def _source(metric: Json, metrics: dict[str, str], stream: str) -> str:
    if metric["Namespace"] == "AWS/Firehose":
        return stream
    if metric["MetricName"].startswith("Reputation."):
        return "reputation"
    return metrics[", ".join(dimension["Name"] for dimension in metric["Dimensions"])]


def _action(role: Json, action: str) -> str:
    """The action, which the role allows."""
    assert action in inline_actions(role), json.dumps(role)
    return action


if __name__ == "__main__":
    PAGE.write_text(with_pictures(PAGE.read_text(), pictures()))
