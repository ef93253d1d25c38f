"""AWS services as principals, and the roles that they assume, under the policies that are deployed."""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config

from local_aws.ministack import authorization, roles

_BOTO_LOCK = threading.Lock()  # a boto3 session makes one client at a time


class AccessDenied(Exception):
    """IAM refused, in the words of its message."""


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of a role; whatever is done with them is up to the role's policies."""

    arn: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str

    def client(self, service: str) -> Any:
        """A boto3 client that signs with the session's credentials."""
        return _client(self, service)

    def require(self, action: str, resource: str, context: Mapping[str, str]) -> None:
        """Check a call that another service makes for this session, with the condition keys it adds.

        :raises AccessDenied: when the policies of the role, or of the resource, do not allow it.
        """
        denial = authorization.identity_denial(self.arn, self.access_key_id, self.region, action, resource, context)
        if denial:
            raise AccessDenied(denial)


@functools.lru_cache(100)  # making a client takes longer than most calls
def _client(session: RoleSession, service: str) -> Any:
    with _BOTO_LOCK:
        return _boto().client(
            service,
            region_name=session.region,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )


@functools.cache
def _boto() -> Any:
    return boto3.Session()


@dataclass(frozen=True)
class ServicePrincipal:
    """An AWS service that acts for a resource of a customer.

    :param name: as policies name it, such as ``ses.amazonaws.com``.
    :param context: the condition keys that the service sends along, such as ``aws:SourceArn``.
    """

    name: str
    region: str
    context: Mapping[str, str]

    def with_context(self, *keys: str) -> ServicePrincipal:
        """The service where it sends these condition keys only."""
        return dataclasses.replace(self, context={key: self.context[key] for key in keys})

    def require(self, action: str, resource: str, policy: str | None) -> None:
        """Check that a resource lets the service do something.

        :param policy: the resource's own policy (the trust policy of a role), or None when there is no such resource.
        :raises AccessDenied: when the policy does not allow it.
        """
        if not authorization.resource_policy_allows(policy, self.name, self.region, action, resource, self.context):
            reason = "it does not exist" if policy is None else "its policy does not allow it"
            raise AccessDenied(f"{self.name} is not authorized to perform: {action} on resource: {resource}: {reason}")

    def assume(self, role_arn: str) -> RoleSession:
        """Assume a role.

        :raises AccessDenied: when the role's trust policy does not allow it, or the role does not exist.
        """
        account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        role = roles.role(account, name)
        self.require("sts:AssumeRole", role_arn, role and role["AssumeRolePolicyDocument"])
        hour = time.time() // 3600
        return _session(role_arn, role["RoleId"], self.name.partition(".")[0], self.region, hour)


@functools.lru_cache(1000)
def _session(role_arn: str, role_id: str, session_name: str, region: str, hour: float) -> RoleSession:
    """The session of a service with a role, the same for an hour; whether it may have one is asked each time."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    session = RoleSession(
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
        region=region,
        access_key_id=f"ASIA{uuid.uuid4().hex[:16].upper()}",
        secret_access_key=uuid.uuid4().hex,
        session_token=uuid.uuid4().hex,
    )
    authorization.register_session(
        session.access_key_id,
        {
            "Arn": session.arn,
            "UserId": f"{role_id}:{session_name}",
            "AccountId": account,
            "PrincipalType": "AssumedRole",
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": (hour + 2) * 3600,
        },
    )
    return session
