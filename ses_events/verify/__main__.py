"""``python -m ses_events.verify``: the command where the package is not installed, as in a clone."""

from __future__ import annotations

import sys

from ses_events.verify.cli import main

if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(given if given and not given[0].startswith("-") else ["verify", *given]))
