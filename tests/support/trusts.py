"""Conditions by which a role trusts SES, a list of them for the statements of each trust."""

from __future__ import annotations

from tests.support.templates import Json

_ACCOUNT = {"StringEquals": {"aws:SourceAccount": "111122223333"}}


FOR_ANYBODY: list[list[Json]] = [
    [_ACCOUNT, {}],
    [{}, _ACCOUNT],
    [{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}],
    [{"StringLike": {"aws:SourceAccount": "*"}}],
    [{"StringLike": {"aws:SourceAccount": ["111122223333", "*"]}}],
    [{"StringNotEquals": {"aws:SourceAccount": "111122223333"}}],
    [{"Null": {"aws:SourceAccount": "false"}}],
    [{"StringLike": {"aws:SourceAccount": "????????????"}}],
    [{"StringLike": {"aws:SourceAccount": "1*"}}],
    [{"ForAllValues:StringEquals": {"aws:SourceAccount": "111122223333"}}],
    [{"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}}],
    [{"Bool": {"aws:SourceAccount": "111122223333"}}],
    [{"ArnLike": {"aws:SourceArn": "arn:aws:ses:*:*:configuration-set/*"}}],
]
"""Those that let SES act for whom it likes, or may do so."""

FOR_ONE: list[list[Json]] = [
    [_ACCOUNT, {"ArnLike": {"aws:SourceArn": "arn:aws:ses:*:111122223333:configuration-set/*"}}],
    [{"StringEquals": {"AWS:SourceAccount": "111122223333"}}],
    [{"StringEquals": {"aws:SourceOrgID": "o-aaaaaaaaaa"}}],
    [{"ForAnyValue:StringLike": {"aws:SourceOrgPaths": ["o-aaaaaaaaaa/*"]}}],
    [{**_ACCOUNT, "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}],
]
"""Those that let it act for one account or organization, the account 111122223333."""
