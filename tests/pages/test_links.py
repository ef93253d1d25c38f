"""Links between the pages: each points to a file that is there, and to a heading it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.templates import ROOT
from tools import site

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_points_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not _exists(page, link)] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            ahead += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    assert set(PAGES) - reached == set()


def test_every_page_stands_behind_one_of_the_doors() -> None:
    assert {*PAGES} == {*site.pages()}


def test_the_first_questions_are_answered_under_a_heading_two_clicks_from_the_readme() -> None:
    answers = re.findall(r"^\| .*\? \| \[.+\]\((\S+)\) \|$", site.DOORS.read_text(), re.MULTILINE)
    assert len(answers) == 13 and "docs/README.md" in links(ROOT / "README.md")
    assert [link for link in answers if "#" not in link or not _exists(site.DOORS, link)] == []


def test_the_pages_that_messages_name_exist() -> None:
    code = "".join(path.read_text() for path in (ROOT / "ses_events").rglob("*.py"))
    named = re.findall(r"(?:docs/|\")([\w-]+\.md(?:#[\w-]+)?)", code)
    assert len(named) > 5 and [link for link in named if not _exists(ROOT / "docs/security.md", link)] == []


def links(page: Path) -> list[str]:
    """The links of a page to the project itself: no code, no address."""
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def _exists(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """What a Git host calls the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
