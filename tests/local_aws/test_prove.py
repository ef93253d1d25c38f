"""``make prove`` against the AWS of this machine."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_aws import LocalAws
from local_aws.cdk import CdkError
from local_aws.demo import DOMAIN
from local_aws.process import ACCOUNT, REGION
from ses_events import SesEventsStack
from ses_events.verify.plan import SCENARIOS
from tests.local_aws.support.deployed import app, deploy, eventually, outputs_of
from tests.support.templates import ROOT
from tools.doubts import doubts
from tools.prove import __main__ as command
from tools.prove.local import NAME, PAGE, normalised, prepared
from tools.prove.measure import MEASUREMENTS


def test_it_proves_settles_writes_and_leaves_nothing(tmp_path: Path) -> None:
    with LocalAws(1000) as aws:
        # The express deployment fails here, which takes the CLI long; an early end below has it, and the recorded page.
        command = [*prepared(aws), "--standard-only", "--output", str(tmp_path)]
        run = subprocess.run(command, cwd=ROOT, env=aws.environment, capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (0, "")
        assert _left(aws) == set()
    announced, _, steps = run.stdout.partition("cdk synth")
    assert f"In account {ACCOUNT}, region {REGION}" in announced and "costs less than $1" in announced and steps
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    standard = {each["scenario"]: each["outcome"] for each in evidence["scenarios"] if each["command"] == "cdk deploy"}
    assert [*standard] == [*SCENARIOS] and all(proof["proven"] for proof in standard.values())
    assert [each["command"] for each in evidence["deployments"]] == ["cdk deploy"]
    assert [*evidence["answers"]] == [*MEASUREMENTS]
    assert not [text for text in evidence["answers"].values() if "could not be asked" in text["text"]]
    assert (evidence["proven"], evidence["left"], evidence["failure"]) == (True, [], "")
    assert ACCOUNT not in (tmp_path / "evidence.md").read_text()
    fresh = normalised((tmp_path / "evidence.md").read_text())
    assert _rows(fresh) == _rows(PAGE.read_text()), "run python -m tools.prove.local"


def _rows(page: str) -> list[str]:
    """What of a page is the same each time: the rows of the standard deployment, and the doubts."""
    scenarios = re.findall(r"^\| `cdk deploy` \| \w+ \| Publishing/.*$", page, re.MULTILINE)
    return scenarios + [each.sentence for each in doubts().values() if f"| {each.sentence} |" in page]


def test_it_asks_for_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--account", "", "--region", REGION]) == 2
    assert capsys.readouterr().err == (
        "make prove: name the account that may be used, for example make prove ACCOUNT=111122223333\n"
    )


@pytest.mark.usefixtures("reached")
def test_it_refuses_another_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--account", "111122223333", "--region", REGION]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"make prove: your credentials are those of {ACCOUNT}, not of ACCOUNT=111122223333; nothing was done\n"
    )


@pytest.mark.usefixtures("reference_stack", "reached")
class TestAnEarlyEnd:
    def test_an_interruption_takes_all_down_also_when_nobody_reads(
        self, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def measured(*_: object) -> Any:
            monkeypatch.setattr(command, "print", closed, raising=False)
            raise KeyboardInterrupt(signal.SIGHUP)

        def closed(*_: object, **__: object) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(command, "drop_output", lambda: None)
        monkeypatch.setattr(command, "measured", measured)
        evidence = _run(aws, _QuickCdk(aws), "Interrupted", tmp_path, monkeypatch, code=129)
        assert [each["stack"] for each in evidence["deployments"]] == [
            f"{NAME}Interrupted",
            f"{NAME}InterruptedExpress",
        ]
        assert evidence["failure"] == "it was interrupted"

    def test_a_first_deployment_that_fails_settles_its_doubt_and_is_taken_down(
        self, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aws.set_delays(iam=5, stream=0)
        try:
            evidence = _run(aws, _QuickCdk(aws), "Failing", tmp_path, monkeypatch, code=1)
        finally:
            aws.set_delays()
        assert [each["command"] for each in evidence["deployments"]] == ["cdk deploy"] * 2  # it tries once more
        [(doubt, answer)] = evidence["answers"].items()
        assert (doubt, answer["settled"]) == ("first-deployment", True)
        assert re.match(r"No: PublishingToArchive\w+: Could not assume IAM role", answer["text"])
        assert evidence["failure"].startswith("Could not assume IAM role")


def _run(
    aws: LocalAws, cdk: _QuickCdk, suffix: str, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> dict[str, Any]:
    """The evidence of a run that ends early with a code, after seeing that it leaves nothing."""
    monkeypatch.setattr(command, "Cdk", lambda *_: cdk)
    monkeypatch.setattr(command, "interrupt_once", lambda: None)
    monkeypatch.setattr(command, "SCENARIOS", ["success"])
    before, bootstrapped = _left(aws), "/cdk-bootstrap/hnb659fds/version"
    aws.client("ssm").put_parameter(Name=bootstrapped, Value="30", Type="String")
    words = ["--account", ACCOUNT, "--region", REGION, "--from", f"prove@{DOMAIN}", "--output", str(folder)]
    words += ["--endpoint-url", aws.url, "--speed", "1000", "--name", f"{NAME}{suffix}"]
    try:
        assert command.main(words) == code
    finally:
        aws.client("ssm").delete_parameter(Name=bootstrapped)
    evidence: dict[str, Any] = json.loads((folder / "evidence.json").read_text())
    assert (evidence["proven"], evidence["left"]) == (False, [])
    assert eventually(lambda: _left(aws) == before)
    return evidence


class _QuickCdk:
    """Deploys and deletes as the CDK CLI does, in a tenth of the time."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def synth(self) -> None: ...

    def deploy(self, name: str, *options: str) -> dict[str, str]:
        stack = SesEventsStack(app(), name)
        failed = deploy(self._aws, stack, "EXPRESS" if options else "STANDARD")
        if failed:
            raise CdkError(failed[0])
        return outputs_of(self._aws, stack)

    def destroy(self, name: str) -> None:
        self._aws.client("cloudformation").delete_stack(StackName=name)
        assert eventually(lambda: f"stack {name}" not in _left(self._aws))


@pytest.fixture
def reached(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that leads to the local AWS."""
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)


def _left(aws: LocalAws) -> set[str]:
    """The stacks, buckets, roles, streams, tenants and templates whose names begin with that of the run."""
    listings: dict[str, Callable[[], list[str]]] = {
        "stack": lambda: [
            each["StackName"]
            for each in aws.client("cloudformation").describe_stacks()["Stacks"]
            if each["StackStatus"] != "DELETE_COMPLETE"
        ],
        "bucket": lambda: [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]],
        "role": lambda: [each["RoleName"] for each in aws.client("iam").list_roles()["Roles"]],
        "stream": lambda: aws.client("firehose").list_delivery_streams()["DeliveryStreamNames"],
        "set": lambda: aws.client("sesv2").list_configuration_sets()["ConfigurationSets"],
        "template": lambda: [
            each["TemplateName"] for each in aws.client("sesv2").list_email_templates()["TemplatesMetadata"]
        ],
    }
    return {
        f"{kind} {name}"
        for kind, names in listings.items()
        for name in names()
        if name.lower().startswith(NAME.lower())
    }
