"""What Athena accepts: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.location import environment_of, same_place
from ses_events.prefix import table_prefix
from ses_events.validation import amount, interface, option

if TYPE_CHECKING:
    from ses_events.archive.archive import EventArchive


def bytes_scanned_cutoff(argument: str, value: cdk.Size | None) -> Iterator[str]:
    """At least 10 MB, in whole bytes (Athena API, WorkGroupConfiguration)."""
    yield from option(argument, value, cdk.Size, "cdk.Size.gibibytes(100)")
    yield from amount(argument, value, cdk.Size.to_bytes, 10_000_000, 2**53 - 1, "bytes")


def analysed_archive(argument: str, value: EventArchive, stack: cdk.Stack) -> Iterator[str]:
    """An archive of the account and region of the stack, with a folder for each day, whose files begin with neither _
    nor . (Athena user guide).
    """
    yield from interface(argument, value, "table_prefix", "an EventArchive")
    yield from same_place(argument, environment_of(value.stack), stack)
    yield from table_prefix(f"{argument}.prefix", value.table_prefix)
    begin = (value.table_prefix.rpartition("/")[2] + value.delivery_stream_name)[:1]  # the names of Firehose's files
    if begin in ("_", "."):
        yield (
            f"{argument} has files whose names begin with {begin!r}, which Athena takes for hidden; change its "
            "delivery_stream_name, or what follows the last '/' of its prefix"
        )
