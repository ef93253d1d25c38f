from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

import pytest

from ses_events.analytics import analytics
from ses_events.record.names import metric_name
from ses_events.verify import account as accounts
from ses_events.verify import system
from ses_events.verify.account import Account
from ses_events.verify.cli import main
from tests.support.templates import ROOT
from tests.unit.verify.conftest import Stub, stack_is

VERIFY = ["verify", "--stack", "Mail", "--region", "eu-west-1"]


@pytest.mark.parametrize("command", ["verify", "query", "trace"])
def test_help_loads_neither_cdk_nor_boto3(command: str) -> None:
    printed, errors, code = _python(
        "import sys; from ses_events.verify.cli import main\n"
        f"try: main([{command!r}, '--help'])\n"
        "finally: print(sorted({'aws_cdk', 'jsii', 'boto3', 'rich'} & set(sys.modules)))"
    )
    assert (errors, code) == ("", 0)
    assert printed.startswith(f"usage: ses-events {command}")
    assert printed.endswith("\n[]\n")


def test_all_of_the_command_loads_no_cdk() -> None:
    printed, errors, code = _python(
        "import sys, ses_events.verify.report, ses_events.verify.answers\n"
        "print(sorted({'aws_cdk', 'jsii'} & set(sys.modules)))"
    )
    assert (printed, errors, code) == ("[]\n", "", 0)


@pytest.mark.parametrize("command", [["verify"], ["trace", "ann@example.com"]])
@pytest.mark.parametrize("package", ["boto3", "rich"])
def test_the_missing_extra_is_named(package: str, command: list[str]) -> None:
    printed, errors, code = _python(
        f"import sys; sys.modules[{package!r}] = None; from ses_events.verify.cli import main\n"
        f"sys.exit(main([*{command!r}, '--stack', 'Mail']))"
    )
    assert (printed, code) == ("", 2)
    assert errors == f"ses-events {command[0]} needs boto3 and rich: pip install 'ses-events[verify]'\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["verify"], "the following arguments are required: --stack"),
        ([*VERIFY, "--scenario", "ooto"], "argument --scenario: invalid choice: 'ooto'"),
        ([*VERIFY, "--dimension", "campaign"], "argument --dimension: 'campaign' is not NAME=VALUE"),
        ([*VERIFY, "--dimension", "campaign=a b"], "argument --dimension: the value 'a b' is not 1-256 of"),
        ([*VERIFY, "--from", "me"], "argument --from: 'me' is not an address; give for example you@example.com"),
        ([*VERIFY, "--to", "Bea <bea@>"], "argument --to: 'Bea <bea@>' is not an address"),
        ([*VERIFY, "--timeout", "0"], "argument --timeout: '0' is not a number of seconds between 0 and 86400"),
        (["query", "--stack", "Mail"], "give the name of a query with its values, or --list"),
        (["query", "daily_rates", "--list", "--stack", "Mail"], "give the name of a query with its values, or --list"),
        (["query", "a", "--stack", "Mail", "--dimension", "b"], "unrecognized arguments: --dimension"),
        (["trace", "Ann <ann@>", "--stack", "Mail"], "argument ADDRESS|MESSAGE-ID: 'Ann <ann@>' is not an address"),
        ([*VERIFY, "--timeout", "soon"], "argument --timeout: 'soon' is not a number of seconds"),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert error in capsys.readouterr().err


def test_no_credentials_no_region_and_no_profile_are_said_in_a_line(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert [main(VERIFY), main([*VERIFY, "--profile", "nobody"]), main(["verify", "--stack", "Mail"])] == [2, 2, 2]
    assert capsys.readouterr().err.splitlines() == [
        "ses-events verify: Unable to locate credentials",
        "ses-events verify: The config profile (nobody) could not be found",
        "ses-events verify: no region is set: give --region, or set AWS_REGION",
    ]


def test_ctrl_c_ends_it_in_a_line(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(system, "read_system", interrupt)
    assert main(VERIFY) == 130
    assert capsys.readouterr().err == "\nInterrupted.\n"


@pytest.mark.parametrize(
    ("identities", "error"),
    [
        ([], "no identity is verified in eu-west-1, so SES refuses mail: aws sesv2 create-email-identity "),
        (["a.example", "b.example"], "2 identities are verified, choose the sender with --from: a.example, b.example"),
    ],
)
def test_the_sender_is_asked_for_unless_one_identity_is_verified(
    identities: list[str],
    error: str,
    account: Account,
    stub: Stub,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _a_set_without_destinations(stub)
    _identities(stub, identities[:1], more=len(identities) > 1)
    if len(identities) > 1:
        _identities(stub, identities[1:])
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main(VERIFY) == 2
    assert capsys.readouterr().err.startswith(f"ses-events verify: {error}")


@pytest.mark.parametrize(
    ("identity", "sender"), [("example.com", "verify@example.com"), ("me@a.example", "me@a.example")]
)
def test_the_only_identity_sends(
    identity: str,
    sender: str,
    account: Account,
    stub: Stub,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _a_set_without_destinations(stub)
    _identities(stub, [identity])
    stub("sesv2").add_response("send_email", {"MessageId": "1"})
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main([*VERIFY, "--to", "bounce+label@simulator.amazonses.com", "--json"]) == 1
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["from"], outcome["scenario"], outcome["proven"]) == (sender, "bounce", False)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["--to", "Bounce+1@simulator.amazonses.com", "--scenario", "success"],
            "--to Bounce+1@simulator.amazonses.com is the scenario bounce; leave out --scenario success, or --to",
        ),
        (
            ["--to", "ooto@simulator.amazonses.com", "--scenario", "bounce"],
            "--to ooto@simulator.amazonses.com is the scenario success; leave out --scenario bounce, or --to",
        ),
    ],
)
def test_an_address_of_another_scenario_is_refused(
    arguments: list[str],
    error: str,
    account: Account,
    stub: Stub,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _a_set_without_destinations(stub)
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main([*VERIFY, *arguments]) == 2
    assert capsys.readouterr().err == f"ses-events verify: {error}\n"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("MESSAGE_TAG", "--dimension campaign is a message tag: the value 'v1.2@a' is not of A-Z a-z 0-9 _ -"),
        ("EMAIL_HEADER", "no identity is verified in eu-west-1"),  # what is asked for after the values
    ],
)
def test_the_value_of_a_message_tag_has_no_dots(
    source: str,
    error: str,
    account: Account,
    stub: Stub,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack_is(stub, ("AWS::SES::ConfigurationSet", "set"))
    dimension = {"DimensionName": "campaign", "DimensionValueSource": source, "DefaultDimensionValue": "none"}
    destination = {
        "Name": "metrics",
        "Enabled": True,
        "MatchingEventTypes": ["SEND"],
        "CloudWatchDestination": {"DimensionConfigurations": [dimension]},
    }
    stub("sesv2").add_response("get_configuration_set_event_destinations", {"EventDestinations": [destination]})
    if source == "EMAIL_HEADER":
        _identities(stub, [])
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main([*VERIFY, "--dimension", "campaign=v1.2@a"]) == 2
    assert capsys.readouterr().err.startswith(f"ses-events verify: {error}")


def test_an_endpoint_that_is_none_is_said_in_a_line(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*VERIFY, "--endpoint-url", "nowhere"]) == 2
    assert capsys.readouterr().err == "ses-events verify: Invalid endpoint: nowhere\n"


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_port_that_is_none_is_said_in_a_line(
    account: Account, given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = "http://127.0.0.1:99999"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint if given == "environment" else "")
    assert main([*VERIFY, *(["--endpoint-url", endpoint] if given == "option" else [])]) == 2
    assert capsys.readouterr().err == f"ses-events verify: Invalid endpoint: {endpoint}: Port out of range 0-65535\n"


_SAYS = """
import sys
from ses_events.verify import cli, report
def says(options):
    if options.json:
        print("\\u00e9 \\u2713" * 9999)
    else:
        report.Terminal(None)._line("\\u00e9 \\u2713" * 9999)
    return 0
cli._verify = says
sys.exit(cli.main(["verify", "--stack", "Mail", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_outcome_that_cannot_be_written_is_said_in_a_line(options: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as closed, open("/dev/full", "w") as full:
        for output, why in ((closed, "Broken pipe"), (full, "No space left on device")):
            run = subprocess.run(
                [sys.executable, "-c", _SAYS, *options], cwd=ROOT, stdout=output, stderr=subprocess.PIPE, text=True
            )
            error = f"ses-events verify: cannot write the outcome: {why}\n"
            assert (run.returncode, run.stderr) == (2, error)


def test_nothing_is_sent_when_the_output_is_closed() -> None:
    command = f"{sys.executable} -m ses_events.verify --stack Mail >&-"
    run = subprocess.run(["sh", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    error = "ses-events verify: cannot write the outcome: standard output is closed\n"
    assert (run.returncode, run.stderr) == (2, error)


def test_no_network_is_said_in_a_line(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main([*VERIFY, "--endpoint-url", "http://127.0.0.1:9"]) == 2
    error = 'ses-events verify: Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'
    assert capsys.readouterr().err == error


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_locale_with_ascii_alone_can_read_it(options: list[str]) -> None:
    locale = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(
        [sys.executable, "-c", _SAYS, *options], cwd=ROOT, env={**os.environ, **locale}, capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("\\xe9 \\u2713")


def test_a_dimension_that_is_given_twice_is_refused(
    account: Account, stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _a_set_without_destinations(stub)
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main([*VERIFY, "--dimension", "campaign=a", "--dimension", "campaign=b"]) == 2
    assert capsys.readouterr().err == "ses-events verify: --dimension campaign is given 2 times; give one value\n"


def test_a_stack_with_several_sets_asks_for_one(
    account: Account, stub: Stub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_is(stub, ("AWS::SES::ConfigurationSet", "one"), ("AWS::CloudFormation::Stack", "arn:of:the:nested:stack"))
    stack_is(stub, ("AWS::SES::ConfigurationSet", "two"), stack="arn:of:the:nested:stack")
    monkeypatch.setattr(accounts, "Account", lambda **_: account)
    assert main(VERIFY) == 2
    error = "the stack Mail has several sets, choose one: --configuration-set one (Id) | two (Id)"
    assert capsys.readouterr().err == f"ses-events verify: {error}\n"


def test_metrics_are_named_like_the_events_of_a_record() -> None:
    assert metric_name("Rendering Failure") == metric_name("RENDERING_FAILURE") == "RenderingFailure"
    assert metric_name("DeliveryDelay") == metric_name("DELIVERY_DELAY") == "DeliveryDelay"


def test_the_documented_policy_has_the_actions_of_the_calls(account: Account) -> None:
    services = ("cloudformation", "cloudwatch", "firehose", "iam", "kms", "logs", "s3", "sesv2")
    modules = {module.stem for module in (ROOT / "ses_events/verify").glob("*.py")} - {"questions"}
    assert _documented_actions("docs/verify.md") == _called(account, services, modules)


def test_a_question_takes_no_more_than_grant_query_and_the_documented_policy(account: Account) -> None:
    assert _called(account, ("athena",), {"questions"}) <= {*analytics._RUN_QUERIES}
    assert _documented_actions("docs/analytics.md") == _called(account, ("cloudformation",), {"template"})


def _called(account: Account, services: tuple[str, ...], modules: set[str]) -> set[str]:
    """The actions of the calls in modules."""
    operations = {
        (service, name): operation
        for service in services
        for name, operation in account.client(service).meta.method_to_api_mapping.items()
    }
    names: set[str] = set()
    for module in (ROOT / "ses_events/verify" / f"{module}.py" for module in modules):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                names.add(node.func.attr)  # or, for a paginator, its argument
                if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
                    names.add(str(node.args[0].value))
    return {_action(service, operation) for (service, name), operation in operations.items() if name in names}


def test_the_documented_policy_covers_nested_stacks() -> None:
    start = "arn:aws:cloudformation:REGION:ACCOUNT:stack"
    [statement] = [each for each in _documented_policy() if "cloudformation:ListStackResources" in each["Action"]]
    for stack in ("STACK/1234", "STACK-NestedStackNestedStackResource3DD143BF-1ABC/1234"):
        assert any(fnmatchcase(f"{start}/{stack}", resource) for resource in statement["Resource"]), stack


def _documented_actions(page: str) -> set[str]:
    given = [statement["Action"] for statement in _documented_policy(page)]
    return {action for actions in given for action in (actions if isinstance(actions, list) else [actions])}


def _documented_policy(page: str = "docs/verify.md") -> list[dict[str, Any]]:
    [policy] = re.findall(r"^```json\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return statements


def _action(service: str, operation: str) -> str:
    """The IAM action of an operation; S3 names them otherwise (service authorization reference)."""
    of_s3 = {"ListObjectsV2": "ListBucket", "GetBucketEncryption": "GetEncryptionConfiguration"}
    return f"{'ses' if service == 'sesv2' else service}:{of_s3.get(operation, operation)}"


def _a_set_without_destinations(stub: Stub) -> None:
    stack_is(stub, ("AWS::SES::ConfigurationSet", "set"))
    stub("sesv2").add_response("get_configuration_set_event_destinations", {"EventDestinations": []})


def _identities(stub: Stub, names: list[str], *, more: bool = False) -> None:
    identities = [{"IdentityName": name, "SendingEnabled": True} for name in names]
    identities.append({"IdentityName": "pending.example", "SendingEnabled": False})
    answer = {"EmailIdentities": identities, **({"NextToken": "more"} if more else {})}
    stub("sesv2").add_response("list_email_identities", answer)


def _python(code: str) -> tuple[str, str, int]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return run.stdout, run.stderr, run.returncode
