"""Where events are kept: the bucket, the delivery stream that fills it, and what the stream may do."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ses_events import limits

DEFAULT_PREFIX = "events/dt=!{timestamp:yyyy-MM-dd}/"
"""A folder for each UTC day, named so that Athena and Hive see a partition ``dt``."""

DEFAULT_ERROR_OUTPUT_PREFIX = "errors/!{firehose:error-output-type}/"
"""A folder for each kind of error."""


class EventArchive(Construct):
    """A bucket that keeps every event as JSON, fed by a Data Firehose delivery stream.

    In the template: a private, encrypted, versioned S3 bucket that takes TLS requests only and stays when the stack
    goes; an encrypted ``AWS::KinesisFirehose::DeliveryStream`` that writes gzip files (``.json.gz``, an event a line);
    a log group with one log stream for delivery errors, kept a month and removed with the stack; the stream's role.
    Multipart uploads that never finish go after a day, replaced or deleted versions of an object after 30 days.

    Send events here with ``FirehoseDestination(archive)``. Firehose delivers at least once: an event may come twice.

    :param delivery_stream_name: 1-64 of ``A-Z a-z 0-9 . _ -`` (Firehose API). A change replaces the stream. Default:
        derived from the construct's path, so one template launched twice in an account and region needs a name.
    :param prefix: where events go in the bucket, at most 1024 characters. ``!{timestamp:...}`` takes a pattern of
        Java's DateTimeFormatter, in UTC; Firehose appends ``yyyy/MM/dd/HH/`` to a prefix without an expression.
        Legal but odd ones are warned of: ``ses-events:prefix-without-slash``, ``ses-events:prefix-leading-slash``,
        ``ses-events:prefix-week-year``.
    :param error_output_prefix: where Firehose puts what it could not process: outside ``prefix``, with
        ``!{firehose:error-output-type}``, at most 512 characters.
    :param buffering_interval: how long Firehose collects events before it writes a file, 0-900 s. Default: 300 s.
    :param buffering_size: how much it collects at most, 1-128 MiB before compression. Default: 64 MiB.
    :param expiration: when events are deleted, in whole days. Default: never.
    :raises ValueError: when an argument breaks a rule of Firehose or S3 (developer guide "custom prefixes", API
        ``BufferingHints`` and ``CreateDeliveryStream``); a line for each.
    :raises TypeError: when an argument has a wrong type.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery_stream_name: str | None = None,
        prefix: str = DEFAULT_PREFIX,
        error_output_prefix: str = DEFAULT_ERROR_OUTPUT_PREFIX,
        buffering_interval: cdk.Duration | None = None,
        buffering_size: cdk.Size | None = None,
        expiration: cdk.Duration | None = None,
    ) -> None:
        limits.check(
            (scope, construct_id),
            limits.delivery_stream_name("delivery_stream_name", delivery_stream_name),
            limits.prefix("prefix", prefix, error_output_prefix),
            limits.error_output_prefix("error_output_prefix", error_output_prefix),
            limits.buffering_interval("buffering_interval", buffering_interval),
            limits.buffering_size("buffering_size", buffering_size),
            limits.expiration("expiration", expiration),
        )
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)

        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                    noncurrent_version_expiration=cdk.Duration.days(30),
                    expiration=expiration,
                )
            ],
        )
        """The bucket that keeps the events."""

        self.log_group = logs.LogGroup(
            self, "LogGroup", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        """Where Firehose logs why it could not deliver."""

        log_stream = logs.LogStream(
            self, "LogStream", log_group=self.log_group, removal_policy=cdk.RemovalPolicy.DESTROY
        )

        self.role = iam.Role(
            self,
            "Role",
            description="Lets Firehose deliver SES events to the archive bucket",
            assumed_by=iam.ServicePrincipal(
                "firehose.amazonaws.com", conditions={"StringEquals": {"sts:ExternalId": stack.account}}
            ),
            inline_policies={"Deliver": _delivery_policy(self.bucket, self.log_group, log_stream)},
        )
        """The role of the delivery stream."""

        self.delivery_stream_name = delivery_stream_name or cdk.Names.unique_resource_name(self, max_length=64)
        """The name of the delivery stream, known before the stream exists."""

        self.delivery_stream_arn = stack.format_arn(
            service="firehose", resource="deliverystream", resource_name=self.delivery_stream_name
        )
        """The ARN of the delivery stream, for policies: it names the stream without waiting for it."""

        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=self.delivery_stream_name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.bucket.bucket_arn,
                role_arn=self.role.role_arn,
                prefix=prefix,
                error_output_prefix=error_output_prefix,
                compression_format="GZIP",
                file_extension=".json.gz",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=buffering_interval.to_seconds() if buffering_interval else 300,
                    size_in_m_bs=buffering_size.to_mebibytes() if buffering_size else 64,
                ),
                cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                    enabled=True,
                    log_group_name=self.log_group.log_group_name,
                    log_stream_name=log_stream.log_stream_name,
                ),
            ),
        )
        """The ``AWS::KinesisFirehose::DeliveryStream``."""

        if self.bucket.policy:
            self.delivery_stream.node.add_dependency(self.bucket.policy)
        _acknowledge_findings(self)
        for warning, text in limits.oddities_of_prefix(prefix):
            cdk.Annotations.of(self).add_warning_v2(f"ses-events:{warning}", text)


def _delivery_policy(bucket: s3.IBucket, log_group: logs.ILogGroup, log_stream: logs.ILogStream) -> iam.PolicyDocument:
    """What Firehose needs to deliver to S3 and to log why it could not (Firehose developer guide, controlling access).

    PutObject writes. AbortMultipartUpload and ListBucketMultipartUploads serve large buffers, which go up in parts.
    GetBucketLocation and ListBucket find the bucket. GetObject is documented for S3 destinations, without a reason.
    """
    error_log_stream = cdk.Stack.of(log_group).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{log_group.log_group_name}:log-stream:{log_stream.log_stream_name}",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="Bucket",
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                resources=[bucket.bucket_arn],
            ),
            iam.PolicyStatement(
                sid="Objects",
                actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                resources=[bucket.arn_for_objects("*")],
            ),
            iam.PolicyStatement(sid="ErrorLog", actions=["logs:PutLogEvents"], resources=[error_log_stream]),
        ]
    )


def _acknowledge_findings(archive: EventArchive) -> None:
    """Excuse what cdk-nag's AwsSolutions pack finds here and cannot be otherwise, each where it is caused."""
    cdk.Validations.of(archive.bucket).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions-S1",
            reason="Firehose is the only writer and CloudTrail data events record readers; access logs need a bucket "
            "of their own, which is the account's choice",
        )
    )
    bucket = cdk.Stack.of(archive).get_logical_id(cast(s3.CfnBucket, archive.bucket.node.default_child))
    cdk.Validations.of(archive.role).acknowledge(
        cdk.Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]",
            reason="Firehose names the objects it writes; the bucket holds nothing but what this role wrote",
        )
    )
