"""Everything that keeps an event is encrypted with one KMS key: bucket, stream, error log, query results, topic.

Use it where a policy asks for a customer managed key. The constructs write the permissions that SES, Firehose and
readers need; CloudWatch Logs is the one service that the key's policy has to name here.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk.aws_ses import EmailSendingEvent

from ses_events import EventAnalytics, EventArchive, EventPublishing, FirehoseDestination, SnsDestination

app = cdk.App()
stack = cdk.Stack(app, "Mail")

key = kms.Key(stack, "Key", enable_key_rotation=True)
key.add_to_resource_policy(
    iam.PolicyStatement(
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
        resources=["*"],  # in a key policy: this key
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": stack.format_arn(service="logs", resource="*")}},
    )
)
errors = logs.LogGroup(stack, "Errors", encryption_key=key, retention=logs.RetentionDays.ONE_MONTH)
archive = EventArchive(stack, "Archive", encryption_key=key, log_group=errors)
EventAnalytics(stack, "Analytics", archive=archive)
bounces = sns.Topic(stack, "Bounces", master_key=key, enforce_ssl=True)

publishing = EventPublishing(stack, "Publishing")
publishing.add_destination("ToArchive", FirehoseDestination(archive))
publishing.add_destination("ToBounces", SnsDestination(bounces), events=[EmailSendingEvent.BOUNCE])

app.synth()
