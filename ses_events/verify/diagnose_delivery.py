"""Why an event did not arrive: read from the live system, along the way of the event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from botocore.exceptions import ClientError

from ses_events.verify.account import Account, error_code
from ses_events.verify.finding import Cause, Finding, looking
from ses_events.verify.mend import (
    create_stream,
    declared_bucket_policy,
    put_bucket_policy,
    put_permission,
    put_trust,
)
from ses_events.verify.system import Destination, Stream, System
from ses_events.verify.trust import denials, lets_assume


def why_nothing_can_arrive(account: Account, system: System, destination: Destination) -> Iterator[Finding]:
    """Yield what in the deployed system keeps the events that a destination matches from it."""
    if destination.kind == "KinesisFirehoseDestination":
        yield from _ses_to_firehose(account, system, destination)
        if destination.stream:
            yield from _stream_broken(account, system, destination.stream)


def why_late(account: Account, stream: Stream, since: datetime, waited: float, *, arrived: bool) -> Iterator[Finding]:
    """Yield what the buffering and the metrics of a stream tell, when nothing else tells why an event has not come.

    :param waited: for how many seconds.
    :param arrived: whether another event of the mail has come.
    """
    if waited < stream.interval:
        yield Cause(
            "Firehose may not have written the event yet",
            f"the stream collects records for {stream.interval} s, and it was given up after {waited:.0f} s",
            f"run it again with a --timeout of more than {stream.interval} s, or without one",
            certain=False,
        )
    names = ("IncomingRecords", "ThrottledRecords", *_KEY_METRICS)
    with looking("cloudwatch:GetMetricData", "the metrics of the stream") as unseen:
        dimensions = {"DeliveryStreamName": stream.name}
        sums = account.sums([("AWS/Firehose", name, dimensions) for name in names], since)
        by_name = dict(zip(names, sums, strict=True))
        if by_name["ThrottledRecords"]:
            yield Cause(
                "the stream is throttled: it takes fewer records than it is sent",
                f"AWS/Firehose ThrottledRecords is {by_name['ThrottledRecords']:g} since the mail was sent",
                "ask AWS for a higher quota of the stream, or give each configuration set its own",
                certain=False,
            )
        for name in _KEY_METRICS:
            if by_name[name]:
                yield Cause(
                    f"Firehose cannot use the KMS key of the stream: {_KEY_METRICS[name]}",
                    f"AWS/Firehose {name} is {by_name[name]:g} since the mail was sent",
                    "make the key usable again within 24 hours: Firehose keeps records no longer",
                )
        if not by_name["IncomingRecords"] and not arrived:
            yield Cause(
                "By its metrics, the stream has got no record from SES",
                f"AWS/Firehose IncomingRecords of {stream.label} is 0 since the mail was sent",
                "run it again with a longer --timeout, as metrics come minutes late; then look at the role for SES",
                certain=False,
            )
    yield from unseen


_KEY_METRICS = {
    "KMSKeyAccessDenied": "access is denied",
    "KMSKeyDisabled": "the key is disabled",
    "KMSKeyInvalidState": "the key is in a state that forbids its use",
    "KMSKeyNotFound": "the key does not exist",
}


def _ses_to_firehose(account: Account, system: System, destination: Destination) -> Iterator[Finding]:
    role, arn = destination.settings["IamRoleArn"], destination.settings["DeliveryStreamArn"]
    _, partition, _, region, number, *_ = arn.split(":")
    source = f"arn:{partition}:ses:{region}:{number}:configuration-set/{system.configuration_set}"
    if destination.stream is None:
        yield Cause(
            f"the delivery stream {system.called(arn)} does not exist",
            f"{destination.label} puts events into {arn}",
            "make it again; a deployment of the same template says 'no changes'",
            create_stream(account, system.template, arn.rpartition("/")[2]),
        )
    context = {"aws:SourceAccount": number, "aws:SourceArn": source}
    yield from _not_assumable(account, system, role, "SES", "ses.amazonaws.com", context, context)
    yield from _not_permitted(account, system, role, "SES", "firehose:PutRecordBatch", arn)


def _stream_broken(account: Account, system: System, stream: Stream) -> Iterator[Finding]:
    if stream.status != "ACTIVE":
        yield Cause(
            f"the delivery stream {stream.label} is not active",
            f"DescribeDeliveryStream says {stream.status}",
            "wait until it is ACTIVE; after a failure deploy again",
            certain=not stream.status.endswith("ING"),
        )
    key = stream.encryption.get("KeyARN")
    if key and stream.encryption.get("KeyType") == "CUSTOMER_MANAGED_CMK":
        yield from _key_unusable(account, key, f"the stream {stream.label}")
    if stream.s3 is None:
        return
    bucket_arn = stream.s3["BucketARN"]
    bucket, number = bucket_arn.rpartition(":")[2], stream.arn.split(":")[4]
    called = system.called(bucket)
    wanted = {"sts:ExternalId": number}
    context = {**wanted, "aws:SourceAccount": number, "aws:SourceArn": stream.arn}
    yield from _not_assumable(account, system, stream.role, "Firehose", "firehose.amazonaws.com", context, wanted)
    yield from _denied_by_bucket(account, system, stream)
    yield from _not_permitted(account, system, stream.role, "Firehose", "s3:PutObject", stream.an_object())
    with looking("s3:GetEncryptionConfiguration", f"the key of the bucket {called}") as unseen:
        try:
            rules = account.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
            by_default = rules["Rules"][0].get("ApplyServerSideEncryptionByDefault", {})
            if by_default.get("KMSMasterKeyID"):
                yield from _key_unusable(account, by_default["KMSMasterKeyID"], f"the bucket {called}")
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                yield Cause(
                    f"the bucket {called} does not exist",
                    f"{stream.label} delivers to {bucket_arn}",
                    "make the bucket again, or deploy an archive with another one",
                )
            elif error_code(error) != "ServerSideEncryptionConfigurationNotFoundError":
                raise
    yield from unseen


def _denied_by_bucket(account: Account, system: System, stream: Stream) -> Iterator[Finding]:
    """Yield what the policy of the bucket denies the role of the stream: IAM simulates it for no role."""
    assert stream.s3
    bucket = stream.s3["BucketARN"].rpartition(":")[2]
    called, about = system.called(bucket), (stream.role, "s3:PutObject", stream.an_object())
    with looking("s3:GetBucketPolicy", f"the policy of the bucket {called}") as unseen:
        try:
            policy = json.loads(account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        except ClientError as error:
            if error_code(error) not in ("NoSuchBucketPolicy", "NoSuchBucket"):
                raise
            return
        denying = list(denials(policy, *about))
        if denying:
            declared = declared_bucket_policy(system.template, bucket)
            if declared is None or any(denials(declared, *about)):
                statements = [statement for statement, _ in denials(policy, *about)]
                declared = {**policy, "Statement": [each for each in policy["Statement"] if each not in statements]}
            is_certain = any(verdict for _, verdict in denying)
            yield Cause(
                f"the policy of the bucket {called} {'denies' if is_certain else 'may deny'} Firehose s3:PutObject",
                f"it has {', '.join(json.dumps(statement) for statement, _ in denying)}",
                "put the policy back within 24 hours: Firehose keeps events no longer, and delivers them by itself",
                put_bucket_policy(account, bucket, declared),
                certain=is_certain,
                about="s3:PutObject",
            )
    yield from unseen


def _not_assumable(
    account: Account,
    system: System,
    role: str,
    service: str,
    principal: str,
    context: dict[str, str],
    wanted: dict[str, str],
) -> Iterator[Finding]:
    """Yield the finding about a role that a service cannot assume.

    :param context: the condition keys that the service sends along.
    :param wanted: those of them that a trust policy should ask for.
    """
    with looking("iam:GetRole", f"whether {service} may assume {system.called(role)}") as unseen:
        try:
            trust = account.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        except ClientError as error:
            if error_code(error) != "NoSuchEntity":
                raise
            yield Cause(
                f"the role with which {service} should work does not exist",
                f"there is no role {system.called(role)} ({role})",
                "make the role again; a deployment of the same template says 'no changes'",
            )
            return
        verdict = lets_assume(trust, principal, context)
        if verdict is not True:
            needed = {
                "Effect": "Allow",
                "Principal": {"Service": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": wanted},
            }
            yield Cause(
                f"{service} may not assume its role: the trust policy does not let it"
                if verdict is False
                else f"{service} may be kept from assuming its role by a condition of the trust policy",
                f"{system.called(role)} trusts: {json.dumps(trust.get('Statement'))}",
                f"let it trust {principal}; a deployment of the same template says 'no changes'",
                put_trust(account, system.template, role, trust, needed),
                certain=verdict is False,
            )
    yield from unseen


def _not_permitted(
    account: Account, system: System, role: str, service: str, action: str, resource: str
) -> Iterator[Finding]:
    of_bucket = system.called(resource.partition("/")[0]) if action.startswith("s3:") else system.called(resource)
    with looking("iam:SimulatePrincipalPolicy", f"whether {service} may {action}") as unseen:
        try:
            answer = account.client("iam").simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
            )
        except ClientError as error:
            if error_code(error) != "NoSuchEntity":
                raise
            return  # that the role is missing is a cause of its own
        [result] = answer["EvaluationResults"]
        if result["EvalDecision"] != "allowed":
            yield Cause(
                f"the role of {service} may not {action}",
                f"IAM simulates {result['EvalDecision']} for {system.called(role)} on {of_bucket}",
                "give the role this policy; a deployment of the same template says 'no changes'",
                put_permission(account, system.template, role, action, resource),
                # The policy of a bucket may allow what the role's own policies are silent about.
                certain=not result.get("MissingContextValues")
                and (result["EvalDecision"] == "explicitDeny" or not action.startswith("s3:")),
                about=action,
            )
    yield from unseen


def _key_unusable(account: Account, key: str, owner: str) -> Iterator[Finding]:
    with looking("kms:DescribeKey", f"the KMS key of {owner}") as unseen:
        try:
            described = account.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        except ClientError as error:
            if error_code(error) != "NotFoundException":
                raise
            what, seen, fix = f"the KMS key of {owner} does not exist", f"there is no {key}", "encrypt with another key"
            yield Cause(what, seen, fix, about=f"kms {key}")
            return
        state = described["KeyState"]
        key_id = f"--key-id {described['KeyId']}"
        enable = account.command("kms enable-key", key_id)
        commands = {
            "Disabled": enable,
            "PendingDeletion": f"{account.command('kms cancel-key-deletion', key_id)} && {enable}",
        }
        if state not in ("Enabled", "Creating", "Updating"):
            yield Cause(
                f"the KMS key of {owner} cannot be used",
                f"{described['Arn']} is in the state {state}",
                "make it usable within 24 hours: Firehose keeps records no longer",
                commands.get(state, ""),
                about=f"kms {described['Arn']}",
            )
    yield from unseen
