from __future__ import annotations

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_ses import EmailSendingEvent
from constructs import Construct, IConstruct
from syrupy.assertion import SnapshotAssertion

from ses_events import EventArchive, EventPublishing, FirehoseDestination
from tests.support.templates import (
    Json,
    inline_actions,
    logical_id,
    new_app,
    only,
    readable,
    resources,
    statements_in,
    synthesize,
    waits_for,
    warning_texts,
    warnings,
)
from tests.support.trusts import FOR_ANYBODY, FOR_ONE


def ses_roles(template: Json) -> list[Json]:
    return [
        role
        for role in resources(template, "AWS::IAM::Role").values()
        if role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] == "ses.amazonaws.com"
    ]


def ses_of_this_account(stack: cdk.Stack) -> iam.ServicePrincipal:
    return iam.ServicePrincipal("ses.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}})


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (iam.CfnRole, ["Mail/Archive/Role/Resource", "Mail/Events/SesRole"]),
        (iam.Role, ["Mail/Archive/Role"]),
    ],
)
def test_an_aspect_on_an_l1_sees_both_roles(stack: cdk.Stack, kind: type[Construct], seen: list[str]) -> None:
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    paths: list[str] = []

    @jsii.implements(cdk.IAspect)
    class Roles:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, kind):
                paths.append(node.node.path)

    cdk.Aspects.of(stack).add(Roles())
    synthesize(stack)
    assert sorted(paths) == seen


def test_with_roles_given_none_is_made(stack: cdk.Stack) -> None:
    arn = "arn:aws:iam::111122223333:role"
    archive = EventArchive(stack, "Archive", role=iam.Role.from_role_arn(stack, "Firehose", f"{arn}/firehose"))
    role = iam.Role.from_role_arn(stack, "Ses", f"{arn}/ses")
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(archive, role=role))
    assert resources(synthesize(stack), "AWS::IAM::Role") == {}


def test_a_firehose_destination(stack: cdk.Stack, snapshot_json: SnapshotAssertion) -> None:
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    template = readable(synthesize(stack))
    archive = [name for name in template["Resources"] if name.startswith("Archive")]
    assert {name: body for name, body in template["Resources"].items() if name not in archive} == snapshot_json, (
        "run make snapshots, and read what changed"
    )


def test_ses_may_put_record_batches_into_the_stream_and_nothing_else(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(archive))
    (role,) = ses_roles(readable(synthesize(stack)))
    assert [policy["PolicyDocument"]["Statement"] for policy in role["Properties"]["Policies"]] == [
        [
            {
                "Effect": "Allow",
                "Action": "firehose:PutRecordBatch",
                "Resource": "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/"
                + archive.delivery_stream_name,
            }
        ]
    ]


def test_ses_takes_the_role_for_this_set_of_this_account_only(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    (role,) = ses_roles(readable(synthesize(stack)))
    assert role["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": "${AWS::AccountId}",
                    "aws:SourceArn": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/"
                    f"${{{logical_id(publishing.configuration_set)}}}",
                }
            },
        }
    ]


def test_one_role_serves_all_firehose_destinations_of_a_set(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    first, second = EventArchive(stack, "First"), EventArchive(stack, "Second")
    publishing.add_destination("ToFirst", FirehoseDestination(first), events=[EmailSendingEvent.SEND])
    publishing.add_destination("ToFirstToo", FirehoseDestination(first), events=[EmailSendingEvent.BOUNCE])
    publishing.add_destination("ToSecond", FirehoseDestination(second))
    (role,) = ses_roles(readable(synthesize(stack)))
    streams = [p["PolicyDocument"]["Statement"][0]["Resource"] for p in role["Properties"]["Policies"]]
    assert [stream.rpartition("/")[2] for stream in streams] == [
        first.delivery_stream_name,
        second.delivery_stream_name,
    ]
    assert inline_actions(role) == {"firehose:PutRecordBatch"}


def test_one_destination_value_serves_several_sets_with_a_role_each(stack: cdk.Stack) -> None:
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"))
    for brand in ("Red", "Blue"):
        EventPublishing(stack, brand).add_destination("ToArchive", to_archive)
    template = readable(synthesize(stack))
    role_of_set = {
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"][
            "aws:SourceArn"
        ].rpartition("/")[2]: f"${{{name}.Arn}}"
        for name, role in resources(template, "AWS::IAM::Role").items()
        if role in ses_roles(template)
    }
    named = {
        destination["Properties"]["ConfigurationSetName"]: destination["Properties"]["EventDestination"][
            "KinesisFirehoseDestination"
        ]["IAMRoleARN"]
        for destination in resources(template, "AWS::SES::ConfigurationSetEventDestination").values()
    }
    assert len(set(named.values())) == 2 and named == role_of_set


def test_a_shared_role_serves_every_set_of_the_account(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    to_archive = FirehoseDestination.with_shared_role(archive)
    for brand in ("Red", "Blue"):
        EventPublishing(stack, brand).add_destination("ToArchive", to_archive)
    EventPublishing(stack, "Green").add_destination("ToArchive", FirehoseDestination.with_shared_role(archive))
    template = synthesize(stack)
    (role,) = ses_roles(readable(template))
    assert inline_actions(role) == {"firehose:PutRecordBatch"}
    assert role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
        "ArnLike": {"aws:SourceArn": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*"},
    }
    assert waits_for(template, logical_id(archive.delivery_stream), logical_id(archive.node.find_child("SesRole")))
    assert warnings(stack) == set()


def test_a_role_of_the_user_gets_the_permission_in_a_policy_of_its_own(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    role = iam.Role(stack, "Role", assumed_by=ses_of_this_account(stack))
    role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[archive.bucket.bucket_arn]))
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive, role=role), events=[EmailSendingEvent.SEND])
    publishing.add_destination("Again", FirehoseDestination(archive, role=role), events=[EmailSendingEvent.BOUNCE])
    template = readable(synthesize(stack))
    ((_, policy),) = [p for p in resources(template, "AWS::IAM::Policy").items() if "SesPolicy" in p[0]]
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Action": "firehose:PutRecordBatch",
            "Effect": "Allow",
            "Resource": "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/"
            + archive.delivery_stream_name,
        }
    ]
    assert len(ses_roles(template)) == 1
    assert warnings(stack) == set()


def test_each_of_two_roles_of_the_user_gets_its_own_permission(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    for number in ("One", "Two"):
        role = iam.Role(stack, f"Role{number}", assumed_by=iam.ServicePrincipal("ses.amazonaws.com"))
        archive = EventArchive(stack, number, delivery_stream_name=number)
        publishing.add_destination(f"To{number}", FirehoseDestination(archive, role=role))
    policies = resources(readable(synthesize(stack)), "AWS::IAM::Policy").values()
    granted = {
        policy["Properties"]["Roles"][0][:9]: policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"][-3:]
        for policy in policies
    }
    assert granted == {"${RoleOne": "One", "${RoleTwo": "Two"}


def test_an_imported_role_is_warned_of_with_the_statements_it_needs(stack: cdk.Stack) -> None:
    imported = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/ses-to-firehose", mutable=False)
    publishing = EventPublishing(stack, "Events", configuration_set_name="newsletter")
    archive = EventArchive(stack, "Archive", delivery_stream_name="events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive, role=imported))
    (message,) = warning_texts(stack)
    name = "${Mail/Events/ConfigurationSet}"
    assert message.startswith("the trust policy of the role arn:aws:iam::111122223333:role/ses-to-firehose cannot be ")
    trust, permission = statements_in(message)
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": "${AWS::AccountId}",
                "aws:SourceArn": f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:"
                f"configuration-set/{name}",
            }
        },
    }
    assert permission == {
        "Effect": "Allow",
        "Action": "firehose:PutRecordBatch",
        "Resource": "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/events",
    }
    assert not ses_roles(synthesize(stack))


def test_an_imported_role_that_may_be_edited_gets_the_permission_first(stack: cdk.Stack) -> None:
    imported = iam.Role.from_role_name(stack, "Role", "ses-to-firehose")
    publishing = EventPublishing(stack, "Events")
    destination = publishing.add_destination(
        "ToArchive", FirehoseDestination(EventArchive(stack, "Archive"), role=imported)
    )
    template = synthesize(stack)
    policy, _ = only(template, "AWS::IAM::Policy")
    (stream,) = resources(template, "AWS::KinesisFirehose::DeliveryStream")
    assert waits_for(template, logical_id(destination), policy)
    assert waits_for(template, stream, policy)
    assert warnings(stack) == {"ses-events:imported-role"}


def test_without_an_archive_the_destination_waits_for_the_permission_of_a_role(stack: cdk.Stack) -> None:
    stream = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "events")
    role = iam.Role(stack, "Role", assumed_by=ses_of_this_account(stack))
    destination = EventPublishing(stack, "Events").add_destination("ToStream", FirehoseDestination(stream, role=role))
    template = synthesize(stack)
    policy, _ = only(template, "AWS::IAM::Policy")
    assert waits_for(template, logical_id(destination), policy)


def test_an_imported_role_of_another_stack_makes_no_circle_of_stacks(stack: cdk.Stack) -> None:
    roles = cdk.Stack(cdk.Stage.of(stack), "Roles")
    iam.User(roles, "User")  # an older CDK refuses a stack without resources
    imported = iam.Role.from_role_name(roles, "Role", "ses-to-firehose")
    stream = firehose.DeliveryStream(stack, "Stream", destination=firehose.S3Bucket(s3.Bucket(stack, "Bucket")))
    EventPublishing(stack, "Events").add_destination("ToStream", FirehoseDestination(stream, role=imported))
    synthesize(stack)
    assert roles not in stack.dependencies and stack not in roles.dependencies


def test_a_role_that_ses_may_assume_for_anybody_is_warned_of_with_the_condition_it_needs(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ses.amazonaws.com"))
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive"), role=role))
    (text,) = warning_texts(stack)
    assert warnings(stack) == {"ses-events:role-for-anybody"}
    (condition,) = statements_in(text)
    assert condition["StringEquals"]["aws:SourceAccount"] == "${AWS::AccountId}"


def trusted(stack: cdk.Stack, *conditions: Json) -> iam.Role:
    """A role that SES may assume by a statement for each condition."""
    first, *more = (iam.ServicePrincipal("ses.amazonaws.com", conditions=each) for each in conditions)
    role = iam.Role(stack, "Role", assumed_by=first)
    for principal in more:
        assert role.assume_role_policy
        role.assume_role_policy.add_statements(iam.PolicyStatement(actions=["sts:AssumeRole"], principals=[principal]))
    return role


@pytest.mark.parametrize("conditions", FOR_ANYBODY, ids=str)
def test_each_statement_of_a_trust_says_for_whom_ses_acts_or_is_warned_of(
    stack: cdk.Stack, conditions: list[Json]
) -> None:
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"), role=trusted(stack, *conditions))
    EventPublishing(stack, "Events").add_destination("ToArchive", to_archive)
    assert warnings(stack) == {"ses-events:role-for-anybody"}


@pytest.mark.parametrize("conditions", FOR_ONE, ids=str)
def test_a_trust_that_says_for_whom_ses_acts_is_taken(stack: cdk.Stack, conditions: list[Json]) -> None:
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"), role=trusted(stack, *conditions))
    EventPublishing(stack, "Events").add_destination("ToArchive", to_archive)
    assert warnings(stack) == set()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "444455556666"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:ses:eu-west-1:444455556666:configuration-set/*"}},
        {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:ses:eu-west-1:444455556666:configuration-set/*"},
        },
    ],
    ids=str,
)
def test_a_role_that_trusts_ses_for_another_account_is_refused(condition: Json) -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(), "Mail", env=env)
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"), role=trusted(stack, condition))
    with pytest.raises(ValueError) as caught:
        EventPublishing(stack, "Events").add_destination("ToArchive", to_archive)
    assert str(caught.value) == (
        "Mail/Events/ToArchive: role 'Mail/Role' trusts SES for 444455556666 only, and this stack is in 111122223333; "
        "name this account in the condition"
    )


def test_a_trust_that_names_an_account_of_deployment_too_is_taken() -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(), "Mail", env=env)
    accounts = ["444455556666", cdk.Fn.import_value("Account")]
    role = trusted(stack, {"StringEquals": {"aws:SourceAccount": accounts}})
    EventPublishing(stack, "Events").add_destination(
        "ToArchive", FirehoseDestination(EventArchive(stack, "Archive"), role=role)
    )
    assert warnings(stack) == set()


def test_a_role_of_this_app_that_gets_no_permission_here_is_warned_of_with_it(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=ses_of_this_account(stack)).without_policy_updates()
    to_archive = FirehoseDestination(EventArchive(stack, "Archive", delivery_stream_name="events"), role=role)
    EventPublishing(stack, "Events").add_destination("ToArchive", to_archive)
    assert not resources(synthesize(stack), "AWS::IAM::Policy")
    (message,) = warning_texts(stack)
    assert " cannot be seen from here; SES can use the role only when its trust policy has " in message
    assert "and, where the role is immutable here, one of its policies " in message


def test_a_stream_that_is_no_archive_s_is_taken_with_a_warning(stack: cdk.Stack) -> None:
    imported = firehose.DeliveryStream.from_delivery_stream_name(stack, "Stream", "events")
    EventPublishing(stack, "Events").add_destination("ToStream", FirehoseDestination(imported))
    template = readable(synthesize(stack))
    (role,) = ses_roles(template)
    arn = "arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/events"
    assert role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] == arn
    _, destination = only(template, "AWS::SES::ConfigurationSetEventDestination")
    assert destination["Properties"]["EventDestination"]["KinesisFirehoseDestination"]["DeliveryStreamARN"] == arn
    assert warnings(stack) == {"ses-events:order-not-guaranteed"}


def test_a_stream_of_cdk_in_the_same_stack_makes_no_circle(stack: cdk.Stack) -> None:
    stream = firehose.DeliveryStream(stack, "Stream", destination=firehose.S3Bucket(s3.Bucket(stack, "Bucket")))
    EventPublishing(stack, "Events").add_destination("ToStream", FirehoseDestination(stream))
    synthesize(stack)
    assert warnings(stack) == {"ses-events:order-not-guaranteed"}
