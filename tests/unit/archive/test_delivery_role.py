from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from ses_events import EventArchive, EventPublishing, FirehoseDestination
from tests.support.templates import (
    DELIVER,
    actions,
    logical_id,
    only,
    properties,
    statements_in,
    synthesize,
    waits_for,
    warning_texts,
)

POLICY = "AWS::IAM::Policy"
STREAM = "AWS::KinesisFirehose::DeliveryStream"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "firehose.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "${AWS::AccountId}"}},
}
WARNING = "ses-events:delivery-role-not-editable"


def a_role(stack: cdk.Stack, service: str = "firehose") -> iam.Role:
    return iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com"))


def imported(stack: cdk.Stack, *, mutable: bool = True) -> iam.IRole:
    return iam.Role.from_role_name(stack, "Mine", "mine", mutable=mutable)


@pytest.mark.parametrize("role", [a_role, imported])
def test_a_role_of_the_users_may_deliver_before_the_stream_is_made(
    stack: cdk.Stack, role: Callable[[cdk.Stack], iam.IRole]
) -> None:
    archive = EventArchive(stack, "Archive", role=role(stack))
    template = synthesize(stack)
    policy, body = only(template, POLICY)
    assert actions(body["Properties"]["PolicyDocument"]) == DELIVER
    assert waits_for(template, logical_id(archive.delivery_stream), policy)
    arn = properties(template, STREAM)["ExtendedS3DestinationConfiguration"]["RoleARN"]
    assert arn == stack.resolve(archive.role.role_arn)
    assert "ArchiveRole6D720787" not in template["Resources"]
    assert not [each for each in warning_texts(stack) if WARNING in each]


def test_nag_finds_nothing_in_the_policy_of_a_role_of_the_users(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", role=a_role(stack))
    assert [violation.rule_name for violation in AwsSolutionsChecks().validate_scope(stack).violations] == []


def test_a_role_that_cdk_cannot_edit_gets_a_warning_with_the_statements(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", role=imported(stack, mutable=False))
    template = synthesize(stack)
    assert POLICY not in {body["Type"] for body in template["Resources"].values()}
    [warning] = warning_texts(stack)
    assert WARNING in warning and all(action in warning for action in DELIVER)
    assert TRUST in statements_in(warning)


def test_an_imported_role_gets_a_warning_with_the_trust_it_needs(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", role=imported(stack))
    [warning] = warning_texts(stack)
    assert "ses-events:imported-role" in warning and statements_in(warning) == [TRUST]


def test_a_precreated_role_of_the_users_gets_the_same_warning(stack: cdk.Stack) -> None:
    iam.Role.customize_roles(stack, use_precreated_roles={"Mail/Mine": "mine"})
    EventArchive(stack, "Archive", role=a_role(stack))
    template = synthesize(stack)
    assert properties(template, STREAM)["ExtendedS3DestinationConfiguration"]["RoleARN"]["Fn::Join"][1][-1].endswith(
        ":role/mine"
    )
    assert [each for each in warning_texts(stack) if WARNING in each]


def test_the_roles_of_an_archive_and_its_set_can_be_precreated(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    stack = cdk.Stack(app, "Mail")
    precreated = {"Mail/Archive/Role": "deliver", "Mail/Mine": "publish"}
    iam.Role.customize_roles(stack, use_precreated_roles=precreated)
    archive = EventArchive(stack, "Archive")
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive, role=a_role(stack, "ses")))
    template = app.synth().get_stack_by_name("Mail").template
    assert not {body["Type"] for body in template["Resources"].values()} & {"AWS::IAM::Role", POLICY}
    report = json.loads((tmp_path / "iam-policy-report.json").read_text())["roles"]
    statements = {each["roleConstructPath"]: json.dumps(each["identityPolicyStatements"]) for each in report}
    assert all(action in statements["Mail/Archive/Role"] for action in DELIVER)
    assert "firehose:PutRecordBatch" in statements["Mail/Mine"]


def test_a_role_that_does_not_trust_firehose_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match=r"^Mail/Archive: role 'Mail/Mine' does not trust Firehose; create it with"):
        EventArchive(stack, "Archive", role=a_role(stack, "ses"))


def test_what_is_no_role_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(TypeError, match=r"^Mail/Archive: role 'mine' is of type str; use an iam.Role that trusts"):
        EventArchive(stack, "Archive", role="mine")  # type: ignore[arg-type]
