from __future__ import annotations

import inspect
import re

from ses_events import EventMonitoring, SesEventsStack, limits
from tests.limits_table import ELSEWHERE, RULES, WARNINGS, table
from tests.templates import ROOT, new_app, resources, synthesize


def test_the_table_of_limits_is_that_of_the_code() -> None:
    assert (ROOT / "docs/limits.md").read_text() == table()


def test_every_rule_is_in_the_table() -> None:
    rules: set[object] = {
        function
        for name, function in inspect.getmembers(limits, inspect.isfunction)
        if function.__module__ == limits.__name__ and name[0] != "_"
    }
    of_several = {
        limits.options_of_a_set,
        limits.known_to_differ,
        limits.trusts_of_ses,
        limits.queried_prefix,
        limits.reputation_metrics_of,
    }
    oddities = {limits.oddities_of_dimensions, limits.oddities_of_prefix, limits.oddities_of_both_prefixes}
    assert rules - of_several - oddities == {*RULES.values(), *ELSEWHERE.values()}


def test_every_warning_is_in_the_table() -> None:
    code = "".join(path.read_text() for path in (ROOT / "ses_events").rglob("*.py"))
    assert set(re.findall(r'"ses-events:([a-z-]+)"', code)) == set(WARNINGS)


def test_every_alarm_has_a_paragraph_and_every_paragraph_an_alarm() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    paragraphs = dict(re.findall(r"^### `(\w+)`\n\n(.*?)\n\n", page, re.MULTILINE | re.DOTALL))
    assert set(paragraphs) == set(EventMonitoring.__annotations__)
    assert not [name for name, text in paragraphs.items() if "**Do:**" not in text or "\n\n" in text]


def test_the_costs_are_those_of_the_alarms_that_the_reference_stack_has() -> None:
    template = synthesize(SesEventsStack(new_app(), "SesEvents"))
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    metrics = sum(len([each for each in alarm.get("Metrics", [{}]) if "Expression" not in each]) for alarm in alarms)
    row = f"| {len(alarms)} alarms of the reference stack, over {metrics} metrics | ${metrics / 10:.2f} |"
    assert row in (ROOT / "docs/operations.md").read_text()
