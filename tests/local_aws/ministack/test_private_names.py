from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import local_aws

MODULES = sorted(Path(local_aws.__file__).parent.rglob("*.py"))


def test_the_private_names_of_ministack_exist() -> None:
    used = {(module.__name__, name): hasattr(module, name) for path in MODULES for module, name in _private(path)}
    assert len(used) > 8
    assert [name for name, exists in used.items() if not exists] == []


def test_one_folder_uses_private_names_of_ministack() -> None:
    assert {path.parent.name for path in MODULES if any(_private(path))} == {"ministack"}


def test_one_folder_knows_ministack_but_for_its_app() -> None:
    assert [path.name for path in MODULES if path.parent.name != "ministack" and _imported(path)] == ["server.py"]


def _imported(path: Path) -> dict[str, str]:
    """Modules of MiniStack that a module of ours imports, by the names it gives them."""
    return {
        name.asname or name.name: f"{node.module}.{name.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack")
        for name in node.names
    }


def _private(path: Path) -> Iterator[tuple[ModuleType, str]]:
    """Modules of MiniStack, with the private names of them that a module of ours uses."""
    modules = _imported(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
            and node.attr.startswith("_")
        ):
            yield importlib.import_module(modules[node.value.id]), node.attr
