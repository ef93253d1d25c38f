from __future__ import annotations

import base64
import gzip
import io
import json
from datetime import datetime, timedelta, timezone

import pytest
from botocore.response import StreamingBody

from ses_events.verify.account import Account
from ses_events.verify.s3_objects import Folder, documents, failed_record, listings
from tests.unit.verify.conftest import Stub


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (
            "events/dt=!{timestamp:yyyy-MM-dd}/",
            ["events/dt=2026-12-31/", "events/dt=2027-01-01/"],
        ),
        ("events/", ["events/2026/12/31/23/", "events/2027/01/01/00/"]),
        ("", ["2026/12/31/23/", "2027/01/01/00/"]),
        ("ses", ["ses2026/12/31/23/", "ses2027/01/01/00/"]),
        ("y=!{timestamp:yyyy}/m=!{timestamp:MM}/", ["y=2026/m=12/", "y=2027/m=01/"]),
        ("at/!{timestamp:yyyy'T'HH}/", ["at/2026T23/", "at/2027T00/"]),
        ("!{timestamp:yyyy}/!{firehose:random-string}/", ["2026/", "2027/"]),
        ("!{timestamp:yyyy/MM/dd/HH/mm}/", ["2026/12/31/23/", "2027/01/01/00/"]),
        ("week/!{timestamp:YYYY-'W'ww}/", ["week/"]),
        ("type=!{partitionKeyFromQuery:type}/", ["type="]),
        ("errors/!{firehose:error-output-type}/!{timestamp:yyyy}/", ["errors/"]),
    ],
)
def test_prefixes_are_filled_in_as_far_as_they_are_known(prefix: str, expected: list[str]) -> None:
    since, until = datetime(2026, 12, 31, 23, 55, tzinfo=timezone.utc), datetime(2027, 1, 1, 0, 1, tzinfo=timezone.utc)
    assert listings(prefix, since, until) == expected


def test_every_day_of_the_time_is_listed_in_the_time_zone_of_the_stream() -> None:
    since, until = (
        datetime(2026, 11, 24, 14, 50, tzinfo=timezone.utc),
        datetime(2026, 11, 24, 15, 5, tzinfo=timezone.utc),
    )
    prefix = "dt=!{timestamp:yyyy-MM-dd}/"
    assert listings(prefix, since, until) == ["dt=2026-11-24/"]
    assert listings(prefix, since, until, "Asia/Tokyo") == ["dt=2026-11-24/", "dt=2026-11-25/"]
    assert listings(prefix, since, until, "Mars/Olympus") == ["dt="]


def test_an_object_in_the_folder_of_its_oldest_record_is_found_after_midnight(account: Account, stub: Stub) -> None:
    since = datetime(2026, 11, 24, 0, 0, 30, tzinfo=timezone.utc)
    body = b'{"eventType": "Send"}'
    listed = [{"Key": "dt=2026-11-23/1", "LastModified": since + timedelta(seconds=20)}]
    for day, contents in (("2026-11-23", listed), ("2026-11-24", [])):
        expected = {"Bucket": "bucket", "Prefix": f"dt={day}/"}
        stub("s3").add_response("list_objects_v2", {"Contents": contents}, expected)
        for each in contents:
            answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
            stub("s3").add_response("get_object", answer, {"Bucket": "bucket", "Key": each["Key"]})
    settings = {"BucketARN": "arn:aws:s3:::bucket", "BufferingHints": {"IntervalInSeconds": 60}}
    folder = Folder(account.client("s3"), settings, "dt=!{timestamp:yyyy-MM-dd}/", since)
    assert list(folder.new_documents(since + timedelta(minutes=1))) == [("dt=2026-11-23/1", {"eventType": "Send"})]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("separator", ["\n", ""])
def test_documents_are_read_with_and_without_compression_and_newlines(compress: object, separator: str) -> None:
    events = [{"eventType": "Send", "mail": {"messageId": "1"}}, {"eventType": "Delivery", "mail": {"messageId": "2"}}]
    data = separator.join(map(json.dumps, events)).encode()
    body = io.BytesIO(compress(data))  # type: ignore[operator]
    assert list(documents(body)) == events


def test_documents_of_another_mail_and_other_text_are_passed_over() -> None:
    body = io.BytesIO(b'{"mail": "wanted"}\n{"mail": "other"}\nwanted, but no JSON\n["wanted"]\n\n')
    assert list(documents(body, b"wanted")) == [{"mail": "wanted"}]
    assert list(documents(io.BytesIO(b""))) == []


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"errorCode": "Lambda.FunctionTimedOut", "errorMessage": "too slow"}, "Lambda.FunctionTimedOut: too slow"),
        ({"ErrorCode": "DataFormatConversion.ParseError", "attemptsMade": 1}, "DataFormatConversion.ParseError"),
        (
            {"lastErrorCode": "DataFormatConversion.InvalidSchema", "lastErrorMessage": "no table"},
            "DataFormatConversion.InvalidSchema: no table",
        ),
        ({}, "an error without a code"),
    ],
)
def test_what_firehose_put_aside_is_decoded(document: dict[str, object], error: str) -> None:
    record = '{"eventType": "Send"}'
    document = {**document, "rawData": base64.b64encode(record.encode()).decode()}
    assert failed_record(document) == (error, record)


def test_a_record_that_is_no_base64_is_shown_as_it_is() -> None:
    assert failed_record({"errorCode": "x", "rawData": "{no base64}"}) == ("x", "{no base64}")
