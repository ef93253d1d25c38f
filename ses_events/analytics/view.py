"""A view in the Glue database, in the form in which Athena keeps what CREATE VIEW makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk

from ses_events.analytics.queries import Query

if TYPE_CHECKING:
    from aws_cdk import aws_glue as glue
    from constructs import Construct

    from ses_events.record.table import EventTable

_HIVE = {"varchar": "string"}
"""What Glue calls a type of Athena, where it has another name for it."""


def new_view(scope: Construct, table: EventTable, query: Query) -> glue.CfnTable:
    """Make a view beside a table, of a query whose columns have types.

    Athena keeps the query as JSON in Base64, which CloudFormation encodes: a template that people can read, and room
    for what is known at deployment only.
    """
    of = cdk.aws_glue.CfnTable
    definition = {
        "originalSql": query.sql,
        "catalog": "awsdatacatalog",
        "schema": table.database_name,
        "columns": [{"name": name, "type": kind} for name, kind in query.columns.items()],
    }
    return of(
        scope,
        "View",
        catalog_id=table.database.catalog_id,
        database_name=table.database.ref,
        table_input=of.TableInputProperty(
            name=query.name,
            description="A row for each event and recipient; dt is the UTC day of arrival",
            table_type="VIRTUAL_VIEW",
            parameters={"comment": "Presto View", "presto_view": "true"},
            view_original_text=f"/* Presto View: {cdk.Fn.base64(json.dumps(definition))} */",
            view_expanded_text="/* Presto View */",
            storage_descriptor=of.StorageDescriptorProperty(
                columns=[
                    of.ColumnProperty(name=name, type=_HIVE.get(kind, kind)) for name, kind in query.columns.items()
                ],
                serde_info=of.SerdeInfoProperty(),
            ),
        ),
    )
