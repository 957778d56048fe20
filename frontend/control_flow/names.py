"""Which variables a piece of source binds, mentions, and reads before it binds them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .syntax import children, walk

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Bindings:
    """What statements do to names of their own function, leaving out nested functions.

    Attributes:
        bound: names that are assigned, in whichever way.
        shared: names declared ``nonlocal``.
        module: names declared ``global``.
    """

    bound: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    module: set[str] = field(default_factory=set)


def bindings(nodes: Iterable[ast.AST]) -> Bindings:
    """Return what statements do to names."""
    found = Bindings()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        _bind(node, found)
        pending += _inside(node)
    return found


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through the parts of a node that belong to the same function."""
    if isinstance(node, ast.Lambda):
        yield from _defaults(node.args)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from node.decorator_list
        yield from _defaults(node.args)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from node.keywords
    elif not isinstance(node, COMPREHENSIONS):
        yield from children(node)


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from filter(None, arguments.kw_defaults)


def _bind(node: ast.AST, found: Bindings) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            found.bound.add(name)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found.bound.add(name)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            found.bound.update(a.asname or a.name.partition(".")[0] for a in names)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            found.bound.add(name)
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            found.bound.add(name)
        case ast.Global(names=names):
            found.module.update(names)
        case ast.Nonlocal(names=names):
            found.shared.update(names)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            inner = (n.target for n in walk(node) if isinstance(n, ast.NamedExpr))
            found.bound.update(t.id for t in inner if isinstance(t, ast.Name))


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Return all names that occur in some source, nested functions included."""
    found: set[str] = set()
    for root in nodes:
        for node in walk(root):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif not isinstance(node, (ast.expr, ast.expr_context)):
                rest = Bindings()
                _bind(node, rest)
                found |= rest.bound | rest.shared | rest.module
    return found


def shared_by_nested(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that functions inside some source declare ``nonlocal``."""
    return {
        name
        for root in nodes
        for node in walk(root)
        if isinstance(node, ast.Nonlocal)
        for name in node.names
    }


def used_by_nested(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that functions inside some source mention."""
    inner = (n for root in nodes for n in walk(root) if isinstance(n, FUNCTIONS))
    return mentioned(part for function in inner for part in body_of(function))


def parameters(node: Function) -> list[str]:
    """Return the names of a function's parameters."""
    a = node.args
    several = (*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg)))
    return [parameter.arg for parameter in several]


def body_of(node: Function) -> list[Any]:
    """Return a function's statements, or the expression of a lambda."""
    return node.body if isinstance(node.body, list) else [node.body]


@dataclass(frozen=True)
class Scope:
    """The variables that source inside a function can see.

    Attributes:
        visible: variables of the function and of those around it, which live in cells where
            several functions use them.
        module: names that the function declares ``global``.
    """

    visible: frozenset[str]
    module: frozenset[str] = frozenset()

    def inside(self, node: Function) -> Scope:
        """Return what a function defined here sees."""
        found = bindings(body_of(node))
        own = (found.bound | set(parameters(node))) - found.module
        visible = (self.visible - found.module) | own | found.shared
        return Scope(frozenset(visible), frozenset(found.module))

    def with_names(self, names: Iterable[str]) -> Scope:
        """Return the scope with further variables."""
        return Scope(self.visible.union(names), self.module)


def read_first(statements: Sequence[ast.stmt], defined: frozenset[str] = frozenset()) -> set[str]:
    """Return the names that statements may read before they bind them.

    Args:
        statements: run in order.
        defined: names that are bound before.
    """
    return _Liveness().block(statements, set(defined))


class _Liveness:
    """Follows the order in which statements run, as far as it is certain."""

    def block(self, statements: Sequence[ast.stmt], defined: set[str]) -> set[str]:
        """Return what a block reads first, and add to ``defined`` what it surely binds."""
        found: set[str] = set()
        for statement in statements:
            found |= self._statement(statement, defined)
        return found

    def _statement(self, node: ast.stmt, defined: set[str]) -> set[str]:
        match node:
            case ast.Assign() | ast.AnnAssign(value=ast.expr()) | ast.Expr() | ast.Return():
                found = mentioned_in_loads(node) - defined
            case ast.If():
                return self._if(node, defined)
            case ast.For() | ast.While():
                return self._loop(node, defined)
            case ast.With():
                found = set[str]()
                for item in node.items:
                    found |= mentioned_in_loads(item) - defined
                    defined |= bindings([item]).bound
                return found | self.block(node.body, defined)
            case ast.AugAssign(target=ast.Name(id=name)):
                return (mentioned_in_loads(node.value) | {name}) - defined
            case _:
                return (mentioned([node])) - defined
        defined |= bindings([node]).bound
        return found

    def _if(self, node: ast.If, defined: set[str]) -> set[str]:
        found = mentioned_in_loads(node.test) - defined
        defined |= bindings([node.test]).bound
        either, other = set(defined), set(defined)
        found |= self.block(node.body, either) | self.block(node.orelse, other)
        if ends(node.body):
            either = other
        elif ends(node.orelse):
            other = either
        defined |= either & other
        return found

    def _loop(self, node: ast.For | ast.While, defined: set[str]) -> set[str]:
        head = node.iter if isinstance(node, ast.For) else node.test
        found = mentioned_in_loads(head) - defined
        inside = set(defined)
        if isinstance(node, ast.For):
            found |= mentioned_in_loads(node.target) - defined
            inside |= bindings([node.target]).bound
        found |= self.block(node.body, inside)
        return found | self.block(node.orelse, set(defined))


def mentioned_in_loads(node: ast.AST) -> set[str]:
    """Return the names that an expression or simple statement reads, nested functions included."""
    return {n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def ends(block: Sequence[ast.stmt]) -> bool:
    """Tell whether a block never runs to its end: it returns, breaks, continues or raises."""
    return bool(block) and isinstance(block[-1], (ast.Return, ast.Break, ast.Continue, ast.Raise))
