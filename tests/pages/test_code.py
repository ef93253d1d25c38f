"""The code in README and docs: Python runs, shell parses, and the commands and options in it exist."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import botocore.session
import mypy.api
import pytest
from botocore import xform_name
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.support.templates import (
    RECOMMENDED_FLAGS,
    ROOT,
    Json,
    new_app,
    only,
    resources,
    statements_in,
    synthesize,
    waits_for,
    warning_texts,
)

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
"""All of them; the Python of the first runs with the built package, in test_package.py."""

GIVEN = """
import aws_cdk as cdk
from aws_cdk import aws_iam as iam, aws_kms as kms
from aws_cdk import aws_s3 as s3, aws_ses as ses, aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent
from ses_events import *
"""
"""What the Python of the pages takes as given, besides ``app`` and a ``stack``."""

OPTIONS_OF_ALL_COMMANDS = {"--cli-input-json", "--output", "--profile", "--query", "--region"}
RENAMED_BY_THE_CLI = {("ses", "send-email"): {"--from", "--to", "--subject", "--text"}}


def blocks(page: Path, *languages: str) -> list[str]:
    """The code of a page in these languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [code for language, code in found if language in languages]


@cache
def synthesized(page: Path) -> cdk.App:
    """The app that the Python of a page makes, one block after another."""
    app = new_app(**RECOMMENDED_FLAGS)
    names: dict[str, Any] = {"app": app}
    exec(GIVEN, names)
    codes = blocks(page, "python")
    if re.search(r"\bstack\b", "".join(codes)):  # an empty one is refused by older versions of CDK
        names["stack"] = cdk.Stack(app, "Mail")
    for code in codes:
        exec(compile(code, page.name, "exec"), names)
    app.synth()
    return app


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "README.md" and blocks(page, "python")], ids=lambda p: p.name
)
def test_the_python_of_a_page_runs(page: Path) -> None:
    synthesized(page)  # that of the README runs with the built package, in test_package.py


def test_the_python_of_the_pages_passes_a_type_checker(tmp_path: Path) -> None:
    for page in PAGES:
        codes = blocks(page, "python")
        if codes and page.name != "README.md":
            module = tmp_path / f"{page.stem.replace('-', '_')}.py"
            module.write_text("\n".join([GIVEN, 'app = cdk.App()\nstack = cdk.Stack(app, "Mail")', *codes]))
    output, errors, status = mypy.api.run([*map(str, tmp_path.iterdir())])
    assert (status, errors) == (0, ""), output


def test_the_statement_for_a_central_bucket_is_the_one_that_is_asked_for() -> None:
    app = synthesized(ROOT / "docs/accounts-and-regions.md")
    central, mail = (app.node.find_child(name) for name in ("Central", "Mail-EU"))
    assert isinstance(central, cdk.Stack) and isinstance(mail, cdk.Stack)
    (needed,) = [found for text in warning_texts(mail) for found in statements_in(text)]
    policy = central.resolve(central.node.find_child("Bucket").policy.document)  # type: ignore[attr-defined]
    (given,) = [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]
    assert given["Action"] == needed["Action"]
    folders = {resource.partition("/")[2].partition("/")[0] for resource in needed["Resource"]} - {""}
    assert folders == {"111122223333"} and json.dumps(given["Resource"]).count("/111122223333/*") == 1
    assert needed["Principal"]["AWS"] == f"arn:aws:iam::{mail.account}:root"
    role, asked = (each["Condition"]["ArnLike"]["aws:PrincipalArn"].rstrip("*") for each in (given, needed))
    assert asked.startswith(role) and role.endswith(f"/{mail.stack_name}-ArchiveRole")


def test_where_lake_formation_governs_firehose_may_read_the_table_before_the_stream_is_made() -> None:
    stack = synthesized(ROOT / "docs/analytics.md").node.find_child("Mail")
    assert isinstance(stack, cdk.Stack)
    template = synthesize(stack)
    stream, _ = only(template, "AWS::KinesisFirehose::DeliveryStream")
    permissions = resources(template, "AWS::LakeFormation::PrincipalPermissions")
    tables = {each["Properties"]["Resource"]["Table"]["Name"]["Ref"]: name for name, each in permissions.items()}
    assert len(tables) == 3
    assert all(waits_for(template, permission, table) for table, permission in tables.items())
    (firehose,) = [each for each in permissions if waits_for(template, stream, each)]
    assert permissions[firehose]["Properties"]["Permissions"] == ["DESCRIBE", "SELECT"]
    assert "ArchiveRole" in json.dumps(permissions[firehose]["Properties"]["Principal"])


def test_cloudformation_imports_by_what_the_page_says() -> None:
    page = ROOT / "docs/migrate.md"
    rows = re.findall(r"^\| `(AWS::[\w:]+)` \| (.+) \|$", page.read_text(), re.MULTILINE)
    for resource_type, identifiers in rows:
        schema: Json = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
        names = [name.removeprefix("/properties/") for name in schema["primaryIdentifier"]]
        assert ", ".join(f"`{name}`" for name in names) == identifiers
        assert "read" in schema["handlers"]  # without it nothing can be imported
    assert len(rows) == 4
    stack = synthesized(page).node.find_child("Mail")
    assert isinstance(stack, cdk.Stack)
    (mapping,) = re.findall(r"--resource-mapping-inline '(.+?)'", page.read_text())
    ((logical_id, identifier),) = json.loads(mapping).items()
    template = json.loads(Path(synthesized(page).outdir, "Mail.template.json").read_text())
    assert template["Resources"][logical_id]["Properties"]["Name"] == identifier["Name"]


def test_the_set_of_the_page_has_no_engagement_metrics_of_the_account() -> None:
    app = synthesized(ROOT / "docs/security.md")
    template = json.loads(Path(app.outdir, "Mail.template.json").read_text())
    ((_, configuration_set),) = resources(template, "AWS::SES::ConfigurationSet").items()
    assert configuration_set["Properties"]["VdmOptions"] == {"DashboardOptions": {"EngagementMetrics": "DISABLED"}}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_the_shell_of_a_page_parses_and_its_options_exist(page: Path) -> None:
    for code in blocks(page, "sh"):
        subprocess.run(["bash", "-n"], input=code, text=True, check=True)
        for command in re.findall(r"\baws +([a-z0-9]+ +[a-z-]+)((?:[^\n;|)`]|\\\n)*)", code.replace("\\\n", " ")):
            _check_aws(*command)
        for name, rest in re.findall(r"\bcdk +([a-z]+)([^\n;|&]*)", code.replace("\\\n", " ")):
            known = _cdk()["commands"][name].get("options", {}) | _cdk()["globalOptions"]
            switched_off = {f"no-{option}" for option, what in known.items() if what["type"] == "boolean"}
            assert {option.removeprefix("--") for option in _long_options(rest)} <= {*known, *switched_off}, name


def _check_aws(command: str, rest: str) -> None:
    service, operation = command.split()
    if service == "s3":
        return  # the CLI's own commands, which no model describes
    model = _service(service)
    (method,) = [name for name in model.operation_names if xform_name(name, "-") == operation]
    members = model.operation_model(method).input_shape.members
    known = {"--" + xform_name(name, "-") for name in members} | OPTIONS_OF_ALL_COMMANDS
    assert set(_long_options(rest)) <= known | RENAMED_BY_THE_CLI.get((service, operation), set()), command


def _long_options(text: str) -> list[str]:
    without_quoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", text.partition("#")[0])
    return re.findall(r"(?<!\S)--[a-z-]+", without_quoted)


@cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


@cache
def _cdk() -> Json:
    registry: Json = json.loads((ROOT / "node_modules/aws-cdk/lib/cli/cli-type-registry.json").read_text())
    return registry
