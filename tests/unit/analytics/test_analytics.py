from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from ses_events import EventAnalytics, EventArchive, ParquetFormat
from ses_events.analytics.queries import VIEW_COLUMNS, named_queries, prepared_statements
from ses_events.analytics.queries import view as named_view
from ses_events.record.fields import COLUMNS
from tests.support.templates import (
    Json,
    actions,
    new_app,
    only,
    properties,
    readable,
    resources,
    synthesize,
    waits_for,
    warnings,
)

TABLE = "AWS::Glue::Table"
WORKGROUP = "AWS::Athena::WorkGroup"
QUERY = "AWS::Athena::NamedQuery"
STATEMENT = "AWS::Athena::PreparedStatement"
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"

GRANTED = {
    "athena:GetNamedQuery": {"workgroup"},
    "athena:GetPreparedStatement": {"workgroup"},
    "athena:GetQueryExecution": {"workgroup"},
    "athena:GetQueryResults": {"workgroup"},
    "athena:GetWorkGroup": {"workgroup"},
    "athena:ListNamedQueries": {"workgroup"},
    "athena:StartQueryExecution": {"workgroup"},
    "athena:StopQueryExecution": {"workgroup"},
    "glue:GetDatabase": {"catalog", "database", "default"},
    "glue:GetTable": {"catalog", "database", "table", "view"},
    "s3:GetBucketLocation": {"events bucket", "results bucket"},
    "s3:ListBucket": {"events bucket", "results bucket"},
    "s3:ListBucketMultipartUploads": {"results bucket"},
    "s3:GetObject": {"events", "results"},
    "s3:AbortMultipartUpload": {"results"},
    "s3:ListMultipartUploadParts": {"results"},
    "s3:PutObject": {"results"},
}
"""What running a query takes, and on what."""


@pytest.fixture
def archive(stack: cdk.Stack) -> EventArchive:
    return EventArchive(stack, "Archive")


def test_the_table_has_the_columns_of_a_record_and_a_partition_for_each_day(
    stack: cdk.Stack, archive: EventArchive
) -> None:
    EventAnalytics(stack, "Analytics", archive=archive)
    table = tables(readable(synthesize(stack)))["events"]
    storage = table["StorageDescriptor"]
    assert {column["Name"]: column["Type"] for column in storage["Columns"]} == COLUMNS
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    assert storage["SerdeInfo"] == {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"}
    assert storage["Location"] == "s3://${ArchiveBucket49F1AC64}/events/"
    assert {name: value for name, value in table["Parameters"].items() if "." in name} == {
        "projection.enabled": "true",
        "projection.dt.type": "date",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.dt.range": "2016-01-01,NOW",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "DAYS",
        "storage.location.template": "s3://${ArchiveBucket49F1AC64}/events/dt=${dt}/",
    }


@pytest.mark.parametrize(
    ("prefix", "location", "folder_of_a_day"),
    [
        ("events/dt=!{timestamp:yyyy-MM-dd}/", "events/", "events/dt=${dt}/"),
        ("mail/ses/!{timestamp:yyyy-MM-dd}/!{timestamp:HH}/", "mail/ses/", "mail/ses/${dt}/${hour}/"),
        ("mail/", "mail/", "mail/${dt}/${hour}/"),
        ("mail/!{timestamp:yyyy/MM/dd}/", "mail/", "mail/${dt}/"),
        ("ses", "", "ses${dt}/${hour}/"),
        ("mail/day-!{timestamp:yyyy-MM-dd}-utc/!{firehose:random-string}", "mail/", "mail/day-${dt}-utc/"),
        (
            f"{cdk.Aws.ACCOUNT_ID}/dt=!{{timestamp:yyyy-MM-dd}}/",
            "${AWS::AccountId}/",
            "${AWS::AccountId}/dt=${dt}/",
        ),
        (
            f"mail/!{{timestamp:yyyy-MM-dd}}-{cdk.Aws.REGION}/{cdk.Aws.ACCOUNT_ID}/",
            "mail/",
            "mail/${dt}-${AWS::Region}/",
        ),
    ],
)
def test_a_prefix_with_a_folder_for_each_day_makes_a_table(
    stack: cdk.Stack, prefix: str, location: str, folder_of_a_day: str
) -> None:
    archive = EventArchive(stack, "Archive", prefix=prefix)
    EventAnalytics(stack, "Analytics", archive=archive)
    table = tables(readable(synthesize(stack)))["events"]
    bucket = "s3://${ArchiveBucket49F1AC64}/"
    assert table["StorageDescriptor"]["Location"] == bucket + location
    assert table["Parameters"]["storage.location.template"] == bucket + folder_of_a_day


@pytest.mark.parametrize(
    "prefix",
    [
        "mail/!{timestamp:yyyy-MM-dd}",
        "!{timestamp:yyyy-MM-dd HH}/",
        "!{timestamp:dd-MM-yyyy}/",
        "!{timestamp:yyyy/M/d}/",
        "!{firehose:random-string}/",
        "!{firehose:random-string}/!{timestamp:yyyy-MM-dd}/",
        "by=100%/year=!{timestamp:yyyy}/month=!{timestamp:MM}/it%s=!{timestamp:dd}/",
    ],
)
def test_a_prefix_without_a_folder_for_each_day_is_refused(stack: cdk.Stack, prefix: str) -> None:
    archive = EventArchive(stack, "Archive", prefix=prefix)
    with pytest.raises(ValueError) as caught:
        EventAnalytics(stack, "Analytics", archive=archive)
    assert str(caught.value) == (
        f"Mail/Analytics: archive.prefix {prefix!r} has no folder for each day, as a table needs; "
        "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'"
    )


@pytest.mark.parametrize("prefix", ["/mail/!{timestamp:yyyy-MM-dd}/", "mail//!{timestamp:yyyy-MM-dd}/"])
def test_a_folder_without_a_name_which_athena_does_not_read_is_refused(stack: cdk.Stack, prefix: str) -> None:
    archive = EventArchive(stack, "Archive", prefix=prefix)
    with pytest.raises(ValueError) as caught:
        EventAnalytics(stack, "Analytics", archive=archive)
    assert str(caught.value) == (
        f"Mail/Analytics: archive.prefix {prefix!r} has a folder without a name, which Athena does not read; "
        "take a '/' out"
    )


@pytest.mark.parametrize(
    ("name", "prefix", "begin"),
    [("_mail", "mail/!{timestamp:yyyy-MM-dd}/", "_"), ("mail", "mail/!{timestamp:yyyy-MM-dd}/.", ".")],
)
def test_files_that_athena_takes_for_hidden_are_refused(stack: cdk.Stack, name: str, prefix: str, begin: str) -> None:
    archive = EventArchive(stack, "Archive", delivery_stream_name=name, prefix=prefix)
    with pytest.raises(ValueError) as caught:
        EventAnalytics(stack, "Analytics", archive=archive)
    assert str(caught.value) == (
        f"Mail/Analytics: archive has files whose names begin with {begin!r}, which Athena takes for hidden; change "
        "its delivery_stream_name, or what follows the last '/' of its prefix"
    )


def test_a_stream_with_a_hidden_name_makes_no_hidden_files_where_the_prefix_names_them(stack: cdk.Stack) -> None:
    prefix = "mail/!{timestamp:yyyy-MM-dd}/of-"
    archive = EventArchive(stack, "Archive", delivery_stream_name="_mail", prefix=prefix)
    EventAnalytics(stack, "Analytics", archive=archive)


@pytest.mark.parametrize("prefix", ["{token}", "mail/{token}/", "{token}/!{{timestamp:yyyy}}/"])
def test_days_known_at_deployment_only_are_refused(stack: cdk.Stack, prefix: str) -> None:
    token = cdk.CfnParameter(stack, "Prefix").value_as_string
    archive = EventArchive(stack, "Archive", prefix=prefix.format(token=token))
    with pytest.raises(
        ValueError, match=r"^Mail/Analytics: archive\.prefix is known at deployment only.*write them out$"
    ):
        EventAnalytics(stack, "Analytics", archive=archive)


def test_nobody_can_leave_the_settings_of_the_workgroup(stack: cdk.Stack, archive: EventArchive) -> None:
    EventAnalytics(stack, "Analytics", archive=archive)
    workgroup = properties(readable(synthesize(stack)), WORKGROUP)
    assert workgroup["RecursiveDeleteOption"] is True
    assert workgroup["WorkGroupConfiguration"] == {
        "BytesScannedCutoffPerQuery": 100 * 1024**3,
        "EnforceWorkGroupConfiguration": True,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        "ResultConfiguration": {
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            "OutputLocation": "s3://${AnalyticsResultsBB93A8DC}/mail_analytics_ab4976be/",
        },
    }


def test_every_query_is_saved_in_the_workgroup(stack: cdk.Stack, archive: EventArchive) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive, dimension_name="brand")
    template = synthesize(stack)
    workgroup, _ = only(template, WORKGROUP)
    asked = (analytics.database_name, analytics.table_name, "brand")
    assert [query["Properties"] for query in resources(template, QUERY).values()] == [
        {
            "Database": analytics.database_name,
            "Description": query.title,
            "Name": query.name,
            "QueryString": query.sql,
            "WorkGroup": {"Ref": workgroup},
        }
        for query in named_queries(*asked)
    ]
    assert [statement["Properties"] for statement in resources(template, STATEMENT).values()] == [
        {
            "Description": query.title,
            "StatementName": query.name,
            "QueryStatement": query.sql,
            "WorkGroup": {"Ref": workgroup},
        }
        for query in prepared_statements(*asked)
    ]
    assert list(analytics.named_queries) == [query.name for query in named_queries(*asked)]
    assert list(analytics.prepared_statements) == [query.name for query in prepared_statements(*asked)]


def test_results_go_to_a_bucket_that_empties_itself_and_lets_the_stack_go(
    stack: cdk.Stack, archive: EventArchive
) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive, results_expiration=cdk.Duration.days(7))
    template = synthesize(stack)
    bucket = template["Resources"][_logical_id(analytics.results_bucket)]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert "VersioningConfiguration" not in bucket["Properties"]
    assert bucket["Properties"]["LifecycleConfiguration"]["Rules"] == [
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}, "ExpirationInDays": 7, "Status": "Enabled"}
    ]


def test_results_are_encrypted_with_the_key_of_the_events(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", encryption_key=kms.Key(stack, "Key"))
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    template = readable(synthesize(stack))
    key, _ = only(template, "AWS::KMS::Key")
    results = properties(template, WORKGROUP)["WorkGroupConfiguration"]["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": f"${{{key}.Arn}}"}
    bucket = template["Resources"][_logical_id(analytics.results_bucket)]["Properties"]["BucketEncryption"]
    [rule] = bucket["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == f"${{{key}.Arn}}"


def test_results_can_go_to_a_bucket_of_the_user(stack: cdk.Stack, archive: EventArchive) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "results")
    analytics = EventAnalytics(stack, "Analytics", archive=archive, results_bucket=bucket)
    template = synthesize(stack)
    results = properties(readable(template), WORKGROUP)["WorkGroupConfiguration"]["ResultConfiguration"]
    assert analytics.results_bucket is bucket
    assert results["OutputLocation"] == f"s3://results/{analytics.workgroup_name}/"
    assert len(resources(template, "AWS::S3::Bucket")) == 1


def test_running_a_query_takes_exactly_this(stack: cdk.Stack, archive: EventArchive) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    analytics.grant_query(_role(stack))
    assert _granted(stack, analytics) == GRANTED


def test_with_a_key_running_a_query_takes_the_key_by_way_of_s3(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", encryption_key=kms.Key(stack, "Key"))
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    analytics.grant_query(_role(stack))
    assert _granted(stack, analytics) == GRANTED | {"kms:Decrypt": {"key"}, "kms:GenerateDataKey": {"key"}}
    statements = [each for each in _statements(readable(synthesize(stack))) if "kms:Decrypt" in each["Action"]]
    assert all(
        each["Condition"]["StringEquals"] == {"kms:ViaService": "s3.${AWS::Region}.${AWS::URLSuffix}"}
        for each in statements
    )


def test_only_the_folders_of_events_and_results_can_be_listed(stack: cdk.Stack, archive: EventArchive) -> None:
    EventAnalytics(stack, "Analytics", archive=archive).grant_query(_role(stack))
    conditions = [each["Condition"] for each in _statements(synthesize(stack)) if each["Action"] == "s3:ListBucket"]
    assert conditions == [
        {"StringLike": {"s3:prefix": [folder]}} for folder in ("events/dt=*", "mail_analytics_ab4976be/*")
    ]


def test_nag_finds_nothing_unacknowledged(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", format=ParquetFormat())
    EventAnalytics(stack, "Analytics", archive=archive).grant_query(_role(stack))
    archive.grant_read(iam.User(stack, "User"))
    assert [each.rule_name for each in AwsSolutionsChecks().validate_scope(stack).violations] == []
    assert warnings(stack) == set()


@pytest.mark.parametrize(
    "grantee",
    [
        lambda scope: iam.Group(scope, "Grantee"),
        lambda scope: iam.ManagedPolicy(scope, "Grantee"),
        lambda scope: iam.Role.from_role_arn(scope, "Grantee", "arn:aws:iam::111122223333:role/analyst"),
        lambda scope: iam.User.from_user_name(scope, "Grantee", "analyst"),
    ],
    ids=["group", "managed policy", "imported role", "imported user"],
)
def test_whoever_it_is_may_query_without_a_finding_of_nag(
    stack: cdk.Stack, archive: EventArchive, grantee: Callable[[cdk.Stack], iam.IGrantable]
) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    granted = analytics.grant_query(grantee(stack))
    assert [each.rule_name for each in AwsSolutionsChecks().validate_scope(stack).violations] == []
    policies = {**resources(synthesize(stack), "AWS::IAM::Policy"), **resources(synthesize(stack), MANAGED_POLICY)}
    [policy] = policies.values()
    document = policy["Properties"]["PolicyDocument"]
    assert actions(document) == set(GRANTED)
    assert len(granted.principal_statements) == len(document["Statement"])


def test_an_analyst_to_whom_nothing_can_be_granted_is_warned_of(stack: cdk.Stack, archive: EventArchive) -> None:
    immutable = iam.Role.from_role_name(stack, "Analyst", "analyst", mutable=False)
    EventAnalytics(stack, "Analytics", archive=archive).grant_query(immutable)
    assert warnings(stack) == {"ses-events:grant-without-effect"}


def test_the_archive_may_be_of_another_stack(stack: cdk.Stack, archive: EventArchive) -> None:
    other = cdk.Stack(cdk.Stage.of(stack), "Questions")
    analytics = EventAnalytics(other, "Analytics", archive=archive)
    analytics.grant_query(_role(other))
    synthesize(stack)
    template = synthesize(other)
    assert resources(template, TABLE) and not resources(synthesize(stack), TABLE)
    assert stack in other.dependencies


def test_two_analytics_have_names_of_their_own_in_what_glue_and_athena_take(
    stack: cdk.Stack, archive: EventArchive
) -> None:
    deep = cdk.Stack(cdk.Stage(stack, "S" * 100), "D-" * 20)
    made = [
        EventAnalytics(stack, "First", archive=archive),
        EventAnalytics(stack, "first", archive=archive),
        EventAnalytics(deep, "A_" * 100, archive=EventArchive(deep, "Archive")),
    ]
    synthesize(stack)
    names = {name for each in made for name in (each.database_name, each.workgroup_name)}
    assert len({each.database_name for each in made}) == len({each.workgroup_name for each in made}) == 3
    assert all(name == name.lower() and len(name) <= 64 and name.replace("_", "").isalnum() for name in names)


def test_the_database_has_the_same_name_with_and_without_parquet(stack: cdk.Stack, archive: EventArchive) -> None:
    other = cdk.Stack(new_app(), "Mail")
    parquet = EventAnalytics(other, "Analytics", archive=EventArchive(other, "Archive", format=ParquetFormat()))
    parquet.grant_query(_role(other))
    assert parquet.database_name == EventAnalytics(stack, "Analytics", archive=archive).database_name
    template = readable(synthesize(other))
    serde = tables(template)["events"]["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    assert serde.endswith("ParquetHiveSerDe")
    read = [each["Resource"] for each in _statements(template) if each["Action"] == "s3:GetObject"]
    assert read == ["${ArchiveBucket49F1AC64.Arn}/parquet/dt=*"]


def test_the_view_is_kept_as_athena_keeps_one(stack: cdk.Stack, archive: EventArchive) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    view = tables(synthesize(stack))["recipient_events"]
    assert (view["TableType"], view["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
    start, encoded, end = view["ViewOriginalText"]["Fn::Join"][1]
    assert (start, end) == ("/* Presto View: ", " */")
    definition = json.loads(encoded["Fn::Base64"])
    assert (definition["catalog"], definition["schema"]) == ("awsdatacatalog", analytics.database_name)
    types = {column["name"]: column["type"] for column in definition["columns"]}
    assert types == {"dt": "varchar", **VIEW_COLUMNS}
    hive = {column["Name"]: column["Type"] for column in view["StorageDescriptor"]["Columns"]}
    assert hive == {name: "string" if kind == "varchar" else kind for name, kind in types.items()}
    assert definition["originalSql"] == named_view(analytics.database_name, "events", "campaign").sql


def test_the_queries_wait_for_their_workgroup_and_the_table_for_its_database(
    stack: cdk.Stack, archive: EventArchive
) -> None:
    EventAnalytics(stack, "Analytics", archive=archive)
    template = synthesize(stack)
    workgroup, _ = only(template, WORKGROUP)
    assert all(
        waits_for(template, query, workgroup)
        for query in (*resources(template, QUERY), *resources(template, STATEMENT))
    )
    database, _ = only(template, "AWS::Glue::Database")
    assert all(waits_for(template, table, database) for table in resources(template, TABLE))


REFUSED: list[tuple[type[Exception], dict[str, Any], str]] = [
    (TypeError, {"archive": "archive"}, "archive 'archive' is of type str; use an EventArchive, or StoredEvents"),
    (
        ValueError,
        {"bytes_scanned_cutoff": cdk.Size.mebibytes(9)},
        "bytes_scanned_cutoff 9437184 bytes is out of range; use 10000000 or more whole bytes",
    ),
    (
        TypeError,
        {"bytes_scanned_cutoff": 10},
        "bytes_scanned_cutoff 10 is of type int; use cdk.Size.gibibytes(100)",
    ),
    (
        ValueError,
        {"dimension_name": "it's"},
        "dimension_name \"it's\" has \"'\"; use 1-256 of A-Z a-z 0-9 _ : -, for example 'campaign'",
    ),
    (
        TypeError,
        {"dimension_name": None},
        "dimension_name None is of type NoneType; use a string such as 'campaign'",
    ),
    (TypeError, {"dimension_name": 5}, "dimension_name 5 is of type int; use a string such as 'campaign'"),
    (TypeError, {"results_bucket": "b"}, "results_bucket 'b' is of type str; use an s3.Bucket, or an imported one"),
    (
        ValueError,
        {"results_expiration": cdk.Duration.hours(1)},
        "results_expiration '1 hours' cannot be converted into a whole number of days; use 1-2147483647 whole days",
    ),
]


@pytest.mark.parametrize(("kind", "arguments", "message"), REFUSED)
def test_a_wrong_argument_is_refused(
    stack: cdk.Stack, archive: EventArchive, kind: type[Exception], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(kind) as caught:
        EventAnalytics(stack, "Analytics", **{"archive": archive, **arguments})
    assert str(caught.value) == f"Mail/Analytics: {message}"
    assert stack.node.try_find_child("Analytics") is None


def test_what_is_wrong_is_said_all_at_once(stack: cdk.Stack) -> None:
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="results", region="eu-west-1")
    here = cdk.Stack(cdk.Stage.of(stack), "Here", env=cdk.Environment(account="111122223333", region="us-east-1"))
    archive = EventArchive(here, "Archive", prefix="mail/!{timestamp:HH}/")
    with pytest.raises(ValueError) as caught:
        EventAnalytics(
            here, "Analytics", archive=archive, results_bucket=bucket, results_expiration=cdk.Duration.days(1)
        )
    assert str(caught.value).splitlines() == [
        "Here/Analytics: archive.prefix 'mail/!{timestamp:HH}/' has no folder for each day, as a table needs; "
        "use one such as 'events/dt=!{timestamp:yyyy-MM-dd}/'",
        "Here/Analytics: results_bucket is in eu-west-1, this stack in us-east-1; use one of this region",
        "Here/Analytics: results_expiration cannot be given with results_bucket, which already exists; "
        "set it where results_bucket is made",
    ]


def test_an_archive_of_another_account_or_region_is_refused() -> None:
    app = new_app()
    env = [
        cdk.Environment(account=each, region=where)
        for each, where in (("1" * 12, "us-east-1"), ("2" * 12, "us-east-2"))
    ]
    archive = EventArchive(cdk.Stack(app, "There", env=env[0]), "Archive")
    with pytest.raises(ValueError) as caught:
        EventAnalytics(cdk.Stack(app, "Here", env=env[1]), "Analytics", archive=archive)
    assert str(caught.value).splitlines() == [
        "Here/Analytics: archive is in 111111111111, this stack in 222222222222; use one of this account",
        "Here/Analytics: archive is in us-east-1, this stack in us-east-2; use one of this region",
    ]


def test_what_is_known_at_deployment_only_passes(stack: cdk.Stack, archive: EventArchive) -> None:
    size = cdk.CfnParameter(stack, "Cutoff", type="Number").value_as_number
    name = cdk.CfnParameter(stack, "Name").value_as_string
    EventAnalytics(stack, "Analytics", archive=archive, bytes_scanned_cutoff=cdk.Size.bytes(size), dimension_name=name)
    template = readable(synthesize(stack))
    assert properties(template, WORKGROUP)["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] == "${Cutoff}"
    assert any("'${Name}'" in each["Properties"]["QueryString"] for each in resources(template, QUERY).values())


def test_something_without_a_principal_is_refused(stack: cdk.Stack, archive: EventArchive) -> None:
    analytics = EventAnalytics(stack, "Analytics", archive=archive)
    with pytest.raises(TypeError, match=r"^Mail/Analytics\.grant_query: grantee 'me' is of type str; use a role"):
        analytics.grant_query("me")  # type: ignore[arg-type]


def tables(template: Json) -> dict[str, Json]:
    """The tables and views of a template, by name."""
    inputs = [each["Properties"]["TableInput"] for each in resources(template, TABLE).values()]
    return {each["Name"]: each for each in inputs}


def _role(scope: cdk.Stack) -> iam.Role:
    return iam.Role(scope, "Analyst", assumed_by=iam.AccountRootPrincipal())


def _statements(template: Json) -> list[Json]:
    """What the one policy allows that is attached to a role."""
    statements: list[Json] = properties(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    return statements


def _granted(stack: cdk.Stack, analytics: EventAnalytics) -> dict[str, set[str]]:
    """Each action of the policy, with what it is allowed on."""
    template = readable(synthesize(stack))
    regional = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
    bucket, results = "${ArchiveBucket49F1AC64.Arn}", f"${{{_logical_id(analytics.results_bucket)}.Arn}}"
    names = {
        regional % ("athena", f"workgroup/{analytics.workgroup_name}"): "workgroup",
        regional % ("glue", "catalog"): "catalog",
        regional % ("glue", f"database/{analytics.database_name}"): "database",
        regional % ("glue", "database/default"): "default",
        regional % ("glue", f"table/{analytics.database_name}/{analytics.table_name}"): "table",
        regional % ("glue", f"table/{analytics.database_name}/{analytics.view_name}"): "view",
        bucket: "events bucket",
        f"{bucket}/events/dt=*": "events",
        results: "results bucket",
        f"{results}/{analytics.workgroup_name}/*": "results",
        **{f"${{{name}.Arn}}": "key" for name in resources(template, "AWS::KMS::Key")},
    }
    granted: dict[str, set[str]] = {}
    for statement in _statements(template):
        actions, on = (
            each if isinstance(each, list) else [each] for each in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            granted.setdefault(action, set()).update(names[arn] for arn in on)
    return granted


def _logical_id(bucket: s3.IBucket) -> str:
    made = bucket.node.default_child
    assert isinstance(made, s3.CfnBucket)
    return cdk.Stack.of(made).get_logical_id(made)


def test_results_are_not_encrypted_with_the_key_of_another_account_by_default() -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(), "Mail", env=env)
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:444455556666:key/1")
    bucket = s3.Bucket.from_bucket_attributes(
        stack, "Theirs", bucket_name="theirs", account="444455556666", encryption_key=key
    )
    analytics = EventAnalytics(stack, "Analytics", archive=EventArchive(stack, "Archive", bucket=bucket))
    assert analytics.results_bucket.encryption_key is None
    settings = properties(synthesize(stack), "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert settings["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
