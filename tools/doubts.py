"""docs/proven.md and the marks of the other pages, from docs/doubts.json: python -m tools.doubts"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs/doubts.json"
PAGE = ROOT / "docs/proven.md"
MARKED = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(page for page in sorted(ROOT.glob("docs/*.md")) if page != PAGE)]
"""The pages that may have marks."""

_TABLE = re.compile(r"(\| what \| here \| on AWS \|\n\|(?:---\|)+\n)(?:\|.+\n)+")
"""What docs/local-aws-differences.md says of the doubts."""

MARK = re.compile(r"\[(?:unproven|proven|refuted)\]\(((?:docs/)?proven\.md#([a-z-]+))\)")


@dataclass(frozen=True)
class Doubt:
    """What is open about AWS, and how it is settled.

    :param page: the page of docs/ for which it matters.
    :param settled_by: the call or measurement of ``make prove`` that settles it; none where there is a reason.
    :param reason: why no cheap command settles it.
    :param here: what the AWS of this machine does, where that is one of its differences.
    :param answer: what AWS said, and when; none as long as it is unproven.
    """

    id: str
    sentence: str
    page: str
    settled_by: str = ""
    reason: str = ""
    here: str = ""
    answer: str = ""

    @property
    def state(self) -> str:
        """The word of its marks."""
        if not self.answer:
            return "unproven"
        return "proven" if self.answer.startswith("Yes") else "refuted"

    @property
    def mark(self) -> str:
        """Its mark in a page of docs/."""
        return f"[{self.state}](proven.md#{self.id})"


def doubts() -> dict[str, Doubt]:
    """All doubts by id."""
    return {each["id"]: Doubt(**each) for each in _read()}


def record(answers: dict[str, str]) -> None:
    """Keep what AWS answered to some doubts, and write the pages anew."""
    kept = [{**each, **({"answer": answers[each["id"]]} if each["id"] in answers else {})} for each in _read()]
    FILE.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    write()


def write() -> None:
    """Write the page, and the marks of the others."""
    PAGE.write_text(page())
    for each in MARKED:
        each.write_text(with_marks(each.read_text()))


def with_marks(text: str) -> str:
    """A page whose marks, and the table of doubts, say what the file does."""
    known = doubts()
    rows = [f"| {each.sentence.rstrip('.')} | {each.here} | {each.mark} |\n" for each in known.values() if each.here]
    text = _TABLE.sub(lambda table: table[1] + "".join(rows), text)
    return MARK.sub(lambda mark: f"[{known[mark[2]].state}]({mark[1]})", text)


LOCALLY: dict[str, tuple[str, ...]] = {
    "The system deploys with the CDK CLI, archives and counts each mail, answers a query, and is taken down": (
        "tests/local_aws/test_demo.py",
    ),
    "Each permission is there because delivery fails without it; the trusts hold": (
        "tests/local_aws/test_reference_stack.py",
        "tests/local_aws/test_every_destination.py",
    ),
    "The order of creation holds for every combination of features": ("tests/promises/test_order_of_creation.py",),
    "That order hides a slow IAM, and `cdk deploy --express` does not wait": (
        "tests/local_aws/ministack/test_delays.py",
    ),
    "`ses-events verify` proves a sound system, names each fault planted, and prints the call that mends it": (
        "tests/local_aws/test_verify.py",
    ),
    "The examples deploy, and their events arrive": ("tests/local_aws/test_deployed_examples.py",),
    "The recipe of the take-down leaves nothing": ("tests/local_aws/test_take_down.py",),
    "An alarm goes off when its trouble is there, and tells a topic that lets it in": (
        "tests/unit/monitoring/test_monitoring.py",
        "tests/local_aws/cloudwatch/test_alarms.py",
    ),
    "`missing_events` tells a loss from a delay, under many kinds of traffic": (
        "tests/unit/monitoring/test_missing_events.py",
    ),
    "Each saved query answers its question, in DuckDB": ("tests/unit/analytics/test_queries.py",),
    "The next version replaces nothing stateful": ("tests/promises/test_upgrades.py",),
    "`make prove` runs from its first step to its last": ("tests/local_aws/test_prove.py",),
}
"""What is proven on the AWS of this machine, and the tests that show it."""


def page() -> str:
    """The page."""
    known = doubts().values()
    return "\n".join(
        [
            "# What is proven, and how",
            "",
            "Two things can show that a statement of these pages holds: a test on the AWS of this machine, which each",
            "change repeats, and a run on a live account. Made from `docs/doubts.json` by `python -m tools.doubts`;",
            "each mark in another page is made from the same file and leads here.",
            "",
            "## On the AWS of this machine",
            "",
            "IAM is enforced there, and [what differs from AWS](local-aws-differences.md) is listed. All of it runs in",
            "`make test`.",
            "",
            "| what | test |",
            "|---|---|",
            *(f"| {what} | {', '.join(f'`{test}`' for test in tests)} |" for what, tests in LOCALLY.items()),
            "",
            "## On a live account",
            "",
            "```sh",
            "make prove ACCOUNT=111122223333",
            "```",
            "",
            "deploys two stacks under names of their own, the second with `--express`, sends the mail of each scenario",
            "of [`ses-events verify`](verify.md), makes the calls below, writes `evidence.json` and `evidence.md` into",
            "`evidence/`, and takes everything down, also when it fails or is interrupted. It takes an hour or so",
            "and less than a dollar. It needs an administrator's credentials, an account that `cdk bootstrap` has",
            "prepared, and an identity that SES has verified; `FROM=` names it where there are several. `RECORD=1`",
            "writes the answers into `docs/doubts.json`, and so changes the marks. What it writes looks like",
            "[the evidence of a run on this machine](evidence-local.md).",
            "",
            "To rehearse it without an account, start [the AWS on this machine](local-aws.md), paste its exports into",
            "another terminal, where `.venv` is active too, and run:",
            "",
            "```sh",
            "cdk bootstrap",
            "aws sesv2 create-email-identity --email-identity example.com",
            'python -m tools.prove --account 000000000000 --endpoint-url "$AWS_ENDPOINT_URL" --speed 100',
            "```",
            "",
            "Each step has the name of its doubt. *Yes* says that the sentence holds, *no* that it does not.",
            "",
            *(line for each in known if each.settled_by for line in _row(each)),
            "## What no cheap command settles",
            "",
            *(line for each in known if each.reason for line in _row(each)),
        ]
    )


def _row(doubt: Doubt) -> Iterator[str]:
    end = "" if doubt.settled_by.endswith("?") else "."
    how = f"Settled by: {doubt.settled_by}{end}" if doubt.settled_by else f"Why not: {doubt.reason}"
    yield from (f"### {doubt.id}", "", f"{doubt.sentence} It matters for [{doubt.page}]({doubt.page}).", "", how, "")
    yield from (f"**{doubt.state.capitalize()}**" + (f": {doubt.answer}" if doubt.answer else "."), "")


def _read() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(FILE.read_text())
    return found


if __name__ == "__main__":
    write()
