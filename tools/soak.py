"""Much mail through the local AWS, with faults in the middle, and then the books: python -m tools.soak [MAILS]

Several threads send mail of mixed outcomes in phases, each two hours of AWS long: healthy ones, and one for each
fault, after which it is repaired. In the end each event that mail must have is in the archive, or under the error
prefix, or it was sent under a fault of which an alarm told that rang meanwhile, or within two hours. The exit code is 1
where one is none of these.

The local AWS keeps nothing when it ends, so it is not restarted.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local_aws.demo import DOMAIN, archived_events
from ses_events.archive.archive import DEFAULT_ERROR_OUTPUT_PREFIX
from tools.faults import HOUR, MINUTE, Fault, System, bucket_denies, key_disabled, nothing, started, trust_broken

THREADS = 4
CHUNKS = 12
"""A phase has so many, with ten minutes of AWS after each."""
PHASE = 2 * HOUR
TOLD_WITHIN = 2 * HOUR

TEXT = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Is anybody there?"}}}}
VIRUS = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"}}}}
SIMULATOR = "simulator.amazonses.com"
KINDS = [
    *4 * [(f"reader@{DOMAIN}", TEXT, ("Send", "Delivery"))],
    (f"bounce@{SIMULATOR}", TEXT, ("Send", "Bounce")),
    (f"complaint@{SIMULATOR}", TEXT, ("Send", "Delivery", "Complaint")),
    (f"ooto@{SIMULATOR}", TEXT, ("Send", "Delivery", "Bounce")),
    (f"suppressionlist@{SIMULATOR}", TEXT, ("Send", "Bounce")),
    (f"reader@{DOMAIN}", VIRUS, ("Send", "Reject")),
    (f"reader@{DOMAIN}", {"Template": {"TemplateName": "hello", "TemplateData": "{}"}}, ("Rendering Failure",)),
]
"""Recipient, content and the events that follow (SES developer guide, mailbox simulator)."""
NOT_OF_LOSS = ("rejects", "rendering_failures", "_rate", "_near_quota")
"""How the names of alarms end that tell of mail, and not of its events."""

Event = tuple[str, str]
"""Message id and type."""


@contextlib.contextmanager
def stack_updated(system: System) -> Iterator[None]:
    """The stack is deployed with another buffering interval while mail is sent."""
    update = threading.Thread(target=system.update, args=[10])
    update.start()
    yield
    update.join()


PHASES: dict[str, Fault] = {
    "healthy": nothing,
    "bucket denied": bucket_denies,
    "repaired": nothing,
    "key disabled": key_disabled,
    "repaired again": nothing,
    "trust broken": trust_broken,
    "stack updated": stack_updated,
    "healthy in the end": nothing,
}


@dataclass
class Sent:
    """The events that mail of a phase must have, and when it was sent.

    :param broken: whether a fault was planted that events may be lost by.
    """

    phase: str
    broken: bool
    start: float
    end: float
    mails: int
    expected: Counter[Event]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mails", type=int, nargs="?", default=5000)
    mails = parser.parse_args().mails
    begin = time.monotonic()
    with started() as system:
        phases = [_sent(system, phase, fault, mails // len(PHASES)) for phase, fault in PHASES.items()]
        system.pass_time(TOLD_WITHIN, 10 * MINUTE)
        took = time.monotonic() - begin
        archived, in_errors = Counter[Event](), Counter[Event]()
        for key, event in archived_events(system.aws, system.outputs["Bucket"]):
            found = in_errors if key.startswith(DEFAULT_ERROR_OUTPUT_PREFIX.partition("!")[0]) else archived
            found[event["mail"]["messageId"], event["eventType"]] += 1
    return _report(phases, archived, in_errors, system, took)


def _sent(system: System, phase: str, fault: Fault, mails: int) -> Sent:
    """Send the mail of a phase."""
    start, expected = system.passed, Counter[Event]()
    ses = system.aws.client("sesv2")

    def send(number: int) -> list[Event]:
        recipient, content, events = KINDS[number % len(KINDS)]
        answer = ses.send_email(
            FromEmailAddress=f"sender@{DOMAIN}",
            Destination={"ToAddresses": [recipient]},
            Content=content,
            ConfigurationSetName=system.configuration_set,
        )
        return [(answer["MessageId"], event) for event in events]

    with fault(system), ThreadPoolExecutor(THREADS) as threads:
        for chunk in range(CHUNKS):
            numbers = range(mails * chunk // CHUNKS, mails * (chunk + 1) // CHUNKS)
            for events in threads.map(send, numbers):
                expected.update(events)
            system.pass_time(PHASE / CHUNKS, 5 * MINUTE)
    print(f"{phase}: {mails} mails in {PHASE // HOUR} hours of AWS", file=sys.stderr, flush=True)
    return Sent(phase, fault not in (nothing, stack_updated), start, system.passed, mails, expected)


def _report(
    phases: list[Sent], archived: Counter[Event], in_errors: Counter[Event], system: System, took: float
) -> int:
    """Print the books; the exit code."""
    of_loss = [rang for rang in system.rang if not rang[0].endswith(NOT_OF_LOSS)]
    unexplained = 0
    print("| phase | mails | expected | archived | in errors/ | lost | duplicated | began to ring |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    for sent in phases:
        there = Counter({event: archived[event] for event in sent.expected})
        failed = Counter({event: in_errors[event] for event in sent.expected})
        lost, twice = sent.expected - there - failed, there - sent.expected
        told = [
            (name, since)
            for name, since, until in of_loss
            if since <= sent.end + TOLD_WITHIN and (until is None or until >= sent.start)
        ]
        if not (told and sent.broken):
            unexplained += lost.total()
        began = [(name, since - sent.start) for name, since in told if sent.start < since <= sent.end]
        names = ", ".join(f"`{name}` after {after / MINUTE:.0f} min" for name, after in began)
        counts = (sent.mails, sent.expected.total(), there.total(), failed.total(), lost.total(), twice.total())
        print(f"| {sent.phase} | {' | '.join(f'{count:,}' for count in counts)} | {names} |")
    foreign = set(archived) - {event for sent in phases for event in sent.expected}
    mails = sum(sent.mails for sent in phases)
    print(f"\n{mails:,} mails from {THREADS} threads, {system.passed / HOUR:.0f} hours of AWS")
    print(f"in {took:.0f} s. Archived and never sent: {len(foreign)}. Lost and not told of: {unexplained}.")
    for name, since, until in system.rang:
        ended = f"{until / HOUR:.2f} h" if until is not None else "the end"
        print(f"  {name} rang from {since / HOUR:.2f} h to {ended}")
    return 1 if unexplained or foreign else 0


if __name__ == "__main__":
    sys.exit(main())
