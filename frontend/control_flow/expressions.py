"""Rewriting expressions: ``and``, ``or``, ``not``, ``a if c else b``, comparisons, calls, indexing.

Operands that are not traced are combined by Python itself, with its short circuit. Nodes are not
changed but replaced, since the source of a statement may be rewritten more than once.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from .names import FUNCTIONS, Scope
from .syntax import (
    CALL,
    RUNTIME,
    TEST,
    attribute,
    bind,
    call,
    children,
    constant,
    is_traced,
    load,
    negated,
    place,
    replaced,
    runtime_call,
    thunk,
    walk,
)

_SIMPLE: Final = (ast.Name, ast.Constant, ast.Attribute, ast.Compare, ast.BinOp, ast.UnaryOp)
_SIMPLE_SIZE: Final = 12
"""An operand of up to so many nodes is written twice rather than wrapped in a function."""

NOT_CALLED_THROUGH: Final = frozenset(
    {"super", "locals", "globals", "vars", "dir", "eval", "exec"}
    | {"type", "issubclass", "getattr", "hasattr", "id", "repr", "str", "callable"}
)
"""Builtin functions that see their caller's frame, or cannot depend on traced values."""

_OPT_OUT: Final = "do_not_convert"

_LEAVES: Final = (ast.Name, ast.Constant, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop)


class Expressions:
    """Rewrites expressions of one function.

    Attributes:
        scope: the variables that the expressions see.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._may_bind = True

    def visit(self, node: Any) -> Any:
        """Return an expression, or a part of one, rewritten."""
        rule = _RULES.get(type(node))
        if rule is not None:
            return rule(self, node)
        return node if isinstance(node, _LEAVES) else self.generic(node)

    def generic(self, node: Any) -> Any:
        """Return a node with its parts rewritten."""
        changes: dict[str, Any] = {}
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                new: Any = self.visit(value)
            elif isinstance(value, list):
                new = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
                new = value if all(a is b for a, b in zip(new, value)) else new
            else:
                continue
            if new is not value:
                changes[name] = new
        return replaced(node, **changes) if changes else node

    # Truth

    def boolean(self, node: ast.BoolOp) -> ast.expr:
        """Rewrite ``a and b and c``, from the left."""
        found = self.visit(node.values[0])
        for operand in node.values[1:]:
            found = self._pair(node.op, found, operand)
        return found

    def _pair(self, op: ast.boolop, first: ast.expr, operand: ast.expr) -> ast.expr:
        at = place(operand)
        name = "and_" if isinstance(op, ast.And) else "or_"
        second = self.visit(operand)
        if not self._may_bind or not _is_simple(operand):
            if _binds(operand):  # a function would keep the variable to itself
                return ast.BoolOp(op, [first, second], **at)
            return runtime_call(name, [first, thunk(second, at)], at)
        traced = runtime_call(name, [load(TEST, at), thunk(second, at)], at)
        plain = ast.BoolOp(op, [load(TEST, at), second], **at)
        return ast.IfExp(is_traced(bind(TEST, first, at), at), traced, plain, **at)

    def negation(self, node: ast.UnaryOp) -> ast.expr:
        """Rewrite ``not a``."""
        if not isinstance(node.op, ast.Not):
            return self.arithmetic(node)
        if is_surely_known(node.operand):
            return self.generic(node)
        at = place(node)
        operand = self.visit(node.operand)
        if not self._may_bind:
            return runtime_call("not_", [operand], at)
        traced = runtime_call("not_", [load(TEST, at)], at)
        plain = negated(load(TEST, at), at)
        return ast.IfExp(is_traced(bind(TEST, operand, at), at), traced, plain, **at)

    def choice(self, node: ast.IfExp) -> ast.expr:
        """Rewrite ``a if c else b``."""
        if is_surely_known(node.test) or _binds(node.body) or _binds(node.orelse):
            return self.generic(node)
        at = place(node)
        test, body, orelse = self.visit(node.test), self.visit(node.body), self.visit(node.orelse)
        thunks = [thunk(body, place(node.body)), thunk(orelse, place(node.orelse))]
        if not (self._may_bind and _is_simple(node.body) and _is_simple(node.orelse)):
            return runtime_call("choose", [test, *thunks], at)
        traced = runtime_call("choose", [load(TEST, at), *thunks], at)
        plain = ast.IfExp(load(TEST, at), body, orelse, **at)
        return ast.IfExp(is_traced(bind(TEST, test, at), at), traced, plain, **at)

    def comparison(self, node: ast.Compare) -> Any:
        """Rewrite ``a < b < c`` as pairs joined by ``and``, and ``a in b`` as a call."""
        if len(node.ops) == 1:
            if isinstance(node.ops[0], (ast.In, ast.NotIn)):
                return self._membership(node)
            return self.generic(node)
        middle = node.comparators[:-1]
        if not self._may_bind and not all(isinstance(m, (ast.Name, ast.Constant)) for m in middle):
            return self.generic(node)
        return self._chain(node)

    def _membership(self, node: ast.Compare) -> ast.expr:
        at = place(node)
        operands = [self.visit(node.left), self.visit(node.comparators[0])]
        found = runtime_call("in_", operands, at)
        if isinstance(node.ops[0], ast.In):
            return found
        return runtime_call("not_", [found], at)

    def _chain(self, node: ast.Compare) -> ast.expr:
        """Rewrite a chain, whose inner operands are computed once, from the end."""
        at = place(node)
        operands = [self.visit(x) for x in (node.left, *node.comparators)]
        first: list[Any] = list(operands[:-1])
        for i in range(1, len(operands) - 1):
            if not isinstance(operands[i], (ast.Name, ast.Constant)):
                name = f"@operand{i}"
                operands[i], first[i] = bind(name, operands[i], at), load(name, at)
        pairs = [
            ast.Compare(left, [op], [right], **at)
            for left, op, right in zip(first, node.ops, operands[1:])
        ]
        # `a < (t := b) and t < c`: t is read in a function, so it has to be bound before.
        found: ast.expr = pairs[-1]
        for pair in reversed(pairs[:-1]):
            found = runtime_call("and_", [pair, thunk(found, at)], at)
        return found

    # Arithmetic

    def arithmetic(self, node: ast.BinOp | ast.UnaryOp) -> ast.expr:
        """Rewrite ``a * b + c``, so that an array that it makes can hold traced values."""
        new = self._operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            return new
        return runtime_call("new_array", [new], place(node))

    def _operation(self, node: ast.BinOp | ast.UnaryOp) -> ast.expr:
        if isinstance(node, ast.UnaryOp):
            operand = self._operand(node.operand)
            return node if operand is node.operand else replaced(node, operand=operand)
        left, right = self._operand(node.left), self._operand(node.right)
        if left is node.left and right is node.right:
            return node
        return replaced(node, left=left, right=right)

    def _operand(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.BinOp) or (
            isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not)
        ):
            return self._operation(node)
        found: ast.expr = self.visit(node)
        return found

    # Calls and indexing

    def called(self, node: ast.Call) -> ast.expr:
        """Rewrite ``f(x)`` so that functions of the user's are rewritten when they are called."""
        if is_named(node.func, _OPT_OUT):
            return node
        new = self.generic(node)
        function = node.func
        if isinstance(function, ast.Name):
            if function.id in NOT_CALLED_THROUGH and function.id not in self.scope.visible:
                return new
        elif isinstance(function, ast.Attribute) and isinstance(
            function.value, (ast.Constant, ast.JoinedStr)
        ):
            return new
        at = place(function)
        return replaced(new, func=call(load(CALL, at), [new.func], at))

    def indexed(self, node: ast.Subscript) -> ast.expr:
        """Rewrite ``a[i]``, since a NumPy array cannot be indexed by a traced value itself.

        Where ``a[i]`` is stored in, ``a`` must be the function's own.
        """
        new = self.generic(node)
        at = place(node)
        if not isinstance(node.ctx, ast.Load):
            return replaced(new, value=runtime_call("storable", [new.value], at))
        if _is_known_index(node.slice):
            return new
        return runtime_call("item", [new.value, self._index(new.slice)], at)

    def _index(self, node: ast.expr) -> ast.expr:
        at = place(node)
        if isinstance(node, ast.Slice):
            parts = [p or constant(None, at) for p in (node.lower, node.upper, node.step)]
            return call(attribute(load(RUNTIME, at), "slice", at), parts, at)
        if isinstance(node, ast.Tuple):
            return replaced(node, elts=[self._index(item) for item in node.elts])
        return node

    # Scopes of their own

    def function(self, node: ast.Lambda) -> ast.Lambda:
        """Rewrite a lambda."""
        if _suspends(node.body):
            return node
        arguments = self.visit(node.args)
        with self._inside(self.scope.inside(node), True):
            return replaced(node, args=arguments, body=self.visit(node.body))

    def comprehension(self, node: Any) -> Any:
        """Rewrite a comprehension, in whose scope nothing can be bound."""
        if _suspends(node):
            return node
        targets = {n.id for n in walk(node) if isinstance(n, ast.Name)}
        with self._inside(self.scope.with_names(targets), False):
            return self.generic(node)

    @contextmanager
    def _inside(self, scope: Scope, may_bind: bool) -> Iterator[None]:
        before = self.scope, self._may_bind
        self.scope, self._may_bind = scope, may_bind
        try:
            yield
        finally:
            self.scope, self._may_bind = before


_RULES: Final[dict[type, Callable[[Expressions, Any], Any]]] = {
    ast.BinOp: Expressions.arithmetic,
    ast.BoolOp: Expressions.boolean,
    ast.UnaryOp: Expressions.negation,
    ast.IfExp: Expressions.choice,
    ast.Compare: Expressions.comparison,
    ast.Call: Expressions.called,
    ast.Subscript: Expressions.indexed,
    ast.Lambda: Expressions.function,
    ast.ListComp: Expressions.comprehension,
    ast.SetComp: Expressions.comprehension,
    ast.DictComp: Expressions.comprehension,
    ast.GeneratorExp: Expressions.comprehension,
}


def is_named(node: ast.expr, name: str) -> bool:
    """Tell whether an expression is a name, or ends in ``.name``."""
    return isinstance(node, (ast.Name, ast.Attribute)) and name in (
        getattr(node, "id", None),
        getattr(node, "attr", None),
    )


def opts_out(decorators: Sequence[ast.expr]) -> bool:
    """Tell whether a function is decorated to be left as it is."""
    return any(is_named(decorator, _OPT_OUT) for decorator in decorators)


def is_surely_known(test: ast.expr) -> bool:
    """Tell whether a condition cannot be traced, whatever its operands are."""
    match test:
        case ast.Constant():
            return True
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return is_surely_known(operand)
        case ast.BoolOp(values=values):
            return all(map(is_surely_known, values))
        case ast.Call(func=ast.Name(id="isinstance" | "hasattr" | "callable" | "issubclass")):
            return True
    return False


def _is_simple(node: ast.expr) -> bool:
    """Tell whether an expression is small and has no control flow in it."""
    size = 0
    for part in walk(node):
        if isinstance(part, (ast.operator, ast.unaryop, ast.cmpop, ast.expr_context)):
            continue
        size += 1
        if not isinstance(part, _SIMPLE) or size > _SIMPLE_SIZE:
            return False
        if isinstance(part, ast.Compare) and len(part.ops) > 1:
            return False
        if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not):
            return False
    return True


def _binds(node: ast.expr) -> bool:
    """Tell whether an expression binds a variable or suspends its function."""
    return any(isinstance(n, (ast.NamedExpr, *_SUSPENSIONS)) for n in walk(node))


_SUSPENSIONS: Final = (ast.Yield, ast.YieldFrom, ast.Await)


def _suspends(node: ast.AST) -> bool:
    return any(isinstance(n, _SUSPENSIONS) for n in walk(node)) or any(
        generator.is_async for generator in getattr(node, "generators", ())
    )


def suspends(statements: Sequence[ast.AST]) -> bool:
    """Tell whether a function with these statements is a generator or a coroutine."""
    pending = list(statements)
    while pending:
        node = pending.pop()
        if isinstance(node, (*_SUSPENSIONS, ast.AsyncFor, ast.AsyncWith)):
            return True
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            pending += children(node)
    return False


def _is_known_index(node: ast.expr) -> bool:
    """Tell whether an index consists of constants."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(part is None or _is_known_index(part) for part in (lower, upper, step))
        case ast.Tuple(elts=items):
            return all(map(_is_known_index, items))
    return False
