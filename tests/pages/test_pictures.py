"""The pictures of docs/architecture.md."""

from __future__ import annotations

from tools.pictures import PAGE, pictures, with_pictures


def test_the_pictures_are_those_of_the_template() -> None:
    page = PAGE.read_text()
    assert page == with_pictures(page, pictures()), "run python -m tools.pictures, and look at what it drew"
