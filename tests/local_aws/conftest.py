from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_aws import LocalAws


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """One local AWS for all tests; the shortest buffering of Firehose, 60 s, takes 0.06 s in it."""
    with LocalAws(speed=1000) as local:
        yield local
