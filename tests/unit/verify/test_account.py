from __future__ import annotations

from datetime import datetime, timedelta, timezone

from botocore.stub import Stubber

from ses_events.verify.account import Account


def test_the_time_is_that_of_aws_where_the_clock_of_this_machine_is_wrong(account: Account) -> None:
    skewed = Account(profile=None, region=account.region, endpoint_url="http://127.0.0.1:9")  # the clock is its own
    client = skewed.client("firehose")
    of_aws = datetime.now(timezone.utc) + timedelta(hours=2)
    date = of_aws.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with Stubber(client) as stubber:
        answer = {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False}
        headers = {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}
        stubber.add_response("list_delivery_streams", {**answer, **headers})
        client.list_delivery_streams()
    assert abs(skewed.now() - of_aws) < timedelta(minutes=1)
