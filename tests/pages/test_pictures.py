"""The pictures of docs/architecture.md, and the length of the README."""

from __future__ import annotations

from tests.support.templates import ROOT
from tools.pictures import PAGE, pictures, with_pictures


def test_the_pictures_are_those_of_the_template() -> None:
    page = PAGE.read_text()
    assert page == with_pictures(page, pictures()), "run make pages, and look at what it drew"


def test_the_readme_is_read_in_minutes() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 800
