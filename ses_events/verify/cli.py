"""The command line: what is run, and what each exit code means."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import io
import os
import re
import sys
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING

from ses_events.verify.arguments import SCENARIOS, SIMULATOR, options_of

if TYPE_CHECKING:
    from ses_events.verify.account import Account
    from ses_events.verify.system import System

# boto3 and rich are imported when they are needed: --help and wrong arguments are answered without them.

_MISSING = "needs boto3 and rich: pip install 'ses-events[verify]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    command = "ses-events"
    try:
        options = options_of(arguments)
        command = f"ses-events {options.command}"
        if sys.stdout is None:  # closed before the start, as by >&-
            raise OSError("standard output is closed")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # an ASCII locale has no check marks
        code = _run(command, options)
        sys.stdout.flush()
        return code
    except OSError as error:
        if sys.stdout is not None:
            with open(os.devnull, "w") as nowhere, contextlib.suppress(OSError, ValueError):
                os.dup2(nowhere.fileno(), sys.stdout.fileno())  # else Python fails again when it exits
        print(f"{command}: cannot write the outcome: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _run(command: str, options: argparse.Namespace) -> int:
    try:
        importlib.import_module("rich")
        from botocore.exceptions import BotoCoreError, ClientError

        from ses_events.verify.account import UsageError, error_code, error_message
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("boto3", "botocore", "rich"):
            raise
        print(f"{command} {_MISSING}", file=sys.stderr)
        return 2
    try:
        if options.command == "verify":
            return _verify(options)
        return _list(options) if options.command == "query" and options.list else _ask(options)
    except (UsageError, BotoCoreError) as error:
        print(f"{command}: {' '.join(str(error).split())}", file=sys.stderr)
    except ClientError as error:
        print(f"{command}: {error_message(error)} ({error_code(error)})", file=sys.stderr)
    return 2


def _list(options: argparse.Namespace) -> int:
    from ses_events.verify.answers import show
    from ses_events.verify.questions import Answer, find_workgroup

    questions = find_workgroup(_account(options), options.stack, options.workgroup).questions()
    columns = [("query", "varchar"), ("values", "integer"), ("question", "varchar")]
    show(Answer(columns, [[each.name, str(each.takes), each.title] for each in questions]), options.form)
    if not questions:
        print("The workgroup has no queries.", file=sys.stderr)
    return 0


def _ask(options: argparse.Namespace) -> int:
    from rich.console import Console

    from ses_events.verify.answers import cost, document, show
    from ses_events.verify.questions import find_workgroup
    from ses_events.verify.status_line import StatusLine

    name, *values = options.words if options.command == "query" else options.about
    workgroup = find_workgroup(_account(options), options.stack, options.workgroup)
    question = workgroup.question(name)
    progress = StatusLine(Console(stderr=True, highlight=False))
    try:
        answer = workgroup.ask(
            question, values, lambda state, seconds: progress.show(f"Athena: {state.lower()}, {seconds:.0f} s")
        )
    finally:
        progress.stop()
    show(answer, options.form, document(workgroup, question, values, answer))
    if not answer.rows:
        about = f" about {' '.join(values)}" if values else ""
        print(
            f"{name} finds nothing{about} in the events that have arrived in the days it reads.",
            file=sys.stdout if options.form == "table" else sys.stderr,
        )
    sys.stdout.flush()
    print(cost(answer), file=sys.stderr)
    return 0


def _account(options: argparse.Namespace) -> Account:
    from ses_events.verify.account import Account

    return Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)


def _verify(options: argparse.Namespace) -> int:
    from ses_events.verify import report
    from ses_events.verify.plan import plan_mail
    from ses_events.verify.prove import prove
    from ses_events.verify.system import read_system

    account = _account(options)
    system = read_system(account, options.stack, options.configuration_set)
    values = _values(system, options.dimension)
    scenario = _scenario(options.scenario, options.to)
    recipient = options.to or f"{scenario}@{SIMULATOR}"
    mail = plan_mail(system, scenario, options.sender or _only_identity(account), recipient, values)
    if options.json:
        proof = prove(account, system, mail, options.timeout, report.Silent())
        print(report.as_json(account, proof))
    else:
        terminal = report.Terminal(options.timeout, show_event=options.show_event)
        terminal.system(account, system)
        try:
            proof = prove(account, system, mail, options.timeout, terminal)
        finally:
            terminal.stop()
        terminal.outcome(proof)
    return 0 if proof.proven else 1


def _values(system: System, given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    from ses_events.verify.account import UsageError
    from ses_events.verify.plan import settable_dimensions

    known = settable_dimensions(system)
    names = [name for name, _ in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"--dimension {twice[0]} is given {names.count(twice[0])} times; give one value")
    for name, value in given:
        if name not in known:
            meant = difflib.get_close_matches(name, known, 1) or list(known)
            instead = f"give {' or '.join(meant)}" if meant else "no metric of the set has one that a mail decides"
            raise UsageError(f"--dimension {name} is no dimension whose value a mail decides; {instead}")
        if known[name] == "MESSAGE_TAG" and not re.fullmatch("[A-Za-z0-9_-]+", value):  # SES API v2, MessageTag
            raise UsageError(f"--dimension {name} is a message tag: the value {value!r} is not of A-Z a-z 0-9 _ -")
    return dict(given)


def _only_identity(account: Account) -> str:
    from ses_events.verify.account import UsageError
    from ses_events.verify.system import verified_identities

    identities = verified_identities(account)
    if len(identities) == 1:
        return identities[0] if "@" in identities[0] else f"verify@{identities[0]}"
    if not identities:
        raise UsageError(
            f"no identity is verified in {account.region}, so SES refuses mail: aws sesv2 create-email-identity "
            f"--region {account.region} --email-identity you@example.com, then click the link in the mail"
        )
    some = ", ".join(identities[:5]) + (", ..." if len(identities) > 5 else "")
    raise UsageError(f"{len(identities)} identities are verified, choose the sender with --from: {some}")


def _scenario(given: str | None, recipient: str | None) -> str:
    """Return what becomes of the mail: what the user says, or what an address of the mailbox simulator does."""
    from ses_events.verify.account import UsageError

    name, _, domain = parseaddr(recipient or "")[1].lower().partition("@")
    name = name.partition("+")[0]
    if domain != SIMULATOR:
        return given or "success"
    of_recipient = name if name in SCENARIOS else "success"
    if given and given != of_recipient:
        raise UsageError(f"--to {recipient} is the scenario {of_recipient}; leave out --scenario {given}, or --to")
    return of_recipient
