"""``python -m local_aws``: an empty AWS on this machine, for any app, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from collections.abc import Iterator

from local_aws.ending import drop_output, has_reader, interrupt_once
from local_aws.process import LocalAws, LocalAwsError

_EXPLANATION = """\
Prints the exports after which aws, cdk and boto3 use it, and then a line for each thing that SES and Firehose do: each
event and each event destination, published or refused, and each object delivered.

    cdk bootstrap && cdk deploy
    aws sesv2 create-email-identity --email-identity example.com

Mail to the addresses of the mailbox simulator comes to what it comes to on AWS (success@simulator.amazonses.com,
bounce@, complaint@, suppressionlist@, ooto@, each also with +label); any other address gets its mail. What recipients
do is up to you:

    curl --cacert "$AWS_CA_BUNDLE" "$AWS_ENDPOINT_URL/_ses/events" \\
      -d '{"messageId": "...", "eventType": "Click", "link": "https://example.com/"}'

with the eventType Open, Click, DeliveryDelay or Subscription.
"""
_LINE = re.compile(r"^\S+ ([0-9:]{8})\S* (\w+) \[local_aws\.[\w.]+\] (.*)$")


def main() -> int:
    """Start the local AWS, print how to use it, and show what it does; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m local_aws",
        description="An empty AWS on this machine, until Ctrl-C.",
        epilog=_EXPLANATION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", type=float, default=100, help="how much faster than on AWS time passes (100)")
    parser.add_argument(
        "--iam-delay", type=float, default=0, metavar="SECONDS", help="until services see a new or changed role (0)"
    )
    parser.add_argument(
        "--stream-delay", type=float, default=0, metavar="SECONDS", help="until a new delivery stream is ACTIVE (0)"
    )
    parser.add_argument(
        "--metric-delay", type=float, default=0, metavar="SECONDS", help="of AWS, until alarms see what is counted (0)"
    )
    parser.add_argument("--port", type=int, help="where to listen on 127.0.0.1 (a port that is free)")
    options = parser.parse_args()
    interrupt_once()
    try:
        aws = LocalAws(
            options.speed,
            iam_delay=options.iam_delay,
            stream_delay=options.stream_delay,
            metric_delay=options.metric_delay,
            port=options.port,
        )
        with contextlib.suppress(KeyboardInterrupt), aws:
            print(f"{aws.exports}\n\n# It runs until Ctrl-C. Its log: {aws.log}", flush=True)
            for line in _doings(aws):
                print(line, flush=True)
    except BrokenPipeError:
        drop_output()
    except (LocalAwsError, OSError, ValueError) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _doings(aws: LocalAws) -> Iterator[str]:
    """What SES and Firehose do, as it comes into the server's log, until nobody reads it any more.

    :raises LocalAwsError: when the server ends.
    """
    with aws.log.open() as lines:
        unfinished = ""
        while True:
            unfinished += lines.readline()
            if not unfinished.endswith("\n"):
                aws.require_running()
                if not has_reader():
                    return
                time.sleep(0.1)
                continue
            line, unfinished = _LINE.match(unfinished), ""
            if line:
                at, level, doing = line.groups()
                yield f"{at} {'REFUSED ' if level == 'ERROR' else ''}{doing}"


if __name__ == "__main__":
    sys.exit(main())
