from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ses_events.verify.account import Account

Stub = Callable[[str], Stubber]


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """An account that nobody can reach: what a test does not stub fails. Its clients take long to make."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_CONFIG_FILE", "/dev/null")
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            environment.delenv(name, raising=False)
        yield Account(profile=None, region="eu-west-1", endpoint_url="http://127.0.0.1:9")


@pytest.fixture
def stub(account: Account) -> Iterator[Stub]:
    """Answers of a service, checked against its API; all of them must be asked for."""
    stubbers: dict[str, Stubber] = {}
    with contextlib.ExitStack() as active:

        def stubber(service: str) -> Stubber:
            if service not in stubbers:
                stubbers[service] = active.enter_context(Stubber(account.client(service)))
            return stubbers[service]

        yield stubber
        for each in stubbers.values():
            each.assert_no_pending_responses()


def role_is(
    stub: Stub,
    trust: dict[str, Any],
    decision: str = "allowed",
    missing: tuple[str, ...] = (),
    *,
    resource: str = ANY,
) -> None:
    """IAM shows a role with a statement in its trust policy, and what the simulation of its policies says.

    :param resource: what the simulation must be asked about.
    """
    role = {
        "Path": "/",
        "RoleName": "role",
        "RoleId": "AROA1234567890123456",
        "Arn": "arn:aws:iam::111122223333:role/role",
        "CreateDate": "2026-11-24T00:00:00Z",
        "AssumeRolePolicyDocument": json.dumps(
            {"Statement": [{**trust, "Effect": "Allow", "Action": "sts:AssumeRole"}]}
        ),
    }
    stub("iam").add_response("get_role", {"Role": role})
    result = {"EvalActionName": "a:b", "EvalDecision": decision, "MissingContextValues": list(missing)}
    asked = {"PolicySourceArn": ANY, "ActionNames": ANY, "ResourceArns": [resource]}
    stub("iam").add_response("simulate_principal_policy", {"EvaluationResults": [result]}, asked)


def roles_work(stub: Stub) -> None:
    """IAM shows a role for SES and a role for Firehose that can do what they should."""
    for service in ("ses", "firehose"):
        role_is(stub, {"Principal": {"Service": f"{service}.amazonaws.com"}})


def stack_is(
    stub: Stub,
    *resources: tuple[str, str],
    stack: str = "Mail",
    template: dict[str, Any] | None = None,
    parameters: dict[str, str] | None = None,
) -> None:
    """CloudFormation shows a stack: resources (type, physical id), a set that it had and one that was never made."""
    once = {"LogicalResourceId": "Old", "LastUpdatedTimestamp": "2026-11-24T00:00:00Z"}
    summaries: list[dict[str, Any]] = [
        {
            **once,
            "ResourceType": "AWS::SES::ConfigurationSet",
            "PhysicalResourceId": "old",
            "ResourceStatus": "DELETE_COMPLETE",
        },
        {**once, "ResourceType": "AWS::SES::ConfigurationSet", "ResourceStatus": "CREATE_FAILED"},
    ]
    summaries += [
        {
            "ResourceType": kind,
            "PhysicalResourceId": name,
            "LogicalResourceId": f"Id{number or ''}",
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2026-11-24T00:00:00Z",
        }
        for number, (kind, name) in enumerate(resources)
    ]
    described = {
        "StackName": "Mail",
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/Mail/1234",
        "CreationTime": "2026-11-24T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in (parameters or {}).items()],
    }
    stub("cloudformation").add_response("describe_stacks", {"Stacks": [described]}, {"StackName": stack})
    body = {"TemplateBody": json.dumps({"Resources": template or {}})}
    asked = {"StackName": stack, "TemplateStage": "Processed"}
    stub("cloudformation").add_response("get_template", body, asked)
    answer = {"StackResourceSummaries": summaries}
    stub("cloudformation").add_response("list_stack_resources", answer, {"StackName": stack})
