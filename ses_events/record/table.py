"""The Glue table over an archive's events, with a partition for each UTC day that nobody has to add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from constructs import Construct

from ses_events.location import environment_of
from ses_events.record.fields import COLUMNS

if TYPE_CHECKING:
    from aws_cdk import aws_glue as glue
    from aws_cdk import aws_s3 as s3

DAY = "!{timestamp:yyyy-MM-dd}"
"""The UTC day in a prefix, which is the table's partition ``dt``."""

JSON: dict[str, Any] = {
    "classification": "json",
    "compression": "gzip",
    "serialization_library": "org.apache.hive.hcatalog.data.JsonSerDe",
    "input_format": "org.apache.hadoop.mapred.TextInputFormat",
    "output_format": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
"""How Athena reads gzip JSON. The OpenX SerDe would not do: it fails on two tags whose names differ in case only."""

PARQUET: dict[str, Any] = {
    "classification": "parquet",
    "compression": "snappy",
    "serialization_library": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "input_format": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "output_format": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
}
"""How Athena reads Parquet."""

_YEARS = 10


class EventTable(Construct):
    """A Glue database with one table, ``events``, whose columns are the fields of an event.

    In the template: an ``AWS::Glue::Database`` by a name derived from the path of the scope, and an
    ``AWS::Glue::Table``. Athena works out the table's partitions itself (partition projection): ``dt``, a day of the
    last ten years up to today in UTC, is a folder of the prefix.

    :param prefix: the prefix that Firehose writes the events with; it begins with a folder for each day.
    :param storage: ``JSON`` or ``PARQUET``.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, prefix: str, storage: dict[str, Any]
    ) -> None:
        super().__init__(scope, construct_id)
        here = environment_of(cdk.Stack.of(self))
        self.database_name = derived_name(scope)
        """The name of the database."""
        self.table_name = "events"
        """The name of the table."""
        self.prefix = prefix
        """The prefix of its objects, with the expressions of Firehose."""
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
            table_input=_table_input(self.table_name, bucket, prefix, storage),
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


def _table_input(
    name: str, bucket: s3.IBucket, prefix: str, storage: dict[str, Any]
) -> glue.CfnTable.TableInputProperty:
    of = cdk.aws_glue.CfnTable
    before, _, after = prefix.partition(DAY)
    return of.TableInputProperty(
        name=name,
        description="Events of Amazon SES, a row each; dt is the UTC day they arrived",
        table_type="EXTERNAL_TABLE",
        parameters={
            "classification": storage["classification"],
            "compressionType": storage["compression"],
            "projection.enabled": "true",
            "projection.dt.type": "date",
            "projection.dt.format": "yyyy-MM-dd",
            "projection.dt.range": f"NOW-{_YEARS}YEARS,NOW",
            "projection.dt.interval": "1",
            "projection.dt.interval.unit": "DAYS",
            "storage.location.template": bucket.s3_url_for_object(f"{before}${{dt}}{after.partition('/')[0]}/"),
        },
        partition_keys=[of.ColumnProperty(name="dt", type="string")],
        storage_descriptor=of.StorageDescriptorProperty(
            columns=[of.ColumnProperty(name=name, type=kind) for name, kind in COLUMNS.items()],
            location=bucket.s3_url_for_object(before.rpartition("/")[0] + "/"),
            input_format=storage["input_format"],
            output_format=storage["output_format"],
            serde_info=of.SerdeInfoProperty(serialization_library=storage["serialization_library"]),
        ),
    )


def derived_name(scope: Construct) -> str:
    """Return a name from the path of a construct, of what Glue and Athena both take: lower-case letters, digits, _."""
    name = cdk.Names.unique_resource_name(scope, max_length=64, separator="_", allowed_special_characters="_")
    return name.lower()
