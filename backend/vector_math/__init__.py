"""Mathematical functions on vectors, as LLVM IR text.

The functions of the C library work on one number at a time. These work on vectors of any
width without branches (but a rare one), and are text, so that a program's module holds
just those it calls, for just the processor it runs on.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from functools import cache

from . import (
    exponential,
    gamma,
    hyperbolic,
    inverse_trigonometric,
    logarithm,
    power,
    remainder,
    root,
    special,
    trigonometric,
)
from .function import Algorithm, Element, MathFunction, build, symbol_of
from .target import Target

__all__ = [
    "FUNCTIONS",
    "Algorithm",
    "Element",
    "MathFunction",
    "Request",
    "Target",
    "definition",
    "definitions",
    "symbol_of",
]


_GROUPS = (
    exponential,
    logarithm,
    power,
    root,
    trigonometric,
    inverse_trigonometric,
    hyperbolic,
    special,
    gamma,
    remainder,
)

# Every function by name.
FUNCTIONS: dict[str, Algorithm] = {
    algorithm.name: algorithm for group in _GROUPS for algorithm in group.ALGORITHMS
}


# Name, element and lanes of a function.
Request = tuple[str, Element, int]

WIDTHS = (1, 2, 4, 8, 16, 32, 64)


@cache
def definition(
    name: str, element: Element, lanes: int, target: Target, attributes: str = ""
) -> MathFunction:
    """The function ``name`` on ``lanes`` elements, a scalar for one lane.

    ``lanes`` is a power of two up to 64; vectors wider than a register are split by LLVM.
    ``attributes`` are added to the definition, such as ``noinline`` or ``alwaysinline``.

    Raises:
        KeyError: if there is no function of that name.
        ValueError: if ``lanes`` is none of the widths above.
    """
    if lanes not in WIDTHS:
        raise ValueError(f"a vector of {lanes} elements; its width is a power of two up to 64")
    return build(FUNCTIONS[name], element, lanes, target, attributes)


def definitions(
    requests: Iterable[Request], target: Target, inlined: Container[Request] = ()
) -> str:
    """The text of all requested functions and of what they need, each once.

    Those in ``inlined`` are marked ``alwaysinline``. Inlined into a loop a function keeps its
    constants in registers, which makes short ones up to a quarter faster; compilation takes
    as long as for a function with one call, and grows with every further call site.
    """
    found: dict[str, str] = {}
    for request in requests:
        attributes = "alwaysinline" if request in inlined else ""
        for function in _with_requirements(definition(*request, target, attributes)):
            found.setdefault(function.symbol, function.text)
    return "\n".join(found.values())


def _with_requirements(function: MathFunction) -> Iterator[MathFunction]:
    yield function
    for required in function.requires:
        yield from _with_requirements(required)
