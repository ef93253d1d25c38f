"""What SES, CloudWatch, Firehose and S3 accept: one rule a function, yielding a line for every way a value breaks it.

A line says the argument, the value, the rule and the fix; ``check`` puts the place in front. A value that is known at
deployment only (a CDK token) fits no pattern or range, so a rule asks whether it sees one only when it would refuse.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import TypeVar

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

MATCHING_EVENT_TYPES = {
    ses.EmailSendingEvent.SEND: "send",
    ses.EmailSendingEvent.REJECT: "reject",
    ses.EmailSendingEvent.BOUNCE: "bounce",
    ses.EmailSendingEvent.COMPLAINT: "complaint",
    ses.EmailSendingEvent.DELIVERY: "delivery",
    ses.EmailSendingEvent.OPEN: "open",
    ses.EmailSendingEvent.CLICK: "click",
    ses.EmailSendingEvent.RENDERING_FAILURE: "renderingFailure",
    ses.EmailSendingEvent.DELIVERY_DELAY: "deliveryDelay",
    ses.EmailSendingEvent.SUBSCRIPTION: "subscription",
}
"""Each event as MatchingEventTypes spells it (CloudFormation's schema has no list of them: a typo fails at deploy)."""

DIMENSION_VALUE_SOURCES = {
    ses.CloudWatchDimensionSource.MESSAGE_TAG: "messageTag",
    ses.CloudWatchDimensionSource.EMAIL_HEADER: "emailHeader",
    ses.CloudWatchDimensionSource.LINK_TAG: "linkTag",
}
"""Each source of a dimension's value as DimensionValueSource spells it."""

_HEADERS_SES_REFUSES = {"received", "to", "from", "dkim-signature", "cc", "message-id", "return-path"}
_ERROR_OUTPUT_TYPE = "!{firehose:error-output-type}"

_T = TypeVar("_T")


def check(where: str | tuple[Construct, str], *rules: Iterable[str]) -> None:
    """Refuse the arguments of one call, all problems at once.

    :param where: the class of a plain value, or the scope and id of a construct: its path starts every line.
    :raises ValueError: when a rule yields a problem; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """
    try:
        problems = [problem for rule in rules for problem in rule]
    except TypeError as error:
        raise TypeError(f"{_place(where)}: {error}") from None
    if problems:
        raise ValueError("\n".join(f"{_place(where)}: {problem}" for problem in problems))


def instance(argument: str, value: object, expected: type | UnionType, fix: str) -> Iterator[str]:
    """A value of the expected type; ``fix`` says what to give instead."""
    if not isinstance(value, expected):
        raise TypeError(f"{argument} {value!r} is of type {type(value).__name__}; use {fix}")
    yield from ()


def one_of(argument: str, value: object, known: Collection[str]) -> Iterator[str]:
    """One of the words in a list."""
    if value not in known:
        yield f"{argument} {value!r} is unknown; {_did_you_mean(str(value), known)}"


def name(argument: str, value: str | None) -> Iterator[str]:
    """A configuration set or event destination: 1-64 of A-Z a-z 0-9 _ - (CloudFormation schema, SES quotas)."""
    return _text(argument, value, 64, "A-Z a-z 0-9 _ -", "my-set")


def delivery_stream_name(argument: str, value: str | None) -> Iterator[str]:
    """1-64 of A-Z a-z 0-9 . _ - (Firehose API; the pattern of CloudFormation's schema is not anchored)."""
    return _text(argument, value, 64, "A-Z a-z 0-9 . _ -", "ses-events")


def option(argument: str, value: object, expected: type, fix: str) -> Iterator[str]:
    """A value of the expected type, or None: the default."""
    if value is not None:
        yield from instance(argument, value, expected, fix)


def destination_id(construct_id: str, taken: Collection[str]) -> Iterator[str]:
    """A construct id that is new in its scope."""
    yield from instance("construct_id", construct_id, str, "a string such as 'ToArchive'")
    if not construct_id:
        yield "construct_id is empty; use a short one that says the purpose, such as 'ToArchive'"
    elif construct_id in taken:
        yield f"construct_id {construct_id!r} is taken in this scope; use another one"


def destination_name(value: str | None, others: Collection[str | None]) -> Iterator[str]:
    """At most 10 event destinations a configuration set, with different names (SES developer guide, quotas)."""
    yield from name("name", value)
    if value is not None and value in others:
        yield f"name {value!r} belongs to another event destination of this configuration set; use another one"
    if len(others) >= 10:
        yield "this would be event destination 11, and SES takes 10 for a configuration set; use a second set"


def events(argument: str, value: Collection[ses.EmailSendingEvent]) -> Iterator[str]:
    """At least one ``ses.EmailSendingEvent`` (SES refuses a destination that matches no event)."""
    yield from _several(argument, value, "[ses.EmailSendingEvent.SEND]")
    for position, event in enumerate(value):
        names = [known.name for known in MATCHING_EVENT_TYPES]
        meant = difflib.get_close_matches(str(event).upper(), names, 1) or names
        at = f"{argument}[{position}]"
        yield from instance(at, event, ses.EmailSendingEvent, f"ses.EmailSendingEvent.{meant[0]}")
    if not value:
        yield f"{argument} is empty, and SES takes no destination without events; name one or leave the argument out"


def dimensions(argument: str, value: Sequence[ses.CloudWatchDimension]) -> Iterator[str]:
    """1-10 dimensions with different names for a CloudWatch destination (SES developer guide, quotas)."""
    example = "ses.CloudWatchDimension(name=..., default_value=..., source=...)"
    yield from _several(argument, value, f"[{example}]")
    if not 1 <= len(value) <= 10:
        yield f"{argument} has {len(value)} entries; give a CloudWatch destination 1-10"
    names = set()
    for position, dimension in enumerate(value):
        yield from instance(f"{argument}[{position}]", dimension, ses.CloudWatchDimension, example)
        yield from dimension_name(f"{argument}[{position}].name", dimension.name, dimension.source)
        yield from dimension_default_value(f"{argument}[{position}].default_value", dimension.default_value)
        if dimension.name in names:
            yield f"{argument}[{position}].name {dimension.name!r} is there already; give each dimension another name"
        names.add(dimension.name)


def dimension_name(argument: str, value: str, source: ses.CloudWatchDimensionSource) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ : - (CloudFormation schema), and no header that SES reserves (SES developer guide)."""
    yield from _text(argument, value, 256, "A-Z a-z 0-9 _ : -", "campaign")
    if source == ses.CloudWatchDimensionSource.EMAIL_HEADER and value.lower() in _HEADERS_SES_REFUSES:
        yield f"{argument} {value!r} is a header SES takes no dimension from; use another header or a message tag"


def dimension_default_value(argument: str, value: str) -> Iterator[str]:
    """1-256 of A-Z a-z 0-9 _ - (CloudFormation schema, which refuses the @ and . that the SES API takes)."""
    return _text(argument, value, 256, "A-Z a-z 0-9 _ -", "unknown")


def metric_dimensions(argument: str, value: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    """A value for exactly the dimensions a metric was published with (CloudWatch reads no metric by a part of them)."""
    yield from instance(argument, value, Mapping, f"a mapping such as {dict.fromkeys(names, '...')}")
    for missing in [wanted for wanted in names if wanted not in value]:
        yield f"{argument} lacks {missing!r}; the metric carries all of {list(names)}, so give a value for each"
    for unknown in [given for given in value if given not in names]:
        yield f"{argument} has {unknown!r}, which the metric does not carry; {_did_you_mean(unknown, names)}"


def buffering_interval(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """0-900 whole seconds (Firehose API, BufferingHints)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.seconds(300)")
    yield from _amount(argument, value, cdk.Duration.to_seconds, 0, 900, "seconds")


def buffering_size(argument: str, value: cdk.Size | None) -> Iterator[str]:
    """1-128 whole MiB (Firehose API, BufferingHints)."""
    yield from option(argument, value, cdk.Size, "cdk.Size.mebibytes(64)")
    yield from _amount(argument, value, cdk.Size.to_mebibytes, 1, 128, "MiB")


def expiration(argument: str, value: cdk.Duration | None) -> Iterator[str]:
    """1-2147483647 whole days (S3 API, LifecycleExpiration)."""
    yield from option(argument, value, cdk.Duration, "cdk.Duration.days(365)")
    yield from _amount(argument, value, cdk.Duration.to_days, 1, 2147483647, "days")


def prefix(argument: str, value: str, error_output_prefix: str) -> Iterator[str]:
    """At most 1024 characters, expressions Firehose knows, no errors inside (Firehose guide, custom prefixes)."""
    yield from _expressions(argument, value, 1024)
    if _ERROR_OUTPUT_TYPE in value:
        yield f"{argument} {value!r} has {_ERROR_OUTPUT_TYPE}, which Firehose takes for errors only; leave it out"
    folder = value.partition("!{")[0]
    if folder and str(error_output_prefix).startswith(folder) and not cdk.Token.is_unresolved(value):
        yield (
            f"{argument} {value!r} covers the errors in {error_output_prefix!r}, which would be read as events; "
            "use different folders such as 'events/' and 'errors/'"
        )


def error_output_prefix(argument: str, value: str) -> Iterator[str]:
    """At most 512 characters, expressions Firehose knows, the type of the error (Firehose guide, custom prefixes)."""
    yield from _expressions(argument, value, 512)
    if _ERROR_OUTPUT_TYPE not in value and not cdk.Token.is_unresolved(value):
        yield f"{argument} {value!r} lacks {_ERROR_OUTPUT_TYPE}, which Firehose requires; add it"


def oddities_of_prefix(value: str) -> Iterator[tuple[str, str]]:
    """What Firehose accepts in a prefix and hardly anybody wants: the id of a warning and its text."""
    if cdk.Token.is_unresolved(value):
        return
    if value and not value.endswith("/"):
        yield "prefix-without-slash", f"prefix {value!r} has no '/' at its end, so keys run into it; add '/'"
    if value.startswith("/"):
        yield "prefix-leading-slash", f"prefix {value!r} starts with '/', which makes a nameless folder; leave it out"
    if re.search(r"!\{timestamp:[^}]*(YYYY|DD)", value):
        yield "prefix-week-year", f"prefix {value!r} has YYYY (week-year) or DD (day of year); use yyyy and dd"


def _place(where: str | tuple[Construct, str]) -> str:
    return where if isinstance(where, str) else "/".join(filter(None, (where[0].node.path, where[1])))


def _text(argument: str, value: str | None, longest: int, characters: str, example: str) -> Iterator[str]:
    if value is None:
        return
    yield from instance(argument, value, str, f"a string such as {example!r}")
    allowed = characters.replace(" ", "")
    if re.fullmatch(f"[{allowed}]{{1,{longest}}}", value) or cdk.Token.is_unresolved(value):
        return
    strange = re.search(f"[^{allowed}]", value)
    if not value:
        fault = "is empty"
    elif strange:
        fault = "has a space" if strange[0] == " " else f"has {strange[0]!r}"
    else:
        fault = f"has {len(value)} characters"
    yield f"{argument} {value!r} {fault}; use 1-{longest} of {characters}, for example {example!r}"


def _several(argument: str, value: object, example: str) -> Iterator[str]:
    """A list or another collection, and not a string, which is one too."""
    if isinstance(value, str):
        yield from instance(argument, value, list, f"a list such as {example}")
    yield from instance(argument, value, Collection, f"a list such as {example}")


def _amount(
    argument: str, value: _T | None, convert: Callable[[_T], float], least: int, most: int, unit: str
) -> Iterator[str]:
    if value is None:
        return
    rule = f"use {least}-{most} whole {unit}"
    try:
        amount = convert(value)
    except RuntimeError as error:  # how CDK says that a Duration or Size is no whole number of a unit
        yield f"{argument} {str(error).partition(': ')[2].rstrip('.')}; {rule}"
        return
    if not least <= amount <= most and not cdk.Token.is_unresolved(amount):
        yield f"{argument} {amount:.0f} {unit} is out of range; {rule}"


def _expressions(argument: str, value: str, longest: int) -> Iterator[str]:
    yield from instance(argument, value, str, "a string such as 'events/'")
    if cdk.Token.is_unresolved(value):
        return
    if len(value) > longest:
        yield f"{argument} has {len(value)} characters; use at most {longest}"
    for expression in re.findall(r"!\{[^}]*\}?", value):
        namespace, _, pattern = expression[2:].rstrip("}").partition(":")
        if not expression.endswith("}"):
            yield f"{argument} {value!r} has {expression!r} without its '}}'; add it"
        elif namespace in ("partitionKeyFromQuery", "partitionKeyFromLambda"):
            yield f"{argument} {value!r} has {expression}, which needs dynamic partitioning; use !{{timestamp:...}}"
        elif namespace not in ("timestamp", "firehose"):
            yield f"{argument} {value!r} has {expression}; {_did_you_mean(namespace, ('timestamp', 'firehose'))}"
        elif namespace == "firehose":
            for problem in one_of(expression, pattern, ("error-output-type", "random-string")):
                yield f"{argument} {value!r} has {problem}"
        elif not pattern:
            yield f"{argument} {value!r} has {expression} without a pattern; use for example !{{timestamp:yyyy-MM-dd}}"


def _did_you_mean(value: str, known: Collection[str]) -> str:
    closest = difflib.get_close_matches(value, known, 1)
    return f"did you mean {closest[0]!r}?" if closest else f"use one of {', '.join(known)}"
