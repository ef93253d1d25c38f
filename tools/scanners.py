"""Record what scanners find in the templates of the reference stack and of the examples: python -m tools.scanners VENV

VENV is a virtual environment with checkov and parliament, whose requirements are not those of this project; cfn-lint is
the project's own. docs/compliance.md is made from the record by python -m tools.compliance.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ses_events import SesEventsStack
from tests.support.examples import EXAMPLES, run
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, Json, new_app

RECORD = ROOT / "tools/scanners.json"
COMMANDS = {
    "cfn-lint": "cfn-lint --include-checks I --format json --template templates/*",
    "checkov": "checkov --framework cloudformation --skip-download --quiet --output json --directory templates",
    "parliament": "parliament --include-community-auditors --json --directory policies",
}
"""How each is run, in a folder with the templates and, one a file, the policies in them that name resources."""

_DEPLOYED = {"AccountId": "111122223333", "Partition": "aws", "Region": "eu-west-1", "URLSuffix": "amazonaws.com"}
_ARNS = {
    "AWS::KMS::Key": "arn:aws:kms:eu-west-1:111122223333:key/{}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": "arn:aws:sns:eu-west-1:111122223333:{}",
}


def main() -> None:
    """Write the record."""
    with tempfile.TemporaryDirectory() as name:
        folder, record = Path(name), {}
        paths = dict(_written(folder))
        for tool, command in COMMANDS.items():
            program = Path(sys.executable if tool == "cfn-lint" else Path(sys.argv[1], "bin/python")).with_name(tool)
            found = defaultdict[str, set[str]](set)
            for finding, file, logical_id in _found(tool, _output(command.replace(tool, str(program), 1), folder)):
                example = file.rpartition("/")[2].partition("@")[0]
                found[finding].add(f"{example}: {paths[example, logical_id]}")
            version = re.search(r"\d+\.\d+\.\d+", _output(f"{program} --version", folder))
            findings = {finding: sorted(places) for finding, places in found.items()}
            record[tool] = {"version": version and version[0], "findings": findings}
    RECORD.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


def _written(folder: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Write templates and policies; the path of each resource by example and logical id."""
    (folder / "templates").mkdir()
    (folder / "policies").mkdir()
    for example in ("reference", *EXAMPLES):
        app = new_app(**RECOMMENDED_FLAGS, **{"aws:cdk:enable-path-metadata": True})  # as the CDK CLI does
        if example == "reference":
            SesEventsStack(app, "SesEvents")
        else:
            run(example, app)
        for stack in _stacks(app.synth()):
            (folder / "templates" / f"{example}@{stack.stack_name}.json").write_text(json.dumps(stack.template))
            resources = stack.template["Resources"]
            for logical_id, resource in resources.items():
                path = resource.get("Metadata", {}).get("aws:cdk:path", logical_id)
                below = path.removeprefix(f"{stack.hierarchical_id}/").removesuffix("/Resource")
                yield (example, logical_id), below
                for number, policy in enumerate(_policies(_deployed(resource.get("Properties", {}), resources))):
                    (folder / "policies" / f"{example}@{logical_id}@{number}.json").write_text(json.dumps(policy))


def _stacks(assembly: Any) -> Iterator[Any]:
    yield from assembly.stacks
    for each in assembly.nested_assemblies:
        yield from _stacks(each.nested_assembly)


def _policies(value: Any) -> Iterator[Json]:
    """The policies in a resource, but for the trust of a role: that is about no resource, as parliament wants it."""
    match value:
        case {"Statement": list(statements)}:
            if all("Resource" in each for each in statements):
                yield {"Version": "2012-10-17", **value}
        case dict():
            for member in value.values():
                yield from _policies(member)
        case list():
            for member in value:
                yield from _policies(member)


def _deployed(value: Any, resources: Json) -> Any:
    """Properties as they might be once deployed: parliament reads ARNs, and no functions of CloudFormation."""
    match value:
        case {"Ref": str(name)}:
            of_topic = resources.get(name, {}).get("Type") == "AWS::SNS::Topic"
            known = _ARNS["AWS::SNS::Topic"].format(name) if of_topic else name.lower()
            return _DEPLOYED.get(name.removeprefix("AWS::"), known)
        case {"Fn::GetAtt": [name, attribute]}:
            return _ARNS.get(resources[name]["Type"], "{}").format(name.lower()) if attribute == "Arn" else name
        case {"Fn::Join": [separator, list(parts)]}:
            return separator.join(str(_deployed(part, resources)) for part in parts)
        case {"Fn::ImportValue": str(name)}:
            kind = next((each for each in _ARNS if each.rpartition("::")[2] in name and "Arn" in name), "")
            return _ARNS.get(kind, "{}").format("imported")
        case dict():
            return {name: _deployed(member, resources) for name, member in value.items()}
        case list():
            return [_deployed(member, resources) for member in value]
        case float():
            return str(value)
    return value


def _output(command: str, folder: Path) -> str:
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def _found(tool: str, output: str) -> Iterator[tuple[str, str, str]]:
    """Each finding with what it says, its file, and the logical id of the resource."""
    match tool:
        case "cfn-lint":
            for each in json.loads(output):
                rule = each["Rule"]
                yield f"{rule['Id']}: {rule['ShortDescription']}", each["Filename"], each["Location"]["Path"][1]
        case "checkov":
            for each in json.loads(output)["results"]["failed_checks"]:
                logical_id = each["resource"].rpartition(".")[2]
                yield f"{each['check_id']}: {each['check_name']}", each["file_path"], logical_id
        case "parliament":
            for each in map(json.loads, output.splitlines()):
                file = each["location"]["filepath"]
                yield f"{each['issue']}: {each['title']}", file, file.split("@")[1]


if __name__ == "__main__":
    main()
