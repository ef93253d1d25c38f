"""The names of SES's events, which AWS spells in several ways; the one place that knows how. Needs no CDK."""

from __future__ import annotations

_DETAIL_TYPES = {
    "Send": "Email Sent",
    "Reject": "Email Rejected",
    "Bounce": "Email Bounced",
    "Complaint": "Email Complaint Received",
    "Delivery": "Email Delivered",
    "Open": "Email Opened",
    "Click": "Email Clicked",
    "RenderingFailure": "Email Rendering Failed",
    "DeliveryDelay": "Email Delivery Delayed",
    "Subscription": "Email Subscribed",
}
"""What EventBridge calls each event, by the name of its metric (EventBridge events reference, Amazon SES)."""

COUNTED_AGAINST = {
    "BOUNCE": "SEND",
    "REJECT": "SEND",
    "DELIVERY": "SEND",
    "DELIVERY_DELAY": "SEND",
    "COMPLAINT": "DELIVERY",
    "OPEN": "DELIVERY",
    "CLICK": "DELIVERY",
}
"""What the rate of an event is a share of; both as CDK spells them."""

DIMENSION_VALUE_SOURCES = {"MESSAGE_TAG": "messageTag", "EMAIL_HEADER": "emailHeader", "LINK_TAG": "linkTag"}
"""Each source of a dimension's value, as CDK and as CloudFormation spells it."""


def metric_name(event: str) -> str:
    """Return an event as CloudWatch names its metric.

    The API v2 and CDK write ``RENDERING_FAILURE``, an event record ``Rendering Failure`` (and ``DeliveryDelay``), the
    metric is ``RenderingFailure``. RenderingFailure, DeliveryDelay and Subscription follow the SES developer guide of
    today; it has spelled the first one with a space before.

    :param event: the event as the API v2, CDK, or the ``eventType`` of a record spells it.
    """
    words = event.replace("_", " ").split()
    return "".join(word.capitalize() if word.isupper() else word for word in words)


def detail_type(event: str) -> str | None:
    """Return an event as EventBridge names it in ``detail-type``; None for one that is too new to be known here.

    :param event: the event as the API v2, CDK, or the ``eventType`` of a record spells it.
    """
    return _DETAIL_TYPES.get(metric_name(event))


def matching_event_type(event: str) -> str:
    """Return an event as CloudFormation spells it: ``renderingFailure``.

    Its schema has no list: a typo fails at deployment.

    :param event: the event as the API v2 or CDK spells it.
    """
    name = metric_name(event)
    return name[0].lower() + name[1:]
