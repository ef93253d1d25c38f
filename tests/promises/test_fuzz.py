"""A small part of ``make fuzz``: right and hostile arguments, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

import ses_events
from ses_events import EventArchive
from tools import fuzz


def test_every_call_is_refused_cleanly_or_gives_a_template(tmp_path: Path) -> None:
    found = fuzz.run(40, 1, tmp_path)
    assert {kind: text for kind, (text, _) in found.faults.items()} == {}
    assert found.counts.keys() == {"refused", "taken"}


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("Mail/A: prefix 7 is of type int; use a string", None),
        ("A: argument 'prefx' is unknown; did you mean 'prefix'?", None),
        ("Mail/A: bucket <jsii._reference_map.x>; use an s3.Bucket", "refused in words of CDK's insides"),
        ("Mail/A: prefix\n7; use a string", "refused without a place or a fix"),
        ("Mail/A: prefix \x00; use a string", "refused with what cannot be printed"),
        (f"Mail/A: prefix {'x' * 500}; use a string", "refused too long"),
        ("Mail/A: prefix is wrong", "refused without a place or a fix"),
    ],
)
def test_a_clean_refusal_has_a_place_and_a_fix(message: str, fault: str | None) -> None:
    assert fuzz.fault_of(message) == fault


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), "refused without a place or a fix"),
        (RuntimeError("no"), "other exception"),
        (ValueError("Mail/Archive: grantee 7 is no role; use one"), "refused"),
    ],
)
def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    case = next(case for case in fuzz.cases(1000, 1) if case.call.name == "EventArchive.grant_read")
    monkeypatch.setattr(EventArchive, "grant_read", broken)
    assert fuzz.outcome_of(case, fuzz.World()).kind == kind


def test_everything_public_is_called() -> None:
    called = {call.public.__name__ for call in fuzz.calls()}
    # A base class, and a value without arguments.
    assert {*ses_events.__all__} - called == {"EventDestination", "JsonFormat", "UNTOUCHED_MAIL"}
