"""What deploying a template over an older one would do to what is there, as the real ``cdk diff`` tells it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aws_cdk as cdk
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.support.templates import ROOT, Json, synthesize

REPLACEABLE = {
    "AWS::Athena::NamedQuery",
    "AWS::Athena::PreparedStatement",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Policy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
}
"""What can go and come again: it holds nothing, and nobody outside of the stack names it. All else is stateful."""

# `exec` is what the command `cdk` calls. Its start takes a second, each diff after the first less than a tenth. Where
# the variable CI is set, it would print the differences on standard output.
_EVERY_DIFF = """
const { exec } = require(process.argv[1]);
(async () => {
  for (const [stack, assembly, template] of JSON.parse(process.argv[2])) {
    await exec(["diff", stack, "--exclusively", "--app", assembly, "--template", template, "--no-color", "--ci=false"]);
    console.error("\\f");
  }
})();
"""


class Upgrade(NamedTuple):
    """A stack, and the template that was deployed before."""

    stack: cdk.Stack
    before: Json


class Impact(NamedTuple):
    """What happens to a resource that is there."""

    kind: str
    logical_id: str
    impact: str
    """``replace``, ``may be replaced``, ``destroy``, ``orphan``, or ``no longer retained``."""


def impacts(upgrades: list[Upgrade], folder: Path) -> list[list[Impact]]:
    """What each upgrade does to stateful resources beside updating them in place.

    ``cdk diff`` looks at whole properties; what replaces a resource further down, such as the name of an event
    destination, is in CloudFormation's schema, and what drops the retention of a resource in the two templates.

    :param folder: for files that nobody needs afterwards.
    """
    jobs = []
    for number, (stack, before) in enumerate(upgrades):
        template = folder / f"{number}.template.json"
        template.write_text(json.dumps(before))
        root = stack.node.root
        assert isinstance(root, cdk.App)
        jobs.append((stack.node.path, root.synth().directory, str(template)))
    run = subprocess.run(
        ["node", "-e", _EVERY_DIFF, str(ROOT / "node_modules/aws-cdk/lib"), json.dumps(jobs)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    *said, rest = run.stderr.split("\f\n")
    assert run.returncode == 0 and len(said) == len(upgrades), run.stdout + rest
    return [
        sorted({impact for impact in (*_of_cdk(text), *_further_down(upgrade)) if impact.kind not in REPLACEABLE})
        for text, upgrade in zip(said, upgrades, strict=True)
    ]


def _of_cdk(said: str) -> Iterator[Impact]:
    assert re.search(r"Number of stacks with differences: [01]", said), said
    for kind, logical_id, impact in re.findall(
        r"^\[[-~]\] (AWS::\S+)(?: \S+)? (\w+) (replace|may be replaced|destroy|orphan)$", said, re.MULTILINE
    ):
        yield Impact(kind, logical_id, impact)


def _further_down(upgrade: Upgrade) -> Iterator[Impact]:
    after = synthesize(upgrade.stack)["Resources"]
    for logical_id, old in upgrade.before["Resources"].items():
        new = after.get(logical_id)
        if new is None or new["Type"] != old["Type"]:
            continue
        if any(_at(old, pointer) != _at(new, pointer) for pointer in _create_only(old["Type"])):
            yield Impact(old["Type"], logical_id, "replace")
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if str(old.get(policy)).startswith("Retain") and not str(new.get(policy)).startswith("Retain"):
                yield Impact(old["Type"], logical_id, "no longer retained")


def _create_only(kind: str) -> list[str]:
    """What of a resource cannot be updated, as JSON pointers."""
    if kind == "AWS::Glue::Database":  # not in its schema, but Glue has no call that renames one (API UpdateDatabase)
        return ["/properties/DatabaseInput/Name"]
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]


def _at(resource: Json, pointer: str) -> Any:
    value: Any = resource.get("Properties", {})
    for step in pointer.removeprefix("/properties/").split("/"):
        value = value.get(step) if isinstance(value, dict) else None
    return value
