"""Leaving a block early: ``return``, ``break`` and ``continue`` become assignments to flags.

A statement with a traced condition must run to its end, because both of its outcomes are compiled.
Here its exits become assignments, and what an exit would skip stands behind a test of the flags.
Where one side of an ``if`` surely leaves, what follows becomes the other side, and needs no flag.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .names import FUNCTIONS
from .syntax import assign, constant, guarded, load, place, replaced

RETURN: Final = "return"
BREAK: Final = "break"
CONTINUE: Final = "continue"

FLAGS: Final = ("@returned", "@broke", "@continued")
"""What the names of variables begin with that tell whether something was left early."""

VALUE: Final = "@value"
"""What the names of variables begin with that hold what a function returns."""

_KINDS: Final[dict[type, str]] = {ast.Return: RETURN, ast.Break: BREAK, ast.Continue: CONTINUE}
_LOOPS: Final = (ast.For, ast.While, ast.AsyncFor)
_NO_EXITS: Final[frozenset[str]] = frozenset()

Kinds = frozenset[str]


def exits_of(statements: Sequence[ast.stmt]) -> Kinds:
    """Return in which ways a block may be left early; loops inside keep their own breaks."""
    found: set[str] = set()
    for statement in statements:
        kind = _KINDS.get(type(statement))
        if kind is not None:
            found.add(kind)
            continue
        inner = frozenset[str]().union(*map(exits_of, blocks_of(statement)))
        found |= _out_of_loop(statement, inner)
    return frozenset(found)


def _out_of_loop(statement: ast.stmt, inner: Kinds) -> Kinds:
    if not isinstance(statement, _LOOPS):
        return inner
    return (inner & {RETURN}) | (exits_of(statement.orelse) if statement.orelse else _NO_EXITS)


def blocks_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Walk through the blocks of a compound statement that belong to the same function."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list):
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def conditional_exits(statement: ast.stmt) -> Kinds:
    """Return how a compound statement may be left from below an ``if`` or a loop in it."""
    found: set[str] = set()
    for block in blocks_of(statement):
        for inner in block:
            if isinstance(inner, (ast.If, ast.For, ast.While, ast.Match)):
                found |= exits_of([inner])
            else:
                found |= conditional_exits(inner)
    return frozenset(found)


def always_raises(block: Sequence[ast.stmt]) -> bool:
    """Tell whether a block ends in ``raise``."""
    return bool(block) and isinstance(block[-1], ast.Raise)


def breaks_of(loop: ast.For | ast.While) -> bool:
    """Tell whether a loop has a ``break`` of its own."""
    return BREAK in exits_of(loop.body)


def is_endless(loop: ast.For | ast.While) -> bool:
    """Tell whether a loop ends by ``return`` or by an exception only."""
    if not isinstance(loop, ast.While) or breaks_of(loop):
        return False
    return isinstance(loop.test, ast.Constant) and bool(loop.test.value)


@dataclass(frozen=True)
class Flags:
    """The variables that stand for exits.

    Attributes:
        returned: whether the function has returned.
        value: what it returned.
        broke: whether the loop was left.
        continued: whether the loop's step has ended.
    """

    returned: str
    value: str
    broke: str
    continued: str

    @classmethod
    def numbered(cls, number: int) -> Flags:
        """Return flags with names of their own."""
        returned, *others = FLAGS
        return cls(*[f"{name}{number}" for name in (returned, VALUE, *others)])

    def of(self, kind: str) -> str:
        """Return the flag of a kind of exit."""
        return {RETURN: self.returned, BREAK: self.broke, CONTINUE: self.continued}[kind]


@dataclass
class Lowered:
    """A block without exits.

    Attributes:
        statements: the block.
        may_exit: the kinds of exits that it may take.
        ends: whether it surely takes one, or raises.
    """

    statements: list[ast.stmt] = field(default_factory=list)
    may_exit: Kinds = _NO_EXITS
    ends: bool = False


@dataclass
class Lowering:
    """Replaces exits by assignments to flags.

    Attributes:
        flags: the variables.
        kinds: which exits to replace; the others must not leave the block.
        set_flags: of which kinds to set the flags; an exit of another kind only skips what follows.
        tested: of which kinds a flag was tested.
    """

    flags: Flags
    kinds: Kinds
    set_flags: Kinds
    tested: set[str] = field(default_factory=set)

    def block(self, statements: Sequence[ast.stmt]) -> Lowered:
        """Lower a block."""
        out: list[ast.stmt] = []
        seen: Kinds = _NO_EXITS
        for number, statement in enumerate(statements):
            if isinstance(statement, ast.Raise):
                return Lowered([*out, statement], seen, True)
            kind = _KINDS.get(type(statement))
            if kind in self.kinds:
                assert kind is not None
                return Lowered([*out, *self._exit(statement, kind)], seen | {kind}, True)
            if not exits_of([statement]) & self.kinds:
                out.append(statement)
                continue
            found = self._compound(statement, statements[number + 1 :])
            return Lowered([*out, *found.statements], seen | found.may_exit, found.ends)
        return Lowered(out, seen, False)

    def _exit(self, statement: ast.stmt, kind: str) -> list[ast.stmt]:
        at = place(statement)
        found: list[ast.stmt] = []
        if isinstance(statement, ast.Return):
            value = statement.value or constant(None, at)
            found.append(assign(self.flags.value, value, at))
        if kind in self.set_flags:
            found.append(assign(self.flags.of(kind), constant(True, at), at))
        return found or [ast.Pass(**at)]

    def _compound(self, statement: ast.stmt, rest: Sequence[ast.stmt]) -> Lowered:
        if isinstance(statement, ast.If):
            return self._if(statement, rest)
        lower = self._loop if isinstance(statement, _LOOPS) else self._parts
        return self._before(lower(statement), rest)

    def _if(self, node: ast.If, rest: Sequence[ast.stmt]) -> Lowered:
        body_ends, orelse_ends = self._ends(node.body), self._ends(node.orelse)
        behind_body = rest if orelse_ends and not body_ends else ()
        behind_orelse = rest if body_ends and not orelse_ends else ()
        body = self.block([*node.body, *behind_body])
        orelse = self.block([*node.orelse, *behind_orelse])
        whole = replaced(node, body=body.statements or [ast.Pass(**place(node))])
        whole.orelse = orelse.statements
        lowered = Lowered([whole], body.may_exit | orelse.may_exit, body.ends and orelse.ends)
        return lowered if body_ends or orelse_ends else self._before(lowered, rest)

    def _ends(self, block: Sequence[ast.stmt]) -> bool:
        """Tell whether a block surely takes one of the exits, or raises.

        A ``with`` never surely does: it may swallow an exception.
        """
        for statement in block:
            if isinstance(statement, ast.Raise) or _KINDS.get(type(statement)) in self.kinds:
                return True
            if isinstance(statement, ast.If) and all(map(self._ends, blocks_of(statement))):
                return True
        return False

    def _parts(self, statement: ast.stmt) -> Lowered:
        """Lower ``with``, ``try`` or ``match``."""
        found: list[Lowered] = []

        def lowered(block: list[ast.stmt]) -> list[ast.stmt]:
            found.append(self.block(block))
            return found[-1].statements

        new: Any = replaced(statement)
        for name in ("body", "finalbody"):
            if getattr(statement, name, None):
                setattr(new, name, lowered(getattr(statement, name)))
        if isinstance(statement, ast.Try) and statement.orelse:
            body = found[0]
            otherwise = self._before(Lowered([], body.may_exit, body.ends), statement.orelse)
            new.orelse = otherwise.statements
            found.append(otherwise)
        for name in ("handlers", "cases"):
            if getattr(statement, name, None):
                parts = getattr(statement, name)
                setattr(new, name, [replaced(p, body=lowered(p.body)) for p in parts])
        return Lowered([new], frozenset[str]().union(*(f.may_exit for f in found)))

    def _loop(self, node: Any) -> Lowered:
        """Let ``return`` inside a loop leave the loop."""
        body = _returns_as_breaks(node.body, self.flags)
        orelse = self.block(node.orelse)
        whole = replaced(node, body=body, orelse=orelse.statements)
        return Lowered([whole], (exits_of(node.body) & {RETURN}) | orelse.may_exit)

    def _before(self, first: Lowered, rest: Sequence[ast.stmt]) -> Lowered:
        """Return a block followed by what runs unless it was left."""
        if first.ends or not rest:
            return first
        following = self.block(rest)
        at = place(rest[0])
        self.tested |= first.may_exit
        tested = [self.flags.of(kind) for kind in sorted(first.may_exit)]
        behind = guarded(tested, False, following.statements or [ast.Pass(**at)], at)
        return Lowered([*first.statements, behind], first.may_exit | following.may_exit)


def _returns_as_breaks(block: Sequence[ast.stmt], flags: Flags) -> list[ast.stmt]:
    """Return the body of a loop with each ``return`` replaced: note the value, and break."""
    found: list[ast.stmt] = []
    for statement in block:
        at = place(statement)
        if isinstance(statement, ast.Return):
            found.append(assign(flags.value, statement.value or constant(None, at), at))
            found.append(assign(flags.returned, constant(True, at), at))
            found.append(ast.Break(**at))
            return found
        if RETURN not in exits_of([statement]):
            found.append(statement)
            continue
        new: Any = replaced(statement)
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(statement, name, None), list):
                setattr(new, name, _returns_as_breaks(getattr(statement, name), flags))
        for name in ("handlers", "cases"):
            if hasattr(statement, name):
                parts = getattr(statement, name)
                bodies = [_returns_as_breaks(part.body, flags) for part in parts]
                setattr(new, name, [replaced(p, body=b) for p, b in zip(parts, bodies)])
        found.append(new)
        if isinstance(statement, _LOOPS):
            found.append(guarded([flags.returned], True, [ast.Break(**at)], at))
    return found


def with_flagged_breaks(block: Sequence[ast.stmt], flags: Flags) -> list[ast.stmt]:
    """Return the body of a loop in which each ``break`` of its own notes that it was taken."""
    found: list[ast.stmt] = []
    for statement in block:
        at = place(statement)
        if isinstance(statement, ast.Break):
            found.append(assign(flags.broke, constant(True, at), at))
        if BREAK not in exits_of([statement]) or isinstance(statement, ast.Break):
            found.append(statement)
            continue
        new: Any = replaced(statement)
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(statement, name, None), list):
                if name == "body" and isinstance(statement, _LOOPS):
                    continue
                setattr(new, name, with_flagged_breaks(getattr(statement, name), flags))
        for name in ("handlers", "cases"):
            if hasattr(statement, name):
                parts = getattr(statement, name)
                bodies = [with_flagged_breaks(part.body, flags) for part in parts]
                setattr(new, name, [replaced(p, body=b) for p, b in zip(parts, bodies)])
        found.append(new)
    return found


def without_exits(statements: Sequence[ast.stmt], flags: Flags, kinds: Kinds) -> Lowered:
    """Return a block in which all exits of the given kinds are assignments to flags.

    Flags that nothing in the block tests are set all the same, as something behind it may.
    """
    return Lowering(flags, kinds, kinds).block(statements)


def as_body(statements: Sequence[ast.stmt], flags: Flags, at: dict[str, int]) -> list[ast.stmt]:
    """Return statements as the body of a function that ends in one ``return`` of a value."""
    complete = [*statements, ast.Return(None, **at)]
    first = Lowering(flags, frozenset({RETURN}), frozenset({RETURN}))
    found = first.block(complete)
    head: list[ast.stmt] = []
    if first.tested:
        head.append(assign(flags.returned, constant(False, at), at))
    else:
        found = Lowering(flags, frozenset({RETURN}), _NO_EXITS).block(complete)
    return [*head, *found.statements, ast.Return(load(flags.value, at), **at)]
