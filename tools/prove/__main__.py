"""``make prove ACCOUNT=111122223333``: what it is told, what it says first, and the run."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.cdk import Cdk, CdkError
from local_aws.ending import drop_output, interrupt_once
from ses_events.verify import cli
from ses_events.verify.account import Account, UsageError, error_message
from ses_events.verify.plan import SCENARIOS
from ses_events.verify.system import verified_identities
from tools import doubts
from tools.prove.app import stacks
from tools.prove.evidence import Deployment, Evidence
from tools.prove.field import Answer, Field, refusals, stack_events
from tools.prove.measure import PROPAGATION, first_deployment, measured
from tools.prove.take_down import take_down

ROOT = Path(__file__).parents[2]

_ANNOUNCEMENT = """\
In account {account}, region {region}, this creates and takes down again:
  {stacks}: a configuration set with its event destinations, a delivery stream, two buckets,
    roles, an Athena workgroup, alarms and a dashboard each
  beside them, one after another: a role, three delivery streams, two event destinations, a tenant, a template
It sends some 30 mails from {sender} to the mailbox simulator, and 300 MB into a stream.
By estimate it takes an hour and costs less than $1, where two of the account's three free dashboards are left.
Should it be killed: docs/take-down.md has the recipe, with these names of stacks.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 proven, 1 not proven, 2 could not try, 130 interrupted."""
    options = _options(arguments)
    try:
        account = Account(profile=None, region=options.region, endpoint_url=options.endpoint_url)
        sender = _checked(account, options)
    except (UsageError, BotoCoreError) as error:
        print(f"make prove: {error}", file=sys.stderr)
        return 2
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = account.region  # the CDK CLI and boto3 read one each
    if options.endpoint_url:
        os.environ["AWS_ENDPOINT_URL"] = options.endpoint_url
    interrupt_once()
    run = Run(account, sender, options)
    try:
        run.run()
    except KeyboardInterrupt as interruption:
        return 128 + int(interruption.args[0])
    if options.record and not options.endpoint_url:
        doubts.record(run.evidence.settled())
    return 0 if run.evidence.proven else 1


class Run:
    """One run, from the first deployment until all is taken down."""

    def __init__(self, account: Account, sender: str, options: argparse.Namespace) -> None:
        self._account, self._sender, self._speed = account, sender, options.speed
        self._output = Path(options.output)
        name = options.name or f"SesEventsProve{secrets.token_hex(3)}"
        self.standard, express = stacks(name)
        self.express = "" if options.standard_only else express
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        versions = {name: metadata.version(name) for name in ("aws-cdk-lib", "boto3")}
        self.evidence = Evidence(options.endpoint_url or "", options.account, account.region, started, versions)
        _say(
            _ANNOUNCEMENT.format(
                account=options.account,
                region=account.region,
                stacks=f"the stacks {self.standard} and {self.express}"
                if self.express
                else f"the stack {self.standard}",
                sender=sender,
            )
        )

    def run(self) -> None:
        """Deploy, verify, measure, write the evidence, and take all down whatever happens."""
        try:
            with tempfile.TemporaryDirectory(prefix="prove-") as folder, contextlib.ExitStack() as standing:
                cdk = Cdk(
                    _Here(Path(folder)), ROOT, f"{shlex.quote(sys.executable)} -m tools.prove.app {self.standard}"
                )
                self._step("cdk synth", cdk.synth)
                self._prove(cdk, standing)
        except (CdkError, ClientError, UsageError, BotoCoreError) as error:
            self.evidence.failure = str(error)
            print(f"\n{error}", file=sys.stderr)
        except KeyboardInterrupt:
            self.evidence.failure = "it was interrupted"
            raise
        except Exception as error:
            self.evidence.failure = repr(error)
            raise
        finally:
            self.evidence.write(self._output)
            _say(f"\n{self._output}/evidence.md{': not proven' * (not self.evidence.proven)}")

    def _prove(self, cdk: Cdk, standing: contextlib.ExitStack) -> None:
        field = Field(self._account, cdk, self.standard, self.express, self._sender, {}, self._speed)
        standing.callback(self._take_down, cdk, self.standard)
        try:
            field.outputs = self._deploy(field, self.standard)
        except CdkError:
            if not self._refused(self.standard):
                raise
            self._answer("first-deployment", first_deployment(field))
            self._take_down(cdk, self.standard)
            field.outputs = self._deploy(field, self.standard)
        self._verify(self.standard, "cdk deploy")
        if self.express:
            self._prove_express(field, standing)
        for doubt, answer in measured(field, {*self.evidence.answers}):
            self._answer(doubt, answer)

    def _prove_express(self, field: Field, standing: contextlib.ExitStack) -> None:
        standing.callback(self._take_down, field.cdk, self.express)
        try:
            self._deploy(field, self.express, "--express")
            field.pause(PROPAGATION)  # which this deployment did not wait for: verify is about what stands
            self._verify(self.express, "cdk deploy --express")
        except CdkError:
            _say("  cdk deploy --express: failed")

    def _answer(self, doubt: str, answer: Answer) -> None:
        self.evidence.answers[doubt] = answer
        _say(f"  {doubt}: {answer.text}")

    def _deploy(self, field: Field, stack: str, *options: str) -> dict[str, str]:
        deployment = Deployment(stack, " ".join(["cdk deploy", *options]))
        self.evidence.deployments.append(deployment)
        start = time.monotonic()
        try:
            outputs: dict[str, str] = self._step(deployment.command, lambda: field.cdk.deploy(stack, *options))
        except CdkError as error:
            deployment.said = "; ".join(self._refused(stack)) or str(error)
            raise
        finally:
            deployment.seconds = time.monotonic() - start
        return outputs

    def _refused(self, stack: str) -> list[str]:
        """Return why resources failed; nothing where the deployment failed before there was a stack."""
        try:
            return refusals(stack_events(self._account, stack))
        except ClientError:
            return []

    def _verify(self, stack: str, command: str) -> None:
        for scenario in SCENARIOS:
            words = ["verify", "--stack", stack, "--scenario", scenario, "--from", self._sender, "--json"]
            words += ["--timeout", "20"] if self._speed > 1 else []
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                code = cli.main(words)
            if code == 130:
                raise KeyboardInterrupt(2)
            proof = json.loads(printed.getvalue() or '{"proven": false}')
            self.evidence.scenarios[command, scenario] = proof
            _say(f"  {command}, {scenario}: {'proven' if proof['proven'] else 'not proven'}")

    def _take_down(self, cdk: Cdk, stack: str) -> None:
        self.evidence.left += self._step(f"cdk destroy {stack}", lambda: take_down(self._account, cdk, stack))

    def _step(self, name: str, step: Callable[[], Any]) -> Any:
        start = time.monotonic()
        _say(f"  {name} ...")
        done = step()
        _say(f"  {name}: {time.monotonic() - start:.0f} s")
        return done


class _Here:
    """The AWS that the environment leads to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        return dict(os.environ)


def _say(text: str) -> None:
    """Tell who reads it, if anybody does: a closed terminal must not keep anything standing."""
    try:
        print(text, flush=True)
    except OSError:
        drop_output()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.prove", description="Prove the stack on a live account.")
    option = parser.add_argument
    option("--account", default="", metavar="ID", help="the account that it may use")
    option("--region", help="default: AWS_REGION, or that of the profile")
    option("--from", dest="sender", metavar="ADDRESS", help="default: the verified identity, when there is one only")
    option("--output", default="evidence", metavar="FOLDER", help="where the evidence is written (evidence)")
    option("--record", action="store_true", help="write the answers into docs/doubts.json")
    option("--standard-only", action="store_true", help="leave out the stack that is deployed with --express")
    option("--name", help="the name of the first stack (one of its own)")
    option("--endpoint-url", metavar="URL", help="another endpoint, such as an AWS on this machine")
    option("--speed", type=float, default=1, metavar="N", help="how much faster than AWS the endpoint is (1)")
    return parser.parse_args(arguments)


def _checked(account: Account, options: argparse.Namespace) -> str:
    """Return the sender, after everything that can be known before the first resource is made.

    :raises UsageError: when it cannot be done.
    """
    if not options.account:
        raise UsageError("name the account that may be used, for example make prove ACCOUNT=111122223333")
    try:
        found = account.client("sts").get_caller_identity()["Account"]
    except ClientError as error:
        raise UsageError(f"your credentials do not work: {error_message(error)}") from None
    if found != options.account:
        raise UsageError(f"your credentials are those of {found}, not of ACCOUNT={options.account}; nothing was done")
    try:
        account.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    except ClientError:
        how = f"run npx cdk bootstrap aws://{found}/{account.region} first"
        raise UsageError(f"the account is not prepared for CDK in {account.region}; {how}") from None
    identities = verified_identities(account)
    if options.sender:
        return str(options.sender)
    if len(identities) != 1:
        some = ", ".join(identities[:5]) or "none"
        raise UsageError(f"choose the sender with FROM=: the verified identities of {account.region} are {some}")
    return identities[0] if "@" in identities[0] else f"prove@{identities[0]}"


if __name__ == "__main__":
    sys.exit(main())
