"""Mistakes as a user makes them, each refused where it is made with a line that says how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import (
    CfnConfigurationSet,
    CloudWatchDimension,
    CloudWatchDimensionSource,
    ConfigurationSet,
    EmailIdentity,
    EmailSendingEvent,
)
from aws_cdk.aws_ses import EventDestination as CdkEventDestination

from ses_events import (
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    SesEventsStack,
    SnsDestination,
)
from tests.support.templates import logical_id, new_app, synthesize, waits_for, warnings


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
        ({"reputation_metrics": "yes"}, "reputation_metrics 'yes' is of type str; use True or False"),
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
        (
            {"prefix": "a/!{timestamp:yyyy-MM-dd/!{firehose:random-string}/"},
            "has '!{timestamp:yyyy-MM-dd/' without its '}'; add it",
        ),
        ({"prefix": "a/!{time\nstamp:yyyy}/"}, "has '!{time\\nstamp:yyyy}'; did you mean 'timestamp'?"),
        ({"prefix": "a/!{timestmp:yyyy}/"}, "has '!{timestmp:yyyy}'; did you mean 'timestamp'?"),
        (
            {"prefix": "a/!{firehose:random}/"},
            "has '!{firehose:random}', which Firehose does not know; use !{firehose:random-string}",
        ),
        (
            {"prefix": "a/!{timestamp:}/"},
            "has '!{timestamp:}' without a pattern; use !{timestamp:yyyy-MM-dd}",
        ),
        (
            {"prefix": "a/!{timestamp:yyyy-MM-ddTHH}/"},
            "has '!{timestamp:yyyy-MM-ddTHH}', where 'T' means nothing to Java's DateTimeFormatter; put text between "
            "single quotes, or outside the expression",
        ),
        ({"prefix": "a/!{timestamp:yyyy'T}/"}, "where \"'\" means nothing to Java's DateTimeFormatter"),
        ({"prefix": "a/!{partitionKeyFromQuery:x}/"}, "which needs dynamic partitioning; use !{timestamp:...}"),
        (
            {"prefix": "a/!{firehose:error-output-type}/"},
            "has !{firehose:error-output-type}, which Firehose takes for errors only; leave it out",
        ),
        ({"prefix": "x" * 1025}, "prefix has 1025 characters; use at most 1024"),
        (
            {"error_output_prefix": "errors/!{timestamp:yyyy}/"},
            "error_output_prefix 'errors/!{timestamp:yyyy}/' has an expression and lacks "
            "!{firehose:error-output-type}, which Firehose then requires; add it, or use a plain prefix such as "
            "'errors/'",
        ),
        (
            {"error_output_prefix": ""},
            "error_output_prefix is empty, which Firehose takes only where prefix has no expression",
        ),
        pytest.param(
            {"error_output_prefix": "!{firehose}/"},
            "error_output_prefix '!{firehose}/' has '!{firehose}', which Firehose does not know; use "
            "!{firehose:error-output-type} or !{firehose:random-string}",
            id="half an expression, for errors",
        ),
        pytest.param(
            {"prefix": "events/!{firehose}/"},
            "prefix 'events/!{firehose}/' has '!{firehose}', which Firehose does not know; use "
            "!{firehose:random-string}",
            id="half an expression, for events",
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
        (
            {"buffering_size": cdk.Size.mebibytes(1.5)},
            "buffering_size 1.5 MiB is not a whole number; use 1-128 whole MiB",
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
        ["Mail/Archive:", "buffering_size"],
        ["Mail/Archive:", "delivery_stream_name"],
        ["Mail/Archive:", "prefix"],
    ]
    EventArchive(stack, "Archive")


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ([], "dimensions has 0 entries; give a CloudWatch destination 1-10"),
        ([dimension(f"d{n}") for n in range(11)], "dimensions has 11 entries; give a CloudWatch destination 1-10"),
        (
            [dimension(), dimension()],
            "dimensions[1].name 'campaign' already exists; give each dimension another name",
        ),
        ([dimension("my campaign")], "dimensions[0].name 'my campaign' has a space; use 1-256 of A-Z a-z 0-9 _ : -"),
        ([dimension("x" * 257)], "has 257 characters; use 1-256 of A-Z a-z 0-9 _ : -"),
        ([dimension(default_value="")], "dimensions[0].default_value '' is empty; use 1-256 of A-Z a-z 0-9 _ -"),
        ([dimension(default_value="a@b")], "dimensions[0].default_value 'a@b' has '@'; use 1-256 of A-Z a-z 0-9 _ -"),
        (
            [dimension("Message-ID", source=CloudWatchDimensionSource.EMAIL_HEADER)],
            "dimensions[0].name 'Message-ID' is a header that SES does not accept as a dimension",
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
    ("arguments", "error", "message"),
    [
        ({"name": "spring sale"}, ValueError, "name 'spring sale' has a space; use 1-256 of A-Z a-z 0-9 _ : -"),
        ({"name": ""}, ValueError, "name '' is empty; use 1-256"),
        ({"name": ["campaign"]}, TypeError, "name ['campaign'] is of type list; use a string such as 'campaign'"),
        (
            {"name": "campaign", "default_value": "n/a"},
            ValueError,
            "default_value 'n/a' has '/'; use 1-256 of A-Z a-z 0-9 _ -, for example 'unknown'",
        ),
        (
            {"name": "campaign", "default_value": None},
            TypeError,
            "default_value None is of type NoneType; use a string such as 'unknown'",
        ),
    ],
)
def test_a_tag_to_count_by_is_what_ses_takes(arguments: Any, error: type[Exception], message: str) -> None:
    assert message in refused(error, CloudWatchDestination.by_tag, **arguments)


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


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("", ValueError, "dimensions['campaign'] has 0 characters; use 1-255"),
        ("x" * 256, ValueError, "dimensions['campaign'] has 256 characters; use 1-255"),
        (5, TypeError, "dimensions['campaign'] 5 is of type int; use a string such as 'spring'"),
        (None, TypeError, "dimensions['campaign'] None is of type NoneType; use a string such as 'spring'"),
    ],
)
def test_a_metric_has_values_that_cloudwatch_takes(value: Any, error: type[Exception], message: str) -> None:
    refusal = refused(error, METRICS.metric, EmailSendingEvent.SEND, {"campaign": value})
    assert refusal == f"CloudWatchDestination.metric: {message}"


def test_any_mapping_names_the_dimensions_of_a_metric() -> None:
    metric = METRICS.metric(EmailSendingEvent.SEND, MappingProxyType({"campaign": "spring"}))
    assert metric.dimensions == {"campaign": "spring"}


def test_a_metric_refuses_a_wrong_type() -> None:
    assert "use a mapping such as {'campaign': '...'}" in refused(
        TypeError, METRICS.metric, EmailSendingEvent.SEND, "campaign"
    )
    assert "use ses.EmailSendingEvent.BOUNCE" in refused(TypeError, METRICS.metric, "Bounce", {"campaign": "a"})
    assert refused(TypeError, METRICS.metric, 10**5000, {"campaign": "a"}).startswith(
        "CloudWatchDestination.metric: event <int of more than 300 digits> is of type int; use ses.EmailSendingEvent."
    )
    assert "dimensions has <int of more than 300 digits>, which" in refused(
        ValueError, METRICS.metric, EmailSendingEvent.SEND, {"campaign": "a", 10**5000: "a"}
    )


def test_a_firehose_destination_takes_an_archive(stack: cdk.Stack) -> None:
    assert refused(TypeError, FirehoseDestination, "arn:aws:firehose:...") == (
        "FirehoseDestination: delivery_stream 'arn:aws:firehose:...' is of type str; use an EventArchive, or a "
        "firehose.IDeliveryStream such as DeliveryStream.from_delivery_stream_arn gives"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": []}, "events is empty, but SES needs at least one event"),
        ({"name": "to archive"}, "name 'to archive' has a space; use 1-64 of A-Z a-z 0-9 _ -"),
        ({"name": "first"}, "name 'first' belongs to another event destination of this configuration set"),
        ({"construct_id": "First"}, "construct_id 'First' is taken in this scope; use another one"),
        ({"construct_id": "ConfigurationSet"}, "construct_id 'ConfigurationSet' is taken in this scope"),
        ({"construct_id": "SesRole"}, "construct_id 'SesRole' is taken in this scope"),
        ({"construct_id": ""}, "construct_id is empty; use a short one that says the purpose"),
        ({"construct_id": cdk.Aws.REGION}, "construct_id is known at deployment only; use a short one that says the"),
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
        (
            {"destination": None},
            "use FirehoseDestination(archive), CloudWatchDestination([dimension]), SnsDestinati",
        ),
    ],
)
def test_add_destination_refuses_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    publishing = EventPublishing(stack, "Events")
    arguments = {"construct_id": "Next", "destination": METRICS, **arguments}
    refusal = refused(TypeError, publishing.add_destination, **arguments)
    assert refusal.startswith("Mail/Events/") and message in refusal


def test_an_archive_or_what_firehose_delivers_to_is_not_yet_a_destination(stack: cdk.Stack) -> None:
    publishing, archive = EventPublishing(stack, "Events"), EventArchive(stack, "Archive")
    for each in (archive, firehose.S3Bucket(archive.bucket)):
        assert "use FirehoseDestination(archive)" in refused(TypeError, publishing.add_destination, "ToArchive", each)


def test_the_eleventh_destination_of_a_set_is_refused(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    for number in range(10):
        publishing.add_destination(f"To{number}", METRICS)
    assert refused(ValueError, publishing.add_destination, "To10", METRICS) == (
        "Mail/Events/To10: this would be event destination 11, and SES takes 10 for a configuration set; "
        "use a second set"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"delivery_options": CfnConfigurationSet.DeliveryOptionsProperty(max_delivery_seconds=240)},
            "delivery_options.max_delivery_seconds 240 is out of range; use 300-50400 whole seconds",
        ),
        (
            {"delivery_options": CfnConfigurationSet.DeliveryOptionsProperty(max_delivery_seconds=54000)},
            "delivery_options.max_delivery_seconds 54000 is out of range; use 300-50400 whole seconds",
        ),
        (
            {"delivery_options": CfnConfigurationSet.DeliveryOptionsProperty(tls_policy="Require")},
            "delivery_options.tls_policy 'Require' is unknown; use one of REQUIRE, OPTIONAL",
        ),
        (
            {
                "tracking_options": CfnConfigurationSet.TrackingOptionsProperty(
                    custom_redirect_domain="https://click.example.com/"
                )
            },
            "tracking_options.custom_redirect_domain 'https://click.example.com/' is not a bare host name; "
            "use one such as 'click.example.com'",
        ),
        (
            {"tracking_options": CfnConfigurationSet.TrackingOptionsProperty(custom_redirect_domain="click")},
            "tracking_options.custom_redirect_domain 'click' is not a bare host name; "
            "use one such as 'click.example.com'",
        ),
        (
            {"tracking_options": CfnConfigurationSet.TrackingOptionsProperty(https_policy="REQUIRE")},
            "tracking_options.https_policy needs custom_redirect_domain, which it is about; give both or none",
        ),
        (
            {"suppression_options": CfnConfigurationSet.SuppressionOptionsProperty(suppressed_reasons=["BOUNCES"])},
            "suppression_options.suppressed_reasons[0] 'BOUNCES' is unknown; did you mean 'BOUNCE'?",
        ),
    ],
)
def test_options_of_a_set_of_the_app_that_ses_would_refuse(
    stack: cdk.Stack, options: dict[str, Any], message: str
) -> None:
    made = CfnConfigurationSet(stack, "Set", **options)
    refusal = refused(ValueError, EventPublishing, stack, "Events", configuration_set=made)
    assert refusal == f"Mail/Events: configuration_set.{message}"


def test_a_set_of_cdk_is_judged_too(stack: cdk.Stack) -> None:
    made = ConfigurationSet(stack, "Set", custom_tracking_redirect_domain="https://click.example.com")
    assert "'https://click.example.com' is not a bare host name" in refused(
        ValueError, EventPublishing, stack, "Events", configuration_set=made
    )


def test_a_set_of_a_wrong_type_is_refused(stack: cdk.Stack) -> None:
    refusal = refused(TypeError, EventPublishing, stack, "Events", configuration_set="newsletter")
    assert "configuration_set 'newsletter' is of type str; use a set such as ses.ConfigurationSet.from_" in refusal


def test_a_set_that_is_there_takes_no_options(stack: cdk.Stack) -> None:
    there = ConfigurationSet.from_configuration_set_name(stack, "Set", "newsletter")
    refusal = refused(
        ValueError,
        EventPublishing,
        stack,
        "Events",
        configuration_set=there,
        configuration_set_name="other",
        reputation_metrics=False,
    )
    assert refusal == (
        "Mail/Events: configuration_set_name cannot be given with configuration_set, which already exists; "
        "set it where configuration_set is made\n"
        "Mail/Events: reputation_metrics cannot be given with configuration_set, which already exists; "
        "set it where configuration_set is made"
    )


@pytest.mark.parametrize("region", ["eu-south-2", "ap-east-1", "cn-north-1"])
def test_a_region_without_configuration_sets_is_warned_of_until_it_has_them(region: str) -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="111122223333", region=region))
    publishing = EventPublishing(stack, "Events")
    warning = "ses-events:region-without-configuration-sets"
    assert warnings(stack) == {warning}
    cdk.Validations.of(publishing).acknowledge(cdk.Acknowledgment(id=warning, reason="AWS has added them"))
    assert warnings(stack) == set()


def test_rates_of_a_set_without_reputation_metrics_would_stay_empty(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    for rate in (publishing.metric_bounce_rate, publishing.metric_complaint_rate):
        assert refused(ValueError, rate) == (
            "Mail/Events: reputation_metrics is not on, so CloudWatch gets no rates of this set; "
            "create it with reputation_metrics=True"
        )


def test_rates_of_a_set_of_the_app_without_reputation_metrics_would_stay_empty(stack: cdk.Stack) -> None:
    for there in (ConfigurationSet(stack, "L2", reputation_metrics=False), CfnConfigurationSet(stack, "L1")):
        publishing = EventPublishing(stack, f"Of{there.node.id}", configuration_set=there)
        assert "reputation_metrics is not on" in refused(ValueError, publishing.metric_bounce_rate)
    on = ConfigurationSet(stack, "On", reputation_metrics=True)
    EventPublishing(stack, "OfOn", configuration_set=on).metric_bounce_rate()


def test_who_may_send_is_a_grantee_and_an_identity(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    identity = EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    assert "grantee 'me' is of type str" in refused(TypeError, publishing.grant_send, "me", identity)
    for wrong in ("example.com", None):
        assert f"identity {wrong!r} is of type {type(wrong).__name__}; use a ses.EmailIdentity" in refused(
            TypeError, publishing.grant_send, role, wrong
        )
    assert "grantee None is of type NoneType" in refused(TypeError, publishing.grant_send, None, identity)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"expiration": cdk.Duration.days(1)}, "expiration cannot be given with bucket, which already exists"),
        ({"removal_policy": cdk.RemovalPolicy.DESTROY}, "removal_policy cannot be given with bucket"),
    ],
)
def test_a_bucket_that_is_there_takes_no_options(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    assert message in refused(ValueError, EventArchive, stack, "Archive", bucket=bucket, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bucket": "mail-archive"}, "bucket 'mail-archive' is of type str; use an s3.Bucket, or an imported one"),
        ({"encryption_key": "alias/mail"}, "encryption_key 'alias/mail' is of type str; use a kms.Key"),
        ({"log_group": "errors"}, "log_group 'errors' is of type str; use a logs.LogGroup"),
        ({"server_access_logs_bucket": "logs"}, "server_access_logs_bucket 'logs' is of type str; use an s3.Bucket"),
        ({"removal_policy": "retain"}, "removal_policy 'retain' is of type str; use cdk.RemovalPolicy.RETAIN"),
    ],
)
def test_parts_of_an_archive_of_a_wrong_type(stack: cdk.Stack, arguments: dict[str, Any], message: str) -> None:
    assert refused(TypeError, EventArchive, stack, "Archive", **arguments) == f"Mail/Archive: {message}"


def test_a_bucket_has_no_snapshot(stack: cdk.Stack) -> None:
    assert refused(ValueError, EventArchive, stack, "Archive", removal_policy=cdk.RemovalPolicy.SNAPSHOT) == (
        "Mail/Archive: removal_policy SNAPSHOT is not for buckets; use cdk.RemovalPolicy.RETAIN"
    )


def test_topics_that_ses_cannot_publish_to(stack: cdk.Stack) -> None:
    fifo = sns.Topic(stack, "Fifo", fifo=True)
    imported = sns.Topic.from_topic_arn(stack, "Imported", "arn:aws:sns:us-east-1:111122223333:events.fifo")
    aws_key = kms.Alias.from_alias_name(stack, "AwsKey", "alias/aws/sns")
    encrypted = sns.Topic(stack, "Encrypted", master_key=aws_key)
    for topic in (fifo, imported):
        assert refused(ValueError, SnsDestination, topic) == (
            f"SnsDestination: topic '{topic.node.path}' is a FIFO topic, and SES publishes to standard topics only; "
            "use one"
        )
    assert refused(ValueError, SnsDestination, encrypted) == (
        "SnsDestination: topic 'Mail/Encrypted' is encrypted with alias/aws/sns, whose policy cannot let SES in; "
        "use a kms.Key of your own"
    )
    for wrong in ("arn:aws:sns:...", None):
        assert "use an sns.Topic, or one that sns.Topic.from_topic_arn imports" in refused(
            TypeError, SnsDestination, wrong
        )


def test_a_topic_a_stream_or_a_set_elsewhere_is_refused(recommended_flags: dict[str, Any]) -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=env)
    publishing = EventPublishing(stack, "Events")
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:111122223333:events")
    assert refused(
        ValueError, publishing.add_destination, "ToTopic", SnsDestination(topic), name="a b"
    ).splitlines() == [
        "Mail/Events/ToTopic: topic is in us-east-1, this stack in eu-west-1; use one of this region",
        "Mail/Events/ToTopic: name 'a b' has a space; use 1-64 of A-Z a-z 0-9 _ -, for example 'my-set'",
    ]
    stream = firehose.DeliveryStream.from_delivery_stream_arn(
        stack, "Stream", "arn:aws:firehose:us-east-1:444455556666:deliverystream/events"
    )
    assert refused(ValueError, publishing.add_destination, "ToStream", FirehoseDestination(stream)).splitlines() == [
        "Mail/Events/ToStream: delivery_stream is in 444455556666, this stack in 111122223333; use one of this account",
        "Mail/Events/ToStream: delivery_stream is in us-east-1, this stack in eu-west-1; use one of this region",
    ]
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::444455556666:role/x")
    to_archive = FirehoseDestination(EventArchive(stack, "Archive"), role=role)
    assert refused(ValueError, publishing.add_destination, "ToArchive", to_archive) == (
        "Mail/Events/ToArchive: role is in 444455556666, this stack in 111122223333; use one of this account"
    )
    bus = events.EventBus.from_event_bus_arn(stack, "Bus", "arn:aws:events:us-east-1:111122223333:event-bus/default")
    assert "event_bus is in us-east-1" in refused(
        ValueError, publishing.add_destination, "ToBus", EventBridgeDestination(bus)
    )
    elsewhere = cdk.Stack(
        cdk.Stage.of(stack), "Elsewhere", env=cdk.Environment(account="111122223333", region="us-east-1")
    )
    archive = EventArchive(elsewhere, "Archive")
    assert "delivery_stream is in us-east-1" in refused(
        ValueError, publishing.add_destination, "ToArchive", FirehoseDestination(archive)
    )
    other_set = CfnConfigurationSet(elsewhere, "Set")
    assert "configuration_set is in us-east-1" in refused(
        ValueError, EventPublishing, stack, "More", configuration_set=other_set
    )
    assert publishing.node.children == [publishing.configuration_set]


def test_only_the_default_event_bus_is_taken(stack: cdk.Stack) -> None:
    custom = events.EventBus(stack, "Custom", event_bus_name="mail")
    assert refused(ValueError, EventBridgeDestination, custom) == (
        "EventBridgeDestination: event_bus 'Mail/Custom' is not the default bus, the only one that SES publishes to; "
        "leave it out, and forward from the default bus with a rule"
    )
    imported = events.EventBus.from_event_bus_arn(
        stack, "Imported", "arn:aws:events:us-east-1:111122223333:event-bus/mail"
    )
    assert "'Mail/Imported' is not the default bus" in refused(ValueError, EventBridgeDestination, imported)
    assert "event_bus 'default' is of type str" in refused(TypeError, EventBridgeDestination, "default")


def test_a_custom_bus_without_a_name_is_not_the_default_bus(stack: cdk.Stack) -> None:
    generated = events.EventBus(stack, "Generated")
    assert "is not the default bus" in refused(ValueError, EventBridgeDestination, generated)


def test_a_stream_that_a_kinesis_data_stream_feeds_is_refused(stack: cdk.Stack) -> None:
    fed = firehose.DeliveryStream(
        stack,
        "Fed",
        source=firehose.KinesisStreamSource(kinesis.Stream(stack, "Source")),
        destination=firehose.S3Bucket(s3.Bucket(stack, "Bucket")),
    )
    assert refused(ValueError, FirehoseDestination, fed) == (
        "FirehoseDestination: delivery_stream 'Mail/Fed' is fed by a Kinesis data stream; "
        "use one that takes direct puts"
    )


def test_a_role_that_does_not_trust_ses_is_refused(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    assert refused(ValueError, FirehoseDestination, archive, role=role) == (
        "FirehoseDestination: role 'Mail/Role' does not trust SES; create it with "
        "assumed_by=iam.ServicePrincipal('ses.amazonaws.com', "
        "conditions={'StringEquals': {'aws:SourceAccount': stack.account}})"
    )
    assert "role 'ses-role' is of type str; use an iam.Role" in refused(
        TypeError, FirehoseDestination, archive, role="ses-role"
    )
    assert "archive 5 is of type int; use an EventArchive" in refused(
        TypeError, FirehoseDestination.with_shared_role, 5
    )


def test_a_role_that_only_denies_ses_does_not_trust_it(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    assert role.assume_role_policy
    role.assume_role_policy.add_statements(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=["sts:AssumeRole"],
            principals=[iam.ServicePrincipal("ses.amazonaws.com")],
        )
    )
    assert "does not trust SES" in refused(ValueError, FirehoseDestination, EventArchive(stack, "Archive"), role=role)


@pytest.mark.parametrize("construct", [EventPublishing, EventArchive])
def test_a_construct_is_made_in_a_stack(construct: Any) -> None:
    app = new_app()
    assert refused(ValueError, construct, app, "Part") == "Part: scope '' is in no stack; make a cdk.Stack for it"
    assert "scope 'Mail' is of type str; use a construct in a stack" in refused(TypeError, construct, "Mail", "Part")
    assert "construct_id 3 is of type int; use a string" in refused(TypeError, construct, cdk.Stack(app, "Mail"), 3)


def test_wrong_types_and_wrong_values_come_at_once(stack: cdk.Stack) -> None:
    refusal = refused(TypeError, EventArchive, stack, "Archive", buffering_interval=1, expiration=2, prefix="!{x}")
    assert [line.split()[1] for line in refusal.splitlines()] == ["buffering_interval", "expiration", "prefix"]


def test_a_refused_reference_stack_leaves_nothing_behind_and_says_everything() -> None:
    app = new_app()
    wrong = {"analytics": False, "prefix": "!{x}", "configuration_set_name": "my set"}
    refusal = refused(ValueError, SesEventsStack, app, "Mail", **wrong)
    assert [line.split()[:2] for line in refusal.splitlines()] == [
        ["Mail/Archive:", "prefix"],
        ["Mail/Publishing:", "configuration_set_name"],
    ]
    assert "Mail: dimension 'campaign' is of type str" in refused(
        TypeError, SesEventsStack, app, "Mail", dimension="campaign"
    )
    SesEventsStack(app, "Mail")


@pytest.mark.parametrize(
    ("error", "construct_id", "arguments", "message"),
    [
        (TypeError, 7, {}, "7: construct_id 7 is of type int; use a string such as 'Mail'"),
        (ValueError, "", {}, "'': construct_id is empty; use a short one that says the purpose, such as 'Mail'"),
        (ValueError, "my stack", {}, "my stack: construct_id 'my stack' is not the name of a stack; use A-Z a-z 0-9 -"),
        (ValueError, "Mail", {"prefx": "a/"}, "Mail: argument 'prefx' is unknown; did you mean 'prefix'?"),
        (
            ValueError,
            "Mail",
            {"format": 1},
            "Mail: argument 'format' is unknown; use one of alarm_topic_arn",
        ),
        (
            TypeError,
            "Mail",
            {"env": "us-east-1"},
            "Mail: env 'us-east-1' is of a wrong type; use what aws_cdk.Stack takes",
        ),
        (TypeError, "Mail", {"tags": {"a": 1}}, "Mail: tags {'a': 1} is of a wrong type; use what aws_cdk.Stack takes"),
        (ValueError, "Mail", {"stack_name": "a b"}, "Mail: Stack name must match the regular expression"),
    ],
)
def test_a_reference_stack_is_refused_like_the_other_constructs(
    error: type[Exception], construct_id: Any, arguments: dict[str, Any], message: str
) -> None:
    app = new_app()
    assert refused(error, SesEventsStack, app, construct_id, **arguments).startswith(message)
    assert [child.node.id for child in app.node.children if isinstance(child, cdk.Stack)] == []


def test_a_reference_stack_takes_no_id_that_is_taken() -> None:
    app = new_app()
    SesEventsStack(app, "Mail")
    message = refused(ValueError, SesEventsStack, app, "Mail")
    assert message == "Mail: construct_id 'Mail' is taken in this scope; use another one"


@pytest.mark.parametrize("scope", [7, "x", cdk.Stack])
def test_a_reference_stack_is_made_in_an_app_or_stage(scope: Any) -> None:
    message = refused(TypeError, SesEventsStack, scope, "Mail")
    assert message.startswith("Mail: scope ") and message.endswith("; use a cdk.App or cdk.Stage")


def test_a_stack_without_a_scope_says_what_is_wrong_too() -> None:
    scope = cast(cdk.App, None)
    assert refused(TypeError, SesEventsStack, scope, "Mail", prefix=5).startswith(
        "Mail/Archive: prefix 5 is of type int"
    )


def test_an_id_that_a_destination_has_is_refused_before_anything_is_made(stack: cdk.Stack) -> None:
    publishing, archive = EventPublishing(stack, "Events"), EventArchive(stack, "Archive")
    publishing.add_destination("a/b", METRICS)
    for taken in ("a--b", "a/b"):
        assert f"construct_id '{taken}' is taken" in refused(
            ValueError, publishing.add_destination, taken, FirehoseDestination(archive)
        )
    assert publishing.ses_role is None


def an_archive(stack: cdk.Stack) -> EventArchive:
    return cast(EventArchive, stack.node.try_find_child("Archive") or EventArchive(stack, "Archive"))


CONSTRUCTS: dict[str, Callable[[cdk.Stack, str], object]] = {
    "publishing": EventPublishing,
    "archive": EventArchive,
    "analytics": lambda stack, name: EventAnalytics(stack, name, archive=an_archive(stack)),
    "monitoring": lambda stack, name: EventMonitoring(stack, name, archive=an_archive(stack)),
}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_an_id_that_something_else_in_the_scope_has_is_refused(stack: cdk.Stack, construct: str) -> None:
    cdk.CfnOutput(stack, "Mail", value="1")
    cdk.CfnOutput(stack, "c/d", value="1")
    for taken in ("Mail", "c/d", "c--d"):
        problem = refused(ValueError, CONSTRUCTS[construct], stack, taken)
        assert problem == f"{stack.node.path}/{taken}: construct_id {taken!r} is taken in this scope; use another one"


@pytest.mark.parametrize("construct", ["publishing", "archive"])
def test_an_empty_id_is_refused(stack: cdk.Stack, construct: str) -> None:
    problem = refused(ValueError, CONSTRUCTS[construct], stack, "")
    assert problem == "'': construct_id is empty; use a short one that says the purpose, such as 'Events'"


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_an_id_known_at_deployment_only_is_refused(stack: cdk.Stack, construct: str) -> None:
    problem = refused(ValueError, CONSTRUCTS[construct], stack, stack.region)
    assert problem.endswith(
        "}: construct_id is known at deployment only; use a short one that says the purpose, such as 'Events'"
    )


@pytest.mark.parametrize("taken", ["X", "c--d", "c/d"])
def test_an_id_that_something_else_in_the_construct_has_is_refused(stack: cdk.Stack, taken: str) -> None:
    publishing = EventPublishing(stack, "Events")
    cdk.CfnOutput(publishing, "X", value="1")
    cdk.CfnOutput(publishing, "c/d", value="1")
    assert f"construct_id '{taken}' is taken" in refused(ValueError, publishing.add_destination, taken, METRICS)


def test_a_set_has_ten_destinations_with_different_names_however_they_are_added(stack: cdk.Stack) -> None:
    there = CfnConfigurationSet(stack, "Set")
    first = EventPublishing(stack, "First", configuration_set=there)
    second = EventPublishing(stack, "Second", configuration_set=there)
    made = [first.add_destination(f"To{number}", METRICS, name=f"n{number}") for number in range(5)]
    made += [second.add_destination(f"To{number}", METRICS, name=f"n{number}") for number in range(5, 10)]
    assert "name 'n0' belongs to another event destination" in refused(
        ValueError, second.add_destination, "Again", METRICS, name="n0"
    )
    assert "event destination 11" in refused(ValueError, first.add_destination, "More", METRICS)
    assert waits_for(synthesize(stack), logical_id(made[5]), logical_id(made[4]))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("encryption_key", "encryption_key is in us-east-1, this stack in eu-west-1; use one of this region"),
        ("alias", "encryption_key 'Mail/Part' is an imported alias, which no permission can name; import its key"),
        ("log_group", "log_group is in us-east-1, this stack in eu-west-1; use one of this region"),
        ("bucket", "bucket is in us-east-1, this stack in eu-west-1; use one of this region"),
        ("bucket key", "bucket.encryption_key 'Mail/Key' is an imported alias, which no permission can name"),
        ("logs", "server_access_logs_bucket is in us-east-1, this stack in eu-west-1; use one of this region"),
        ("logs key", "server_access_logs_bucket 'Mail/Part' is encrypted with a KMS key, and S3 cannot log there"),
    ],
)
def test_parts_of_an_archive_that_firehose_or_s3_cannot_use(
    part: str, message: str, recommended_flags: dict[str, Any]
) -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=env)
    match part:
        case "encryption_key":
            arguments: dict[str, Any] = {
                part: kms.Key.from_key_arn(stack, "Part", "arn:aws:kms:us-east-1:111122223333:key/1")
            }
        case "alias":
            arguments = {"encryption_key": kms.Alias.from_alias_name(stack, "Part", "alias/mail")}
        case "log_group":
            arn = "arn:aws:logs:us-east-1:111122223333:log-group:errors"
            arguments = {part: logs.LogGroup.from_log_group_arn(stack, "Part", arn)}
        case "bucket" | "logs":
            bucket = s3.Bucket.from_bucket_attributes(stack, "Part", bucket_name="theirs", region="us-east-1")
            arguments = {"bucket" if part == "bucket" else "server_access_logs_bucket": bucket}
        case "bucket key":
            alias = kms.Alias.from_alias_name(stack, "Key", "alias/mail")
            arguments = {"bucket": s3.Bucket(stack, "Part", encryption_key=alias)}
        case _:
            arguments = {"server_access_logs_bucket": s3.Bucket(stack, "Part", encryption_key=kms.Key(stack, "Key"))}
    assert message in refused(ValueError, EventArchive, stack, "Archive", **arguments)


def test_a_set_of_another_account_is_refused(recommended_flags: dict[str, Any]) -> None:
    app = new_app(**recommended_flags)
    ours, theirs = (
        cdk.Stack(app, name, env=cdk.Environment(account=account, region="eu-west-1"))
        for name, account in (("Ours", "111122223333"), ("Theirs", "444455556666"))
    )
    assert "configuration_set is in 444455556666, this stack in 111122223333" in refused(
        ValueError, EventPublishing, ours, "Events", configuration_set=CfnConfigurationSet(theirs, "Set")
    )
    bus = events.EventBus.from_event_bus_arn(ours, "Bus", "arn:aws:events:eu-west-1:444455556666:event-bus/default")
    publishing = EventPublishing(ours, "Events")
    assert "event_bus is in 444455556666" in refused(
        ValueError, publishing.add_destination, "ToBus", EventBridgeDestination(bus)
    )
    elsewhere = cdk.Stack(app, "Elsewhere", env=cdk.Environment(account="111122223333", region="us-east-1"))
    stream = firehose.DeliveryStream(elsewhere, "Stream", destination=firehose.S3Bucket(s3.Bucket(elsewhere, "Bucket")))
    assert "delivery_stream is in us-east-1" in refused(
        ValueError, publishing.add_destination, "ToStream", FirehoseDestination(stream)
    )


def test_what_is_just_allowed_is_taken(stack: cdk.Stack) -> None:
    of = CfnConfigurationSet
    there = of(
        stack,
        "Set",
        delivery_options=of.DeliveryOptionsProperty(max_delivery_seconds=300, tls_policy="OPTIONAL"),
        tracking_options=of.TrackingOptionsProperty(
            custom_redirect_domain="click-1.mail.example.xn--p1ai", https_policy="OPTIONAL"
        ),
        suppression_options=of.SuppressionOptionsProperty(suppressed_reasons=["COMPLAINT"]),
    )
    EventPublishing(stack, "OfTheApp", configuration_set=there)
    EventPublishing(
        stack,
        "Events",
        configuration_set_name="a_B-9" + "x" * 59,
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
    publishing = EventPublishing(
        stack,
        "Events",
        configuration_set_name=text,
    )
    there = CfnConfigurationSet(
        stack,
        "There",
        delivery_options=CfnConfigurationSet.DeliveryOptionsProperty(max_delivery_seconds=number, tls_policy=text),
        tracking_options=CfnConfigurationSet.TrackingOptionsProperty(custom_redirect_domain=text, https_policy=text),
        suppression_options=CfnConfigurationSet.SuppressionOptionsProperty(suppressed_reasons=[text]),
    )
    EventPublishing(stack, "OfTheApp", configuration_set=there)
    EventPublishing(
        stack, "Imported", configuration_set=ConfigurationSet.from_configuration_set_name(stack, "Set", text)
    ).add_destination("ToTopic", SnsDestination(sns.Topic.from_topic_arn(stack, "Topic", text)))
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


@pytest.mark.parametrize("number", [10**400, -(10**400), float("inf")])
def test_a_number_that_no_template_holds_is_refused(stack: cdk.Stack, number: Any) -> None:
    publishing = EventPublishing(stack, "Events")
    for argument in ("bounce_rate", "complaint_rate", "quota_share"):
        message = refused(TypeError, EventMonitoring, stack, "M", publishing=publishing, **{argument: number})
        assert message.startswith(f"Mail/M: {argument} ") and "is not finite" in message and len(message) < 200
    for argument in ("rejects", "rendering_failures"):
        message = refused(TypeError, EventMonitoring, stack, "M", publishing=publishing, **{argument: number})
        assert message.startswith(f"Mail/M: {argument} ") and "use a whole number such as 100" in message
    monitoring = EventMonitoring(stack, "M", publishing=publishing)
    metric = METRICS.metric(EmailSendingEvent.SEND, {"campaign": "spring"})
    assert "threshold" in refused(TypeError, monitoring.add_alarm, "Mine", metric, threshold=number)


def test_a_problem_is_one_line_that_a_terminal_can_show(stack: cdk.Stack) -> None:
    long = refused(ValueError, EventPublishing, stack, "Events", configuration_set_name="x" * 100_000)
    assert len(long) < 400 and "has 100000 characters; use 1-64 of A-Z a-z 0-9 _ -" in long
    broken = refused(ValueError, EventPublishing, stack, "a\nb", configuration_set_name="my set")
    assert broken.startswith("Mail/a\\nb: configuration_set_name") and "\n" not in broken


def test_of_a_thousand_problems_the_first_are_told(stack: cdk.Stack) -> None:
    message = refused(TypeError, CloudWatchDestination, ["campaign"])
    assert "more problems" not in message
    publishing = EventPublishing(stack, "Events")
    grantee = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    identity = EmailIdentity.from_email_identity_name(stack, "Identity", "example.com")
    message = refused(ValueError, publishing.grant_send, grantee, identity, templates=["a b*"] * 1000)
    assert len(message) < 2000
    assert message.splitlines()[-1].endswith(" more problems like these; mend these first")


def test_a_lone_surrogate_is_refused_wherever_a_text_is_taken(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    metric = METRICS.metric(EmailSendingEvent.SEND, {"campaign": "spring"})
    calls: dict[str, Callable[[str], object]] = {
        "construct_id": lambda text: EventPublishing(stack, text),
        "prefix": lambda text: EventArchive(stack, "Other", prefix=text),
        "dimensions['campaign']": lambda text: METRICS.metric(EmailSendingEvent.SEND, {"campaign": text}),
        "metric_name": archive.metric,
        "description": lambda text: EventMonitoring(stack, "M", archive=archive).add_alarm(
            "Mine", metric, threshold=1, description=text
        ),
    }
    for argument, call in calls.items():
        message = refused(ValueError, call, "a\ud800")
        assert f": {argument} has a lone surrogate, which no template can hold; leave it out" in message


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__"])
def test_an_id_that_no_construct_can_have_is_refused(stack: cdk.Stack, name: str) -> None:
    publishing, archive = EventPublishing(stack, "Events"), EventArchive(stack, "Archive")
    monitoring = EventMonitoring(stack, "M", archive=archive)
    metric = METRICS.metric(EmailSendingEvent.SEND, {"campaign": "spring"})
    calls: list[Callable[[], object]] = [
        lambda: EventPublishing(stack, name),
        lambda: SesEventsStack(new_app(), name),
        lambda: publishing.add_destination(name, METRICS),
        lambda: monitoring.add_alarm(name, metric, threshold=1),
    ]
    for call in calls:
        message = refused(ValueError, call)
        fault = f"construct_id {name!r} is a name in JavaScript that no construct can have; use another one"
        assert f"{name}: {fault}" in message.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"period": cdk.Duration.seconds(1)}, "metric.period 1 seconds is not a period that alarms take"),
        ({"period": cdk.Duration.days(8)}, "metric.period 691200 seconds is not a period that alarms take"),
        ({"metric_name": ""}, "metric.metric_name has 0 characters; use 1-255"),
        ({"namespace": ""}, "metric.namespace has 0 characters; use 1-255"),
        ({"metric_name": "x" * 256}, "metric.metric_name has 256 characters; use 1-255"),
        ({"region": "eu-west-1"}, "metric is in eu-west-1, this stack in us-east-1; use one of this region"),
    ],
)
def test_a_metric_of_which_cloudwatch_makes_no_alarm_is_refused(options: dict[str, Any], fault: str) -> None:
    here = cdk.Stack(new_app(), "Here", env=cdk.Environment(account="111122223333", region="us-east-1"))
    monitoring = EventMonitoring(here, "M", archive=EventArchive(here, "Archive"))
    plain: dict[str, Any] = {"namespace": "Mine", "metric_name": "Mails"}
    for metric in (
        cloudwatch.Metric(**plain | options),
        cloudwatch.MathExpression(expression="a", using_metrics={"a": cloudwatch.Metric(**plain | options)}),
    ):
        if isinstance(metric, cloudwatch.Metric) or "period" not in options:  # math has a period for all of its metrics
            assert fault in refused(ValueError, monitoring.add_alarm, "Mine", metric, threshold=1)
    assert "metric_name has 0 characters; use 1-255" in refused(ValueError, EventArchive(here, "A").metric, "")
    for seconds in (10, 30, 60, 300, 86400, 604800):
        period = cdk.Duration.seconds(seconds)
        monitoring.add_alarm(f"Each{seconds}", cloudwatch.Metric(**plain, period=period), threshold=1)


def test_an_object_of_another_kind_is_named_by_its_class_and_path(stack: cdk.Stack) -> None:
    stream = firehose.DeliveryStream.from_delivery_stream_arn(
        stack, "Stream", "arn:aws:firehose:us-east-1:111122223333:deliverystream/events"
    )
    made = firehose.DeliveryStream(stack, "Made", destination=firehose.S3Bucket(s3.Bucket(stack, "Into")))
    topic_destination = CdkEventDestination.sns_topic(sns.Topic(stack, "Topic"))
    publishing = EventPublishing(stack, "Events")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    messages = {
        "archive <IDeliveryStream 'Mail/Stream'> is of type IDeliveryStream": refused(
            TypeError, EventAnalytics, stack, "A", archive=stream
        ),
        "archive <DeliveryStream 'Mail/Made'> is of type DeliveryStream": refused(
            TypeError, EventMonitoring, stack, "M", archive=made
        ),
        "destination <EventDestination> is of type EventDestination": refused(
            TypeError, publishing.add_destination, "Next", topic_destination
        ),
        "identity 'example.com' is of type str; use a ses.EmailIdentity": refused(
            TypeError, publishing.grant_send, role, "example.com"
        ),
        "grantee <class 'aws_cdk.aws_iam.Role'> is of type type": refused(
            TypeError, EventArchive(stack, "Archive").grant_read, iam.Role
        ),
    }
    for part, message in messages.items():
        assert part in message and "jsii" not in message and "\n" not in message


def test_what_can_be_gone_through_once_is_refused(stack: cdk.Stack) -> None:
    publishing = EventPublishing(stack, "Events")
    assert "is of type list_iterator; use a list such as" in refused(
        TypeError, publishing.add_destination, "Next", METRICS, events=iter([EmailSendingEvent.SEND])
    )
    assert "is of type generator; use a list such as" in refused(
        TypeError, CloudWatchDestination, (each for each in [dimension()])
    )
    assert "is of type list_iterator; use a list such as" in refused(
        TypeError, EventMonitoring, stack, "M", publishing=publishing, alarm_actions=iter([])
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"encryption": s3.BucketEncryption.KMS_MANAGED}, "is encrypted with a KMS key"),
        ({"encryption": s3.BucketEncryption.DSSE_MANAGED}, "is encrypted with a KMS key"),
        (
            {"object_lock_default_retention": s3.ObjectLockRetention.governance(cdk.Duration.days(1))},
            "has a default retention",
        ),
    ],
)
def test_a_bucket_that_s3_cannot_log_into_is_refused(stack: cdk.Stack, options: dict[str, Any], fault: str) -> None:
    logs_bucket = s3.Bucket(stack, "Logs", **options)
    message = refused(ValueError, EventArchive, stack, "Archive", server_access_logs_bucket=logs_bucket)
    assert message.startswith(f"Mail/Archive: server_access_logs_bucket 'Mail/Logs' {fault}, and S3 cannot log there")
    EventArchive(stack, "Archive", server_access_logs_bucket=s3.Bucket(stack, "Plain", object_lock_enabled=True))
