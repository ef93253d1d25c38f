from __future__ import annotations

import itertools
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent
from syrupy.assertion import SnapshotAssertion

from ses_events import (
    UNTOUCHED_MAIL,
    CloudWatchDestination,
    EventArchive,
    EventBridgeDestination,
    EventDestination,
    EventPublishing,
    FirehoseDestination,
    SnsDestination,
)
from ses_events.publishing.publishing import published_in_app_of
from ses_events.record.names import matching_event_type
from tests.support.templates import (
    logical_id,
    only,
    order_of_creation,
    properties,
    readable,
    resources,
    synthesize,
    waits_for,
    warning_texts,
    warnings,
)

CONFIGURATION_SET = "AWS::SES::ConfigurationSet"
EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"


@pytest.fixture
def publishing(stack: cdk.Stack) -> EventPublishing:
    return EventPublishing(stack, "Events")


@pytest.fixture
def metrics() -> CloudWatchDestination:
    return CloudWatchDestination(
        [
            ses.CloudWatchDimension(
                name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
            )
        ]
    )


def test_the_default_configuration_set(
    stack: cdk.Stack, publishing: EventPublishing, snapshot_json: SnapshotAssertion
) -> None:
    assert readable(synthesize(stack)) == snapshot_json, "run make snapshots, and read what changed"


def test_every_option_of_the_set_reaches_the_template(stack: cdk.Stack) -> None:
    EventPublishing(
        stack,
        "Events",
        configuration_set_name="newsletter",
        reputation_metrics=True,
    )
    assert properties(synthesize(stack), CONFIGURATION_SET) == {
        "Name": "newsletter",
        "ReputationOptions": {"ReputationMetricsEnabled": True},
    }


def test_by_default_mail_is_left_as_it_is(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    publishing.add_destination("ToMetrics", metrics)
    matching = properties(synthesize(stack), EVENT_DESTINATION)["EventDestination"]["MatchingEventTypes"]
    assert {"send", "bounce", "renderingFailure"} < set(matching)
    assert matching == [matching_event_type(event.name) for event in UNTOUCHED_MAIL]
    assert set(EmailSendingEvent) - set(UNTOUCHED_MAIL) == {EmailSendingEvent.OPEN, EmailSendingEvent.CLICK}


def test_an_event_destination_is_enabled_unless_told_otherwise(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    on = publishing.add_destination("On", metrics)
    off = publishing.add_destination("Off", metrics, enabled=False)
    template = synthesize(stack)["Resources"]
    assert template[logical_id(on)]["Properties"]["EventDestination"]["Enabled"] is True
    assert template[logical_id(off)]["Properties"]["EventDestination"]["Enabled"] is False


def test_events_come_in_one_order_however_they_are_given(publishing: EventPublishing, stack: cdk.Stack) -> None:
    metrics = CloudWatchDestination(
        [ses.CloudWatchDimension(name="n", default_value="d", source=ses.CloudWatchDimensionSource.LINK_TAG)]
    )
    publishing.add_destination(
        "A", metrics, events=[EmailSendingEvent.CLICK, EmailSendingEvent.SEND, EmailSendingEvent.CLICK]
    )
    publishing.add_destination("B", metrics, events={EmailSendingEvent.SEND, EmailSendingEvent.CLICK})
    for destination in resources(synthesize(stack), EVENT_DESTINATION).values():
        assert destination["Properties"]["EventDestination"]["MatchingEventTypes"] == ["send", "click"]


def test_a_destination_has_a_name_only_when_given_one(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    publishing.add_destination("Unnamed", metrics)
    publishing.add_destination("Named", metrics, name="per-campaign")
    destinations = resources(synthesize(stack), EVENT_DESTINATION).values()
    assert [d["Properties"]["EventDestination"].get("Name") for d in destinations] == [None, "per-campaign"]


def test_ten_destinations_are_created_one_after_another(
    stack: cdk.Stack, publishing: EventPublishing, metrics: CloudWatchDestination
) -> None:
    made = [publishing.add_destination(f"To{number}", metrics) for number in range(10)]
    template = synthesize(stack)
    ids = [logical_id(destination) for destination in made]
    assert all(waits_for(template, later, earlier) for earlier, later in itertools.pairwise(ids))
    assert [name for name in order_of_creation(template) if name in ids] == ids


@pytest.mark.parametrize("kind", ["FirehoseDestination", "CloudWatchDestination", "SnsDestination", "EventBridge"])
@pytest.mark.parametrize("one_value", [True, False])
def test_events_that_reach_the_same_place_twice_are_warned_of(stack: cdk.Stack, kind: str, one_value: bool) -> None:
    archive, topic = EventArchive(stack, "Archive"), sns.Topic(stack, "Topic")

    def destination() -> EventDestination:
        if kind == "FirehoseDestination":
            return FirehoseDestination(archive)
        if kind == "CloudWatchDestination":
            return CloudWatchDestination.by_tag("campaign")
        return SnsDestination(topic) if kind == "SnsDestination" else EventBridgeDestination()

    publishing, first = EventPublishing(stack, "Events"), destination()
    publishing.add_destination("First", first, events=[EmailSendingEvent.SEND, EmailSendingEvent.BOUNCE])
    again = first if one_value else destination()
    publishing.add_destination("Others", again, events=[EmailSendingEvent.DELIVERY])
    publishing.add_destination("Off", again, enabled=False)
    other_set = EventPublishing(stack, "OtherSet")
    other_set.add_destination("First", again)
    assert warnings(stack) == set()
    EventPublishing(stack, "Same", configuration_set=publishing.configuration_set).add_destination(
        "Again", again, events=[EmailSendingEvent.BOUNCE, EmailSendingEvent.REJECT]
    )
    [text] = warning_texts(stack)
    assert text.startswith("'Again' publishes BOUNCE to where 'Mail/Events/First' does already")
    assert text.endswith("[ack: ses-events:published-twice]")


def test_different_places_of_one_kind_may_get_the_same_events(stack: cdk.Stack, publishing: EventPublishing) -> None:
    for name in ("campaign", "product"):
        publishing.add_destination(f"By{name}", CloudWatchDestination.by_tag(name))
        publishing.add_destination(f"To{name}", SnsDestination(sns.Topic(stack, name)))
    assert warnings(stack) == set()


def test_the_set_is_there_to_work_with(stack: cdk.Stack, publishing: EventPublishing) -> None:
    ses.EmailIdentity(
        stack,
        "Identity",
        identity=ses.Identity.domain("example.com"),
        configuration_set=publishing.configuration_set,
    )
    cdk.CfnOutput(stack, "Name", value=publishing.configuration_set_name)
    cdk.CfnOutput(stack, "Arn", value=publishing.configuration_set_arn)
    template = readable(synthesize(stack))
    name, _ = only(template, CONFIGURATION_SET)
    assert properties(template, "AWS::SES::EmailIdentity")["ConfigurationSetAttributes"] == {
        "ConfigurationSetName": f"${{{name}}}"
    }
    assert template["Outputs"] == {
        "Name": {"Value": f"${{{name}}}"},
        "Arn": {
            "Value": f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:configuration-set/${{{name}}}"
        },
    }


def test_options_that_are_left_out_leave_no_trace(stack: cdk.Stack, publishing: EventPublishing) -> None:
    assert "Properties" not in only(synthesize(stack), CONFIGURATION_SET)[1]


def test_tags_of_the_construct_are_tags_of_the_set(stack: cdk.Stack, publishing: EventPublishing) -> None:
    cdk.Tags.of(publishing).add("team", "mail")
    assert properties(synthesize(stack), CONFIGURATION_SET) == {"Tags": [{"Key": "team", "Value": "mail"}]}


def test_a_sender_may_use_the_identity_and_the_set(stack: cdk.Stack, publishing: EventPublishing) -> None:
    sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    publishing.grant_send(sender, identity)
    template = readable(synthesize(stack))
    name, _ = only(template, CONFIGURATION_SET)
    arn = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}"
    assert properties(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"] == [
        {
            "Action": ["ses:SendEmail", "ses:SendRawEmail"],
            "Effect": "Allow",
            "Resource": [f"{arn}:configuration-set/${{{name}}}", f"{arn}:identity/example.com"],
        }
    ]


def test_a_sender_with_templates_may_use_these_and_no_other(stack: cdk.Stack, publishing: EventPublishing) -> None:
    sender = iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    made = ses.CfnTemplate(stack, "Template")
    publishing.grant_send(sender, identity, templates=["welcome", made])
    template = readable(synthesize(stack))
    name, _ = only(template, CONFIGURATION_SET)
    arn = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}"
    needed = {f"{arn}:identity/example.com", f"{arn}:configuration-set/${{{name}}}"}
    found = properties(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert [(set(each["Action"]), set(each["Resource"])) for each in found] == [
        ({"ses:SendEmail", "ses:SendRawEmail"}, needed),
        (
            {"ses:SendEmail", "ses:SendBulkEmail", "ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"},
            {*needed, f"{arn}:template/welcome", f"{arn}:template/${{{logical_id(made)}}}"},
        ),
    ]


def test_a_sender_may_use_the_identity_of_that_name_and_no_other(stack: cdk.Stack, publishing: EventPublishing) -> None:
    sender = iam.User(stack, "Sender")
    publishing.grant_send(sender, ses.EmailIdentity.from_email_identity_name(stack, "Identity", "*"))
    _, policy = only(readable(synthesize(stack)), "AWS::IAM::Policy")
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert any(each.endswith(":identity/${*}") for each in statement["Resource"])


def test_a_set_that_is_imported_twice_is_one(stack: cdk.Stack, metrics: CloudWatchDestination) -> None:
    first, second = (
        EventPublishing(
            stack,
            f"Publishing{number}",
            configuration_set=ses.ConfigurationSet.from_configuration_set_name(stack, f"Import{number}", "news"),
        )
        for number in range(2)
    )
    first.add_destination("ToMetrics", metrics, name="metrics")
    with pytest.raises(ValueError, match="name 'metrics' belongs to another event destination"):
        second.add_destination("ToMetrics", metrics, name="metrics")
    elsewhere = ses.ConfigurationSet.from_configuration_set_name(cdk.Stack(cdk.App(), "Mail"), "Import", "news")
    EventPublishing(cdk.Stack.of(elsewhere), "Publishing", configuration_set=elsewhere).add_destination(
        "ToMetrics", metrics, name="metrics"
    )


@pytest.mark.parametrize("name", ["*", "${aws:username}", "my set"])
def test_the_name_of_an_imported_set_is_that_of_one_set(stack: cdk.Stack, name: str) -> None:
    imported = ses.ConfigurationSet.from_configuration_set_name(stack, "Imported", name)
    with pytest.raises(ValueError, match=r"configuration_set.configuration_set_name .* use 1-64 of A-Z a-z 0-9 _ -"):
        EventPublishing(stack, "Other", configuration_set=imported)


@pytest.mark.parametrize("name", ["", "*", "\ud800", "arn:aws:ses:us-east-1:111122223333:template/welcome"])
def test_what_names_no_single_template_is_refused(stack: cdk.Stack, publishing: EventPublishing, name: str) -> None:
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    with pytest.raises(ValueError, match=r"grant_send: templates\[0\] "):
        publishing.grant_send(iam.User(stack, "Sender"), identity, templates=[name])


@pytest.mark.parametrize("wrong", ["welcome", [1]])
def test_templates_of_a_wrong_type_are_refused(stack: cdk.Stack, publishing: EventPublishing, wrong: Any) -> None:
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    with pytest.raises(TypeError, match=r"templates.* is of type "):
        publishing.grant_send(iam.User(stack, "Sender"), identity, templates=wrong)


def test_a_sender_to_whom_nothing_can_be_granted_is_warned_of(stack: cdk.Stack, publishing: EventPublishing) -> None:
    identity = ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    publishing.grant_send(iam.AccountPrincipal("111122223333"), identity)
    assert warnings(stack) == {"ses-events:grant-without-effect"}


def test_the_rates_of_a_set_are_metrics_with_its_name(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events", reputation_metrics=True)
    rates = [publishing.metric_bounce_rate(), publishing.metric_complaint_rate()]
    assert [(rate.namespace, rate.metric_name, rate.statistic) for rate in rates] == [
        ("AWS/SES", "Reputation.BounceRate", "Average"),
        ("AWS/SES", "Reputation.ComplaintRate", "Average"),
    ]
    assert [stack.resolve(rate.dimensions) for rate in rates] == [
        {"ses:configuration-set": {"Ref": logical_id(publishing.configuration_set)}}
    ] * 2


@pytest.mark.parametrize("kind", ["imported", "of CDK", "an L1"])
def test_a_set_that_is_there_gets_destinations_and_no_new_set(
    stack: cdk.Stack, metrics: CloudWatchDestination, kind: str
) -> None:
    if kind == "imported":
        given: Any = ses.ConfigurationSet.from_configuration_set_name(stack, "Set", "newsletter")
    else:
        given = ses.ConfigurationSet(stack, "Set", reputation_metrics=True)
        given = given.node.default_child if kind == "an L1" else given
    publishing = EventPublishing(stack, "Events", configuration_set=given)
    publishing.add_destination("ToMetrics", metrics)
    publishing.add_destination("ToArchive", FirehoseDestination(EventArchive(stack, "Archive")))
    publishing.metric_bounce_rate()
    template = readable(synthesize(stack))
    sets = list(resources(template, CONFIGURATION_SET))
    name = "newsletter" if kind == "imported" else f"${{{sets[0]}}}"
    assert len(sets) == (0 if kind == "imported" else 1)
    for destination in resources(template, EVENT_DESTINATION).values():
        assert destination["Properties"]["ConfigurationSetName"] == name
    assert f"configuration-set/{name}" in str(resources(template, "AWS::IAM::Role"))


def test_fifty_sets_with_two_destinations_each_fit_one_stack(stack: cdk.Stack, metrics: CloudWatchDestination) -> None:
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"))
    for number in range(50):
        publishing = EventPublishing(stack, f"Brand{number}")
        publishing.add_destination("ToArchive", to_archive)
        publishing.add_destination("ToMetrics", metrics)
    template = synthesize(stack)
    assert len(resources(template, EVENT_DESTINATION)) == 100
    assert len(template["Resources"]) < 500


def test_what_the_sets_of_an_app_publish_to_is_known_by_app(stack: cdk.Stack, metrics: CloudWatchDestination) -> None:
    for name in ("First", "Second"):
        EventPublishing(stack, name).add_destination("ToMetrics", metrics)
    EventPublishing(cdk.Stack(cdk.App(), "Mail"), "Other").add_destination("ToBus", EventBridgeDestination())
    assert [[each.destination for each in made] for made in published_in_app_of(stack)] == [[metrics], [metrics]]
