"""What Athena accepts: a function a rule, whose docstring ends with the source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.archive import rules as archive_rules
from ses_events.location import environment_of, same_app, same_place
from ses_events.prefix import table_prefix
from ses_events.record.stored_events import StoredEvents
from ses_events.validation import ENDLESS, Range, first_of, interface

if TYPE_CHECKING:
    from ses_events.archive.archive import EventArchive


BYTES_SCANNED_CUTOFF = Range(10_000_000, ENDLESS, "bytes", source="Athena API, WorkGroupConfiguration")


def analysed_archive(argument: str, value: EventArchive | StoredEvents, stack: cdk.Stack) -> Iterator[str]:
    """An archive of the account and region of the stack, with a folder for each day, whose files begin with neither _
    nor .; or ``StoredEvents`` in a bucket of the region (Athena user guide).
    """
    if isinstance(value, StoredEvents):
        yield from archive_rules.bucket(f"{argument}.bucket", value.bucket, stack)
        return
    yield from interface(argument, value, "table_prefix", "an EventArchive, or StoredEvents")
    yield from first_of(same_place(argument, environment_of(value.stack), stack), same_app(argument, value, stack))
    yield from table_prefix(f"{argument}.prefix", value.table_prefix)
    begin = (value.table_prefix.rpartition("/")[2] + value.delivery_stream_name)[:1]  # the names of Firehose's files
    if begin in ("_", "."):
        yield (
            f"{argument} has files whose names begin with {begin!r}, which Athena takes for hidden; change its "
            "delivery_stream_name, or what follows the last '/' of its prefix"
        )
