"""What Firehose writes into a bucket: where to look for it, and what is inside."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Json = dict[str, Any]

READABLE = {"UNCOMPRESSED", "GZIP"}
"""The compression formats of Firehose that Python reads by itself."""

_FIELDS = {"yyyy": "%Y", "uuuu": "%Y", "MM": "%m", "dd": "%d", "HH": "%H"}


class Folder:
    """The objects under one of the prefixes of a stream, and those of them that have been read.

    :param settings: the S3 settings of the stream, or of its backup.
    :param prefix: the prefix as it is deployed, with its expressions.
    :param since: nothing that was written before this is looked at.
    """

    def __init__(self, s3: Any, settings: Mapping[str, Any], prefix: str, since: datetime) -> None:
        self.bucket = settings["BucketARN"].rpartition(":")[2]
        self._s3 = s3
        self._prefix = prefix
        self._zone = settings.get("CustomTimeZone", "UTC")
        # An object is named after the arrival of its oldest record, which may lie a whole interval back.
        self._oldest = since - timedelta(seconds=int(settings.get("BufferingHints", {}).get("IntervalInSeconds", 300)))
        self._since = since.replace(microsecond=0) - timedelta(seconds=1)  # S3 tells whole seconds
        self._read: set[str] = set()

    def new_documents(self, until: datetime, containing: bytes | None = None) -> Iterator[tuple[str, Json]]:
        """Yield the JSON documents in objects that were not read before, each with the key of its object.

        :param containing: only documents on a line with this.
        """
        for prefix in listings(self._prefix, self._oldest, until, self._zone):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    key = found["Key"]
                    if key in self._read or found["LastModified"] < self._since:
                        continue
                    for document in documents(self._s3.get_object(Bucket=self.bucket, Key=key)["Body"], containing):
                        yield key, document
                    self._read.add(key)


def listings(prefix: str, since: datetime, until: datetime, zone: str = "UTC") -> list[str]:
    """Return the prefixes to list, to see every object that a stream writes of records that arrive in a time.

    Expressions for years, months, days and hours are filled in; from the first other expression on, whatever follows
    is not known, and the prefix ends before it. Firehose puts ``yyyy/MM/dd/HH/`` behind a prefix without expressions.

    :param prefix: a prefix of a stream, with expressions such as ``!{timestamp:yyyy-MM-dd}``.
    :param zone: the time zone of the stream.
    """
    if "!{" not in prefix:
        prefix += "!{timestamp:yyyy/MM/dd/HH/}"
    place: tzinfo | None = timezone.utc
    if zone != "UTC":
        try:
            place = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            place = None  # no time zone data on this machine: no time can be told
    hours = int((until - since) / timedelta(hours=1)) + 1
    instants = [*(since + timedelta(hours=hour) for hour in range(hours)), until]
    return sorted({_evaluated(prefix, instant.astimezone(place) if place else None) for instant in instants})


def documents(body: Any, containing: bytes | None = None) -> Iterator[Json]:
    """Yield the JSON documents in an object, gzip or not, a line each or one behind the other."""
    raw: Any = io.BufferedReader(body)
    lines = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == b"\x1f\x8b" else raw
    decoder = json.JSONDecoder()
    for line in lines:
        if containing and containing not in line:
            continue
        text, position = line.decode("utf-8", "replace").strip(), 0
        while position < len(text):
            try:
                document, position = decoder.raw_decode(text, position)
            except json.JSONDecodeError:
                break  # not written by SES
            if isinstance(document, dict):
                yield document


def failed_record(document: Json) -> tuple[str, str]:
    """Return the error and the record in a document under the error prefix: what Firehose could not process.

    Firehose spells its keys ``errorCode``, ``ErrorCode`` or ``lastErrorCode``, depending on what failed; ``rawData`` is
    the record in base64 (developer guide, data transformation failures, format conversion errors).
    """
    by_name = {name.lower(): value for name, value in document.items()}
    told = (by_name.get(name) or by_name.get(f"last{name}") for name in ("errorcode", "errormessage"))
    error = ": ".join(str(part) for part in told if part)
    try:
        record = base64.b64decode(str(by_name.get("rawdata", "")), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        record = str(by_name.get("rawdata"))
    return error or "an error without a code", record


def _evaluated(prefix: str, at: datetime | None) -> str:
    """Return a prefix at a time, up to the first expression whose value is not known."""
    text: str = ""
    for literal, expression in re.findall(r"((?:(?!!\{).)*)(?:!\{([^}]*)\})?", prefix, re.DOTALL):
        text += literal
        if not expression:
            continue
        kind, _, pattern = expression.partition(":")
        if kind != "timestamp" or at is None:
            return text
        for quoted, letters, other in _parts(pattern):
            if letters:
                if letters not in _FIELDS:
                    return text
                text += at.strftime(_FIELDS[letters])
            else:
                text += quoted or other
    return text


def _parts(pattern: str) -> list[tuple[str, str, str]]:
    """Return the parts of a pattern of Java's DateTimeFormatter: quoted text, runs of a letter, others."""
    return [
        (match[1] or "", match[2] or "", match[4] or "")
        for match in re.finditer(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])", pattern)
    ]
