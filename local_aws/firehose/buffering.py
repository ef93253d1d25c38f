"""Firehose as the service delivers to S3: buffered, compressed, with the role of the deployed stream."""

from __future__ import annotations

import base64
import functools
import gzip
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local_aws.clock import Clock
from local_aws.firehose.keys import KeyUnusable, Unusable, fault_of_grant, fault_of_state
from local_aws.glue.hive import Find, HiveType, by_mapping, columns_of, misfit, to_parquet
from local_aws.iam.principals import AccessDenied, RoleSession, ServicePrincipal
from local_aws.ministack import buckets, catalog, delivery_streams, metrics

log = logging.getLogger(__name__)

_EXTENSIONS = {"UNCOMPRESSED": "", "GZIP": ".gz"}
_RETRY_SECONDS = 24 * 3600  # Firehose gives a record up after a day (developer guide, S3 destinations)
_CONVERSION_FAILED = "format-conversion-failed"
_NOT_EMULATED = ("ProcessingConfiguration", "DynamicPartitioningConfiguration")

_MOST_BUFFERING = {"IntervalInSeconds": 900, "SizeInMBs": 128}
_EXPRESSION = re.compile(r"!\{([^:}]*)")
_NAMESPACES = ("timestamp", "firehose", "partitionKeyFromQuery", "partitionKeyFromLambda")
_UNSATISFIED = "The supplied prefix(es) do not satisfy the following constraint:"

_SLOW_DOWN = "Slow down."


def refusal(settings: Mapping[str, Any]) -> str | None:
    """Return why Firehose refuses a destination in S3 (developer guide, custom prefixes; API, buffering hints).

    What the local Firehose cannot deliver is refused, too.
    """
    for name, most in _MOST_BUFFERING.items():
        given = settings.get("BufferingHints", {}).get(name, 1)
        if not (0 if name == "IntervalInSeconds" else 1) <= given <= most:
            return f"{name} is {given}, and can be at most {most}."
    prefix, errors = settings.get("Prefix") or "", settings.get("ErrorOutputPrefix") or ""
    for namespace in _EXPRESSION.findall(prefix + errors):
        if namespace not in _NAMESPACES:
            return f"{_UNSATISFIED} {namespace} is no namespace of an expression"
    if "!{" in prefix and not errors:
        return f"{_UNSATISFIED} ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"
    if "!{" in errors and "!{firehose:error-output-type}" not in errors:
        return f"{_UNSATISFIED} ErrorOutputPrefix with expressions must contain !{{firehose:error-output-type}}"
    if "!{firehose:error-output-type}" in prefix:
        return f"{_UNSATISFIED} Prefix cannot contain !{{firehose:error-output-type}}"
    return _not_emulated(settings)


@dataclass
class Quota:
    """What each stream takes in a second; the defaults are those of us-east-1 (Firehose developer guide, quota)."""

    bytes: float = 5 * 1024**2
    records: float = 500_000
    put_requests: float = 2000

    def set(self, **values: float) -> None:
        """Change what is given.

        :raises ValueError: when one is no quota.
        """
        for name, value in values.items():
            if name not in ("bytes", "records", "put_requests") or not value >= 0:
                raise ValueError(f"{name} {value!r} is no quota of a delivery stream")
            setattr(self, name, value)

    def metrics(self) -> dict[str, float]:
        """The metrics that tell of it. AWS publishes them always, this with what arrives."""
        return {
            "BytesPerSecondLimit": self.bytes,
            "RecordsPerSecondLimit": self.records,
            "PutRequestsPerSecondLimit": self.put_requests,
        }


@dataclass
class _Usage:
    """What a stream took in a second."""

    second: float
    size: int = 0
    records: int = 0
    put_requests: int = 0

    def takes(self, record: bytes, quota: Quota) -> bool:
        """Whether a record is within the quota; it counts then."""
        if self.records >= quota.records or self.size + len(record) > quota.bytes:
            return False
        self.records, self.size = self.records + 1, self.size + len(record)
        return True


@dataclass
class _Buffer:
    """Records on their way into one object."""

    stream: dict[str, Any]
    destination: dict[str, Any]
    arrival_on_aws: float
    arrival: float = field(default_factory=time.time)
    records: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """The destination's configuration as it is now: UpdateDestination replaces it."""
        return dict(self.destination["config"])


class Firehose:
    """Takes the records of PutRecord and PutRecordBatch, and delivers them.

    :param clock: what its intervals, its retries and the ages of records go by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.quota = Quota()
        """What more of is turned away."""
        self._usage: dict[str, _Usage] = {}
        self._buffers: dict[str, _Buffer] = {}
        self._lock = threading.Lock()

    def accept(
        self, stream: dict[str, Any], destination: dict[str, Any], records: Sequence[bytes]
    ) -> Sequence[str | None]:
        """Keep the records of a request until the buffering interval is over, or the buffering size is reached.

        It returns for each why it is turned away, or None.

        :raises delivery_streams.Refused: when the key of the stream cannot be used.
        """
        unknown = _not_emulated(destination["config"])
        if unknown:
            return [unknown] * len(records)
        unusable = _fault_of_key(stream)
        if unusable:
            raise delivery_streams.Refused("InvalidKMSResourceException", unusable.message)
        with self._lock:
            taken = self._within_quota(stream, records)
            refusals = [None if each else _SLOW_DOWN for each in taken]
            records = [record for record, each in zip(records, taken, strict=True) if each]
            size = sum(map(len, records))
            if len(records) < len(taken):
                _publish(stream, ThrottledRecords=len(taken) - len(records))
            if not records:
                return refusals
            counts = {"IncomingRecords": len(records), "IncomingBytes": size, "IncomingPutRequests": 1}
            _publish(stream, **counts, **self.quota.metrics())
            buffer = self._buffers.get(destination["id"])
            if buffer is None:
                buffer = self._buffers[destination["id"]] = _Buffer(stream, destination, self._clock.now())
                self._later(_interval(buffer), self._flush, buffer)
            buffer.records += records
            buffer.size += size
            if buffer.size >= _hint(buffer, "SizeInMBs", 5) * 1024 * 1024:
                self._later(0, self._flush, buffer)
        return refusals

    def _within_quota(self, stream: Mapping[str, Any], records: Sequence[bytes]) -> list[bool]:
        """Whether each record of a request is within what the stream takes in this second of AWS."""
        second = self._clock.now() // 1
        usage = self._usage.get(stream["arn"])
        if usage is None or usage.second != second:
            usage = self._usage[stream["arn"]] = _Usage(second)
        if usage.put_requests >= self.quota.put_requests:
            return [False] * len(records)
        usage.put_requests += 1
        return [usage.takes(record, self.quota) for record in records]

    def _flush(self, buffer: _Buffer) -> None:
        with self._lock:
            if self._buffers.get(buffer.destination["id"]) is not buffer:
                return  # its size was reached before its interval was over
            del self._buffers[buffer.destination["id"]]
        self._deliver(buffer)

    def _deliver(self, buffer: _Buffer) -> None:
        name = buffer.stream["name"]
        if not delivery_streams.is_deployed(buffer.stream):
            log.error("%s was deleted with %d records undelivered", name, len(buffer.records))
            return
        age = self._clock.now() - buffer.arrival_on_aws
        try:
            log.info("%s delivered %d records to %s", name, len(buffer.records), _put_object(buffer))
            _publish(buffer.stream, **{"DeliveryToS3.Success": 1, "DeliveryToS3.DataFreshness": age})
        except Exception as failure:  # whatever it is, it is an undelivered buffer: reported, and tried again
            log.error("%s could not deliver: %s", name, failure)
            _publish(buffer.stream, **{"DeliveryToS3.Success": 0, "DeliveryToS3.DataFreshness": age})
            _report(buffer, failure)
            if age < _RETRY_SECONDS:
                self._later(_interval(buffer), self._deliver, buffer)
            else:
                log.error("%s gave up %d records", name, len(buffer.records))

    def _later(self, seconds: float, do: Callable[[_Buffer], None], buffer: _Buffer) -> None:
        self._clock.later(seconds, functools.partial(do, buffer))


def object_key(stream: Mapping[str, Any], settings: Mapping[str, Any], arrival: float) -> str:
    """The key of an object whose oldest record arrived at a time (seconds since 1970)."""
    at = time.gmtime(arrival)
    prefix = delivery_streams.evaluated_prefix(settings.get("Prefix", ""), at)
    extension = settings.get("FileExtension") or _EXTENSIONS[_compression(settings)]
    version, seconds = stream["version"], time.strftime("%Y-%m-%d-%H-%M-%S", at)
    return f"{prefix}{stream['name']}-{version}-{seconds}-{uuid.uuid4()}{extension}"


def _publish(stream: Mapping[str, Any], **values: float) -> None:
    """Publish metrics of a stream; an age is in seconds of AWS, which are shorter here."""
    region, account = stream["arn"].split(":")[3:5]
    for name, value in values.items():
        dimensions = {"DeliveryStreamName": stream["name"]}
        metrics.record_metric("AWS/Firehose", name, value, "None", dimensions, account, region)


def _not_emulated(settings: Mapping[str, Any]) -> str | None:
    unknown = [option for option in _NOT_EMULATED if settings.get(option, {}).get("Enabled")]
    if _compression(settings) not in _EXTENSIONS:
        unknown.append(f"CompressionFormat {_compression(settings)}")
    if settings.get("CustomTimeZone", "UTC") != "UTC":
        unknown.append("CustomTimeZone")
    return f"the local Firehose has no {', '.join(unknown)}" if unknown else None


def _compression(settings: Mapping[str, Any]) -> str:
    return str(settings.get("CompressionFormat", "UNCOMPRESSED"))


def _interval(buffer: _Buffer) -> float:
    return _hint(buffer, "IntervalInSeconds", 300)


def _hint(buffer: _Buffer, name: str, default: int) -> int:
    return int(buffer.settings.get("BufferingHints", {}).get(name, default))


def _role_session(buffer: _Buffer) -> RoleSession:
    arn = buffer.stream["arn"]
    region, account = arn.split(":")[3:5]
    context = {"sts:ExternalId": account, "aws:SourceAccount": account, "aws:SourceArn": arn}
    return ServicePrincipal("firehose.amazonaws.com", region, context).assume(buffer.settings["RoleARN"])


def _fault_of_key(stream: Mapping[str, Any]) -> Unusable | None:
    """Why Firehose cannot use the customer's key of the stream, if it has one; each time is counted."""
    key = delivery_streams.key_of_stream(stream)
    if not key:
        return None
    region, account = stream["arn"].split(":")[3:5]
    fault = fault_of_grant(key, region, {"aws:SourceAccount": account, "aws:SourceArn": stream["arn"]})
    if fault:
        _publish(stream, **{fault.metric: 1})
    return fault


def _put_object(buffer: _Buffer) -> str:
    unusable = _fault_of_key(buffer.stream)
    if unusable:
        raise KeyUnusable(unusable)
    settings = buffer.settings
    role = _role_session(buffer)
    data = b"".join(buffer.records)
    conversion = settings.get("DataFormatConversionConfiguration", {})
    if not conversion.get("Enabled"):
        return _put(role, buffer, settings, data)
    find, columns = _schema(role, conversion)
    lines = [(line, misfit(columns, line, find)) for line in data.splitlines()]
    failed = [_failed_record(buffer, conversion, line, why) for line, why in lines if why]
    converted = [line for line, why in lines if not why]
    if failed:
        errors = settings.get("ErrorOutputPrefix", "").replace("!{firehose:error-output-type}", _CONVERSION_FAILED)
        _put(role, buffer, {**settings, "Prefix": errors, "FileExtension": ""}, b"\n".join(failed))
    if settings.get("S3BackupMode") == "Enabled":
        _put(role, buffer, settings["S3BackupConfiguration"], data)
    counts = {"SucceedConversion.Records": len(converted), "FailedConversion.Records": len(failed)}
    _publish(buffer.stream, **counts)
    if not converted:
        return f"{_CONVERSION_FAILED}, all of them"
    return _put(role, buffer, settings, to_parquet(columns, converted, find))


def _failed_record(buffer: _Buffer, conversion: Mapping[str, Any], line: bytes, why: str) -> bytes:
    """What Firehose writes of a record that it cannot convert, in the keys that it writes (not the documented ones)."""
    schema = conversion["SchemaConfiguration"]
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": int(buffer.arrival * 1000),
        "lastErrorCode": "DataFormatConversion.MalformedData",
        "lastErrorMessage": f"Data does not match the schema. {why}",
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(line).decode(),
        "dataCatalogTable": {"databaseName": schema["DatabaseName"], "tableName": schema["TableName"]},
    }
    return json.dumps(document).encode()


def _put(role: RoleSession, buffer: _Buffer, settings: Mapping[str, Any], data: bytes) -> str:
    bucket = settings["BucketARN"].split(":")[-1]
    _require_encryption_key(role, bucket, settings["BucketARN"])
    key = object_key(buffer.stream, settings, buffer.arrival)
    body = gzip.compress(data) if _compression(settings) == "GZIP" else data
    role.client("s3").put_object(Bucket=bucket, Key=key, Body=body, **_encryption(settings))
    return f"s3://{bucket}/{key}"


def _encryption(settings: Mapping[str, Any]) -> dict[str, str]:
    """What the put asks of S3; without it the bucket's default encryption holds."""
    key = settings.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN")
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}


def _schema(role: RoleSession, conversion: Mapping[str, Any]) -> tuple[Find, Mapping[str, HiveType]]:
    """How values are found, and the columns of a Glue table, which the role may read."""
    schema = conversion["SchemaConfiguration"]
    database, name = schema["DatabaseName"], schema["TableName"]
    account = role.arn.split(":")[4]
    for action in ("glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"):
        for resource in ("catalog", f"database/{database}", f"table/{database}/{name}"):
            role.require(action, f"arn:aws:glue:{role.region}:{account}:{resource}", {})
    table = catalog.table(account, role.region, database, name)
    deserializer = conversion["InputFormatConfiguration"]["Deserializer"]["OpenXJsonSerDe"]
    find = by_mapping(deserializer["ColumnToJsonKeyMappings"])
    return find, columns_of(table)


def _require_encryption_key(role: RoleSession, bucket: str, bucket_arn: str) -> None:
    """S3 asks KMS for a data key with the permissions of whoever writes: here for the key of the bucket."""
    key = buckets.key_of_bucket(role.arn.split(":")[4], role.region, bucket)
    if key:
        context = {
            "kms:ViaService": f"s3.{role.region}.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": bucket_arn,
        }
        fault = fault_of_state(key)
        if fault:
            raise KeyUnusable(fault)
        role.require("kms:GenerateDataKey", key, context)


def _report(buffer: _Buffer, failure: Exception) -> None:
    """Write a failure to the error log of the stream, as Firehose does: with the role that may have caused it."""
    options = buffer.settings.get("CloudWatchLoggingOptions", {})
    if not options.get("Enabled"):
        return
    entry = {
        "deliveryStreamARN": buffer.stream["arn"],
        "destination": buffer.settings["BucketARN"],
        "deliveryStreamVersionId": buffer.stream["version"],
        "message": str(failure),
        "errorCode": _error_code(failure),
    }
    try:
        _role_session(buffer).client("logs").put_log_events(
            logGroupName=options["LogGroupName"],
            logStreamName=options["LogStreamName"],
            logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(entry)}],
        )
    except Exception as refusal:
        log.error("%s could not log its error: %s", buffer.stream["name"], refusal)


def _error_code(failure: Exception) -> str:
    if isinstance(failure, ClientError):
        return f"S3.{failure.response['Error']['Code']}"
    if isinstance(failure, KeyUnusable):
        return f"S3.KMS.{failure.key.exception}Exception"
    return "S3.AccessDenied" if isinstance(failure, AccessDenied) else "InternalError"
