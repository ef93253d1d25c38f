from __future__ import annotations

import functools
import time

import pytest

from local_aws.clock import Clock


def test_a_clock_that_is_moved_does_what_is_due_in_order_and_each_at_its_time() -> None:
    clock, done = Clock(1), []
    start = clock.now()

    def note(name: str) -> None:
        done.append((name, round(clock.now() - start)))

    for seconds, name in ((7200, "late"), (60, "soon"), (3600, "between")):
        clock.later(seconds, functools.partial(note, name))
    clock.advance(4000)
    assert done == [("soon", 60), ("between", 3600)]
    assert round(clock.now() - start) == 4000
    clock.advance(4000)
    assert done[2:] == [("late", 7200)]


def test_what_is_done_may_ask_for_more_in_the_same_move() -> None:
    clock, minutes = Clock(1), []

    def every_minute() -> None:
        minutes.append(clock.now())
        clock.later(60, every_minute)

    every_minute()
    clock.advance(3630)
    assert len(minutes) == 61


def test_a_failure_does_not_stop_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    clock, done = Clock(1), []
    clock.later(1, lambda: 1 // 0)
    clock.later(2, lambda: done.append("done"))
    clock.advance(3)
    assert done == ["done"]
    assert "ZeroDivisionError" in caplog.text


def test_a_time_of_ours_keeps_its_time_of_aws_when_the_clock_is_moved() -> None:
    clock = Clock(100)
    ours = time.time()
    of_aws = clock.of(ours)
    clock.advance(3600)
    assert clock.of(ours) == of_aws
    assert clock.now() >= of_aws + 3600
