"""The command line: arguments, and what each exit code means."""

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

if TYPE_CHECKING:
    from ses_events.verify.account import Account
    from ses_events.verify.system import System

# boto3 and rich are imported when they are needed: --help and wrong arguments are answered without them.

_MISSING = "needs boto3 and rich: pip install 'ses-events[verify]'"
_SIMULATOR = "simulator.amazonses.com"
_SCENARIOS = ("success", "bounce", "complaint", "suppressionlist")
_EXIT_CODES = (
    "exit codes: 0 proven, 1 not proven, 2 could not try (no such stack, no credentials, ...), 130 interrupted"
)
_ANSWERED = """\
It takes the permissions that analytics.grant_query(role) gives in the CDK app, and those to
read the stack (docs/analytics.md). It writes nothing; Athena writes the answer into the
workgroup's folder of results.

exit codes: 0 answered, also without rows; 2 could not ask (no such query, no credentials, ...), 130 interrupted"""
_QUERY_EXAMPLES = """\
examples:
  ses-events query --list --stack Mail
  ses-events query daily_rates --stack Mail
  ses-events query recipient_trace ann@example.com --stack Mail --csv > ann.csv

"""
_TRACE_EXAMPLES = """\
examples:
  ses-events trace ann@example.com --stack Mail
  ses-events trace 0102019d0f6c8a31-5b1c8f0e-2b1f6a3d9c47-000000 --stack Mail

"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    command = "ses-events"
    try:
        options = _options(arguments)
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


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if options.command == "query":  # argparse takes no positional arguments on both sides of an option
        options.words += [word for word in rest if not word.startswith("-")]
        rest = [word for word in rest if word.startswith("-")]
        if bool(options.words) == options.list:
            parser.error("give the name of a query with its values, or --list")
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ses-events", description="Amazon SES event publishing.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_verify(commands)
    query = commands.add_parser(
        "query",
        help="ask the archive a saved query",
        usage="%(prog)s QUERY [VALUE ...] --stack NAME [--csv | --json] [options]\n"
        "       %(prog)s --list --stack NAME [--csv | --json] [options]",
        description="Run a saved query or a prepared statement of a stack's Athena workgroup, and show the rows:\n"
        "as a table without the columns that are empty, as CSV or as JSON. What Athena read, and what\n"
        "that costs, goes to standard error.",
        epilog=_QUERY_EXAMPLES + _ANSWERED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    query.add_argument("words", nargs="*", metavar="QUERY [VALUE ...]", help="its name, and the values that it takes")
    query.add_argument("--list", action="store_true", help="show the queries: how many values each takes, its question")
    trace = commands.add_parser(
        "trace",
        help="what became of the mail for an address, or of one message",
        description="Show what became of the mail for one address, the newest message first, or everything that "
        'happened to one message: the answer to "I never got the mail". It is the prepared statement '
        "recipient_trace or message_trace of the stack's Athena workgroup.",
        epilog=_TRACE_EXAMPLES + _ANSWERED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trace.add_argument("about", metavar="ADDRESS|MESSAGE-ID", type=_traced, help="the recipient, or the message's id")
    for parser_of_rows in (query, trace):
        option = parser_of_rows.add_argument
        option("--stack", required=True, metavar="NAME", help="the CloudFormation stack with the workgroup")
        option("--workgroup", metavar="NAME", help="which workgroup, when the stack has several")
        _add_account(parser_of_rows)
        form = parser_of_rows.add_mutually_exclusive_group()
        for name in ("csv", "json"):
            text = {"csv": "print the rows as CSV", "json": "print the rows and what they cost as one JSON document"}
            form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text[name])
        parser_of_rows.set_defaults(form="table")
    return parser


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    _add_account(verify)
    option("--show-event", action="store_true", help="print the first event that arrived, as JSON")
    option("--json", action="store_true", help="print the outcome as one JSON document, and nothing else")


def _add_account(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--region", help="default: AWS_REGION, or that of the profile")
    option("--profile", help="a profile of your AWS configuration")
    option("--endpoint-url", metavar="URL", help="another endpoint for all services, such as an AWS on this machine")


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
    from ses_events.verify.answers import Progress, cost, document, show
    from ses_events.verify.questions import find_workgroup

    name, *values = options.words if options.command == "query" else options.about
    workgroup = find_workgroup(_account(options), options.stack, options.workgroup)
    question = workgroup.question(name)
    progress = Progress()
    try:
        answer = workgroup.ask(question, values, progress.waiting)
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
    """Return what becomes of the mail: what the user says, or what an address of the mailbox simulator does."""
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


def _traced(text: str) -> tuple[str, str]:
    """Return the statement that traces an address, or an id; the header Message-ID has the id before SES's domain."""
    if "@" not in text:
        return "message_trace", text.strip()
    address = parseaddr(_address(text))[1]
    name, _, domain = address.partition("@")
    if domain.endswith(".amazonses.com") and domain != _SIMULATOR:
        return "message_trace", name if re.fullmatch("[0-9a-f]{16}-[0-9a-f-]+", name) else address
    return "recipient_trace", address


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
