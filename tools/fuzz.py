"""Call everything public with right and hostile arguments: python -m tools.fuzz [CASES] [SEED]

A call must be refused cleanly, or give a template that CDK's validation and cfn-lint pass. The cases are a function of
the seed: what went wrong goes wrong again. Exits with 1 where something does.
"""

from __future__ import annotations

import inspect
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent as Event
from constructs import Construct

import ses_events
from ses_events import (
    CloudWatchDestination,
    EventAnalytics,
    EventArchive,
    EventBridgeDestination,
    EventDestination,
    EventMonitoring,
    EventPublishing,
    FirehoseDestination,
    JsonFormat,
    ParquetFormat,
    SnsDestination,
)
from ses_events.wording import shown

LONGEST_LINE, LONGEST_MESSAGE = 500, 2000
"""The characters of a refusal: more than this nobody reads."""

_CALLED_BY_CONSTRUCTS = {"bind", "prefix_oddities", "problems"}
_ELSEWHERE = ("stack", "stage", "app", "account")

_SHARED = "arn:aws:{}:us-east-1:111122223333:{}"
_PARTS: dict[str, Callable[[cdk.Stack], Any]] = {
    "Topic": lambda stack: sns.Topic(stack, "Topic"),
    "SealedTopic": lambda stack: sns.Topic(stack, "Sealed", master_key=kms.Key(stack, "TopicKey")),
    "NamedTopic": lambda stack: sns.Topic(stack, "NamedTopic", topic_name="told"),
    "Bucket": lambda stack: s3.Bucket(stack, "Bucket"),
    "SealedBucket": lambda stack: s3.Bucket(stack, "SealedBucket", encryption=s3.BucketEncryption.KMS),
    "NamedBucket": lambda stack: s3.Bucket(stack, "NamedBucket", bucket_name="the-bucket"),
    "Key": lambda stack: kms.Key(stack, "Key"),
    "LogGroup": lambda stack: logs.LogGroup(stack, "Logs"),
    "Role": lambda stack: iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com")),
    "RoleForSes": lambda stack: iam.Role(stack, "RoleForSes", assumed_by=iam.ServicePrincipal("ses.amazonaws.com")),
    "NamedRole": lambda stack: iam.Role(
        stack, "NamedRole", role_name="named", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com")
    ),
    "User": lambda stack: iam.User(stack, "User"),
    "Set": lambda stack: ses.ConfigurationSet(stack, "Set"),
    "CfnSet": lambda stack: ses.CfnConfigurationSet(stack, "CfnSet"),
    "Identity": lambda stack: ses.EmailIdentity(stack, "Identity", identity=ses.Identity.email("a@example.com")),
    "Template": lambda stack: ses.CfnTemplate(stack, "Template"),
    "Bus": lambda stack: events.EventBus(stack, "Bus"),
    "Archive": lambda stack: EventArchive(stack, "Archive"),
    "Publishing": lambda stack: EventPublishing(stack, "Publishing", reputation_metrics=True),
    "Analytics": lambda stack: EventAnalytics(stack, "Analytics", archive=EventArchive(stack, "Asked")),
    "Monitoring": lambda stack: EventMonitoring(
        stack, "Monitoring", publishing=EventPublishing(stack, "Watched"), archive=EventArchive(stack, "WatchedArchive")
    ),
    "Stream": lambda stack: firehose.DeliveryStream(
        stack, "Stream", destination=firehose.S3Bucket(s3.Bucket(stack, "Into"))
    ),
    "ImportedStream": lambda stack: firehose.DeliveryStream.from_delivery_stream_arn(
        stack, "ImportedStream", _SHARED.format("firehose", "deliverystream/theirs")
    ),
    "ImportedTopic": lambda stack: sns.Topic.from_topic_arn(stack, "ImportedTopic", _SHARED.format("sns", "theirs")),
    "ImportedBucket": lambda stack: s3.Bucket.from_bucket_name(stack, "ImportedBucket", "theirs"),
    "ImportedRole": lambda stack: iam.Role.from_role_name(stack, "ImportedRole", "theirs"),
    "ImportedKey": lambda stack: kms.Key.from_key_arn(
        stack, "ImportedKey", _SHARED.format("kms", "key/5e1f0b60-7e0d-4c5f-9d52-0a3f0e1c2b3d")
    ),
    "ImportedSet": lambda stack: ses.ConfigurationSet.from_configuration_set_name(stack, "ImportedSet", "theirs"),
    "ImportedLogGroup": lambda stack: logs.LogGroup.from_log_group_name(stack, "ImportedLogGroup", "theirs"),
    "ImportedIdentity": lambda stack: ses.EmailIdentity.from_email_identity_name(stack, "ImportedIdentity", "a.com"),
    "DefaultBus": lambda stack: events.EventBus.from_event_bus_name(stack, "DefaultBus", "default"),
    "SnsAction": lambda stack: actions.SnsAction(sns.Topic(stack, "Told")),
    "L2TopicDestination": lambda stack: ses.EventDestination.sns_topic(sns.Topic(stack, "L2Topic")),
    "L2BucketDestination": lambda stack: firehose.S3Bucket(s3.Bucket(stack, "L2Bucket")),
    "Metric": lambda stack: cloudwatch.Metric(
        namespace="Mine", metric_name="Mails", dimensions_map={"of": sns.Topic(stack, "Measured").topic_name}
    ),
    "SnsDestination": lambda stack: SnsDestination(sns.Topic(stack, "Published")),
    "SealedDestination": lambda stack: SnsDestination(
        sns.Topic(stack, "PublishedSealed", master_key=kms.Key(stack, "PublishedKey"))
    ),
    "FirehoseDestination": lambda stack: FirehoseDestination(EventArchive(stack, "Sent")),
    "SharedRoleDestination": lambda stack: FirehoseDestination.with_shared_role(EventArchive(stack, "Shared")),
    "RoleDestination": lambda stack: FirehoseDestination(
        EventArchive(stack, "SentByRole"),
        role=iam.Role(stack, "Sender", assumed_by=iam.ServicePrincipal("ses.amazonaws.com")),
    ),
    "BusDestination": lambda stack: EventBridgeDestination(),
    "Stack": lambda stack: stack,
    "NestedStack": lambda stack: cdk.NestedStack(stack, "Nested"),
    "Construct": lambda stack: Construct(stack, "Inner"),
    "Stage": lambda stack: cdk.Stage(stack, "Stage"),
    "Parameter": lambda stack: cdk.CfnParameter(stack, "Text").value_as_string,
    "NumberParameter": lambda stack: cdk.CfnParameter(stack, "Number", type="Number").value_as_number,
}
"""What belongs to a stack, by name."""


class World:
    """An app in which one case is tried; beside it other stacks, a stage, an account, and another app."""

    def __init__(self, folder: str | None = None, **options: Any) -> None:
        strict = {"@aws-cdk/core:validateAgainstDefaultRules": True}
        self.app = cdk.App(outdir=folder, analytics_reporting=False, context=strict, **options)
        cdk.Validations.of(self.app).acknowledge(
            cdk.Acknowledgment(id="CloudFormation-Validate::F0001", reason="A call may leave a stack empty."),
            cdk.Acknowledgment(id="CloudFormation-Validate::W7001", reason="CDK's mapping for a stream."),
        )
        self.stack = cdk.Stack(self.app, "Mail")
        self._stacks: dict[str, cdk.Stack] = {"": self.stack}
        self._parts: dict[tuple[str, str], Any] = {}

    def part(self, name: str, where: str = "") -> Any:
        """A part of this stack, or of one that is elsewhere; made when it is first asked for."""
        if where not in self._stacks:
            env = cdk.Environment(account="999999999999", region="eu-west-1") if where == "account" else None
            scope: Any = self.app
            if where == "stage":
                scope = cdk.Stage(self.app, "OtherStage")
            elif where == "app":
                scope = cdk.App(analytics_reporting=False)
            self._stacks[where] = cdk.Stack(scope, f"Other{where}", env=env)
        if (name, where) not in self._parts:
            self._parts[name, where] = _PARTS[name](self._stacks[where])
        return self._parts[name, where]


class Value(NamedTuple):
    """What an argument may be."""

    label: str
    make: Callable[[World], Any]


def _part(name: str, where: str = "") -> Value:
    return Value(f"<{name}{f' of another {where}' if where else ''}>", lambda world: world.part(name, where))


def _plain(*values: Any) -> list[Value]:
    return [Value(_label(value), lambda _, value=value: value) for value in values]  # type: ignore[misc]


def _label(value: Any) -> str:
    return shown(value)[:80]


def _parts(*names: str) -> list[Value]:
    return [_part(name) for name in names]


def _list_of(*values: Value) -> Value:
    return Value(f"[{', '.join(value.label for value in values)}]", lambda world: [v.make(world) for v in values])


def _once(*values: Value) -> Value:
    """An iterator, which can be gone through once."""
    label = f"iter([{', '.join(value.label for value in values)}])"
    return Value(label, lambda world: iter([value.make(world) for value in values]))


def _dimension(name: Any = "campaign", default_value: Any = "unknown") -> ses.CloudWatchDimension:
    source = ses.CloudWatchDimensionSource.MESSAGE_TAG
    return ses.CloudWatchDimension(name=name, default_value=default_value, source=source)


def _metric(**options: Any) -> Value:
    arguments = {"namespace": "AWS/SES", "metric_name": "Send", **options}
    label = ", ".join(f"{name}={_label(value)}" for name, value in options.items())
    return Value(f"Metric({label[:80]})", lambda _: cloudwatch.Metric(**arguments))


_DESTINATIONS = [
    *_parts("SnsDestination", "SealedDestination", "FirehoseDestination"),
    *_parts("SharedRoleDestination", "RoleDestination", "BusDestination"),
    Value("CloudWatchDestination", lambda _: CloudWatchDestination([_dimension()])),
]
_FLAG = _plain(True, False)
_GRANTEES = _parts("Role", "User", "ImportedRole", "NamedRole")
_METRICS = [
    _metric(),
    _metric(period=cdk.Duration.days(1), statistic="p99"),
    _part("Metric"),
    Value("rate", lambda _: CloudWatchDestination([_dimension()]).rate(Event.BOUNCE, {"campaign": "a"}, minimum=10)),
    Value(
        "MathExpression",
        lambda world: cloudwatch.MathExpression(expression="a / 2", using_metrics={"a": world.part("Metric")}),
    ),
]

# A value for everything that a public call takes; a name that means another thing in a class stands with the class.
RIGHT: dict[str, list[Value]] = {
    "account_reputation": _FLAG,
    "alarm_actions": [_list_of(_part("SnsAction")), _list_of(_part("Topic")), *_plain((), [])],
    "alarm_topic_arn": _plain(None, _SHARED.format("sns", "on-call")),
    "analytics": [*_parts("Analytics"), *_plain(None)],
    "archive": _parts("Archive"),
    "archive_delay": _plain(None, cdk.Duration.hours(1)),
    "bounce_rate": _plain(0.05, 0.01),
    "bucket": [*_plain(None), *_parts("Bucket", "NamedBucket", "ImportedBucket", "SealedBucket")],
    "bucket_name": _plain(None, "my-kept-bucket"),
    "StoredEvents.bucket": _parts("Bucket", "NamedBucket", "ImportedBucket"),
    "buffering_interval": _plain(None, cdk.Duration.seconds(60)),
    "buffering_size": _plain(None, cdk.Size.mebibytes(64)),
    "bytes_scanned_cutoff": _plain(None, cdk.Size.gibibytes(1)),
    "comparison": _plain(None, cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD),
    "complaint_rate": _plain(0.001),
    "configuration_set": [*_plain(None), *_parts("Set", "CfnSet", "ImportedSet")],
    "configuration_set_name": _plain(None, "my-set"),
    "construct_id": _plain("Part", "With space", "a/b", "ünï"),
    "count_events": _FLAG,
    "dashboard": _FLAG,
    "default_value": _plain("unknown"),
    "delivery_stream": _parts("Archive", "Stream", "ImportedStream"),
    "delivery_stream_name": _plain(None, "my.stream"),
    "description": _plain(None, "Look there."),
    "destination": _DESTINATIONS,
    "dimension": _plain(_dimension()),
    "dimension_name": _plain("campaign", "ses:from-domain"),
    "dimensions": _plain([_dimension()], (_dimension(), _dimension("tenant"))),
    "CloudWatchDestination.metric.dimensions": _plain({"campaign": "a"}, MappingProxyType({"campaign": "b"})),
    "CloudWatchDestination.rate.dimensions": _plain({"campaign": "a"}, MappingProxyType({"campaign": "b"})),
    "enabled": _FLAG,
    "encryption_key": [*_plain(None), *_parts("Key", "ImportedKey")],
    "error_output_prefix": _plain("errors/", "failed/!{firehose:error-output-type}/"),
    "event": _plain(Event.BOUNCE, Event.COMPLAINT),
    "event_bus": [*_plain(None), *_parts("DefaultBus")],
    "events": _plain([Event.SEND], (Event.BOUNCE, Event.SEND), {Event.CLICK}, list(Event)),
    "expiration": _plain(None, cdk.Duration.days(30)),
    "format": _plain(JsonFormat(), ParquetFormat()),
    "grantee": _GRANTEES,
    "identity": _parts("Identity", "ImportedIdentity"),
    "log_group": [*_plain(None), *_parts("LogGroup", "ImportedLogGroup")],
    "metric": _METRICS,
    "metric_name": _plain("DeliveryToS3.Records"),
    "minimum": _plain(1, 500),
    "missing_events": _plain(20, None),
    "monitoring": _FLAG,
    "name": _plain(None, "first"),
    "CloudWatchDestination.by_tag.name": _plain("campaign"),
    "ok_actions": [_list_of(_part("SnsAction")), *_plain(())],
    "parquet": _FLAG,
    "period": _plain(None, cdk.Duration.days(1)),
    "prefix": _plain("mail/dt=!{timestamp:yyyy-MM-dd}/"),
    "publishing": [*_parts("Publishing"), *_plain(None)],
    "quota_share": _plain(0.5),
    "rejects": _plain(1, 10),
    "removal_policy": _plain(None, cdk.RemovalPolicy.DESTROY),
    "rendering_failures": _plain(1, 10),
    "reputation_metrics": _plain(None, True, False),
    "results_bucket": [*_plain(None), *_parts("Bucket", "SealedBucket", "ImportedBucket")],
    "results_expiration": _plain(None, cdk.Duration.days(1)),
    "role": [*_plain(None), *_parts("Role", "ImportedRole")],
    "FirehoseDestination.role": [*_plain(None), *_parts("RoleForSes", "ImportedRole")],
    "runbook_url": _plain(None, "https://wiki.example.com/mail"),
    "scope": _parts("Stack", "NestedStack", "Construct"),
    "SesEventsStack.scope": [Value("<App>", lambda world: world.app), *_parts("Stage")],
    "SesEventsStack.construct_id": _plain("Reference"),
    "SesEventsStack.analytics": _FLAG,
    "server_access_logs_bucket": [*_plain(None), *_parts("Bucket")],
    "shared_counter": _plain(None),
    "statistic": _plain("Sum", "p99"),
    "templates": [*_plain((), ["welcome"]), _list_of(_part("Template"))],
    "threshold": _plain(0.1, 0.5),
    "topic": _parts("Topic", "SealedTopic", "ImportedTopic"),
}

_UNBOUNDED = [None, True, 0, -1, 1.5, 1e-320, float("nan"), float("inf"), 10**400, 10**5000, 2**53]
_WORDS = ["", " ", "a\nb", "a\0b", "é", "x" * 256, "x" * 100_000, "\ud800", "*", "../..", "\u202e", b"a"]
_OBJECTS = [object(), object, len, [], {}, (), [None], ["x"], {"a": 1}, {"campaign": None}, ("x",), frozenset({1}), 1j]
_LARGE = [["x"] * 300, [Event.SEND] * 300, {10**5000: "a"}, {"x" * 100_000: "a"}, {"campaign": "x" * 100_000}]
_OF_CDK = [
    cdk.Duration.seconds(0),
    cdk.Duration.seconds(1),
    cdk.Duration.millis(1500),
    cdk.Duration.days(8),
    cdk.Duration.days(10**10),
    cdk.Size.bytes(1),
    cdk.Size.gibibytes(10**6),
    cdk.RemovalPolicy.SNAPSHOT,
    Event.SEND,
    ses.CloudWatchDimensionSource.EMAIL_HEADER,
    cdk.Aws.REGION,
    iam.AccountRootPrincipal(),
    iam.ServicePrincipal("ec2.amazonaws.com"),
    s3.Bucket,
    EventArchive,
    EventDestination,
    _dimension(),
    _dimension("a\nb"),
    _dimension("x" * 100_000),
    CloudWatchDestination([_dimension()]),
    ParquetFormat(),
    ses.Identity.email("a@example.com"),
]
HOSTILE = [
    *_plain(*_UNBOUNDED, *_WORDS, *_OBJECTS, *_LARGE, *_OF_CDK),
    *_parts(*_PARTS),
    # A text says not where it is from: CDK alone sees that of a parameter.
    *(_part(name, where) for name in _PARTS if "Parameter" not in name for where in _ELSEWHERE),
    *(_metric(period=period) for period in (cdk.Duration.seconds(1), cdk.Duration.days(8), cdk.Duration.minutes(90))),
    _metric(metric_name=""),
    _metric(namespace=""),
    _metric(metric_name="x" * 300),
    _metric(region="eu-west-1"),
    _metric(statistic="nonsense"),
    _metric(dimensions_map={f"d{number}": "a" for number in range(30)}),
    _metric(label="x" * 100_000),
]
"""What no argument or seldom one takes."""


def _collections(right: list[Value], hostile: Value) -> list[Value]:
    """Collections in which something hostile is, and a right one that can be gone through once."""
    return [_list_of(hostile), _once(*right), Value(f"generator of {hostile.label}", _once(hostile).make)]


class Call(NamedTuple):
    """A public class, or a method of one."""

    public: type
    method: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        return f"{self.public.__name__}.{self.method}".removesuffix(".__init__")

    @property
    def right(self) -> dict[str, list[Value]]:
        """Right values by the name of the argument."""
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        found = {}
        for each in inspect.signature(self.function).parameters.values():
            if each.kind not in kinds and each.name not in ("self", "cls"):
                keys = (f"{self.name}.{each.name}", f"{self.public.__name__}.{each.name}", each.name)
                found[each.name] = next(RIGHT[key] for key in keys if key in RIGHT)
        return found

    def of(self, world: World) -> Callable[..., Any]:
        """What to call."""
        if self.method == "__init__":
            return self.public
        is_of_the_class = isinstance(inspect.getattr_static(self.public, self.method), (classmethod, staticmethod))
        owner = self.public if is_of_the_class else _INSTANCES[self.public.__name__](world)
        found: Callable[..., Any] = getattr(owner, self.method)
        return found


def calls() -> Iterator[Call]:
    """Every public class and method, by its signature."""
    for class_name in ses_events.__all__:
        public = getattr(ses_events, class_name)
        if not isinstance(public, type) or inspect.isabstract(public):
            continue
        ours = [vars(each) for each in public.__mro__ if each.__module__.startswith("ses_events.")]
        for name in sorted({name for each in ours for name in each}):
            method = inspect.getattr_static(public, name)
            function = getattr(method, "__func__", method)
            hidden = name.startswith("_") and name != "__init__"
            if not hidden and name not in _CALLED_BY_CONSTRUCTS and inspect.isfunction(function):
                yield Call(public, name, function)


_INSTANCES: dict[str, Callable[[World], Any]] = {
    "CloudWatchDestination": lambda world: CloudWatchDestination([_dimension()]),
    "EventAnalytics": lambda world: world.part("Analytics"),
    "EventArchive": lambda world: world.part("Archive"),
    "EventMonitoring": lambda world: world.part("Monitoring"),
    "EventPublishing": lambda world: world.part("Publishing"),
}


class Case(NamedTuple):
    """A call with its arguments."""

    call: Call
    arguments: dict[str, Value]

    def __str__(self) -> str:
        given = (f"{name}={value.label}" for name, value in self.arguments.items())
        return f"{self.call.name}({', '.join(given)})"


def cases(number: int, seed: int) -> Iterator[Case]:
    """So many cases: each has at most two hostile arguments, as the first fault can hide the others."""
    chance, known = random.Random(seed), list(calls())
    weights = [1 + 3 * len(call.right) for call in known]
    for call in chance.choices(known, weights, k=number):
        required = {
            name
            for name, parameter in inspect.signature(call.function).parameters.items()
            if parameter.default is inspect.Parameter.empty
        }
        hostile = chance.sample(sorted(call.right), min(len(call.right), chance.choice([0, 1, 1, 1, 1, 2])))
        arguments = {}
        for name, right in call.right.items():
            if name in hostile:
                value = chance.choice(HOSTILE)
                if chance.random() < 0.2:
                    value = chance.choice(_collections(right, value))
                arguments[name] = value
            elif name in required or chance.random() < 0.25:
                arguments[name] = chance.choice(right)
        yield Case(call, arguments)


class Outcome(NamedTuple):
    """What came of a case."""

    kind: str
    text: str = ""


def outcome_of(case: Case, world: World) -> Outcome:
    """Refused or taken; or in what other way the case ended, which is a fault."""
    scope = case.arguments.get("scope")
    if scope and re.search("Stage>|of another", scope.label) and "Parameter>" in str(case):
        return Outcome("not made", "A text does not say where it is from, so CDK alone sees that it is of elsewhere.")
    try:
        function = case.call.of(world)
        arguments = {name: value.make(world) for name, value in case.arguments.items()}
    except Exception as error:  # the case itself cannot be made, such as a metric that CDK refuses
        return Outcome("not made", f"{type(error).__name__}: {error}")
    try:
        returned = function(**arguments)
    except (ValueError, TypeError) as error:
        fault = fault_of(str(error))
        return Outcome(fault or "refused", str(error))
    except Exception as error:
        return Outcome("other exception", f"{type(error).__name__}: {error}")
    try:
        _use(returned, world)
    except ValueError as error:  # of a destination, when a set of this stack is to publish to it
        return Outcome(fault_of(str(error)) or "refused", str(error))
    except Exception as error:
        return Outcome("taken, and of no use", f"{type(error).__name__}: {error}")
    try:
        world.app.synth()
    except Exception as error:
        return Outcome("taken, and no template", f"{type(error).__name__}: {error}")
    return Outcome("taken")


def _use(returned: Any, world: World) -> None:
    """Put what a call gave into the template, where it is nothing of its own."""
    if isinstance(returned, EventDestination):
        world.part("Publishing").add_destination("Used", returned)
    elif isinstance(returned, ParquetFormat):
        EventArchive(world.stack, "Used", format=returned)
    elif isinstance(returned, events.EventPattern):
        events.Rule(world.stack, "Used", event_pattern=returned)
    elif isinstance(returned, (cloudwatch.Metric, cloudwatch.MathExpression)):
        cloudwatch.Alarm(world.stack, "Used", metric=returned, threshold=1, evaluation_periods=1)


def fault_of(message: str) -> str | None:
    """What is wrong with a refusal: it must be lines that a person can read and act on."""
    lines = message.split("\n")
    if re.search(r"jsii|_reference_map|object at 0x|JavaScript|@aws-cdk|typeguard| at .*\.js", message):
        return "refused in words of CDK's insides"
    if not all(line.isprintable() for line in lines):
        return "refused with what cannot be printed"
    if len(message) > LONGEST_MESSAGE or any(len(line) > LONGEST_LINE for line in lines):
        return "refused too long"
    if not all(re.match(r".+: .+(; |\?).*", line) for line in lines):
        return "refused without a place or a fix"
    return None


class Found(NamedTuple):
    """What a run found."""

    counts: Counter[str]
    faults: dict[str, tuple[str, Case]]
    """A case of each fault, by the words of the fault without its values."""


def run(number: int, seed: int, folder: Path, **options: Any) -> Found:
    """Try so many cases; the templates of those that are taken are in the folder."""
    counts: Counter[str] = Counter()
    faults: dict[str, tuple[str, Case]] = {}
    templates: set[str] = set()
    for position, case in enumerate(cases(number, seed)):
        with tempfile.TemporaryDirectory() as assembly:
            world = World(assembly, **options)
            kind, text = outcome_of(case, world)
            counts[kind] += 1
            if kind == "taken":
                for each in Path(assembly).rglob("*.template.json"):
                    template = each.read_text()
                    # a call may leave a stack as it was: empty
                    if template not in templates and "Resources" in json.loads(template):
                        templates.add(template)
                        (folder / f"{position}-{each.name}").write_text(template)
            elif kind not in ("refused", "not made"):
                # one of each kind: by call, argument and words
                words = re.sub(r"'[^']*'|[0-9]+", "_", text)[-120:]
                faults.setdefault(f"{kind}: {case.call.name}: {words}", (text, case))
    return Found(counts, faults)


def lint(folder: Path) -> list[str]:
    """What cfn-lint says of the templates, many at a time."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    templates = sorted(map(str, folder.glob("*.template.json")))
    found = []
    for start in range(0, len(templates), 100):
        # W3005: the order of creation, on purpose. W7001: what CDK adds for an imported stream.
        config = ConfigMixIn(
            regions=["us-east-1"], ignore_checks=["W3005", "W7001"], templates=templates[start : start + 100]
        )
        found += [f"{match.filename}: {match.rule.id} {match.message}" for match in Runner(config).run()]
    return found


def main(number: int = 5000, seed: int = 1) -> None:
    """Print the counts and a case of each fault; exit with 1 where there is one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = run(number, seed, folder)
        told = [f"{key}\n    {case}\n    {text[:600]}" for key, (text, case) in sorted(found.faults.items())]
        by_position = {position: case for position, case in enumerate(cases(number, seed))}
        for line in lint(folder):
            position = int(Path(line.partition(":")[0]).name.partition("-")[0])
            told.append(f"cfn-lint: {line.partition(': ')[2][:300]}\n    {by_position[position]}")
            found.counts["taken, and cfn-lint complains"] += 1
        print("\n".join(told))
        print(f"seed {seed}: " + ", ".join(f"{count} {kind}" for kind, count in found.counts.most_common()))
    sys.exit(bool(told))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
