"""What a synth costs, as ratios to an empty CDK app measured in the same run: ``make bench``.

Every app runs in processes of its own, in turn with what it is compared with, after a warm-up of each; what counts is
the processor time of the Python process and of CDK's. CDK's validation is off, as in ``cdk synth --no-validation``.
First come the promises, each the median of the ratios of such pairs, then the least time of an app beside the least of
an empty one.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches import plain

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import aws_ses as ses

ROOT = Path(__file__).parent.parent
NUMBERS = (1, 10, 50, 100)


def empty(stack: cdk.Stack, number: int) -> None:
    """Nothing: what CDK itself costs."""


def cloudwatch(stack: cdk.Stack, number: int) -> None:
    """Sets that are counted in CloudWatch only."""
    from ses_events import CloudWatchDestination, EventPublishing

    metrics = CloudWatchDestination([_campaign()])
    for each in range(number):
        EventPublishing(stack, f"Events{each}").add_destination("ToMetrics", metrics)


def ours(stack: cdk.Stack, number: int) -> None:
    """Sets with a role of their own, kept in one archive and counted in CloudWatch."""
    from ses_events import EventArchive, FirehoseDestination

    _ours(stack, number, FirehoseDestination(EventArchive(stack, "Archive")))


def ours_shared(stack: cdk.Stack, number: int) -> None:
    """The same with one role for all sets."""
    from ses_events import EventArchive, FirehoseDestination

    _ours(stack, number, FirehoseDestination.with_shared_role(EventArchive(stack, "Archive")))


def _ours(stack: cdk.Stack, number: int, to_archive: object) -> None:
    from ses_events import CloudWatchDestination, EventPublishing, FirehoseDestination

    assert isinstance(to_archive, FirehoseDestination)
    to_metrics = CloudWatchDestination([_campaign()])
    for each in range(number):
        publishing = EventPublishing(stack, f"Events{each}")
        publishing.add_destination("ToArchive", to_archive)
        publishing.add_destination("ToMetrics", to_metrics)


def _campaign() -> ses.CloudWatchDimension:
    import aws_cdk.aws_ses as ses

    return ses.CloudWatchDimension(
        name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
    )


def l2(stack: cdk.Stack, number: int) -> None:
    """CDK's own constructs: a role for each set, one delivery stream."""
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_ses as ses

    stream = firehose.DeliveryStream(stack, "Stream", destination=firehose.S3Bucket(s3.Bucket(stack, "Bucket")))
    for each in range(number):
        configuration_set = ses.ConfigurationSet(stack, f"Events{each}")
        configuration_set.add_event_destination(
            "ToArchive",
            destination=ses.EventDestination.firehose_delivery_stream(delivery_stream=stream),
        )
        configuration_set.add_event_destination(
            "ToMetrics", destination=ses.EventDestination.cloud_watch_dimensions([_campaign()])
        )


def l1(stack: cdk.Stack, number: int) -> None:
    """Much of what ``ours_shared`` makes, written by hand, in the fewest calls into CDK."""
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_ses as ses

    bucket = s3.CfnBucket(
        stack,
        "Bucket",
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                        sse_algorithm="AES256"
                    )
                )
            ]
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
    )
    bucket_arn = bucket.attr_arn
    tls_only = {
        "Effect": "Deny", "Action": "s3:*", "Principal": "*", "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }  # fmt: skip
    s3.CfnBucketPolicy(
        stack, "Policy", bucket=bucket.ref, policy_document={"Version": "2012-10-17", "Statement": [tls_only]}
    )
    group = logs.CfnLogGroup(stack, "LogGroup", retention_in_days=30)
    log_stream = logs.CfnLogStream(stack, "LogStream", log_group_name=group.ref)

    def role(construct_id: str, service: str, actions: list[str], resource: str) -> iam.CfnRole:
        return iam.CfnRole(
            stack,
            construct_id,
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
                ],
            },
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Permissions",
                    policy_document={
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}],
                    },
                )
            ],
        )

    deliver = role("Deliver", "firehose.amazonaws.com", ["s3:PutObject", "s3:ListBucket"], f"{bucket_arn}/*")
    of = firehose.CfnDeliveryStream
    stream = of(
        stack,
        "Stream",
        delivery_stream_type="DirectPut",
        extended_s3_destination_configuration=of.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=bucket_arn,
            role_arn=deliver.attr_arn,
            prefix="events/",
            error_output_prefix="errors/",
            compression_format="GZIP",
            buffering_hints=of.BufferingHintsProperty(interval_in_seconds=300, size_in_m_bs=64),
            cloud_watch_logging_options=of.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=group.ref, log_stream_name=log_stream.ref
            ),
        ),
    )
    stream_arn = stream.attr_arn
    put_events_role_arn = role("Put", "ses.amazonaws.com", ["firehose:PutRecordBatch"], stream_arn).attr_arn
    destination = ses.CfnConfigurationSetEventDestination
    events = ["send", "reject", "bounce", "complaint", "delivery", "renderingFailure", "deliveryDelay", "subscription"]
    to_archive = destination.EventDestinationProperty(
        enabled=True,
        matching_event_types=events,
        kinesis_firehose_destination=destination.KinesisFirehoseDestinationProperty(
            delivery_stream_arn=stream_arn, iam_role_arn=put_events_role_arn
        ),
    )
    to_metrics = destination.EventDestinationProperty(
        enabled=True,
        matching_event_types=events,
        cloud_watch_destination=destination.CloudWatchDestinationProperty(
            dimension_configurations=[
                destination.DimensionConfigurationProperty(
                    dimension_name="campaign", dimension_value_source="messageTag", default_dimension_value="unknown"
                )
            ]
        ),
    )
    for each in range(number):
        configuration_set = ses.CfnConfigurationSet(stack, f"Events{each}")
        destination(stack, f"ToArchive{each}", configuration_set_name=configuration_set, event_destination=to_archive)
        destination(stack, f"ToMetrics{each}", configuration_set_name=configuration_set, event_destination=to_metrics)


def reference(app: cdk.App, number: int) -> None:
    """The reference stack, with all that it makes by default."""
    from ses_events import SesEventsStack

    SesEventsStack(app, "Mail")


def _by_hand(app: str) -> Callable[[cdk.Stack, int], None]:
    """The resources of an app written by hand, so to say: by ``_write_by_hand``."""

    def build(stack: cdk.Stack, number: int) -> None:
        importlib.import_module(f"{app}_by_hand").build(stack)

    return build


def _write_by_hand(app: str, folder: str) -> None:
    """Write the module of ``_by_hand`` into a folder; its template is compared with that of the app."""
    theirs = _template(_synth(app))
    Path(folder, f"{app}_by_hand.py").write_text(plain.source_of(theirs))
    if _resources(_template(_synth(f"{app}_by_hand"))) != _resources(theirs):
        raise SystemExit(f"the L1s are not the resources of {app}; mend benches/plain.py")


def _resources(template: plain.Json) -> plain.Json:
    return {
        name: resource | {"Metadata": None, "DependsOn": sorted(resource.get("DependsOn", []))}
        for name, resource in template["Resources"].items()
    }


PROMISES = (
    ("the reference stack", "reference", "reference_by_hand", 1.15),
    ("a set that is counted in CloudWatch only", "cloudwatch", "empty", 1.12),
    ("an archive and a set with a role of its own", "ours", "ours_by_hand", 1.0),
    ("an archive and a set with a shared role", "ours_shared", "ours_shared_by_hand", 1.0),
)
"""What is compared with what, and the ratio that it should not exceed; by hand is with typed L1s."""

APPS: dict[str, Callable[..., None]] = {
    **{app.__name__: app for app in (empty, cloudwatch, ours, ours_shared, l2, l1, reference)},
    **{other: _by_hand(app) for _, app, other, _ in PROMISES if other != "empty"},
}

ONE_MORE = 1.3
"""The same of one more template in a running session."""


def main() -> None:
    """Run the benchmark, or one app of it."""
    parser = argparse.ArgumentParser(prog="python -m benches.synth", description=__doc__)
    parser.add_argument("app", nargs="?", choices=APPS, help="run this app alone, once")
    parser.add_argument("number", nargs="?", type=int, default=1, help="of configuration sets")
    parser.add_argument("--rounds", type=int, default=7, help="how often each app runs (%(default)s)")
    parser.add_argument("--promises", action="store_true", help="only what is promised")
    arguments = parser.parse_args()
    if arguments.app:
        _synth(arguments.app, arguments.number)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYTHONPATH"] = folder
        sys.path.append(folder)
        for _, app, other, _ in PROMISES:
            if other != "empty":
                _write_by_hand(app, folder)
        _promised(arguments.rounds)
    if not arguments.promises:
        _compare(arguments.rounds)


def _synth(app_name: str, number: int = 1) -> Any:
    import aws_cdk as cdk

    app = cdk.App(builtin_cloud_formation_validation=False, analytics_reporting=False)
    APPS[app_name](app if app_name == "reference" else cdk.Stack(app, "Mail"), number)
    return app.synth()


def _template(assembly: Any) -> plain.Json:
    template: plain.Json = assembly.get_stack_by_name("Mail").template
    return template


def _promised(rounds: int) -> None:
    print("| what | beside | processor time | promised |\n|---|---|--:|--:|")
    for what, app, other, most in PROMISES:
        runs = [(_run(app, 1)[0], _run(other, 1)[0]) for _ in range(rounds + 1)][1:]
        _promise(what, other, [ours / theirs for ours, theirs in runs], most)
    for app in ("ours", "ours_shared"):
        runs = [(_one_more(app), _one_more(f"{app}_by_hand")) for _ in range(rounds * 6 + 6)][6:]
        _promise(
            f"one more template in a session, {app}",
            f"{app}_by_hand",
            [ours / theirs for ours, theirs in runs],
            ONE_MORE,
        )


def _promise(what: str, other: str, ratios: list[float], most: float) -> None:
    print(f"| {what} | {other} | {statistics.median(ratios):.2f} | {most:.2f} |", flush=True)


def _compare(rounds: int) -> None:
    apps = [("cloudwatch", 1), *((app, number) for number in NUMBERS for app in ("ours", "ours_shared", "l2", "l1"))]
    print("\n| app | configuration sets | processor time / empty app | largest process |\n|---|--:|--:|--:|")
    for app, number in apps:
        runs = [(_run("empty", 0), _run(app, number)) for _ in range(rounds + 1)][1:]
        floor, cpu = (min(seconds for seconds, _ in side) for side in zip(*runs, strict=True))
        memory = statistics.median(kib for _, (_, kib) in runs)
        print(f"| {app} | {number} | {cpu / floor:.2f} | {memory / 1024:.0f} MiB |", flush=True)


def _run(app: str, number: int) -> tuple[float, int]:
    """Processor seconds of a process and those it started, and the KiB of the largest."""
    # Where nothing writes bytecode, every run would compile all that it imports.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, "-m", "benches.synth", app, str(number)], cwd=ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{app} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def _one_more(app: str) -> float:
    """The seconds of a further stack and its template: CDK's process works while Python waits."""
    start = time.perf_counter()
    _synth(app)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
