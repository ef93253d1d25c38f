"""Events that lie in a bucket, whoever wrote them there: where, and in which format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ses_events import prefix as grammar
from ses_events.record.layout import EXPRESSION_OF_TIME, Layout, layout_of, merged
from ses_events.tokens import TOKEN
from ses_events.validation import check, instance, interface

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3


def stored_prefixes(values: Sequence[str]) -> Iterator[str]:
    """Prefixes that all have the same folder for each UTC day; they differ before it, none lies in another one, and no
    file begins with _ or . (Athena user guide, partition projection).
    """
    if not values:
        yield "prefixes are missing; give that of the delivery stream, '' where it has none"
    for value in values:
        yield from grammar.prefix("prefix", value)
        yield from grammar.table_prefix("prefix", value)
        begin = value.rpartition("/")[2][:1]
        if begin in ("_", ".") and not TOKEN.search(value):
            yield (
                f"prefix {value!r} makes names that begin with {begin!r}, which Athena takes for hidden; "
                "such objects have to be copied to other names"
            )
    layouts = [layout_of(value) for value in values]
    if len(values) > 1 and all(layouts):
        try:
            merged([layout for layout in layouts if layout])
        except ValueError as error:
            yield f"prefixes {', '.join(map(repr, values))} {error}"


class StoredEvents:
    """Events that Firehose writes to a bucket without an ``EventArchive`` of this app.

    ``EventAnalytics(self, "Analytics", archive=StoredEvents(bucket, "ses"))`` asks them what it asks an archive.

    :param bucket: where they are.
    :param prefixes: what Firehose writes them with, as the delivery stream has it, ``""`` where that has none. The
        table needs a folder for each UTC day: ``events/dt=!{timestamp:yyyy-MM-dd}/``, ``!{timestamp:yyyy/MM/dd}/`` and
        ``year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/`` are some; a prefix without an expression
        has one, since Firehose appends ``yyyy/MM/dd/HH/``. Several prefixes, as of accounts or regions, differ in what
        comes before the day, and are one table with a partition ``origin`` more.
    :param parquet: whether the files are Parquet, as ``ParquetFormat`` makes them. Default: JSON, gzip or not.
    :raises ValueError: when there is no prefix, or when Athena cannot project its days.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(self, bucket: s3.IBucket, *prefixes: str, parquet: bool = False) -> None:
        check(
            "StoredEvents",
            interface("bucket", bucket, "bucket_arn", "an s3.Bucket, or an imported one"),
            stored_prefixes(prefixes),
            instance("parquet", parquet, bool, "True or False"),
        )
        self.bucket = bucket
        """Where they are."""

        self.prefixes = prefixes
        """What Firehose writes them with."""

        self.parquet = parquet
        """Whether they are Parquet, or else JSON."""

    @property
    def beginnings(self) -> list[str]:
        """What the names of objects begin with, for permissions: where Firehose appends the year, with its century."""
        return [each if EXPRESSION_OF_TIME in each else f"{each}20" for each in self.prefixes]

    @property
    def layout(self) -> Layout:
        """Where their days are."""
        return merged([layout for layout in map(layout_of, self.prefixes) if layout])
