"""How fast the local AWS takes mail and publishes its events, and what it keeps of them: a table in Markdown.

    python -m benches.publishing [MAILS]

The reference stack has two event destinations, and a mail two events, Send and Delivery: an event is published when
both destinations have it. Memory and CPU are those of the server process (Linux); on a busy machine, compare the CPU.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_aws import LocalAws
from local_aws.demo import DOMAIN, STACK
from ses_events import SesEventsStack
from tests.local_aws.support.deployed import app, deploy, outputs_of

EVENTS, DESTINATIONS, BULK = 2, 2, 50
BODY = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Is anybody there?"}}}}
TEMPLATE = {"Template": {"TemplateContent": {"Subject": "Hello", "Text": "Is anybody there?"}, "TemplateData": "{}"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mails", type=int, nargs="?", default=1000)
    mails = parser.parse_args().mails
    with LocalAws() as aws:
        aws.client("ses").verify_domain_identity(Domain=DOMAIN)
        stack = SesEventsStack(app(), STACK)
        assert deploy(aws, stack) == []
        configuration_set = outputs_of(aws, stack)["ConfigurationSetName"]
        print(f"{mails:,} mails a run, one client; {os.cpu_count()} processors\n")
        print("| sent by | accepted in | published in | events a second | server's CPU an event | resident memory |")
        print("|---|--:|--:|--:|--:|--:|")
        for name, send in {"SendEmail": _one_by_one, f"SendBulkEmail of {BULK}": _in_bulk}.items():
            for _ in range(2):
                _run(aws, name, mails, send, configuration_set)


def _run(aws: LocalAws, name: str, mails: int, send: Callable[[Any, str, int], None], configuration_set: str) -> None:
    before, cpu, start = _published(aws), _cpu_seconds(aws), time.monotonic()
    send(aws.client("sesv2"), configuration_set, mails)
    accepted = time.monotonic() - start
    while _published(aws) - before < mails * EVENTS * DESTINATIONS:
        aws.require_running()
        time.sleep(0.05)
    published, events = time.monotonic() - start, mails * EVENTS
    used = 1000 * (_cpu_seconds(aws) - cpu) / events
    print(
        f"| {name} | {accepted:.1f} s | {published:.1f} s | {events / published:,.0f} | {used:.2f} ms "
        f"| {_resident(aws):.0f} MB |",
        flush=True,
    )


def _one_by_one(ses: Any, configuration_set: str, mails: int) -> None:
    for number in range(mails):
        ses.send_email(
            FromEmailAddress=f"sender@{DOMAIN}",
            Destination={"ToAddresses": [f"reader{number}@{DOMAIN}"]},
            Content=BODY,
            ConfigurationSetName=configuration_set,
        )


def _in_bulk(ses: Any, configuration_set: str, mails: int) -> None:
    for start in range(0, mails, BULK):
        recipients = [f"reader{number}@{DOMAIN}" for number in range(start, min(start + BULK, mails))]
        ses.send_bulk_email(
            FromEmailAddress=f"sender@{DOMAIN}",
            DefaultContent=TEMPLATE,
            BulkEmailEntries=[{"Destination": {"ToAddresses": [recipient]}} for recipient in recipients],
            ConfigurationSetName=configuration_set,
        )


def _published(aws: LocalAws) -> int:
    return aws.log.read_text().count(" published to ")


def _cpu_seconds(aws: LocalAws) -> float:
    user, system = Path(f"/proc/{aws.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _resident(aws: LocalAws) -> float:
    [line] = [line for line in Path(f"/proc/{aws.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
