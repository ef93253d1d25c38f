"""Athena as the service runs a query: over what the deployed table says, with the permissions of whoever asks.

DuckDB runs it, once sqlglot has put Athena's dialect into its own. What is not emulated fails and says so: statements
other than SELECT and EXECUTE, partitions without projection, formats other than JSON and Parquet.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local_aws.athena import query
from local_aws.glue.hive import NotEmulated, split
from local_aws.iam.principals import RoleSession
from local_aws.ministack import buckets, catalog, workgroups


class QueryFailed(Exception):
    """Athena would fail this query."""


class Caller:
    """Who asks: Athena reads the catalog and the events, and writes results, with the caller's permissions."""

    def __init__(self, asked: workgroups.Asked) -> None:
        self._asked = asked
        self._session = RoleSession(asked.arn, asked.region, asked.access_key_id, "", "")

    def require(self, action: str, resource: str, **context: str) -> None:
        """Check a permission on a resource of the account and region, given by the end of its ARN.

        :raises AccessDenied: when the caller lacks it.
        """
        start = f"arn:aws:{action.partition(':')[0]}:{self._asked.region}:{self._asked.account}"
        self._session.require(action, f"{start}:{resource}", context)

    def table(self, database: str, name: str) -> dict[str, Any]:
        """A table of the catalog.

        :raises QueryFailed: when there is none.
        """
        parents = ["catalog", f"database/{database}"]
        for resource in (*parents, "database/default"):
            self.require("glue:GetDatabase", resource)
        for resource in (*parents, f"table/{database}/{name}"):
            self.require("glue:GetTable", resource)
        found = catalog.table(self._asked.account, self._asked.region, database, name)
        if found is None:
            raise QueryFailed(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return dict(found)

    def keys(self, bucket: str) -> Iterable[str]:
        """The objects of a bucket."""
        return buckets.keys_of_bucket(bucket)

    def look_into(self, bucket: str, folder: str) -> None:
        """Check that a folder may be listed."""
        self.require_of_bucket("s3:ListBucket", bucket, **{"s3:prefix": folder})

    def content(self, bucket: str, key: str) -> bytes:
        """What an object holds, when it may be read."""
        self.require_of_object("s3:GetObject", "kms:Decrypt", bucket, key)
        return buckets.content_of_object(bucket, key)

    def require_of_bucket(self, action: str, bucket: str, **context: str) -> None:
        """Check a permission on a bucket."""
        self._session.require(action, f"arn:aws:s3:::{bucket}", context)

    def require_of_object(self, action: str, kms_action: str, bucket: str, key: str) -> None:
        """Check a permission on an object, and on its KMS key: the bucket's for one that is written now."""
        arn = f"arn:aws:s3:::{bucket}/{key}"
        self._session.require(action, arn, {})
        here = self._asked.account, self._asked.region, bucket
        kms_key = buckets.key_of_bucket(*here) if action == "s3:PutObject" else buckets.key_of_object(*here, key)
        if kms_key:
            self._session.require(kms_action, kms_key, buckets.encryption_context(*here, key))

    def require_results(self) -> None:
        """Check that the result may be written."""
        bucket, _, folder = self._asked.output_location.removeprefix("s3://").partition("/")
        self.require_of_bucket("s3:GetBucketLocation", bucket)
        self.require_of_object("s3:PutObject", "kms:GenerateDataKey", bucket, f"{folder}results.csv")


def permit(action: str, database: str, table: str, asked: workgroups.Asked) -> None:
    """Check that a table may be made or dropped, which MiniStack does, by the action of Glue that this takes.

    :raises AccessDenied: when the caller lacks a permission for it.
    """
    caller = Caller(asked)
    for resource in ("catalog", f"database/{database}", f"table/{database}/{table}"):
        caller.require(action, resource)
    caller.require_results()


def run(sql: str, database: str, asked: workgroups.Asked) -> dict[str, Any]:
    """Run one query; its columns, their types and its rows, as MiniStack keeps them.

    :raises QueryFailed: when Athena would refuse the query.
    :raises AccessDenied: when the caller lacks a permission for it.
    :raises NotEmulated: when this is no Athena.
    """
    import duckdb
    import sqlglot
    from sqlglot import exp

    caller = Caller(asked)
    statement, parameters = _prepared(sql, asked, caller)
    tree = sqlglot.parse_one(statement, dialect="athena")
    if not isinstance(tree, exp.Query):
        raise NotEmulated("a statement that is not SELECT or EXECUTE")
    placeholders = list(tree.find_all(exp.Placeholder))
    if len(placeholders) != len(parameters):
        raise QueryFailed(f"Incorrect number of parameters: expected {len(placeholders)} but found {len(parameters)}")
    for placeholder, value in zip(placeholders, parameters, strict=True):
        placeholder.replace(sqlglot.parse_one(value, dialect="athena"))
    tables = query.tables(tree, database, caller)
    workgroup = workgroups.workgroup(asked.workgroup)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        scanned = sum(query.load(connection, name, read, caller, Path(folder)) for name, read in tables.items())
        if scanned > workgroup.get("BytesScannedCutoffPerQuery", scanned):
            raise QueryFailed("Query cancelled! : Bytes scanned limit was exceeded")
        caller.require_results()
        connection.execute("SET enable_external_access = false")  # to DuckDB, a table may be any file of this machine
        return query.answer(connection, tree)


def _prepared(sql: str, asked: workgroups.Asked, caller: Caller) -> tuple[str, list[str]]:
    """The statement to run and its parameters; EXECUTE names one that is prepared in the workgroup."""
    execute = re.fullmatch(r"\s*EXECUTE\s+(\w+)(?:\s+USING\s+(.*?))?\s*;?\s*", sql, re.IGNORECASE | re.DOTALL)
    if not execute:
        return sql, asked.parameters
    caller.require("athena:GetPreparedStatement", f"workgroup/{asked.workgroup}")
    statement = workgroups.prepared_statement(asked.workgroup, execute[1])
    if statement is None:
        raise QueryFailed(f"PreparedStatement {execute[1]} was not found in workGroup {asked.workgroup}")
    return statement, list(split(execute[2])) if execute[2] else asked.parameters
