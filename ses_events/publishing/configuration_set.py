"""What a configuration set of the app says of itself, and what SES would refuse of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses

from ses_events.validation import one_of

if TYPE_CHECKING:
    from aws_cdk.interfaces.aws_ses import IConfigurationSetRef

_HOST = r"(?!.{254})(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})"

MAX_DELIVERY_SECONDS = range(300, 50401)
"""How long SES tries to deliver (CloudFormation schema, MaxDeliverySeconds)."""


def options_of(argument: str, value: IConfigurationSetRef) -> Iterator[str]:
    """Refuse options of a set of this app that CloudFormation does not take.

    A tracking domain is a bare host name, and an HTTPS policy needs one; delivery is tried for 300-50400 seconds; the
    other options are known words (CloudFormation schema, ConfigurationSet).
    """
    made = made_here(value)
    if made is None:
        return
    delivery, tracking, suppression = cdk.Stack.of(made).resolve(
        [made.delivery_options or {}, made.tracking_options or {}, made.suppression_options or {}]
    )
    where = f"{argument}.delivery_options"
    yield from _word(f"{where}.tls_policy", delivery.get("tlsPolicy"), "REQUIRE", "OPTIONAL")
    seconds = delivery.get("maxDeliverySeconds")
    if isinstance(seconds, int | float) and seconds not in MAX_DELIVERY_SECONDS:
        least, most = MAX_DELIVERY_SECONDS[0], MAX_DELIVERY_SECONDS[-1]
        yield f"{where}.max_delivery_seconds {seconds} is out of range; use {least}-{most} whole seconds"
    where = f"{argument}.tracking_options"
    domain, https_policy = tracking.get("customRedirectDomain"), tracking.get("httpsPolicy")
    if isinstance(domain, str) and not re.fullmatch(_HOST, domain):
        yield f"{where}.custom_redirect_domain {domain!r} is not a bare host name; use one such as 'click.example.com'"
    yield from _word(f"{where}.https_policy", https_policy, "REQUIRE", "REQUIRE_OPEN_ONLY", "OPTIONAL")
    if https_policy is not None and domain is None:
        yield f"{where}.https_policy needs custom_redirect_domain, which it is about; give both or none"
    reasons = suppression.get("suppressedReasons")
    for position, reason in enumerate(reasons if isinstance(reasons, list) else []):
        where = f"{argument}.suppression_options.suppressed_reasons[{position}]"
        yield from _word(where, reason, "BOUNCE", "COMPLAINT")


def _word(argument: str, value: Any, *known: str) -> Iterator[str]:
    """One of the words of CloudFormation; what is known at deployment only is resolved to a dictionary, and passes."""
    if isinstance(value, str):
        yield from one_of(argument, value, known)


def made_here(value: IConfigurationSetRef) -> ses.CfnConfigurationSet | None:
    """Return the resource of a set of this app; None of an imported set."""
    made = value if isinstance(value, ses.CfnConfigurationSet) else value.node.default_child
    return made if isinstance(made, ses.CfnConfigurationSet) else None
