from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from ses_events.policies import use_of_key


@pytest.mark.parametrize(
    ("region", "service"),
    [
        ("eu-west-1", "s3.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "s3.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "s3.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "s3.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", "s3.us-iso-east-1.c2s.ic.gov"),
        ("xx-new-1", f"s3.xx-new-1.{cdk.Aws.URL_SUFFIX}"),
        (cdk.Aws.REGION, f"s3.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}"),
    ],
)
def test_a_key_is_used_by_way_of_s3_as_the_partition_names_it(stack: cdk.Stack, region: str, service: str) -> None:
    (statement,) = use_of_key(kms.Key(stack, "Key"), "arn:aws:s3:::mail", region, ["kms:Decrypt"])
    assert statement["Condition"]["StringEquals"] == {"kms:ViaService": service}
