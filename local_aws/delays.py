"""What takes time on AWS: roles that services do not know yet, and delivery streams that are being created."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Delays:
    """Seconds, which may change while the local AWS runs.

    :param iam: how long services go on seeing a role, and its policies, as it was before a change.
    :param stream: how long a delivery stream is CREATING.
    """

    iam: float = 0
    stream: float = 0

    def set(self, iam: float, stream: float) -> None:
        """Change both.

        :raises ValueError: when one is no time.
        """
        for name, seconds in (("IAM", iam), ("stream", stream)):
            if not 0 <= seconds < math.inf:
                raise ValueError(f"the {name} delay of {seconds:g} s is no time; it takes 0 s or more")
        self.iam, self.stream = iam, stream


@dataclass
class Past(Generic[T]):
    """What things were like at any time since the server started."""

    _versions: dict[str, list[tuple[float, T | None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, things: Mapping[str, T]) -> None:
        """Note what all things are like now; what is missing is gone."""
        with self._lock:
            for name in {*things, *self._versions}:
                versions = self._versions.setdefault(name, [])
                if not versions or versions[-1][1] != things.get(name):
                    versions.append((time.monotonic(), things.get(name)))

    def seen(self, name: str, seconds_ago: float) -> T | None:
        """What a thing was like some seconds ago; None when it did not exist."""
        then = time.monotonic() - seconds_ago
        with self._lock:
            return next((thing for at, thing in reversed(self._versions.get(name, [])) if at <= then), None)
