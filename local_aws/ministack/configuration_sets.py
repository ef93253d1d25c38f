"""Configuration sets, which both versions of the SES API know here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ministack.services import ses, ses_v2

from local_aws.ministack.provisioning import Provisioner, handlers_of
from local_aws.ministack.ses_api import error_v2


def install() -> None:
    """Let both versions of the API know each configuration set; in MiniStack each knows its own only.

    MiniStack's CloudFormation takes over a set that already exists, and deletes it afterwards: now it refuses.
    """
    ses_v2._create_config_set = _with_name_of_v1(ses_v2._create_config_set)
    ses._configuration_sets = ses_v2._config_sets
    handlers = handlers_of("AWS::SES::ConfigurationSet")
    handlers["create"] = _unless_it_exists(handlers["create"])


def take_event_types(names: Iterable[str]) -> None:
    """Let event destinations match these events, in the words of the API v2; MiniStack may not know a new one."""
    ses_v2._EVENT_TYPES = tuple(names)


def check_event_destinations(refusal: Callable[[str, str, Mapping[str, Any]], str | None]) -> None:
    """Ask ``refusal(configuration set, name, event destination)`` before one is created or changed.

    MiniStack itself takes any, by the API v2 as by CloudFormation.
    """
    put = ses_v2._put_event_destination

    def checked(configuration_set: str, name: str, definition: Any, *, create: bool) -> Any:
        record = ses_v2._config_sets.get(configuration_set)
        if record is not None and isinstance(definition, dict):
            # CloudFormation touches what is the same only here.
            same = ses_v2._event_destination(definition)[0] == record.get("EventDestinations", {}).get(name)
            message = None if same else refusal(configuration_set, name, definition)
            if message:
                return error_v2("BadRequestException", message)
        return put(configuration_set, name, definition, create=create)

    ses_v2._put_event_destination = checked


def configuration_set(name: str) -> Any:
    """Return a configuration set, with its options in the words of the API v2, or None."""
    return ses_v2._config_sets.get(name)


def event_destinations(name: str) -> list[dict[str, Any]]:
    """Return the event destinations of a configuration set, in the words of the API v2."""
    destinations = (configuration_set(name) or {}).get("EventDestinations", {})
    return [{"Name": name, **destination} for name, destination in destinations.items()]


def _unless_it_exists(create: Provisioner) -> Provisioner:
    def create_configuration_set(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = properties.get("Name")
        if name and configuration_set(name) is not None:
            raise ValueError(f"Resource of type 'AWS::SES::ConfigurationSet' with identifier '{name}' already exists.")
        return create(logical_id, properties, stack)

    return create_configuration_set


def _with_name_of_v1(create: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def create_configuration_set(name: str, options: dict[str, Any]) -> dict[str, Any]:
        record = create(name, options)
        record["Name"] = name
        return record

    return create_configuration_set
