"""The tables of docs/costs.md, from list prices and what the reference stack has: python -m tools.monthly_costs"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ses_events import SesEventsStack
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, Json, inline_actions, new_app, resources, synthesize

PAGE = ROOT / "docs/costs.md"


class Price(NamedTuple):
    """A list price of us-east-1, in dollars."""

    dollars: float
    unit: str
    page: str


PRICES = {
    "firehose": Price(0.029, "GB of events put into Firehose, a record billed as a multiple of 5 KB", "Data Firehose"),
    "conversion": Price(0.018, "GB converted to Parquet, counted in the same way", "Data Firehose"),
    "storage": Price(0.023, "GB and month in S3 Standard", "S3"),
    "put": Price(0.005, "thousand objects written", "S3"),
    "metric": Price(0.30, "custom metric and month, for the first 10,000", "CloudWatch"),
    "alarm": Price(0.10, "metric of an alarm and month", "CloudWatch"),
    "dashboard": Price(3.00, "dashboard and month", "CloudWatch"),
    "query": Price(5.00, "TB that a query reads, at least 10 MB a query", "Athena"),
    "key": Price(1.00, "KMS key and month", "KMS"),
    "mail": Price(0.10, "thousand mails, for comparison", "SES"),
}
"""As the pricing page of the service has it; free tiers and the lower prices of large volumes are left out."""

EVENTS_A_MAIL = 2
GZIP_GB_PER_MILLION = 0.2
QUERIES = 300
OBJECTS = 30 * 24 * 3600 // 300
"""What the page says it assumes."""


@dataclass(frozen=True)
class Stack:
    """What the reference stack has, by number."""

    counted: int
    """The event types that are counted by campaign."""
    counted_of_the_set: int
    """The event types that are counted for the set as a whole."""
    alarms: dict[str, int]
    """The metrics of each alarm."""
    named_queries: int
    prepared_statements: int
    actions: dict[str, int]
    """What each service may do with its role."""


@dataclass(frozen=True)
class Size:
    mails: int
    campaigns: int

    @property
    def millions(self) -> float:
        """Of events in a month."""
        return self.mails * EVENTS_A_MAIL / 1e6


SIZES = [Size(100_000, 5), Size(1_000_000, 20), Size(100_000_000, 200)]


def reference_stack() -> Stack:
    """Counted in its template."""
    template = synthesize(SesEventsStack(new_app(**RECOMMENDED_FLAGS), "SesEvents"))
    destinations: dict[str, int] = {}
    for body in resources(template, "AWS::SES::ConfigurationSetEventDestination").values():
        destination = body["Properties"]["EventDestination"]
        for dimension in destination.get("CloudWatchDestination", {}).get("DimensionConfigurations", []):
            destinations[dimension["DimensionName"]] = len(destination["MatchingEventTypes"])
    return Stack(
        destinations["campaign"],
        destinations["ses:configuration-set"],
        metrics_of_alarms(template),
        len(resources(template, "AWS::Athena::NamedQuery")),
        len(resources(template, "AWS::Athena::PreparedStatement")),
        {_trusted(role): len(inline_actions(role)) for role in resources(template, "AWS::IAM::Role").values()},
    )


def _trusted(role: Json) -> str:
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return str(statement["Principal"]["Service"])


def metrics_of_alarms(template: Json) -> dict[str, int]:
    """How many metrics each alarm of a template looks at, by which CloudWatch bills it."""
    return {
        name: len([each for each in body["Properties"].get("Metrics", [{}]) if "Expression" not in each])
        for name, body in resources(template, "AWS::CloudWatch::Alarm").items()
    }


def firehose(millions: float, price: str = "firehose") -> float:
    """What so many million events cost that are smaller than 5 KB each."""
    return millions * 1e6 * 5 / 1024**2 * PRICES[price].dollars


def by_campaign(stack: Stack, campaigns: int) -> float:
    """What counting each event type of so many campaigns costs, at most."""
    return stack.counted * campaigns * PRICES["metric"].dollars


def watching(stack: Stack) -> dict[str, float]:
    """What watching costs, at most."""
    return {
        "the alarms": sum(stack.alarms.values()) * PRICES["alarm"].dollars,
        "counts of the set for them": stack.counted_of_the_set * PRICES["metric"].dollars,
        "the dashboard": PRICES["dashboard"].dollars,
    }


def queries(millions: float) -> float:
    """What queries cost that read a week of the month each."""
    gigabytes = max(millions * GZIP_GB_PER_MILLION * 7 / 30, 0.01)
    return QUERIES * gigabytes / 1000 * PRICES["query"].dollars


def parts(stack: Stack, size: Size) -> dict[str, float]:
    """A month's bill by part."""
    return {
        "Firehose": firehose(size.millions),
        "S3, objects written": OBJECTS / 1000 * PRICES["put"].dollars,
        "S3, the events of a year kept": 12 * size.millions * GZIP_GB_PER_MILLION * PRICES["storage"].dollars,
        "CloudWatch, counts by campaign": by_campaign(stack, size.campaigns),
        **{f"CloudWatch, {name}": cost for name, cost in watching(stack).items()},
        "Athena": queries(size.millions),
    }


def cloudwatch(template: Json, campaigns: int = 1) -> float:
    """What alarms, dashboards and counts of a template cost, at most; a dimension of tags has a value a campaign."""
    dashboards = resources(template, "AWS::CloudWatch::Dashboard")
    counts = set()
    for body in resources(template, "AWS::SES::ConfigurationSetEventDestination").values():
        destination = body["Properties"]["EventDestination"]
        for dimension in destination.get("CloudWatchDestination", {}).get("DimensionConfigurations", []):
            name, default = dimension["DimensionName"], dimension["DefaultDimensionValue"]
            of_the_set = name == "ses:configuration-set"
            value = str(body["Properties"]["ConfigurationSetName"]) if of_the_set else default
            tagged = range(1 if of_the_set else campaigns)
            counts |= {(event, name, value, each) for event in destination["MatchingEventTypes"] for each in tagged}
    return (
        sum(metrics_of_alarms(template).values()) * PRICES["alarm"].dollars
        + len(dashboards) * PRICES["dashboard"].dollars
        + len(counts) * PRICES["metric"].dollars
    )


def month(templates: Sequence[Json], size: Size) -> float:
    """The bill of the stacks of an app, whose archives share the mail."""
    archives, parquet, keys, workgroups = (
        [body for template in templates for body in resources(template, kind).values()]
        for kind in (
            "AWS::KinesisFirehose::DeliveryStream",
            "AWS::Glue::Table",
            "AWS::KMS::Key",
            "AWS::Athena::WorkGroup",
        )
    )
    converted = any("parquet" in json.dumps(table).lower() for table in parquet)
    return (
        (firehose(size.millions) if archives else 0)
        + (firehose(size.millions, "conversion") if converted else 0)
        + len(archives) * OBJECTS / 1000 * PRICES["put"].dollars
        + 12 * size.millions * GZIP_GB_PER_MILLION * PRICES["storage"].dollars
        + sum(cloudwatch(template, size.campaigns) for template in templates)
        + len(keys) * PRICES["key"].dollars
        + len(workgroups) * queries(size.millions)
    )


def tables(stack: Stack) -> list[list[str]]:
    """The tables of the page, by line."""
    bills = [parts(stack, size) for size in SIZES]
    month = [
        "| | " + " | ".join(f"{size.mails:,} mails, {size.campaigns} campaigns" for size in SIZES) + " |",
        "|---|" + "--:|" * len(SIZES),
        *(_row(part, [bill[part] for bill in bills]) for part in bills[0]),
        _row("**together**", [sum(bill.values()) for bill in bills]),
        _row("with Parquet: conversion", [firehose(size.millions, "conversion") for size in SIZES]),
        _row("with a KMS key of yours", [PRICES["key"].dollars for _ in SIZES]),
        _row("SES itself, for comparison", [size.mails / 1000 * PRICES["mail"].dollars for size in SIZES]),
    ]
    prices = [
        "| price | for a | from the pricing page of |",
        "|---|---|---|",
        *(f"| ${dollars:g} | {unit} | {page} |" for dollars, unit, page in PRICES.values()),
    ]
    return [month, prices]


def with_tables(page: str, fresh: list[list[str]]) -> str:
    """The page with these tables in the place of those it has."""
    found = re.split(r"((?:^\|.*\n)+)", page, flags=re.MULTILINE)
    assert len(found) == 2 * len(fresh) + 1, f"{PAGE.name} has {len(found) // 2} tables"
    found[1::2] = ["\n".join([*table, ""]) for table in fresh]
    return "".join(found)


def _row(name: str, values: list[float]) -> str:
    return f"| {name} | {' | '.join(map(dollars, values))} |"


def dollars(value: float) -> str:
    """An amount as the pages write it."""
    return "under $0.01" if value < 0.005 else f"${value:,.2f}" if value < 1000 else f"${value:,.0f}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(), tables(reference_stack())))
