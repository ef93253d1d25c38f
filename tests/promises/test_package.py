"""The package as somebody else's app gets it: built, installed into a folder of its own, imported from another one."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import ses_events
from tests.support.templates import ROOT

MORE = """
from aws_cdk import aws_iam as iam, aws_sns as sns
from ses_events import EventAnalytics, EventBridgeDestination, EventMonitoring, SnsDestination
analyst = iam.User(stack, "Analyst")
sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
"""
"""What the second example of the README takes as given."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _python("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def package() -> set[str]:
    """What git knows of the package, or could: what it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "ses_events"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def test_the_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path, package: set[str]) -> None:
    assert {"ses_events/py.typed", "ses_events/analytics/queries/daily_rates.sql", "ses_events/verify/cli.py"} < package
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if ".dist-info/" not in name} == package
    assert {name.partition(".dist-info/")[2] for name in names} - {""} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_the_sdist_has_the_package_and_what_building_it_takes(built: Path, package: set[str]) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    # PKG-INFO and .gitignore are what the build backend adds
    assert names == package | {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}


def test_the_package_is_small(built: Path) -> None:
    assert {path.suffix: path.stat().st_size < 200_000 for path in built.iterdir()} == {".whl": True, ".gz": True}


def test_the_sdist_builds_the_wheel_that_the_sources_build(wheel: Path, tmp_path: Path) -> None:
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT), cwd=tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


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
    (app / "app.py").write_text(example)
    (app / "further.py").write_text(further)
    (app / "both.py").write_text("import app, further, ses_events\nprint(ses_events.__file__)\n")
    printed = _python("both.py", cwd=app, PYTHONPATH=str(site), CDK_OUTDIR=str(app / "cdk.out"))
    assert printed.stdout.strip() == str(site / "ses_events/__init__.py")
    assert printed.stderr == ""
    assert "AWS::SNS::TopicPolicy" in (app / "cdk.out/Mail.template.json").read_text()


def test_every_lazy_name_is_one_that_a_type_checker_sees() -> None:
    tree = ast.parse((ROOT / "ses_events/__init__.pyi").read_text())
    (listed,) = [ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)]
    seen = {
        (alias.name, statement.module)
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    lazy = vars(ses_events)["_MODULES"]
    assert seen == {(name, f"ses_events.{module}") for name, module in lazy.items()}
    assert listed == ses_events.__all__ == [name for name in ses_events.__all__ if hasattr(ses_events, name)]


def test_the_constructs_import_nothing_but_cdk_and_the_standard_library() -> None:
    imported = set()
    command = {*(ROOT / "ses_events/verify").glob("*.py")}  # has an extra of its own
    for module in {*(ROOT / "ses_events").rglob("*.py")} - command:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
    cdk = {"aws_cdk", "constructs"}
    assert imported - set(sys.stdlib_module_names) == {*cdk, "ses_events"}


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
