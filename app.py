"""The app: one SesEventsStack, set by the context keys ``ses-events:*`` (in cdk.json, or with ``cdk -c key=value``)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from cdk_nag import AwsSolutionsChecks

from ses_events import SesEventsStack
from ses_events.record.names import DIMENSION_VALUE_SOURCES, matching_event_type
from ses_events.stack import CAMPAIGN
from ses_events.validation import check, instance, one_of, option

ANALYTICS = "ses-events:analytics"
BUCKET_NAME = "ses-events:bucket-name"
CONFIGURATION_SET_NAME = "ses-events:configuration-set-name"
DIMENSION_NAME = "ses-events:dimension-name"
DIMENSION_DEFAULT_VALUE = "ses-events:dimension-default-value"
DIMENSION_SOURCE = "ses-events:dimension-source"
EVENTS = "ses-events:events"
PREFIX = "ses-events:prefix"
BUFFERING_INTERVAL = "ses-events:buffering-interval-seconds"
EXPIRATION = "ses-events:expiration-days"
MONITORING = "ses-events:monitoring"
ALARM_TOPIC_ARN = "ses-events:alarm-topic-arn"
TEXTS = (
    BUCKET_NAME,
    CONFIGURATION_SET_NAME,
    DIMENSION_NAME,
    DIMENSION_DEFAULT_VALUE,
    DIMENSION_SOURCE,
    PREFIX,
    ALARM_TOPIC_ARN,
)
SWITCHES = (ANALYTICS, MONITORING)
KEYS = (*TEXTS, *SWITCHES, EVENTS, BUFFERING_INTERVAL, EXPIRATION)

SOURCES = {word: ses.CloudWatchDimensionSource[name] for name, word in DIMENSION_VALUE_SOURCES.items()}
EVENT_TYPES = {matching_event_type(event.name): event for event in ses.EmailSendingEvent}


def ses_events_app(context: Mapping[str, Any] | None = None) -> cdk.App:
    """Return the app as the CDK CLI runs it; ``context`` is for callers without the CLI.

    :raises ValueError: when a setting is unknown or breaks a rule; a line for each, with its key.
    :raises TypeError: when a setting has a wrong type.
    """
    app = cdk.App(analytics_reporting=False, context=context)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    SesEventsStack(
        app,
        "SesEvents",
        description="Amazon SES events, kept in S3, counted in CloudWatch and queried with Athena",
        tags={"application": "ses-events"},
        **settings(app.node.get_all_context()),
    )
    return app


def settings(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of SesEventsStack; one whose key is missing or null keeps its default."""
    given = {key: value for key, value in context.items() if _is_ours(key) and value is not None}
    source = given.get(DIMENSION_SOURCE, DIMENSION_VALUE_SOURCES[CAMPAIGN.source.name])
    dimension_name = given.get(DIMENSION_NAME, CAMPAIGN.name)
    default_value = given.get(DIMENSION_DEFAULT_VALUE, CAMPAIGN.default_value)
    events = given.get(EVENTS)
    if isinstance(events, str):  # from the command line: -c ses-events:events=send,bounce
        events = [event.strip() for event in events.split(",")]
    # from the command line everything is a string
    switches = {
        key: {"true": True, "false": False}.get(str(given.get(key, True)).lower(), given.get(key)) for key in SWITCHES
    }
    check(
        "context",
        *(one_of("key", key, KEYS) for key in given),
        *(option(key, given.get(key), str, "a string") for key in TEXTS),
        *(instance(key, switch, bool, "true or false") for key, switch in switches.items()),
        option(EVENTS, events, list, "a list such as ['send', 'bounce']"),
    )
    check(
        "context",
        one_of(DIMENSION_SOURCE, source, SOURCES),
        *(one_of(EVENTS, event, list(EVENT_TYPES)) for event in events or ()),
        _whole_number(BUFFERING_INTERVAL, given),
        _whole_number(EXPIRATION, given),
    )
    interval, days = given.get(BUFFERING_INTERVAL), given.get(EXPIRATION)
    arguments = {
        "analytics": switches[ANALYTICS],
        "bucket_name": given.get(BUCKET_NAME),
        "configuration_set_name": given.get(CONFIGURATION_SET_NAME),
        "dimension": ses.CloudWatchDimension(name=dimension_name, default_value=default_value, source=SOURCES[source]),
        "events": None if events is None else [EVENT_TYPES[event] for event in events],
        "prefix": given.get(PREFIX),
        "buffering_interval": None if interval is None else cdk.Duration.seconds(int(interval)),
        "expiration": None if days is None else cdk.Duration.days(int(days)),
        "monitoring": switches[MONITORING],
        "alarm_topic_arn": given.get(ALARM_TOPIC_ARN),
    }
    return {argument: value for argument, value in arguments.items() if value is not None}


def _is_ours(key: str) -> bool:
    """Whether a key of the context is meant for this app, also where ``ses-events:`` is misspelt."""
    namespace, colon, _ = key.partition(":")
    return bool(colon) and re.sub("[^a-z]", "", namespace.lower()) == "sesevents"


def _whole_number(key: str, given: Mapping[str, Any]) -> Iterator[str]:
    if key in given and not re.fullmatch("[0-9]{1,15}", str(given[key])):
        yield f"{key} {given[key]!r} is not a whole number; use for example 60"


if __name__ == "__main__":
    try:
        ses_events_app().synth()
    except (TypeError, ValueError) as error:
        sys.exit(str(error))
