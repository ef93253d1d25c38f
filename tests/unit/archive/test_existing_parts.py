"""An archive made around what is there already: buckets, keys, log groups."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from ses_events import EventAnalytics, EventArchive, ParquetFormat
from tests.support.templates import (
    DELIVER,
    Json,
    inline_actions,
    logical_id,
    new_app,
    only,
    properties,
    readable,
    resources,
    statements_in,
    synthesize,
    waits_for,
    warning_texts,
    warnings,
)

BUCKET = "AWS::S3::Bucket"
STREAM = "AWS::KinesisFirehose::DeliveryStream"


def statements(template: Json) -> dict[str, Json]:
    """The statements of the role of the archive, by Sid."""
    (policy,) = properties(readable(template), "AWS::IAM::Role")["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def test_in_a_bucket_of_the_user_firehose_writes_under_the_two_prefixes_only(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix="mail/!{timestamp:yyyy}/")
    template = synthesize(stack)
    bucket, _ = only(template, BUCKET)
    assert statements(template)["Objects"]["Resource"] == [f"${{{bucket}.Arn}}/errors/*", f"${{{bucket}.Arn}}/mail/*"]
    assert inline_actions(only(template, "AWS::IAM::Role")[1]) == DELIVER


def test_a_prefix_that_is_known_at_deployment_only_lets_firehose_write_everywhere_in_the_bucket(
    stack: cdk.Stack,
) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix=cdk.Fn.import_value("Prefix"))
    template = synthesize(stack)
    assert statements(template)["Objects"]["Resource"] == f"${{{only(template, BUCKET)[0]}.Arn}}/*"


@pytest.mark.parametrize(
    ("prefix", "resource"),
    [
        ("*/dt=!{timestamp:yyyy-MM-dd}/", "${*}/dt=*"),
        ("te?m/dt=!{timestamp:yyyy-MM-dd}/", "te${?}m/dt=*"),
        ("${aws:username}/dt=!{timestamp:yyyy-MM-dd}/", "${$}{aws:username}/dt=*"),
    ],
)
def test_a_prefix_is_literal_in_policies_and_no_wildcard_or_variable(
    stack: cdk.Stack, prefix: str, resource: str
) -> None:
    archive = EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix=prefix)
    archive.grant_read(iam.User(stack, "Reader"))
    template = synthesize(stack)
    bucket, _ = only(template, BUCKET)
    assert f"${{{bucket}.Arn}}/{resource}" in statements(template)["Objects"]["Resource"]
    policy = properties(readable(template), "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert {"StringLike": {"s3:prefix": [resource]}} in [each.get("Condition") for each in policy]
    assert f"${{{bucket}.Arn}}/{resource}" in [each["Resource"] for each in policy]


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [
        ("{pseudo}/events/dt=!{{timestamp:yyyy-MM-dd}}/", "${{AWS::AccountId}}/events/dt=*"),
        ("events/{pseudo}/", "events/${{AWS::AccountId}}/*"),
        ("events/{stack}/", "events/*"),
        ("events/{parameter}/dt=!{{timestamp:yyyy-MM-dd}}/", "events/*"),
        ("{pseudo}/{parameter}/", "${{AWS::AccountId}}/*"),
    ],
)
def test_a_prefix_is_known_up_to_what_may_hold_an_expression_of_firehose(
    stack: cdk.Stack, prefix: str, folder: str
) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter").value_as_string
    tokens = {"pseudo": cdk.Aws.ACCOUNT_ID, "stack": cdk.Aws.STACK_NAME, "parameter": parameter}
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix=prefix.format(**tokens))
    template = synthesize(stack)
    bucket, _ = only(template, BUCKET)
    assert set(statements(template)["Objects"]["Resource"]) == {
        f"${{{bucket}.Arn}}/errors/*",
        f"${{{bucket}.Arn}}/{folder.format()}",
    }
    assert warnings(stack) == set()


@pytest.mark.parametrize("prefix", [cdk.Fn.import_value("Prefix"), "!{timestamp:yyyy}/", ""])
def test_a_prefix_that_opens_a_bucket_of_the_user_is_warned_of(stack: cdk.Stack, prefix: str) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix=prefix)
    assert "ses-events:prefix-opens-bucket" in warnings(stack)


@pytest.mark.parametrize(
    ("prefix", "known"),
    [
        ("events", "events"),
        ("events-!{timestamp:yyyy}/", "events-"),
        ("mail/events!{timestamp:yyyy}/", "mail/events"),
        (f"events-{cdk.Aws.STACK_NAME}/", "events-"),
    ],
)
def test_a_prefix_whose_permissions_reach_folders_of_like_names_is_warned_of(
    stack: cdk.Stack, prefix: str, known: str
) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), prefix=prefix)
    assert "ses-events:prefix-reaches-neighbours" in warnings(stack)
    [text] = [each for each in warning_texts(stack) if "prefix-reaches-neighbours" in each]
    assert f"begins with '{known}' are for a folder such as '{known}-private/' too" in text


def test_a_prefix_in_a_bucket_of_the_archive_s_own_has_no_neighbours(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", prefix="events-!{timestamp:yyyy}/")
    assert warnings(stack) == set()


def test_errors_under_no_folder_open_a_bucket_of_the_user_with_a_warning(stack: cdk.Stack) -> None:
    errors = "!{firehose:error-output-type}/"
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), error_output_prefix=errors)
    assert warnings(stack) == {"ses-events:prefix-opens-bucket"}


def test_an_imported_bucket_is_used_as_it_is(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "mail-archive"))
    template = synthesize(stack)
    arn = "arn:${AWS::Partition}:s3:::mail-archive"
    assert not resources(template, BUCKET)
    assert properties(readable(template), STREAM)["ExtendedS3DestinationConfiguration"]["BucketARN"] == arn
    assert statements(template)["Bucket"]["Resource"] == arn
    assert warnings(stack) == {"ses-events:imported-bucket"}


@pytest.mark.parametrize(
    "bucket",
    [
        lambda stack: s3.Bucket.from_bucket_attributes(
            stack,
            "Bucket",
            bucket_name="mail",
            encryption_key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111122223333:key/1"),
        ),
        lambda stack: s3.Bucket.from_cfn_bucket(s3.CfnBucket(stack, "Bucket")),
        lambda stack: s3.Bucket(cdk.Stack(stack.node.scope, "Other"), "Bucket"),
    ],
    ids=["with its key", "an L1", "of another stack"],
)
def test_a_bucket_whose_key_can_be_seen_is_not_warned_of(
    stack: cdk.Stack, bucket: Callable[[cdk.Stack], s3.IBucket]
) -> None:
    EventArchive(stack, "Archive", bucket=bucket(stack))
    assert not [each for each in warnings(stack) if each.startswith("ses-events:")]


def test_the_stream_waits_for_the_policy_of_a_bucket_of_the_user(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared", enforce_ssl=True))
    template = synthesize(stack)
    policy, _ = only(template, "AWS::S3::BucketPolicy")
    assert waits_for(template, logical_id(archive.delivery_stream), policy)


@pytest.mark.parametrize("imported", [False, True])
def test_for_a_bucket_with_a_key_firehose_may_use_the_key_for_that_bucket(stack: cdk.Stack, imported: bool) -> None:
    key = kms.Key(stack, "Key")
    bucket = (
        s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="mail-archive", encryption_key=key)
        if imported
        else s3.Bucket(stack, "Bucket", encryption_key=key)
    )
    EventArchive(stack, "Archive", bucket=bucket)
    template = synthesize(stack)
    arn = "arn:${AWS::Partition}:s3:::mail-archive" if imported else f"${{{only(template, BUCKET)[0]}.Arn}}"
    assert statements(template)["Key"] == {
        "Sid": "Key",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": f"${{{only(template, 'AWS::KMS::Key')[0]}.Arn}}",
        "Condition": {
            "StringEquals": {"kms:ViaService": "s3.${AWS::Region}.${AWS::URLSuffix}"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [arn, f"{arn}/*"]},
        },
    }
    assert inline_actions(only(template, "AWS::IAM::Role")[1]) == DELIVER | {"kms:Decrypt", "kms:GenerateDataKey"}


@pytest.mark.parametrize("format", [None, ParquetFormat()], ids=["json", "parquet"])
def test_what_goes_into_a_bucket_with_a_key_says_so_as_the_policy_of_the_bucket_may_demand(
    stack: cdk.Stack, format: ParquetFormat | None
) -> None:
    key = kms.Key(stack, "Key")
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared", encryption_key=key), format=format)
    template = readable(synthesize(stack))
    destination = properties(template, STREAM)["ExtendedS3DestinationConfiguration"]
    named = {"KMSEncryptionConfig": {"AWSKMSKeyARN": f"${{{only(template, 'AWS::KMS::Key')[0]}.Arn}}"}}
    assert destination["EncryptionConfiguration"] == named
    assert destination.get("S3BackupConfiguration", destination)["EncryptionConfiguration"] == named


def test_the_default_encryption_of_a_bucket_holds_where_no_key_of_it_is_known(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket.from_bucket_name(stack, "There", "mail-archive"))
    assert "EncryptionConfiguration" not in properties(synthesize(stack), STREAM)["ExtendedS3DestinationConfiguration"]


def test_one_key_encrypts_the_new_bucket_and_the_stream(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", encryption_key=kms.Key(stack, "Key"))
    template = readable(synthesize(stack))
    key = f"${{{only(template, 'AWS::KMS::Key')[0]}.Arn}}"
    (rule,) = properties(template, BUCKET)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
    }
    assert properties(template, STREAM)["DeliveryStreamEncryptionConfigurationInput"] == {
        "KeyType": "CUSTOMER_MANAGED_CMK",
        "KeyARN": key,
    }


def test_with_a_bucket_of_the_user_the_key_is_for_the_stream_alone(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", bucket=s3.Bucket(stack, "Shared"), encryption_key=kms.Key(stack, "Key"))
    template = synthesize(stack)
    assert "Properties" not in only(template, BUCKET)[1]
    assert properties(template, STREAM)["DeliveryStreamEncryptionConfigurationInput"]["KeyType"] == (
        "CUSTOMER_MANAGED_CMK"
    )
    assert "Key" not in statements(template)


def test_errors_go_to_a_log_group_of_the_user(stack: cdk.Stack) -> None:
    group = logs.LogGroup(stack, "Errors", retention=logs.RetentionDays.ONE_YEAR)
    EventArchive(stack, "Archive", log_group=group)
    template = synthesize(stack)
    name, body = only(template, "AWS::Logs::LogGroup")
    stream, _ = only(template, "AWS::Logs::LogStream")
    assert body["Properties"]["RetentionInDays"] == 365
    assert statements(template)["ErrorLog"]["Resource"] == (
        f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{{name}}}:log-stream:${{{stream}}}"
    )


@pytest.mark.parametrize("flags", ["no flags", "all flags"])
def test_access_to_the_bucket_is_logged_by_policy(flags: str, recommended_flags: dict[str, Any]) -> None:
    stack = cdk.Stack(new_app(**(recommended_flags if flags == "all flags" else {})), "Mail")
    access = s3.Bucket(stack, "Access", object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED)
    EventArchive(stack, "Archive", server_access_logs_bucket=access)
    template = readable(synthesize(stack))
    access_name = stack.resolve(access.bucket_name)["Ref"]
    (archive_name,) = resources(template, BUCKET).keys() - {access_name}
    (policy,) = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in resources(template, "AWS::S3::BucketPolicy").values()
        if policy["Properties"]["Bucket"] == f"${{{access_name}}}"
    ]
    logging = template["Resources"][archive_name]["Properties"]["LoggingConfiguration"]
    assert logging == {"DestinationBucketName": f"${{{access_name}}}"}
    assert policy == [
        {
            "Action": "s3:PutObject",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Resource": f"${{{access_name}.Arn}}/*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
                "ArnLike": {"aws:SourceArn": f"${{{archive_name}.Arn}}"},
            },
        }
    ]


def test_a_bucket_to_be_destroyed_is_warned_of(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", removal_policy=cdk.RemovalPolicy.DESTROY)
    assert only(synthesize(stack), BUCKET)[1]["DeletionPolicy"] == "Delete"
    assert warnings(stack) == {"ses-events:bucket-not-emptied"}


def test_buckets_that_removal_policies_turn_to_deletion_are_warned_of_each(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive")
    EventAnalytics(stack, "Analytics", archive=archive)
    cdk.RemovalPolicies.of(stack).destroy()
    texts = warning_texts(stack)
    assert [text.split()[2] for text in texts] == ["Mail/Archive/Bucket", "Mail/Analytics/Results"]
    assert warnings(stack) == {"ses-events:bucket-not-emptied"}


def test_a_bucket_that_removal_policies_retain_is_not_warned_of(stack: cdk.Stack) -> None:
    EventArchive(stack, "Archive", removal_policy=cdk.RemovalPolicy.DESTROY)
    cdk.RemovalPolicies.of(stack).retain()
    assert warnings(stack) == set()


def test_the_warning_of_a_bucket_can_be_acknowledged_before_it_is_known(stack: cdk.Stack) -> None:
    archive = EventArchive(stack, "Archive", removal_policy=cdk.RemovalPolicy.DESTROY)
    cdk.Validations.of(archive).acknowledge(
        cdk.Acknowledgment(id="ses-events:bucket-not-emptied", reason="a pipeline empties it")
    )
    assert warnings(stack) == set()


def test_a_bucket_of_another_account_is_warned_of_with_the_statement_it_needs(
    recommended_flags: dict[str, Any],
) -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=env)
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="theirs", account="444455556666")
    archive = EventArchive(stack, "Archive", bucket=bucket)
    template = synthesize(stack)
    assert inline_actions(only(template, "AWS::IAM::Role")[1]) == DELIVER | {"s3:PutObjectAcl"}
    (text,) = warning_texts(stack)
    assert warnings(stack) == {"ses-events:bucket-of-another-account"}
    assert statements_in(text) == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Mail-ArchiveRole6D720787-*"}},
            "Action": [
                "s3:AbortMultipartUpload",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:PutObject",
                "s3:PutObjectAcl",
            ],
            "Resource": ["arn:aws:s3:::theirs", "arn:aws:s3:::theirs/errors/*", "arn:aws:s3:::theirs/events/dt=*"],
        }
    ]
    assert archive.bucket.bucket_name == "theirs"


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ({}, "Mail-Mine"),
        ({"role_name": "mine"}, "mine"),
        ({"role_name": "mine", "path": "/mail/"}, "mail/mine"),
    ],
)
def test_the_statement_of_a_warning_names_the_role_as_it_will_be_called(role: dict[str, Any], name: str) -> None:
    stack = cdk.Stack(new_app(), "Mail", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    mine = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"), **role)
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="theirs", account="444455556666")
    EventArchive(stack, "Archive", bucket=bucket, role=mine)
    (needed,) = statements_in(warning_texts(stack)[0])
    pattern = needed["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert pattern.startswith(f"arn:aws:iam::111122223333:role/{name}") and ("*" in pattern) == (not role)


def test_a_bucket_and_key_of_another_account_in_this_app_let_firehose_in_without_a_warning() -> None:
    app = new_app()
    central, mail = (
        cdk.Stack(app, name, env=cdk.Environment(account=account, region="eu-west-1"))
        for name, account in (("Central", "444455556666"), ("Mail", "111122223333"))
    )
    key = kms.Key(central, "Key", alias="central")
    bucket = s3.Bucket(central, "Bucket", bucket_name="central", encryption_key=key)
    EventArchive(mail, "Archive", bucket=bucket, prefix=f"{cdk.Aws.ACCOUNT_ID}/events/")
    template = synthesize(central)
    synthesize(mail)
    assert not [each for each in warnings(mail) | warnings(central) if each.startswith("ses-events:")]
    by_name = {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/Mail-ArchiveRole6D720787-*"}
    for resource_type, of in (("AWS::S3::BucketPolicy", "PolicyDocument"), ("AWS::KMS::Key", "KeyPolicy")):
        statement = properties(template, resource_type)[of]["Statement"][-1]
        assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
        assert statement["Condition"]["ArnLike"] == by_name
    objects = properties(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"][-1]["Resource"]
    assert "/111122223333/events/*" in str(objects)


@pytest.mark.parametrize("given", ["the archive", "its bucket"])
def test_a_key_of_another_account_is_warned_of_with_the_statement_it_needs(given: str) -> None:
    env = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(new_app(), "Mail", env=env)
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:444455556666:key/1")
    bucket = s3.Bucket.from_bucket_attributes(stack, "Bucket", bucket_name="ours", encryption_key=key)
    EventArchive(stack, "Archive", **({"encryption_key": key} if given == "the archive" else {"bucket": bucket}))
    assert warnings(stack) == {"ses-events:key-of-another-account"}
    (text,) = warning_texts(stack)
    assert text.startswith("the policy of the key arn:aws:kms:eu-west-1:444455556666:key/1 cannot be edited from here")
    (needed,) = statements_in(text)
    assert needed["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert needed["Condition"]["ArnLike"]["aws:PrincipalArn"].endswith(":role/Mail-ArchiveRole6D720787-*")
    assert (needed["Action"], needed["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], "*")
    assert needed["Condition"]["StringEquals"] == {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}


def test_a_bucket_and_key_of_another_stack_make_no_circle_of_stacks(stack: cdk.Stack) -> None:
    shared = cdk.Stack(cdk.Stage.of(stack), "Shared")
    key = kms.Key(shared, "Key")
    EventArchive(
        stack,
        "Archive",
        bucket=s3.Bucket(shared, "Bucket", encryption_key=key, enforce_ssl=True),
        encryption_key=key,
        log_group=logs.LogGroup(shared, "Errors"),
    )
    synthesize(stack)
    synthesize(shared)
    assert shared in stack.dependencies and stack not in shared.dependencies


@pytest.mark.parametrize("imported", [False, True])
def test_a_key_by_its_alias_is_named_by_its_own_arn(stack: cdk.Stack, imported: bool) -> None:
    key = kms.Key(stack, "Key")
    alias = (
        kms.Alias.from_alias_attributes(stack, "Alias", alias_name="alias/mail", alias_target_key=key)
        if imported
        else key.add_alias("alias/mail")
    )
    EventArchive(stack, "Archive", encryption_key=alias)
    template = readable(synthesize(stack))
    arn = f"${{{only(template, 'AWS::KMS::Key')[0]}.Arn}}"
    (rule,) = properties(template, BUCKET)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == arn
    assert properties(template, STREAM)["DeliveryStreamEncryptionConfigurationInput"]["KeyARN"] == arn
    assert statements(template)["Key"]["Resource"] == arn


def test_a_policy_that_the_bucket_gets_later_is_waited_for_too(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Shared")
    archive = EventArchive(stack, "Archive", bucket=bucket)
    reader = iam.PolicyStatement(
        actions=["s3:GetObject"], resources=[bucket.arn_for_objects("*")], principals=[iam.AccountRootPrincipal()]
    )
    bucket.add_to_resource_policy(reader)
    template = synthesize(stack)
    assert waits_for(template, logical_id(archive.delivery_stream), only(template, "AWS::S3::BucketPolicy")[0])


def test_an_imported_access_log_bucket_is_warned_of_with_the_statement_it_needs(stack: cdk.Stack) -> None:
    access = s3.Bucket.from_bucket_name(stack, "Access", "access-logs")
    EventArchive(stack, "Archive", server_access_logs_bucket=access)
    (text,) = warning_texts(stack)
    assert warnings(stack) == {"ses-events:logs-bucket-not-editable"}
    (statement,) = statements_in(text)
    assert statement["Resource"] == "arn:${AWS::Partition}:s3:::access-logs/*"
    assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}


def test_an_access_log_bucket_of_another_stack_makes_no_circle_of_stacks(stack: cdk.Stack) -> None:
    shared = cdk.Stack(cdk.Stage.of(stack), "Shared")
    EventArchive(stack, "Archive", server_access_logs_bucket=s3.Bucket(shared, "Access"))
    synthesize(stack)
    synthesize(shared)
    assert stack not in shared.dependencies


@pytest.mark.parametrize("name", ["mail-archive", cdk.Fn.import_value("MailArchive"), cdk.Fn.ref("AWS::StackName")])
def test_the_finding_about_the_prefixes_in_an_imported_bucket_is_acknowledged(stack: cdk.Stack, name: str) -> None:
    archive = EventArchive(
        stack,
        "Archive",
        bucket=s3.Bucket.from_bucket_name(stack, "Bucket", name),
        prefix=f"{cdk.Aws.ACCOUNT_ID}/events/dt=!{{timestamp:yyyy-MM-dd}}/",
    )
    archive.grant_read(iam.Role.from_role_name(stack, "Reader", "reader"))
    assert [violation.rule_name for violation in AwsSolutionsChecks().validate_scope(stack).violations] == []


lambda_: Any = importlib.import_module("aws_cdk.aws_lambda")  # which mypy need not read
HERE = cdk.Environment(account="111122223333", region="eu-west-1")
THERE = "arn:aws:iam::444455556666:role/reader"


@pytest.mark.parametrize(
    ("grantee", "untouched"),
    [
        (lambda scope: iam.ArnPrincipal(THERE), THERE),
        (lambda scope: iam.ServicePrincipal("lambda.amazonaws.com"), "lambda.amazonaws.com"),
        (
            lambda scope: iam.AccountPrincipal("444455556666"),
            "arn:aws:iam::444455556666:root and of the resources (not of account 444455556666)",
        ),
        (
            lambda scope: iam.Role.from_role_arn(scope, "Reader", THERE),
            "Mail/Reader and of the resources (not of account 444455556666)",
        ),
        (lambda scope: iam.Role.from_role_name(scope, "Reader", "reader", mutable=False), "Mail/Reader"),
        (
            lambda scope: iam.Role(
                cdk.Stack(cdk.Stage.of(scope), "There", env=cdk.Environment(account="444455556666")),
                "Reader",
                assumed_by=iam.AccountRootPrincipal(),
            ),
            "the resources (not of account 444455556666)",
        ),
    ],
    ids=["ARN", "service", "account", "foreign imported role", "immutable role", "foreign role"],
)
def test_a_grant_without_effect_is_warned_of_with_the_statements_it_needs(
    recommended_flags: dict[str, Any], grantee: Callable[[cdk.Stack], iam.IGrantable], untouched: str
) -> None:
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=HERE)
    _archive_in_a_bucket_without_key(stack).grant_read(grantee(stack))
    (text,) = warning_texts(stack)
    assert text.startswith(f"the policies of {untouched} are not changed, and the grant takes effect only when ")
    assert warnings(stack) == {"ses-events:grant-without-effect"}
    assert [(each["Action"], each["Resource"]) for each in statements_in(text)] == [
        (["s3:GetBucketLocation"], ["arn:aws:s3:::mail"]),
        (["s3:ListBucket"], ["arn:aws:s3:::mail"]),
        (["s3:GetObject"], ["arn:aws:s3:::mail/events/dt=*"]),
    ]


def test_a_reader_elsewhere_reads_by_the_account_and_region_of_the_archive(recommended_flags: dict[str, Any]) -> None:
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=HERE)
    there = cdk.Stack(cdk.Stage.of(stack), "There", env=cdk.Environment(account="444455556666", region="us-east-1"))
    prefix = f"{cdk.Aws.ACCOUNT_ID}/{cdk.Aws.REGION}/dt=!{{timestamp:yyyy-MM-dd}}/"
    archive = EventArchive(stack, "Archive", bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "mail"), prefix=prefix)
    archive.grant_read(iam.User(there, "Reader"))
    statement = properties(readable(synthesize(there)), "AWS::IAM::Policy")["PolicyDocument"]["Statement"][-1]
    assert statement["Resource"].endswith(":s3:::mail/111122223333/eu-west-1/dt=*")


@pytest.mark.parametrize(
    "grantee",
    [
        lambda scope: iam.Role(scope, "Reader", assumed_by=iam.AccountRootPrincipal()),
        lambda scope: iam.LazyRole(scope, "Reader", assumed_by=iam.AccountRootPrincipal()),
        lambda scope: iam.Role.from_role_arn(scope, "Reader", "arn:aws:iam::111122223333:role/reader"),
        lambda scope: iam.User.from_user_name(scope, "Reader", "reader"),
        lambda scope: iam.Group(scope, "Reader"),
        lambda scope: iam.ManagedPolicy(scope, "Reader"),
        lambda scope: iam.Role(
            cdk.Stack(cdk.Stage.of(scope), "Other", env=HERE), "Reader", assumed_by=iam.AccountRootPrincipal()
        ),
        lambda scope: lambda_.Function(
            scope,
            "Reader",
            code=lambda_.InlineCode("def handler(event, context): pass"),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
        ),
    ],
    ids=["role", "lazy", "imported role", "imported user", "group", "managed policy", "other stack", "function"],
)
def test_a_grant_with_effect_is_not_warned_of(
    recommended_flags: dict[str, Any], grantee: Callable[[cdk.Stack], iam.IGrantable]
) -> None:
    stack = cdk.Stack(new_app(**recommended_flags), "Mail", env=HERE)
    _archive_in_a_bucket_without_key(stack).grant_read(grantee(stack))
    assert warnings(stack) == set()


def _archive_in_a_bucket_without_key(stack: cdk.Stack) -> EventArchive:
    archive = EventArchive(stack, "Archive", bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "mail"))
    without_key = cdk.Acknowledgment(id="ses-events:imported-bucket", reason="it has no KMS key")
    cdk.Validations.of(archive).acknowledge(without_key)
    return archive
