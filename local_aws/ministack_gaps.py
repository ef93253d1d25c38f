"""Where MiniStack 1.5.33 does less than AWS, or something else; the only module that touches its private names."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.services import athena, cloudwatch, eventbridge, firehose, glue, iam, s3, ses, ses_v2, sns
from ministack.services.cloudformation import provisioners, stacks

from local_aws.delays import Delays, Past

Records = list[tuple[str, bytes]]
"""Record ids and data, as Firehose takes them in."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body, as MiniStack's services answer."""

Provisioner = Callable[..., tuple[str, dict[str, Any]]]
"""How CloudFormation creates or updates a resource: its physical id and attributes come back."""


delays = Delays()
"""How slow AWS is here. MiniStack is not at all."""

_SENDING = tuple(
    f"ses:Send{what}" for what in ("Email", "RawEmail", "TemplatedEmail", "BulkTemplatedEmail", "BulkEmail")
)
_roles_in_the_past: defaultdict[str, Past[dict[str, Any]]] = defaultdict(Past)  # by account


def fill() -> None:
    """Make MiniStack do what AWS does, where this system depends on it."""
    # CloudFormation ignores the encryption of a bucket.
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
    )
    # CloudFormation ignores the key of a topic, and lets everybody publish to a topic without a policy.
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    handlers["create"] = _with_default_policy(_with_key(handlers["create"], 1))
    handlers["update"] = _with_key(handlers["update"], 2)
    # Each version of the SES API knows its own configuration sets only.
    ses_v2._create_config_set = _with_name_of_v1(ses_v2._create_config_set)
    ses._configuration_sets = ses_v2._config_sets
    # CloudFormation takes over a configuration set that is there already, and deletes it afterwards.
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SES::ConfigurationSet"]
    handlers["create"] = _unless_it_exists(handlers["create"])
    # An alarm of metric math is refused, and one of a metric looks at all its dimensions together.
    provisioners._cw_metric_alarm_record = _with_metric_math(provisioners._cw_metric_alarm_record)
    cloudwatch._evaluate_alarm = lambda alarm: None  # local_aws.alarms does it
    # logs:PutLogEvents is authorised on the log group, and what Athena does to a query on no resource.
    iam_actions.extract_resource_arn = _with_workgroup(_with_log_stream(iam_actions.extract_resource_arn))
    # Sending is authorised on no resource; local_aws.ses asks for each that a mail uses.
    iam_actions.extract_iam_action = _but_sending(iam_actions.extract_iam_action)
    # CloudFormation knows of Athena the workgroup only.
    for resource_type, create, delete in (
        ("AWS::Athena::NamedQuery", _create_named_query, _delete_named_query),
        ("AWS::Athena::PreparedStatement", _create_prepared_statement, _delete_prepared_statement),
    ):
        provisioners._RESOURCE_HANDLERS[resource_type] = {
            "create": create,
            "update": _by_replacement(create, delete),
            "delete": delete,
        }
    # The API v2 cannot stop sending, and gives no identity a default configuration set; nor can the older API.
    ses_v2.handle_request = _with_sending_attributes(ses_v2.handle_request)
    ses.handle_request = _with_sending_enabled(ses.handle_request)
    _let_roles_propagate()
    _let_streams_take_time()


def check_event_destinations(refusal: Callable[[str, str, Mapping[str, Any]], str | None]) -> None:
    """Ask ``refusal(configuration set, name, event destination)`` before one is created or changed.

    MiniStack itself takes any, by the API v2 as by CloudFormation.
    """
    put = ses_v2._put_event_destination

    def checked(configuration_set: str, name: str, definition: Any, *, create: bool) -> Any:
        record = ses_v2._config_sets.get(configuration_set)
        if record is not None and isinstance(definition, dict):
            # CloudFormation touches what is the same only here.
            same = ses_v2._event_destination(definition)[0] == record.get("EventDestinations", {}).get(name)
            message = None if same else refusal(configuration_set, name, definition)
            if message:
                return ses_error_v2("BadRequestException", message)
        return put(configuration_set, name, definition, create=create)

    ses_v2._put_event_destination = checked


def check_destinations_in_s3(refusal: Callable[[Mapping[str, Any]], str | None]) -> None:
    """Ask ``refusal(destination)`` before a delivery stream to S3 is made, and describe its backup."""
    validate, describe = firehose._validate_s3_destination_config, firehose._dest_description

    def validated(kind: str, settings: dict[str, Any]) -> Any:
        # UpdateDestination gives only what changes; creating one takes a role.
        message = refusal(settings) if kind in ("ExtendedS3", "S3") and "RoleARN" in settings else None
        return firehose._invalid(message) if message else validate(kind, settings)

    def described(destination: dict[str, Any]) -> Any:
        description = describe(destination)
        backup = destination["config"].get("S3BackupConfiguration")
        if destination["type"] == "ExtendedS3" and backup:
            of_backup = describe({**destination, "type": "S3", "config": backup})["S3DestinationDescription"]
            of_backup.pop("S3BackupMode")
            description["ExtendedS3DestinationDescription"]["S3BackupDescription"] = of_backup
        return description

    firehose._validate_s3_destination_config, firehose._dest_description = validated, described


def hand_over_records(accept: Callable[[dict[str, Any], dict[str, Any], Records], None]) -> None:
    """Call ``accept(stream, destination, records)`` for what is put into a delivery stream to S3.

    MiniStack itself would write each record to an object of its own at once, with no role and no compression.
    """
    firehose._deliver_records_to_s3 = accept


@dataclass(frozen=True)
class Asked:
    """Who asked for a query to be run, and where."""

    access_key_id: str
    arn: str
    account: str
    region: str
    workgroup: str
    parameters: list[str]


_asked: contextvars.ContextVar[Asked] = contextvars.ContextVar("asked")


def hand_over_queries(run: Callable[[str, str, Asked], dict[str, Any]]) -> None:
    """Call ``run(sql, database, asked)`` for what Athena is asked; it returns columns, their types and rows.

    MiniStack itself would take the columns from the objects, whatever the table says, and ask for no permission.
    """
    handle = athena.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        request = json.loads(body or b"{}")
        asked = Asked(
            access_key_id=router.extract_access_key_id(headers, query_params),
            arn=iam_evaluator.caller_arn(),
            account=responses.get_account_id(),
            region=responses.get_region(),
            workgroup=request.get("WorkGroup", "primary"),
            parameters=request.get("ExecutionParameters", []),
        )
        _asked.set(asked)
        return await handle(method, path, headers, body, query_params)

    async def run_duckdb(sql: str, database: str, catalog: str | None = None) -> dict[str, Any]:
        return await asyncio.to_thread(run, sql, database, _asked.get())

    detect = athena._detect_statement_type
    athena.handle_request = handle_request
    # or the result of a prepared statement would have no row of column names
    athena._detect_statement_type = lambda sql: "DML" if sql.split()[:1] == ["EXECUTE"] else detect(sql)
    athena._run_duckdb = run_duckdb


def workgroup(name: str) -> dict[str, Any]:
    """The configuration of a workgroup of the account and region that are asked."""
    return dict(athena._workgroups[name].get("Configuration", {}))


def prepared_statement(workgroup: str, name: str) -> str | None:
    """A statement that is prepared in a workgroup."""
    found = athena._prepared_statements.get(f"{workgroup}/{name}")
    return found and str(found["QueryStatement"])


def table(account: str, region: str, database: str, name: str) -> Any:
    """A table of the Glue catalog, or None."""
    return glue._tables.get_scoped(account, region, f"{database}/{name}")


def keys_of_bucket(bucket: str) -> list[str]:
    """The keys of the objects in a bucket."""
    return sorted(s3._buckets[bucket]["objects"])


def content_of_object(bucket: str, key: str) -> bytes:
    """What is in an object."""
    return bytes(s3._get_object_data(bucket, key) or b"")


def is_deployed(stream: Mapping[str, Any]) -> bool:
    """Whether a delivery stream still exists."""
    region, account = stream["arn"].split(":")[3:5]
    return firehose._streams.get_scoped(account, region, stream["name"]) is stream


def evaluated_prefix(prefix: str, arrival: time.struct_time) -> str:
    """The start of an object's key: ``!{timestamp:...}`` filled in, or ``yyyy/MM/dd/HH/`` put behind."""
    return str(firehose._evaluate_prefix(prefix, arrival))


def key_of_bucket(account: str, region: str, bucket: str) -> str | None:
    """The ARN of the customer's KMS key that a bucket encrypts new objects with by default."""
    configuration = s3._bucket_encryption.get_scoped(account, None, bucket)
    key = ElementTree.fromstring(configuration).findtext(".//{*}KMSMasterKeyID") if configuration else None
    return _key_arn(key, account, region) if key else None


def key_of_topic(topic_arn: str) -> str | None:
    """The ARN of the KMS key that a topic is encrypted with."""
    region, account = topic_arn.split(":")[3:5]
    topic = sns._topics.get_scoped(account, region, topic_arn)
    key = topic and topic["attributes"].get("KmsMasterKeyId")
    return _key_arn(key, account, region) if key else None


def put_event_of_aws(entry: Mapping[str, Any]) -> None:
    """Put an event on the default bus whose source is AWS itself, as no customer can."""
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def metric_alarms() -> list[dict[str, Any]]:
    """The deployed alarms."""
    return list(cloudwatch._alarms.values())


def record_metric(
    namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str], account: str, region: str
) -> None:
    """Publish a data point of now, from any thread."""
    with responses.request_scope(account, region):
        cloudwatch.record_metric(namespace, name, value, unit, dimensions)


def data_points(namespace: str, name: str, dimensions: dict[str, str]) -> list[dict[str, Any]]:
    """What was published of the metric with exactly these dimensions."""
    return list(cloudwatch._metrics.get((namespace, name, cloudwatch._dims_key(dimensions)), []))


def statistic(points: list[dict[str, Any]], name: str, start: float, end: float) -> float | None:
    """A statistic of what was published between two times; None of nothing."""
    found = cloudwatch._calc_stats([point for point in points if start <= point["Timestamp"] < end])
    return float(found[name]) if found else None


def role(account: str, name: str) -> Any:
    """An IAM role as services see it, or None."""
    if delays.iam:
        return _roles_in_the_past[account].seen(name, delays.iam)
    return iam._roles.get_scoped(account, None, name)


def is_active(stream_arn: str) -> bool:
    """Whether a delivery stream exists and takes records."""
    region, account, _, name = stream_arn.replace("/", ":").split(":")[3:7]
    stream = firehose._streams.get_scoped(account, region, name)
    return bool(stream) and stream["status"] == "ACTIVE"


def template(name: str) -> dict[str, str] | None:
    """The parts of a template of SES."""
    stored = ses._templates.get(name)
    return stored and {part: stored.get(f"{part}Part") or "" for part in ("Subject", "Text", "Html")}


def configuration_set(name: str) -> Any:
    """A configuration set, with its options in the words of the API v2, or None."""
    return ses_v2._config_sets.get(name)


def event_destinations(name: str) -> list[dict[str, Any]]:
    """The event destinations of a configuration set, in the words of the API v2."""
    destinations = (configuration_set(name) or {}).get("EventDestinations", {})
    return [{"Name": name, **destination} for name, destination in destinations.items()]


def default_configuration_set(identity: str) -> str:
    """The configuration set of mail from an identity that names none, or nothing."""
    return str((ses_v2._identities.get(identity) or {}).get("ConfigurationSetName") or "")


def account_may_send() -> bool:
    """Whether sending is enabled for the account."""
    return bool((ses._account_details.get("account") or {}).get("SendingEnabled", True))


def ses_error_v1(code: str, message: str) -> Response:
    """A response of the query protocol that says no."""
    response: Response = ses._error(code, message, 400)
    return response


def ses_error_v2(code: str, message: str) -> Response:
    """A response of the API v2 that says no."""
    response: Response = ses_v2._json_err(code, message, 404 if code == "NotFoundException" else 400)
    return response


def verified_identity(address: str) -> str | None:
    """The identity that lets an address send: itself, or the nearest of its domain and the domains above."""
    labels = address.rpartition("@")[2].lower().split(".")
    candidates = [address, *(".".join(labels[start:]) for start in range(len(labels)))]
    return next((name for name in candidates if name in ses._identities or name in ses_v2._identities), None)


def _encryption_xml(encryption: dict[str, Any]) -> bytes:
    """The property BucketEncryption as the body of PutBucketEncryption."""
    rule = encryption["ServerSideEncryptionConfiguration"][0]
    default = rule["ServerSideEncryptionByDefault"]
    key = default.get("KMSMasterKeyID")
    # There is no key aws/s3 here, so S3 encrypts as if it were not asked for (the bucket of `cdk bootstrap` does).
    algorithm = default["SSEAlgorithm"] if key else "AES256"
    root = ElementTree.Element("ServerSideEncryptionConfiguration")
    rule_element = ElementTree.SubElement(root, "Rule")
    apply = ElementTree.SubElement(rule_element, "ApplyServerSideEncryptionByDefault")
    ElementTree.SubElement(apply, "SSEAlgorithm").text = algorithm
    if key:
        ElementTree.SubElement(apply, "KMSMasterKeyID").text = key
    ElementTree.SubElement(rule_element, "BucketKeyEnabled").text = str(rule.get("BucketKeyEnabled", False)).lower()
    return ElementTree.tostring(root)


def _with_key(provision: Provisioner, properties: int) -> Provisioner:
    """Set the key of a topic, whose properties are the argument at this position."""

    def provision_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = provision(*arguments, **options)
        topic, key = sns._topics[arn]["attributes"], arguments[properties].get("KmsMasterKeyId")
        topic.pop("KmsMasterKeyId", None)
        topic.update({"KmsMasterKeyId": key} if key else {})
        return arn, attributes

    return provision_topic


def _unless_it_exists(create: Provisioner) -> Provisioner:
    def create_configuration_set(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        name = properties.get("Name")
        if name and configuration_set(name) is not None:
            raise ValueError(f"Resource of type 'AWS::SES::ConfigurationSet' with identifier '{name}' already exists.")
        return create(logical_id, properties, stack)

    return create_configuration_set


def _with_default_policy(create: Provisioner) -> Provisioner:
    """Let only the account itself use a topic that no policy is written for."""

    def create_topic(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
        arn, attributes = create(*arguments, **options)
        topic = sns._topics[arn]["attributes"]
        policy = json.loads(topic["Policy"])
        policy["Statement"][0]["Condition"] = {"StringEquals": {"AWS:SourceOwner": topic["Owner"]}}
        topic["Policy"] = json.dumps(policy)
        return arn, attributes

    return create_topic


def _with_metric_math(alarm_record: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return alarm_record(name, properties)
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        alarm = alarm_record(name, {**plain, "MetricName": "-", "Namespace": "-"})
        of_one_metric = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
        kept = {key: value for key, value in alarm.items() if key not in of_one_metric}
        return {**kept, "Metrics": properties["Metrics"]}

    return record


def _with_name_of_v1(create: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def create_configuration_set(name: str, options: dict[str, Any]) -> dict[str, Any]:
        record = create(name, options)
        record["Name"] = name
        return record

    return create_configuration_set


def _but_sending(iam_action: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract(service: str, *request: Any) -> str | None:
        action = iam_action(service, *request)
        return None if action in _SENDING else action

    return extract


def _with_log_stream(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service == "logs" and headers.get("x-amz-target", "").endswith(".PutLogEvents"):
            return f"{arn.removesuffix(':*')}:log-stream:{json.loads(body).get('logStreamName', '')}"
        return arn

    return extract


def _with_sending_attributes(handle: Callable[..., Any]) -> Callable[..., Any]:
    """PutAccountSendingAttributes, and the default configuration set of an identity."""

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        request = path.rstrip("/").removeprefix("/v2/email").split("/")[1:]
        if (method, request) == ("PUT", ["account", "sending"]):
            _let_account_send(json.loads(body).get("SendingEnabled", False))
            return ses_v2.json_response({})
        if method == "PUT" and request[:1] == ["identities"] and request[2:] == ["configuration-set"]:
            return _put_default_set(unquote(request[1]), json.loads(body).get("ConfigurationSetName", ""))
        response = await handle(method, path, headers, body, query)
        if response[0] == 200 and (method, request) == ("POST", ["identities"]):
            _put_default_set(json.loads(body)["EmailIdentity"], json.loads(body).get("ConfigurationSetName", ""))
        if response[0] == 200 and (method, request) == ("GET", ["account"]):
            return ses_v2.json_response({**json.loads(response[2]), "SendingEnabled": account_may_send()})
        return response

    return handle_request


def _with_sending_enabled(handle: Callable[..., Any]) -> Callable[..., Any]:
    """The operations of the query protocol that stop sending, and tell of it."""

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        action, enabled, result = form.get("Action", ""), form.get("Enabled") == "true", ""
        match action:
            case "UpdateConfigurationSetSendingEnabled":
                name = form.get("ConfigurationSetName", "")
                record = configuration_set(name)
                if record is None:
                    return ses._config_set_missing(name)
                ses_v2._put_config_set_option(record, "SendingOptions", {"SendingEnabled": enabled})
            case "UpdateAccountSendingEnabled":
                _let_account_send(enabled)
            case "GetAccountSendingEnabled":
                result = f"<{action}Result><Enabled>{str(account_may_send()).lower()}</Enabled></{action}Result>"
            case _:
                return await handle(method, path, headers, body, query)
        return ses._xml(200, f"{action}Response", result)

    return handle_request


def _let_account_send(enabled: bool) -> None:
    ses._account_details.setdefault("account", {})["SendingEnabled"] = enabled


def _put_default_set(identity: str, name: str) -> Any:
    record = ses_v2._identities.get(identity)
    if record is None:
        return ses_error_v2("NotFoundException", f"Email identity {identity} does not exist.")
    if name and configuration_set(name) is None:
        return ses_v2._missing_config_set(name)
    record["ConfigurationSetName"] = name
    return ses_v2.json_response({})


def _let_roles_propagate() -> None:
    """Let services see the roles that trust them as they were ``delays.iam`` seconds ago.

    Roles that only people assume change at once: nobody could work with a new account otherwise.
    """

    def note_afterwards(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*arguments: Any, **options: Any) -> Any:
            try:
                return change(*arguments, **options)
            finally:
                roles = {name: _snapshot(role) for name, role in iam._roles.items()}
                _roles_in_the_past[responses.get_account_id()].note(roles)

        return changed

    for action, handler in iam._IAM_HANDLERS.items():
        if not action.startswith(("Get", "List", "Simulate")):
            iam._IAM_HANDLERS[action] = note_afterwards(handler)
    for kind in ("Role", "Policy", "ManagedPolicy"):
        handlers = provisioners._RESOURCE_HANDLERS[f"AWS::IAM::{kind}"]
        handlers |= {name: note_afterwards(handlers[name]) for name in ("create", "update", "delete")}

    gather = iam_evaluator._gather_role_policies

    def gather_role_policies(name: str, account: str) -> Any:
        past = _roles_in_the_past[account].seen(name, delays.iam) if delays.iam else None
        current = iam._roles.get_scoped(account, None, name)
        if not delays.iam or '"Service"' not in str((past or current or {}).get("AssumeRolePolicyDocument")):
            return gather(name, account)
        return [iam_evaluator.parse_policy_document(document) for document in past["Policies"]] if past else []

    iam_evaluator._gather_role_policies = gather_role_policies


def _snapshot(role: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides who assumes a role and what it may do."""
    attached = (
        iam_evaluator._resolve_managed_policy_document(arn, role["Arn"].split(":")[4])
        for arn in role["AttachedPolicies"]
    )
    return {
        "RoleId": role["RoleId"],
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "Policies": [*role["InlinePolicies"].values(), *filter(None, attached)],
    }


def _let_streams_take_time() -> None:
    """Let a new delivery stream be CREATING for ``delays.stream`` seconds; CloudFormation waits for it."""
    create_stream = firehose._create_delivery_stream

    def create_delivery_stream(data: dict[str, Any]) -> Any:
        response = create_stream(data)
        if delays.stream and response[0] == 200:
            stream = firehose._streams[data["DeliveryStreamName"]]
            stream["status"] = "CREATING"
            timer = threading.Timer(delays.stream, stream.update, [{"status": "ACTIVE"}])
            timer.daemon = True
            timer.start()
        return response

    firehose._create_delivery_stream = firehose._HANDLERS["CreateDeliveryStream"] = create_delivery_stream

    def until_active(provision: Provisioner) -> Provisioner:
        def provision_stream(*arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
            name, attributes = provision(*arguments, **options)
            while firehose._streams[name]["status"] == "CREATING":
                time.sleep(0.02)
            return name, attributes

        return provision_stream

    stream = "AWS::KinesisFirehose::DeliveryStream"
    handlers = provisioners._RESOURCE_HANDLERS[stream]
    handlers |= {name: until_active(handlers[name]) for name in ("create", "update")}
    runs_on_thread = stacks._runs_on_worker_thread
    # Waiting on the event loop would stop everything else.
    stacks._runs_on_worker_thread = lambda resource_type: resource_type == stream or runs_on_thread(resource_type)


def _with_workgroup(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service != "athena" or arn != "*":
            return arn
        request = json.loads(body or b"{}")
        execution = athena._executions.get(request.get("QueryExecutionId"))
        of = execution or athena._named_queries.get(request.get("NamedQueryId"))
        return str(athena._arn_workgroup(of["WorkGroup"])) if of else arn

    return extract


def _create_named_query(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    query_id = _body(athena._create_named_query(properties))["NamedQueryId"]
    return query_id, {"NamedQueryId": query_id}


def _delete_named_query(query_id: str, properties: dict[str, Any]) -> None:
    athena._delete_named_query({"NamedQueryId": query_id})


def _create_prepared_statement(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
    _body(athena._create_prepared_statement(properties))
    return properties["StatementName"], {}


def _delete_prepared_statement(name: str, properties: dict[str, Any]) -> None:
    athena._delete_prepared_statement({"StatementName": name, "WorkGroup": properties["WorkGroup"]})


def _by_replacement(create: Provisioner, delete: Callable[[str, dict[str, Any]], None]) -> Provisioner:
    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        delete(physical_id, old)
        return create("", new, stack)

    return update


def _body(answer: Response) -> dict[str, Any]:
    """What a service answered.

    :raises ValueError: when it refused.
    """
    status, _, body = answer
    if status >= 400:
        raise ValueError(body)
    return dict(json.loads(body))


def _key_arn(key: str, account: str, region: str) -> str:
    """The ARN of a key given by its id, alias or ARN."""
    if key.startswith("arn:"):
        return key
    return f"arn:aws:kms:{region}:{account}:{key if key.startswith('alias/') else f'key/{key}'}"
