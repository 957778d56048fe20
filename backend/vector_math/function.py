"""Definitions of vector math functions, and how one is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .builder import FORMATS, Builder, Value, type_suffix, type_text
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


def symbol_of(name: str, element: Element, lanes: int) -> str:
    """The symbol of a function, such as ``gd.sin.v8f64``."""
    return f"gd.{name}.{type_suffix(FORMATS[element].llvm, lanes)}"


def build(
    algorithm: Algorithm, element: Element, lanes: int, target: Target, attributes: str = ""
) -> MathFunction:
    """Emit ``algorithm`` for ``lanes`` elements; ``attributes`` are added to the definition."""
    builder = Builder(target, lanes, "wide" if algorithm.wide and element == "f32" else element)
    scalar = FORMATS[element].llvm
    operands = [Value(builder, scalar, lanes, f"%{name}") for name in "xy"[: algorithm.arity]]
    if builder.precision == "wide":
        result = algorithm.generate(builder, *(x.widened() for x in operands)).narrowed()
    else:
        result = algorithm.generate(builder, *operands)
    symbol = symbol_of(algorithm.name, element, lanes)
    text = _definition(symbol, operands, builder.lines, result, target, attributes)
    return MathFunction(symbol, text, tuple(builder.requires.values()))


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


def lane_by_lane(name: str, element: str, lanes: int, arity: int, target: Target) -> MathFunction:
    """A cold function that calls the C library's ``name`` for each lane in a loop.

    For one lane this is the declaration of the library function itself.
    """
    fmt = next(f for f in FORMATS.values() if f.llvm == element)
    symbol = name + fmt.libm_suffix
    signature = ", ".join([element] * arity)
    library = MathFunction(symbol, f"declare {element} @{symbol}({signature}) {PURE} cold\n")
    if lanes == 1:
        return library
    vector = type_text(element, lanes)
    parameters = [f"%{letter}" for letter in "xy"[:arity]]
    extracts = [f"  {p}.lane = extractelement {vector} {p}, i32 %lane" for p in parameters]
    arguments = ", ".join(f"{element} {p}.lane" for p in parameters)
    words = " ".join(filter(None, (PURE, "cold noinline", target.function_attributes)))
    each = f"gd.each.{symbol}.v{lanes}"
    text = "\n".join(
        [
            f"define internal {vector} @{each}"
            f"({', '.join(f'{vector} {p}' for p in parameters)}) {words} {{",
            "entry:",
            "  br label %loop",
            "loop:",
            "  %lane = phi i32 [ 0, %entry ], [ %next, %loop ]",
            f"  %so_far = phi {vector} [ zeroinitializer, %entry ], [ %result, %loop ]",
            *extracts,
            f"  %value = call {element} @{symbol}({arguments})",
            f"  %result = insertelement {vector} %so_far, {element} %value, i32 %lane",
            "  %next = add i32 %lane, 1",
            f"  %more = icmp ult i32 %next, {lanes}",
            "  br i1 %more, label %loop, label %end",
            "end:",
            f"  ret {vector} %result",
            "}",
        ]
    )
    return MathFunction(each, text + "\n", (library,))
