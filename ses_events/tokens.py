"""What is known at deployment only, as a person reads it; and warnings that print such a thing."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def as_text(scope: IConstruct, value: object, reference: str = "${{{}}}") -> Any:
    """A value with its tokens as text: ``${Bucket.Arn}/*``, as Fn::Sub would have it.

    :param reference: how a reference looks, with ``{}`` for what it refers to.
    """
    stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
    return _text(stack.resolve(value), reference)


def warn_of_policy(scope: IConstruct, warning: str, owner: str, purpose: str, statement: dict[str, Any]) -> None:
    """Warn that a policy which cannot be edited from here needs a statement, and print it."""
    cdk.Annotations.of(scope).add_warning_v2(
        warning,
        f"the policy of {owner} cannot be edited from here, and {purpose} only when it has this statement: "
        f"{json.dumps(as_text(scope, statement))}",
    )


def _text(value: Any, reference: str) -> Any:
    match value:
        case {"Ref": name}:
            return reference.format(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return reference.format(f"{name}.{attribute}")
        case {"Fn::ImportValue": name}:
            return _text(name, reference)
        case {"Fn::Join": [str(separator), list(parts)]}:
            texts = (_text(part, reference) for part in parts)
            return separator.join(text if isinstance(text, str) else json.dumps(text) for text in texts)
        case dict():
            return {key: _text(child, reference) for key, child in value.items()}
        case list():
            return [_text(child, reference) for child in value]
    return value


TOKEN = re.compile(r"\$\{Token\[[^]]*\]\}")
"""What CDK writes for a part of a text that is known at deployment only."""


def is_deferred(value: object) -> bool:
    """Whether a number is known at deployment only; CDK can be asked about finite ones alone, as JSON has no others."""
    return isinstance(value, float) and math.isfinite(value) and cdk.Token.is_unresolved(value)
