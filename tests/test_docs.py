from __future__ import annotations

import inspect
import re

from ses_events import limits
from tests.limits_table import ELSEWHERE, RULES, WARNINGS, table
from tests.templates import ROOT


def test_the_table_of_limits_is_that_of_the_code() -> None:
    assert (ROOT / "docs/limits.md").read_text() == table()


def test_every_rule_is_in_the_table() -> None:
    rules: set[object] = {
        function
        for name, function in inspect.getmembers(limits, inspect.isfunction)
        if function.__module__ == limits.__name__ and name[0] != "_"
    }
    of_several = {limits.options_of_a_set, limits.known_to_differ, limits.trusts_of_ses, limits.queried_prefix}
    oddities = {limits.oddities_of_dimensions, limits.oddities_of_prefix, limits.oddities_of_both_prefixes}
    assert rules - of_several - oddities == {*RULES.values(), *ELSEWHERE.values()}


def test_every_warning_is_in_the_table() -> None:
    code = "".join(path.read_text() for path in (ROOT / "ses_events").rglob("*.py"))
    assert set(re.findall(r'"ses-events:([a-z-]+)"', code)) == set(WARNINGS)
