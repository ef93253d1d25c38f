from __future__ import annotations

import functools
from collections.abc import Iterator

import botocore.session
import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, STACK
from ses_events import SesEventsStack
from tests.local_aws.support.deployed import app, deploy, outputs_of


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """What boto3 knows of each service, read once and not by each of sixty sessions: megabytes of JSON."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    """One local AWS for all tests; the shortest buffering of Firehose, 60 s, takes 0.06 s in it."""
    with LocalAws(speed=1000) as local:
        yield local


@pytest.fixture(scope="session")
def still_aws() -> Iterator[LocalAws]:
    """One whose time hardly passes by itself: tests move it on, and nothing happens before they do."""
    with LocalAws(speed=1) as local:
        yield local


@pytest.fixture(scope="session")
def reference_stack(aws: LocalAws) -> dict[str, str]:
    """The outputs of the reference stack, deployed once for all tests, with an identity that mail can come from."""
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    stack = SesEventsStack(app(), STACK)
    assert deploy(aws, stack) == []
    return outputs_of(aws, stack)
