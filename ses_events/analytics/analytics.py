"""Asking the archive: a table over the events, a workgroup to ask in, and the questions worth asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from constructs import Construct

from ses_events.analytics import rules
from ses_events.analytics.queries import Query, named_queries, prepared_statements, view
from ses_events.analytics.view import new_view
from ses_events.analytics.workgroup import key_of_this_account, new_workgroup
from ses_events.archive import rules as archive_rules
from ses_events.archive.bucket import new_results_bucket
from ses_events.construct_ids import new_id, stack_of
from ses_events.location import environment_of
from ses_events.policies import allow, grant, reading, use_of_key
from ses_events.publishing import dimensions as dimension_rules
from ses_events.record.stored_events import StoredEvents
from ses_events.record.table import EventTable, derived_name
from ses_events.validation import check, instead_of, interface

if TYPE_CHECKING:
    from aws_cdk import aws_athena as athena
    from aws_cdk import aws_glue as glue
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_s3 as s3

    from ses_events.archive.archive import EventArchive

DEFAULT_DIMENSION_NAME = "campaign"
"""The message tag by which the queries group mail."""

_RUN_QUERIES = [
    "athena:GetNamedQuery",
    "athena:GetPreparedStatement",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:ListNamedQueries",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
]

_WRITE_RESULTS = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]


class EventAnalytics(Construct):
    """SQL over the events of an archive with Amazon Athena: no crawler, no Lambda function, no DDL to run.

    In the template: a Glue database with the table ``events``, whose partition ``dt`` is the UTC day of arrival,
    ``hour`` its hour where that has a folder; the view ``recipient_events``, which has a row for each event and
    recipient; an Athena workgroup (engine version 3, settings enforced, CloudWatch metrics on); a bucket for its
    results; each query of this package as a saved query, and those with parameters as prepared statements. The
    workgroup goes with the stack, together with what else was saved in it.

    Run a saved query in the Athena console or with ``aws athena start-query-execution``, a prepared statement with
    ``EXECUTE name USING 'value'``. In an account whose data Lake Formation governs, grant the table there as well.

    :param archive: whose events to read: an ``EventArchive`` of the same account and region, of this stack or of
        another one, whose ``prefix`` has a folder for each day; or ``StoredEvents`` in any bucket of the region.
    :param bytes_scanned_cutoff: how much a query may read before Athena cancels it, at least 10 MB: Athena bills what
        it reads. Default: 100 GiB, about half a dollar.
    :param dimension_name: the message tag by which the queries group mail.
    :param results_bucket: where Athena writes results, in a folder named as the workgroup. One with a KMS key gets them
        encrypted with it. Default: a new private bucket, encrypted with the key of the archive's bucket if
        that is of this account, for TLS requests only. It stays when the stack goes, because CloudFormation cannot
        delete a bucket that is not empty, and empties itself.
    :param results_expiration: when results are deleted from the new bucket, in whole days. Default: 30 days.
    :raises ValueError: when an argument breaks a rule of Athena or S3; a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    stack: cdk.Stack
    """The stack of the queries."""

    archive: EventArchive | StoredEvents
    """Whose events are read."""

    database: glue.CfnDatabase
    """The ``AWS::Glue::Database``."""

    database_name: str
    """The name of the database."""

    table: glue.CfnTable
    """The ``AWS::Glue::Table``."""

    table_name: str
    """The name of the table."""

    view: glue.CfnTable
    """The ``AWS::Glue::Table`` that is the view."""

    view_name: str
    """The name of the view."""

    results_bucket: s3.IBucket
    """The bucket that Athena writes results to."""

    workgroup_name: str
    """The name of the workgroup."""

    workgroup: athena.CfnWorkGroup
    """The ``AWS::Athena::WorkGroup``."""

    named_queries: dict[str, athena.CfnNamedQuery]
    """Each ``AWS::Athena::NamedQuery`` by the name of its query."""

    prepared_statements: dict[str, athena.CfnPreparedStatement]
    """Each ``AWS::Athena::PreparedStatement`` by its name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        archive: EventArchive | StoredEvents,
        bytes_scanned_cutoff: cdk.Size | None = None,
        dimension_name: str = DEFAULT_DIMENSION_NAME,
        results_bucket: s3.IBucket | None = None,
        results_expiration: cdk.Duration | None = None,
    ) -> None:
        stack = stack_of(scope, construct_id)
        check(
            (scope, construct_id),
            rules.analysed_archive("archive", archive, stack),
            rules.BYTES_SCANNED_CUTOFF("bytes_scanned_cutoff", bytes_scanned_cutoff),
            dimension_rules.dimension_name(
                "dimension_name", dimension_name, cdk.aws_ses.CloudWatchDimensionSource.MESSAGE_TAG
            ),
            archive_rules.bucket("results_bucket", results_bucket, stack),
            instead_of("results_bucket", results_bucket, {"results_expiration": results_expiration}),
            archive_rules.EXPIRATION("results_expiration", results_expiration),
        )
        with new_id(scope, construct_id):
            super().__init__(scope, construct_id)
        self.stack, self.archive = stack, archive
        if isinstance(archive, StoredEvents):
            stored = archive
        elif archive.event_table:  # by which Firehose converts
            stored = archive.event_table.events
        else:
            stored = StoredEvents(archive.bucket, archive.table_prefix)
        self._table = EventTable(self, "Table", events=stored)
        self.database = self._table.database
        self.database_name = self._table.database_name
        self.table = self._table.table
        self.table_name = self._table.table_name
        self.results_bucket = results_bucket or new_results_bucket(
            self, key_of_this_account(stored.bucket, stack), results_expiration or cdk.Duration.days(30)
        )
        self.workgroup_name = derived_name(self)
        self.workgroup = new_workgroup(self, self.workgroup_name, self.results_bucket, bytes_scanned_cutoff)
        workgroup = self.workgroup.ref
        asked = self.database_name, self.table_name, dimension_name, stored.layout
        rows = view(*asked)
        self.view = new_view(self, self._table, rows)
        self.view_name = rows.name
        saved = named_queries(*asked)
        self.named_queries = {query.name: _saved(self, query, self.database_name, workgroup) for query in saved}
        self._titles = {query.name: query.title for query in saved}
        self.prepared_statements = {
            query.name: _prepared(self, query, workgroup) for query in prepared_statements(*asked)
        }

    def grant_query(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a role or user run queries in the workgroup, and read their results.

        In the template, as the Athena user guide lists it: running, reading and stopping queries and finding the saved
        ones, in this workgroup; ``glue:GetDatabase`` and ``glue:GetTable`` for the table and the view (and
        ``GetDatabase`` for the catalog's ``default``, which Athena looks at); reading the events that the table covers;
        writing and reading results in the workgroup's folder; the keys of the two buckets, where they have one. A
        bucket of another account needs a policy there as well. For a grantee of another stack than a bucket acknowledge
        cdk-nag's finding AwsSolutions-IAM5 about its objects there, by the id that cdk-nag prints.

        :param grantee: who is to run queries.
        :returns: what was granted.
        :raises TypeError: when the argument has a wrong type.
        """
        check(
            f"{self.node.path}.grant_query",
            interface("grantee", grantee, "grant_principal", "a role, a user or what has one"),
        )
        here, stored, results = environment_of(self.stack), self._table.events, self.results_bucket
        results_arn, folder = results.bucket_arn, f"{self.workgroup_name}/*"
        catalog, database, table = self._table.arns
        view = here.arn("glue", f"table/{self.database_name}/{self.view_name}")
        statements = [
            allow(_RUN_QUERIES, here.arn("athena", f"workgroup/{self.workgroup_name}")),
            allow(["glue:GetDatabase"], catalog, database, here.arn("glue", "database/default")),
            allow(["glue:GetTable"], catalog, database, table, view),
            *reading(stored.bucket, here, *stored.beginnings),
            allow(["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], results_arn),
            allow(["s3:ListBucket"], results_arn, condition={"StringLike": {"s3:prefix": [folder]}}),
            allow(_WRITE_RESULTS, f"{results_arn}/{folder}"),
            *use_of_key(results.encryption_key, results_arn, here.region, ["kms:Decrypt", "kms:GenerateDataKey"]),
        ]
        return grant(
            self, grantee, statements, "Firehose and Athena name the objects they write, under these prefixes only"
        )


def _saved(scope: Construct, query: Query, database: str, workgroup: str) -> athena.CfnNamedQuery:
    return cdk.aws_athena.CfnNamedQuery(
        scope,
        f"Query{_pascal(query.name)}",
        database=database,
        description=query.title,
        name=query.name,
        query_string=query.sql,
        work_group=workgroup,
    )


def _prepared(scope: Construct, query: Query, workgroup: str) -> athena.CfnPreparedStatement:
    return cdk.aws_athena.CfnPreparedStatement(
        scope,
        f"Statement{_pascal(query.name)}",
        description=query.title,
        query_statement=query.sql,
        statement_name=query.name,
        work_group=workgroup,
    )


def _pascal(name: str) -> str:
    """Return an id from a query's name: ``RatesByCampaign`` from ``rates_by_campaign``."""
    return "".join(word.capitalize() for word in name.split("_"))
