"""The arguments of the command, and what ``--help`` says of them; neither CDK nor boto3 is needed for it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from email.utils import parseaddr

SIMULATOR = "simulator.amazonses.com"
SCENARIOS = ("success", "bounce", "complaint", "suppressionlist")
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


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what is asked for, or exit with 2 and what is wrong."""
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
    option(
        "--configuration-set",
        metavar="NAME",
        help="which set, when the stack has several or none: its name, logical id or construct path",
    )
    option(
        "--from",
        dest="sender",
        type=_address,
        metavar="ADDRESS",
        help="default: the verified identity, when there is one only",
    )
    option("--to", type=_address, metavar="ADDRESS", help="default: the scenario's address of the mailbox simulator")
    option("--scenario", choices=SCENARIOS, help="what becomes of the mail (success)")
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


def _address(text: str) -> str:
    name, _, domain = parseaddr(text)[1].rpartition("@")
    if not name or not domain:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address; give for example you@example.com")
    return text


def _traced(text: str) -> tuple[str, str]:
    """Return the statement that traces an address, or an id; the header Message-ID has the id before SES's domain."""
    if "@" not in text:
        return "message_trace", text.strip()
    address = parseaddr(_address(text))[1]
    name, _, domain = address.partition("@")
    if domain.endswith(".amazonses.com") and domain != SIMULATOR:
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
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds between 0 and 86400")
    return seconds
