"""The command line: arguments, and what each exit code means."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import os
import re
import sys
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ses_events.verify.account import Account
    from ses_events.verify.system import System

# boto3 and rich are imported when they are needed: --help and wrong arguments are answered without them.

_MISSING = "ses-events verify needs boto3 and rich: pip install 'ses-events[verify]'"
_SIMULATOR = "simulator.amazonses.com"
_SCENARIOS = ("success", "bounce", "complaint", "suppressionlist")
_EXIT_CODES = (
    "exit codes: 0 proven, 1 not proven, 2 could not try (no such stack, no credentials, ...), 130 interrupted"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    try:
        options = _parser().parse_args(arguments)
        if sys.stdout is None:  # closed before the start, as by >&-
            raise OSError("standard output is closed")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # an ASCII locale has no check marks
        code = _verify(options)
        sys.stdout.flush()
        return code
    except OSError as error:
        if sys.stdout is not None:
            with open(os.devnull, "w") as nowhere, contextlib.suppress(OSError, ValueError):
                os.dup2(nowhere.fileno(), sys.stdout.fileno())  # else Python fails again when it exits
        print(f"ses-events verify: cannot write the outcome: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ses-events", description="Amazon SES event publishing.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="prove a deployed stack with one mail",
        description="Send a mail to the mailbox simulator and wait for its events at every event destination of a "
        "stack; where something does not arrive, say why. Writes nothing but the mail.",
        epilog=_EXIT_CODES,
    )
    option = verify.add_argument
    option("--stack", required=True, metavar="NAME", help="the CloudFormation stack with the configuration set")
    option("--configuration-set", metavar="NAME", help="which set, when the stack has several or none")
    option(
        "--from",
        dest="sender",
        type=_address,
        metavar="ADDRESS",
        help="default: the verified identity, when there is one only",
    )
    option("--to", type=_address, metavar="ADDRESS", help="default: the scenario's address of the mailbox simulator")
    option("--scenario", choices=_SCENARIOS, help="what becomes of the mail (success)")
    option(
        "--dimension",
        action="append",
        default=[],
        type=_dimension,
        metavar="NAME=VALUE",
        help="the value of a dimension of the metrics (verify); may be repeated",
    )
    option("--timeout", type=_seconds, metavar="SECONDS", help="when to give up (the buffering interval and 300)")
    option("--region", help="default: AWS_REGION, or that of the profile")
    option("--profile", help="a profile of your AWS configuration")
    option("--endpoint-url", metavar="URL", help="another endpoint for all services, such as an AWS on this machine")
    option("--show-event", action="store_true", help="print the first event that arrived, as JSON")
    option("--json", action="store_true", help="print the outcome as one JSON document, and nothing else")
    return parser


def _verify(options: argparse.Namespace) -> int:
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        from ses_events.verify import report
        from ses_events.verify.account import Account, UsageError, error_code, error_message
        from ses_events.verify.plan import plan_mail
        from ses_events.verify.prove import prove
        from ses_events.verify.system import read_system
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("boto3", "botocore", "rich"):
            raise
        print(_MISSING, file=sys.stderr)
        return 2
    try:
        account = Account(profile=options.profile, region=options.region, endpoint_url=options.endpoint_url)
        system = read_system(account, options.stack, options.configuration_set)
        values = _values(system, options.dimension)
        scenario = _scenario(options.scenario, options.to)
        recipient = options.to or f"{scenario}@{_SIMULATOR}"
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
    except (UsageError, BotoCoreError) as error:
        print(f"ses-events verify: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except ClientError as error:
        print(f"ses-events verify: {error_message(error)} ({error_code(error)})", file=sys.stderr)
        return 2
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
            f"no identity is verified in {account.region}, so SES takes no mail: aws sesv2 create-email-identity "
            f"--region {account.region} --email-identity you@example.com, then click the link in the mail"
        )
    some = ", ".join(identities[:5]) + (", ..." if len(identities) > 5 else "")
    raise UsageError(f"{len(identities)} identities are verified, choose the sender with --from: {some}")


def _scenario(given: str | None, recipient: str | None) -> str:
    """What becomes of the mail: as the user says, or as an address of the mailbox simulator (bounce+label@...) does."""
    from ses_events.verify.account import UsageError

    name, _, domain = parseaddr(recipient or "")[1].lower().partition("@")
    name = name.partition("+")[0]
    if domain != _SIMULATOR:
        return given or "success"
    of_recipient = name if name in _SCENARIOS else "success"
    if given and given != of_recipient:
        raise UsageError(f"--to {recipient} is the scenario {of_recipient}; leave out --scenario {given}, or --to")
    return of_recipient


def _address(text: str) -> str:
    name, _, domain = parseaddr(text)[1].rpartition("@")
    if not name or not domain:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; give for example you@example.com")
    return text


def _dimension(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE; give for example campaign=test")
    if not re.fullmatch("[A-Za-z0-9_.@-]{1,256}", value):
        raise argparse.ArgumentTypeError(f"the value {value!r} is not 1-256 of A-Z a-z 0-9 _ - (a header's: and . @)")
    return name, value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and 86400")
    return seconds
