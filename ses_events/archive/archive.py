"""Where events are kept: the bucket, the delivery stream that fills it, and what the stream may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ses_events import prefix as prefixes
from ses_events.archive import rules
from ses_events.archive.bucket import new_bucket, warn_of_what_is_unseen, without_access_logs
from ses_events.archive.delivery_role import Delivery, let_in, new_role, permit
from ses_events.archive.delivery_stream import json_destination, new_delivery_stream
from ses_events.archive.formats import EventFormat, JsonFormat
from ses_events.archive.stream_metrics import StreamMetrics
from ses_events.construct_ids import new_id, stack_of
from ses_events.location import environment_of
from ses_events.policies import folders_of, grant, reading
from ses_events.validation import check, interface

if TYPE_CHECKING:
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_kms as kms

    from ses_events.record.table import EventTable


DEFAULT_PREFIX = "events/dt=!{timestamp:yyyy-MM-dd}/"
"""A folder for each UTC day, named so that Athena and Hive see a partition ``dt``."""

DEFAULT_ERROR_OUTPUT_PREFIX = "errors/!{firehose:error-output-type}/"
"""A folder for each kind of error."""


class EventArchive(StreamMetrics, Construct):
    """A bucket that keeps every event as JSON, and as Parquet if you like, fed by a Data Firehose delivery stream.

    In the template: a private, encrypted, versioned S3 bucket that takes TLS requests only and stays when the stack
    goes; an encrypted ``AWS::KinesisFirehose::DeliveryStream`` that writes gzip files (``.json.gz``, an event a line);
    a log group with one log stream for delivery errors, kept a month and removed with the stack; the stream's role.
    Multipart uploads that never finish go after a day, replaced or deleted versions of an object after 30 days.

    Of all that can be changed later only ``delivery_stream_name`` replaces the stream, and a bucket of your own takes
    the place of the new one, which stays with its events; everything else is updated in place and is about later
    events. After a change of ``prefix`` the earlier events are no longer in the table of ``EventAnalytics``.

    Send events here with ``FirehoseDestination(archive)``. Firehose delivers at least once: an event may come twice.
    ``cdk.Tags.of(archive)`` tags the bucket, the stream, the log group and the role.

    :param bucket: a bucket of your own, alone or shared. Firehose may then write only below the fixed part of each
        prefix: all before the first expression, or token other than ``cdk.Aws.ACCOUNT_ID``, ``PARTITION`` and
        ``REGION``. If that is empty, ``ses-events:prefix-opens-bucket`` warns. One encrypted with a KMS key lets
        Firehose use the key, for this bucket, and gets each object with a header that names it. For a bucket of another
        account Firehose also gets ``s3:PutObjectAcl``, and ``ses-events:bucket-of-another-account`` warns with the
        statement that the bucket's policy needs. cdk-nag's finding AwsSolutions-IAM5 about the prefixes is
        acknowledged, but for a bucket of another stack, whose name cdk-nag learns later: acknowledge that one on
        ``archive.role``, by the id that cdk-nag prints. Of an imported bucket without ``encryption_key``
        ``ses-events:imported-bucket`` warns. Default: a new bucket.
    :param buffering_interval: how long Firehose collects events before it writes a file, 0-900 s. Default: 300 s.
    :param buffering_size: how much it collects at most, 1-128 MiB before compression; with Parquet at least 64 MiB.
        Default: 64 MiB, with Parquet 128 MiB.
    :param delivery_stream_name: 1-64 of ``A-Z a-z 0-9 . _ -`` (Firehose API). A change replaces the stream. Default:
        derived from the construct's path, so one template launched twice in an account and region needs a name.
    :param encryption_key: the KMS key of the new bucket and of the stream; of the stream alone for a given bucket. Who
        deploys needs ``kms:CreateGrant`` on it. For the key of a bucket that belongs to another account
        ``ses-events:key-of-another-account`` warns with the statement that its policy needs. Default: keys of S3 and
        Firehose.
    :param error_output_prefix: where Firehose puts what it could not process: at most 512 characters; one with an
        expression has ``!{firehose:error-output-type}`` too.
    :param expiration: when events are deleted from the new bucket, in whole days. Default: never.
    :param format: ``ParquetFormat()`` keeps events as Parquet too. In the template: a Glue database and table by which
        Firehose converts, made before the stream; ``glue:GetTable``, ``GetTableVersion`` and ``GetTableVersions`` for
        its role; the JSON under ``prefix`` becomes the stream's backup (gzip, ``.gz``). On a deployed archive this
        changes the stream in place, and only later events are in the Parquet. Back to JSON alone takes a new archive:
        Firehose never turns a backup off. Default: ``JsonFormat()``, JSON alone.
    :param log_group: where Firehose logs errors, in a log stream of its own. Default: a new log group.
    :param prefix: where events go in the bucket, at most 1024 characters. ``!{timestamp:...}`` takes a pattern of
        Java's DateTimeFormatter, in UTC; Firehose appends ``yyyy/MM/dd/HH/`` to a prefix without one.
        Legal but odd ones are warned of: ``ses-events:prefix-without-slash``, ``ses-events:prefix-leading-slash``,
        ``ses-events:prefix-week-year``, ``ses-events:prefix-plain-braces``, ``ses-events:prefix-strftime``,
        ``ses-events:errors-among-events``.
    :param removal_policy: what becomes of the new bucket with the stack. DESTROY, as ``cdk.RemovalPolicies`` may
        decide too, fails while it holds events, and emptying it would take a Lambda function, which this has not:
        ``ses-events:bucket-not-emptied`` warns at synth. Default: RETAIN.
    :param role: a role of your own that trusts ``firehose.amazonaws.com``; of an imported one that is not known, and
        ``ses-events:imported-role`` warns with the statement. It gets the permissions in a policy of its own, which
        the stream waits for. Where CDK cannot edit the role, as an immutable one or under ``iam.Role.customize_roles``,
        ``ses-events:delivery-role-not-editable`` warns with the statements. What else the role may do with the
        stream must name ``archive.delivery_stream_arn``. Default: a new role.
    :param server_access_logs_bucket: where S3 logs access to the new bucket; of the same account and region, without a
        KMS key. For an imported one ``ses-events:logs-bucket-not-editable`` warns with the statement that its policy
        needs. Default: nowhere.
    :raises ValueError: when an argument breaks a rule of Firehose or S3 (developer guide "custom prefixes", API
        ``BufferingHints`` and ``CreateDeliveryStream``); a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    delivery_stream_arn: str
    """The ARN of the delivery stream, for policies: it names the stream without waiting for it."""

    encryption_key: kms.IKey | None
    """The KMS key of the delivery stream, where it is not Firehose's own."""

    buffering_seconds: float
    """How long Firehose collects events before it writes a file."""

    bucket: s3.IBucket
    """The bucket that keeps the events."""

    log_group: logs.ILogGroup
    """Where Firehose logs why it could not deliver."""

    prefix: str
    """Where the events are in the bucket as JSON, with the expressions of Firehose."""

    format: EventFormat
    """How they are kept."""

    table_prefix: str
    """Where they are in the format for queries."""

    event_table: EventTable | None
    """The Glue table by which Firehose converts; None for JSON alone."""

    role: iam.IRole
    """The role of the delivery stream."""

    delivery_stream: firehose.CfnDeliveryStream
    """The ``AWS::KinesisFirehose::DeliveryStream``."""
    _monitored_by: str | None = None
    """The path of the EventMonitoring that watches it."""

    _compared_by: str | None = None
    """The path of the EventMonitoring whose ``missing_events`` compares it with what configuration sets count."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket | None = None,
        buffering_interval: cdk.Duration | None = None,
        buffering_size: cdk.Size | None = None,
        delivery_stream_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        error_output_prefix: str = DEFAULT_ERROR_OUTPUT_PREFIX,
        expiration: cdk.Duration | None = None,
        format: EventFormat | None = None,
        log_group: logs.ILogGroup | None = None,
        prefix: str = DEFAULT_PREFIX,
        removal_policy: cdk.RemovalPolicy | None = None,
        role: iam.IRole | None = None,
        server_access_logs_bucket: s3.IBucket | None = None,
    ) -> None:
        stack = stack_of(scope, construct_id)
        format = JsonFormat() if format is None else format
        check(
            (scope, construct_id),
            *rules.of_the_stream(delivery_stream_name, buffering_interval, buffering_size, format),
            *rules.of_the_bucket(stack, bucket, encryption_key, expiration, removal_policy, server_access_logs_bucket),
            *rules.of_the_prefixes(prefix, error_output_prefix, format),
            rules.log_group("log_group", log_group, stack),
            rules.delivery_role("role", role, stack),
        )
        with new_id(scope, construct_id):
            super().__init__(scope, construct_id)
        here = environment_of(stack)
        self.stack = stack
        self.delivery_stream_name = delivery_stream_name or cdk.Names.unique_resource_name(self, max_length=64)
        self.delivery_stream_arn = here.arn("firehose", f"deliverystream/{self.delivery_stream_name}")
        self.encryption_key = encryption_key
        self.buffering_seconds = buffering_interval.to_seconds() if buffering_interval else 300
        self.bucket = bucket or new_bucket(self, encryption_key, expiration, removal_policy, server_access_logs_bucket)
        self.log_group = log_group or logs.LogGroup(
            self, "LogGroup", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.prefix = prefix
        self.format = format
        bound = format.bind(self, self.bucket, prefix)
        self.table_prefix = bound.table_prefix
        self.event_table = bound.table
        log_stream = logs.LogStream(
            self, "LogStream", log_group=self.log_group, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        log_group_name, log_stream_name = self.log_group.log_group_name, log_stream.log_stream_name
        delivery = Delivery(
            stack=stack,
            bucket=self.bucket,
            bucket_arn=self.bucket.bucket_arn,
            bucket_account=bucket.env.account if bucket else None,
            folders=folders_of(prefix, self.table_prefix, error_output_prefix) if bucket else ["*"],
            key=bucket.encryption_key if bucket else encryption_key,
            error_log=here.arn("logs", f"log-group:{log_group_name}:log-stream:{log_stream_name}"),
            schema=bound.statements,
        )
        self.role = role or new_role(self, delivery)
        json = json_destination(
            bucket=bucket,
            bucket_arn=delivery.bucket_arn,
            role_arn=self.role.role_arn,
            prefix=prefix,
            error_output_prefix=error_output_prefix,
            seconds=self.buffering_seconds,
            mebibytes=buffering_size.to_mebibytes() if buffering_size else format.default_buffering_size,
            log_group_name=log_group_name,
            log_stream_name=log_stream_name,
        )
        self.delivery_stream = new_delivery_stream(
            self, self.delivery_stream_name, encryption_key, bound.destination(json)
        )
        policy = permit(role, self, delivery) if role else None
        self._create_stream_last(policy)
        self._delivers_by = policy if role else self.role
        self._waits_for_a_role = False
        let_in(self, delivery, self.role)
        if bucket and not delivery.is_abroad:  # of which there is a warning already
            warn_of_what_is_unseen(self, bucket)
        is_unlogged = not bucket and not server_access_logs_bucket
        cdk.Validations.of(self).acknowledge(
            *delivery.acknowledgments, *([without_access_logs()] if is_unlogged else [])
        )
        _warn_of_prefixes(self, prefix, error_output_prefix, delivery.folders if bucket else [])

    def _create_stream_last(self, policy: iam.Policy | None) -> None:
        """Make the stream wait for what it delivers to, and for the policy of a role of the user's."""
        after = [self.bucket, self.event_table, policy]  # the bucket with its policy, whenever it gets one
        self.delivery_stream.node.add_dependency(*filter(None, after))

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let a role or user read the events, and nothing else in the bucket.

        In the template: ``s3:GetBucketLocation``, ``s3:ListBucket`` and ``s3:GetObject`` for what lies below
        the fixed part of each prefix of events (see ``bucket``); ``kms:Decrypt`` with the bucket's key, where it
        has one. A bucket of another account needs a policy there as well. For a grantee of another stack cdk-nag learns
        the bucket's name later: acknowledge its finding AwsSolutions-IAM5 about the objects there, by the id that it
        prints.

        ``ses-events:grant-without-effect`` warns with the statements where the grantee has no policy that CDK can edit,
        as a service, an account or an immutable role, or where it is of another account.

        :param grantee: who is to read.
        :returns: what was granted.
        :raises TypeError: when the argument has a wrong type.
        """
        check(
            f"{self.node.path}.grant_read",
            interface("grantee", grantee, "grant_principal", "a role, a user or what has one"),
        )
        statements = reading(self.bucket, environment_of(self.stack), self.prefix, self.table_prefix)
        return grant(
            self,
            grantee,
            statements,
            "Firehose names the objects it writes, below the fixed part of each prefix",
        )

    def _create_stream_after(self, permission: iam.CfnRole | iam.CfnPolicy) -> None:
        """Create a permission of SES after that of Firehose, and the stream after both.

        IAM propagates the former while the stream comes up, and the latter while the former is made. Of many roles one
        in between is enough; a policy may turn out to be attached to nothing, and CDK leaves it out then.
        """
        self.delivery_stream.add_resource_dependency(permission)
        if self._delivers_by and not self._waits_for_a_role:
            resource = self._delivers_by.node.default_child  # none under iam.Role.customize_roles
            if resource:
                permission.add_resource_dependency(cast(cdk.CfnResource, resource))
            self._waits_for_a_role = isinstance(permission, cdk.aws_iam.CfnRole)


def _warn_of_prefixes(archive: EventArchive, prefix: str, error_output_prefix: str, folders: list[str]) -> None:
    """Warn of prefixes, and of the permissions by prefix in a bucket that others may use too."""
    for warning, text in (
        *prefixes.oddities_of_prefix("prefix", prefix),
        *prefixes.oddities_of_prefix("error_output_prefix", error_output_prefix),
        *prefixes.oddities_of_both_prefixes("prefix", prefix, error_output_prefix),
        *archive.format.prefix_oddities("format", error_output_prefix),
    ):
        cdk.Annotations.of(archive).add_warning_v2(warning, text)
    for known in (each.removesuffix("*") for each in folders if not each.endswith(("/*", "=*"))):
        if known:
            cdk.Annotations.of(archive).add_warning_v2(
                "ses-events:prefix-reaches-neighbours",
                f"permissions for what begins with {known!r} are for a folder such as '{known}-private/' too; end the "
                "folder with '/' before any expression, as in 'events/dt=!{timestamp:yyyy-MM-dd}/'",
            )
    if folders == ["*"]:
        cdk.Annotations.of(archive).add_warning_v2(
            "ses-events:prefix-opens-bucket",
            "a prefix begins with an expression, or with what is known at deployment only, so that permissions by "
            "prefix are for all of the bucket; begin each prefix with a folder such as 'events/'",
        )
