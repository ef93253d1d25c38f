"""What a stack says: its template, with what CloudFormation made of each resource filled in."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from ses_events.verify.account import Account, UsageError, error_code, error_message

_ARNS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}",
    "AWS::Events::EventBus": "arn:{partition}:events:{region}:{account}:event-bus/{name}",
}
"""What ``Fn::GetAtt`` of ``Arn`` gives, by the type of a resource whose physical id is its name."""


_URL_SUFFIXES = {
    "aws": {"AWS::URLSuffix": "amazonaws.com"},
    "aws-us-gov": {"AWS::URLSuffix": "amazonaws.com"},
    "aws-cn": {"AWS::URLSuffix": "amazonaws.com.cn"},
}


class Unresolved(Exception):
    """A value of the template that only CloudFormation knows."""


@dataclass(frozen=True)
class Resource:
    """A resource of a stack as it is deployed.

    :param path: its construct path where the template has it, else its logical id.
    :param properties: as in the template; empty where there is no template to read.
    """

    logical_id: str
    kind: str
    physical_id: str
    path: str
    properties: Mapping[str, Any]


class Stack:
    """A stack with those nested in it.

    :raises UsageError: when there is no such stack.
    """

    def __init__(self, account: Account, name: str) -> None:
        self._account = account
        cloudformation = account.client("cloudformation")
        try:
            [described] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error_code(error) != "ValidationError":
                raise
            raise UsageError(
                f"there is no stack {name} in {account.region}: {error_message(error)}; give --region or --profile if "
                f"it is elsewhere, or a name of: aws cloudformation describe-stacks --region {account.region} "
                "--query 'Stacks[].StackName'"
            ) from None
        self.name = str(described["StackName"])
        template = cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        if isinstance(template, str):  # as a stub tells it: boto3 parses what AWS says
            with contextlib.suppress(ValueError):
                template = json.loads(template)
        self.is_readable = isinstance(template, Mapping)
        """Whether its template is JSON, as CDK writes it: YAML needs a parser that Python does not have."""
        self._template: Mapping[str, Any] = template if isinstance(template, Mapping) else {}
        self._outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
        self._parameters = {
            each["ParameterKey"]: each.get("ResolvedValue") or each.get("ParameterValue")
            for each in described.get("Parameters", [])
        }
        _, partition, _, region, number, _ = described["StackId"].split(":", 5)
        self._here = {"partition": partition, "region": region, "account": number}
        self._pseudo = {
            "AWS::AccountId": number,
            "AWS::Partition": partition,
            "AWS::Region": region,
            "AWS::StackId": described["StackId"],
            "AWS::StackName": self.name,
            **_URL_SUFFIXES.get(partition, {}),
        }
        self.own = {resource.logical_id: resource for resource in self._resources(name)}
        """Its own resources, by logical id."""
        self.nested = {
            resource.logical_id: Stack(account, resource.physical_id)
            for resource in self.own.values()
            if resource.kind == "AWS::CloudFormation::Stack"
        }
        """The stacks nested in it, by logical id."""

    def of_type(self, kind: str) -> Iterator[tuple[Stack, Resource]]:
        """Yield the resources of a type, those of nested stacks too, each with its own stack."""
        yield from ((self, resource) for resource in self.own.values() if resource.kind == kind)
        for nested in self.nested.values():
            yield from nested.of_type(kind)

    @property
    def paths(self) -> dict[str, str]:
        """The paths of all resources by their physical ids."""
        paths = {resource.physical_id: resource.path for resource in self.own.values()}
        for nested in self.nested.values():
            paths |= nested.paths
        return paths

    @property
    def unreadable(self) -> list[str]:
        """The names of the stacks whose templates are not JSON."""
        nested = [name for each in self.nested.values() for name in each.unreadable]
        return [*([] if self.is_readable else [self.name]), *nested]

    def resolve(self, value: Any) -> Any:
        """Return a value of the template as CloudFormation has resolved it.

        :raises Unresolved: when that cannot be told from here.
        """
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function in self._functions:
                return self._functions[function](argument)
            if function.startswith("Fn::"):
                raise Unresolved(function)
        return {key: self.resolve(each) for key, each in value.items()}

    def _resources(self, name: str) -> Iterator[Resource]:
        pages = self._account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
        described = self._template.get("Resources", {})
        for each in [each for page in pages for each in page["StackResourceSummaries"]]:
            if each["ResourceStatus"] == "DELETE_COMPLETE" or not each.get("PhysicalResourceId"):
                continue
            logical_id = each["LogicalResourceId"]
            resource = described.get(logical_id, {})
            path = str(resource.get("Metadata", {}).get("aws:cdk:path", logical_id))
            yield Resource(
                logical_id,
                each["ResourceType"],
                each["PhysicalResourceId"],
                re.sub("/(Resource|Default)$", "", path),
                resource.get("Properties", {}),
            )

    @cached_property
    def _functions(self) -> dict[str, Callable[[Any], Any]]:
        def join(argument: Any) -> str:
            separator, parts = argument
            return str(separator).join(map(str, self.resolve(parts)))

        def select(argument: Any) -> Any:
            index, values = argument
            return self.resolve(values)[int(self.resolve(index))]

        def split(argument: Any) -> list[str]:
            separator, text = argument
            return str(self.resolve(text)).split(separator)

        return {
            "Ref": self._ref,
            "Fn::GetAtt": self._attribute,
            "Fn::Join": join,
            "Fn::Select": select,
            "Fn::Split": split,
            "Fn::Sub": self._substituted,
        }

    def _ref(self, name: str) -> Any:
        if name in self.own:
            return self.own[name].physical_id
        known = {**self._pseudo, **self._parameters}
        if name not in known:
            raise Unresolved(name)
        return known[name]

    def _attribute(self, argument: Any) -> str:
        logical_id, name = argument.split(".", 1) if isinstance(argument, str) else argument
        resource = self.own.get(logical_id)
        if resource and logical_id in self.nested and name.startswith("Outputs."):
            output = self.nested[logical_id]._outputs.get(name.removeprefix("Outputs."))
            if output is not None:
                return str(output)
        if resource and (resource.kind, name) == ("AWS::SNS::Topic", "TopicArn"):
            return resource.physical_id
        if resource and resource.kind in _ARNS and name == "Arn":
            path = str(self.resolve(resource.properties.get("Path", "/"))).strip("/")
            return _ARNS[resource.kind].format(
                name=f"{path}/{resource.physical_id}" if path else resource.physical_id, **self._here
            )
        raise Unresolved(f"{logical_id}.{name}")

    def _substituted(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in given:
                return str(self.resolve(given[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
