"""Making nodes of Python's syntax that stand at a place of the user's.

Names that only the rewritten source uses begin with ``@``, which no name of the user's can.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

N = TypeVar("N", bound=ast.AST)

RUNTIME: Final = "@runtime"
"""The name by which rewritten source reaches the functions of this package."""

CALL: Final = "@call"
TRACER: Final = "@Tracer"
TYPE: Final = "@type"
SITES: Final = "@sites"
TEST: Final = "@test"
ITEM: Final = "@item"

PRIVATE: Final = "@"
"""What names begin with that are not the user's."""

_LOAD = ast.Load()
_STORE = ast.Store()

Place = dict[str, Any]

_NO_NODES: Final = frozenset(
    (
        *("id", "ctx", "op", "ops", "attr", "arg", "name", "asname", "kind", "type_comment"),
        *("level", "module", "conversion", "is_async", "simple", "n", "s", "rest"),
    )
)
"""Fields of nodes that hold no nodes, or none that matter here."""

_fields: dict[type, tuple[str, ...]] = {}


def children(node: ast.AST) -> list[Any]:
    """Return the nodes directly below a node, but for operators and contexts."""
    kind = type(node)
    names = _fields.get(kind)
    if names is None:
        names = _fields[kind] = tuple([name for name in kind._fields if name not in _NO_NODES])
    found: list[Any] = []
    for name in names:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[Any]:
    """Return a node and all nodes below it, but for operators and contexts."""
    found = [node]
    for each in found:
        found += children(each)
    return found


def place(node: Any) -> Place:
    """Return where a node stands in the source."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def load(name: str, at: Place) -> ast.expr:
    """Return the expression that reads a variable."""
    return ast.Name(name, _LOAD, **at)


def store(name: str, at: Place) -> ast.Name:
    """Return the target that assigns a variable."""
    return ast.Name(name, _STORE, **at)


def constant(value: Any, at: Place) -> ast.expr:
    """Return a constant."""
    return ast.Constant(value, **at)


def attribute(value: ast.expr, name: str, at: Place) -> ast.expr:
    """Return ``value.name``."""
    return ast.Attribute(value, name, _LOAD, **at)


def call(function: ast.expr, arguments: Sequence[ast.expr], at: Place) -> ast.expr:
    """Return ``function(*arguments)``."""
    return ast.Call(function, list(arguments), [], **at)


def runtime_call(name: str, arguments: Sequence[ast.expr], at: Place) -> ast.expr:
    """Return the call of one of this package's functions."""
    return call(attribute(load(RUNTIME, at), name, at), arguments, at)


def assign(name: str, value: ast.expr, at: Place) -> ast.stmt:
    """Return ``name = value``."""
    return ast.Assign([store(name, at)], value, **at)


def bind(name: str, value: ast.expr, at: Place) -> ast.expr:
    """Return ``(name := value)``."""
    return ast.NamedExpr(store(name, at), value, **at)


def thunk(body: ast.expr, at: Place) -> ast.expr:
    """Return ``lambda: body``."""
    return ast.Lambda(arguments(()), body, **at)


def arguments(names: Iterable[str]) -> ast.arguments:
    """Return positional parameters."""
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name, lineno=1, col_offset=0) for name in names],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )


def function(name: str, parameters: Iterable[str], body: list[ast.stmt], at: Place) -> ast.stmt:
    """Return ``def name(parameters): body``."""
    node = ast.FunctionDef(name, arguments(parameters), body or [ast.Pass(**at)], [], **at)
    return without_type_parameters(node)


def without_type_parameters(node: N) -> N:
    """Return a definition itself, as one without the type parameters of Python 3.12."""
    setattr(node, "type_params", [])  # noqa: B010  # older versions do not have the field
    return node


def is_traced(value: ast.expr, at: Place) -> ast.expr:
    """Return the test whether a value is traced."""
    kind = call(load(TYPE, at), [value], at)
    return ast.Compare(kind, [ast.Is()], [load(TRACER, at)], **at)


def negated(value: ast.expr, at: Place) -> ast.expr:
    """Return ``not value``."""
    return ast.UnaryOp(ast.Not(), value, **at)


_GUARD: Final = "_gradatim_guard"


@dataclass(frozen=True)
class Guard:
    """What is known in the branches of an ``if`` that tests whether something was left early.

    Attributes:
        flags: the variables that it tests.
        set_in_body: whether its body runs if one of them is True; otherwise if all are False.
    """

    flags: tuple[str, ...]
    set_in_body: bool

    def known(self, in_body: bool) -> dict[str, bool]:
        """Return the values that the flags are known to have in a branch."""
        are_set = in_body is self.set_in_body
        if are_set and len(self.flags) > 1:
            return {}  # one of them is, but which?
        return dict.fromkeys(self.flags, are_set)


def guarded(flags: Sequence[str], are_set: bool, body: list[ast.stmt], at: Place) -> ast.If:
    """Return the ``if`` whose body runs if one of the flags is True, or if none is."""
    tests = [load(flag, at) for flag in flags]
    test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests, **at)
    found = ast.If(test if are_set else negated(test, at), body, [], **at)
    setattr(found, _GUARD, Guard(tuple(flags), are_set))
    return found


def guard_of(node: ast.AST) -> Guard | None:
    """Return what an ``if`` tests, if it was made by `guarded`."""
    return getattr(node, _GUARD, None)


def replaced(node: N, **fields: Any) -> N:
    """Return a copy of a node with some fields replaced."""
    kind = type(node)
    values = {name: getattr(node, name, None) for name in node._fields}
    values.update(fields)
    found = kind(**values)
    for name in node._attributes:
        if hasattr(node, name):
            setattr(found, name, getattr(node, name))
    if hasattr(node, _GUARD):
        setattr(found, _GUARD, getattr(node, _GUARD))
    return found
