"""Parts of another App, Stage or account: no template can name them, which is said where they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns

from ses_events import (
    EventAnalytics,
    EventArchive,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    SnsDestination,
)
from tests.support.templates import new_app


def _role(stack: cdk.Stack, service: str, name: str | None = None) -> iam.Role:
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com"), role_name=name)


def _identity(stack: cdk.Stack) -> ses.EmailIdentity:
    return ses.EmailIdentity(stack, "Identity", identity=ses.Identity.email("a@example.com"))


def _metric(stack: cdk.Stack) -> cloudwatch.Metric:
    name = sns.Topic(stack, "Measured").topic_name
    return cloudwatch.Metric(namespace="Mine", metric_name="Mails", dimensions_map={"topic": name})


def _destination(stack: cdk.Stack, destination: Any) -> None:
    EventPublishing(stack, "Events").add_destination("Next", destination)


def _archive(name: str) -> Callable[[cdk.Stack, Any], object]:
    return lambda stack, part: EventArchive(stack, "Archive", **{name: part})


def _watch(name: str) -> Callable[[cdk.Stack, Any], object]:
    return lambda stack, part: EventMonitoring(stack, "Monitoring", **{name: part})


CALLS: dict[str, tuple[Callable[[cdk.Stack], Any], Callable[[cdk.Stack, Any], object]]] = {
    "configuration_set": (
        lambda stack: ses.ConfigurationSet(stack, "Set"),
        lambda stack, part: EventPublishing(stack, "Events", configuration_set=part),
    ),
    "topic": (lambda stack: sns.Topic(stack, "Topic"), lambda stack, part: _destination(stack, SnsDestination(part))),
    "delivery_stream": (
        lambda stack: EventArchive(stack, "Archive"),
        lambda stack, part: _destination(stack, FirehoseDestination(part)),
    ),
    "role": (
        lambda stack: _role(stack, "ses"),
        lambda stack, part: _destination(stack, FirehoseDestination(EventArchive(stack, "Archive"), role=part)),
    ),
    "role of Firehose": (lambda stack: _role(stack, "firehose"), _archive("role")),
    "bucket": (lambda stack: s3.Bucket(stack, "Bucket"), _archive("bucket")),
    "encryption_key": (lambda stack: kms.Key(stack, "Key"), _archive("encryption_key")),
    "bucket.encryption_key": (
        lambda stack: kms.Key(stack, "Key"),
        lambda stack, part: EventArchive(
            stack, "Archive", bucket=s3.Bucket(stack, "Bucket", encryption_key=part, encryption=s3.BucketEncryption.KMS)
        ),
    ),
    "log_group": (lambda stack: logs.LogGroup(stack, "Logs"), _archive("log_group")),
    "server_access_logs_bucket": (lambda stack: s3.Bucket(stack, "Logs"), _archive("server_access_logs_bucket")),
    "identity": (
        _identity,
        lambda stack, part: EventPublishing(stack, "Events").grant_send(_role(stack, "ec2"), part),
    ),
    "templates[0]": (
        lambda stack: ses.CfnTemplate(stack, "Template"),
        lambda stack, part: EventPublishing(stack, "Events").grant_send(
            _role(stack, "ec2"), _identity(stack), templates=[part]
        ),
    ),
    "grantee": (
        lambda stack: _role(stack, "ec2"),
        lambda stack, part: EventPublishing(stack, "Events").grant_send(part, _identity(stack)),
    ),
    "grantee of an archive": (
        lambda stack: _role(stack, "ec2"),
        lambda stack, part: EventArchive(stack, "Archive").grant_read(part),
    ),
    "grantee of queries": (
        lambda stack: _role(stack, "ec2"),
        lambda stack, part: EventAnalytics(stack, "Analytics", archive=EventArchive(stack, "Archive")).grant_query(
            part
        ),
    ),
    "archive of analytics": (
        lambda stack: EventArchive(stack, "Archive"),
        lambda stack, part: EventAnalytics(stack, "Analytics", archive=part),
    ),
    "results_bucket": (
        lambda stack: s3.Bucket(stack, "Results"),
        lambda stack, part: EventAnalytics(
            stack, "Analytics", archive=EventArchive(stack, "Archive"), results_bucket=part
        ),
    ),
    "publishing": (lambda stack: EventPublishing(stack, "Events"), _watch("publishing")),
    "archive": (lambda stack: EventArchive(stack, "Archive"), _watch("archive")),
    "analytics": (
        lambda stack: EventAnalytics(stack, "Analytics", archive=EventArchive(stack, "Archive")),
        lambda stack, part: EventMonitoring(
            stack, "Monitoring", publishing=EventPublishing(stack, "Events"), analytics=part
        ),
    ),
    "alarm_actions": (
        lambda stack: actions.SnsAction(sns.Topic(stack, "Told")),
        lambda stack, part: EventMonitoring(
            stack, "Monitoring", archive=EventArchive(stack, "Archive"), alarm_actions=[part]
        ),
    ),
    "metric": (
        _metric,
        lambda stack, part: EventMonitoring(stack, "Monitoring", archive=EventArchive(stack, "Archive")).add_alarm(
            "Mine", part, threshold=1
        ),
    ),
}
"""How to make each part, and the call that takes it."""

CARRIED_OVER = {"bucket.encryption_key", "encryption_key", "grantee", "identity", "metric"}
"""What CDK brings from stack to stack where both have an explicit region."""


@pytest.mark.parametrize("of", CALLS)
def test_a_part_of_another_app_or_stage_is_refused_at_the_call(of: str) -> None:
    make, give = CALLS[of]
    app = new_app()
    for scope, place in ((new_app(), "App"), (cdk.Stage(app, "Other"), "Stage")):
        with pytest.raises(ValueError) as caught:
            give(cdk.Stack(app, f"For{place}"), make(cdk.Stack(scope, "Theirs")))
        message = str(caught.value)
        assert message.startswith(f"For{place}/") and f" {of.partition(' ')[0]}" in message.splitlines()[0]
        assert f"of another {place}, which cannot be named from here; make it in th" in message


@pytest.mark.parametrize("of", sorted(CALLS.keys() - CARRIED_OVER))
def test_a_part_of_another_account_is_refused_at_the_call(of: str) -> None:
    make, give = CALLS[of]
    app = new_app()
    here, there = (
        cdk.Stack(app, name, env=cdk.Environment(account=account, region="us-east-1"))
        for name, account in (("Mail", "111122223333"), ("Theirs", "444455556666"))
    )
    with pytest.raises(ValueError) as caught:
        give(here, make(there))
    assert str(caught.value).startswith("Mail/")


@pytest.mark.parametrize("of", CALLS)
def test_a_part_of_another_stack_of_the_same_place_is_taken(of: str) -> None:
    make, give = CALLS[of]
    app = new_app()
    give(cdk.Stack(app, "Mail"), make(cdk.Stack(app, "Theirs")))
    app.synth()
