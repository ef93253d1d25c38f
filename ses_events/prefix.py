"""A Firehose prefix: its grammar, the day folder that a table needs, and what is legal but seldom meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

import aws_cdk as cdk

from ses_events.record.layout import layout_of
from ses_events.tokens import TOKEN
from ses_events.validation import instance
from ses_events.wording import did_you_mean

_ERROR_OUTPUT_TYPE = "!{firehose:error-output-type}"
_RANDOM_STRING = "!{firehose:random-string}"

_NO_PATTERN_LETTER = re.compile("[CIJPRTUbfijlort{#']")
"""What no pattern of Java's DateTimeFormatter has outside quoted text."""


def prefix(argument: str, value: str) -> Iterator[str]:
    """At most 1024 characters, and expressions that Firehose knows (Firehose developer guide, custom prefixes)."""
    yield from _expressions(argument, value, 1024, _RANDOM_STRING)
    if _ERROR_OUTPUT_TYPE in value:
        yield f"{argument} {value!r} has {_ERROR_OUTPUT_TYPE}, which Firehose takes for errors only; leave it out"


def table_prefix(argument: str, value: str) -> Iterator[str]:
    """A folder for each UTC day, by ``yyyy``, ``MM`` and ``dd`` in this order before any other expression, or by what
    Firehose appends to a prefix without one; a token cannot hide it. No folder without a name (Athena user guide,
    partition projection and table location).
    """
    if not isinstance(value, str):  # of which the rule of prefixes tells
        return
    written = TOKEN.sub("token", value)
    layout = layout_of(value)
    if not layout and written != value:
        yield f"{argument} is known at deployment only, but a table needs its folders for days at synth; write them out"
    elif not layout:
        yield (
            f"{argument} {value!r} has no folder for each day, as a table needs; "
            "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'"
        )
    elif written.startswith("/") or "//" in written:
        yield f"{argument} {value!r} has a folder without a name, which Athena does not read; take a '/' out"


def error_output_prefix(argument: str, value: str, prefix_of_events: str) -> Iterator[str]:
    """At most 512 characters; with an expression, the error type too; not empty where the prefix of the events has an
    expression (Firehose developer guide, custom prefixes).
    """
    problems = list(_expressions(argument, value, 512, f"{_ERROR_OUTPUT_TYPE} or {_RANDOM_STRING}"))
    yield from problems
    if not problems and "!{" in value and _ERROR_OUTPUT_TYPE not in value and not cdk.Token.is_unresolved(value):
        yield (
            f"{argument} {value!r} has an expression and lacks {_ERROR_OUTPUT_TYPE}, which Firehose then requires; add "
            "it, or use a plain prefix such as 'errors/'"
        )
    if not value and "!{" in str(prefix_of_events):
        yield f"{argument} is empty, which Firehose takes only where prefix has no expression; use 'errors/'"


def oddities_of_prefix(argument: str, value: str) -> Iterator[tuple[str, str]]:
    """Yield the id and text of a warning for what Firehose accepts in a prefix and is seldom meant."""
    if re.search(r"(?<!!)\{(timestamp|firehose|partitionKeyFrom\w+):", value):
        yield (
            "ses-events:prefix-plain-braces",
            f"{argument} {value!r} has an expression without '!', which Firehose writes into the key as it is; use "
            "'!{' for '{'",
        )
    if word := re.search("%[YymdHMj]", value):
        yield (
            "ses-events:prefix-strftime",
            f"{argument} {value!r} has {word[0]!r}, which Firehose writes into the key as it is; use an expression "
            "such as '!{timestamp:yyyy-MM-dd}'",
        )
    if value and not value.endswith("/") and not cdk.Token.is_unresolved(value):
        yield (
            "ses-events:prefix-without-slash",
            f"{argument} {value!r} has no '/' at its end, so the rest of each key follows it directly; add '/'",
        )
    if value.startswith("/"):
        yield (
            "ses-events:prefix-leading-slash",
            f"{argument} {value!r} starts with '/', which makes a nameless folder; leave it out",
        )
    if re.search(r"!\{timestamp:[^}]*(YY|DD)", value):
        yield (
            "ses-events:prefix-week-year",
            f"{argument} {value!r} has YYYY (week-year) or DD (day of year); use yyyy and dd",
        )


def oddities_of_both_prefixes(argument: str, prefix: str, error_output_prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the id and text of a warning where errors lie among the events."""
    fixed = prefix.partition("!{")[0]
    if error_output_prefix.startswith(fixed) and not TOKEN.fullmatch(fixed):
        yield (
            "ses-events:errors-among-events",
            f"{argument} {prefix!r} covers the errors in {error_output_prefix!r}: whoever reads all events reads the "
            "errors too; use different folders such as 'events/' and 'errors/'",
        )


def _expressions(argument: str, value: str, longest: int, of_firehose: str) -> Iterator[str]:
    yield from instance(argument, value, str, "a string such as 'events/'")
    problems = list(_problems_of_expressions(argument, value, longest, of_firehose))
    if problems and not cdk.Token.is_unresolved(value):
        yield from problems


def _problems_of_expressions(argument: str, value: str, longest: int, of_firehose: str) -> Iterator[str]:
    if len(value) > longest:
        yield f"{argument} has {len(value)} characters; use at most {longest}"
    for expression in re.findall(r"!\{(?:(?!!\{)[^}])*\}?", value):
        namespace, _, pattern = expression[2:].rstrip("}").partition(":")
        if not expression.endswith("}"):
            yield f"{argument} {value!r} has {expression!r} without its '}}'; add it"
        elif namespace in ("partitionKeyFromQuery", "partitionKeyFromLambda"):
            yield f"{argument} {value!r} has {expression!r}, which needs dynamic partitioning; use !{{timestamp:...}}"
        elif namespace not in ("timestamp", "firehose"):
            yield f"{argument} {value!r} has {expression!r}; {did_you_mean(namespace, ('timestamp', 'firehose'))}"
        elif namespace == "firehose":
            if expression not in (_ERROR_OUTPUT_TYPE, _RANDOM_STRING):
                yield f"{argument} {value!r} has {expression!r}, which Firehose does not know; use {of_firehose}"
        elif not pattern:
            yield f"{argument} {value!r} has {expression!r} without a pattern; use !{{timestamp:yyyy-MM-dd}}"
        elif strange := _NO_PATTERN_LETTER.search(re.sub("'[^']*'", "", pattern)):
            yield (
                f"{argument} {value!r} has {expression!r}, where {strange[0]!r} means nothing to Java's "
                "DateTimeFormatter; put text between single quotes, or outside the expression"
            )
