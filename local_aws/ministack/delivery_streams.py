"""Delivery streams, which take their time to become ACTIVE, and hand their records over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import firehose

from local_aws.ministack.delays import delays
from local_aws.ministack.provisioning import Provisioner, handlers_of, is_express, run_on_thread

Records = list[tuple[str, bytes]]


def install() -> None:
    """Let a new delivery stream be CREATING for ``delays.stream`` seconds; CloudFormation waits for it, but for a
    stack in the express mode.
    """
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


def hand_over_records(accept: Callable[[dict[str, Any], dict[str, Any], Records], None]) -> None:
    """Call ``accept(stream, destination, records)`` for what is put into a delivery stream to S3.

    MiniStack itself would write each record to an object of its own at once, with no role and no compression.
    """
    firehose._deliver_records_to_s3 = accept


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
