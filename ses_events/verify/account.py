"""The AWS account and region as the caller's credentials reach them, and what its refusals mean."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}


class UsageError(Exception):
    """Nothing can be verified as asked; the message says what to do instead."""


def error_code(error: ClientError) -> str:
    """Return the code of an error that AWS answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_message(error: ClientError) -> str:
    """Return what AWS said."""
    return str(error.response.get("Error", {}).get("Message", error))


def is_denial(error: ClientError) -> bool:
    """Whether the caller may not do this."""
    return error_code(error) in _DENIED


class Account:
    """The AWS account and region, as the caller's credentials reach them."""

    def __init__(self, *, profile: str | None, region: str | None, endpoint_url: str | None) -> None:
        self._session = boto3.Session(profile_name=profile, region_name=region)
        self._profile, self._endpoint_url = profile, endpoint_url
        self._clients: dict[str, Any] = {}
        self._clock_difference = timedelta()
        self._session.events.register("after-call", self._set_clock)
        # With an endpoint of one's own, a bucket's name in front of the host seldom resolves.
        self._config = Config(
            retries={"mode": "standard"},
            connect_timeout=10,
            s3={"addressing_style": "path"} if endpoint_url else {},
        )
        if not self._session.region_name:
            raise UsageError("no region is set: give --region, or set AWS_REGION")
        self.region: str = self._session.region_name

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        if service not in self._clients:
            try:
                client = self._session.client(service, endpoint_url=self._endpoint_url, config=self._config)
            except ValueError as error:  # how boto3 refuses an endpoint
                raise UsageError(str(error)) from None
            _require_a_port(client.meta.endpoint_url)
            self._clients[service] = client
        return self._clients[service]

    def command(self, operation: str, *arguments: str) -> str:
        """Return a command of the AWS CLI that reaches the same account and region as this one."""
        there = ["--region", self.region]
        for option, value in (("--profile", self._profile), ("--endpoint-url", self._endpoint_url)):
            there += [option, shlex.quote(value)] if value else []
        return " ".join(["aws", operation, *there, *arguments])

    def now(self) -> datetime:
        """Return the time by AWS's clock, which its answers tell."""
        return datetime.now(timezone.utc) + self._clock_difference

    def sums(self, metrics: list[tuple[str, str, dict[str, str]]], since: datetime) -> list[float]:
        """Return the sums of metrics (namespace, name, dimensions) from the minute of a time until now."""
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": name,
                        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }
            for number, (namespace, name, dimensions) in enumerate(metrics)
        ]
        if not queries:
            return []
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries,
            StartTime=since.replace(second=0, microsecond=0),
            EndTime=self.now() + timedelta(minutes=2),
        )
        sums = {result["Id"]: float(sum(result["Values"])) for result in answer["MetricDataResults"]}
        return [sums.get(query["Id"], 0.0) for query in queries]

    def _set_clock(self, parsed: Mapping[str, Any], **_: object) -> None:
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._clock_difference = parsedate_to_datetime(date) - datetime.now(timezone.utc)


def _require_a_port(endpoint_url: str) -> None:
    """Refuse an endpoint whose port is none, which boto3 takes until the first call."""
    try:
        _ = urlsplit(endpoint_url).port
    except ValueError as error:
        raise UsageError(f"Invalid endpoint: {endpoint_url}: {error}") from None
