"""docs/costs.md, and what the other pages say of costs."""

from __future__ import annotations

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
    firehose,
    month,
    parts,
    reference_stack,
    tables,
    with_tables,
)


def test_the_page_is_that_of_the_prices_and_the_template() -> None:
    page = PAGE.read_text()
    assert page == with_tables(page, tables(reference_stack())), "run make pages"


def test_the_bill_of_a_template_is_that_of_the_page() -> None:
    template = synthesize(SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents"))
    for size in SIZES:
        assert month([template], size) == pytest.approx(sum(parts(reference_stack(), size).values()))


def test_what_the_page_assumes_is_what_the_bill_assumes() -> None:
    text = " ".join(PAGE.read_text().split())
    assert EVENTS_A_MAIL == 2 and "two events a mail" in text
    for said in (f"a million take {GZIP_GB_PER_MILLION:g} GB", f"{QUERIES} queries"):
        assert said in text


def test_the_page_about_analytics_agrees() -> None:
    text = (ROOT / "docs/analytics.md").read_text()
    for price in ("firehose", "conversion", "storage", "put"):
        assert f"${PRICES[price].dollars:g} a " in text
    assert f"${firehose(1):.2f} |" in text and f"${firehose(1, 'conversion'):.2f} |" in text
    assert f"${PRICES['query'].dollars:.0f} for a terabyte" in text
