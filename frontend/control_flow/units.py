"""Rewritten source as code: functions that share their variables with the user's function.

A `Unit` is what one compilation gives. A `Site` is a statement of the user's in a unit whose bodies
become functions of their own, compiled when they are first needed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from types import CellType, CodeType, FunctionType
from typing import Any

from .names import Scope, mentioned
from .need import OUR_CODE
from .syntax import (
    CALL,
    PRIVATE,
    RUNTIME,
    SITES,
    TRACER,
    TYPE,
    Place,
    function,
    place,
    without_type_parameters,
)

_FACTORY = "@factory"
_SHARED = (RUNTIME, CALL, TRACER, TYPE, SITES)

Cells = Mapping[str, CellType]

RUNTIME_CELLS: dict[str, CellType] = {}
"""What the names of `syntax` that rewritten source uses stand for; filled by `conversion`."""


@dataclass(frozen=True)
class Origin:
    """Where source comes from.

    Attributes:
        file: its name.
        qualname: of the function in it that is converted.
        class_name: the class that the function is defined in, by which private names are known.
        compiler_flags: what ``from __future__ import`` says in the file.
        numbers: gives the numbers of names that only the rewritten source uses.
    """

    file: str
    qualname: str
    class_name: str | None
    compiler_flags: int
    numbers: count[int] = field(default_factory=count, compare=False)


class Unit:
    """One compilation: code by name, and the sites that the code refers to."""

    def __init__(
        self, origin: Origin, definitions: Sequence[ast.stmt], free: Iterable[str], sites: list[Any]
    ) -> None:
        """Compile function definitions whose free variables are given.

        Raises:
            SyntaxError: if they cannot be compiled.
        """
        module = _module(origin, definitions, free)
        compiled = compile(
            module, origin.file, "exec", flags=origin.compiler_flags, dont_inherit=True
        )
        self._codes = {
            code.co_name: _renamed(code, code.co_qualname, origin.qualname)
            for code in _inner(compiled, 3 if origin.class_name else 2)
        }
        self._sites = CellType(sites)

    def remember(self) -> None:
        """Note that the functions of this unit are not to be converted again."""
        for code in self._codes.values():
            remember(code)

    def code(self, name: str) -> CodeType:
        """Return the code of a definition."""
        return self._codes[name]

    def function(self, name: str, module: dict[str, Any], cells: Cells) -> FunctionType:
        """Return a definition as a function.

        Args:
            name: of the definition.
            module: the global variables.
            cells: where the free variables live; those that are missing get cells of their own.
        """
        code = self._codes[name]
        return FunctionType(code, module, code.co_name, None, self.closure(code, cells))

    def closure(self, code: CodeType, cells: Cells) -> tuple[CellType, ...]:
        """Return the cells of a code's free variables."""
        own = {SITES: self._sites}
        found = []
        for name in code.co_freevars:
            cell = RUNTIME_CELLS.get(name) or own.get(name) or cells.get(name)
            found.append(cell if cell is not None else CellType())
        return tuple(found)


def _module(origin: Origin, definitions: Sequence[ast.stmt], free: Iterable[str]) -> ast.Module:
    at = place(definitions[0])
    inner = list(definitions)
    names = {*_SHARED, *free}
    if origin.class_name:
        holder = ast.ClassDef(origin.class_name, [], [], inner, [], **at)
        inner = [without_type_parameters(holder)]
        if origin.class_name not in names:  # its methods know the class as a global variable
            inner.insert(0, ast.Global([origin.class_name], **at))
    factory = function(_FACTORY, sorted(names), inner, at)
    return ast.Module([factory], [])


def _inner(code: CodeType, levels: int) -> list[CodeType]:
    """Return the code objects some levels below."""
    found = [code]
    for _ in range(levels):
        found = [c for outer in found for c in outer.co_consts if isinstance(c, CodeType)]
    return found


def _renamed(code: CodeType, old: str, new: str) -> CodeType:
    """Return a code object, and those in it, with another beginning of their qualified names."""
    constants = tuple(
        [_renamed(c, old, new) if isinstance(c, CodeType) else c for c in code.co_consts]
    )
    qualname = code.co_qualname
    if qualname.startswith(old):
        qualname = new + qualname[len(old) :]
    name = code.co_name
    if name.startswith(PRIVATE):
        name = new.rpartition(".")[2]
    return code.replace(co_consts=constants, co_qualname=qualname, co_name=name)


def remember(code: CodeType) -> None:
    """Note that a code object, and those in it, are converted already."""
    OUR_CODE[id(code)] = code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            remember(constant)


Definitions = Callable[["Site", list[Any]], list[ast.stmt]]
"""Gives the rewritten functions of a site, and appends to a list the sites in them."""


class Site:
    """A statement of the user's, with functions for its parts.

    Attributes:
        origin: where it comes from.
        node: the statement.
        scope: the variables that it sees.
        assigned: those of them that it may bind, in order.
        local: the names of flags that belong to the statement alone.
        details: what else the functions that run it want to know.
    """

    def __init__(
        self,
        origin: Origin,
        nodes: Sequence[ast.stmt],
        scope: Scope,
        assigned: Iterable[str],
        define: Definitions,
        local: Sequence[str] = (),
        details: Any = None,
    ) -> None:
        self.origin = origin
        self.nodes = nodes
        self.scope = scope
        self.assigned = tuple(sorted(assigned))
        self.local = tuple(local)
        self.details = details
        self._define = define

    def __repr__(self) -> str:
        return f"<{type(self.nodes[0]).__name__} at {self.where}>"

    @property
    def where(self) -> str:
        """The place of the statement, ``file:line``."""
        return f"{self.origin.file}:{self.nodes[0].lineno}"

    @property
    def at(self) -> Place:
        """The place of the statement, for nodes."""
        return place(self.nodes[0])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The variables that the statement mentions."""
        return tuple(sorted(mentioned(self.nodes) & self.scope.visible))

    @cached_property
    def module_names(self) -> tuple[str, ...]:
        """The names of global variables, or builtins, that the statement mentions."""
        return tuple(sorted(mentioned(self.nodes) - self.scope.visible))

    @cached_property
    def unit(self) -> Unit:
        """The compiled parts."""
        sites: list[Any] = []
        definitions = self._define(self, sites)
        unit = Unit(self.origin, definitions, {*self.scope.visible, *self.local}, sites)
        unit.remember()
        return unit

    def function(self, name: str, module: dict[str, Any], cells: Cells) -> FunctionType:
        """Return a part of the statement as a function."""
        return self.unit.function(name, module, cells)
