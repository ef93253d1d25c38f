"""What has to exist before what, so that IAM has propagated when SES looks."""

from __future__ import annotations

import itertools
import json

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from constructs import Construct, IConstruct

from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventArchive,
    EventPublishing,
    FirehoseDestination,
    JsonFormat,
    ParquetFormat,
)
from ses_events.archive.formats import EventFormat
from tests.support.templates import (
    Json,
    logical_id,
    new_app,
    only,
    order_of_creation,
    synthesize,
    waits_for,
    warnings,
)

ANOTHER_STACK = "ses-events:order-not-guaranteed"
METRICS = CloudWatchDestination(
    [
        ses.CloudWatchDimension(
            name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
        )
    ]
)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("archive_first", [False, True])
@pytest.mark.parametrize("order", list(itertools.permutations(["firehose", "cloudwatch", "firehose-too"])))
@pytest.mark.parametrize("sets", [1, 2])
def test_set_role_stream_destination_come_in_this_order(
    named: bool, archive_first: bool, order: tuple[str, ...], sets: int
) -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = _archive(stack, named) if archive_first else None
    publishings = [
        EventPublishing(stack, f"Set{number}", configuration_set_name=f"set-{number}" if named else None)
        for number in range(sets)
    ]
    archive = archive or _archive(stack, named)
    for publishing in publishings:
        for kind in order:
            events = [ses.EmailSendingEvent.CLICK] if kind == "firehose-too" else UNTOUCHED_MAIL
            destination = METRICS if kind == "cloudwatch" else FirehoseDestination(archive)
            publishing.add_destination(kind, destination, events=events)

    template = synthesize(stack)
    stream = logical_id(archive.delivery_stream)
    bucket_policy, _ = only(template, "AWS::S3::BucketPolicy")
    firehose_role = stack.resolve(archive.role.role_arn)["Fn::GetAtt"][0]
    assert waits_for(template, stream, bucket_policy)
    assert waits_for(template, stream, firehose_role)
    assert any(waits_for(template, _child(publishing, "SesRole"), firehose_role) for publishing in publishings)
    for publishing in publishings:
        configuration_set = logical_id(publishing.configuration_set)
        ses_role = _child(publishing, "SesRole")
        assert waits_for(template, ses_role, configuration_set)
        assert waits_for(template, stream, ses_role)
        for kind in order:
            made = _child(publishing, kind)
            assert waits_for(template, made, configuration_set)
            assert waits_for(template, made, stream) or kind == "cloudwatch"
            assert waits_for(template, made, ses_role) or kind == "cloudwatch"
    assert warnings(stack) == set()


@pytest.mark.parametrize("sets", [0, 2])
def test_the_role_that_sets_share_comes_before_the_stream(sets: int) -> None:
    stack = cdk.Stack(new_app(), "Mail")
    archive = _archive(stack, named=False)
    to_archive = FirehoseDestination.with_shared_role(archive)
    publishings = [EventPublishing(stack, f"Set{number}") for number in range(sets)]
    for publishing in publishings:
        publishing.add_destination("ToArchive", to_archive)
    template = synthesize(stack)
    stream = logical_id(archive.delivery_stream)
    assert waits_for(template, stream, _child(archive, "SesRole"))
    assert waits_for(template, _child(archive, "SesRole"), _child(archive.role, "Resource"))
    assert all(waits_for(template, _child(publishing, "ToArchive"), stream) for publishing in publishings)


def test_with_two_archives_each_stream_waits_for_the_role(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    archives = [EventArchive(stack, "First"), EventArchive(stack, "Second")]
    for archive in archives:
        publishing.add_destination(f"To{archive.node.id}", FirehoseDestination(archive))
    template = synthesize(stack)
    role = _child(publishing, "SesRole")
    assert all(waits_for(template, logical_id(archive.delivery_stream), role) for archive in archives)
    assert all(waits_for(template, role, _child(archive.role, "Resource")) for archive in archives)


@pytest.mark.parametrize("sending", ["role of the set", "shared role", "role of the user", "the same role"])
@pytest.mark.parametrize("delivering", ["role of the archive", "role of the user"])
@pytest.mark.parametrize("format", [JsonFormat(), ParquetFormat()], ids=["json", "parquet"])
def test_a_role_is_made_between_the_permission_of_firehose_and_the_stream(
    stack: cdk.Stack, sending: str, delivering: str, format: EventFormat
) -> None:
    """What Firehose tests when the stream is made had as long to propagate as the other role takes to be made."""
    both = iam.CompositePrincipal(
        iam.ServicePrincipal("firehose.amazonaws.com", conditions={"StringEquals": {"sts:ExternalId": stack.account}}),
        iam.ServicePrincipal("ses.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}),
    )
    users = iam.Role(stack, "Users", assumed_by=both)
    archive = EventArchive(stack, "Archive", role=users if delivering == "role of the user" else None, format=format)
    destination = FirehoseDestination(archive)
    match sending:
        case "shared role":
            destination = FirehoseDestination.with_shared_role(archive)
        case "role of the user":
            destination = FirehoseDestination(archive, role=iam.Role(stack, "Senders", assumed_by=both))
        case "the same role":
            destination = FirehoseDestination(archive, role=users)
    EventPublishing(stack, "Events").add_destination("ToArchive", destination)
    template = synthesize(stack)
    order_of_creation(template)
    of_firehose = _with_action(template, "s3:PutObject")
    of_ses = _with_action(template, "firehose:PutRecordBatch")
    assert waits_for(template, of_ses, of_firehose)
    assert waits_for(template, logical_id(archive.delivery_stream), of_ses)


@pytest.mark.parametrize("format", [JsonFormat(), ParquetFormat()], ids=["json", "parquet"])
def test_roles_of_another_stack_make_no_circle(stack: cdk.Stack, format: EventFormat) -> None:
    roles = cdk.Stack(cdk.Stage.of(stack), "Roles")
    firehose, sending = (
        iam.Role(roles, service, assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=condition))
        for service, condition in (
            ("firehose", {"StringEquals": {"sts:ExternalId": stack.account}}),
            ("ses", {"StringEquals": {"aws:SourceAccount": stack.account}}),
        )
    )
    archive = EventArchive(stack, "Archive", role=firehose, format=format)
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(archive, role=sending))
    template = synthesize(stack)
    of_firehose, of_ses = (_with_action(template, action) for action in ("s3:PutObject", "firehose:PutRecordBatch"))
    assert waits_for(template, of_ses, of_firehose)
    assert waits_for(template, logical_id(archive.delivery_stream), of_ses)
    assert roles in stack.dependencies and stack not in roles.dependencies


def test_sets_that_use_two_archives_in_opposite_orders_make_no_circle(stack: cdk.Stack) -> None:
    archives = [EventArchive(stack, name) for name in ("First", "Second")]
    for name, order in (("There", archives), ("Back", archives[::-1])):
        publishing = EventPublishing(stack, name)
        for archive in order:
            publishing.add_destination(f"To{archive.node.id}", FirehoseDestination(archive))
    synthesize(stack)
    assert warnings(stack) == set()


def test_what_else_the_role_of_firehose_may_do_can_name_the_stream_and_the_role_for_ses(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    assert publishing.ses_role
    named = [archive.delivery_stream.attr_arn, publishing.ses_role.attr_arn]
    archive.role.add_to_principal_policy(iam.PolicyStatement(actions=["tag:GetResources"], resources=named))
    order_of_creation(synthesize(stack))


def test_publishing_in_a_nested_stack_below_the_archive_gets_a_warning_and_no_circle(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    nested = cdk.NestedStack(stack, "Nested")
    EventPublishing(nested, "Events").add_destination("ToArchive", FirehoseDestination(archive))
    parent = synthesize(stack)
    synthesize(nested)
    nested_stack, _ = only(parent, "AWS::CloudFormation::Stack")
    stream = logical_id(archive.delivery_stream)
    assert waits_for(parent, nested_stack, stream)
    assert not waits_for(parent, stream, nested_stack)
    assert warnings(stack) == {ANOTHER_STACK}


def test_an_archive_in_a_nested_stack_gets_a_warning_and_no_circle(stack: cdk.Stack) -> None:
    nested = cdk.NestedStack(stack, "Nested")
    archive = EventArchive(nested, "Archive")
    EventPublishing(stack, "Events").add_destination("ToArchive", FirehoseDestination(archive))
    synthesize(stack)
    synthesize(nested)
    assert warnings(stack) == {ANOTHER_STACK}


def test_an_archive_in_another_stack_gets_a_warning_that_can_be_acknowledged(stack: cdk.Stack) -> None:
    archive = EventArchive(cdk.Stack(cdk.Stage.of(stack), "Archives"), "Archive")
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    synthesize(stack)
    synthesize(cdk.Stack.of(archive))
    assert warnings(stack) == {ANOTHER_STACK}
    cdk.Validations.of(publishing).acknowledge(
        cdk.Acknowledgment(id=ANOTHER_STACK, reason="the archive is deployed long before")
    )
    assert warnings(stack) == set()


def test_a_role_that_names_the_stream_before_the_set_exists_makes_no_circle(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    publishing = EventPublishing(stack, "Events")
    sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    sender.add_to_policy(
        iam.PolicyStatement(actions=["firehose:DescribeDeliveryStream"], resources=[archive.delivery_stream_arn])
    )
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    synthesize(stack)


def test_two_stacks_that_take_turns_with_one_set_do_not_wait_for_each_other(stack: cdk.Stack) -> None:
    there = ses.CfnConfigurationSet(stack, "Set")
    other = cdk.Stack(cdk.Stage.of(stack), "Other")
    first, second = (EventPublishing(scope, "Events", configuration_set=there) for scope in (stack, other))
    for number in range(2):
        first.add_destination(f"To{number}", METRICS)
        second.add_destination(f"To{number}", METRICS)
    synthesize(stack)
    synthesize(other)
    assert stack in other.dependencies and other not in stack.dependencies


def _archive(scope: Construct, named: bool) -> EventArchive:
    return EventArchive(scope, "Archive", delivery_stream_name="events" if named else None)


def _with_action(template: Json, action: str) -> str:
    """The logical id of the one role or policy that allows an action."""
    (name,) = [
        str(name)
        for name, body in template["Resources"].items()
        if body["Type"] in ("AWS::IAM::Role", "AWS::IAM::Policy") and f'"{action}"' in json.dumps(body)
    ]
    return name


def _child(parent: IConstruct, construct_id: str) -> str:
    return logical_id(parent.node.find_child(construct_id))
