"""Why something did not arrive: read from the live system, along the way of an event, naming the cause and the fix."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from botocore.exceptions import ClientError

from ses_events.verify.deployed import (
    Account,
    Destination,
    Stream,
    System,
    UsageError,
    error_code,
    error_message,
    is_denial,
    verified_identities,
)
from ses_events.verify.objects import Folder, failed_record
from ses_events.verify.trust import lets_assume


@dataclass(frozen=True)
class Cause:
    """Why an event did not arrive.

    :param what: the cause, in a sentence.
    :param seen: what shows it.
    :param fix: what to do.
    :param certain: nothing can arrive while it lasts, so waiting is of no use.
    """

    what: str
    seen: str
    fix: str
    certain: bool = True


@dataclass(frozen=True)
class Unseen:
    """Something that could not be looked at.

    :param what: what was not looked at.
    :param why: what the caller's credentials do not allow, or what AWS said.
    """

    what: str
    why: str


Finding = Cause | Unseen


def why_refused(account: Account, system: System, sender: str, recipient: str, error: ClientError) -> Iterator[Finding]:
    """Why SES did not accept the mail.

    :raises UsageError: when it is about the caller and not about the system.
    """
    code, message = error_code(error), error_message(error)
    sender, recipient = parseaddr(sender)[1], parseaddr(recipient)[1]
    if is_denial(error):
        raise UsageError(f"your credentials may not send: {message} (docs/verify.md has the policy that verify needs)")
    said = f"SES said: {message} ({code})"
    if code == "MessageRejected" and "not verified" in message:
        yield from _not_verified(account, sender, recipient, message)
    elif code == "NotFoundException":
        yield Cause(
            f"the configuration set {system.configuration_set} does not exist", said, f"deploy {system.stack} again"
        )
    elif code == "MailFromDomainNotVerifiedException":
        domain = sender.rpartition("@")[2]
        fix = f"publish the MX record that this names: aws sesv2 get-email-identity --email-identity {domain}"
        yield Cause(f"the MAIL FROM domain of {domain} is not verified", said, fix)
    elif code in ("TooManyRequestsException", "LimitExceededException", "Throttling"):
        yield Cause("the sending quota of the account is used up", said, "wait, or ask AWS for a higher quota")
    elif "Paused" in code or "Suspended" in code or re.search("paused|disabled|suspended", message, re.IGNORECASE):
        yield from _sending_off(account, system, said)
    else:
        yield Cause("SES refused the mail", said, "see what SES said")


def why_nothing_can_arrive(
    account: Account, system: System, destination: Destination, expected: set[str]
) -> Iterator[Finding]:
    """What in the deployed system keeps the events of a mail from a destination.

    :param expected: the events that the mail yields.
    """
    if not destination.enabled:
        yield Cause(
            f"the event destination {destination.name} is disabled",
            "GetConfigurationSetEventDestinations says Enabled: false",
            f"enable it: enabled=True in add_destination, and deploy {system.stack} again",
        )
    if not expected & set(destination.events):
        yield Cause(
            f"the event destination {destination.name} does not match the events of this mail",
            f"it matches {', '.join(destination.events)}; the mail yields {', '.join(sorted(expected))}",
            f"add the events in add_destination, or send a mail that yields what it matches{_other(destination)}",
        )
    if destination.kind == "KinesisFirehoseDestination":
        yield from _ses_to_firehose(account, system, destination)
        if destination.stream:
            yield from _stream_broken(account, destination.stream)


def why_not_delivered(
    account: Account, stream: Stream, errors: Folder | None, since: datetime, message_id: str
) -> Iterator[Finding]:
    """What Firehose itself has reported since the mail was sent: its error log, and what it put aside.

    :param errors: the objects under the error prefix.
    """
    yield from _error_log(account, stream, since)
    with _looking("s3:ListBucket, s3:GetObject", "objects under the error prefix") as unseen:
        for key, document in errors.new_documents(account.now()) if errors else ():
            error, record = failed_record(document)
            whose = "the event of this mail" if message_id in record else "events of other mail"
            yield Cause(
                f"Firehose could not process {whose}, and put it under the error prefix",
                f"s3://{errors.bucket}/{key}: {error}; the record: {record[:300]}" if errors else key,
                "mend what the error names (the schema of the table, the transformation), and send again",
                certain=message_id in record,
            )
    yield from unseen


def why_late(account: Account, stream: Stream, since: datetime, *, arrived: bool) -> Iterator[Finding]:
    """What the metrics of a stream tell, when nothing else tells why an event has not come.

    :param arrived: whether another event of the mail has come.
    """
    names = ("IncomingRecords", "ThrottledRecords", *_KEY_METRICS)
    with _looking("cloudwatch:GetMetricData", "the metrics of the stream") as unseen:
        dimensions = {"DeliveryStreamName": stream.name}
        sums = metric_sums(account, [("AWS/Firehose", name, dimensions) for name in names], since)
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
                "SES has put no record into the stream, as far as its metrics show",
                f"AWS/Firehose IncomingRecords of {stream.name} is 0 since the mail was sent",
                "run it again with a longer --timeout, as metrics come minutes late; then look at the role for SES",
                certain=False,
            )
    yield from unseen


def metric_sums(account: Account, metrics: list[tuple[str, str, dict[str, str]]], since: datetime) -> list[float]:
    """The sums of metrics (namespace, name, dimensions) from the minute of a time until now."""
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for number, (namespace, name, dimensions) in enumerate(metrics)
    ]
    if not queries:
        return []
    answer = account.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=account.now() + timedelta(minutes=2),
    )
    sums = {result["Id"]: float(sum(result["Values"])) for result in answer["MetricDataResults"]}
    return [sums.get(query["Id"], 0.0) for query in queries]


_KEY_METRICS = {
    "KMSKeyAccessDenied": "access is denied",
    "KMSKeyDisabled": "the key is disabled",
    "KMSKeyInvalidState": "the key is in a state that forbids its use",
    "KMSKeyNotFound": "the key does not exist",
}

_LASTING = re.compile("AccessDenied|NoSuchBucket|KMS|NotSignedUp|AllAccessDisabled|AccountProblem|NotFound", re.I)
"""Codes of Firehose's error log that no retry cures."""


@contextlib.contextmanager
def _looking(action: str, what: str) -> Iterator[list[Unseen]]:
    """Look at something that the caller may not be allowed to see: then that comes back in the list."""
    unseen: list[Unseen] = []
    try:
        yield unseen
    except ClientError as error:
        unseen.append(Unseen(what, f"you lack {action}" if is_denial(error) else error_message(error)))


def _not_verified(account: Account, sender: str, recipient: str, message: str) -> Iterator[Finding]:
    region = account.region
    named = message.rpartition(": ")[2]
    if recipient in named and sender not in named:
        yield Cause(
            f"the account is in the SES sandbox, and the recipient {recipient} is not verified",
            f"SES said: {message}",
            "send to the mailbox simulator (leave out --to), verify the recipient, or ask AWS for production access",
        )
        return
    verified: list[str] = []
    with _looking("ses:ListEmailIdentities", "which identities are verified") as unseen:
        verified = verified_identities(account)
    instead = f"; or send --from one that is: {', '.join(verified[:10])}" if verified else ""
    yield Cause(
        f"the identity of the sender {sender} is not verified in {region}",
        f"SES said: {message}",
        f"aws sesv2 create-email-identity --region {region} --email-identity {sender}, then click the link in the mail"
        + instead,
    )
    yield from unseen


def _sending_off(account: Account, system: System, said: str) -> Iterator[Finding]:
    found = False
    with _looking("ses:GetConfigurationSet", "whether the set may send") as unseen:
        described = account.client("sesv2").get_configuration_set(ConfigurationSetName=system.configuration_set)
        if not described.get("SendingOptions", {}).get("SendingEnabled", True):
            found = True
            yield Cause(
                f"sending is disabled for the configuration set {system.configuration_set}",
                said,
                "aws sesv2 put-configuration-set-sending-options --sending-enabled --configuration-set-name "
                f"{system.configuration_set}",
            )
    yield from unseen
    with _looking("ses:GetAccount", "whether the account may send") as unseen:
        described = account.client("sesv2").get_account()
        status = described.get("EnforcementStatus", "HEALTHY")
        if not described.get("SendingEnabled", True):
            found = True
            yield Cause(
                f"sending is paused for the whole account in {account.region} (enforcement status {status})",
                said,
                "aws sesv2 put-account-sending-attributes --sending-enabled; if AWS paused it, answer its support case",
            )
    yield from unseen
    if not found:
        yield Cause("sending is paused", said, "look at the sending status of the set and of the account")


def _other(destination: Destination) -> str:
    scenarios = {"Bounce": "bounce", "Complaint": "complaint", "Send": "success", "Delivery": "success"}
    fitting = sorted({scenarios[event] for event in destination.events if event in scenarios})
    return f": --scenario {' or '.join(fitting)}" if fitting else ""


def _ses_to_firehose(account: Account, system: System, destination: Destination) -> Iterator[Finding]:
    role, arn = destination.settings["IamRoleArn"], destination.settings["DeliveryStreamArn"]
    _, partition, _, region, number, *_ = arn.split(":")
    source = f"arn:{partition}:ses:{region}:{number}:configuration-set/{system.configuration_set}"
    if destination.stream is None:
        yield Cause(
            f"the delivery stream {arn.rpartition('/')[2]} does not exist",
            f"{destination.name} puts events into {arn}",
            f"deploy {system.stack} again, or point the destination to a stream that exists",
        )
    context = {"aws:SourceAccount": number, "aws:SourceArn": source}
    yield from _not_assumable(account, role, "SES", "ses.amazonaws.com", context)
    yield from _not_permitted(account, role, "SES", "firehose:PutRecordBatch", arn)


def _stream_broken(account: Account, stream: Stream) -> Iterator[Finding]:
    if stream.status != "ACTIVE":
        yield Cause(
            f"the delivery stream {stream.name} is not active",
            f"DescribeDeliveryStream says {stream.status}",
            "wait until it is ACTIVE; after a failure deploy again",
            certain=not stream.status.endswith("ING"),
        )
    key = stream.encryption.get("KeyARN")
    if key and stream.encryption.get("KeyType") == "CUSTOMER_MANAGED_CMK":
        yield from _key_unusable(account, key, f"the stream {stream.name}")
    if stream.s3 is None:
        return
    bucket_arn = stream.s3["BucketARN"]
    bucket, number = bucket_arn.rpartition(":")[2], stream.arn.split(":")[4]
    context = {"sts:ExternalId": number, "aws:SourceAccount": number, "aws:SourceArn": stream.arn}
    yield from _not_assumable(account, stream.role, "Firehose", "firehose.amazonaws.com", context)
    prefix = stream.s3.get("Prefix", "").partition("!{")[0]
    yield from _not_permitted(account, stream.role, "Firehose", "s3:PutObject", f"{bucket_arn}/{prefix}event")
    with _looking("s3:GetEncryptionConfiguration", f"the key of the bucket {bucket}") as unseen:
        try:
            rules = account.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
            by_default = rules["Rules"][0].get("ApplyServerSideEncryptionByDefault", {})
            if by_default.get("KMSMasterKeyID"):
                yield from _key_unusable(account, by_default["KMSMasterKeyID"], f"the bucket {bucket}")
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                yield Cause(
                    f"the bucket {bucket} does not exist",
                    f"{stream.name} delivers to {bucket_arn}",
                    "make the bucket again, or deploy an archive with another one",
                )
            elif error_code(error) != "ServerSideEncryptionConfigurationNotFoundError":
                raise
    yield from unseen


def _not_assumable(
    account: Account, role: str, service: str, principal: str, context: dict[str, str]
) -> Iterator[Finding]:
    with _looking("iam:GetRole", f"whether {service} may assume {role}") as unseen:
        try:
            trust = account.client("iam").get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
        except ClientError as error:
            if error_code(error) != "NoSuchEntity":
                raise
            yield Cause(
                f"the role with which {service} should work does not exist",
                f"there is no {role}",
                "deploy the stack that has the role again (a role made by hand: make it again)",
            )
            return
        verdict = lets_assume(trust, principal, context)
        if verdict is not True:
            needed = {"Service": principal, **context} if service == "SES" else {"Service": principal}
            yield Cause(
                f"{service} may not assume its role: the trust policy does not let it"
                if verdict is False
                else f"{service} may be kept from assuming its role by a condition of the trust policy",
                f"{role} trusts: {json.dumps(trust.get('Statement'))}",
                f"let the trust policy allow sts:AssumeRole for {json.dumps(needed)}",
                certain=verdict is False,
            )
    yield from unseen


def _not_permitted(account: Account, role: str, service: str, action: str, resource: str) -> Iterator[Finding]:
    with _looking("iam:SimulatePrincipalPolicy", f"whether {service} may {action}") as unseen:
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
                f"IAM simulates {result['EvalDecision']} for {role} on {resource}",
                f"allow {action} on {resource} to the role, or deploy the stack that has it again",
                certain=not result.get("MissingContextValues"),
            )
    yield from unseen


def _key_unusable(account: Account, key: str, owner: str) -> Iterator[Finding]:
    with _looking("kms:DescribeKey", f"the KMS key of {owner}") as unseen:
        try:
            described = account.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        except ClientError as error:
            if error_code(error) != "NotFoundException":
                raise
            yield Cause(f"the KMS key of {owner} does not exist", f"there is no {key}", "encrypt with another key")
            return
        state = described["KeyState"]
        fixes = {
            "Disabled": f"aws kms enable-key --key-id {described['KeyId']}",
            "PendingDeletion": f"aws kms cancel-key-deletion --key-id {described['KeyId']}, then aws kms enable-key",
        }
        if state not in ("Enabled", "Creating", "Updating"):
            yield Cause(
                f"the KMS key of {owner} cannot be used",
                f"{described['Arn']} is in the state {state}",
                f"{fixes.get(state, 'make the key usable')}, within 24 hours: Firehose keeps records no longer",
            )
    yield from unseen


def _error_log(account: Account, stream: Stream, since: datetime) -> Iterator[Finding]:
    options = (stream.s3 or {}).get("CloudWatchLoggingOptions", {})
    if not options.get("Enabled"):
        return
    group, name = options["LogGroupName"], options["LogStreamName"]
    with _looking("logs:FilterLogEvents", f"the error log {group}") as unseen:
        try:
            pages = (
                account.client("logs")
                .get_paginator("filter_log_events")
                .paginate(logGroupName=group, logStreamNames=[name], startTime=int(since.timestamp() * 1000))
            )
            messages = {event["message"] for page in pages for event in page["events"]}
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            fix = f"make the log group {group} and the log stream {name} again: Firehose cannot say why it fails"
            yield Cause("the error log of the stream does not exist", f"{group}: {name}", fix, certain=False)
            return
        for message in sorted(messages):
            yield _logged(stream, *_log_entry(message))
    yield from unseen


def _log_entry(message: str) -> tuple[str, str]:
    """Error code and message of an entry of Firehose's error log."""
    try:
        entry: Any = json.loads(message)
        return str(entry.get("errorCode", "")), str(entry.get("message", message))
    except (ValueError, AttributeError):
        return "", message


def _logged(stream: Stream, code: str, message: str) -> Cause:
    seen = f"its error log says {code}: {message}"
    action = re.search(r"not authorized to perform: (\S+)", message)
    if action and action[1].startswith("kms:"):
        fix = f"allow {action[1]} to {stream.role}, in its policy and in the policy of the key"
        return Cause("Firehose may not use the KMS key of the bucket", seen, fix)
    if "kms" in f"{code} {message}".lower():
        return Cause("Firehose cannot use the KMS key of the bucket", seen, "make the key usable by the role again")
    if action:
        fix = f"allow {action[1]} to {stream.role}; look at the policy of the bucket, too"
        return Cause(f"Firehose may not {action[1]}", seen, fix)
    what = f"Firehose could not deliver: {code or 'its error log has no code'}"
    return Cause(what, seen, "mend what the message names", certain=bool(_LASTING.search(code)))
