"""What ``make prove`` makes of answers that the AWS of this machine does not give."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools.prove.field import Answer, Field
from tools.prove.measure import MEASUREMENTS, empty_series, express_retry, first_deployment, measured, throttled

DESTINATION = "AWS::SES::ConfigurationSetEventDestination"


class Aws:
    """An account that gives prepared answers.

    :param answers: what a call answers, or the function that does.
    """

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def client(self, _: str) -> Aws:
        return self

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def get_paginator(self, call: str) -> Aws:
        return Aws(paginate=[getattr(self, call)()])

    def __getattr__(self, call: str) -> Any:
        answer = self._answers[call]
        return answer if callable(answer) else lambda *_, **__: answer


def field(**answers: Any) -> Field:
    outputs = {"ConfigurationSetName": "set", "DeliveryStreamName": "stream", "BucketName": "bucket"}
    return Field(Aws(**answers), None, "Prove", "ProveExpress", "me@example.com", outputs, 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("points", "answer"),
    [
        ({"noneFilled": 0, "someFilled": 5}, Answer(True, "Yes: it gives no point, where another is filled")),
        ({"noneFilled": 180, "someFilled": 180}, Answer(True, "No: it gives 180 points")),
        ({}, Answer(False, "Open: GetMetricData fills no metric here")),
    ],
)
def test_a_series_that_is_filled_tells_by_one_that_has_points(points: dict[str, int], answer: Answer) -> None:
    results = [{"Id": name, "Values": [0.0] * count} for name, count in points.items()]
    assert empty_series(field(get_metric_data={"MetricDataResults": results})) == answer


@pytest.mark.parametrize("refuses", ["records", "the call"])
@pytest.mark.parametrize("lost", [0, 3])
def test_mail_sent_while_the_stream_throttles_is_counted_in_the_bucket(
    refuses: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(**_: Any) -> dict[str, str]:
        sent.append(f"mail-{len(sent)}")
        return {"MessageId": sent[-1]}

    def put(**_: Any) -> dict[str, int]:
        if refuses == "records":
            return {"FailedPutCount": 4}
        raise ClientError({"Error": {"Code": "ServiceUnavailableException"}}, "PutRecordBatch")

    def body() -> bytes:
        events = [{"eventType": "Send", "mail": {"messageId": each}} for each in sent[lost:]]
        return gzip.compress("\n".join(map(json.dumps, [{"padding": "0"}, *events])).encode())

    monkeypatch.setattr(Field, "eventually", lambda _, look, *__: look())
    monkeypatch.setattr(Field, "objects", lambda *_: [body()])
    answer = throttled(field(send_email=send, put_record_batch=put))
    counts = f"4 of 4 records were throttled, {10 - lost} of 10 mails arrived"
    assert answer == Answer(True, f"{'No' if lost else 'Yes'}: {counts}")


def _event(name: str, kind: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "LogicalResourceId": name,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "Timestamp": datetime.now(timezone.utc),
    }


REFUSED = _event("PublishingToArchive", DESTINATION, "CREATE_FAILED", "Could not assume IAM role")
COMPLETE = _event("ProveExpress", "AWS::CloudFormation::Stack", "CREATE_COMPLETE")


@pytest.mark.parametrize(
    ("events", "answer"),
    [
        ([REFUSED, COMPLETE], Answer(True, "Yes: PublishingToArchive: Could not assume IAM role")),
        ([REFUSED], Answer(True, "No: PublishingToArchive: Could not assume IAM role")),
        ([COMPLETE], Answer(False, "Open: SES refused nothing, and the deployment succeeded")),
    ],
)
def test_an_express_deployment_tells_by_a_refusal_only(events: list[dict[str, Any]], answer: Answer) -> None:
    newest_first = {"StackEvents": events[::-1]}
    assert express_retry(field(describe_stack_events=newest_first)) == answer


def test_what_is_cancelled_because_something_failed_is_no_refusal_of_its_own() -> None:
    cancelled = _event("Alarm", "AWS::CloudWatch::Alarm", "CREATE_FAILED", "Resource creation cancelled")
    answer = first_deployment(field(describe_stack_events={"StackEvents": [cancelled, REFUSED]}))
    assert answer == Answer(True, "No: PublishingToArchive: Could not assume IAM role")


def test_a_measurement_that_is_refused_leaves_its_doubt_open() -> None:
    def denied(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "GetMetricData")

    [(doubt, answer)] = measured(field(get_metric_data=denied), {*MEASUREMENTS} - {"empty-series"})
    assert (doubt, answer) == ("empty-series", Answer(False, "Open: it could not be asked: AccessDenied: not you"))
