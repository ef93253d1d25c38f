"""How a command of this package ends: interrupted once, or with nobody left who reads what it prints."""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import NoReturn

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, ``kill``, and a terminal that closes."""


def interrupt_once() -> None:
    """Let each interruption raise KeyboardInterrupt with its number, once: a second must not interrupt the end.

    A SIGHUP that is ignored stays so: that is what ``nohup`` asks for.
    """
    for each in INTERRUPTIONS:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, _interrupt)


def has_reader() -> bool:
    """Whether somebody may still read standard output: a pipe that is closed says so before anything is written."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def drop_output() -> None:
    """Forget what could not be printed, or Python fails at it again when it exits."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _interrupt(number: int, _: object) -> NoReturn:
    for each in INTERRUPTIONS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)
