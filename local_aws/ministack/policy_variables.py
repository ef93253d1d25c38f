"""Variables in policies: ``${*}``, ``${?}`` and ``${$}``, and the condition keys of a request."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator

_LITERALS = {"*", "?", "$"}
_request: contextvars.ContextVar[Any] = contextvars.ContextVar("request")


def install() -> None:
    """Read variables in resources and in conditions on text (IAM user guide, policy variables).

    MiniStack takes them as they stand.
    """
    iam_evaluator._first_match = _remembering_the_request(iam_evaluator._first_match)
    iam_evaluator.fnmatch_iam_cs = _with_variables(iam_evaluator.fnmatch_iam_cs, {"*": ".*", "?": "."})
    operators = iam_evaluator._CONDITION_OPS
    operators["stringequals"] = _with_variables(operators["stringequals"], {})


def _remembering_the_request(first_match: Callable[..., Any]) -> Callable[..., Any]:
    def match(request: Any, *args: Any) -> Any:
        token = _request.set(request)
        try:
            return first_match(request, *args)
        finally:
            _request.reset(token)

    return match


def _with_variables(matches: Callable[[str, str], bool], wildcards: dict[str, str]) -> Callable[[str, str], bool]:
    def match(value: str, pattern: str) -> bool:
        request = _request.get(None)
        if request is None or "${" not in pattern:
            return matches(value, pattern)
        expression = ""
        for variable, character in re.findall(r"\$\{([^}]*)\}|(.)", pattern, re.DOTALL):
            if character:
                expression += wildcards.get(character, re.escape(character))
                continue
            known = variable if variable in _LITERALS else iam_evaluator._resolve_condition_key(variable, request)
            if known is None:  # a key that the request has not: nothing matches
                return False
            expression += re.escape(str(known))
        return re.fullmatch(expression, value, re.DOTALL) is not None

    return match
