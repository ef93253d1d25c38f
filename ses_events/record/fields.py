"""The record SES publishes for an event, described once: the columns of its table, their JSON keys, and a checker.

The names are those of JSON, with their case; a name that ends in ``?`` may be absent or null (SES developer guide,
contents of event data and examples of event data that Amazon SES publishes to Firehose; for ``isBotEvent`` and
``remoteMtaIp`` the pages about SNS).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import GenericAlias
from typing import Any, TypeAlias

_Type: TypeAlias = "type | GenericAlias | list[_Type] | dict[str, _Type]"
"""A scalar, a map, a list of one type, or an object."""

# Names of tags keep their case and are anything the sender likes: never a struct, which would have to name them all.
_TAGS = dict[str, list[str]]

_MAIL: dict[str, _Type] = {
    "timestamp": str,
    "messageId": str,
    "source?": str,
    "sourceArn?": str,
    "sendingAccountId?": str,
    "destination": [str],
    "headersTruncated?": bool,
    "headers?": [{"name": str, "value": str}],
    "commonHeaders?": {
        "from?": [str],
        "sender?": [str],
        "replyTo?": [str],
        "returnPath?": str,
        "to?": [str],
        "cc?": [str],
        "bcc?": [str],
        "date?": str,
        "messageId?": str,
        "subject?": str,
    },
    "tags?": _TAGS,
}

_PREFERENCES: dict[str, _Type] = {
    "unsubscribeAll?": bool,
    "topicSubscriptionStatus?": [{"topicName": str, "subscriptionStatus": str}],
}

_EVENTS: dict[str, tuple[str, dict[str, _Type]]] = {
    "Send": ("send", {}),
    "Delivery": (
        "delivery",
        {
            "timestamp": str,
            "processingTimeMillis": int,
            "recipients": [str],
            "smtpResponse": str,
            "reportingMTA": str,
            "remoteMtaIp?": str,
        },
    ),
    "Bounce": (
        "bounce",
        {
            "bounceType": str,
            "bounceSubType": str,
            "bouncedRecipients": [{"emailAddress": str, "action?": str, "status?": str, "diagnosticCode?": str}],
            "timestamp": str,
            "feedbackId": str,
            "reportingMTA?": str,
            "remoteMtaIp?": str,
        },
    ),
    "Complaint": (
        "complaint",
        {
            "complainedRecipients": [{"emailAddress": str}],
            "timestamp": str,
            "feedbackId": str,
            "complaintSubType?": str,
            "userAgent?": str,
            "complaintFeedbackType?": str,
            "arrivalDate?": str,
        },
    ),
    "Reject": ("reject", {"reason": str}),
    "Open": ("open", {"ipAddress": str, "timestamp": str, "userAgent": str, "isBotEvent?": str}),
    "Click": (
        "click",
        {
            "ipAddress": str,
            "timestamp": str,
            "userAgent": str,
            "link": str,
            "linkTags?": _TAGS,
            "isBotEvent?": str,
        },
    ),
    "Rendering Failure": ("failure", {"templateName": str, "errorMessage": str}),
    "DeliveryDelay": (
        "deliveryDelay",
        {
            "delayType": str,
            "delayedRecipients": [{"emailAddress": str, "status?": str, "diagnosticCode?": str}],
            "expirationTime": str,
            "timestamp": str,
            "reportingMTA?": str,
        },
    ),
    "Subscription": (
        "subscription",
        {
            "contactList": str,
            "timestamp": str,
            "source": str,
            "newTopicPreferences?": _PREFERENCES,
            "oldTopicPreferences?": _PREFERENCES,
        },
    ),
}
"""For each eventType, the name of its object and what that object has."""

# `send` is always {}, and Hive has no struct without fields: it is no column. eventtype says what it would say.
_RECORD: dict[str, _Type] = {"eventType": str, "mail": _MAIL, **{name: of for name, of in _EVENTS.values() if of}}

_HIVE: dict[type | GenericAlias, str] = {
    str: "string",
    int: "bigint",
    bool: "boolean",
    _TAGS: "map<string,array<string>>",
}


def problems(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what about a record differs from the description, a line each.

    That is a field that the description lacks, among them the object of another event; a missing field; a wrong type;
    an unknown eventType. For tests, and for whoever writes records. SES adds fields without notice, so a reader is not
    to refuse them.
    """
    event = record.get("eventType") if isinstance(record, Mapping) else None
    if isinstance(event, str) and event in _EVENTS:
        name, of = _EVENTS[event]
        yield from _differences("", record, {"eventType": str, "mail": _MAIL, name: of})
    elif isinstance(record, Mapping):
        yield f"eventType {event!r} is none of {', '.join(_EVENTS)}"
    else:
        yield f"the record {record!r} is of type {type(record).__name__}, not an object"


def _differences(path: str, value: object, of: _Type) -> Iterator[str]:
    if isinstance(of, dict) and isinstance(value, Mapping):
        fields = {name.rstrip("?"): name for name in of}
        at = f"{path}." if path else ""
        for unknown in value.keys() - fields.keys():
            yield f"{at}{unknown} is not described"
        for field, name in fields.items():
            if value.get(field) is not None:
                yield from _differences(f"{at}{field}", value[field], of[name])
            elif field == name:
                yield f"{at}{field} is missing"
    elif isinstance(of, list) and isinstance(value, list):
        for position, element in enumerate(value):
            yield from _differences(f"{path}[{position}]", element, of[0])
    elif of is _TAGS and isinstance(value, Mapping):
        for key, values in value.items():
            yield from _differences(f"{path}[{key!r}]", values, [str])
    elif type(value) is not of:
        expected = "an object" if isinstance(of, dict) else "a list" if isinstance(of, list) else _HIVE[of]
        yield f"{path} {value!r} is of type {type(value).__name__}, not {expected}"


def _hive(of: _Type) -> str:
    if isinstance(of, dict):
        return f"struct<{','.join(f'{_column(name)}:{_hive(inner)}' for name, inner in of.items())}>"
    if isinstance(of, list):
        return f"array<{_hive(of[0])}>"
    return _HIVE[of]


def _column(name: str) -> str:
    return name.rstrip("?").lower()


def _keys(of: _Type) -> Iterator[str]:
    """Yield the names in a type and in all that it holds."""
    if isinstance(of, list):
        yield from _keys(of[0])
    elif isinstance(of, dict):
        for name, inner in of.items():
            yield name.rstrip("?")
            yield from _keys(inner)


COLUMNS: dict[str, str] = {_column(name): _hive(of) for name, of in _RECORD.items()}
"""The columns of the table, in order, as Glue has them: the name, in lower case, and the Hive type.

Without the partition ``dt``, and without ``send``, which has no fields.
"""

TIMESTAMPS: list[str] = [
    *(f"{_column(name)}.timestamp" for name, of in _EVENTS.values() if "timestamp" in of),
    "mail.timestamp",
]
"""The columns with the time of an event: that of its object where it has one, else that of its mail."""

JSON_KEYS: dict[str, str] = {key.lower(): key for key in _keys(_RECORD) if key != key.lower()}
"""The JSON key of every name in ``COLUMNS`` whose key has capitals: the ColumnToJsonKeyMappings of the OpenX SerDe.

A mapping holds at every depth (OpenX-JSON-SerDe, mapping.*), so each name has one key in the whole record.
"""
