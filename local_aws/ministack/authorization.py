"""What IAM decides about a request, and on which resource."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import athena, firehose, sts

from local_aws.ministack.requests import Response, access_key_id, as_if_asked, region

_SENDING = tuple(
    f"ses:Send{what}" for what in ("Email", "RawEmail", "TemplatedEmail", "BulkTemplatedEmail", "BulkEmail")
)


def install() -> None:
    """Authorize PutLogEvents on the log stream, and what Athena does to a query on its workgroup.

    MiniStack authorizes the former on the log group, and the latter on no resource. Sending it authorizes on no
    resource either: ``refused`` is asked for each that a mail uses. Who makes a delivery stream by the API may do so
    with a role that he may pass.
    """
    iam_actions.extract_resource_arn = _with_workgroup(_with_log_stream(iam_actions.extract_resource_arn))
    iam_actions.extract_iam_action = _but_sending(iam_actions.extract_iam_action)
    firehose.handle_request = _with_passed_role(firehose.handle_request)


def refused(
    service: str,
    action: str,
    resource: str,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    context: Mapping[str, str] | None = None,
) -> Response | None:
    """Return how a service refuses a caller an action on a resource; None when IAM allows it.

    :param context: the condition keys that the service adds.
    """
    asked = action.partition(":")[0]
    denied = iam_evaluator.enforce(access_key_id(headers, query), action, asked, region(), resource, context)
    if not denied:
        return None
    caller, explicit = iam_evaluator.caller_arn(), getattr(denied, "decision", "") == "Deny"
    message = iam_actions.identity_denial_message(action, caller, resource, explicit)
    request = service, action, caller, str(uuid.uuid4())
    response: Response = iam_actions.access_denied_response(
        *request, headers=headers, message=message, explicit_deny=explicit
    )
    return response


def identity_denial(
    session_arn: str, access_key_id: str, region: str, action: str, resource: str, context: Mapping[str, str]
) -> str | None:
    """Return why the policies of a role, or of the resource, do not allow a session something; None when they do.

    :param context: the condition keys that the calling service adds.
    """
    account, service = session_arn.split(":")[4], action.partition(":")[0]
    with as_if_asked(account, region):
        denied = iam_evaluator.enforce(access_key_id, action, service, region, resource, context)
    if not denied:
        return None
    explicit = getattr(denied, "decision", "") == "Deny"
    return str(iam_actions.identity_denial_message(action, session_arn, resource, explicit))


def resource_policy_allows(
    policy: str | None, principal: str, region: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether the policy of a resource allows a service principal an action.

    :param context: the condition keys that the service sends along.
    """
    return _decision(policy, principal, region, action, resource, context) == "Allow"


def resource_policy_denies(
    policy: str | None, principal: str, region: str, action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether the policy of a resource denies a service principal an action, which no grant helps against."""
    return _decision(policy, principal, region, action, resource, context) == "Deny"


def register_session(access_key_id: str, session: Mapping[str, Any]) -> None:
    """Make temporary credentials of a role known to STS."""
    sts.register_session(access_key_id, session)


def _decision(
    policy: str | None, principal: str, region: str, action: str, resource: str, context: Mapping[str, str]
) -> str:
    request = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="Service",
        principal_account=resource.split(":")[4],
        action=action,
        resource_arn=resource,
        region=region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    return str(iam_evaluator.evaluate_resource_policy(policy, request, service=principal).decision)


def _with_passed_role(handle: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        if headers.get("x-amz-target", "").endswith((".CreateDeliveryStream", ".UpdateDestination")):
            to_firehose = {"iam:PassedToService": "firehose.amazonaws.com"}
            for role in dict.fromkeys(re.findall(rb'"RoleARN": *"([^"]+)"', body)):
                denied = refused("firehose", "iam:PassRole", role.decode(), headers, query, to_firehose)
                if denied:
                    return denied
        return await handle(method, path, headers, body, query)

    return handle_request


def _but_sending(iam_action: Callable[..., str | None]) -> Callable[..., str | None]:
    def extract(service: str, *request: Any) -> str | None:
        action = iam_action(service, *request)
        return None if action in _SENDING else action

    return extract


def _with_log_stream(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service == "logs" and headers.get("x-amz-target", "").endswith(".PutLogEvents"):
            return f"{arn.removesuffix(':*')}:log-stream:{json.loads(body).get('logStreamName', '')}"
        return arn

    return extract


def _with_workgroup(resource_arn: Callable[..., str]) -> Callable[..., str]:
    def extract(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        arn = resource_arn(service, method, path, headers, body, *rest)
        if service != "athena" or arn != "*":
            return arn
        request = json.loads(body or b"{}")
        execution = athena._executions.get(request.get("QueryExecutionId"))
        of = execution or athena._named_queries.get(request.get("NamedQueryId"))
        return str(athena._arn_workgroup(of["WorkGroup"])) if of else arn

    return extract
