from __future__ import annotations

import pytest

from local_aws import LocalAws
from local_aws.cdk import Cdk
from tests.support.templates import ROOT


@pytest.mark.parametrize(("home", "moved"), [("/proc/nowhere", True), (None, False)])
def test_jsii_keeps_its_cache_where_it_can_write(
    home: str | None, moved: bool, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    if home:
        monkeypatch.setenv("HOME", home)
    kept = Cdk(aws, ROOT).environment.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    assert kept == (str(aws.folder / "jsii") if moved else None)
