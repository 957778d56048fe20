"""Mathematical functions on vectors, as LLVM IR text.

The functions of the C library work on one number at a time. These work on vectors of any
width without branches (but a rare one), and are text, so that a program's module holds
just those it calls, for just the processor it runs on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import exponential, hyperbolic, logarithm, root, trigonometric
from .function import Algorithm, Element, MathFunction, build, symbol_of
from .target import Target

__all__ = [
    "FUNCTIONS",
    "Algorithm",
    "Element",
    "MathFunction",
    "Target",
    "definition",
    "definitions",
    "symbol_of",
]


def _ulp(f32: float, f64: float) -> dict[str, float]:
    return {"f32": f32, "f64": f64}


# Every function by name, with the largest error measured over dense samples, rounded up.
FUNCTIONS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("sin", trigonometric.sin, _ulp(2.0, 2.0)),
        Algorithm("cos", trigonometric.cos, _ulp(2.0, 2.0)),
        Algorithm("tan", trigonometric.tan, _ulp(1.0, 2.0), wide=True),
        Algorithm("exp", exponential.exp, _ulp(1.5, 1.5)),
        Algorithm("expm1", exponential.expm1, _ulp(2.0, 2.0)),
        Algorithm("log", logarithm.log, _ulp(1.0, 1.0)),
        Algorithm("log2", logarithm.log2, _ulp(1.0, 1.0)),
        Algorithm("log10", logarithm.log10, _ulp(1.0, 1.0)),
        Algorithm("log1p", logarithm.log1p, _ulp(1.5, 1.5)),
        Algorithm("sqrt", root.sqrt, _ulp(0.5, 0.5)),
        Algorithm("rsqrt", root.rsqrt, _ulp(1.5, 1.5)),
        Algorithm("tanh", hyperbolic.tanh, _ulp(2.0, 2.0)),
    )
}


def definition(
    name: str, element: Element, lanes: int, target: Target, attributes: str = ""
) -> MathFunction:
    """The function ``name`` on ``lanes`` elements, a scalar for one lane.

    ``lanes`` is a power of two up to 64; vectors wider than a register are split by LLVM.
    ``attributes`` are added to the definition, such as ``noinline`` or ``alwaysinline``.
    """
    return build(FUNCTIONS[name], element, lanes, target, attributes)


def definitions(
    requests: Iterable[tuple[str, Element, int]], target: Target, attributes: str = ""
) -> str:
    """The text of all requested functions and of what they need, each once."""
    found: dict[str, str] = {}
    for name, element, lanes in requests:
        for function in _with_requirements(definition(name, element, lanes, target, attributes)):
            found.setdefault(function.symbol, function.text)
    return "\n".join(found.values())


def _with_requirements(function: MathFunction) -> Iterator[MathFunction]:
    yield function
    for required in function.requires:
        yield from _with_requirements(required)
