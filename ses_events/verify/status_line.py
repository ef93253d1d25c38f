"""A line at the end of a terminal that says what is waited for."""

from __future__ import annotations

from rich.console import Console
from rich.status import Status
from rich.text import Text


class StatusLine:
    """A line that changes, where the console is a terminal; nothing elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def show(self, text: Text | str) -> None:
        """Show a text in the place of the one before."""
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)

    def stop(self) -> None:
        """Take the line away."""
        if self._status:
            self._status.stop()
            self._status = None
