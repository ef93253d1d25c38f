from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from ses_events.verify.deployed import Account

Stub = Callable[[str], Stubber]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that is reached by nobody: what a test does not stub fails."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return Account(profile=None, region="eu-west-1", endpoint_url="http://127.0.0.1:9")


@pytest.fixture
def stub(account: Account) -> Iterator[Stub]:
    """Answers of a service, checked against its API; all of them must be asked for."""
    stubbers: dict[str, Any] = {}
    with contextlib.ExitStack() as active:

        def stubber(service: str) -> Stubber:
            if service not in stubbers:
                stubbers[service] = active.enter_context(Stubber(account.client(service)))
            return stubbers[service]

        yield stubber
        for each in stubbers.values():
            each.assert_no_pending_responses()
