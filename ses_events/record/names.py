"""The names of SES's events, which AWS spells in several ways; the one place that knows how. Needs no CDK."""

from __future__ import annotations


def metric_name(event: str) -> str:
    """An event as CloudWatch names its metric.

    The API v2 and CDK write ``RENDERING_FAILURE``, an event record ``Rendering Failure`` (and ``DeliveryDelay``), the
    metric is ``RenderingFailure``. RenderingFailure, DeliveryDelay and Subscription follow the SES developer guide of
    today; it has spelled the first one with a space before.

    :param event: the event as the API v2, CDK, or the ``eventType`` of a record spells it.
    """
    words = event.replace("_", " ").split()
    return "".join(word.capitalize() if word.isupper() else word for word in words)
