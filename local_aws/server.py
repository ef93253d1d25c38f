"""The server process: MiniStack, with what it lacks, over TLS. LocalAws starts it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import ssl
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app

from local_aws import ministack
from local_aws.athena import engine
from local_aws.clock import Clock
from local_aws.cloudwatch import actions
from local_aws.cloudwatch.alarms import Alarms
from local_aws.control import with_control
from local_aws.firehose.buffering import Firehose, refusal
from local_aws.ministack import delivery_streams, metrics, workgroups
from local_aws.ministack.delays import delays
from local_aws.ses.service import Ses

_SWITCH_SECONDS = 0.0005
"""How long a thread may work while others wait. Python's 5 ms are what a request would wait, again and again."""


class _Tls13(Config):
    """TLS 1.3 and nothing older, which is what the tag ses:source-tls-version of every event says."""

    def create_ssl_context(self) -> ssl.SSLContext | None:
        context = super().create_ssl_context()
        if context:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


def main(
    listener: int, certificate: str, speed: float, iam_delay: float, stream_delay: float, metric_delay: float
) -> None:
    """Serve on a socket that is bound already."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logger = logging.getLogger("local_aws")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(name)s] %(message)s"))
    logger.addHandler(handler)

    sys.setswitchinterval(_SWITCH_SECONDS)
    clock = Clock(speed)
    ministack.install()
    metrics.tell_time(clock)
    delivery_streams.check_destinations_in_s3(refusal)
    firehose = Firehose(clock)
    delivery_streams.hand_over_records(firehose.accept)
    workgroups.hand_over_queries(engine.run, engine.permit)
    metrics.check_topics_of_alarms(actions.refusal)
    delays.set(iam_delay, stream_delay, metric_delay)
    ses = Ses()
    ses.fill_in()
    Alarms(clock).evaluate_always()
    clock.start()

    config = _Tls13()
    config.bind = [f"fd://{listener}"]
    config.certfile = config.keyfile = certificate
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    # Nothing here needs a graceful end; without this trigger Hypercorn would turn SIGTERM into one.
    asyncio.run(
        serve(with_control(app, ses, clock, delays, firehose.quota), config, shutdown_trigger=asyncio.Event().wait)
    )


def _end_with_parent() -> None:
    """Standard input is a pipe that nobody writes to: it ends when the process that started this one does.

    That one had no time to remove its folder then, which has the key of the certificate.
    """
    sys.stdin.buffer.read()
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:]))
