"""Why an event did not arrive, as Firehose itself says: its error log, and what it put aside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ses_events.verify.account import Account, error_code
from ses_events.verify.finding import Cause, Finding, looking
from ses_events.verify.mend import put_permission, update_table
from ses_events.verify.s3_objects import Folder, failed_record
from ses_events.verify.system import Stream, System

_LASTING = re.compile("AccessDenied|NoSuchBucket|KMS|NotSignedUp|AllAccessDisabled|AccountProblem|NotFound", re.I)
"""Codes of Firehose's error log that no retry cures."""


def why_not_delivered(
    account: Account, system: System, stream: Stream, errors: Folder | None, since: datetime, message_id: str
) -> Iterator[Finding]:
    """Yield what Firehose itself has reported since the mail was sent: its error log, and what it put aside.

    :param errors: the objects under the error prefix.
    """
    yield from _error_log(account, system, stream, since)
    schema = (stream.s3 or {}).get("DataFormatConversionConfiguration", {}).get("SchemaConfiguration", {})
    database, table = schema.get("DatabaseName", ""), schema.get("TableName", "")
    with looking("s3:ListBucket, s3:GetObject", "objects under the error prefix") as unseen:
        for key, document in errors.new_documents(account.now()) if errors else ():
            error, record = failed_record(document)
            whose = "the event of this mail" if message_id in record else "events of other mail"
            called = system.called(table)
            yield Cause(
                f"Firehose could not {'convert' if table else 'process'} {whose}, and put it under the error prefix",
                f"s3://{errors.bucket}/{key}: {error}; the record: {record[:300]}" if errors else key,
                f"put the Glue table {called} back as the stack declares it; the event is in the backup as JSON"
                if table
                else "mend what the error names, and send again",
                update_table(account, system.template, database, table),
                certain=message_id in record,
                about=f"conversion {message_id in record}",
            )
    yield from unseen


def _error_log(account: Account, system: System, stream: Stream, since: datetime) -> Iterator[Finding]:
    options = (stream.s3 or {}).get("CloudWatchLoggingOptions", {})
    if not options.get("Enabled"):
        return
    group, name = options["LogGroupName"], options["LogStreamName"]
    with looking("logs:FilterLogEvents", f"the error log {system.called(group)}") as unseen:
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
            yield Cause("the error log of the stream does not exist", system.called(group), fix, certain=False)
            return
        for message in sorted(messages):
            yield _logged(account, system, stream, *_log_entry(message))
    yield from unseen


def _log_entry(message: str) -> tuple[str, str]:
    """Error code and message of an entry of Firehose's error log."""
    try:
        entry: Any = json.loads(message)
        return str(entry.get("errorCode", "")), str(entry.get("message", message))
    except (ValueError, AttributeError):
        return "", message


def _logged(account: Account, system: System, stream: Stream, code: str, message: str) -> Cause:
    seen = f"its error log says {code}: {message}"
    action = re.search(r"not authorized to perform: (\S+)", message)
    role = system.called(stream.role)
    if action and action[1].startswith("kms:"):
        fix = f"allow {action[1]} to {role}, in its policy and in the policy of the key"
        return Cause("Firehose may not use the KMS key of the bucket", seen, fix, about="kms", is_logged=True)
    if "kms" in f"{code} {message}".lower():
        what, fix = "Firehose cannot use the KMS key of the bucket", "make the key usable by the role again"
        return Cause(what, seen, fix, about="kms", is_logged=True)
    if action or code == "S3.AccessDenied":  # which Firehose logs without an action (developer guide, monitoring)
        refused = action[1] if action else "s3:PutObject"
        fix = f"allow {refused} to {role}; look at the policy of the bucket, too"
        paste = put_permission(account, system.template, stream.role, refused, stream.an_object())
        return Cause(f"Firehose may not {refused}", seen, fix, paste, about=refused, is_logged=True)
    what = f"Firehose could not deliver: {code or 'its error log has no code'}"
    return Cause(what, seen, "mend what the message names", certain=bool(_LASTING.search(code)))
