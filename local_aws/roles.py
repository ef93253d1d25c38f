"""Roles as AWS services use them: assumed by a service principal, under the role's deployed policies."""

from __future__ import annotations

import functools
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import sts

from local_aws import ministack_gaps

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
        with _BOTO_LOCK:
            return _boto().client(
                service,
                region_name=self.region,
                aws_access_key_id=self.access_key_id,
                aws_secret_access_key=self.secret_access_key,
                aws_session_token=self.session_token,
                config=botocore.config.Config(retries={"total_max_attempts": 1}),
            )

    def require(self, action: str, resource: str, context: Mapping[str, str]) -> None:
        """Check a call that another service makes for this session, with the condition keys it adds.

        :raises AccessDenied: when the policies of the role, or of the resource, do not allow it.
        """
        account, service = self.arn.split(":")[4], action.partition(":")[0]
        with responses.request_scope(account, self.region):
            denied = iam_evaluator.enforce(self.access_key_id, action, service, self.region, resource, context)
        if denied:
            explicit = getattr(denied, "decision", "") == "Deny"
            raise AccessDenied(iam_actions.identity_denial_message(action, self.arn, resource, explicit))


@functools.cache
def _boto() -> Any:
    return boto3.Session()


def assume(role_arn: str, service: str, region: str, context: Mapping[str, str]) -> RoleSession:
    """Assume a role as a service principal such as ``ses.amazonaws.com``.

    :param context: the condition keys that the service sends along, such as ``aws:SourceArn``.
    :raises AccessDenied: when the role's trust policy does not allow it, or the role does not exist.
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    role = ministack_gaps.role(account, name)
    request = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    trust = role["AssumeRolePolicyDocument"] if role else None
    if iam_evaluator.evaluate_resource_policy(trust, request, service=service).decision != "Allow":
        reason = "its trust policy does not allow it" if role else "the role does not exist"
        raise AccessDenied(f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}: {reason}")

    session_name = service.partition(".")[0]
    session = RoleSession(
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
        region=region,
        access_key_id=f"ASIA{uuid.uuid4().hex[:16].upper()}",
        secret_access_key=uuid.uuid4().hex,
        session_token=uuid.uuid4().hex,
    )
    sts.register_session(
        session.access_key_id,
        {
            "Arn": session.arn,
            "UserId": f"{role['RoleId']}:{session_name}",
            "AccountId": account,
            "PrincipalType": "AssumedRole",
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": time.time() + 3600,
        },
    )
    return session
