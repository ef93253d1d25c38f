"""Count what a stack costs, exactly: ``python -m tests.support.round_trips USE`` prints JSON from a process of its own.

Each call into CDK is a round trip to the process that CDK runs in, and costs about as much as 1000 lines of Python.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jsii._kernel.providers.process as provider
from jsii._kernel.types import Callback

FIRST = {"shared": 38, "own": 39}
"""The round trips of an archive and its first configuration set, by the role, before the synth."""

EACH = {
    "shared": {"round_trips": 5, "resources": 3, "bytes": 1069},
    "own": {"round_trips": 9, "resources": 4, "bytes": 2006},
}
"""What a further set costs."""

AT_SYNTH = 5
"""The round trips of the synth, whatever the number of sets."""

_TRAFFIC: dict[str, int] = {"round_trips": 0, "callbacks": 0}


def count() -> None:
    """From now on, count what goes to CDK's process, and how often that calls back."""
    send = provider._NodeProcess.send

    def counted(self: Any, *arguments: Any) -> Any:
        response = send(self, *arguments)
        _TRAFFIC["round_trips"] += 1
        _TRAFFIC["callbacks"] += isinstance(response, Callback)
        return response

    setattr(provider._NodeProcess, "send", counted)  # noqa: B010


def sets(number: int, *, role: str) -> dict[str, int]:
    """The cost of an archive and so many configuration sets in a new stack, each publishing to it and to CloudWatch."""
    import aws_cdk as cdk
    from aws_cdk import aws_ses as ses

    from ses_events import CloudWatchDestination, EventArchive, EventPublishing, FirehoseDestination
    from tests.support.templates import new_app

    app = new_app()
    stack = cdk.Stack(app, "Mail")
    before = dict(_TRAFFIC)
    archive = EventArchive(stack, "Archive")
    to_archive = FirehoseDestination.with_shared_role(archive) if role == "shared" else FirehoseDestination(archive)
    campaign = ses.CloudWatchDimension(
        name="campaign", default_value="unknown", source=ses.CloudWatchDimensionSource.MESSAGE_TAG
    )
    to_metrics = CloudWatchDestination([campaign])
    for each in range(number):
        publishing = EventPublishing(stack, f"Events{each}")
        publishing.add_destination("ToArchive", to_archive)
        publishing.add_destination("ToMetrics", to_metrics)
    made = dict(_TRAFFIC)
    assembly = app.synth()
    synthesized = dict(_TRAFFIC)
    template = assembly.get_stack_by_name("Mail").template
    return {
        "round_trips": made["round_trips"] - before["round_trips"],
        "at_synth": synthesized["round_trips"] - made["round_trips"],
        "callbacks": synthesized["callbacks"] - before["callbacks"],
        "resources": len(template["Resources"]),
        "bytes": len(json.dumps(template, separators=(",", ":"))),
    }


def monitoring_expected(queries: int) -> int:
    """14 alarms, 14 graphs, 43 metrics, 15 of them again with a label, 10 steps of metric math, the name of the
    stack, and whether the id of its destination is free; one more for a query.
    """
    return 158 + queries


def monitoring() -> int:
    """The round trips that the alarms and the dashboard of the reference stack cost."""
    from ses_events import SesEventsStack
    from tests.support.templates import new_app

    trips = []
    for watched in (False, True):
        before = _TRAFFIC["round_trips"]
        SesEventsStack(new_app(), "SesEvents", monitoring=watched)
        trips.append(_TRAFFIC["round_trips"] - before)
    return trips[1] - trips[0]


def services(*names: str) -> list[str]:
    """The service modules of CDK that an app loads which imports these names from ses_events."""
    import ses_events

    for name in names:
        getattr(ses_events, name)
    return sorted(module for module in sys.modules if module.startswith("aws_cdk.aws_") and module.count(".") == 1)


if __name__ == "__main__":
    if sys.argv[1] == "services":
        print(json.dumps(services(*sys.argv[2:])))
    elif sys.argv[1] == "monitoring":
        count()
        print(json.dumps(monitoring()))
    else:
        count()
        print(json.dumps([sets(int(number), role=sys.argv[1]) for number in sys.argv[2:]]))
