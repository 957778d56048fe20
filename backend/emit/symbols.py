"""What the functions of one module refer to by name: each other, vector math, and libraries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .. import vector_math
from .types import ValueType

ENTRY = "gd.main"
"""The symbol of a program's C entry: pointers to arguments, then to results; returns 0."""


class ModuleSymbols:
    """Collects what the functions of one module call.

    Attributes:
        entry: the function that becomes the program's C entry.
        outlined: definitions of functions that the emitter split off from others.
        declarations: declarations of functions that are resolved at link time, by symbol.
        definitions: what emitters define beside functions of the program, by symbol.
        vector_math_calls: how often each vector math function is called.
    """

    def __init__(self, entry: str) -> None:
        self.entry = entry
        self.outlined: list[str] = []
        self.declarations: dict[str, str] = {}
        self.definitions: dict[str, str] = {}
        self.vector_math_calls: Counter[tuple[str, vector_math.Element, int]] = Counter()

    def declare(self, symbol: str, result: str, arguments: Sequence[str]) -> None:
        """Declare a function that is resolved at link time."""
        self.declarations.setdefault(symbol, f"declare {result} @{symbol}({', '.join(arguments)})")

    def define(self, symbol: str, text: str) -> None:
        """Define a symbol of the module, if it is not yet."""
        self.definitions.setdefault(symbol, text)

    def outline(self, parameters: str, lines: Sequence[str]) -> str:
        """Define an internal function of the given body, and return its symbol."""
        symbol = f"gd.outlined.{len(self.outlined)}"
        head = f"define internal void @{symbol}({parameters}) #0 {{\nentry:"
        self.outlined.append("\n".join((head, *lines, "}")))
        return symbol

    def vector_math(self, name: str, type_: ValueType) -> str:
        """Return the symbol of a vector math function on values of the given type, to be called."""
        element: vector_math.Element = "f32" if type_.scalar.text == "float" else "f64"
        call = (name, element, max(type_.lanes, 1))
        self.vector_math_calls[call] += 1
        return vector_math.symbol_of(*call)

    def symbol_of(self, name: str) -> str:
        """Return the LLVM symbol of a function of the module."""
        return ENTRY if name == self.entry else name
