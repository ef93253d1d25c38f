"""``python -m ses_events.verify``: the command where the package is not installed, as in a clone."""

from __future__ import annotations

import sys

from ses_events.verify.cli import main

if __name__ == "__main__":
    sys.exit(main(["verify", *sys.argv[1:]]))
