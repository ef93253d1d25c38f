"""The table of docs/accounts-and-regions.md about fleets, counted in templates: python -m tools.fleets"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import aws_cdk as cdk

from ses_events import (
    CloudWatchDestination,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
)
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app, resources, synthesize
from tools.monthly_costs import cloudwatch

PAGE = ROOT / "docs/accounts-and-regions.md"
FLEETS = (1, 10, 60)
"""How many senders the table has."""


class Watched(NamedTuple):
    """What there is for some senders."""

    resources: int
    alarms: int
    dollars: float


def stack_each(senders: int) -> list[cdk.Stack]:
    """A stack, an archive and an `EventMonitoring` for each"""
    app, stacks = new_app(**RECOMMENDED_FLAGS), []
    for number in range(senders):
        stacks.append(cdk.Stack(app, f"Sender{number}"))
        archive = EventArchive(stacks[-1], "Archive")
        publishing = EventPublishing(stacks[-1], "Publishing", reputation_metrics=True)
        publishing.add_destination("ToArchive", FirehoseDestination(archive))
        EventMonitoring(stacks[-1], "Monitoring", publishing=publishing, archive=archive, account_reputation=not number)
    return stacks


def monitoring_each(senders: int, dashboard: bool = True) -> list[cdk.Stack]:
    """One archive, an `EventMonitoring` for each"""
    stack, archive, sets = _sets(senders)
    EventMonitoring(stack, "Monitoring", archive=archive)
    for number, publishing in enumerate(sets):
        EventMonitoring(
            stack, f"Monitoring{number}", publishing=publishing, account_reputation=not number, dashboard=dashboard
        )
    return [stack]


def monitoring_each_without_dashboard(senders: int) -> list[cdk.Stack]:
    """The same, each with `dashboard=False`"""
    return monitoring_each(senders, dashboard=False)


def shared_counter(senders: int) -> list[cdk.Stack]:
    """One archive, one `EventMonitoring` with a `shared_counter`"""
    stack, archive, sets = _sets(senders)
    counter = CloudWatchDestination.by_tag("archive", default_value="mail")
    for publishing in sets:
        publishing.add_destination("ToCounter", counter)
    EventMonitoring(stack, "Monitoring", publishing=sets[0], archive=archive, shared_counter=counter)
    return [stack]


def one_monitoring(senders: int) -> list[cdk.Stack]:
    """One archive, one `EventMonitoring`"""
    stack, archive, sets = _sets(senders)
    EventMonitoring(stack, "Monitoring", publishing=sets[0], archive=archive)
    return [stack]


WAYS: tuple[Callable[[int], list[cdk.Stack]], ...] = (
    stack_each,
    monitoring_each,
    monitoring_each_without_dashboard,
    shared_counter,
    one_monitoring,
)


def table() -> str:
    """The table, in Markdown."""
    lines = [f"| for so many senders | {' | '.join(map(str, FLEETS))} |", f"|---|{'--:|' * len(FLEETS)}"]
    for way in WAYS:
        fleets = [_fleet(way, senders) for senders in FLEETS]
        cells = [
            "<br/>".join(
                [f"{fleet.resources:,} resources", f"{fleet.alarms:,} alarms", f"${fleet.dollars / senders:.2f} each"]
            )
            for senders, fleet in zip(FLEETS, fleets, strict=True)
        ]
        lines.append(f"| {way.__doc__} | {' | '.join(cell.replace(' ', '&nbsp;') for cell in cells)} |")
    return "\n".join([*lines, ""])


def with_table(page: str, fresh: str) -> str:
    """The page with this table in the place of the one it has."""
    found = re.split(r"(^\| for .* senders? \|.*\n(?:^\|.*\n)*)", page, flags=re.MULTILINE)
    assert len(found) == 3, f"{PAGE.name} has {len(found) // 2} tables of fleets"
    return found[0] + fresh + found[2]


def _fleet(way: Callable[[int], list[cdk.Stack]], senders: int) -> Watched:
    """Counted with one sender, two and three, as each after the second adds the same."""
    if senders == 1:
        return counted(way, 1)
    two, three = counted(way, 2), counted(way, 3)
    each = [later - earlier for earlier, later in zip(two, three, strict=True)]
    several = [first + (senders - 2) * more for first, more in zip(two, each, strict=True)]
    return Watched(int(several[0]), int(several[1]), several[2])


@cache
def counted(way: Callable[[int], list[cdk.Stack]], senders: int) -> Watched:
    """What the templates have, and what CloudWatch bills for it at most."""
    templates = [synthesize(stack) for stack in way(senders)]
    found = sum(len(template["Resources"]) for template in templates)
    alarms = sum(len(resources(template, "AWS::CloudWatch::Alarm")) for template in templates)
    return Watched(found, alarms, sum(map(cloudwatch, templates)))


def _sets(senders: int) -> tuple[cdk.Stack, EventArchive, list[EventPublishing]]:
    stack = cdk.Stack(new_app(**RECOMMENDED_FLAGS), "Senders")
    archive = EventArchive(stack, "Archive")
    to_archive = FirehoseDestination.with_shared_role(archive)
    sets = [EventPublishing(stack, f"Sender{number}", reputation_metrics=True) for number in range(senders)]
    for publishing in sets:
        publishing.add_destination("ToArchive", to_archive)
    return stack, archive, sets


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), table()))
