"""The package as somebody else's app gets it: built, installed into a folder of its own, imported from another one."""

from __future__ import annotations

import ast
import json
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
from tools import release, releases
from tools.releases import version


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


def test_the_commands_work_where_cdk_is_not_installed(wheel: Path, tmp_path: Path) -> None:
    _install(wheel, tmp_path)
    without_cdk = """
import importlib, pkgutil, sys
sys.modules |= {"aws_cdk": None, "constructs": None}
import ses_events.verify
for module in pkgutil.iter_modules(ses_events.verify.__path__, "ses_events.verify."):
    if module.name != "ses_events.verify.__main__":
        importlib.import_module(module.name)
"""
    _python("-c", without_cdk, cwd=tmp_path, PYTHONPATH=str(tmp_path))


def test_the_kept_templates_are_those_of_the_last_release_or_of_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(releases, "RELEASES", tmp_path)
    monkeypatch.setattr(releases, "UNRELEASED", tmp_path / "unreleased")
    (tmp_path / "unreleased").mkdir()
    assert releases.latest().name == "unreleased"
    for name in ("0.9.0", "0.10.0"):
        (tmp_path / name).mkdir()
    assert releases.latest().name == "0.10.0"


def test_a_release_is_refused_as_long_as_the_project_has_no_address() -> None:
    refused = [*release.problems("v0.0.9")]
    assert f"the tag 'v0.0.9' is not v{version()}, the version of pyproject.toml" in refused
    assert f"README.md has the placeholder {release.PLACEHOLDER}; write the address" in refused
    assert "pyproject.toml has no [project.urls]; name the repository, the docs and the changelog" in refused


def test_an_app_in_another_folder_synthesizes_the_examples_of_the_readme(wheel: Path, tmp_path: Path) -> None:
    site, app = tmp_path / "site", tmp_path / "app"
    app.mkdir()
    _install(wheel, site)
    whole, parts = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (app / "whole.py").write_text(whole)
    (app / "parts.py").write_text(parts)
    (app / "both.py").write_text("import whole, parts, ses_events\nprint(ses_events.__file__)\n")
    printed = _python("both.py", cwd=app, PYTHONPATH=str(site), CDK_OUTDIR=str(app / "cdk.out"))
    assert printed.stdout.strip() == str(site / "ses_events/__init__.py")
    assert printed.stderr == ""
    template = json.loads((app / "cdk.out/Mail.template.json").read_text())  # that of the parts, which came last
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert {"AWS::KinesisFirehose::DeliveryStream", "AWS::CloudWatch::Alarm"} < types


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
    cdk = {"aws_cdk", "constructs", "jsii"}  # the last implements CDK's interfaces in Python, and comes with it
    assert imported - set(sys.stdlib_module_names) == {*cdk, "ses_events"}


def _install(wheel: Path, folder: Path) -> None:
    _python("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel), cwd=ROOT)


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
