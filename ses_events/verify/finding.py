"""What a diagnosis finds: causes, and what could not be looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import ClientError

from ses_events.verify.account import error_message, is_denial


@dataclass(frozen=True)
class Cause:
    """Why an event did not arrive.

    :param what: the cause, in a sentence.
    :param seen: what shows it.
    :param fix: what to do.
    :param paste: the command that does it, or the statement that a policy needs.
    :param certain: nothing can arrive while it lasts, so waiting is of no use.
    :param about: the action that is refused, or the kind of trouble; two causes about the same are told once.
    :param is_logged: whether it is from a log, which confirms a cause about the same that is known already.
    """

    what: str
    seen: str
    fix: str
    paste: str = ""
    certain: bool = True
    about: str = ""
    is_logged: bool = False


@dataclass(frozen=True)
class Unseen:
    """Something that could not be looked at.

    :param what: what was not looked at.
    :param why: what the caller's credentials do not allow, or what AWS said.
    """

    what: str
    why: str


Finding = Cause | Unseen


@contextlib.contextmanager
def looking(action: str, what: str) -> Iterator[list[Unseen]]:
    """Look at something that the caller may not be allowed to see: then that comes back in the list."""
    unseen: list[Unseen] = []
    try:
        yield unseen
    except ClientError as error:
        unseen.append(Unseen(what, f"you lack {action}" if is_denial(error) else error_message(error)))
