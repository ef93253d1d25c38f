from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.templates import RECOMMENDED_FLAGS, new_app


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run first what synthesizes whole apps, and last what makes a thousand of them.

    What tests make stays in CDK's process, which takes six times as long for a stack in the end.
    """
    early, late = ("pages", "test_upgrades.py"), "test_properties.py"
    items.sort(key=lambda item: item.path.name == late or -any(name in item.path.parts for name in early))


@pytest.fixture(scope="session", autouse=True)
def uncoloured() -> Iterator[None]:
    """The output of programs as tests read it, also where a CI system wants colours of them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
            environment.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def recommended_flags() -> dict[str, Any]:
    """The feature flags of cdk.json, which are all that CDK recommends."""
    return RECOMMENDED_FLAGS


@pytest.fixture
def stack(recommended_flags: dict[str, Any]) -> cdk.Stack:
    """A stack in an app of its own, with the recommended feature flags."""
    return cdk.Stack(new_app(**recommended_flags), "Mail")


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)
