"""Which alarm tells of what, and how soon: the table of docs/operations.md, by trying: python -m tools.failure_modes

Each mode is planted alone on a newly deployed stack, under steady mail, on the local AWS; it takes some minutes in all.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any

from local_aws.demo import DOMAIN, archived_events
from tests.support.templates import ROOT
from tools import faults
from tools.faults import HOUR, METRIC_DELAY, MINUTE, Fault, System, started
from tools.soak import TEXT, VIRUS

PAGE = ROOT / "docs/operations.md"
BLOCK = re.compile(r"(?<=<!-- failure modes -->\n).*?(?=<!-- end of failure modes -->)", re.DOTALL)

STEP = 5 * MINUTE
MAILS = 10
"""The mails of a step."""
BEFORE, FAULT, AFTER = HOUR, 3 * HOUR, HOUR

WITHOUT_DATA: dict[str, Any] = {"Template": {"TemplateName": "hello", "TemplateData": "{}"}}


@dataclass(frozen=True)
class Mode:
    """Something that goes wrong.

    :param events: those of each mail.
    :param lasts: how long, before it is repaired where it can be.
    """

    name: str
    fault: Fault
    content: dict[str, Any]
    events: tuple[str, ...] = ("Send", "Delivery")
    lasts: int = FAULT


MODES = [
    Mode("the trust of SES's role is broken", faults.trust_broken, TEXT),
    Mode("the same, repaired after 10 minutes", faults.trust_broken, TEXT, lasts=10 * MINUTE),
    Mode("SES's role loses `firehose:PutRecordBatch`", faults.without("firehose:PutRecordBatch", "ses_role"), TEXT),
    Mode(
        "the event destination of the archive is disabled",
        faults.destination_disabled("KinesisFirehoseDestination"),
        TEXT,
    ),
    Mode("the event destination of the archive is deleted", faults.destination_deleted, TEXT),
    Mode("the delivery stream is deleted", faults.stream_deleted, TEXT),
    Mode("the stream may take one record a second", faults.quota(records=1), TEXT),
    Mode("the stream takes no request", faults.quota(put_requests=0), TEXT),
    Mode("the bucket's policy denies Firehose", faults.bucket_denies, TEXT),
    Mode("the trust of Firehose's role is broken", faults.delivery_trust_broken, TEXT),
    Mode("Firehose's role loses `s3:PutObject`", faults.without("s3:PutObject", "delivery_role"), TEXT),
    Mode("Firehose's role loses `kms:GenerateDataKey`", faults.without("kms:GenerateDataKey", "delivery_role"), TEXT),
    Mode("the key is disabled", faults.key_disabled, TEXT),
    Mode("the key is scheduled for deletion", faults.key_to_be_deleted, TEXT),
    Mode("the key's policy denies its use", faults.key_denied, TEXT),
    Mode(
        "the event destination that counts by campaign is disabled",
        faults.destination_disabled("CloudWatchDestination", "campaign"),
        TEXT,
    ),
    Mode(
        "the event destination that counts for the alarms is disabled",
        faults.destination_disabled("CloudWatchDestination", "ses:configuration-set"),
        TEXT,
    ),
    Mode("the topic of an `SnsDestination` lets SES in no more", faults.topic_closed, TEXT),
    Mode("the event destination of the topic is disabled", faults.destination_disabled("SnsDestination"), TEXT),
    Mode("the rule behind an `EventBridgeDestination` is disabled", faults.rule_disabled, TEXT),
    Mode("the bucket of query results denies puts", faults.results_denied, TEXT),
    Mode("mail has a virus", faults.nothing, VIRUS, ("Send", "Reject")),
    Mode("a template lacks data", faults.nothing, WITHOUT_DATA, ("Rendering Failure",)),
    Mode("6 % of the account's mail bounces", faults.reputation("Reputation.BounceRate", 0.06), TEXT),
    Mode("0.2 % of the account's mail is complained of", faults.reputation("Reputation.ComplaintRate", 0.002), TEXT),
]


def main() -> int:
    rows = []
    for mode in MODES:
        rows.append(row(mode))
        print(rows[-1], file=sys.stderr, flush=True)
    page = PAGE.read_text()
    PAGE.write_text(BLOCK.sub(lambda _: "\n".join([*head(), *rows, ""]), page))
    return 0


def head() -> list[str]:
    return ["| what goes wrong | rings, after minutes | events not archived |", "|---|---|---|"]


def row(mode: Mode) -> str:
    """Plant a mode, and tell what came of it."""
    with started() as system:
        _send(system, TEXT, BEFORE)
        quiet = {name for name, _, until in system.rang if until is None}
        start = system.passed
        with mode.fault(system):
            sent = _send(system, mode.content, mode.lasts)
        _send(system, TEXT, FAULT - mode.lasts + AFTER)
        rang = [(name, since - start) for name, since, _ in system.rang if since > start and name not in quiet]
        kept = Counter(event["mail"]["messageId"] for _, event in archived_events(system.aws, system.outputs["Bucket"]))
    first: dict[str, float] = {}
    for name, after in rang:
        first.setdefault(name, after)
    told = ", ".join(f"`{name}` {after / MINUTE:.0f}" for name, after in first.items()) or "nothing"
    expected = len(sent) * len(mode.events)
    lost = expected - sum(min(kept[message], len(mode.events)) for message in sent)
    return f"| {mode.name} | {told} | {'none' if not lost else f'{lost} of {expected}'} |"


def _send(system: System, content: dict[str, Any], seconds: float) -> list[str]:
    """Send steady mail for some time; the message ids."""
    ses, sent = system.aws.client("sesv2"), []
    for _ in range(int(seconds // STEP)):
        for _ in range(MAILS):
            answer = ses.send_email(
                FromEmailAddress=f"sender@{DOMAIN}",
                Destination={"ToAddresses": [f"reader@{DOMAIN}"]},
                Content=content,
                ConfigurationSetName=system.configuration_set,
            )
            sent.append(answer["MessageId"])
        system.pass_time(STEP)
    return sent


ASSUMPTIONS = (
    f"{MAILS} mails every {STEP // MINUTE} minutes, metrics {METRIC_DELAY // MINUTE} minutes late, "
    f"{FAULT // HOUR} hours watched"
)
"""What the page says of the run."""


if __name__ == "__main__":
    sys.exit(main())
