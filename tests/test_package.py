"""The package as somebody else's app gets it: built, installed into a folder of its own, imported from another one."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.templates import ROOT

MORE = """
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions, aws_iam as iam, aws_sns as sns
from ses_events import EventAnalytics, EventBridgeDestination, EventMonitoring, SnsDestination
analyst = iam.User(stack, "Analyst")
sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
"""
"""What the second example of the README takes as given."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_constructs_their_types_and_nothing_else(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in names} == {"ses_events"}
    assert "ses_events/py.typed" in names


def test_the_package_asks_for_cdk_and_constructs_only(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    required = re.findall(r"^Requires-Dist: ([\w-]+)(.*)", archive.read(metadata).decode(), re.MULTILINE)
    assert sorted(name for name, rest in required if "extra ==" not in rest) == ["aws-cdk-lib", "constructs"]
    assert sorted(name for name, rest in required if "extra == 'verify'" in rest) == ["boto3", "rich"]


def test_an_app_in_another_folder_synthesizes_the_examples_of_the_readme(wheel: Path, tmp_path: Path) -> None:
    site, app = tmp_path / "site", tmp_path / "app"
    app.mkdir()
    _python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel), cwd=app)
    example, more = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    further = example.replace("app.synth()\n", MORE + more + "app.synth()\n").replace(
        'EventPublishing(stack, "Events")', 'EventPublishing(stack, "Events", reputation_metrics=True)'
    )
    (app / "app.py").write_text(f"{example}\nimport ses_events\nprint(ses_events.__file__)\n")
    (app / "further.py").write_text(further)
    printed = _python("app.py", cwd=app, PYTHONPATH=str(site), CDK_OUTDIR=str(app / "cdk.out"))
    assert printed.stdout.strip() == str(site / "ses_events/__init__.py")
    assert printed.stderr == ""
    assert (app / "cdk.out/Mail.template.json").exists()
    _python("further.py", cwd=app, PYTHONPATH=str(site), CDK_OUTDIR=str(app / "further"))
    assert (app / "further/Mail.template.json").exists()


def test_the_constructs_import_nothing_but_cdk_and_the_standard_library() -> None:
    imported = set()
    command = {*(ROOT / "ses_events/verify").glob("*.py")}  # has an extra of its own
    for module in {*(ROOT / "ses_events").rglob("*.py")} - command:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"aws_cdk", "constructs", "ses_events"}


def _python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run
