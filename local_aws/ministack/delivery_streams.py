"""Delivery streams, which take their time to become ACTIVE, and hand their records over."""

from __future__ import annotations

import base64
import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import firehose

from local_aws.ministack.delays import delays
from local_aws.ministack.provisioning import Provisioner, handlers_of, is_express, run_on_thread
from local_aws.ministack.requests import Response

Stream = dict[str, Any]
Destination = dict[str, Any]

_MOST_RECORDS = 500
_MOST_BYTES = {"a record": 1000 * 1024, "a batch": 4 * 1024**2}  # Firehose developer guide, quota
_UNAVAILABLE = "ServiceUnavailableException"
_SOURCES = {
    "KinesisStreamSourceConfiguration": "KinesisStreamAsSource",
    "MSKSourceConfiguration": "MSKAsSource",
    "DatabaseSourceConfiguration": "DatabaseAsSource",
}
"""What a stream reads from, and the type of stream that does (Firehose API, CreateDeliveryStream)."""


class Refused(Exception):
    """A whole request that Firehose refuses: its code and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Let a new delivery stream be CREATING for ``delays.stream`` seconds; CloudFormation waits for it, but for a
    stack in the express mode.
    """
    create_stream = firehose._create_delivery_stream

    def create_delivery_stream(data: dict[str, Any]) -> Any:
        kind = data.get("DeliveryStreamType", "DirectPut")
        needed = [source for source, of in _SOURCES.items() if of == kind]
        given = [source for source in _SOURCES if data.get(source)]
        if given != needed:
            takes, has = (" and ".join(sources) or "no source" for sources in (needed, given))
            return firehose._invalid(f"A delivery stream of type {kind} takes {takes} and has {has}.")
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
            while firehose._streams[name]["status"] == "CREATING" and not is_express(arguments[-1]):
                time.sleep(0.02)
            return name, attributes

        return provision_stream

    stream = "AWS::KinesisFirehose::DeliveryStream"
    handlers = handlers_of(stream)
    handlers |= {name: until_active(handlers[name]) for name in ("create", "update")}
    run_on_thread(stream)


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


def hand_over_records(accept: Callable[[Stream, Destination, Sequence[bytes]], Sequence[str | None]]) -> None:
    """Call ``accept(stream, destination, records)`` for what a request puts into a delivery stream to S3.

    It returns for each record why it is turned away, or None, or raises ``Refused``. MiniStack itself would write each
    record to an object of its own at once, with no role and no compression, and keep all of them in memory for ever. It
    still does for streams to other destinations.
    """
    handlers = dict(firehose._HANDLERS)

    def put(name: str, given: list[Any]) -> list[dict[str, Any]] | Response:
        stream = firehose._streams.get(name)
        if not stream:
            return _response(firehose._not_found(name))
        if stream["status"] != "ACTIVE":
            return _response(firehose.error_response_json(_UNAVAILABLE, "Service unavailable.", 503))
        try:
            records = [base64.b64decode(record["Data"], validate=True) for record in given]
        except (ValueError, TypeError, KeyError):
            return _response(firehose._invalid("Record.Data must be valid base64."))
        if any(len(record) > _MOST_BYTES["a record"] for record in records):
            return _response(firehose._invalid("Record size exceeds 1,000 KiB limit."))
        if sum(map(len, records)) > _MOST_BYTES["a batch"]:
            return _response(firehose._invalid("Records size exceeds 4 MB limit"))
        [destination] = stream["destinations"]
        try:
            refusals = accept(stream, destination, records)
        except Refused as refused:
            return _response(firehose.error_response_json(refused.code, str(refused), 400))
        return [
            {"ErrorCode": _UNAVAILABLE, "ErrorMessage": refusal} if refusal else {"RecordId": firehose._record_id()}
            for refusal in refusals
        ]

    def handled(data: dict[str, Any], operation: str, put_into_s3: Callable[[dict[str, Any]], Response]) -> Response:
        stream = firehose._streams.get(data.get("DeliveryStreamName", "")) or {"destinations": []}
        others = [each for each in stream["destinations"] if each["type"] not in ("ExtendedS3", "S3")]
        return _response(handlers[operation](data)) if others else put_into_s3(data)

    def put_record(data: dict[str, Any]) -> Response:
        answers = put(data.get("DeliveryStreamName", ""), [data.get("Record", {})])
        if isinstance(answers, tuple):
            return answers
        [answer] = answers
        if "ErrorCode" in answer:
            return _response(firehose.error_response_json(answer["ErrorCode"], answer["ErrorMessage"], 503))
        return _response(firehose.json_response({**answer, "Encrypted": False}))

    def put_record_batch(data: dict[str, Any]) -> Response:
        given = data.get("Records", [])
        if not 1 <= len(given) <= _MOST_RECORDS:
            return _response(firehose._invalid(f"A batch has 1 to {_MOST_RECORDS} records."))
        answers = put(data.get("DeliveryStreamName", ""), given)
        if isinstance(answers, tuple):
            return answers
        failed = sum("ErrorCode" in answer for answer in answers)
        return _response(
            firehose.json_response({"FailedPutCount": failed, "Encrypted": False, "RequestResponses": answers})
        )

    for operation, put_into_s3 in (("PutRecord", put_record), ("PutRecordBatch", put_record_batch)):
        firehose._HANDLERS[operation] = functools.partial(handled, operation=operation, put_into_s3=put_into_s3)
    firehose._deliver_records_to_s3 = lambda stream, destination, records: accept(  # those of a Kinesis stream
        stream, destination, [data for _, data in records]
    )


def _response(answer: Any) -> Response:
    response: Response = answer
    return response


def key_of_stream(stream: Mapping[str, Any]) -> str | None:
    """Return the ARN of the customer's key that the records in a stream are encrypted with."""
    encryption = stream.get("encryption") or {}
    return encryption.get("KeyARN") if encryption.get("Status") == "ENABLED" else None


def is_deployed(stream: Mapping[str, Any]) -> bool:
    """Whether a delivery stream still exists."""
    region, account = stream["arn"].split(":")[3:5]
    return firehose._streams.get_scoped(account, region, stream["name"]) is stream


def is_active(stream_arn: str) -> bool:
    """Whether a delivery stream exists and takes records."""
    region, account, _, name = stream_arn.replace("/", ":").split(":")[3:7]
    stream = firehose._streams.get_scoped(account, region, name)
    return bool(stream) and stream["status"] == "ACTIVE"


def evaluated_prefix(prefix: str, arrival: time.struct_time) -> str:
    """Return the start of an object's key: ``!{timestamp:...}`` filled in, or ``yyyy/MM/dd/HH/`` put behind."""
    return str(firehose._evaluate_prefix(prefix, arrival))
