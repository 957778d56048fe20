"""Rewriting the statements of a function.

Each ``if``, ``while`` and ``for`` becomes its plain form, in which its body stands as the user
wrote it, and a call that takes its place where the condition is traced:

    if x > 0:                       @test = x > 0
        y = 1                       if type(@test) is Tracer:
    else:                               @runtime.if_(@sites[0], @test, lambda: (x, y))
        y = 2                       elif @test:
                                        y = 1
                                    else:
                                        y = 2

The lambda is never called: it is what hands the cells of the variables over. Where a branch leaves
the function, the call takes what follows the statement along and gives the function's result.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from .exits import (
    BREAK,
    CONTINUE,
    RETURN,
    Flags,
    always_raises,
    as_body,
    breaks_of,
    conditional_exits,
    exits_of,
    is_endless,
    with_flagged_breaks,
    without_exits,
)
from .expressions import Expressions, is_surely_known, opts_out, suspends
from .names import (
    Function,
    Scope,
    bindings,
    body_of,
    mentioned,
    read_first,
    shared_by_nested,
    used_by_nested,
)
from .syntax import (
    ITEM,
    SITES,
    TEST,
    Place,
    assign,
    bind,
    constant,
    function,
    guard_of,
    guarded,
    is_traced,
    load,
    place,
    replaced,
    runtime_call,
    thunk,
    walk,
)
from .units import Origin, Site

_FLAGS: Final = "_gradatim_flags"


@dataclass(frozen=True)
class LoopDetails:
    """What the functions that run a loop want to know.

    Attributes:
        flags: the variables that stand for its exits.
        kinds: which exits its body has.
        read_first: the variables that a step may read before it binds them.
        read_later: those that may be read behind the loop.
        updated: those that a step binds by ``x += ...`` and its like only.
    """

    flags: Flags
    kinds: frozenset[str]
    read_first: frozenset[str]
    read_later: frozenset[str]
    updated: frozenset[str]

    @property
    def stops(self) -> tuple[str, ...]:
        """The flags that end the loop."""
        return tuple([self.flags.of(kind) for kind in (BREAK, RETURN) if kind in self.kinds])


@dataclass(frozen=True)
class _Block:
    """Where a block stands.

    Attributes:
        rest: what runs after the block, up to the boundary.
        boundary: how far `rest` reaches: the end of the function, the end of a step of the loop
            of this number, or unknown (None).
    """

    rest: tuple[ast.stmt, ...] = ()
    boundary: str | int | None = None

    def before(self, rest: Sequence[ast.stmt]) -> _Block:
        """Return the place of a block that further statements follow."""
        return replace(self, rest=(*rest, *self.rest))


_FUNCTION: Final = _Block(boundary="function")
_CUT: Final = _Block()


class _Whole:
    """What is known of all statements of a function, whatever part of it is rewritten."""

    def __init__(self, statements: Sequence[ast.AST]) -> None:
        self.statements = statements

    @cached_property
    def bound(self) -> set[str]:
        """The names that it binds."""
        return bindings(self.statements).bound

    @cached_property
    def shared(self) -> set[str]:
        """The names that functions inside it bind."""
        return shared_by_nested(self.statements)

    @cached_property
    def nested(self) -> set[str]:
        """The names that functions inside it mention."""
        return used_by_nested(self.statements)

    @cached_property
    def occurrences(self) -> Counter[str]:
        """How often each name occurs."""
        return _occurrences(self.statements)


class Rewriter(Expressions):
    """Rewrites one compilation's source.

    Args:
        origin: where the source comes from.
        scope: the variables that it sees.
        sites: receives the sites that it refers to.
        whole: the user's function that the source is a part of, if it is only a part.
    """

    def __init__(
        self, origin: Origin, scope: Scope, sites: list[Any], whole: _Whole | None = None
    ) -> None:
        super().__init__(scope)
        self._origin = origin
        self._sites = sites
        self._whole = whole or _Whole([])

    # Functions

    def root(self, node: Any) -> Any:
        """Return the function that is converted, rewritten."""
        return self.function(node) if isinstance(node, ast.Lambda) else self.definition(node)

    def definition(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Return a function rewritten whose own variables are still to be added to the scope."""
        if suspends(node.body) or _sees_its_frame(node):
            return node
        whole = self._whole
        self._whole = _Whole(node.body)
        with self._inside(self.scope.inside(node), True):
            body = self.block(node.body, _FUNCTION)
        self._whole = whole
        return replaced(node, body=body)

    def part(self, name: str, parameters: Iterable[str], body: Sequence[ast.stmt]) -> ast.stmt:
        """Return a part of a statement as a function that shares its variables."""
        at = place(body[0])
        found = bindings(body)
        shared = sorted((found.bound | found.shared) & self.scope.visible)
        module = sorted(found.bound & self.scope.module)
        head: list[ast.stmt] = []
        if shared:
            head.append(ast.Nonlocal(shared, **at))
        if module:
            head.append(ast.Global(module, **at))
        kept = [s for s in body if not isinstance(s, (ast.Nonlocal, ast.Global))]
        with self._inside(self.scope.with_names(found.bound - self.scope.module), True):
            rewritten = self.block(kept, _CUT)
        return function(name, parameters, [*head, *rewritten], at)

    # Blocks

    def block(self, statements: Sequence[ast.stmt], here: _Block) -> list[ast.stmt]:
        """Return a block rewritten."""
        pending = list(reversed(statements))
        found: list[ast.stmt] = []
        while pending:
            statement = pending.pop()
            several = self._in_parts(statement)
            if several is not None:
                pending += reversed(several)
                continue
            rule = _STATEMENTS.get(type(statement))
            if rule is None:
                found.append(self.visit(statement))
            else:
                found += rule(self, statement, here.before(tuple(reversed(pending))))
        return found

    def _in_parts(self, node: ast.stmt) -> list[ast.stmt] | None:
        """Return a statement as several, if its exits are to be told by flags behind it."""
        if isinstance(node, (ast.With, ast.Try)):
            return self._flagged_exits(node) if conditional_exits(node) else None
        if not isinstance(node, (ast.For, ast.While)) or hasattr(node, _FLAGS):
            return None
        at = place(node)
        flags = self._new_flags()
        new: Any = replaced(node)
        setattr(new, _FLAGS, flags)
        before: list[ast.stmt] = []
        behind: list[ast.stmt] = []
        if RETURN in exits_of(node.body):
            before += self._unbound(flags.value, at)
            before.append(assign(flags.returned, constant(False, at), at))
            back = ast.Return(load(flags.value, at), **at)
            behind.append(back if is_endless(node) else guarded([flags.returned], True, [back], at))
        if node.orelse and breaks_of(node):
            before.append(assign(flags.broke, constant(False, at), at))
            new.body = with_flagged_breaks(node.body, flags)
            behind.append(guarded([flags.broke], False, node.orelse, at))
        elif behind:
            behind += node.orelse
        if behind:
            new.orelse = []
        self._declare(flags)
        return [*before, new, *behind]

    def _flagged_exits(self, node: ast.stmt) -> list[ast.stmt]:
        at = place(node)
        flags = self._new_flags()
        kinds = exits_of([node])
        lowered = without_exits([node], flags, kinds)
        before = [assign(flags.of(kind), constant(False, at), at) for kind in sorted(kinds)]
        before += self._unbound(flags.value, at) if RETURN in kinds else []
        leave: dict[str, ast.stmt] = {
            RETURN: ast.Return(load(flags.value, at), **at),
            BREAK: ast.Break(**at),
            CONTINUE: ast.Continue(**at),
        }
        behind = [guarded([flags.of(k)], True, [leave[k]], at) for k in sorted(kinds)]
        self._declare(flags)
        return [*before, *lowered.statements, *behind]

    def _new_flags(self) -> Flags:
        return Flags.numbered(next(self._origin.numbers))

    def _unbound(self, name: str, at: Place) -> list[ast.stmt]:
        """Return what makes a name a variable of the function, without a value."""
        return [ast.If(constant(False, at), [assign(name, constant(None, at), at)], [], **at)]

    def _declare(self, flags: Flags) -> None:
        """Make flags variables of the function."""
        self.scope = self.scope.with_names((flags.returned, flags.value, flags.broke))

    # Sites

    def _site(
        self,
        nodes: Sequence[ast.stmt],
        define: Callable[[Rewriter], list[ast.stmt]],
        local: Sequence[str] = (),
        details: Any = None,
        flags: Iterable[str] = (),
    ) -> ast.expr:
        """Note a site, and return the expression that reads it."""
        found = bindings(nodes)
        assigned = (found.bound | found.shared) & (self.scope.visible | self.scope.module)
        assigned.update(flags)
        assigned |= self._whole.shared & self.scope.visible
        whole = self._whole

        def definitions(site: Site, sites: list[Any]) -> list[ast.stmt]:
            scope = site.scope.with_names(local)
            return define(Rewriter(site.origin, scope, sites, whole))

        at = place(nodes[0])
        site = Site(self._origin, nodes, self.scope, assigned, definitions, local, details)
        self._sites.append(site)
        number = constant(len(self._sites) - 1, at)
        return ast.Subscript(load(SITES, at), number, ast.Load(), **at)

    def _cells(self, nodes: Iterable[ast.AST], at: Place, flags: Iterable[str] = ()) -> ast.expr:
        """Return the lambda that hands over the cells of all variables that are mentioned."""
        names = mentioned(nodes) | self._whole.shared | set(flags)
        found = sorted(names & self.scope.visible)
        return thunk(ast.Tuple([load(name, at) for name in found], ast.Load(), **at), at)

    # if

    def conditional(self, node: ast.If, here: _Block) -> list[ast.stmt]:
        """Rewrite ``if``."""
        body = self.block(node.body, here)
        orelse = self.block(node.orelse, here)
        known = is_surely_known(node.test) or always_raises(node.body) or always_raises(node.orelse)
        if known:
            return [replaced(node, test=self.visit(node.test), body=body, orelse=orelse)]
        at = place(node.test)
        plain = replaced(node, test=load(TEST, at), body=body, orelse=orelse)
        traced = self._traced_if(node, here, at)
        return [
            assign(TEST, self.visit(node.test), at),
            ast.If(is_traced(load(TEST, at), at), traced, [plain], **at),
        ]

    def _traced_if(self, node: ast.If, here: _Block, at: Place) -> list[ast.stmt]:
        kinds = exits_of([node])
        if not kinds:
            return [ast.Expr(self._branches(node, at), **at)]
        tested = replaced(node, test=load(TEST, at))
        following = [tested, *here.rest]
        if here.boundary == "function":
            flags = self._new_flags()
            body = as_body(following, flags, at)
            return [ast.Return(self._rest(following, body, flags, at), **at)]
        if isinstance(here.boundary, int) and kinds <= {CONTINUE} and not _leaves(here.rest):
            flags = self._new_flags()
            lowered = without_exits(following, flags, frozenset({CONTINUE}))
            head = [assign(flags.continued, constant(False, at), at)]
            step = self._rest(following, [*head, *lowered.statements], flags, at)
            return [ast.Expr(step, **at), ast.Continue(**at)]
        assert isinstance(here.boundary, int), "an exit that nothing handles"
        loop = ast.Subscript(load(SITES, at), constant(here.boundary, at), ast.Load(), **at)
        return [ast.Expr(runtime_call("leave", [loop], at), **at)]

    def _branches(self, node: ast.If, at: Place) -> ast.expr:
        def define(inner: Rewriter) -> list[ast.stmt]:
            empty: list[ast.stmt] = [ast.Pass(**at)]
            return [
                inner.part("@then", (), node.body),
                inner.part("@orelse", (), node.orelse or empty),
            ]

        site = self._site([node], define, details=guard_of(node))
        cells = self._cells([*node.body, *node.orelse], at)
        return runtime_call("if_", [site, load(TEST, at), cells], at)

    def _rest(
        self, nodes: Sequence[ast.stmt], body: list[ast.stmt], flags: Flags, at: Place
    ) -> ast.expr:
        """Return the call that runs a conditional and all that follows it."""
        local = (flags.returned, flags.value, flags.continued)

        def define(inner: Rewriter) -> list[ast.stmt]:
            # The flags are variables of the part, which its own conditionals share.
            inner.scope = replace(inner.scope, visible=inner.scope.visible - set(local))
            return [inner.part("@rest", (TEST,), body)]

        site = self._site(nodes, define)
        return runtime_call("rest", [site, load(TEST, at), self._cells(nodes, at)], at)

    # Loops

    def while_loop(self, node: ast.While, here: _Block) -> list[ast.stmt]:
        """Rewrite ``while``."""
        at = place(node.test)
        site, number = self._loop_site(node, [node.test])
        cells = self._cells([node], at, self._own_flags(node))
        steps = f"@steps{next(self._origin.numbers)}"
        begin = runtime_call("begin_while", [site, cells], at)
        body = [
            assign(steps, constant(2, at), at),
            *self.block(node.body, _Block(boundary=number)),
        ]
        test: ast.expr = load(steps, at)
        if not is_surely_known(node.test):
            traced = runtime_call("while_", [site, load(TEST, at), load(steps, at), cells], at)
            value = bind(TEST, self.visit(node.test), at)
            asked = ast.IfExp(is_traced(value, at), traced, load(TEST, at), **at)
            test = ast.BoolOp(ast.And(), [test, asked], **at)
        elif not (isinstance(node.test, ast.Constant) and node.test.value):
            test = ast.BoolOp(ast.And(), [test, self.visit(node.test)], **at)
        orelse = self.block(node.orelse, here)
        return [assign(steps, begin, at), replaced(node, test=test, body=body, orelse=orelse)]

    def for_loop(self, node: ast.For, here: _Block) -> list[ast.stmt]:
        """Rewrite ``for``."""
        at = place(node.iter)
        site, number = self._loop_site(node, [])
        cells = self._cells([node.target, *node.body], at, self._own_flags(node))
        items = runtime_call("iterate", [site, self._head(node.iter), cells], at)
        body = self.block(node.body, _Block(boundary=number))
        orelse = self.block(node.orelse, here)
        target = self.visit(node.target)
        return [replaced(node, iter=items, target=target, body=body, orelse=orelse)]

    def _head(self, node: ast.expr) -> ast.expr:
        """Rewrite what a loop runs over, so that it is seen through ``zip`` and its like."""
        match node:
            case ast.Call(func=ast.Name(id="zip" | "enumerate" | "reversed")) if not any(
                isinstance(argument, ast.Starred) for argument in node.args
            ):
                at = place(node)
                function = runtime_call("joined", [node.func], at)
                arguments = [self._head(argument) for argument in node.args]
                keywords = [self.visit(keyword) for keyword in node.keywords]
                return replaced(node, func=function, args=arguments, keywords=keywords)
        found: ast.expr = self.visit(node)
        return found

    def _own_flags(self, loop: Any) -> tuple[str, ...]:
        """Return the flags of a loop that the function around it tests too."""
        flags: Flags = getattr(loop, _FLAGS)
        return (flags.returned, flags.value) if RETURN in exits_of(loop.body) else ()

    def _loop_site(self, node: Any, head: Sequence[ast.expr]) -> tuple[ast.expr, int]:
        flags: Flags = getattr(node, _FLAGS)
        at = place(node)
        target = (
            [ast.Assign([node.target], load(ITEM, at), **at)] if hasattr(node, "target") else []
        )
        first = [ast.Expr(h, **place(h)) for h in head]
        step: list[ast.stmt] = [*target, *node.body]
        nested = self._whole.nested
        found = without_exits(step, flags, exits_of(node.body))
        kinds, lowered = found.may_exit, found.statements
        details = LoopDetails(
            flags,
            kinds,
            frozenset(read_first([*first, *step]) | nested),
            frozenset(self._read_elsewhere(node) | nested),
            frozenset(_only_updated(step)),
        )
        if CONTINUE in kinds:
            lowered = [assign(flags.continued, constant(False, at), at), *lowered]

        def define(inner: Rewriter) -> list[ast.stmt]:
            inner.scope = replace(inner.scope, visible=inner.scope.visible - {flags.continued})
            parts = [inner.part("@step", (ITEM,), lowered)]
            if head:
                parts.append(inner.part("@test", (), [ast.Return(head[0], **place(head[0]))]))
            return parts

        nodes = [replaced(node, orelse=[])]
        local = (flags.broke,) if BREAK in kinds else ()
        reads = self._site(nodes, define, local, details, self._own_flags(node))
        return reads, len(self._sites) - 1

    def _read_elsewhere(self, node: ast.stmt) -> set[str]:
        """Return the variables of a loop that other parts of the function mention too."""
        inside, everywhere = _occurrences([node]), self._whole.occurrences
        outer = set(inside) - self._whole.bound  # of the functions around this one
        return outer | {name for name, n in inside.items() if everywhere[name] > n}

    # Other statements

    def plain_block(self, node: Any, here: _Block) -> list[ast.stmt]:
        """Rewrite ``with`` or ``try``, which no traced condition leaves."""
        changes: dict[str, Any] = {}
        for name in ("body", "orelse", "finalbody"):
            if getattr(node, name, None):
                changes[name] = self.block(getattr(node, name), _CUT)
        if isinstance(node, ast.With):
            changes["items"] = [self.visit(item) for item in node.items]
        else:
            changes["handlers"] = [
                replaced(handler, body=self.block(handler.body, _CUT)) for handler in node.handlers
            ]
        return [replaced(node, **changes)]

    def match(self, node: ast.Match, here: _Block) -> list[ast.stmt]:
        """Rewrite ``match``, whose patterns Python compares."""
        cases = [replaced(case, body=self.block(case.body, here)) for case in node.cases]
        return [replaced(node, subject=self.visit(node.subject), cases=cases)]

    def nested(self, node: ast.FunctionDef, here: _Block) -> list[ast.stmt]:
        """Rewrite a function inside the function."""
        if opts_out(node.decorator_list):
            return [node]
        decorators = [self.visit(d) for d in node.decorator_list]
        arguments = replaced(
            node.args,
            defaults=[self.visit(d) for d in node.args.defaults],
            kw_defaults=[d and self.visit(d) for d in node.args.kw_defaults],
        )
        return [replaced(self.definition(node), decorator_list=decorators, args=arguments)]

    def untouched(self, node: ast.stmt, here: _Block) -> list[ast.stmt]:
        """Leave a statement as it is."""
        return [node]

    def assertion(self, node: ast.Assert, here: _Block) -> list[ast.stmt]:
        """Rewrite ``assert``."""
        at = place(node.test)
        test = self.visit(node.test)
        message = self.visit(node.msg) if node.msg else None
        told = thunk(_text(message), at) if message else constant(None, at)
        source = constant(ast.unparse(node.test), at)
        checked = runtime_call("assert_", [load(TEST, at), told, source], at)
        plain = replaced(node, test=load(TEST, at), msg=message)
        branch = ast.If(is_traced(load(TEST, at), at), [ast.Expr(checked, **at)], [plain], **at)
        debug = ast.Name("__debug__", ast.Load(), **at)
        return [ast.If(debug, [assign(TEST, test, at), branch], [], **at)]

    def augmented(self, node: ast.AugAssign, here: _Block) -> list[ast.stmt]:
        """Rewrite ``x += v``, which changes an array in place: it must be the function's own."""
        new = self.generic(node)
        if not isinstance(node.target, ast.Name):
            return [new]
        at = place(node.target)
        checked = runtime_call("storable", [load(node.target.id, at)], at)
        return [ast.Expr(checked, **at), new]

    def annotated(self, node: ast.AnnAssign, here: _Block) -> list[ast.stmt]:
        """Rewrite ``x: T = v`` but for the annotation."""
        value = self.visit(node.value) if node.value else None
        return [replaced(node, value=value)]


def _text(message: ast.expr) -> ast.expr:
    """Return an expression for a message; of an f-string, one for a format and its values."""
    if not isinstance(message, ast.JoinedStr):
        return message
    at = place(message)
    pieces: list[ast.expr] = []
    for part in message.values:
        if not isinstance(part, ast.FormattedValue):
            pieces.append(part)
            continue
        conversion = constant(f"!{chr(part.conversion)}" if part.conversion > 0 else "", at)
        specification = part.format_spec or constant("", at)
        pieces.append(ast.Tuple([part.value, conversion, specification], ast.Load(), **at))
    return runtime_call("text", pieces, at)


_STATEMENTS: Final[dict[type, Callable[[Rewriter, Any, _Block], list[ast.stmt]]]] = {
    ast.If: Rewriter.conditional,
    ast.While: Rewriter.while_loop,
    ast.For: Rewriter.for_loop,
    ast.With: Rewriter.plain_block,
    ast.Try: Rewriter.plain_block,
    ast.Match: Rewriter.match,
    ast.FunctionDef: Rewriter.nested,
    ast.AsyncFunctionDef: Rewriter.untouched,
    ast.ClassDef: Rewriter.untouched,
    ast.TryStar: Rewriter.untouched,
    ast.Assert: Rewriter.assertion,
    ast.AnnAssign: Rewriter.annotated,
    ast.AugAssign: Rewriter.augmented,
}


def _leaves(statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements may leave the loop or the function."""
    return bool(exits_of(statements) - {CONTINUE})


def _occurrences(nodes: Iterable[ast.AST]) -> Counter[str]:
    """Return how often each name occurs."""
    return Counter(n.id for root in nodes for n in walk(root) if isinstance(n, ast.Name))


def _only_updated(statements: Iterable[ast.AST]) -> set[str]:
    """Return the variables that statements bind by augmented assignments only."""
    nodes = [n for statement in statements for n in walk(statement)]
    targets = [n.target for n in nodes if isinstance(n, ast.AugAssign)]
    updated = {t.id for t in targets if isinstance(t, ast.Name)}
    others = set(map(id, targets))
    bound = [n for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)]
    return updated - {n.id for n in bound if id(n) not in others}


def _sees_its_frame(node: Function) -> bool:
    """Tell whether a function looks at its own variables, of which rewriting would add some."""
    return any(
        isinstance(n, ast.Name) and n.id in ("locals", "eval", "exec", "vars", "dir")
        for part in body_of(node)
        for n in walk(part)
    )
