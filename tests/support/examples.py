"""The examples as tests run them: in this process, in an app of the test's own."""

from __future__ import annotations

import runpy
from functools import cache
from typing import TypeVar
from unittest import mock

import aws_cdk as cdk

from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
"""The names of the examples."""


S = TypeVar("S", bound=cdk.Stage)


def run(example: str, app: S) -> S:
    """Run an example; what it makes is in the given app, or in a stage of one."""
    with mock.patch.object(cdk, "App", lambda: app):
        runpy.run_path(str(ROOT / "examples" / f"{example}.py"))
    return app


@cache
def with_recommended_flags(example: str) -> cdk.App:
    """The app of an example with the feature flags of cdk.json, synthesized once for all tests."""
    return run(example, new_app(**RECOMMENDED_FLAGS))


def stacks(app: cdk.Stage) -> list[cdk.Stack]:
    """The stacks of an app, those of its stages too."""
    return [construct for construct in app.node.find_all() if isinstance(construct, cdk.Stack)]
