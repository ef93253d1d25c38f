"""``python -m local_aws``: an empty AWS on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import signal
import threading

from local_aws.process import LocalAws


def main() -> None:
    """Start the local AWS, print how to use it, and wait."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="An AWS on this machine, until Ctrl-C.")
    parser.add_argument("--speed", type=float, default=100, help="how much faster than on AWS Firehose works (100)")
    speed = parser.parse_args().speed
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), LocalAws(speed) as aws:
        print(f"{aws.exports}\n# It runs until Ctrl-C. Its log: {aws.log}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
