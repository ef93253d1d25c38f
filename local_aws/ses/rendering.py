"""Templates of SES, filled in with the data of a mail."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_EXPRESSION = re.compile(r"\{\{\{?\s*(?P<kind>[#/]?)\s*(?P<path>.*?)\s*\}?\}\}", re.DOTALL)
_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")
_OF_SES = "amazonSESUnsubscribeUrl"  # SES itself fills it in (developer guide, list management)


class RenderingFailure(Exception):
    """A template could not be filled in, in the words of the event Rendering Failure."""


def render(content: Mapping[str, str], data: str) -> dict[str, str]:
    """The parts of a template, filled in; blocks such as ``{{#each}}`` are left as they are, with all they hold.

    :param data: a JSON object, as text.
    :raises RenderingFailure: when the data is none, or lacks a variable outside blocks.
    """
    try:
        values = json.loads(data or "{}")
    except ValueError as failure:
        raise RenderingFailure(f"The template data is not valid JSON: {failure}") from failure
    return {part: _filled_in(text, values) for part, text in content.items()}


def _filled_in(text: str, values: Any) -> str:
    blocks = 0

    def value(expression: re.Match[str]) -> str:
        nonlocal blocks
        kind, path = expression["kind"], expression["path"]
        blocks += {"#": 1, "/": -1}.get(kind, 0)
        if kind or blocks or path == _OF_SES or not _PATH.fullmatch(path):
            return expression[0]
        found = values
        for name in path.split("."):
            if not isinstance(found, dict) or name not in found:
                raise RenderingFailure(f"Attribute '{path}' is not present in the rendering data.")
            found = found[name]
        return found if isinstance(found, str) else json.dumps(found)

    return _EXPRESSION.sub(value, text)
