from __future__ import annotations

from typing import Any

import pytest

from ses_events.verify.trust import denials, lets_assume

SET = "arn:aws:ses:eu-west-1:111122223333:configuration-set/mail"
CONTEXT = {"aws:SourceAccount": "111122223333", "aws:SourceArn": SET}
SES = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sts:AssumeRole"}


def _with(condition: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**SES, "Condition": condition, **changes}


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([SES], True),
        ([_with({"StringEquals": CONTEXT})], True),
        ([_with({"StringEquals": {"AWS:SourceAccount": ["999999999999", "111122223333"]}})], True),
        ([_with({"ArnLike": {"aws:SourceArn": SET.replace("mail", "*")}})], True),
        ([_with({}, Principal={"Service": ["firehose.amazonaws.com", "ses.amazonaws.com"]}, Action=["sts:*"])], True),
        ([_with({}, Principal="*")], True),
        (SES, True),
        ([], False),
        ([_with({}, Principal={"Service": "firehose.amazonaws.com"})], False),
        ([_with({}, Action="sts:TagSession")], False),
        ([_with({"StringEquals": {"aws:SourceArn": SET.replace("mail", "other")}})], False),
        ([_with({"ArnLike": {"aws:SourceArn": SET.replace("mail", "other-*")}})], False),
        ([SES, _with({}, Effect="Deny")], False),
        ([SES, _with({"StringEquals": {"aws:SourceAccount": "999999999999"}}, Effect="Deny")], True),
        ([_with({"StringEquals": {"aws:SourceOrgID": "o-1"}})], None),
        ([_with({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], None),
        ([SES, _with({"Bool": {"aws:SecureTransport": "false"}}, Effect="Deny")], None),
        ([_with({"StringEquals": {"aws:SourceOrgID": "o-1", "aws:SourceAccount": "999999999999"}})], False),
    ],
)
def test_a_trust_policy_lets_ses_in_or_not_or_cannot_be_told(statements: Any, verdict: bool | None) -> None:
    assert lets_assume({"Statement": statements}, "ses.amazonaws.com", CONTEXT) is verdict


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({}, [True]),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/Firehose"}, "Action": ["s3:Get*", "s3:PUT*"]}, [True]),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, [True]),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/Another"}}, []),
        ({"Action": "s3:GetObject"}, []),
        ({"Resource": "arn:aws:s3:::bucket/other/*"}, []),
        ({"Effect": "Allow"}, []),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, []),
        ({"Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}, [None]),
    ],
)
def test_what_the_policy_of_a_bucket_denies_a_role_is_told(
    changes: dict[str, Any], verdicts: list[bool | None]
) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*", **changes}
    asked = ("arn:aws:iam::111122223333:role/Firehose", "s3:PutObject", "arn:aws:s3:::bucket/events/event")
    assert [verdict for _, verdict in denials({"Statement": statement}, *asked)] == verdicts
