"""Write docs/compliance.md: what the packs of cdk-nag find in the reference stack and in the bank's, what scanners of
templates found, the answers, and the licences of what is installed.

python -m tools.compliance
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import PurePosixPath

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NagPack, NIST80053R5Checks, PCIDSS321Checks
from packaging.requirements import Requirement

from ses_events import SesEventsStack
from tests.support.examples import stacks, with_recommended_flags
from tests.support.templates import RECOMMENDED_FLAGS, ROOT, new_app
from tools.scanners import COMMANDS, RECORD

PAGE = ROOT / "docs/compliance.md"
PACKS: dict[str, Callable[[], NagPack]] = {
    "AwsSolutions": AwsSolutionsChecks,
    "NIST.800.53.R5": NIST80053R5Checks,
    "HIPAA.Security": HIPAASecurityChecks,
    "PCI.DSS.321": PCIDSS321Checks,
}
"""The packs by what their findings begin with."""

_REPLICATION = (
    "Stands: a copy in another region is one more place with personal data, and yours to decide. "
    "`bucket` and `results_bucket` take an `s3.Bucket` with `replication_rules`."
)
REFERENCE = {
    "CloudWatchAlarmAction": "Satisfied by `alarm_actions`, in the app by the setting `ses-events:alarm-topic-arn`.",
    "CloudWatchLogGroupEncrypted": "Satisfied by `log_group`, which takes one with a key.",
    "IAMNoInlinePolicy": "Stands: a policy attached later may not have propagated when SES or Firehose tries the "
    "role. Each is for one role only and goes with it.",
    "S3BucketLoggingEnabled": "Satisfied by `server_access_logs_bucket` for the events, and for the results of "
    "queries by a `results_bucket` with logs.",
    "S3BucketReplicationEnabled": _REPLICATION,
    "S3BucketVersioningEnabled": "Stands: results of queries, which can be run again, are deleted within days. "
    "`results_bucket` takes one with versions.",
    "S3DefaultEncryptionKMS": "Satisfied by `encryption_key`: results of queries get the key of the events' bucket.",
}
"""The answer to each finding in the reference stack, by its rule."""

BANK = {
    "IAMNoInlinePolicy": "Stands: what the constructs give to the roles of the example is in a policy of its own, "
    "which the stream and the event destination wait for.",
    "S3BucketReplicationEnabled": _REPLICATION,
    "S3DefaultEncryptionKMS": "Stands: S3 cannot write access logs into a bucket with a KMS key.",
}
"""The answer to each finding in examples/bank.py."""

SCANNERS = {
    "W3005": "Stands: the order of creation is written out, also where a reference implies it today.",
    "CKV_AWS_158": REFERENCE["CloudWatchLogGroupEncrypted"],
    "CKV_AWS_18": REFERENCE["S3BucketLoggingEnabled"] + " The bucket of the access logs is the log of the others.",
    "CKV_AWS_21": REFERENCE["S3BucketVersioningEnabled"],
    "CKV_AWS_26": "Satisfied by a topic with `master_key`; this one is the example's own.",
    "MISMATCHED_TYPE": "Stands: TLS 1.2 is a number (S3 user guide, `s3:TlsVersion`); parliament takes whole ones. "
    "The encryption context of a log group is its ARN (CloudWatch Logs user guide); parliament takes text.",
    "PERMISSIONS_MANAGEMENT_ACTIONS": "Stands: what CDK gives the account that owns a key: its policies decide.",
    "RESOURCE_STAR": "Stands: in the policy of a key `*` is this key.",
    "UNKNOWN_CONDITION_FOR_ACTION": "Stands: all of S3 is denied without TLS 1.2, also what has no such condition key; "
    "`kms:DescribeKey` has none either, and is in the statement of the CloudWatch Logs user guide.",
}
"""The answer to each finding of a scanner, by its id."""

_INTRODUCTION = """\
# Compliance

What four rule packs of [cdk-nag](https://github.com/cdklabs/cdk-nag) find: AwsSolutions, NIST 800-53 Revision 5
(`NIST.800.53.R5`), HIPAA Security (`HIPAA.Security`) and PCI DSS 3.2.1 (`PCI.DSS.321`). For each finding there is the
argument that satisfies it, or the reason why it stands. The packs check a template, and not how you run the system: no
finding is not yet compliance. Made by `python -m tools.compliance` from a run of the packs; a test repeats the run.
"""

_OF_SCANNERS = """\
What they found in the reference stack and in all examples, recorded by `python -m tools.scanners`: checkov and
parliament need other packages than this project and are run in an environment of their own. parliament judges policies,
but no trust of a role; its last release, of April 2025, knows the actions of that time.
"""


def page() -> str:
    """The page, from a run of the packs."""
    app = new_app(**RECOMMENDED_FLAGS)
    SesEventsStack(app, "SesEvents")
    return "\n".join(
        [
            _INTRODUCTION,
            "## The reference stack",
            "",
            "The app of this repository with its default settings.",
            "",
            *_table(app, REFERENCE),
            "",
            "## A bank",
            "",
            "[`examples/bank.py`](../examples/bank.py) passes buckets, keys, roles, a log group and a topic.",
            "",
            *_table(with_recommended_flags("bank"), BANK),
            "",
            "## Scanners of templates",
            "",
            _OF_SCANNERS,
            *_scanned(),
            "",
            "## Licences",
            "",
            "What comes with `pip install ses-events`, and with its extra `verify`. The package itself is Apache-2.0.",
            "",
            *_licences(),
            "",
        ]
    )


def _table(app: cdk.App, answers: Mapping[str, str]) -> Iterator[str]:
    """A row for each rule and where it found something; first what is acknowledged there, in the words used there."""
    (stack,) = stacks(app)
    yield "| finding | packs | where | answer |"
    yield "|---|---|---|---|"
    for (rule, reason), paths in _acknowledged(stack).items():
        yield _row(rule, ["AwsSolutions"], paths, f"Acknowledged: {reason}.")
    where, packs = defaultdict[str, set[str]](set), defaultdict[str, list[str]](list)
    for pack, checks in PACKS.items():
        for violation in checks().validate_scope(stack).violations:
            rule = violation.rule_name.removeprefix(f"{pack}-")
            packs[rule].append(pack)
            where[rule] |= {str(resource.construct_path) for resource in violation.violating_resources}
    if unanswered := where.keys() ^ answers.keys():
        raise KeyError(f"{stack.node.path}: findings without an answer, or answers without a finding: {unanswered}")
    for rule in sorted(where):
        yield _row(rule, packs[rule], where[rule], answers[rule])


def _scanned() -> Iterator[str]:
    """The runs as they are recorded, and a row for each finding."""
    record = json.loads(RECORD.read_text())
    yield "| scanner | version | command |"
    yield "|---|---|---|"
    for scanner, command in COMMANDS.items():
        yield f"| {scanner} | {record[scanner]['version']} | `{command}` |"
    found = {
        finding: (scanner, where) for scanner in COMMANDS for finding, where in record[scanner]["findings"].items()
    }
    if unanswered := {finding.partition(":")[0] for finding in found} ^ SCANNERS.keys():
        raise KeyError(f"findings without an answer, or answers without a finding: {unanswered}")
    yield from ("", "| finding | scanner | where | answer |", "|---|---|---|---|")
    for finding, (scanner, where) in found.items():
        examples = defaultdict[str, list[str]](list)
        for example, _, path in (place.partition(": ") for place in where):
            examples[f"`{path}`"].append(example)
        places = "; ".join(f"{path} of {', '.join(each)}" for path, each in examples.items())
        rule, _, text = finding.partition(": ")
        yield f"| `{rule}` {text} | {scanner} | {places} | {SCANNERS[rule]} |"


def _acknowledged(stack: cdk.Stack) -> dict[tuple[str, str], set[str]]:
    """The paths by rule and reason, as CDK keeps them."""
    found = defaultdict[tuple[str, str], set[str]](set)
    for construct in stack.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == "aws:cdk:acknowledged-rules":
                for rule, reason in entry.data.items():
                    found[rule.partition("AwsSolutions-")[2].partition("[")[0], reason].add(construct.node.path)
    return dict(sorted(found.items()))


def _licences() -> Iterator[str]:
    """A row for each distribution, as its metadata says, with the extra that brings it."""
    yield "| distribution | licence | extra |"
    yield "|---|---|---|"
    project, _, extras = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")
    seen = set[str]()
    for extra, text in (("", project), ("`verify`", extras)):
        found = dict[str, str]()
        names = re.findall(r'^    "([\w-]+)>=', text, re.MULTILINE)
        while names:
            of = metadata.distribution(names.pop())
            if of.name not in seen:
                seen.add(of.name)
                found[of.name] = _licence(of)
                needed = [Requirement(each) for each in of.requires or ()]
                names += [each.name for each in needed if not each.marker or each.marker.evaluate(_ENVIRONMENT)]
        for name in sorted(found, key=str.lower):
            yield f"| {name} | {found[name]} | {extra} |"


_ENVIRONMENT = {"extra": "", "python_version": "3.11", "python_full_version": "3.11.0"}
"""So that the page is the same whichever Python writes it."""


def _licence(of: metadata.Distribution) -> str:
    """What a distribution says: as an expression, as text, or by classifiers, of which there may be several."""
    fields = of.metadata.get_all("License-Expression") or of.metadata.get_all("License") or []
    if fields and fields[0] not in ("UNKNOWN", "Dual License"):
        return str(fields[0])
    classifiers = [each for each in of.metadata.get_all("Classifier") or [] if each.startswith("License :: ")]
    return " or ".join(each.rpartition(" :: ")[2] for each in classifiers)


def _row(rule: str, packs: list[str], paths: set[str], answer: str) -> str:
    places = sorted({path.partition("/")[2].removesuffix("/Resource") for path in paths})
    parents = {str(PurePosixPath(place).parent) for place in places}
    if len(places) > 3 and len(parents) == 1:
        places = [f"{parents.pop()}/*"]
    return f"| `{rule}` | {', '.join(packs)} | {', '.join(f'`{place}`' for place in places)} | {answer} |"


if __name__ == "__main__":
    PAGE.write_text(page())
