from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.clock import Clock
from local_aws.ministack import metrics
from local_aws.ministack.delays import delays

ACCOUNT, REGION = "000000000000", "us-east-1"


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(1)
    metrics.tell_time(clock)
    yield clock
    delays.set(0, 0, 0)


@pytest.fixture
def name() -> str:
    return f"Metric{uuid.uuid4().hex}"


def record(name: str, value: float = 1.0) -> None:
    metrics.record_metric("AWS/SES", name, value, "Count", {"campaign": "spring"}, ACCOUNT, REGION)


def points(name: str) -> list[dict[str, object]]:
    return metrics.data_points("AWS/SES", name, {"campaign": "spring"})


def test_the_samples_of_a_minute_are_one_data_point(clock: Clock, name: str) -> None:
    clock.advance(60 - clock.now() % 60)
    for value in (1, 1, 5, 2):
        record(name, value)
    assert len(points(name)) == 1
    now = clock.now()
    statistics = {
        statistic: metrics.statistic(points(name), statistic, now - 60, now + 60)
        for statistic in ("Sum", "SampleCount", "Minimum", "Maximum")
    }
    assert statistics == {"Sum": 9, "SampleCount": 4, "Minimum": 1, "Maximum": 5}
    clock.advance(60)
    record(name)
    assert len(points(name)) == 2


def test_a_sample_is_seen_when_its_delay_is_over_and_has_the_time_it_was_taken(clock: Clock, name: str) -> None:
    delays.set(0, 0, 180)
    taken = clock.now()
    record(name)
    clock.advance(120)
    assert points(name) == []
    clock.advance(61)
    assert metrics.statistic(points(name), "Sum", taken, taken + 30) == 1


def test_a_minute_comes_in_pieces(clock: Clock, name: str) -> None:
    delays.set(0, 0, 120)
    clock.advance(60 - clock.now() % 60)
    start = clock.now()
    record(name)
    clock.advance(40)
    record(name)
    clock.advance(81)
    assert metrics.statistic(points(name), "Sum", start, start + 60) == 1
    clock.advance(40)
    assert metrics.statistic(points(name), "Sum", start, start + 60) == 2
    assert len(points(name)) == 1


def test_alarms_that_cannot_be_listed_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Changing(dict[str, object]):
        def values(self) -> Any:
            raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr("ministack.services.cloudwatch._alarms", Changing())
    with pytest.raises(RuntimeError, match="changed size"):
        metrics.metric_alarms()
