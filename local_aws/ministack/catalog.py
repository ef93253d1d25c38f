"""The tables of the Glue catalog."""

from __future__ import annotations

from typing import Any

from ministack.services import glue


def table(account: str, region: str, database: str, name: str) -> Any:
    """Return a table of the catalog, or None."""
    return glue._tables.get_scoped(account, region, f"{database}/{name}")
