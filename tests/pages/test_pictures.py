"""The pictures of docs/architecture.md, and the counts of the README."""

from __future__ import annotations

import re

from tests.support.templates import ROOT
from tools.pictures import PAGE, pictures, with_pictures


def test_the_pictures_are_those_of_the_template() -> None:
    page = PAGE.read_text()
    assert page == with_pictures(page, pictures()), "run python -m tools.pictures, and look at what it drew"


def test_the_readme_counts_what_the_picture_counts() -> None:
    readme, page = (ROOT / "README.md").read_text(), PAGE.read_text()
    (alarms,) = re.findall(r"(\d+) alarms, a dashboard", page)
    (queries, prepared) = re.findall(r"(\d+) saved queries,<br/>(\d+) prepared statements", page)[0]
    assert f"| alarms, saved queries | {alarms}, and {queries} besides {prepared} prepared statements |" in readme
    assert f"| alarms | {alarms}, with a runbook |" in readme


def test_the_readme_is_read_in_minutes() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 800
