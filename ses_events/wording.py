"""How a message words a value: on one line, as a person knows it, and nothing at length."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection


def one_line(problem: str) -> str:
    """Write a problem on one line that can be printed, without the middle of a very long value."""
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in problem)
    line = re.sub(r"('[^']{100})[^']{200,}([^']{20}')", r"\1…\2", line)
    return line if len(line) <= 480 else f"{line[:280]}…{line[-199:]}"


def shown(value: object) -> str:
    """Return a value as a person knows it: what is of CDK by its class and path, and nothing at length."""
    return _SHOWN.repr(value)


def type_of(value: object) -> str:
    """Return the name of a type, which for an implementation of one of CDK's interfaces jsii hides."""
    if isinstance(value, type):
        return "type"
    known = type(value)
    if known.__module__ == "jsii._reference_map":
        known = type(getattr(value, "_delegates", [value])[-1])
    hidden = re.fullmatch("_(.+)Proxy", known.__name__)
    return hidden[1] if hidden else known.__name__


class _Shown(reprlib.Repr):
    """What Python says of a value, but for what has no words of its own, or too many."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 160

    def repr_int(self, value: int, level: int) -> str:
        """Return a whole number; Python refuses to write a very long one."""
        return super().repr_int(value, level) if abs(value) < 10**300 else "<int of more than 300 digits>"

    def repr_instance(self, value: object, level: int) -> str:
        """Anything without a method of its own here."""
        if isinstance(value, type):
            return repr(value)
        if type(value).__repr__ is object.__repr__ or type(value).__module__.startswith("jsii."):
            path = getattr(getattr(value, "node", None), "path", None)
            return f"<{type_of(value)} {path!r}>" if path else f"<{type_of(value)}>"
        return re.sub(" at 0x[0-9A-Fa-f]+", "", super().repr_instance(value, level))


_SHOWN = _Shown()


def did_you_mean(value: str, known: Collection[str]) -> str:
    """Return the end of a sentence about an unknown word: the one that was probably meant, or all."""
    meant = closest(value, known)
    return f"did you mean {meant!r}?" if meant else f"use one of {', '.join(known)}"


def closest(value: str, known: Collection[str]) -> str | None:
    """Return the word that is most like another one, if any is."""
    import difflib  # seldom needed, and a thousandth of a synth to load

    return next(iter(difflib.get_close_matches(value, known, 1)), None)
