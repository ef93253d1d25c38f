"""How SES publishes an event to each kind of event destination, under the permissions that are deployed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import cloudwatch, kms, sns

from local_aws import ministack_gaps
from local_aws.roles import ServicePrincipal
from local_aws.send_event import Event

log = logging.getLogger(__name__)


def publish(event: Event, destinations: list[dict[str, Any]], service: ServicePrincipal) -> None:
    """Publish a Send event to every destination that wants it; what fails is logged.

    :param destinations: event destinations in the words of the API v2.
    :param service: SES, acting for the configuration set.
    """
    message_id = event["mail"]["messageId"]
    for destination in destinations:
        if not destination["Enabled"] or "SEND" not in destination["MatchingEventTypes"]:
            continue
        for kind, deliver in _DELIVERIES.items():
            if kind not in destination:
                continue
            try:
                deliver(event, destination[kind], service)
                log.info("Send of %s published to %s", message_id, destination["Name"])
            except Exception as failure:  # one destination's failure is no reason to leave out the next
                log.error("Send of %s not published to %s: %s", message_id, destination["Name"], failure)


def _to_firehose(event: Event, settings: Mapping[str, Any], service: ServicePrincipal) -> None:
    firehose = service.assume(settings["IamRoleArn"]).client("firehose")
    answer = firehose.put_record_batch(
        DeliveryStreamName=settings["DeliveryStreamArn"].rpartition("/")[2],
        Records=[{"Data": json.dumps(event).encode() + b"\n"}],
    )
    if answer["FailedPutCount"]:
        raise RuntimeError(answer["RequestResponses"][0]["ErrorMessage"])


def _to_sns(event: Event, settings: Mapping[str, Any], service: ServicePrincipal) -> None:
    topic = settings["TopicArn"]
    policy, _ = sns.topic_policy_for_arn(topic) or (None, None)
    service.require("sns:Publish", topic, policy)
    key = ministack_gaps.key_of_topic(topic)
    if key:
        # SNS uses the key for who publishes. Of the condition keys only the account is sure to get there.
        policy, _ = kms.key_policy_for_arn(key) or (None, None)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            service.with_context("aws:SourceAccount").require(action, key, policy)
    sns.publish_internal(topic, json.dumps(event), "Amazon SES Email Event Notification")


def _to_eventbridge(event: Event, settings: Mapping[str, Any], service: ServicePrincipal) -> None:
    account = service.context["aws:SourceAccount"]
    if settings["EventBusArn"] != f"arn:aws:events:{service.region}:{account}:event-bus/default":
        raise RuntimeError(f"SES publishes to the default event bus only, and not to {settings['EventBusArn']}")
    ministack_gaps.put_event_of_aws(
        {
            "Source": "aws.ses",
            "DetailType": "Email Sent",  # a Send event (EventBridge events reference, SES)
            "Resources": [service.context["aws:SourceArn"]],
            "Detail": json.dumps(event),
        }
    )


def _to_cloudwatch(event: Event, settings: Mapping[str, Any], service: ServicePrincipal) -> None:
    dimensions = {
        dimension["DimensionName"]: _dimension_value(event, dimension)
        for dimension in settings["DimensionConfigurations"]
    }
    cloudwatch.record_metric("AWS/SES", event["eventType"], 1, "Count", dimensions)


def _dimension_value(event: Event, dimension: Mapping[str, str]) -> str:
    name, source = dimension["DimensionName"], dimension["DimensionValueSource"]
    values: list[str] = []  # of a link tag: only clicks have them
    if source == "MESSAGE_TAG":
        values = event["mail"]["tags"].get(name, [])
    elif source == "EMAIL_HEADER":
        values = [h["value"] for h in event["mail"]["headers"] if h["name"].lower() == name.lower()]
    return next(iter(values), dimension["DefaultDimensionValue"])


_DELIVERIES: dict[str, Callable[[Event, Mapping[str, Any], ServicePrincipal], None]] = {
    "KinesisFirehoseDestination": _to_firehose,
    "CloudWatchDestination": _to_cloudwatch,
    "SnsDestination": _to_sns,
    "EventBridgeDestination": _to_eventbridge,
}
"""How an event gets to each kind of event destination, by the kind's name in the API v2."""
