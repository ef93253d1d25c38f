"""The resources of a template as one would write them with CDK's typed L1s: Python, in the fewest calls into CDK."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_REMOVAL_POLICIES = {"Retain": "RETAIN", "Delete": "DESTROY"}
_PSEUDO_PARAMETERS = {"AWS::AccountId": "account", "AWS::Partition": "partition", "AWS::Region": "region"}


def source_of(template: Json) -> str:
    """A module with ``build(stack)``, which makes the resources and outputs of a template in a stack."""
    module = _Module(template["Resources"])
    for name, condition in template.get("Conditions", {}).items():
        left, right = map(module.value, condition["Fn::Equals"])
        expression = f"cdk.Fn.condition_equals({left}, {right})"
        module.lines.append(f"cdk.CfnCondition(stack, {name!r}, expression={expression})")
    for name in template["Resources"]:
        module.make(name)
    for name, output in template.get("Outputs", {}).items():
        module.lines.append(f"cdk.CfnOutput(stack, {name!r}, value={module.value(output['Value'])})")
    imports = [f"from aws_cdk import {service}" for service in sorted(module.services)]
    body = [f"    {line}" for line in module.lines]
    return "\n".join(["import aws_cdk as cdk", *imports, "", "", "def build(stack):", *body, ""])


class _Module:
    def __init__(self, resources: Json) -> None:
        self.resources = resources
        self.lines: list[str] = []
        self.services: set[str] = set()
        self._known: set[str] = set()

    def make(self, name: str) -> None:
        """Write a resource after those that it needs."""
        if name in self._known:
            return
        self._known.add(name)
        resource = self.resources[name]
        for needed in [*_references(resource.get("Properties", {})), *resource.get("DependsOn", [])]:
            if needed in self.resources:
                self.make(needed)
        module, made = _l1_of(resource["Type"])
        self.services.add(module)
        options = self._arguments(made, resource.get("Properties", {}), module)
        self.lines.append(f"{name} = {module}.{made.__name__}(stack, {name!r}, {options})")
        for needed in resource.get("DependsOn", []):
            self.lines.append(f"{name}.add_resource_dependency({needed})")
        if "DeletionPolicy" in resource:
            policy = _REMOVAL_POLICIES[resource["DeletionPolicy"]]
            self.lines.append(f"{name}.apply_removal_policy(cdk.RemovalPolicy.{policy})")

    def _arguments(self, made: Any, properties: Json, module: str) -> str:
        parameters = inspect.signature(made.__init__).parameters
        names = {name.replace("_", ""): name for name in parameters}
        arguments = []
        for key, value in properties.items():
            name = names[key.lower()]
            arguments.append(f"{name}={self._typed(value, str(parameters[name].annotation), module)}")
        return ", ".join(arguments)

    def _typed(self, value: Any, annotation: str, module: str) -> str:
        """A value with the property class in an annotation, such as ``Sequence['CfnAlarm.MetricProperty']``."""
        if isinstance(value, list):
            return f"[{', '.join(self._typed(each, annotation, module) for each in value)}]"
        found = re.search(r"'(Cfn\w+\.\w+)'", annotation)
        if not isinstance(value, dict) or not found or _is_intrinsic(value):
            return self.value(value)
        resource, kind = found[1].split(".")
        made = getattr(getattr(importlib.import_module(f"aws_cdk.{module}"), resource), kind)
        return f"{module}.{found[1]}({self._arguments(made, value, module)})"

    def value(self, value: Any) -> str:
        """A value whose references are the tokens of CDK, each asked for once."""
        match value:
            case {"Ref": str(name)} if name in _PSEUDO_PARAMETERS:
                return self._once(_PSEUDO_PARAMETERS[name], f"stack.{_PSEUDO_PARAMETERS[name]}")
            case {"Ref": str(name)}:
                return self._once(f"{name}_ref", f"{name}.ref")
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                _, made = _l1_of(self.resources[name]["Type"])
                (property_,) = (each for each in dir(made) if each.replace("_", "") == f"attr{attribute.lower()}")
                return self._once(f"{name}_{attribute}", f"{name}.{property_}")
            case {"Fn::If": [str(name), yes, no]}:
                return f"cdk.Fn.condition_if({name!r}, {self.value(yes)}, {self.value(no)}).to_string()"
            case {"Fn::Base64": text}:
                return f"cdk.Fn.base64({self.value(text)})"
            case {"Fn::Join": ["", list(parts)]}:
                return f'"".join([{", ".join(self.value(part) for part in parts)}])'
            case dict():
                return "{" + ", ".join(f"{key!r}: {self.value(child)}" for key, child in value.items()) + "}"
            case list():
                return f"[{', '.join(map(self.value, value))}]"
        return repr(value)

    def _once(self, variable: str, expression: str) -> str:
        if variable not in self._known:
            self._known.add(variable)
            self.lines.append(f"{variable} = {expression}")
        return variable


def _l1_of(resource_type: str) -> tuple[str, Any]:
    """The module and the class of a type of resource."""
    _, service, kind = resource_type.split("::")
    module = f"aws_{service.lower()}"
    return module, getattr(importlib.import_module(f"aws_cdk.{module}"), f"Cfn{kind}")


def _is_intrinsic(value: Json) -> bool:
    return len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::If", "Fn::Base64", "Fn::Join")


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case dict():
            for child in value.values():
                yield from _references(child)
        case list():
            for child in value:
                yield from _references(child)
