"""docs/proven.md, and the marks of the other pages that lead to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.templates import ROOT
from tools import doubts as room
from tools.doubts import LOCALLY, MARK, MARKED, PAGE, Doubt, doubts, page, with_marks
from tools.prove.measure import MEASUREMENTS


def test_the_page_is_that_of_the_doubts() -> None:
    assert PAGE.read_text() == page(), "run python -m tools.doubts"


@pytest.mark.parametrize("marked", MARKED, ids=lambda path: path.name)
def test_the_marks_of_a_page_say_what_the_file_says(marked: Path) -> None:
    text = marked.read_text()
    assert {mark[2] for mark in MARK.finditer(text)} <= {*doubts()}
    assert text == with_marks(text), "run python -m tools.doubts"


@pytest.mark.parametrize("marked", MARKED, ids=lambda path: path.name)
def test_a_page_says_unproven_of_a_doubt_only(marked: Path) -> None:
    text = marked.read_text()
    bare = re.findall(r".*\bunproven\b.*", MARK.sub("", text), re.IGNORECASE)
    assert bare == [], "link it to its doubt: [unproven](proven.md#id), with a row in docs/doubts.json"


@pytest.mark.parametrize("doubt", doubts().values(), ids=lambda doubt: doubt.id)
def test_a_doubt_has_a_mark_where_it_matters(doubt: Doubt) -> None:
    assert doubt.id in {mark[2] for mark in MARK.finditer((ROOT / "docs" / doubt.page).read_text())}


def test_a_doubt_is_settled_by_a_measurement_or_says_why_not() -> None:
    assert all(bool(doubt.settled_by) != bool(doubt.reason) for doubt in doubts().values())
    assert [id for id, doubt in doubts().items() if doubt.settled_by] == [*MEASUREMENTS]


def test_the_tests_that_the_page_names_are_there() -> None:
    named = re.findall(r"tests/[\w/.]+", str(LOCALLY))
    assert len(named) > 10 and [each for each in named if not (ROOT / each).exists()] == []


def test_an_answer_of_aws_changes_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FILE", "PAGE"):
        copied = tmp_path / getattr(room, name).name
        copied.write_text(getattr(room, name).read_text())
        monkeypatch.setattr(room, name, copied)
    marked = tmp_path / "marked.md"
    marked.write_text("".join(f"{each.mark}\n" for each in doubts().values()))
    monkeypatch.setattr(room, "MARKED", [marked])
    room.record({"first-deployment": "Yes: nothing failed", "express-retry": "No: refused"})
    assert marked.read_text().splitlines()[:3] == [
        "[proven](proven.md#first-deployment)",
        "[refuted](proven.md#express-retry)",
        "[unproven](proven.md#propagation-time)",
    ]
    assert "**Proven**: Yes: nothing failed" in room.PAGE.read_text()
