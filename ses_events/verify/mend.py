"""The calls of the AWS CLI that put a resource back as the stack declares it; empty where the stack does not tell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from ses_events.verify.account import Account
from ses_events.verify.template import Stack, Unresolved


def put_trust(
    account: Account, stack: Stack | None, role: str, trust: Mapping[str, Any], statement: Mapping[str, Any]
) -> str:
    """Return the call that gives a role its trust policy as declared, else with one statement more.

    :param role: its ARN.
    :param trust: its trust policy.
    :param statement: what the trust policy needs.
    """
    name, statements = _name(role), trust.get("Statement", [])
    document: Any = {**trust, "Statement": [*(statements if isinstance(statements, list) else [statements]), statement]}
    for owner, properties in _declared(stack, "AWS::IAM::Role", name):
        document = _resolved(owner, properties.get("AssumeRolePolicyDocument")) or document
    return account.command(
        "iam update-assume-role-policy", f"--role-name {shlex.quote(name)}", f"--policy-document {_quoted(document)}"
    )


def put_permission(account: Account, stack: Stack | None, role: str, action: str, resource: str) -> str:
    """Return the call that gives a role its declared policy with an action, else one with this action only.

    :param role: its ARN.
    :param resource: the ARN that the action is needed on.
    """
    name, policy_name = _name(role), action.replace(":", "-")
    bucket, slash, key = resource.partition("/") if action.startswith("s3:") else (resource, "", "")
    on = f"{bucket}/{key.rpartition('/')[0]}/*".replace("//", "/") if slash else resource
    statement = {"Effect": "Allow", "Action": action, "Resource": on}
    document: Any = {"Version": "2012-10-17", "Statement": [statement]}
    for declared_name, declared in _policies(stack, name):
        text = json.dumps(declared)
        if action in text and bucket in text:
            policy_name, document = declared_name, declared
    return account.command(
        "iam put-role-policy",
        f"--role-name {shlex.quote(name)}",
        f"--policy-name {shlex.quote(policy_name)}",
        f"--policy-document {_quoted(document)}",
    )


def put_bucket_policy(account: Account, bucket: str, policy: Mapping[str, Any]) -> str:
    """Return the call that gives a bucket a policy, or takes it away where it has no statement."""
    if not policy["Statement"]:
        return account.command("s3api delete-bucket-policy", f"--bucket {bucket}")
    return account.command("s3api put-bucket-policy", f"--bucket {bucket}", f"--policy {_quoted(policy)}")


def create_stream(account: Account, stack: Stack | None, name: str) -> str:
    """Return the call that makes a delivery stream as declared, under the name that CloudFormation gave it."""
    for owner, properties in _declared(stack, "AWS::KinesisFirehose::DeliveryStream", name):
        declared = _resolved(owner, properties)
        if declared:
            options = {
                "delivery-stream-encryption-configuration-input": "DeliveryStreamEncryptionConfigurationInput",
                "extended-s3-destination-configuration": "ExtendedS3DestinationConfiguration",
                "tags": "Tags",
            }
            return account.command(
                "firehose create-delivery-stream",
                f"--delivery-stream-name {shlex.quote(name)}",
                f"--delivery-stream-type {declared.get('DeliveryStreamType', 'DirectPut')}",
                *(f"--{option} {_quoted(declared[key])}" for option, key in options.items() if key in declared),
            )
    return ""


def update_table(account: Account, stack: Stack | None, database: str, table: str) -> str:
    """Return the call that makes a table of the Glue catalog as declared again."""
    for owner, resource in stack.of_type("AWS::Glue::Table") if stack else ():
        declared = _resolved(owner, resource.properties)
        if declared and (declared["DatabaseName"], declared["TableInput"].get("Name")) == (database, table):
            return account.command(
                "glue update-table", f"--database-name {database}", f"--table-input {_quoted(declared['TableInput'])}"
            )
    return ""


def declared_bucket_policy(stack: Stack | None, bucket: str) -> Mapping[str, Any] | None:
    """Return the policy of a bucket as declared."""
    for owner, resource in stack.of_type("AWS::S3::BucketPolicy") if stack else ():
        declared = _resolved(owner, resource.properties)
        if declared and declared["Bucket"] == bucket:
            policy: Mapping[str, Any] = declared["PolicyDocument"]
            return policy
    return None


def _policies(stack: Stack | None, role: str) -> Iterator[tuple[str, Any]]:
    """Yield the names and documents of the inline policies of a role."""
    for owner, properties in _declared(stack, "AWS::IAM::Role", role):
        for policy in properties.get("Policies", []):
            declared = _resolved(owner, policy)
            if declared:
                yield declared["PolicyName"], declared["PolicyDocument"]
    for owner, resource in stack.of_type("AWS::IAM::Policy") if stack else ():
        declared = _resolved(owner, resource.properties)
        if declared and role in declared.get("Roles", []):
            yield declared["PolicyName"], declared["PolicyDocument"]


def _declared(stack: Stack | None, kind: str, physical_id: str) -> Iterator[tuple[Stack, Mapping[str, Any]]]:
    for owner, resource in stack.of_type(kind) if stack else ():
        if resource.physical_id == physical_id:
            yield owner, resource.properties


def _resolved(owner: Stack, value: Any) -> Any:
    """Return a value of the template; None where only CloudFormation knows it."""
    try:
        return owner.resolve(value)
    except Unresolved:
        return None


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _quoted(document: Any) -> str:
    return shlex.quote(json.dumps(document, separators=(",", ":")))
