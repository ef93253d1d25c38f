"""Events as Parquet: the value that asks for it, and how Firehose converts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ses_events import prefix as prefixes
from ses_events.record.fields import JSON_KEYS
from ses_events.validation import check

if TYPE_CHECKING:
    from ses_events.location import Environment
    from ses_events.record.table import EventTable

DEFAULT_PARQUET_PREFIX = "parquet/dt=!{timestamp:yyyy-MM-dd}/"
"""A folder for each UTC day."""

READ_SCHEMA = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
"""What Firehose needs to read the schema of a table (Firehose developer guide, controlling access: AWS Glue)."""


class ParquetFormat:
    """Keep events as Parquet too: ``EventArchive(..., format=ParquetFormat())``.

    Firehose converts each event by the columns of a Glue table and writes columnar files, of which a query reads the
    columns it names only. The events as SES sent them stay where they are without this: Firehose backs them up there,
    because a field that the table lacks is not in the Parquet. Below some hundred events in a buffer Parquet is larger
    than gzip JSON, and Firehose bills the conversion; it pays for archives that are queried often.

    :param prefix: where the Parquet files go in the bucket: a folder for each day, outside the events' ``prefix``.
    :raises ValueError: when the prefix breaks a rule of Firehose or of Athena's partition projection.
    :raises TypeError: when it is no string.
    """

    def __init__(self, *, prefix: str = DEFAULT_PARQUET_PREFIX) -> None:
        check("ParquetFormat", prefixes.prefix("prefix", prefix), prefixes.table_prefix("prefix", prefix))
        self.prefix = prefix
        """Where the Parquet files go."""


def converted(destination: dict[str, Any], table: EventTable, here: Environment) -> dict[str, Any]:
    """The S3 destination of a stream, converting to Parquet, with what it was before as the backup."""
    conversion = {
        "Enabled": True,
        "InputFormatConfiguration": {
            # CaseInsensitive would lower-case the names of tags, which are the users' own.
            "Deserializer": {"OpenXJsonSerDe": {"CaseInsensitive": False, "ColumnToJsonKeyMappings": JSON_KEYS}}
        },
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
        "SchemaConfiguration": {
            "RoleARN": destination["RoleARN"],
            "CatalogId": here.account,
            "DatabaseName": table.database_name,
            "TableName": table.table_name,
            "Region": here.region,
            "VersionId": "LATEST",
        },
    }
    return destination | {
        "Prefix": table.prefix,
        "CompressionFormat": "UNCOMPRESSED",  # Parquet compresses its pages itself
        "FileExtension": ".parquet",
        "DataFormatConversionConfiguration": conversion,
        "S3BackupMode": "Enabled",
        "S3BackupConfiguration": {name: value for name, value in destination.items() if name != "FileExtension"},
    }
