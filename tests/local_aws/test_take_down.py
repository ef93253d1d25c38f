"""docs/take-down.md on the local AWS."""

from __future__ import annotations

import os
import re

import boto3
import jmespath
import pytest

from local_aws import LocalAws
from local_aws.demo import send_mail
from ses_events import SesEventsStack
from tests.local_aws.support.deployed import app, deploy, events_in, eventually, outputs_of
from tests.support.templates import ROOT

STACK = "ShortLived"


def _everything(aws: LocalAws) -> set[tuple[str, str]]:
    """What is there, of all kinds that a stack can have, by kind and name."""
    listings = {
        ("s3", "list_buckets"): "Buckets[].Name",
        ("logs", "describe_log_groups"): "logGroups[].logGroupName",
        ("iam", "list_roles"): "Roles[].RoleName",
        ("iam", "list_policies"): "Policies[?!starts_with(Arn, 'arn:aws:iam::aws:')].PolicyName",
        ("firehose", "list_delivery_streams"): "DeliveryStreamNames",
        ("sesv2", "list_configuration_sets"): "ConfigurationSets",
        ("glue", "get_databases"): "DatabaseList[].Name",
        ("athena", "list_work_groups"): "WorkGroups[].Name",
        ("cloudwatch", "describe_alarms"): "[MetricAlarms, CompositeAlarms][].AlarmName",
        ("cloudwatch", "list_dashboards"): "DashboardEntries[].DashboardName",
    }
    return {
        (f"{service} {call}", name)
        for (service, call), path in listings.items()
        for name in jmespath.search(path, getattr(aws.client(service), call)()) or []
    }


@pytest.fixture
def recipe() -> tuple[str, str]:
    """The query for the buckets and the program that empties one, as the page has them."""
    page = (ROOT / "docs/take-down.md").read_text()
    [query] = re.findall(r'--query "(.+)"', page)
    [program] = re.findall(r'python3 -c "(.+)"', page)
    return query, program


@pytest.mark.usefixtures("reference_stack")
def test_the_recipe_leaves_nothing_of_a_stack(
    aws: LocalAws, recipe: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query, program = recipe
    before = _everything(aws)
    stack = SesEventsStack(app(), STACK)
    assert deploy(aws, stack) == []
    outputs = outputs_of(aws, stack)
    message_id = send_mail(aws, outputs["ConfigurationSetName"])
    assert eventually(lambda: message_id in events_in(aws, outputs["BucketName"]))
    s3 = aws.client("s3")
    [event, *_] = s3.list_objects_v2(Bucket=outputs["BucketName"])["Contents"]
    s3.delete_object(Bucket=outputs["BucketName"], Key=event["Key"])  # a delete marker, and an old version

    cloudformation = aws.client("cloudformation")
    buckets = jmespath.search(query, cloudformation.list_stack_resources(StackName=STACK))
    cloudformation.delete_stack(StackName=STACK)
    left = {("s3 list_buckets", bucket) for bucket in buckets}
    assert len(left) == 2
    assert eventually(lambda: _everything(aws) - before == left)
    with pytest.raises(aws.client("ses").exceptions.ConfigurationSetDoesNotExistException):
        send_mail(aws, outputs["ConfigurationSetName"])

    for name in set(os.environ) - set(aws.environment):
        monkeypatch.delenv(name)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for bucket in buckets:
        exec(program.replace("$bucket", bucket), {})
    assert _everything(aws) - before == set()
