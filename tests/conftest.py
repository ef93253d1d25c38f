from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.templates import new_app

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def recommended_flags() -> dict[str, Any]:
    """The feature flags of cdk.json, which are all that CDK recommends."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {key: value for key, value in context.items() if key.startswith("@aws-cdk")}


@pytest.fixture
def stack(recommended_flags: dict[str, Any]) -> cdk.Stack:
    """A stack in an app of its own, with the recommended feature flags."""
    return cdk.Stack(new_app(**recommended_flags), "Mail")


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)
