"""Mistakes as a user makes them, each refused where it is made with a line that says how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.aws_ses import CloudWatchDimension, CloudWatchDimensionSource, ConfigurationSetTlsPolicy, EmailSendingEvent

from ses_events import CloudWatchDestination, EventArchive, EventPublishing, FirehoseDestination
from tests.templates import synthesize


def dimension(
    name: str = "campaign",
    default_value: str = "unknown",
    source: CloudWatchDimensionSource = CloudWatchDimensionSource.MESSAGE_TAG,
) -> CloudWatchDimension:
    return CloudWatchDimension(name=name, default_value=default_value, source=source)


METRICS = CloudWatchDestination([dimension()])


def refused(error: type[Exception], call: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"configuration_set_name": "my set"},
            "configuration_set_name 'my set' has a space; use 1-64 of A-Z a-z 0-9 _ -, for example 'my-set'",
        ),
        (
            {"configuration_set_name": ""},
            "configuration_set_name '' is empty; use 1-64 of A-Z a-z 0-9 _ -, for example 'my-set'",
        ),
        (
            {"configuration_set_name": "x" * 65},
            f"configuration_set_name '{'x' * 65}' has 65 characters; use 1-64 of A-Z a-z 0-9 _ -, for example 'my-set'",
        ),
        (
            {"configuration_set_name": "my.set\n"},
            "configuration_set_name 'my.set\\n' has '.'; use 1-64 of A-Z a-z 0-9 _ -, for example 'my-set'",
        ),
    ],
)
def test_publishing_refuses_what_ses_would(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    assert refused(ValueError, EventPublishing, stack, "Events", **arguments) == f"Mail/Events: {message}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"configuration_set_name": 7},
            "configuration_set_name 7 is of type int; use a string such as 'my-set'",
        ),
        (
            {"tls_policy": "Require"},
            "tls_policy 'Require' is of type str; use ses.ConfigurationSetTlsPolicy.REQUIRE",
        ),
        ({"reputation_metrics": "yes"}, "reputation_metrics 'yes' is of type str; use True or False"),
        ({"sending_enabled": 0}, "sending_enabled 0 is of type int; use True or False"),
    ],
)
def test_publishing_refuses_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    assert refused(TypeError, EventPublishing, stack, "Events", **arguments) == f"Mail/Events: {message}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delivery_stream_name": "a b"}, "delivery_stream_name 'a b' has a space; use 1-64 of A-Z a-z 0-9 . _ -"),
        ({"delivery_stream_name": "x" * 65}, "has 65 characters; use 1-64 of A-Z a-z 0-9 . _ -"),
        (
            {"prefix": "events/!{timestamp:yyyy"},
            "prefix 'events/!{timestamp:yyyy' has '!{timestamp:yyyy' without its '}'; add it",
        ),
        ({"prefix": "a/!{timestmp:yyyy}/"}, "has !{timestmp:yyyy}; did you mean 'timestamp'?"),
        ({"prefix": "a/!{firehose:random}/"}, "!{firehose:random} 'random' is unknown; did you mean 'random-string'?"),
        (
            {"prefix": "a/!{timestamp:}/"},
            "has !{timestamp:} without a pattern; use for example !{timestamp:yyyy-MM-dd}",
        ),
        ({"prefix": "a/!{partitionKeyFromQuery:x}/"}, "which needs dynamic partitioning; use !{timestamp:...}"),
        (
            {"prefix": "a/!{firehose:error-output-type}/"},
            "has !{firehose:error-output-type}, which Firehose takes for errors only; leave it out",
        ),
        ({"prefix": "x" * 1025}, "prefix has 1025 characters; use at most 1024"),
        (
            {"prefix": "errors/"},
            "prefix 'errors/' covers the errors in 'errors/!{firehose:error-output-type}/', which would be read as "
            "events; use different folders such as 'events/' and 'errors/'",
        ),
        ({"prefix": "e"}, "prefix 'e' covers the errors in"),
        (
            {"error_output_prefix": "errors/"},
            "error_output_prefix 'errors/' lacks !{firehose:error-output-type}, which Firehose requires; add it",
        ),
        (
            {"error_output_prefix": "!{firehose:error-output-type}" + "x" * 484},
            "error_output_prefix has 513 characters; use at most 512",
        ),
        (
            {"buffering_interval": cdk.Duration.seconds(901)},
            "buffering_interval 901 seconds is out of range; use 0-900 whole seconds",
        ),
        (
            {"buffering_interval": cdk.Duration.millis(1500)},
            "buffering_interval '1500 millis' cannot be converted into a whole number of seconds; "
            "use 0-900 whole seconds",
        ),
        ({"buffering_size": cdk.Size.mebibytes(0)}, "buffering_size 0 MiB is out of range; use 1-128 whole MiB"),
        ({"buffering_size": cdk.Size.gibibytes(1)}, "buffering_size 1024 MiB is out of range; use 1-128 whole MiB"),
        ({"expiration": cdk.Duration.days(0)}, "expiration 0 days is out of range; use 1-2147483647 whole days"),
        ({"expiration": cdk.Duration.hours(36)}, "cannot be converted into a whole number of days; use 1-2147483647"),
    ],
)
def test_the_archive_refuses_what_firehose_would(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    refusal = refused(ValueError, EventArchive, stack, "Archive", **arguments)
    assert refusal.startswith("Mail/Archive: ") and message in refusal and "\n" not in refusal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"buffering_interval": 60}, "buffering_interval 60 is of type int; use cdk.Duration.seconds(300)"),
        ({"buffering_size": 5}, "buffering_size 5 is of type int; use cdk.Size.mebibytes(64)"),
        ({"expiration": 30}, "expiration 30 is of type int; use cdk.Duration.days(365)"),
        ({"prefix": None}, "prefix None is of type NoneType; use a string such as 'events/'"),
        ({"error_output_prefix": 1}, "error_output_prefix 1 is of type int; use a string such as 'events/'"),
        ({"delivery_stream_name": 1}, "delivery_stream_name 1 is of type int; use a string such as 'ses-events'"),
    ],
)
def test_the_archive_refuses_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    assert refused(TypeError, EventArchive, stack, "Archive", **arguments) == f"Mail/Archive: {message}"


def test_all_problems_of_a_call_come_at_once_and_leave_nothing_behind(stack: cdk.Stack) -> None:
    refusal = refused(
        ValueError,
        EventArchive,
        stack,
        "Archive",
        delivery_stream_name="a b",
        prefix="/!{x}",
        buffering_size=cdk.Size.mebibytes(200),
    )
    assert [line.split()[:2] for line in refusal.splitlines()] == [
        ["Mail/Archive:", "delivery_stream_name"],
        ["Mail/Archive:", "prefix"],
        ["Mail/Archive:", "buffering_size"],
    ]
    EventArchive(stack, "Archive")


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ([], "dimensions has 0 entries; give a CloudWatch destination 1-10"),
        ([dimension(f"d{n}") for n in range(11)], "dimensions has 11 entries; give a CloudWatch destination 1-10"),
        (
            [dimension(), dimension()],
            "dimensions[1].name 'campaign' is there already; give each dimension another name",
        ),
        ([dimension("my campaign")], "dimensions[0].name 'my campaign' has a space; use 1-256 of A-Z a-z 0-9 _ : -"),
        ([dimension("x" * 257)], "has 257 characters; use 1-256 of A-Z a-z 0-9 _ : -"),
        ([dimension(default_value="")], "dimensions[0].default_value '' is empty; use 1-256 of A-Z a-z 0-9 _ -"),
        ([dimension(default_value="a@b")], "dimensions[0].default_value 'a@b' has '@'; use 1-256 of A-Z a-z 0-9 _ -"),
        (
            [dimension("Message-ID", source=CloudWatchDimensionSource.EMAIL_HEADER)],
            "dimensions[0].name 'Message-ID' is a header SES takes no dimension from",
        ),
    ],
)
def test_a_cloudwatch_destination_refuses_what_ses_would(dimensions: list[CloudWatchDimension], message: str) -> None:
    refusal = refused(ValueError, CloudWatchDestination, dimensions)
    assert refusal.startswith("CloudWatchDestination: ") and message in refusal and "\n" not in refusal


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        (dimension(), "is of type CloudWatchDimension; use a list such as [ses.CloudWatchDimension("),
        ("campaign", "dimensions 'campaign' is of type str; use a list such as [ses.CloudWatchDimension("),
        (["campaign"], "dimensions[0] 'campaign' is of type str; use ses.CloudWatchDimension("),
        ([{"name": "campaign"}], "dimensions[0] {'name': 'campaign'} is of type dict; use ses.CloudWatchDimension("),
    ],
)
def test_a_cloudwatch_destination_refuses_a_wrong_type(dimensions: Any, message: str) -> None:
    assert message in refused(TypeError, CloudWatchDestination, dimensions)


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        (
            {},
            "CloudWatchDestination.metric: dimensions lacks 'campaign'; "
            "the metric carries all of ['campaign'], so give a value for each",
        ),
        (
            {"campaign": "a", "campain": "b"},
            "CloudWatchDestination.metric: dimensions has 'campain', which the metric does not carry; "
            "did you mean 'campaign'?",
        ),
    ],
)
def test_a_metric_is_read_by_exactly_its_dimensions(dimensions: dict[str, str], message: str) -> None:
    assert refused(ValueError, METRICS.metric, EmailSendingEvent.SEND, dimensions) == message


def test_a_metric_refuses_a_wrong_type() -> None:
    assert "use a mapping such as {'campaign': '...'}" in refused(
        TypeError, METRICS.metric, EmailSendingEvent.SEND, "campaign"
    )
    assert "use ses.EmailSendingEvent.BOUNCE" in refused(TypeError, METRICS.metric, "Bounce", {"campaign": "a"})


def test_a_firehose_destination_takes_an_archive(stack: cdk.Stack) -> None:
    assert refused(TypeError, FirehoseDestination, "arn:aws:firehose:...") == (
        "FirehoseDestination: archive 'arn:aws:firehose:...' is of type str; use an EventArchive"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": []}, "events is empty, and SES takes no destination without events"),
        ({"name": "to archive"}, "name 'to archive' has a space; use 1-64 of A-Z a-z 0-9 _ -"),
        ({"name": "first"}, "name 'first' belongs to another event destination of this configuration set"),
        ({"construct_id": "First"}, "construct_id 'First' is taken in this scope; use another one"),
        ({"construct_id": "ConfigurationSet"}, "construct_id 'ConfigurationSet' is taken in this scope"),
        ({"construct_id": "SesRole"}, "construct_id 'SesRole' is taken in this scope"),
        ({"construct_id": ""}, "construct_id is empty; use a short one that says the purpose"),
    ],
)
def test_add_destination_refuses_what_ses_would(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    publishing = EventPublishing(stack, "Events")
    publishing.add_destination("First", METRICS, name="first")
    before = synthesize(stack)
    arguments = {"construct_id": "Next", "destination": METRICS, **arguments}
    refusal = refused(ValueError, publishing.add_destination, **arguments)
    assert refusal.startswith("Mail/Events") and message in refusal and "\n" not in refusal
    assert synthesize(stack) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": EmailSendingEvent.SEND}, "use a list such as [ses.EmailSendingEvent.SEND]"),
        ({"events": "send"}, "events 'send' is of type str; use a list such as [ses.EmailSendingEvent.SEND]"),
        ({"events": ["bounce"]}, "events[0] 'bounce' is of type str; use ses.EmailSendingEvent.BOUNCE"),
        ({"events": ["renderingFailure"]}, "use ses.EmailSendingEvent.RENDERING_FAILURE"),
        ({"enabled": "no"}, "enabled 'no' is of type str; use True or False"),
        ({"name": 3}, "name 3 is of type int; use a string such as 'my-set'"),
        ({"construct_id": 3}, "construct_id 3 is of type int; use a string such as 'ToArchive'"),
        ({"destination": None}, "use FirehoseDestination(archive) or CloudWatchDestination([dimension])"),
    ],
)
def test_add_destination_refuses_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    publishing = EventPublishing(stack, "Events")
    arguments = {"construct_id": "Next", "destination": METRICS, **arguments}
    refusal = refused(TypeError, publishing.add_destination, **arguments)
    assert refusal.startswith("Mail/Events/") and message in refusal


def test_an_archive_is_not_yet_a_destination(stack: cdk.Stack) -> None:
    publishing, archive = EventPublishing(stack, "Events"), EventArchive(stack, "Archive")
    assert "use FirehoseDestination(archive)" in refused(TypeError, publishing.add_destination, "ToArchive", archive)


def test_the_eleventh_destination_of_a_set_is_refused(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    for number in range(10):
        publishing.add_destination(f"To{number}", METRICS)
    assert refused(ValueError, publishing.add_destination, "To10", METRICS) == (
        "Mail/Events/To10: this would be event destination 11, and SES takes 10 for a configuration set; "
        "use a second set"
    )


def test_what_is_just_allowed_is_taken(stack: cdk.Stack) -> None:
    EventPublishing(
        stack,
        "Events",
        configuration_set_name="a_B-9" + "x" * 59,
        tls_policy=ConfigurationSetTlsPolicy.OPTIONAL,
    ).add_destination(
        "ToMetrics",
        CloudWatchDestination(
            [
                dimension("ses:configuration-set", "x" * 256),
                dimension("x" * 256),
                dimension("To"),
                dimension("Subject", source=CloudWatchDimensionSource.EMAIL_HEADER),
                *(dimension(f"d{number}") for number in range(6)),
            ]
        ),
        events=list(EmailSendingEvent),
        name="n" * 64,
    )
    EventArchive(
        stack,
        "Archive",
        delivery_stream_name="a.b_C-" + "x" * 58,
        prefix="x" * 1023 + "/",
        error_output_prefix="!{firehose:error-output-type}" + "x" * 483,
        buffering_interval=cdk.Duration.minutes(15),
        buffering_size=cdk.Size.mebibytes(1),
        expiration=cdk.Duration.days(1),
    )
    synthesize(stack)


def test_values_known_at_deployment_pass(stack: cdk.Stack) -> None:
    text = cdk.CfnParameter(stack, "Text").value_as_string
    number = cdk.CfnParameter(stack, "Number", type="Number").value_as_number
    publishing = EventPublishing(stack, "Events", configuration_set_name=text)
    metrics = CloudWatchDestination([dimension(text, text)])
    publishing.add_destination("ToMetrics", metrics, name=text)
    metrics.metric(EmailSendingEvent.SEND, {text: text})
    archive = EventArchive(
        stack,
        "Archive",
        delivery_stream_name=text,
        prefix=text,
        error_output_prefix=text,
        buffering_interval=cdk.Duration.seconds(number),
        buffering_size=cdk.Size.mebibytes(number),
        expiration=cdk.Duration.days(number),
    )
    publishing.add_destination("ToArchive", FirehoseDestination(archive))
    synthesize(stack)
