"""Definitions of vector math functions, and how one is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .builder import Builder, Value, type_suffix
from .formats import F32, FORMATS
from .target import Target

Element = Literal["f32", "f64"]

# No error state, no memory: what a caller may reorder, repeat or drop.
PURE = "nounwind willreturn memory(none)"


@dataclass(frozen=True)
class MathFunction:
    """The LLVM IR of one function, and the functions it calls.

    ``symbol`` is its name without ``@``, ``text`` its definition (or the declaration of a
    function of the C library), ``requires`` what a module must hold besides.
    """

    symbol: str
    text: str
    requires: tuple[MathFunction, ...] = ()


@dataclass(frozen=True)
class Algorithm:
    """How a function is computed, and what is promised of it.

    ``generate`` emits the body for one or two operands. ``max_ulp`` holds the largest
    error in units in the last place by element type, where ``notes`` makes no exception.
    With ``wide`` the result in f32 is computed in f64 by shorter polynomials.
    """

    name: str
    generate: Callable[..., Value]
    max_ulp: dict[str, float]
    arity: int = 1
    wide: bool = False
    notes: str = ""


def ulp(f32: float, f64: float) -> dict[str, float]:
    """The largest errors by element type."""
    return {"f32": f32, "f64": f64}


def symbol_of(name: str, element: Element, lanes: int) -> str:
    """The symbol of a function, such as ``gd.sin.f64`` or, for several lanes, ``gd.sin.v8f64``."""
    return f"gd.{name}.{type_suffix(FORMATS[element].llvm, lanes)}"


def build(
    algorithm: Algorithm, element: Element, lanes: int, target: Target, attributes: str = ""
) -> MathFunction:
    """Emit ``algorithm`` for ``lanes`` elements; ``attributes`` are added to the definition."""
    precision = "wide" if algorithm.wide and element == "f32" else element
    builder = Builder(target, lanes, precision)
    scalar = FORMATS[element].llvm
    operands = [Value(builder, scalar, lanes, f"%{name}") for name in "xy"[: algorithm.arity]]
    if builder.precision == "wide":
        result = algorithm.generate(builder, *(x.widened() for x in operands)).narrowed()
    else:
        result = algorithm.generate(builder, *operands)
    symbol = symbol_of(algorithm.name, element, lanes)
    text = _definition(symbol, operands, builder.lines, result, target, attributes)
    return MathFunction(symbol, text, tuple(builder.requires.values()))


def call(b: Builder, algorithm: Algorithm, *operands: Value) -> Value:
    """Call another math function, on the operands' type, from the one under construction."""
    element: Element = "f32" if operands[0].format is F32 else "f64"
    return b.call(build(algorithm, element, b.lanes, b.target), *operands)


def _definition(
    symbol: str,
    parameters: list[Value],
    lines: list[str],
    result: Value,
    target: Target,
    attributes: str,
) -> str:
    signature = ", ".join(f"{p.type} {p.text}" for p in parameters)
    words = " ".join(filter(None, (PURE, attributes, target.function_attributes)))
    head = f"define internal {result.type} @{symbol}({signature}) {words} {{\nentry:"
    return "\n".join([head, *lines, f"  ret {result.type} {result.text}", "}"]) + "\n"
