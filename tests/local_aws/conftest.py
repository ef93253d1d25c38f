from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import LocalAws
from local_aws.cdk import Cdk
from local_aws.demo import DOMAIN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """One local AWS for all tests; the shortest buffering of Firehose, 60 s, takes 0.06 s in it."""
    with LocalAws(speed=1000) as local:
        yield local


@pytest.fixture(scope="session")
def ready_account(aws: LocalAws) -> LocalAws:
    """The local AWS, ready for deployments and for mail."""
    Cdk(aws, ROOT).bootstrap()
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    return aws
