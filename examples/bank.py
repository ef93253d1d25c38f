"""What a reviewer at a bank asks for, in objects of CDK's own: the constructs take them, and add what they need.

Use it where events are evidence: nobody can change or delete them for seven years, reading is logged, TLS is 1.2 or
later, an object without your key is refused, and keys, roles and retention are yours to show. docs/compliance.md has
what cdk-nag's packs find here, and docs/security.md what to prove of a bucket with Object Lock before you rely on it.
"""

from functools import partial

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from ses_events import EventAnalytics, EventArchive, EventMonitoring, EventPublishing, FirehoseDestination

app = cdk.App()
stack = cdk.Stack(app, "Bank", termination_protection=True)
here = {"StringEquals": {"aws:SourceAccount": stack.account}}
cloudwatch = iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=here)
events_key = kms.Key(stack, "EventsKey", enable_key_rotation=True)
alerts_key = kms.Key(stack, "AlertsKey", enable_key_rotation=True)  # of the error log and the topic: services use it
of_logs = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": stack.format_arn(service="logs", resource="*")}}
for service in (cloudwatch, iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com", conditions=of_logs)):
    alerts_key.grant_encrypt_decrypt(service)

none = s3.BlockPublicAccess.BLOCK_ALL
bucket = partial(s3.Bucket, stack, block_public_access=none, enforce_ssl=True, minimum_tls_version=1.2, versioned=True)
access = bucket("AccessLogs", encryption=s3.BucketEncryption.S3_MANAGED)  # S3 cannot log to one with a KMS key
cdk.Validations.of(access).acknowledge(cdk.Acknowledgment(id="AwsSolutions-S1", reason="it is the log of the others"))
keyed = partial(bucket, encryption_key=events_key, bucket_key_enabled=True, server_access_logs_bucket=access)
seven_years, month = cdk.Duration.days(7 * 365), cdk.Duration.days(30)
cold = s3.Transition(storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transition_after=cdk.Duration.days(90))
evidence = keyed(
    "Evidence",
    object_lock_default_retention=s3.ObjectLockRetention.compliance(seven_years),
    lifecycle_rules=[s3.LifecycleRule(transitions=[cold], expiration=seven_years, noncurrent_version_expiration=month)],
)
results = keyed("Answers", lifecycle_rules=[s3.LifecycleRule(expiration=month, noncurrent_version_expiration=month)])
without_key = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
put = iam.PolicyStatement(effect=iam.Effect.DENY, principals=[iam.AnyPrincipal()], actions=["s3:PutObject"])
evidence.add_to_resource_policy(put.copy(resources=[evidence.arn_for_objects("*")], conditions=without_key))
account = {"StringEquals": {"sts:ExternalId": stack.account}}
firehose = iam.Role(stack, "Firehose", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com", conditions=account))
ses = iam.Role(stack, "Ses", assumed_by=iam.ServicePrincipal("ses.amazonaws.com", conditions=here))
errors = logs.LogGroup(stack, "Errors", encryption_key=alerts_key, retention=logs.RetentionDays.ONE_YEAR)
on_call = sns.Topic(stack, "OnCall", master_key=alerts_key, enforce_ssl=True)
on_call.grant_publish(cloudwatch)

archive = EventArchive(stack, "Archive", bucket=evidence, encryption_key=events_key, log_group=errors, role=firehose)
EventAnalytics(stack, "Analytics", archive=archive, results_bucket=results)
publishing = EventPublishing(stack, "Publishing", reputation_metrics=True)
publishing.add_destination("ToArchive", FirehoseDestination(archive, role=ses))
told = [actions.SnsAction(on_call)]
EventMonitoring(stack, "Monitoring", publishing=publishing, archive=archive, alarm_actions=told, ok_actions=told)

app.synth()
