"""The event destinations of a configuration set by the query protocol; MiniStack knows them by the API v2 alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack.services import ses_v2

from local_aws.ministack import configuration_sets, ses_api
from local_aws.ministack.requests import Response
from local_aws.ministack.ses_api import Handler

_TO_V2 = {
    "SNSDestination": "SnsDestination",
    "TopicARN": "TopicArn",
    "IAMRoleARN": "IamRoleArn",
    "DeliveryStreamARN": "DeliveryStreamArn",
}
_TO_V1 = {word: of_v1 for of_v1, word in _TO_V2.items()}
_ENUMS = ("MatchingEventTypes", "DimensionValueSource")
_INVALID = {
    "KinesisFirehoseDestination": "InvalidFirehoseDestination",
    "CloudWatchDestination": "InvalidCloudWatchDestination",
    "SnsDestination": "InvalidSNSDestination",
}
"""The destinations that this API knows, and how it refuses each."""


def install() -> None:
    """Answer the calls of the query protocol that make, change, delete and describe event destinations."""
    ses_api.extend_v1(_with_event_destinations)


def _with_event_destinations(handle: Handler) -> Handler:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action, configuration_set = form.get("Action", ""), form.get("ConfigurationSetName", "")
        if action == "DescribeConfigurationSet" and "eventDestinations" in form.values():
            status, described, content = await handle(method, path, headers, body, query)
            end = b"</DescribeConfigurationSetResult>"
            return status, described, content.replace(end, _described(configuration_set) + end)
        if not re.fullmatch("(Create|Update|Delete)ConfigurationSetEventDestination", action):
            return await handle(method, path, headers, body, query)
        try:
            destination = _to_v2("", _tree(form).get("EventDestination", {}))
            name = form.get("EventDestinationName") or destination.pop("Name", "")
        except (AttributeError, TypeError, ValueError):  # a list or a text where an object belongs
            return ses_api.error_v1("InvalidParameterValue", "The request cannot be read.")
        of_v2, there = {"C": ("POST", ""), "U": ("PUT", f"/{name}"), "D": ("DELETE", f"/{name}")}[action[0]]
        there = f"/v2/email/configuration-sets/{configuration_set}/event-destinations{there}"
        request = {"EventDestinationName": name, "EventDestination": destination}
        answer = await ses_v2.handle_request(of_v2, there, headers, json.dumps(request).encode(), {})
        return _answer(action, configuration_set, answer, destination)

    return handle_request


def _answer(action: str, configuration_set: str, of_v2: Response, destination: Mapping[str, Any]) -> Response:
    """Return what the query protocol answers where the API v2 answers this."""
    if of_v2[0] == 200:
        return ses_api.answer_v1(action, f"<{action}Result/>")
    message = json.loads(of_v2[2]).get("message", "")
    if of_v2[0] == 404:
        there = configuration_sets.configuration_set(configuration_set) is not None
        code = "EventDestinationDoesNotExist" if there else "ConfigurationSetDoesNotExist"
    elif "already exists" in message:
        code = "EventDestinationAlreadyExists"
    else:
        code = next((_INVALID[kind] for kind in _INVALID if kind in destination), "InvalidParameterValue")
    return ses_api.error_v1(code, message)


def _described(configuration_set: str) -> bytes:
    known = [
        destination
        for destination in configuration_sets.event_destinations(configuration_set)
        if not destination.keys().isdisjoint(_INVALID)
    ]
    return f"<EventDestinations>{_to_xml('', known)}</EventDestinations>".encode()


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    """Return a form as objects, by the dots in its names."""
    tree: dict[str, Any] = {}
    for name, value in form.items():
        *above, last = name.split(".")
        node = tree
        for each in above:
            node = node.setdefault(each, {})
        node[last] = value
    return tree


def _to_v2(name: str, value: Any) -> Any:
    match value:
        case {"member": members}:
            return [_to_v2(name, members[number]) for number in sorted(members, key=int)]
        case dict():
            return {_TO_V2.get(word, word): _to_v2(word, each) for word, each in value.items()}
    if name in _ENUMS:
        return re.sub("(?=[A-Z])", "_", value).upper()
    return value == "true" if name == "Enabled" else value


def _to_xml(name: str, value: Any) -> str:
    match value:
        case list():
            return "".join(f"<member>{_to_xml(name, each)}</member>" for each in value)
        case dict():
            words = {_TO_V1.get(word, word): _to_xml(word, each) for word, each in value.items()}
            return "".join(f"<{word}>{each}</{word}>" for word, each in words.items())
        case bool():
            return str(value).lower()
    if name in _ENUMS:
        first, *others = str(value).lower().split("_")
        return first + "".join(map(str.capitalize, others))
    return escape(str(value))
