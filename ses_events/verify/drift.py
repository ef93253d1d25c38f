"""Whether the event destinations are as the stack declares them, and the call that puts one back."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ses_events.record.names import metric_name
from ses_events.verify.account import Account
from ses_events.verify.finding import Cause
from ses_events.verify.template import Resource, Stack, Unresolved

_SETTINGS = {
    "KinesisFirehoseDestination": {"IAMRoleARN": "IamRoleArn", "DeliveryStreamARN": "DeliveryStreamArn"},
    "SnsDestination": {"TopicARN": "TopicArn"},
    "EventBridgeDestination": {"EventBusArn": "EventBusArn"},
}
"""The settings of each kind of destination, as CloudFormation and as the API v2 spells them."""


@dataclass(frozen=True)
class Declared:
    """An event destination as a stack declares it.

    :param definition: in the words of the API v2.
    :param unknown: what of it only CloudFormation knows, as placeholders in the definition.
    :param is_named: whether the template has its name; else it is the physical id.
    """

    path: str
    configuration_set: str
    name: str
    definition: Mapping[str, Any]
    unknown: tuple[str, ...] = ()
    is_named: bool = True


def declared_destinations(stack: Stack) -> Iterator[Declared]:
    """Yield the event destinations that a stack and those nested in it declare."""
    for owner, resource in stack.of_type("AWS::SES::ConfigurationSetEventDestination"):
        destination = resource.properties.get("EventDestination", {})  # empty where the template is not readable
        if "MatchingEventTypes" in destination:  # else it is an Fn::If
            yield _declared(owner, resource)


def missing(declared: Sequence[Declared], live: Sequence[str]) -> list[Declared]:
    """Return the declared event destinations that a configuration set does not have.

    :param live: the names of those that it has.
    """
    undeclared = set(live) - {each.name for each in declared}
    return [
        each
        for each in declared
        if each.name not in live
        and "EventDestinationName" not in each.unknown
        and (each.is_named or not undeclared)  # a physical id that is not a name: it may be one of the undeclared
    ]


def _declared(stack: Stack, resource: Resource) -> Declared:
    destination = resource.properties["EventDestination"]
    unknown: list[str] = []

    def known(name: str, value: Any) -> Any:
        try:
            return stack.resolve(value)
        except Unresolved:
            unknown.append(name)
            return f"<{name}>"

    def several(name: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return [known(name, each) for each in value]
        resolved = known(name, value)  # a parameter's list is text with commas
        return resolved if isinstance(resolved, list) else str(resolved).split(",")

    events = [_upper(str(event)) for event in several("MatchingEventTypes", destination["MatchingEventTypes"])]
    definition: dict[str, Any] = {"MatchingEventTypes": events}
    if "Enabled" in destination:
        definition["Enabled"] = str(known("Enabled", destination["Enabled"])).lower() == "true"
    for kind, settings in _SETTINGS.items():
        if kind in destination:
            given = destination[kind]
            values = {
                api: given.get(cfn, {"Fn::If": []}) for cfn, api in settings.items()
            }  # all of it may be an Fn::If
            definition[kind] = {api: known(api, value) for api, value in values.items()}
    if "CloudWatchDestination" in destination:
        dimensions = destination["CloudWatchDestination"].get("DimensionConfigurations", {"Fn::If": []})
        definition["CloudWatchDestination"] = {
            "DimensionConfigurations": [
                {
                    key: _upper(str(value)) if key == "DimensionValueSource" else str(value)
                    for key, value in dimension.items()
                }
                for dimension in several("DimensionConfigurations", dimensions)
                if isinstance(dimension, Mapping)
            ]
        }
    # The physical id is the name that CloudFormation gave; the local AWS has the set's name in front of it.
    name = known("EventDestinationName", destination.get("Name", resource.physical_id.rpartition("|")[2]))
    configuration_set = known("ConfigurationSetName", resource.properties["ConfigurationSetName"])
    return Declared(
        resource.path, configuration_set, name, definition, tuple(dict.fromkeys(unknown)), "Name" in destination
    )


def drift(account: Account, declared: Declared, live: Mapping[str, Any] | None) -> Cause | None:
    """How an event destination differs from what the stack declares; None where it does not.

    :param live: the destination in the words of the API v2, None where there is none.
    """
    differences = list(_differences(declared, live)) if live else []
    if live and not differences:
        return None
    if not live:
        what = "it is missing: the stack has it, the configuration set does not"
        seen = f"GetConfigurationSetEventDestinations names no {declared.name}"
    else:
        only_disabled = declared.definition.get("Enabled") and differences[0].startswith("Enabled")
        what = "it is disabled, though the stack enables it" if only_disabled else "it is not as the stack declares it"
        seen = "; ".join(differences)
    fix = "run this: a deployment of the same template says 'no changes' and leaves it as it is"
    if declared.unknown and not live:
        fix += f"; fill in {', '.join(declared.unknown)}, which verify cannot tell"
    return Cause(what, seen, fix, _command(account, declared, live))


def _differences(declared: Declared, live: Mapping[str, Any]) -> Iterator[str]:
    definition = declared.definition
    if "Enabled" in definition and "Enabled" not in declared.unknown:
        enabled = bool(live.get("Enabled", False))
        if definition["Enabled"] != enabled:
            yield f"Enabled is {str(enabled).lower()}, but the template says {str(definition['Enabled']).lower()}"
    events, wanted = ({_upper(each) for each in of["MatchingEventTypes"]} for of in (live, definition))
    if "MatchingEventTypes" not in declared.unknown and events != wanted:
        lacking, further = (", ".join(sorted(map(metric_name, each))) for each in (wanted - events, events - wanted))
        yield "; ".join(
            [*([f"it lacks the events {lacking}"] if lacking else []), *([f"it has {further}, too"] if further else [])]
        )
    for kind, settings in definition.items():
        if not kind.endswith("Destination"):
            continue
        if not live.get(kind):
            yield f"it has no {kind}, which the template declares"
        elif kind == "CloudWatchDestination":
            have, want = (
                sorted(tuple(sorted(each.items())) for each in of["DimensionConfigurations"])
                for of in (live[kind], settings)
            )
            if "DimensionConfigurations" not in declared.unknown and have != want:
                yield f"its dimensions are {_names(live[kind])}, but the template says {_names(settings)}"
        else:
            for name, value in settings.items():
                if name not in declared.unknown and live[kind].get(name) != value:
                    yield f"{name} is {live[kind].get(name)}, but the template says {value}"


def _names(settings: Mapping[str, Any]) -> str:
    dimensions = settings["DimensionConfigurations"]
    fields = ("DimensionName", "DimensionValueSource", "DefaultDimensionValue")
    return ", ".join(" ".join(str(each[name]) for name in fields) for each in dimensions)


def _command(account: Account, declared: Declared, live: Mapping[str, Any] | None) -> str:
    definition = dict(declared.definition)
    for kind, settings in definition.items():
        if live and live.get(kind) and isinstance(settings, Mapping):
            definition[kind] = {
                name: live[kind].get(name, value) if name in declared.unknown else value
                for name, value in settings.items()
            }
    if live and "MatchingEventTypes" in declared.unknown:
        definition["MatchingEventTypes"] = live["MatchingEventTypes"]
    if live and "Enabled" not in definition:
        definition["Enabled"] = bool(live.get("Enabled", False))
    return account.command(
        f"sesv2 {'update' if live else 'create'}-configuration-set-event-destination",
        f"--configuration-set-name {shlex.quote(declared.configuration_set)}",
        f"--event-destination-name {shlex.quote(declared.name)}",
        f"--event-destination {shlex.quote(json.dumps(definition, separators=(',', ':')))}",
    )


def _upper(word: str) -> str:
    """Return a word of CloudFormation as the API v2 spells it: ``RENDERING_FAILURE`` for ``renderingFailure``."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "_", word).upper()
