"""What the user reads: progress and outcome on the terminal, or one JSON document."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from typing import Any

from rich.console import Console
from rich.text import Text

from ses_events.verify.account import Account
from ses_events.verify.finding import Cause, Finding, Unseen
from ses_events.verify.plan import Check, expected_seconds
from ses_events.verify.prove import MARGIN, Proof
from ses_events.verify.status_line import StatusLine
from ses_events.verify.system import KINDS, System


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command: rich would exit with 1, which says "not proven"."""
        raise


class Terminal:
    """Tells a person how it goes: with colours and a status line on a terminal, line by line elsewhere."""

    def __init__(self, timeout: float | None, *, show_event: bool = False) -> None:
        self._console = _Console(highlight=False, soft_wrap=True)
        self._width = min(self._console.width, 100) if self._console.is_terminal else 100
        self._timeout, self._show_event = timeout, show_event
        self._status = StatusLine(self._console)
        self._expected = 0

    def system(self, account: Account, system: System) -> None:
        """Print what is deployed."""
        self._line(f"Stack {system.stack} in {account.region}", "bold")
        path = system.called(system.configuration_set)
        self._line(f"  configuration set {path}")
        if path != system.configuration_set:
            self._line(f"      {system.configuration_set}")
        for destination in system.destinations:
            kind = KINDS.get(destination.kind, "an unknown kind")
            if destination.enabled:
                self._line(f"  {destination.label}: {kind}")
            else:
                self._line(f"  {destination.label}: {kind}, disabled", "yellow")
            self._line(f"      {destination.target}")
            self._paragraph(", ".join(destination.events), "      ")
        if system.others:
            names = ", ".join(map(system.called, system.others))
            self._paragraph(f"not looked at: {names}; see --configuration-set", "  ")
        if not system.destinations:
            self._line("  no event destinations")
        if system.not_compared:
            self._paragraph(f"not compared with the stack: {system.not_compared}", "  ")

    def sent(self, proof: Proof) -> None:
        """SES has taken the mail."""
        mail = proof.mail
        marks = [f"{name}={value}" for name, value in {**mail.tags, **mail.headers}.items()]
        self._line("")
        self._line(f"Sent a mail from {mail.sender} to {mail.recipient}")
        self._line(f"  message {proof.message_id}")
        if marks:
            self._line(f"  with {' '.join(marks)}")
        self._expected = expected_seconds(proof.checks)
        limit = self._timeout if self._timeout is not None else self._expected + MARGIN
        buffering = f"Firehose buffers for {self._expected} s; " if self._expected else ""
        self._line(f"  {buffering}given up after {limit:g} s")
        self._line("")

    def arrived(self, check: Check, event: str) -> None:
        """Print that an event has arrived."""
        arrival = check.arrivals[event]
        total = "" if arrival.total is None else f": Sum {arrival.total:g}"
        total += f" ({arrival.before:g} before)" if arrival.before else ""
        self._line(f"  ✓ {check.destination.label}: {event} after {arrival.seconds:.1f} s", "green")
        self._line(f"      {arrival.place}{total}")

    def waiting(self, checks: list[Check], seconds: float) -> None:
        """Show how many checks are open."""
        open_checks = "; ".join(f"{check.destination.label}: {', '.join(check.missing)}" for check in checks)
        about = f" of about {self._expected} s" if self._expected else ""
        text = Text(f"{seconds:.0f} s{about}, waiting for {open_checks}")
        text.truncate(self._width - 4, overflow="ellipsis")
        self._status.show(text)

    def stop(self) -> None:
        """Take the status line away."""
        self._status.stop()

    def outcome(self, proof: Proof) -> None:
        """Print what is proven, and why the rest is not."""
        self.stop()
        records = [arrival.record for check in proof.checks for arrival in check.arrivals.values() if arrival.record]
        if records and self._show_event:
            self._line("")
            self._line(f"The event {records[0]['eventType']}:")
            self._line(_pretty(records[0]))
        self._line("")
        if proof.refused:
            self._line("✗ SES did not take the mail", "red")
            self._findings(proof.refused)
        for check in proof.checks if proof.message_id else ():
            if check.status == "not proven":
                lacks = f"{', '.join(check.missing)} did not arrive"
                lacks = "not as the stack declares it" if check.destination.drift else lacks
                self._line(f"  ✗ {check.destination.label}: {lacks}", "red")
                self._findings(_why(check))
            if check.status == "not checked":
                self._line(f"  - {check.destination.label}: not checked", "yellow")
                self._paragraph(str(check.not_checked), "      ")
        unchecked = [check for check in proof.checks if check.status == "not checked"]
        if proof.proven and unchecked:
            self._line(f"Proven, but {len(unchecked)} of {len(proof.checks)} destinations not checked.", "bold yellow")
        elif proof.proven:
            self._line("Proven.", "bold green")
        elif proof.message_id and len(unchecked) == len(proof.checks):
            self._line("Not proven: there is no destination that this mail can prove.", "bold red")
        else:
            self._line("Not proven.", "bold red")

    def _findings(self, findings: list[Finding]) -> None:
        for finding in findings:
            if isinstance(finding, Unseen):
                self._paragraph(f"not looked at: {finding.what} ({finding.why})", "      ")
                continue
            self._paragraph(finding.what, "      why   ")
            self._paragraph(finding.seen, "      seen  ")
            self._paragraph(finding.fix, "      fix   ")
            if finding.paste:
                self._line(f"      paste {finding.paste}")  # in one line, whatever its length

    def _paragraph(self, text: str, first: str) -> None:
        folded = textwrap.wrap(
            text,
            self._width,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in folded:
            self._line(line)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))


class Silent:
    """Nobody is told about the progress: the outcome is one JSON document."""

    def sent(self, proof: Proof) -> None:
        """Says nothing."""

    def arrived(self, check: Check, event: str) -> None:
        """Says nothing."""

    def waiting(self, checks: list[Check], seconds: float) -> None:
        """Says nothing."""


def as_json(account: Account, proof: Proof) -> str:
    """Return the outcome for programs."""
    return json.dumps(
        {
            "proven": proof.proven,
            "stack": proof.system.stack,
            "region": account.region,
            "configurationSet": proof.system.configuration_set,
            "notLookedAtSets": list(proof.system.others),
            "scenario": proof.mail.scenario,
            "from": proof.mail.sender,
            "to": proof.mail.recipient,
            "tags": dict(proof.mail.tags),
            "headers": dict(proof.mail.headers),
            "messageId": proof.message_id,
            "sent": proof.sent and proof.sent.isoformat(timespec="seconds"),
            **_as_documents(proof.refused),
            "destinations": [
                {
                    "name": check.destination.name,
                    "path": check.destination.label,
                    "kind": check.destination.kind,
                    "target": check.destination.target,
                    "status": check.status,
                    "notChecked": check.not_checked,
                    "missing": check.missing,
                    "arrived": {
                        event: {
                            "place": arrival.place,
                            "seconds": round(arrival.seconds, 1),
                            "record": arrival.record,
                            "sum": arrival.total,
                            "before": arrival.before if arrival.total is not None else None,
                        }
                        for event, arrival in check.arrivals.items()
                    },
                    **_as_documents(_why(check) if proof.message_id and check.status == "not proven" else []),
                }
                for check in proof.checks
            ],
        },
        indent=2,  # in ASCII, for a locale that has no more
    )


def _as_documents(findings: list[Finding]) -> dict[str, Any]:
    return {
        "causes": [dataclasses.asdict(each) for each in findings if isinstance(each, Cause)],
        "notLookedAt": [dataclasses.asdict(each) for each in findings if isinstance(each, Unseen)],
    }


def _why(check: Check) -> list[Finding]:
    """Why something is missing, also when the live system shows no cause, and what could not be looked at."""
    if check.causes:
        return [*check.causes, *check.unseen]
    seen = "the destination is enabled and matches the event"
    if check.arrivals:
        what = f"the way is open, as {' and '.join(check.arrivals)} came by it: SES has not published the rest so far"
    else:
        what = "no cause was found"
        if check.destination.stream:
            seen += "; the roles, the stream, its keys, its error log and its metrics show nothing wrong"
    fix = "run it again with a longer --timeout: SES, Firehose and CloudWatch take minutes at times"
    return [Cause(what, seen, fix, certain=False), *check.unseen]


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
