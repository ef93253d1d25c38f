"""The Glue table over stored events, with a partition for each UTC day that nobody has to add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from constructs import Construct

from ses_events.location import environment_of
from ses_events.record.fields import COLUMNS
from ses_events.record.layout import Layout

if TYPE_CHECKING:
    from aws_cdk import aws_glue as glue

    from ses_events.record.stored_events import StoredEvents

_JSON: dict[str, Any] = {
    "classification": "json",
    "compression": "gzip",
    "serialization_library": "org.apache.hive.hcatalog.data.JsonSerDe",
    "input_format": "org.apache.hadoop.mapred.TextInputFormat",
    "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
"""How Athena reads gzip JSON. The OpenX SerDe would not do: it fails on two tags whose names differ in case only."""

_PARQUET: dict[str, Any] = {
    "classification": "parquet",
    "compression": "snappy",
    "serialization_library": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "input_format": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "output_format": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
}
"""How Athena reads Parquet."""

_FIRST_YEAR = 2016
"""When SES began to publish events: no table leaves any out."""


class EventTable(Construct):
    """A Glue database with one table, ``events``, whose columns are the fields of an event.

    In the template: an ``AWS::Glue::Database`` by a name derived from the path of the scope, and an
    ``AWS::Glue::Table``. Athena works out the table's partitions itself (partition projection): ``dt`` is a day of UTC
    up to today, ``hour`` an hour of it where that has a folder, and ``origin`` what tells several prefixes apart.

    :param events: what the table reads.
    """

    def __init__(self, scope: Construct, construct_id: str, *, events: StoredEvents) -> None:
        super().__init__(scope, construct_id)
        here = environment_of(cdk.Stack.of(self))
        self.database_name = derived_name(scope)
        """The name of the database."""
        self.table_name = "events"
        """The name of the table."""
        self.events = events
        """What the table reads."""
        self.database = cdk.aws_glue.CfnDatabase(
            self,
            "Database",
            catalog_id=here.account,
            database_input=cdk.aws_glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description="Events of Amazon SES"
            ),
        )
        """The ``AWS::Glue::Database``."""
        self.table = cdk.aws_glue.CfnTable(
            self,
            "Table",
            catalog_id=here.account,
            database_name=self.database.ref,
            table_input=_table_input(self.table_name, events),
        )
        """The ``AWS::Glue::Table``."""
        self.arns = [
            here.arn("glue", resource)
            for resource in (
                "catalog",
                f"database/{self.database_name}",
                f"table/{self.database_name}/{self.table_name}",
            )
        ]
        """The ARNs of the catalog, the database and the table: Glue asks for all three (Glue developer guide)."""


def _table_input(name: str, events: StoredEvents) -> glue.CfnTable.TableInputProperty:
    of = cdk.aws_glue.CfnTable
    layout, storage = events.layout, _PARQUET if events.parquet else _JSON
    place = events.bucket.s3_url_for_object
    return of.TableInputProperty(
        name=name,
        description="Events of Amazon SES, a row each; dt is the UTC day they arrived",
        table_type="EXTERNAL_TABLE",
        parameters={
            "classification": storage["classification"],
            "compressionType": storage["compression"],
            "projection.enabled": "true",
            "storage.location.template": place(layout.folder),
            **{f"projection.{name}": value for name, value in _projection(layout).items()},
        },
        partition_keys=[of.ColumnProperty(name=name, type=kind) for name, kind in layout.partitions.items()],
        storage_descriptor=of.StorageDescriptorProperty(
            columns=[of.ColumnProperty(name=name, type=kind) for name, kind in COLUMNS.items()],
            location=place(layout.before.partition("${origin}")[0].rpartition("/")[0] + "/"),
            input_format=storage["input_format"],
            output_format=storage["output_format"],
            serde_info=of.SerdeInfoProperty(serialization_library=storage["serialization_library"]),
        ),
    )


def _projection(layout: Layout) -> dict[str, str]:
    """How Athena works out the partitions (Athena user guide, supported types for partition projection)."""
    day = {
        "dt.type": "date",
        "dt.format": layout.java,
        "dt.range": f"{layout.first_day(_FIRST_YEAR)},NOW",
        "dt.interval": "1",
        "dt.interval.unit": "DAYS",
    }
    hour = {"hour.type": "integer", "hour.range": "0,23", "hour.digits": "2"}
    origin = {"origin.type": "enum", "origin.values": ",".join(layout.origins)}
    return {**day, **(hour if layout.hour else {}), **(origin if layout.origins else {})}


def derived_name(scope: Construct) -> str:
    """Return a name from the path of a construct, of what Glue and Athena both take: lower-case letters, digits, _."""
    name = cdk.Names.unique_resource_name(scope, max_length=64, separator="_", allowed_special_characters="_")
    return name.lower()
