from __future__ import annotations

from typing import Any

import pytest

from ses_events.verify.account import Account, UsageError
from ses_events.verify.report import Terminal
from ses_events.verify.system import System, read_system
from tests.unit.verify.conftest import Stub, stack_is

SET = "AWS::SES::ConfigurationSet"
STACK = "AWS::CloudFormation::Stack"
EVENT_DESTINATION = "AWS::SES::ConfigurationSetEventDestination"
STREAM = "AWS::KinesisFirehose::DeliveryStream"
NESTED = "arn:aws:cloudformation:eu-west-1:111122223333:stack/Mail-Nested/1"
ROLE = "arn:aws:iam::111122223333:role/Ses"


def _arn(stream: str) -> str:
    return f"arn:aws:firehose:eu-west-1:111122223333:deliverystream/{stream}"


def _resource(path: str, **properties: Any) -> dict[str, Any]:
    return {"Properties": properties, "Metadata": {"aws:cdk:path": f"{path}/Resource"}}


def _archived(name: str, stream: str) -> dict[str, Any]:
    """An event destination as it is deployed."""
    return {
        "Name": name,
        "Enabled": True,
        "MatchingEventTypes": ["SEND"],
        "KinesisFirehoseDestination": {"IamRoleArn": ROLE, "DeliveryStreamArn": _arn(stream)},
    }


def _declared(path: str, name: str, stream: str) -> dict[str, Any]:
    """The same in a template: the set and the stream by reference."""
    firehose = {"IAMRoleARN": ROLE, "DeliveryStreamARN": {"Fn::GetAtt": [stream, "Arn"]}}
    destination = {
        "Name": name,
        "Enabled": True,
        "MatchingEventTypes": ["send"],
        "KinesisFirehoseDestination": firehose,
    }
    return _resource(path, ConfigurationSetName={"Ref": "Id"}, EventDestination=destination)


def _stream_is(stub: Stub, name: str) -> None:
    described = {
        "DeliveryStreamName": name,
        "DeliveryStreamARN": _arn(name),
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "DirectPut",
        "VersionId": "1",
        "HasMoreDestinations": False,
        "Destinations": [{"DestinationId": "1"}],
    }
    stub("firehose").add_response(
        "describe_delivery_stream", {"DeliveryStreamDescription": described}, {"DeliveryStreamName": name}
    )


def _live(stub: Stub, configuration_set: str, *destinations: dict[str, Any]) -> None:
    stub("sesv2").add_response(
        "get_configuration_set_event_destinations",
        {"EventDestinations": list(destinations)},
        {"ConfigurationSetName": configuration_set},
    )


def _one_and_two(account: Account, stub: Stub, configuration_set: str | None) -> System:
    """A stack with the set one, and the set two with two archives in a stack that is nested in it."""
    stack_is(stub, (SET, "one"), (STACK, NESTED), template={"Id": _resource("Mail/One")})
    stack_is(
        stub,
        (SET, "two"),
        (STREAM, "first"),
        (STREAM, "second"),
        (EVENT_DESTINATION, "two|a"),
        (EVENT_DESTINATION, "two|b"),
        stack=NESTED,
        template={
            "Id": _resource("Mail/Nested/Two"),
            "Id1": _resource("Mail/Nested/First"),
            "Id2": _resource("Mail/Nested/Second"),
            "Id3": _declared("Mail/Nested/Two/ToFirst", "a", "Id1"),
            "Id4": _declared("Mail/Nested/Two/ToSecond", "b", "Id2"),
        },
    )
    return read_system(account, "Mail", configuration_set)


def test_all_archives_of_a_set_in_a_nested_stack_are_looked_at(
    account: Account, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    _live(stub, "two", _archived("a", "first"), _archived("b", "second"))
    _stream_is(stub, "first")
    _stream_is(stub, "second")
    system = _one_and_two(account, stub, "two")
    assert [(each.label, each.stream and each.stream.label, each.drift) for each in system.destinations] == [
        ("Mail/Nested/Two/ToFirst", "Mail/Nested/First", None),
        ("Mail/Nested/Two/ToSecond", "Mail/Nested/Second", None),
    ]
    assert (system.called("two"), system.others) == ("Mail/Nested/Two", ("one",))
    Terminal(None).system(account, system)
    assert "  not looked at: Mail/One; see --configuration-set\n" in capsys.readouterr().out


def test_what_is_missing_in_one_of_several_archives_is_told(account: Account, stub: Stub) -> None:
    _live(stub, "two", _archived("a", "first"))
    _stream_is(stub, "first")
    _stream_is(stub, "second")
    system = _one_and_two(account, stub, "two")
    assert [(each.label, each.drift and each.drift.what) for each in system.destinations] == [
        ("Mail/Nested/Two/ToFirst", None),
        ("Mail/Nested/Two/ToSecond", "it is missing: the stack has it, the configuration set does not"),
    ]


def test_the_sets_to_choose_from_have_their_paths(account: Account, stub: Stub) -> None:
    with pytest.raises(
        UsageError, match=r"choose one: --configuration-set one \(Mail/One\) \| two \(Mail/Nested/Two\)"
    ):
        _one_and_two(account, stub, None)


def test_a_set_that_is_not_there_is_answered_with_those_of_the_stack(account: Account, stub: Stub) -> None:
    for wrong in ("Mail/Three", "tow", "Id"):  # the last is the logical id of both
        if wrong != "Mail/Three":  # of which SES need not be asked: a name has no slash
            stub("sesv2").add_client_error("get_configuration_set_event_destinations", "NotFoundException")
        with pytest.raises(UsageError) as caught:
            _one_and_two(account, stub, wrong)
        assert str(caught.value) == (
            f"there is no configuration set {wrong} in eu-west-1; the stack Mail has "
            "--configuration-set one (Mail/One) | two (Mail/Nested/Two)"
        )


@pytest.mark.parametrize("given", ["Mail/Two", "Mail/Two/ConfigurationSet", "Id1", "two"])
def test_a_set_may_be_given_as_the_stack_calls_it(account: Account, stub: Stub, given: str) -> None:
    template = {"Id": _resource("Mail/One"), "Id1": _resource("Mail/Two/ConfigurationSet")}
    stack_is(stub, (SET, "one"), (SET, "two"), template=template)
    _live(stub, "two")
    assert read_system(account, "Mail", given).configuration_set == "two"
