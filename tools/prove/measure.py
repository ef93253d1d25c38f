"""A measurement for each doubt of docs/doubts.json that a command can settle."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cdk import CdkError
from ses_events.verify.account import UsageError, error_code, error_message
from ses_events.verify.plan import TAG_VALUE
from ses_events.verify.questions import find_workgroup
from ses_events.verify.system import verified_identities
from tools.prove.field import STREAM, Answer, Field, Json, refusals, seconds_of, stack_events

PROPAGATION = 60
"""Seconds that a change of a role is given before it is relied on."""

LOAD = 300
"""Megabytes that are put into the stream to have it throttle: the largest quota is 5 MiB a second."""


def first_deployment(field: Field) -> Answer:
    """Look at the events of the first deployment."""
    events = stack_events(field.account, field.stack)
    failed = refusals(events)
    if failed:
        return Answer(True, f"No: {'; '.join(failed)}")
    return Answer(True, f"Yes: nothing failed; the stream took {seconds_of(events, STREAM):.0f} s")


def express_retry(field: Field) -> Answer:
    """Look at the events of the express deployment."""
    if not field.express:
        return Answer(False, "Open: it was left out")
    events = stack_events(field.account, field.express)
    failed = [each for each in refusals(events) if "EventDestination" in each or "ToArchive" in each]
    complete = any(
        each["ResourceStatus"] == "CREATE_COMPLETE" and each["LogicalResourceId"] == field.express for each in events
    )
    if not failed:
        return Answer(False, f"Open: SES refused nothing, and the deployment {'succeeded' if complete else 'failed'}")
    return Answer(True, f"{'Yes' if complete else 'No'}: {failed[0]}")


def propagation_time(field: Field) -> Answer:
    """Try a new role until SES takes it."""
    iam, ses, name = field.client("iam"), field.client("sesv2"), f"{field.stack}-propagation"
    role = field.role("ses")
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    try:
        iam.put_role_policy(RoleName=name, PolicyName="Put", PolicyDocument=document)
        start, reasons = time.monotonic(), list[str]()

        def taken() -> bool:
            try:
                _add_destination(field, name, arn, _stream_arn(field))
            except ClientError as error:
                reasons.append(error_message(error))
                return False
            return True

        if not field.eventually(taken):
            return Answer(False, f"Open: SES did not take it: {reasons[-1]}")
        seconds = time.monotonic() - start
        ses.delete_configuration_set_event_destination(
            ConfigurationSetName=field.configuration_set, EventDestinationName=name
        )
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="Put")
        iam.delete_role(RoleName=name)
    stream = seconds_of(stack_events(field.account, field.stack), STREAM)
    word = "Yes" if seconds <= stream else "No"
    first = f"; before that SES said: {reasons[0]}" if reasons else ""
    return Answer(True, f"{word}: SES took the role after {seconds:.0f} s, the stream took {stream:.0f} s{first}")


def stream_not_active(field: Field) -> Answer:
    """Name a stream in an event destination at once after it was made."""
    iam, name, role = field.client("iam"), f"{field.stack}-not-active", field.role("ses")
    arn = _stream_arn(field).rpartition("/")[0] + f"/{name}"
    statement = {"Effect": "Allow", "Action": "firehose:PutRecordBatch", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="Probe", PolicyDocument=document)
    try:
        field.pause(PROPAGATION)
        role_arn = iam.get_role(RoleName=role)["Role"]["Arn"]
        with field.stream(name):
            try:
                _add_destination(field, name, role_arn, arn)
            except ClientError as error:
                return Answer(True, f"Yes: {error_message(error)}")
            field.client("sesv2").delete_configuration_set_event_destination(
                ConfigurationSetName=field.configuration_set, EventDestinationName=name
            )
            return Answer(True, "No: SES took it")
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Probe")


def get_object(field: Field) -> Answer:
    """Take the action from the role of Firehose, and put a record."""
    iam, role, name = field.client("iam"), field.role("firehose"), f"{field.stack}-get-object"
    with contextlib.ExitStack() as restored:
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            request = {"RoleName": role, "PolicyName": policy}
            restored.callback(iam.put_role_policy, **request, PolicyDocument=json.dumps(document))
            for statement in document["Statement"]:
                if "s3:GetObject" in statement["Action"]:
                    statement["Action"].remove("s3:GetObject")
            iam.put_role_policy(**request, PolicyDocument=json.dumps(document))
        return _record_arrives(field, name)


def firehose_source_arn(field: Field) -> Answer:
    """Let Firehose assume its role with the ARN of a new stream only, and put a record."""
    iam, role, name = field.client("iam"), field.role("firehose"), f"{field.stack}-source-arn"
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    before = json.dumps(trust)
    for statement in trust["Statement"]:
        arn = _stream_arn(field).rpartition("/")[0] + f"/{name}"
        statement.setdefault("Condition", {})["ArnLike"] = {"aws:SourceArn": arn}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    try:
        return _record_arrives(field, name)
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=before)


def queries_on_athena(field: Field) -> Answer:
    """Ask all that is saved."""
    workgroup = find_workgroup(field.account, field.stack, None)
    questions, failed = workgroup.questions(), list[str]()
    for question in questions:
        try:
            workgroup.ask(question, ["none"] * question.takes, lambda *_: None)
        except UsageError as error:
            failed.append(f"{question.name}: {error}")
    if failed:
        return Answer(True, f"No: {'; '.join(failed)}")
    return Answer(True, f"Yes: all {len(questions)} succeeded")


def empty_series(field: Field) -> Answer:
    """Fill a metric that nobody has written, beside one that the mails of verify have."""
    queries: list[Json] = []
    for name, campaign in (("none", f"none-{field.stack}"), ("some", TAG_VALUE)):
        metric = {
            "Namespace": "AWS/SES",
            "MetricName": "Send",
            "Dimensions": [{"Name": "campaign", "Value": campaign}],
        }
        statistic = {"Metric": metric, "Period": 60, "Stat": "Sum"}
        queries += [
            {"Id": name, "MetricStat": statistic, "ReturnData": False},
            {"Id": f"{name}Filled", "Expression": f"FILL({name}, 0)"},
        ]
    now = field.account.now()
    answer = field.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(hours=3), EndTime=now
    )
    points = {result["Id"]: len(result["Values"]) for result in answer["MetricDataResults"]}
    if not points.get("someFilled"):
        return Answer(False, "Open: GetMetricData fills no metric here")
    none = points.get("noneFilled")
    return Answer(True, f"No: it gives {none} points" if none else "Yes: it gives no point, where another is filled")


def tag_characters(field: Field) -> Answer:
    """Send a mail with such a tag, and look whether it is counted."""
    try:
        field.send(EmailTags=[{"Name": "campaign", "Value": "a.b@c"}])
    except ClientError as error:
        return Answer(True, f"No: {error_message(error)}")
    counted = field.eventually(lambda: _counted(field, "Send", "a.b@c"))
    return Answer(True, f"Yes: SES takes it, and CloudWatch {'counts' if counted else 'does not count'} it")


def tenant_tag(field: Field) -> Answer:
    """Send a mail for a new tenant, and look at the tags of its events."""
    ses, name = field.client("sesv2"), f"{field.stack}-tenant"
    account = field.client("sts").get_caller_identity()["Account"]
    identity = _identity(field)
    partition = _stream_arn(field).split(":")[1]
    owned = f"arn:{partition}:ses:{field.account.region}:{account}"
    arns = [f"{owned}:identity/{identity}", f"{owned}:configuration-set/{field.configuration_set}"]
    ses.create_tenant(TenantName=name)
    try:
        for arn in arns:
            ses.create_tenant_resource_association(TenantName=name, ResourceArn=arn)
        message_id = field.send(TenantName=name)
        events = field.eventually(lambda: _all_of(field.events(message_id), {"Send", "Delivery"}))
    finally:
        for arn in arns:
            with contextlib.suppress(ClientError):
                ses.delete_tenant_resource_association(TenantName=name, ResourceArn=arn)
        ses.delete_tenant(TenantName=name)
    if not events:
        return Answer(False, "Open: not both events arrived")
    tagged = sorted(event["eventType"] for event in events if "ses:tenant-name" in event["mail"]["tags"])
    return Answer(True, f"Yes: {' and '.join(tagged)} have it" if tagged else "No: neither has it")


def rendering_failure_metric(field: Field) -> Answer:
    """Send a template whose data lacks a value, and look for both names."""
    ses, name = field.client("sesv2"), f"{field.stack}-template"
    content = {"Subject": "make prove", "Text": "Hello {{name}}"}
    ses.create_email_template(TemplateName=name, TemplateContent=content)
    try:
        template = {"TemplateName": name, "TemplateData": "{}"}
        field.send(Content={"Template": template}, EmailTags=[{"Name": "campaign", "Value": "rendering"}])
        names = ("RenderingFailure", "Rendering Failure")
        found = field.eventually(lambda: [each for each in names if _counted(field, each, "rendering")])
    finally:
        ses.delete_email_template(TemplateName=name)
    if not found:
        return Answer(False, "Open: neither name has a count")
    return Answer(True, f"{'Yes' if found[0] == names[0] else 'No'}: it is {found[0]}")


def throttled(field: Field) -> Answer:
    """Send ten mails while the stream throttles, and count them in the bucket."""
    firehose, name = field.client("firehose"), field.outputs["DeliveryStreamName"]
    records = [{"Data": json.dumps({"padding": "0" * 999_000}).encode()}] * 4
    refused: list[int] = []

    def put(_: int) -> None:
        try:
            refused.append(firehose.put_record_batch(DeliveryStreamName=name, Records=records)["FailedPutCount"])
        except ClientError as error:
            if error_code(error) != "ServiceUnavailableException":
                raise
            refused.append(len(records))

    message_ids: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        puts = [pool.submit(put, number) for number in range(math.ceil(LOAD / 4 / field.speed))]
        try:
            while len(message_ids) < 10:
                message_ids.append(field.send())
                field.pause(1)
            for each in puts:
                each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if not sum(refused):
        return Answer(False, "Open: nothing was throttled from here; run it where more bytes a second go out")
    field.eventually(lambda: len(_sent(field, message_ids)) == len(message_ids))
    arrived = len(_sent(field, message_ids))
    counts = f"{sum(refused)} of {len(refused) * len(records)} records were throttled, {arrived} of 10 mails arrived"
    return Answer(arrived < 10 or sum(refused) > len(refused), f"{'No' if arrived < 10 else 'Yes'}: {counts}")


def revert_drift(field: Field) -> Answer:
    """Disable an event destination, and deploy with the option."""
    ses = field.client("sesv2")
    [before] = [each for each in field.destinations() if "KinesisFirehoseDestination" in each]
    kept = ("Enabled", "MatchingEventTypes", "KinesisFirehoseDestination")
    definition = {key: before[key] for key in kept}

    def update(enabled: bool) -> None:
        ses.update_configuration_set_event_destination(
            ConfigurationSetName=field.configuration_set,
            EventDestinationName=before["Name"],
            EventDestination={**definition, "Enabled": enabled},
        )

    update(False)
    try:
        said = ""
        try:
            field.cdk.deploy(field.stack, "--revert-drift")
        except CdkError as error:
            said = f": {str(error).splitlines()[-1].strip()}"
        [after] = [each for each in field.destinations() if each["Name"] == before["Name"]]
    finally:
        update(True)
    return Answer(True, f"{'Yes: it is enabled again' if after['Enabled'] else 'No: it stays disabled'}{said}")


MEASUREMENTS: dict[str, Callable[[Field], Answer]] = {
    "first-deployment": first_deployment,
    "express-retry": express_retry,
    "propagation-time": propagation_time,
    "stream-not-active": stream_not_active,
    "get-object": get_object,
    "firehose-source-arn": firehose_source_arn,
    "queries-on-athena": queries_on_athena,
    "empty-series": empty_series,
    "tag-characters": tag_characters,
    "tenant-tag": tenant_tag,
    "rendering-failure-metric": rendering_failure_metric,
    "throttled": throttled,
    "revert-drift": revert_drift,
}
"""By the id of the doubt, in the order in which they are made: what fills the bucket comes late."""


def measured(field: Field, settled: set[str]) -> Iterator[tuple[str, Answer]]:
    """Make each measurement but those of doubts that are settled; one that cannot be made leaves its doubt open."""
    for doubt, measure in MEASUREMENTS.items():
        if doubt in settled:
            continue
        try:
            yield doubt, measure(field)
        except Exception as error:  # the others are not lost by it, nor the hour until here
            said = f"{error_code(error)}: {error_message(error)}" if isinstance(error, ClientError) else repr(error)
            yield doubt, Answer(False, f"Open: it could not be asked: {said}")


def _add_destination(field: Field, name: str, role: str, stream: str) -> None:
    field.client("sesv2").create_configuration_set_event_destination(
        ConfigurationSetName=field.configuration_set,
        EventDestinationName=name,
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["REJECT"],
            "KinesisFirehoseDestination": {"IamRoleArn": role, "DeliveryStreamArn": stream},
        },
    )


def _stream_arn(field: Field) -> str:
    described = field.client("firehose").describe_delivery_stream(
        DeliveryStreamName=field.outputs["DeliveryStreamName"]
    )
    return str(described["DeliveryStreamDescription"]["DeliveryStreamARN"])


def _record_arrives(field: Field, name: str) -> Answer:
    field.pause(PROPAGATION)
    try:
        with field.stream(name):
            return Answer(True, "Yes: it delivers" if field.delivers(name) else "No: nothing arrives")
    except ClientError as error:
        if error_code(error) not in ("InvalidArgumentException", "AccessDeniedException"):
            raise
        return Answer(True, f"No: {error_message(error)}")


def _counted(field: Field, metric: str, campaign: str) -> float:
    since = field.account.now() - timedelta(minutes=15)
    [total] = field.account.sums([("AWS/SES", metric, {"campaign": campaign})], since)
    return total


def _identity(field: Field) -> str:
    """The identity of the sender: the address, or its domain."""
    identities = verified_identities(field.account)
    return field.sender if field.sender in identities else field.sender.rpartition("@")[2]


def _all_of(events: list[Json], types: set[str]) -> list[Json]:
    return events if types <= {event["eventType"] for event in events} else []


def _sent(field: Field, message_ids: list[str]) -> set[Any]:
    events = field.events(*message_ids)
    return {event["mail"]["messageId"] for event in events if event["eventType"] == "Send"}
