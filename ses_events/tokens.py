"""What is known at deployment only, as a person reads it; and warnings that print such a thing."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def as_text(scope: IConstruct, value: object, reference: str | None = None) -> Any:
    """Return a value with its tokens as text: ``${Mail/Archive/Bucket.Arn}/*``, by the paths of the constructs.

    :param reference: how a reference looks, with ``{}`` for the logical id that it refers to. Default: by paths.
    """
    stack = scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope)
    if reference is None:
        return _text(stack.resolve(_with_paths(value)), "${{{}}}")
    return _text(stack.resolve(value), reference)


def warn_of_policy(
    scope: IConstruct, warning: str, owner: str, purpose: str, statement: dict[str, Any], page: str = "security.md"
) -> None:
    """Warn that a policy which cannot be edited from here needs a statement, and print it.

    :param page: what explains it, in docs/.
    """
    cdk.Annotations.of(scope).add_warning_v2(
        warning,
        f"the policy of {owner} cannot be edited from here, and {purpose} only when it has this statement "
        f"(docs/{page}): {json.dumps(as_text(scope, statement))}",
    )


def _with_paths(value: Any) -> Any:
    """Return a value that names resources by the paths of their constructs, as a person knows them."""
    match value:
        case str():
            return TOKEN.sub(lambda token: _path(token[0]), value)
        case dict():
            return {key: _with_paths(child) for key, child in value.items()}
        case list():
            return [_with_paths(child) for child in value]
    return value


def _path(token: str) -> str:
    """Return the path behind a token, and which attribute; what is no reference stays a token."""
    reference = cdk.Tokenization.reverse(token)
    if not isinstance(reference, cdk.Reference) or reference.display_name.startswith("AWS::"):
        return token
    path = reference.target.node.path.removesuffix("/Resource")
    attribute = reference.display_name
    return f"${{{path}}}" if attribute == "Ref" else f"${{{path}.{attribute}}}"


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
    """Return whether a number is known at deployment only; CDK can be asked about finite ones alone, all JSON has.

    Such a number is a negative one in Python, so CDK is not asked about others.
    """
    return isinstance(value, float) and value < 0 and math.isfinite(value) and cdk.Token.is_unresolved(value)
