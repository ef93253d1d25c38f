"""docs/costs.md, and what the other pages say of costs."""

from __future__ import annotations

import re

import pytest

from ses_events import SesEventsStack
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app, synthesize
from tools.monthly_costs import (
    EVENTS_A_MAIL,
    GZIP_GB_PER_MILLION,
    PAGE,
    PRICES,
    QUERIES,
    SIZES,
    Stack,
    by_campaign,
    firehose,
    month,
    parts,
    reference_stack,
    tables,
    watching,
    with_tables,
)


@pytest.fixture(scope="module")
def stack() -> Stack:
    return reference_stack()


def test_the_page_is_that_of_the_prices_and_the_template(stack: Stack) -> None:
    page = PAGE.read_text()
    assert page == with_tables(page, tables(stack)), "run python -m tools.monthly_costs"


def test_the_bill_of_a_template_is_that_of_the_page(stack: Stack) -> None:
    template = synthesize(SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents"))
    for size in SIZES:
        assert month([template], size) == pytest.approx(sum(parts(stack, size).values()))


def test_what_the_page_says_besides_agrees(stack: Stack) -> None:
    text = " ".join(PAGE.read_text().split())
    assert EVENTS_A_MAIL == 2 and "two events a mail" in text
    counted = f"{stack.counted} event types of 50 campaigns are {stack.counted * 50} metrics"
    for said in (
        f"a million take {GZIP_GB_PER_MILLION:g} GB",
        f"{QUERIES} queries",
        f"{counted}, ${by_campaign(stack, 50):.0f}.",
        f"up to ${sum(watching(stack).values()):.2f}",
    ):
        assert said in text


def test_the_readme_agrees() -> None:
    readme, page = (ROOT / "README.md").read_text(), PAGE.read_text()
    volumes = re.findall(r"\| (1[\d,]+ mails, \d+ campaigns)", page)
    together = re.findall(r"\$[\d,.]+", next(line for line in page.splitlines() if line.startswith("| **together**")))
    assert len(volumes) == 3
    for volume, dollars in zip(volumes, together, strict=True):
        assert re.search(rf"{volume} \| {re.escape(dollars)}\b", readme)
    (by_campaign,) = re.findall(r"of which (\$[\d.]+) for the counts by campaign", readme)
    assert f"| CloudWatch, counts by campaign | {by_campaign} |" in page


def test_the_page_about_operations_agrees(stack: Stack) -> None:
    text = (ROOT / "docs/operations.md").read_text()
    alarms, counts, dashboard = watching(stack).values()
    for said in (f" | ${alarms:.2f} |", f" | up to ${counts:.2f} |", f" | ${dashboard:.2f} |"):
        assert said in text


def test_the_page_about_analytics_agrees() -> None:
    text = (ROOT / "docs/analytics.md").read_text()
    for price in ("firehose", "conversion", "storage", "put"):
        assert f"${PRICES[price].dollars:g} a " in text
    assert f"${firehose(1):.2f} |" in text and f"${firehose(1, 'conversion'):.2f} |" in text
    assert f"${PRICES['query'].dollars:.0f} for a terabyte" in text
