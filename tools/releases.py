"""The templates of each release, in a folder by its version, and those of today to compare them with.

``python -m tools.releases`` records today's under the version of pyproject.toml.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import aws_cdk as cdk

from ses_events import SesEventsStack
from tests.support.examples import EXAMPLES, stacks, with_recommended_flags
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app, synthesize

RELEASES = ROOT / "tests/releases"


def latest() -> Path:
    """The folder of the last release."""
    versions = [folder for folder in RELEASES.iterdir() if re.fullmatch(r"\d+\.\d+\.\d+", folder.name)]
    return max(versions, key=lambda folder: [int(part) for part in folder.name.split(".")])


def version() -> str:
    """The version in pyproject.toml."""
    [found] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return str(found)


@cache
def today() -> dict[str, cdk.Stack]:
    """The reference stack and the stacks of the examples, by the name of their file in a release."""
    reference = SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents")
    named = {f"reference.{reference.node.path}": reference} | {
        f"{example}.{stack.node.path}": stack
        for example in EXAMPLES
        for stack in stacks(with_recommended_flags(example))
    }
    return {f"{name.replace('/', '-')}.template.json": stack for name, stack in named.items()}


if __name__ == "__main__":
    folder = RELEASES / version()
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, stack in today().items():
        (folder / name).write_text(json.dumps(synthesize(stack), indent=1) + "\n")
    print(f"recorded in {folder.relative_to(ROOT)}")
