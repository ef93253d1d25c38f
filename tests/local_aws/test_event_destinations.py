from __future__ import annotations

from typing import Any

import pytest

from local_aws import LocalAws
from local_aws.demo import DOMAIN, send_mail
from tests.local_aws.deployed import eventually, refusals

ARN = "arn:aws:{}:us-east-1:000000000000:{}"


@pytest.fixture(scope="module")
def configuration_set(aws: LocalAws) -> str:
    aws.client("ses").verify_domain_identity(Domain=DOMAIN)
    aws.client("sesv2").create_configuration_set(ConfigurationSetName="refused")
    aws.client("sns").create_topic(Name="default-policy")
    return "refused"


@pytest.mark.parametrize(
    ("name", "destination", "reason"),
    [
        (
            "default-policy",
            {"SnsDestination": {"TopicArn": ARN.format("sns", "default-policy")}},
            "ses.amazonaws.com is not authorized to perform: sns:Publish on resource: "
            f"{ARN.format('sns', 'default-policy')}: its policy does not allow it",
        ),
        (
            "no-topic",
            {"SnsDestination": {"TopicArn": ARN.format("sns", "nowhere")}},
            "ses.amazonaws.com is not authorized to perform: sns:Publish on resource: "
            f"{ARN.format('sns', 'nowhere')}: it does not exist",
        ),
        (
            "other-bus",
            {"EventBridgeDestination": {"EventBusArn": ARN.format("events", "event-bus/mine")}},
            "SES publishes to the default event bus only, and not to "
            "arn:aws:events:us-east-1:000000000000:event-bus/mine",
        ),
    ],
)
def test_what_ses_cannot_publish_to_is_in_the_log_once(
    aws: LocalAws, configuration_set: str, name: str, destination: dict[str, Any], reason: str
) -> None:
    sesv2 = aws.client("sesv2")
    sesv2.create_configuration_set_event_destination(
        ConfigurationSetName=configuration_set,
        EventDestinationName=name,
        EventDestination={"Enabled": True, "MatchingEventTypes": ["SEND"], **destination},
    )
    message_id = send_mail(aws, configuration_set)
    [line] = eventually(lambda: refusals(aws, message_id))
    assert line.endswith(f"Send of {message_id} not published to {name}: {reason}")
    sesv2.delete_configuration_set_event_destination(ConfigurationSetName=configuration_set, EventDestinationName=name)
