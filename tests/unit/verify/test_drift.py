from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from ses_events.verify.account import Account
from ses_events.verify.plan import Mail, check_of
from ses_events.verify.system import System, read_system
from tests.unit.verify.conftest import Stub, stack_is

SET = ("AWS::SES::ConfigurationSet", "set")
EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:topic"
LIVE = {
    "Name": "alerts",
    "Enabled": True,
    "MatchingEventTypes": ["BOUNCE", "RENDERING_FAILURE"],
    "SnsDestination": {"TopicArn": TOPIC},
}
DECLARED = {
    "Name": "alerts",
    "Enabled": True,
    "MatchingEventTypes": ["bounce", "renderingFailure"],
    "SnsDestination": {"TopicARN": TOPIC},
}


def _system(
    account: Account,
    stub: Stub,
    declared: dict[str, Any],
    *live: dict[str, Any],
    physical_id: str = "alerts",
    parameters: dict[str, str] | None = None,
) -> System:
    properties = {"ConfigurationSetName": {"Ref": "Id"}, "EventDestination": declared}
    template = {"Id1": {"Properties": properties, "Metadata": {"aws:cdk:path": "Mail/Alerts/Resource"}}}
    stack_is(stub, SET, (EVENT_DESTINATION, physical_id), template=template, parameters=parameters)
    stub("sesv2").add_response("get_configuration_set_event_destinations", {"EventDestinations": list(live)})
    return read_system(account, "Mail", None)


def _status(system: System) -> str:
    mail = Mail("bounce", "a@a.example", "b@b.example", {}, {})
    [check] = [check_of(each, mail) for each in system.destinations]
    return check.status


def test_a_destination_that_is_as_declared_has_no_drift(account: Account, stub: Stub) -> None:
    system = _system(account, stub, DECLARED, LIVE)
    assert [each.drift for each in system.destinations] == [None]


@pytest.mark.parametrize(
    ("live", "what", "seen", "operation"),
    [
        ((), "it is missing", "names no alerts", "create"),
        (({**LIVE, "Enabled": False},), "it is disabled", "Enabled is false, but the template says true", "update"),
        (
            ({**LIVE, "MatchingEventTypes": ["BOUNCE", "SEND"]},),
            "it is not as the stack declares it",
            "it lacks the events RenderingFailure; it has Send, too",
            "update",
        ),
        (
            ({**LIVE, "SnsDestination": {"TopicArn": f"{TOPIC}2"}},),
            "it is not as the stack declares it",
            f"TopicArn is {TOPIC}2, but the template says {TOPIC}",
            "update",
        ),
    ],
)
def test_what_was_changed_by_hand_is_not_proven_and_the_call_puts_it_back(
    live: tuple[dict[str, Any], ...], what: str, seen: str, operation: str, account: Account, stub: Stub
) -> None:
    system = _system(account, stub, DECLARED, *live)
    [drift] = [each.drift for each in system.destinations]
    assert drift and what in drift.what and seen in drift.seen
    assert _status(system) == "not proven"
    words = shlex.split(drift.paste)
    assert words[:3] == ["aws", "sesv2", f"{operation}-configuration-set-event-destination"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert (given["--configuration-set-name"], given["--event-destination-name"]) == ("set", "alerts")
    assert json.loads(given["--event-destination"]) == {key: LIVE[key] for key in LIVE if key != "Name"}


def test_a_destination_that_the_template_disables_is_not_checked(account: Account, stub: Stub) -> None:
    system = _system(account, stub, {**DECLARED, "Enabled": False}, {**LIVE, "Enabled": False})
    assert _status(system) == "not checked"


@pytest.mark.parametrize(
    "unknown",
    [
        {"Enabled": {"Fn::If": ["Live", True, False]}},
        {"MatchingEventTypes": [{"Fn::If": ["Live", "send", "open"]}]},
        {"SnsDestination": {"TopicARN": {"Fn::ImportValue": "Topic"}}},
        {"SnsDestination": {"Fn::If": ["Live", {"TopicARN": TOPIC}, {"TopicARN": f"{TOPIC}2"}]}},
    ],
)
def test_what_only_cloudformation_knows_is_not_compared(unknown: dict[str, Any], account: Account, stub: Stub) -> None:
    system = _system(account, stub, {**DECLARED, **unknown}, LIVE)
    assert [each.drift for each in system.destinations] == [None]


def test_a_name_that_only_cloudformation_knows_is_not_missed(account: Account, stub: Stub) -> None:
    system = _system(account, stub, {**DECLARED, "Name": {"Fn::If": ["Live", "alerts", "other"]}}, LIVE)
    assert [(each.name, each.drift) for each in system.destinations] == [("alerts", None)]


def test_the_events_may_be_a_parameter(account: Account, stub: Stub) -> None:
    declared = {**DECLARED, "MatchingEventTypes": {"Ref": "Events"}}
    system = _system(account, stub, declared, LIVE, parameters={"Events": "bounce,renderingFailure"})
    assert [each.drift for each in system.destinations] == [None]


def test_a_destination_without_a_name_has_that_of_its_physical_id(account: Account, stub: Stub) -> None:
    unnamed = {key: value for key, value in DECLARED.items() if key != "Name"}
    system = _system(account, stub, unnamed, {**LIVE, "Enabled": False}, physical_id="set|alerts")
    [drift] = [each.drift for each in system.destinations]
    assert drift and drift.what.startswith("it is disabled")


def test_a_physical_id_that_is_no_name_misses_nothing_while_it_may_be_another(account: Account, stub: Stub) -> None:
    unnamed = {key: value for key, value in DECLARED.items() if key != "Name"}
    system = _system(account, stub, unnamed, LIVE, physical_id="Id")
    assert [(each.name, each.drift) for each in system.destinations] == [("alerts", None)]
