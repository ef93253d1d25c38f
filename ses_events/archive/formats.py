"""How events are kept, as values that say what a stream, its role, its alarms and a table make of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import aws_cdk as cdk
from aws_cdk import aws_kinesisfirehose as firehose

from ses_events import prefix as prefixes
from ses_events.location import Environment, environment_of
from ses_events.policies import Statement, allow
from ses_events.record.fields import JSON_KEYS
from ses_events.record.stored_events import StoredEvents
from ses_events.record.table import EventTable
from ses_events.validation import Range, check

if TYPE_CHECKING:
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

BUFFERING_SIZE = Range(1, 128, "MiB", source="Firehose API, BufferingHints", note="with Parquet 64-128")
CONVERTED_BUFFERING_SIZE = Range(64, 128, "MiB", source="Firehose developer guide, record format conversion")

DEFAULT_PARQUET_PREFIX = "parquet/dt=!{timestamp:yyyy-MM-dd}/"
"""A folder for each UTC day."""

_READ_SCHEMA = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
"""What Firehose needs to read the schema of a table (Firehose developer guide, controlling access: AWS Glue)."""


@dataclass(frozen=True)
class BoundFormat:
    """What the destination of an archive's stream needs to write a format."""

    table_prefix: str
    """The prefix of the events in the format for queries."""

    table: EventTable | None
    """The table by which Firehose converts, made before the stream."""

    statements: list[Statement]
    """What the role of the stream needs besides."""

    destination: Callable[[dict[str, Any]], dict[str, Any]]
    """The extended S3 destination, from the plain one that writes JSON."""


class EventFormat(ABC):
    """How an archive keeps events: ``JsonFormat`` or ``ParquetFormat``."""

    buffering_size: ClassVar[Range]
    """What a stream may collect before it writes a file."""

    default_buffering_size: ClassVar[int]
    """What it collects at most by default, in MiB."""

    converts: ClassVar[bool]
    """Whether Firehose converts the events, and backs the JSON up, which has metrics of its own."""

    def problems(self, argument: str, prefix: str) -> Iterable[str]:
        """Return why no archive with this prefix can keep events so."""
        return ()

    def prefix_oddities(self, argument: str, error_output_prefix: str) -> Iterable[tuple[str, str]]:
        """Return the warnings about the prefixes of the format, by id."""
        return ()

    @abstractmethod
    def bind(self, scope: Construct, bucket: s3.IBucket, prefix: str) -> BoundFormat:
        """Make what the format needs (``EventArchive`` calls it)."""


class JsonFormat(EventFormat):
    """Keep events as JSON alone, as SES sent them: ``EventArchive(..., format=JsonFormat())``, which is the default."""

    buffering_size = BUFFERING_SIZE
    """What a stream may collect before it writes a file."""
    default_buffering_size = 64
    """64 MiB."""
    converts = False
    """The events stay as SES sent them."""

    def bind(self, scope: Construct, bucket: s3.IBucket, prefix: str) -> BoundFormat:
        """Make nothing (``EventArchive`` calls it)."""
        return BoundFormat(prefix, None, [], lambda json: json | {"file_extension": ".json.gz"})


class ParquetFormat(EventFormat):
    """Keep events as Parquet too: ``EventArchive(..., format=ParquetFormat())``.

    Firehose converts each event by the columns of a Glue table and writes columnar files, of which a query reads the
    columns it names only. The events as SES sent them stay where they are without this: Firehose backs them up there,
    because a field that the table lacks is not in the Parquet. Below some hundred events in a buffer Parquet is larger
    than gzip JSON, and Firehose bills the conversion; it pays for archives that are queried often.

    :param prefix: where the Parquet files go in the bucket: a folder for each day, outside the events' ``prefix``.
    :raises ValueError: when the prefix breaks a rule of Firehose or of Athena's partition projection.
    :raises TypeError: when it is not a string.
    """

    buffering_size = CONVERTED_BUFFERING_SIZE
    """What a stream that converts may collect before it writes a file."""
    default_buffering_size = 128
    """128 MiB."""
    converts = True
    """The events are converted, and the JSON has metrics of its own."""

    def __init__(self, *, prefix: str = DEFAULT_PARQUET_PREFIX) -> None:
        check("ParquetFormat", prefixes.prefix("prefix", prefix), prefixes.table_prefix("prefix", prefix))
        self.prefix = prefix
        """Where the Parquet files go."""

    def problems(self, argument: str, prefix: str) -> Iterable[str]:
        """Return why no archive with this prefix can keep events so."""
        yield from prefixes.prefix(f"{argument}.prefix", self.prefix)
        folder, other = (str(each).partition("!{")[0] for each in (self.prefix, prefix))
        if folder.startswith(other) or other.startswith(folder):
            yield (
                f"{argument}.prefix {self.prefix!r} and prefix {prefix!r} overlap, but a table reads one format; use "
                "different folders such as 'parquet/' and 'events/'"
            )

    def prefix_oddities(self, argument: str, error_output_prefix: str) -> Iterable[tuple[str, str]]:
        """Return the warnings about the prefixes of the format, by id.

        :param argument: the name of the argument that has the format.
        :param error_output_prefix: where errors go.
        """
        return prefixes.oddities_of_both_prefixes(f"{argument}.prefix", self.prefix, error_output_prefix)

    def bind(self, scope: Construct, bucket: s3.IBucket, prefix: str) -> BoundFormat:
        """Make the table by which Firehose converts (``EventArchive`` calls it)."""
        table = EventTable(scope, "Table", events=StoredEvents(bucket, self.prefix, parquet=True))
        here = environment_of(cdk.Stack.of(scope))
        return BoundFormat(
            self.prefix,
            table,
            [allow(_READ_SCHEMA, *table.arns, sid="Schema")],
            lambda json: (
                json
                | {
                    "prefix": self.prefix,
                    "compression_format": "UNCOMPRESSED",  # Parquet compresses its pages itself
                    "file_extension": ".parquet",
                    "data_format_conversion_configuration": _conversion(table, here, json["role_arn"]),
                    "s3_backup_mode": "Enabled",
                    "s3_backup_configuration": firehose.CfnDeliveryStream.S3DestinationConfigurationProperty(**json),
                }
            ),
        )


def _conversion(
    table: EventTable, here: Environment, role_arn: str
) -> firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty:
    """From JSON to Parquet by the columns of a table."""
    return firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty(
        enabled=True,
        input_format_configuration=firehose.CfnDeliveryStream.InputFormatConfigurationProperty(
            deserializer=firehose.CfnDeliveryStream.DeserializerProperty(
                # case_insensitive would lower-case the names of tags, which are the users' own.
                open_x_json_ser_de=firehose.CfnDeliveryStream.OpenXJsonSerDeProperty(
                    case_insensitive=False, column_to_json_key_mappings=JSON_KEYS
                )
            )
        ),
        output_format_configuration=firehose.CfnDeliveryStream.OutputFormatConfigurationProperty(
            serializer=firehose.CfnDeliveryStream.SerializerProperty(
                parquet_ser_de=firehose.CfnDeliveryStream.ParquetSerDeProperty(compression="SNAPPY")
            )
        ),
        schema_configuration=firehose.CfnDeliveryStream.SchemaConfigurationProperty(
            role_arn=role_arn,
            catalog_id=here.account,
            database_name=table.database_name,
            table_name=table.table_name,
            region=here.region,
            version_id="LATEST",
        ),
    )
