"""Everything public has a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import ROOT

MODULES = sorted(
    path
    for folder in ("frontend", "ir", "passes", "backend", "gradatim/tools")
    for path in (ROOT / folder).rglob("*.py")
) + sorted((ROOT / "gradatim").glob("*.py"))

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def without_docstring(tree: ast.Module) -> list[str]:
    """Return what is public in a module and has no docstring, as ``Class.method``."""
    return [name for name, node in public(tree, "") if ast.get_docstring(node) is None]


def public(node: Documented, name: str) -> Iterator[tuple[str, Documented]]:
    """Yield a module or class and what is public in it.

    What is inside functions is not, and a property's setter is documented with the property.
    """
    yield name or "the module", node
    for member in node.body:
        is_part = isinstance(member, ast.FunctionDef) and any(
            (isinstance(d, ast.Name) and d.id == "overload")
            or (isinstance(d, ast.Attribute) and d.attr == "setter")
            for d in member.decorator_list
        )
        if not isinstance(member, Documented) or member.name.startswith("_") or is_part:
            continue
        qualified = f"{name}.{member.name}" if name else member.name
        if isinstance(member, ast.ClassDef):
            yield from public(member, qualified)
        else:
            yield qualified, member


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_names_have_docstrings(module: Path):
    assert not without_docstring(ast.parse(module.read_text()))


def test_what_has_no_docstring_is_found():
    source = '''
def f():
    def inner(): pass
def _private(): pass
class A:
    """Documented."""
    def method(self): pass
    def __init__(self): pass
    class B: pass
'''
    assert without_docstring(ast.parse(source)) == ["the module", "f", "A.method", "A.B"]
