"""The templates of the last release, in a folder by its version, and those of today to compare them with.

``python -m tools.releases`` records today's: under the version of pyproject.toml where CHANGELOG.md says on which day
that was released, otherwise as ``unreleased``.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import aws_cdk as cdk

from ses_events import SesEventsStack
from tests.support.examples import EXAMPLES, stacks, with_recommended_flags
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app, synthesize

RELEASES = ROOT / "tests/releases"
UNRELEASED = RELEASES / "unreleased"
"""The templates to compare with as long as there is no release."""


def latest() -> Path:
    """The folder of the last release, or of what is to be the first one."""
    versions = [folder for folder in RELEASES.iterdir() if folder != UNRELEASED]
    return max(versions, key=lambda folder: [int(part) for part in folder.name.split(".")], default=UNRELEASED)


def version() -> str:
    """The version in pyproject.toml."""
    [found] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return str(found)


def is_dated(version: str) -> bool:
    """Whether CHANGELOG.md says on which day a version was released."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return bool(re.search(heading, (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE))


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
    shutil.rmtree(UNRELEASED, ignore_errors=True)
    folder = RELEASES / version() if is_dated(version()) else UNRELEASED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, stack in today().items():
        (folder / name).write_text(json.dumps(synthesize(stack), indent=1) + "\n")
    print(f"recorded in {folder.relative_to(ROOT)}")
