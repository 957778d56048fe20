"""What the tests of autodiff share: making functions, running them, and checking derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import source_location
from gradatim.ir.types import tensor_type
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp

Arrays = list[np.ndarray]
Body = Callable[..., "SSAValue | Sequence[SSAValue]"]

_interpreter = Interpreter(ModuleOp([]))


def make(body: Body, *examples: np.ndarray) -> FuncOp:
    """Make a function of the examples' types: ``body(builder, *arguments)`` gives its results."""
    types = [tensor_type(np.shape(a), np.asarray(a).dtype) for a in examples]
    function = FunctionBuilder("f", types, location=source_location("user.py", 1, 1, "f"))
    builder: Builder = function.builder
    builder.location = source_location("user.py", 7, 3, "f")
    results = body(builder, *function.arguments)
    return function.finish([results] if isinstance(results, SSAValue) else list(results))


def run(function: FuncOp, *arguments: np.ndarray) -> Arrays:
    """Run a function without calls by the reference interpreter."""
    check_function(function)
    with np.errstate(all="ignore"):
        return _interpreter.run_function(function, [np.asarray(a) for a in arguments])


def gradients(body: Body, *arguments: np.ndarray, cotangent: float = 1.0) -> Arrays:
    """Return the gradients of a body of one result by all arguments, summed over its elements."""
    function = make(body, *arguments)
    reverse = vjp(function, range(len(arguments)), value=False)
    types = reverse.function_type.inputs.data[-1:]
    seed = np.full(types[0].get_shape(), cotangent, arguments[0].dtype)  # type: ignore[attr-defined]
    return run(reverse, *arguments, seed)


def random_like(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Return random numbers of the array's shape and dtype."""
    parts = rng.uniform(-1, 1, (2, *array.shape))
    value = parts[0] + 1j * parts[1] if array.dtype.kind == "c" else parts[0]
    return np.asarray(value, array.dtype)


def is_inexact(array: np.ndarray) -> bool:
    return array.dtype.kind in "fc"


def pairing(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> float:
    """Return the sum of the real parts of products, which vjp and jvp leave the same."""
    return float(sum(np.sum(np.real(a * b)) for a, b in zip(left, right, strict=True)))


def directional(function: FuncOp, arguments: Arrays, tangents: Arrays) -> Arrays:
    """Return the derivative along the tangents by central differences, extrapolated once.

    Richardson's extrapolation of steps h and h/2 leaves an error of order h^4.
    """
    inexact = [i for i, a in enumerate(arguments) if is_inexact(a)]

    def quotient(step: float) -> Arrays:
        sides = []
        for h in (step, -step):
            moved = list(arguments)
            for i, t in zip(inexact, tangents, strict=True):
                moved[i] = arguments[i] + h * t
            sides.append([y for y in run(function, *moved) if is_inexact(y)])
        return [(a - b) / (2 * step) for a, b in zip(*sides)]

    step = 2e-3
    return [(4 * fine - coarse) / 3 for fine, coarse in zip(quotient(step / 2), quotient(step))]


def check_derivatives(
    function: FuncOp, arguments: Arrays, *, order: int = 1, tolerance: float = 1e-7, seed: int = 0
) -> None:
    """Check jvp against finite differences and vjp against jvp.

    For a higher order, the jvp and the vjp are functions to be checked in the same way.
    """
    rng = np.random.default_rng(seed)
    argnums = [i for i, a in enumerate(arguments) if is_inexact(a)]
    tangents = [random_like(rng, arguments[i]) for i in argnums]
    values = run(function, *arguments)
    outputs = [y for y in values if is_inexact(y)]
    cotangents = [random_like(rng, y) for y in outputs]

    forward = jvp(function, argnums)
    found = run(forward, *arguments, *tangents)
    expected = directional(function, arguments, tangents)
    for value, primal in zip(values, found):
        np.testing.assert_allclose(primal, value, rtol=1e-12)
    for tangent, difference in zip(found[len(values) :], expected, strict=True):
        scale = 1 + np.max(np.abs(difference), initial=0)
        np.testing.assert_allclose(tangent, difference, rtol=0, atol=tolerance * scale)

    reverse = vjp(function, argnums)
    found_back = run(reverse, *arguments, *cotangents)
    left = pairing(cotangents, found[len(values) :])
    right = pairing(found_back[len(values) :], tangents)
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)

    if order > 1:
        check_derivatives(
            forward, [*arguments, *tangents], order=order - 1, tolerance=10 * tolerance
        )
        check_derivatives(
            reverse, [*arguments, *cotangents], order=order - 1, tolerance=10 * tolerance
        )
