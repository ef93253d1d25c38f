"""What the AWS CLI does with a command, without the CLI."""

from __future__ import annotations

import json
import shlex
from typing import Any

from botocore import xform_name

from local_aws import LocalAws
from local_aws.process import REGION


def paste(aws: LocalAws, line: str) -> None:
    """Run commands of the AWS CLI that are joined with ``&&``.

    :raises AssertionError: when the CLI would refuse one.
    """
    for command in line.split(" && "):
        _run(aws, shlex.split(command))


def _run(aws: LocalAws, words: list[str]) -> None:
    program, service, operation, *rest = words
    assert program == "aws", words
    client = aws.client({"s3api": "s3"}.get(service, service))
    name = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[name]).input_shape
    members = {f"--{xform_name(member, '-')}": (member, of) for member, of in shape.members.items()}
    given: dict[str, Any] = {}
    while rest:
        option = rest.pop(0)
        if option in ("--region", "--endpoint-url"):
            assert rest.pop(0) in (REGION, aws.url)
            continue
        member, of = members[option.replace("--no-", "--")] if option.startswith("--no-") else members[option]
        if of.type_name == "boolean":
            given[member] = not option.startswith("--no-")
        else:
            value = rest.pop(0)
            given[member] = json.loads(value) if of.type_name in ("structure", "list", "map") else value
    getattr(client, name)(**given)
