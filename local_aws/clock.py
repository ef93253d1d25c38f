"""The time of AWS as it passes here: faster than ours, and moved on by whoever tests with it."""

from __future__ import annotations

import bisect
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Clock:
    """Seconds of AWS since 1970, and what is to be done at which of them.

    :param speed: how many of them pass in one of ours.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._start = time.time()
        self._moves: list[tuple[float, float]] = [(0, 0)]  # when it was moved on, and how far in all since the start
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._working = threading.RLock()

    def now(self) -> float:
        """Return the time of AWS."""
        return self.of(time.time())

    def of(self, ours: float) -> float:
        """Return the time of AWS at one of our times."""
        with self._changed:
            _, moved = self._moves[bisect.bisect(self._moves, (ours, float("inf"))) - 1]
        return self._start + (ours - self._start) * self.speed + moved

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something when some seconds of AWS have passed, one thing after another."""
        with self._changed:
            heapq.heappush(self._due, (self.now() + seconds, next(self._numbers), do))
            self._changed.notify()

    def start(self) -> None:
        """From now on, do in a thread what is due."""
        threading.Thread(target=self._work_always, name="clock", daemon=True).start()

    def advance(self, seconds: float) -> None:
        """Move the time on, and do what is due meanwhile, each at its time."""
        with self._working:
            end = self.now() + seconds
            while self._work(end):
                pass
            self._move_to(end)

    def _work_always(self) -> None:
        while True:
            with self._changed:
                pause = (self._due[0][0] - self.now()) / self.speed if self._due else None
                if pause is None or pause > 0:
                    self._changed.wait(min(pause, threading.TIMEOUT_MAX) if pause is not None else None)
                    continue
            with self._working:
                self._work(self.now())

    def _work(self, until: float) -> bool:
        """Do what is due next; whether anything was."""
        with self._changed:
            if not self._due or self._due[0][0] > until:
                return False
            at, _, do = heapq.heappop(self._due)
        self._move_to(at)
        try:
            do()
        except Exception:  # in a thread, where nobody would hear of it, and which others wait for
            log.exception("%r failed", do)
        return True

    def _move_to(self, at: float) -> None:
        with self._changed:
            missing = at - self.now()
            if missing > 0:
                self._moves.append((time.time(), self._moves[-1][1] + missing))
                self._changed.notify()
