"""How SES publishes an event to each kind of event destination, under the permissions that are deployed."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.iam.principals import AccessDenied, ServicePrincipal
from local_aws.ministack import delivery_streams, event_bus, keys, metrics, requests, topics
from local_aws.ses.records import EVENT_TYPES, AcceptedMail, Event
from ses_events.record.names import detail_type

log = logging.getLogger(__name__)

Settings = Mapping[str, Any]

_FIREHOSE = "KinesisFirehoseDestination"
_MOST_RECORDS = 200  # of at most 10 kB of headers: half of what a request takes, 500 records and 4 MiB
_SNS_SUBJECT = "Amazon SES Email Event Notification"
_ARNS = {
    "IamRoleArn": re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+"),
    "DeliveryStreamArn": re.compile(r"arn:[\w-]+:firehose:[\w-]+:\d{12}:deliverystream/[\w.-]+"),
    "TopicArn": re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+"),
}
_MOST_DIMENSIONS = 10
_RESERVED_HEADERS = ("received", "to", "from", "dkim-signature", "cc", "message-id", "return-path")
_DIMENSION_NAME = re.compile(r"[A-Za-z0-9_:-]{1,256}")  # SES API v1, CloudWatchDimensionConfiguration, as the value
_DIMENSION_VALUE = re.compile(r"[A-Za-z0-9_@.-]{1,256}")


@dataclass(frozen=True)
class Waiting:
    """Events of a mail, to be published.

    :param destinations: event destinations in the words of the API v2.
    :param service: SES, acting for the configuration set.
    """

    mail: AcceptedMail
    events: Iterable[Event]
    destinations: Iterable[Settings]
    service: ServicePrincipal


@dataclass(frozen=True)
class _Publication:
    """An event on its way to an event destination."""

    event: Event
    destination: Settings
    kind: str
    service: ServicePrincipal

    @property
    def settings(self) -> Settings:
        settings: Settings = self.destination[self.kind]
        return settings

    def end(self, failure: object = None) -> None:
        """Log what came of it."""
        mail = self.event["mail"]
        [configuration_set] = mail["tags"]["ses:configuration-set"]
        what = f"{self.event['eventType']} of {mail['messageId']}"
        where = f"{self.destination['Name']} of {configuration_set} ({self.kind.removesuffix('Destination')})"
        if failure is None:
            log.info("%s published to %s", what, where)
        else:
            log.error("%s not published to %s: %s", what, where, failure)


def publish(waiting: Iterable[Waiting]) -> None:
    """Publish events to every destination that wants them; what comes of it is logged.

    Records for one delivery stream, from one configuration set with one role, go in one request.
    """
    batches: dict[tuple[str, ...], list[_Publication]] = {}
    for each in waiting:
        try:
            with requests.as_if_asked(each.mail.account, each.mail.region):
                for publication in _publications(each):
                    if publication.kind == _FIREHOSE:
                        settings = publication.settings
                        arn = each.service.context["aws:SourceArn"]
                        key = arn, settings["IamRoleArn"], settings["DeliveryStreamArn"]
                        batches.setdefault(key, []).append(publication)
                    else:
                        _deliver(publication)
        except Exception:  # one mail's failure is no reason to leave out the next
            log.exception("events of %s not published", each.mail.message_id)
    for batch in batches.values():
        for start in range(0, len(batch), _MOST_RECORDS):
            _put_record_batch(batch[start : start + _MOST_RECORDS])


def _deliver(publication: _Publication) -> None:
    try:
        _DELIVERIES[publication.kind](publication.event, publication.settings, publication.service)
        publication.end()
    except Exception as failure:  # one destination's failure is no reason to leave out the next
        publication.end(failure)


def _publications(waiting: Waiting) -> Iterator[_Publication]:
    for event in waiting.events:
        for destination in waiting.destinations:
            if destination["Enabled"] and EVENT_TYPES[event["eventType"]] in destination["MatchingEventTypes"]:
                for kind in _KINDS:
                    if kind in destination:
                        yield _Publication(event, destination, kind, waiting.service)


def refusal(configuration_set: str, name: str, destination: Settings, service: ServicePrincipal) -> str | None:
    """Why SES refuses to create or to change an event destination, in its words; the reason behind is logged."""
    for kind, check in _CHECKS.items():
        if destination.get(kind):
            try:
                _require_arns(destination[kind])
                check(destination[kind], service)
            except _Refused as refused:
                log.error("%s of %s not created: %s: %s", name, configuration_set, refused, refused.__cause__)
                return str(refused)
    return None


class _Refused(Exception):
    """An event destination was tried, in vain."""


def _require_arns(settings: Settings) -> None:
    for name, form in _ARNS.items():
        if name in settings and not form.fullmatch(settings[name]):
            raise _Refused(f"{name} is no valid ARN: <{settings[name]}>.")


def _check_dimensions(settings: Settings, service: ServicePrincipal) -> None:
    dimensions = settings.get("DimensionConfigurations") or []
    names = [str(dimension.get("DimensionName")) for dimension in dimensions]
    if len(names) > _MOST_DIMENSIONS:
        raise _Refused(f"A CloudWatch destination cannot have more than {_MOST_DIMENSIONS} dimensions.")
    for dimension, name in zip(dimensions, names, strict=True):
        default = str(dimension.get("DefaultDimensionValue"))
        for what, value, form in (("name", name, _DIMENSION_NAME), ("default value", default, _DIMENSION_VALUE)):
            if not form.fullmatch(value):
                raise _Refused(f"Dimension {what} <{value}> does not match {form.pattern}.")
        if names.count(name) > 1:
            raise _Refused(f"Dimension name <{name}> is not unique.")
        if dimension["DimensionValueSource"] == "EMAIL_HEADER" and name.lower() in _RESERVED_HEADERS:
            raise _Refused(f"Email header <{name}> cannot be a dimension.")


def _try_firehose(settings: Settings, service: ServicePrincipal) -> None:
    role, stream = settings["IamRoleArn"], settings["DeliveryStreamArn"]
    try:
        session = service.assume(role)
    except AccessDenied as denied:
        raise _Refused(f"Could not assume IAM role <{role}>.") from denied
    try:
        session.require("firehose:PutRecordBatch", stream, {})
        if not delivery_streams.is_active(stream):
            raise AccessDenied(f"{stream} is not there, or not yet active")
    except AccessDenied as denied:
        raise _Refused(f"Could not access Kinesis Firehose Stream <{stream}> using IAM role <{role}>.") from denied


def _try_sns(settings: Settings, service: ServicePrincipal) -> None:
    topic = settings["TopicArn"]
    try:
        _require_sns(topic, service)
    except AccessDenied as denied:
        raise _Refused(f"Could not publish to SNS topic <{topic}>.") from denied
    topics.publish_to_topic(topic, "Successfully validated SNS topic for Amazon SES event publishing.", _SNS_SUBJECT)


def _try_eventbridge(settings: Settings, service: ServicePrincipal) -> None:
    bus = settings["EventBusArn"]
    if bus != f"arn:aws:events:{service.region}:{service.context['aws:SourceAccount']}:event-bus/default":
        raise _Refused(f"Only the default event bus is supported, not <{bus}>.")


_CHECKS: dict[str, Callable[[Settings, ServicePrincipal], None]] = {
    "CloudWatchDestination": _check_dimensions,
    _FIREHOSE: _try_firehose,
    "SnsDestination": _try_sns,
    "EventBridgeDestination": _try_eventbridge,
}
"""What SES tries with each kind of event destination before it takes one."""


def _put_record_batch(batch: Sequence[_Publication]) -> None:
    """Put events into a delivery stream; SES is not known to try again with those that it turns away."""
    service, settings = batch[0].service, batch[0].settings
    try:
        answer = (
            service.assume(settings["IamRoleArn"])
            .client("firehose")
            .put_record_batch(
                DeliveryStreamName=settings["DeliveryStreamArn"].rpartition("/")[2],
                Records=[{"Data": json.dumps(publication.event).encode() + b"\n"} for publication in batch],
            )
        )
    except Exception as failure:  # whatever it is, nothing of the batch has arrived
        for publication in batch:
            publication.end(failure)
        return
    for publication, response in zip(batch, answer["RequestResponses"], strict=True):
        publication.end(response.get("ErrorMessage"))


def _to_sns(event: Event, settings: Settings, service: ServicePrincipal) -> None:
    _require_sns(settings["TopicArn"], service)
    topics.publish_to_topic(settings["TopicArn"], json.dumps(event), _SNS_SUBJECT)


def _require_sns(topic: str, service: ServicePrincipal) -> None:
    service.require("sns:Publish", topic, topics.policy_of_topic(topic))
    key = topics.key_of_topic(topic)
    if key:
        # SNS uses the key for who publishes. Of the condition keys only the account is sure to get there.
        policy = keys.policy_of_key(key)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            service.with_context("aws:SourceAccount").require(action, key, policy)


def _to_eventbridge(event: Event, settings: Settings, service: ServicePrincipal) -> None:
    event_bus.put_event_of_aws(
        {
            "Source": "aws.ses",
            "DetailType": detail_type(event["eventType"]),
            "Resources": [service.context["aws:SourceArn"]],
            "Detail": json.dumps(event),
        }
    )


def _to_cloudwatch(event: Event, settings: Settings, service: ServicePrincipal) -> None:
    dimensions = {
        dimension["DimensionName"]: _dimension_value(event, dimension)
        for dimension in settings["DimensionConfigurations"]
    }
    name, account = event["eventType"].replace(" ", ""), service.context["aws:SourceAccount"]
    metrics.record_metric("AWS/SES", name, 1, "Count", dimensions, account, service.region)


def _dimension_value(event: Event, dimension: Mapping[str, str]) -> str:
    """The first value of a dimension that an event has, or the default one.

    Headers and link tags may say anything. AWS documents what a value may be, letters and digits and ``_-@.`` up to
    256, but not what comes of another: here it is dropped, and the event counts under the default value.
    """
    name, source = dimension["DimensionName"], dimension["DimensionValueSource"]
    values: list[str] = []
    if source == "MESSAGE_TAG":
        values = event["mail"]["tags"].get(name, [])
    elif source == "EMAIL_HEADER":
        headers = event["mail"].get("headers", [])
        values = [header["value"] for header in headers if header["name"].lower() == name.lower()]
    elif source == "LINK_TAG":  # only clicks have them
        values = (event.get("click", {}).get("linkTags") or {}).get(name, [])
    if source != "MESSAGE_TAG":  # those were checked when the mail was accepted
        values = [value for value in values if _DIMENSION_VALUE.fullmatch(value)]
    return next(iter(values), dimension["DefaultDimensionValue"])


_DELIVERIES: dict[str, Callable[[Event, Settings, ServicePrincipal], None]] = {
    "CloudWatchDestination": _to_cloudwatch,
    "SnsDestination": _to_sns,
    "EventBridgeDestination": _to_eventbridge,
}
"""How an event gets to each kind of event destination but Firehose, by the kind's name in the API v2."""
_KINDS = (_FIREHOSE, *_DELIVERIES)
