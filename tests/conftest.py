from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.templates import RECOMMENDED_FLAGS, new_app


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
