"""The figures that README and docs have in their sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.templates import ROOT
from tools.figures import sentences, with_sentences
from tools.monthly_costs import reference_stack


@pytest.fixture(scope="module")
def fresh() -> dict[Path, list[str]]:
    return sentences(reference_stack())


@pytest.mark.parametrize(
    "name", ["README.md", "docs/costs.md", "docs/operations.md", "docs/parts.md", "docs/performance.md"]
)
def test_a_page_has_the_figures_of_the_reference_stack(name: str, fresh: dict[Path, list[str]]) -> None:
    page = (ROOT / name).read_text()
    assert page == with_sentences(page, fresh[ROOT / name]), "run make pages"


def test_figures_change_and_nothing_else() -> None:
    assert with_sentences("In 2026, 14 alarms cost $2.60.", ["15 alarms cost $1,002.70."]) == (
        "In 2026, 15 alarms cost $1,002.70."
    )


@pytest.mark.parametrize("page", ["Three alarms cost more.", "14 alarms cost $2. 3 alarms cost $1."])
def test_a_sentence_that_is_not_there_once_is_named(page: str) -> None:
    with pytest.raises(AssertionError, match=r"sentences of the page are like this one: 15 alarms cost \$3\.$"):
        with_sentences(page, ["15 alarms cost $3."])
