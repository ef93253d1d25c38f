from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache

import pytest

import ses_events
from ses_events import location, validation
from ses_events import prefix as prefixes
from ses_events import stack as stack_rules
from ses_events.analytics import rules as analytics_rules
from ses_events.archive import formats
from ses_events.archive import rules as archive_rules
from ses_events.monitoring import own_alarm_rules
from ses_events.monitoring import rules as monitoring_rules
from ses_events.publishing import dimensions as dimension_rules
from ses_events.publishing import rules as publishing_rules
from ses_events.record import stored_events
from tests.support import configurations
from tests.support.templates import ROOT
from tools.limits_table import ELSEWHERE, RULES, WARNINGS, table

CLASSES = [name for name in ses_events.__all__ if inspect.isclass(getattr(ses_events, name))]


def test_the_table_of_limits_is_that_of_the_code() -> None:
    assert (ROOT / "docs/limits.md").read_text() == table(), "run make pages"


def test_every_rule_is_in_the_table() -> None:
    rules = {
        rule
        for room in (
            archive_rules,
            formats,
            analytics_rules,
            monitoring_rules,
            own_alarm_rules,
            publishing_rules,
            dimension_rules,
            prefixes,
            stored_events,
            location,
            stack_rules,
        )
        for name, rule in inspect.getmembers(room, _is_rule)
        if getattr(rule, "__module__", room.__name__) in (room.__name__, validation.__name__) and name[0] != "_"
    }
    of_several: set[object] = {
        dimension_rules.RATE_PERIOD,
        formats.CONVERTED_BUFFERING_SIZE,
        archive_rules.buffering_size,
        monitoring_rules.share,
    }
    named = {*RULES.values(), *ELSEWHERE.values()} - {validation.count}
    assert rules - of_several == named, "name the rule in tools/limits_table.py, then run make pages"


@pytest.mark.parametrize("name", sorted({*CLASSES} - {"EventDestination"}))
def test_every_argument_of_a_class_is_in_the_table(name: str) -> None:
    section = table().partition(f"## `{name}`")[2].partition("\n## ")[0]
    arguments = inspect.signature(getattr(ses_events, name).__init__).parameters.keys() - {
        *("self", "scope", "construct_id", "args", "kwargs"),
    }
    assert [each for each in arguments if f"\n| `{each}` |" not in section] == []


def _is_rule(value: object) -> bool:
    return isinstance(value, (validation.Text, validation.Range)) or (
        inspect.isfunction(value)
        and value.__module__ != validation.__name__
        and str(inspect.signature(value).return_annotation) == "Iterator[str]"
    )


def test_every_warning_is_in_the_table() -> None:
    code = "".join(path.read_text() for path in (ROOT / "ses_events").rglob("*.py"))
    given = set(re.findall(r'"ses-events:([a-z-]+)"', code))
    assert given == set(WARNINGS), "mend WARNINGS in tools/limits_table.py, then run make pages"


def test_the_places_that_a_recipe_names_are_there() -> None:
    named = re.findall(r"`([\w./]+/[\w.]+)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert [path for path in named if not any((root / path).exists() for root in (ROOT, ROOT / "ses_events"))] == []


ALTERNATIVES = [name for name in ses_events.__all__ if name.endswith(("Destination", "Format"))]
ALTERNATIVES.remove("EventDestination")


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_its_row_among_the_parts(name: str) -> None:
    implied = {"EventDestination": "a base class", "JsonFormat": "the default of EventArchive"}
    assert (name in (ROOT / "docs/parts.md").read_text()) != (name in implied), f"add {name} to docs/parts.md"


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_every_destination_and_format_is_combined_with_all_and_offered(name: str) -> None:
    combined = hasattr(configurations, name) or name == "JsonFormat"  # the default
    assert combined, f"add {name} to CHOICES of tests/support/configurations.py"
    rules = (ROOT / "ses_events/publishing/rules.py", ROOT / "ses_events/archive/rules.py")
    said = [path.name for path in rules if re.search(rf'"[^"\n]*\b{name}\(', path.read_text())]
    assert said, f"name {name} in the sentence of rules.destination or rules.archive_format"


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_method_and_attribute_says_what_it_is(name: str) -> None:
    node = _class(name)
    undocumented = [function.name for function in _methods(node) if not ast.get_docstring(function)]
    declared = {each for kind in getattr(ses_events, name).__mro__ for each in vars(kind).get("__annotations__", {})}
    for body in (node.body, *(function.body for function in _functions(node).values())):
        for statement, following in zip(body, [*body[1:], ast.Pass()], strict=True):
            if not _is_text(following):
                names = {*_names(statement)} if body is node.body else {*_attributes(statement)} - declared
                undocumented += [attribute for attribute in names if attribute[0] != "_"]
    assert ast.get_docstring(node)
    assert undocumented == []


def test_a_name_that_is_no_class_says_what_it_is() -> None:
    tree = _module("EventPublishing")
    assert {*ses_events.__all__} - {*CLASSES} == {"UNTOUCHED_MAIL"}
    (at,) = [at for at, statement in enumerate(tree.body) if "UNTOUCHED_MAIL" in _names(statement)]
    assert _is_text(tree.body[at + 1])


@pytest.mark.parametrize("name", CLASSES)
def test_every_parameter_is_described_and_no_other(name: str) -> None:
    for function, docstring in _documented(_class(name)):
        arguments = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
        arguments += [each.arg for each in (function.args.vararg, function.args.kwarg) if each]
        described = re.findall(r"^:param (\w+):", docstring, re.MULTILINE)
        obvious = {"self", "cls", "scope"} | ({"construct_id"} if function.name == "__init__" else set())
        assert {*described} - obvious == {*arguments} - obvious, f"{name}.{function.name}"
        assert len(described) == len({*described}), f"{name}.{function.name}"


@pytest.mark.parametrize("name", CLASSES)
def test_what_refuses_arguments_says_what_it_raises(name: str) -> None:
    for function, docstring in _documented(_class(name)):
        if _refuses(_class(name), function):
            assert re.search("^:raises (Value|Type)Error: ", docstring, re.MULTILINE), f"{name}.{function.name}"


def test_every_rule_names_its_source() -> None:
    without = [
        rule
        for rule in {*RULES.values(), *ELSEWHERE.values()}
        if not getattr(rule, "source", None) and not SOURCE.search(str(rule.__doc__))
    ]
    assert without == []


SOURCE = re.compile(r"\([^()]+(\([^()]*\)[^()]*)*\)\.\s*$")
"""How the docstring of a rule ends: ``text (who says so).``"""


@cache
def _class(name: str) -> ast.ClassDef:
    (found,) = [n for n in _module(name).body if isinstance(n, ast.ClassDef) and n.name == name]
    return found


@cache
def _module(name: str) -> ast.Module:
    """The module that a public name is from."""
    return ast.parse(inspect.getsource(sys.modules[getattr(ses_events, name).__module__]))


def _functions(node: ast.Module | ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {child.name: child for child in node.body if isinstance(child, ast.FunctionDef)}


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The public methods and properties."""
    return [function for name, function in _functions(node).items() if name[0] != "_"]


def _documented(node: ast.ClassDef) -> Iterator[tuple[ast.FunctionDef, str]]:
    """The constructor with the docstring of the class, and the public methods; those of all destinations once."""
    constructor = _functions(node).get("__init__")
    if constructor:
        yield constructor, str(ast.get_docstring(node))
    for function in _methods(node):
        if function.name not in ("bind", "problems") or node.name == "EventDestination":
            yield function, str(ast.get_docstring(function))


def _names(statement: ast.stmt) -> list[str]:
    """The names that a statement sets."""
    return [target.id for target in _targets(statement) if isinstance(target, ast.Name)]


def _attributes(statement: ast.stmt) -> list[str]:
    """The attributes of ``self`` that a statement sets."""
    return [
        target.attr
        for target in _targets(statement)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    ]


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target):
            return [target]
    return []


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring: of the attribute before it."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _refuses(node: ast.ClassDef, function: ast.FunctionDef) -> bool:
    """Whether a method calls ``check``, directly or by way of what is private in its module."""
    known = _functions(_module(node.name)) | _functions(node)
    seen, ahead = set[str](), [function]
    while ahead:
        for call in ast.walk(ahead.pop()):
            match call:
                case (
                    ast.Call(func=ast.Name(id=called))
                    | ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=called))
                ):
                    if called in ("check", "stack_of"):
                        return True
                    if called[0] == "_" and called in known and called not in seen:
                        seen.add(called)
                        ahead.append(known[called])
    return False
