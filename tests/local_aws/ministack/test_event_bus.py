from __future__ import annotations

import json

from local_aws import LocalAws
from tests.local_aws.support.deployed import sum_of


def test_what_a_rule_matches_and_invokes_is_counted(aws: LocalAws) -> None:
    events = aws.client("events")
    queue = aws.client("sqs").create_queue(QueueName="counted")["QueueUrl"].rpartition("/")[2]
    events.put_rule(Name="counted", EventPattern=json.dumps({"source": ["orders"]}))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:000000000000:{queue}"}
    events.put_targets(Rule="counted", Targets=[target])
    events.put_events(
        Entries=[{"Source": source, "DetailType": "any", "Detail": "{}"} for source in ("orders", "others")]
    )
    counts = {
        name: sum_of(aws, "AWS/Events", name, RuleName="counted")
        for name in ("MatchedEvents", "TriggeredRules", "Invocations", "PutEventsEntriesCount")
    }
    assert counts == {"MatchedEvents": 1, "TriggeredRules": 1, "Invocations": 1, "PutEventsEntriesCount": 0}
    assert sum_of(aws, "AWS/Events", "PutEventsEntriesCount") == 2
