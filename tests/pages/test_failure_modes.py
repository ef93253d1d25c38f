from __future__ import annotations

import re

from tools.failure_modes import ASSUMPTIONS, BLOCK, MODES, PAGE, head

MENDED_BY = "run python -m tools.failure_modes, which takes a quarter of an hour"


def test_the_table_has_each_failure_mode_and_no_other() -> None:
    [block] = BLOCK.findall(PAGE.read_text())
    lines = block.splitlines()
    assert lines[:2] == head(), MENDED_BY
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == [mode.name for mode in MODES], MENDED_BY


def test_each_alarm_of_the_table_is_explained_on_the_page() -> None:
    page = PAGE.read_text()
    [block] = BLOCK.findall(page)
    named = set(re.findall(r"`([a-z_]+)` \d", block))
    assert named <= set(re.findall(r"^### `([a-z_]+)`$", page, re.MULTILINE))
    assert len(named) > 5


def test_the_page_says_how_the_run_was_made() -> None:
    assert ASSUMPTIONS in re.sub(r"\s+", " ", PAGE.read_text())
