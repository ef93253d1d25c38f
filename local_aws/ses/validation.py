"""Requests of the API v2 as its model wants them: types, required members, lengths and patterns."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

Json = dict[str, Any]


class InvalidRequest(Exception):
    """A request that SES cannot read, and why."""


def read(method: str, path: str, body: bytes) -> tuple[str, Json]:
    """The operation that a request is for, and what its body says; no operation where the API has none with a body.

    That is without nulls, which the services of AWS take for nothing, and without the members that are in the path.

    :raises InvalidRequest: when the body is not as the model of the operation says.
    """
    operation, members = _operation(method, path)
    if operation is None or method not in ("PATCH", "POST", "PUT"):
        return "", {}
    try:
        request = _without_nulls(json.loads(body or b"{}"))
        json.dumps(request, ensure_ascii=False).encode()  # which half of a surrogate pair is not
    except (RecursionError, ValueError) as failure:
        raise InvalidRequest(f"The request is not valid JSON: {failure}") from failure
    if not isinstance(request, dict):
        raise InvalidRequest("The request is not a JSON object.")
    request = {name: member for name, member in request.items() if name not in members}
    shape = operation.input_shape
    for fault in ParamValidator().validate({**request, **members}, shape).generate_report().splitlines():
        if not fault.startswith("Unknown parameter"):  # services ignore those
            raise InvalidRequest(fault)
    for fault in _broken_limits(request, shape, ""):
        raise InvalidRequest(f"1 validation error detected: {fault}")
    return str(operation.name), request


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(member) for member in value] if isinstance(value, list) else value


def _operation(method: str, path: str) -> tuple[Any, Json]:
    """The model of the operation that a request is for, and the members of it that are in the path."""
    for of_method, pattern, operation in _operations():
        found = of_method == method and pattern.fullmatch(path)
        if found:
            return operation, found.groupdict()
    return None, {}


@functools.cache
def _operations() -> list[tuple[str, re.Pattern[str], Any]]:
    model = botocore.session.Session().get_service_model("sesv2")
    operations = [model.operation_model(name) for name in model.operation_names]
    return [
        (each.http["method"], re.compile(re.sub(r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", each.http["requestUri"])), each)
        for each in operations
    ]


def _broken_limits(value: Any, shape: Any, where: str) -> Iterator[str]:
    """What is too long, or matches no pattern; botocore looks at the shortest lengths alone."""
    limit, pattern = shape.metadata.get("max"), shape.metadata.get("pattern")
    broken = f"Value at '{where}' failed to satisfy constraint: Member must"
    if limit is not None and isinstance(value, (str, list)) and len(value) > limit:
        yield f"{broken} have length less than or equal to {limit}"
    if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern, value):
        yield f"{broken} satisfy regular expression pattern: {pattern}"
    if isinstance(value, dict) and shape.type_name == "structure":
        for name, member in value.items():
            if name in shape.members:
                below = name[0].lower() + name[1:]
                yield from _broken_limits(member, shape.members[name], f"{where}.{below}" if where else below)
    if isinstance(value, list):
        for number, member in enumerate(value, 1):
            yield from _broken_limits(member, shape.member, f"{where}.{number}.member")
