"""An app with every kind of destination and with parts that exist already, deployed, and each permission that
SES or Firehose needs for it, taken away and given back.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from local_aws.demo import DOMAIN
from local_aws.process import ACCOUNT, REGION
from tests.local_aws.support.deployed import (
    Json,
    Queue,
    Route,
    Stream,
    app,
    deploy,
    event_destinations,
    events_in,
    eventually,
    outputs_of,
    refusals,
    ses_role,
    without_action,
)
from tests.local_aws.support.every_destination import EXISTING_BUCKET, EXISTING_SET, EveryDestination

Outputs = dict[str, str]


@pytest.fixture(scope="module")
def outputs(aws: LocalAws) -> Outputs:
    """The outputs of the stack, deployed beside a set and a bucket that were there before."""
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    aws.client("sesv2").create_configuration_set(ConfigurationSetName=EXISTING_SET)
    aws.client("s3").create_bucket(Bucket=EXISTING_BUCKET)
    stack = EveryDestination(app(), "EveryDestination")
    assert deploy(aws, stack) == []
    return outputs_of(aws, stack)


@pytest.fixture(scope="module")
def to_topic(aws: LocalAws, outputs: Outputs) -> Route:
    return Route(aws, outputs["FirstSet"], Queue(aws, outputs["TopicQueueUrl"], _event_from_sns).events)


@pytest.fixture(scope="module")
def to_secret_topic(aws: LocalAws, outputs: Outputs) -> Route:
    return Route(aws, outputs["FirstSet"], Queue(aws, outputs["SecretTopicQueueUrl"], _event_from_sns).events)


@pytest.fixture(scope="module")
def bus_queue(aws: LocalAws, outputs: Outputs) -> Queue:
    return Queue(aws, outputs["BusQueueUrl"], lambda message: message["detail"])


@pytest.fixture(scope="module")
def to_bus(aws: LocalAws, outputs: Outputs, bus_queue: Queue) -> Route:
    return Route(aws, outputs["FirstSet"], bus_queue.events)


@pytest.fixture(scope="module")
def to_secret_archive(aws: LocalAws, outputs: Outputs) -> Route:
    return Route(aws, outputs["FirstSet"], lambda: events_in(aws, outputs["SecretBucket"]))


def test_every_destination_gets_the_same_event(
    to_topic: Route, to_secret_topic: Route, to_bus: Route, to_secret_archive: Route
) -> None:
    message_id = to_topic.send(campaign="every-destination")
    routes = (to_topic, to_secret_topic, to_bus, to_secret_archive)
    assert all(route.arrives(message_id) for route in routes)
    topic, *others = [route.arrived()[message_id] for route in routes]
    assert topic["eventType"] == "Send"
    assert topic["mail"]["tags"]["campaign"] == ["every-destination"]
    assert all(event == topic for event in others)


def test_sns_needs_the_topic_policy_for_the_configuration_set(
    aws: LocalAws, outputs: Outputs, to_topic: Route, to_bus: Route
) -> None:
    with _source_arn_replaced(aws, outputs["TopicArn"], outputs["FirstSet"], "another"):
        lost = to_topic.send()
        [denial, *_] = eventually(lambda: refusals(aws, lost))  # of Send, and perhaps of Delivery already
        reason = f"ses.amazonaws.com is not authorized to perform: sns:Publish on resource: {outputs['TopicArn']}"
        assert denial.endswith(f"{reason}: its policy does not allow it")
        assert to_topic.stays_out(lost)
        assert to_bus.arrives(lost)  # the other destinations of the set are not concerned
    assert to_topic.arrives(to_topic.send())
    assert lost not in to_topic.arrived()


def test_an_encrypted_topic_needs_the_key_policy(aws: LocalAws, outputs: Outputs, to_secret_topic: Route) -> None:
    attributes = aws.client("sns").get_topic_attributes(TopicArn=outputs["SecretTopicArn"])["Attributes"]
    key = attributes["KmsMasterKeyId"]
    with _key_policy_without_ses(aws, key):
        lost = to_secret_topic.send()
        [denial, *_] = eventually(lambda: refusals(aws, lost))  # of Send, and perhaps of Delivery already
        assert f"ses.amazonaws.com is not authorized to perform: kms:GenerateDataKey on resource: {key}" in denial
        assert to_secret_topic.stays_out(lost)
    assert to_secret_topic.arrives(to_secret_topic.send())
    assert lost not in to_secret_topic.arrived()


def test_a_rule_of_the_default_bus_gets_the_event_from_ses(outputs: Outputs, to_bus: Route, bus_queue: Queue) -> None:
    message_id = to_bus.send()
    assert to_bus.arrives(message_id)
    message = bus_queue.messages[message_id]
    assert (message["source"], message["detail-type"]) == ("aws.ses", "Email Sent")
    assert (message["account"], message["region"]) == (ACCOUNT, REGION)
    assert message["resources"] == [f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{outputs['FirstSet']}"]


def test_a_set_that_exists_publishes_to_a_bucket_that_exists(aws: LocalAws, outputs: Outputs) -> None:
    existing = Route(aws, EXISTING_SET, lambda: events_in(aws, EXISTING_BUCKET))
    message_id = existing.send()
    assert existing.arrives(message_id)
    assert existing.arrived()[message_id]["mail"]["tags"]["ses:configuration-set"] == [EXISTING_SET]
    keys = [found["Key"] for found in aws.client("s3").list_objects_v2(Bucket=EXISTING_BUCKET)["Contents"]]
    assert all(key.startswith("mail/events/dt=") for key in keys)


def test_one_role_serves_several_sets(aws: LocalAws, outputs: Outputs) -> None:
    assert ses_role(aws, EXISTING_SET) == ses_role(aws, outputs["ThirdSet"])
    for configuration_set in (EXISTING_SET, outputs["ThirdSet"]):
        route = Route(aws, configuration_set, lambda: events_in(aws, EXISTING_BUCKET))
        assert route.arrives(route.send())


def test_a_bucket_with_a_key_needs_kms_generate_data_key(
    aws: LocalAws, outputs: Outputs, to_secret_archive: Route
) -> None:
    stream = Stream(aws, outputs["SecretStream"])
    assert stream.errors() == []
    with without_action(aws, stream.role, "kms:GenerateDataKey"):
        late = to_secret_archive.send()
        [denial, *_] = eventually(stream.errors)
        assert f"{stream.role}/firehose is not authorized to perform: kms:GenerateDataKey" in denial
        assert to_secret_archive.stays_out(late)
    assert to_secret_archive.arrives(to_secret_archive.send())
    assert to_secret_archive.arrives(late)  # Firehose kept it


def test_the_role_of_one_set_is_not_assumed_for_another(aws: LocalAws, outputs: Outputs) -> None:
    [destination] = event_destinations(aws, outputs["SecondSet"])
    role_of_first = ses_role(aws, outputs["FirstSet"])
    assert role_of_first != ses_role(aws, outputs["SecondSet"])
    firehose = {**destination["KinesisFirehoseDestination"], "IamRoleArn": role_of_first}
    with pytest.raises(ClientError, match=f"Could not assume IAM role <{role_of_first}>"):
        aws.client("sesv2").update_configuration_set_event_destination(
            ConfigurationSetName=outputs["SecondSet"],
            EventDestinationName=destination.pop("Name"),
            EventDestination={**destination, "KinesisFirehoseDestination": firehose},
        )


def _event_from_sns(message: Json) -> Json | None:
    text = message["Message"]
    event: Json | None = json.loads(text) if text.startswith("{") else None  # the first is no event: SES tries a topic
    return event


@contextlib.contextmanager
def _source_arn_replaced(aws: LocalAws, topic: str, configuration_set: str, other: str) -> Iterator[None]:
    """Let SES publish to the topic for another set than the deployed one."""
    sns = aws.client("sns")
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert f"configuration-set/{configuration_set}" in policy
    edited = policy.replace(f"configuration-set/{configuration_set}", f"configuration-set/{other}")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=edited)
    try:
        yield
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


@contextlib.contextmanager
def _key_policy_without_ses(aws: LocalAws, key: str) -> Iterator[None]:
    """Take the statement for SES out of the policy of a key."""
    kms = aws.client("kms")
    policy = kms.get_key_policy(KeyId=key)["Policy"]
    statements = json.loads(policy)["Statement"]
    rest = [each for each in statements if each["Principal"].get("Service") != "ses.amazonaws.com"]
    assert len(rest) == len(statements) - 1
    edited = json.dumps({**json.loads(policy), "Statement": rest})
    kms.put_key_policy(KeyId=key, Policy=edited)
    try:
        yield
    finally:
        kms.put_key_policy(KeyId=key, Policy=policy)
