"""Weeks of mail as CloudWatch sees them, minute by minute: what SES counts, and what reaches the delivery stream."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

DAY = 24 * 60
WEEK = 7 * DAY


def steady(rate: float) -> Callable[[random.Random, int], Iterator[float]]:
    """Mail at a constant rate a minute, at random moments."""

    def mail(chance: random.Random, minutes: int) -> Iterator[float]:
        at = chance.expovariate(rate)
        while at < minutes:
            yield at
            at += chance.expovariate(rate)

    return mail


def _nights(chance: random.Random, minutes: int) -> Iterator[float]:
    """Mail by day, and hardly any by night."""
    for at in steady(6)(chance, minutes):
        if 7 <= at % DAY // 60 < 20 or chance.random() < 0.01:
            yield at


def _bursts(chance: random.Random, minutes: int) -> Iterator[float]:
    """Bursts of 20 to 2,000 mails within three minutes, two an hour."""
    for start in steady(1 / 30)(chance, minutes):
        for _ in range(int(20 * 100 ** chance.random())):
            yield start + 3 * chance.random()


def _one_a_day(chance: random.Random, minutes: int) -> Iterator[float]:
    for day in range(minutes // DAY):
        yield day * DAY + 180 + 2 * chance.random()


def _campaigns(chance: random.Random, minutes: int) -> Iterator[float]:
    """A mail a minute, each morning 5,000 mails in ten minutes, and once 20,000 in two hours."""
    yield from steady(1)(chance, minutes)
    for day in range(minutes // DAY):
        yield from (day * DAY + 540 + 10 * chance.random() for _ in range(5000))
    if minutes > 3 * DAY:
        yield from (2 * DAY + 840 + 120 * chance.random() for _ in range(20_000))


SHAPES: Mapping[str, Callable[[random.Random, int], Iterator[float]]] = {
    "steady": steady(5),
    "nights": _nights,
    "bursts": _bursts,
    "one mail a day": _one_a_day,
    "campaigns": _campaigns,
}


@dataclass(frozen=True)
class Delays:
    """In minutes: how much later than it happens an event is counted and recorded, and CloudWatch tells of either."""

    counted: float = 0
    recorded: float = 0
    counts_told: int = 0
    records_told: int = 0
    stragglers: float = 0
    """The share of events that are recorded up to half an hour later."""


DELAYS: Mapping[str, Delays] = {
    "no delay": Delays(),
    "late records": Delays(recorded=5, records_told=5),
    "late counts": Delays(counted=5, counts_told=5),
    "stragglers": Delays(1, 2, 2, 3, stragglers=0.02),
}


@dataclass
class Traffic:
    """Mail of which each gives a Send and, seconds later, a Delivery."""

    shape: Callable[[random.Random, int], Iterator[float]]
    minutes: int
    delays: Delays = field(default_factory=Delays)
    lost: Callable[[float, random.Random], bool] = lambda at, chance: False
    """Whether an event of this minute is lost."""
    seed: int = 1

    def __post_init__(self) -> None:
        chance, delays = random.Random(self.seed), self.delays
        per_minute = {name: [0] * (self.minutes + 60) for name in ("Send", "Delivery", "IncomingRecords")}
        for mail in self.shape(chance, self.minutes):
            for name, at in (("Send", mail), ("Delivery", mail + 0.1)):
                per_minute[name][int(at + delays.counted * chance.random())] += 1
                if not self.lost(at, chance):
                    late = 30 if chance.random() < delays.stragglers else delays.recorded
                    per_minute["IncomingRecords"][int(at + late * chance.random())] += 1
        self._until = {name: [0, *accumulate(counts)] for name, counts in per_minute.items()}

    def events(self, start: int, end: int) -> int:
        """How many events are counted between two minutes."""
        return sum(self._until[name][end] - self._until[name][start] for name in ("Send", "Delivery"))

    def series(self, now: int, periods: int) -> Callable[[Mapping[str, Any], int, str], list[float | None]]:
        """What CloudWatch knows at a minute: the sums of periods that end now, as ``metric_math.data_points`` asks."""

        def sums(metric: Mapping[str, Any], period: int, statistic: str) -> list[float | None]:
            assert statistic == "Sum"
            name, length = metric["MetricName"], period // 60
            if name not in self._until:
                return [None] * periods
            told = now - (self.delays.records_told if name == "IncomingRecords" else self.delays.counts_told)
            until = self._until[name]
            edges = [max(min(now - length * back, told), 0) for back in range(periods, -1, -1)]
            return [until[end] - until[start] or None for start, end in pairwise(edges)]

        return sums
