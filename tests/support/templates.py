"""Stacks for a test, and their templates: read as a person would, and as a graph of what waits for what."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
RECOMMENDED_FLAGS = {
    key: value
    for key, value in json.loads((ROOT / "cdk.json").read_text())["context"].items()
    if key.startswith("@aws-cdk")
}

UNVALIDATED: Json = dict.fromkeys(
    {"builtin_cloud_formation_validation"} & {*inspect.signature(cdk.App.__init__).parameters}, False
)
"""What keeps an app from CDK's validation of the template, where this CDK has it."""

DELIVER = {
    "logs:PutLogEvents",
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:PutObject",
}
"""All that Firehose may do to deliver to an archive without a key."""

READ_SCHEMA = {"glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"}
"""What it may do besides to convert to Parquet."""


def new_app(**context: Any) -> cdk.App:
    """An app without CDK's built-in validation, which costs seconds once a process; test_app.py runs it."""
    return cdk.App(context=context, analytics_reporting=False, **UNVALIDATED)


def synthesize(stack: cdk.Stack) -> Json:
    """The template of a stack, after checking that its resources do not wait for each other in a circle."""
    template = dict(Template.from_stack(stack).to_json())
    order_of_creation(template)
    return template


def resources(template: Json, resource_type: str) -> dict[str, Json]:
    """The resources of a type by logical id."""
    return {name: body for name, body in template["Resources"].items() if body["Type"] == resource_type}


def only(template: Json, resource_type: str) -> tuple[str, Json]:
    """The logical id and body of the one resource of a type."""
    ((name, body),) = resources(template, resource_type).items()
    return name, body


def logical_id(resource: object) -> str:
    """The logical id of an L1."""
    assert isinstance(resource, cdk.CfnElement)
    return cdk.Stack.of(resource).get_logical_id(resource)


def properties(template: Json, resource_type: str) -> Json:
    """The properties of the one resource of a type."""
    found: Json = only(template, resource_type)[1].get("Properties", {})
    return found


def order_of_creation(template: Json) -> list[str]:
    """The logical ids in an order CloudFormation could create them in.

    :raises graphlib.CycleError: when there is none.
    """
    return list(TopologicalSorter(_edges(template)).static_order())


def waits_for(template: Json, later: str, earlier: str) -> bool:
    """Whether CloudFormation creates one resource only after another one exists, directly or by way of others."""
    edges, seen, ahead = _edges(template), set[str](), [later]
    while ahead:
        for name in edges[ahead.pop()] - seen:
            seen.add(name)
            ahead.append(name)
    return earlier in seen


def readable(template: Json) -> Json:
    """The template for a reviewer: joins and references as text, without what CDK adds to every template."""
    kept = {key: value for key, value in template.items() if key not in ("Parameters", "Rules")}
    text: Json = _readable(kept)
    return text


def actions(document: Json) -> set[str]:
    """Every action that a policy document allows."""
    return {
        action
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _list(statement["Action"])
    }


def inline_actions(role: Json) -> set[str]:
    """Every action that the inline policies of a role allow."""
    return set().union(*(actions(policy["PolicyDocument"]) for policy in role["Properties"].get("Policies", ())))


def warnings(stack: cdk.Stack) -> set[str]:
    """The ids of the warnings a stack was given."""
    return {text.rpartition("[ack: ")[2].rstrip("]") for text in warning_texts(stack)}


def warning_texts(stack: cdk.Stack) -> list[str]:
    """The warnings a stack was given."""
    messages = cdk.assertions.Annotations.from_stack(stack).find_warning("*", cdk.assertions.Match.any_value())
    return [str(message.entry.data) for message in messages]


def statements_in(message: str) -> list[Json]:
    """The JSON statements that a message tells its reader to add."""
    found, start = [], message.find('{"')
    while start >= 0:
        statement, length = json.JSONDecoder().raw_decode(message[start:])
        found.append(statement)
        start = message.find('{"', start + length)
    return found


def _edges(template: Json) -> dict[str, set[str]]:
    resources = template.get("Resources", {})
    return {
        name: {*_list(body.get("DependsOn", [])), *_references(body.get("Properties", {}))} & set(resources)
        for name, body in resources.items()
    }


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case dict():
            for child in value.values():
                yield from _references(child)
        case list():
            for child in value:
                yield from _references(child)


def _readable(value: Any) -> Any:
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Join": [separator, parts]} if isinstance(parts, list):
            joined = separator.join(str(_readable(part)) for part in parts)
            return json.loads(joined) if joined.startswith("{") and joined.endswith("}") and '"' in joined else joined
        case dict():
            return {key: _readable(child) for key, child in value.items()}
        case list():
            return [_readable(child) for child in value]
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
