"""What docs/accounts-and-regions.md says of watching many senders."""

from __future__ import annotations

from tools.fleets import PAGE, table, with_table


def test_the_table_is_that_of_the_templates() -> None:
    page = PAGE.read_text()
    assert page == with_table(page, table()), "run python -m tools.fleets"
