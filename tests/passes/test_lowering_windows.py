"""Reductions of windows and convolutions lowered to loops, against the reference interpreter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.array.window import Window
from gradatim.ir.builder import Builder
from gradatim.ir.kernel.schedule import Schedule
from gradatim.ir.types import shape_of
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.pipeline import Options, passes_to, run_passes, verify

from .differentiation import make
from .differentiation import run as interpret
from .lowered import check, run

RANDOM = np.random.default_rng(31)
DTYPES = [np.float32, np.float64, np.int32, np.int64, np.uint8]
PLAIN = Window(1, 1, 1, 0, 0)
WINDOWS = [
    ((), []),
    ((37,), [Window(3, 1, 1, 0, 0)]),
    ((37,), [Window(3, 1, 1, 1, 1)]),
    ((37,), [Window(4, 3, 2, 5, 4)]),
    ((37,), [Window(3, 2, 1, -2, -3)]),
    ((4,), [Window(9, 1, 1, 8, 8)]),
    ((4,), [Window(9, 1, 1, 2, 1)]),
    ((50,), [Window(40, 1, 1, 39, 0)]),
    ((5, 1), [Window(2, 1, 1, 1, 0), Window(3, 1, 1, 1, 1)]),
    ((6, 21), [Window(2, 2, 1, 0, 1), Window(3, 2, 1, 1, 1)]),
    ((9, 20), [Window(7, 1, 1, 3, 3), Window(7, 1, 1, 3, 3)]),
    ((2, 7, 6, 5), [PLAIN, Window(3, 2, 1, 1, 1), Window(3, 1, 1, 1, 1), PLAIN]),
    ((2, 7, 19, 1), [PLAIN, Window(2, 1, 1, 0, 1), Window(3, 1, 1, 1, 1), PLAIN]),
    ((4, 5, 6), [Window(2, 1, 1, 1, 1), Window(3, 1, 1, 1, 1), Window(4, 1, 1, 2, 2)]),
    ((0,), [Window(1, 1, 1, 2, 1)]),
    ((3, 0), [Window(2, 1, 1, 0, 0), PLAIN]),
    ((3,), [Window(9, 1, 1, 0, 0)]),
]


def draw(shape, dtype):
    return np.asarray(RANDOM.integers(1, 5, shape), dtype)


@pytest.mark.parametrize("vector", [1, 8])
@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
@pytest.mark.parametrize(("shape", "windows"), WINDOWS, ids=str)
def test_windows(shape, windows, kind, vector):
    x = RANDOM.random(shape) + 0.5
    check(lambda b, x: b.reduce_window(kind, x, windows), x, schedule=Schedule(vector=vector))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
def test_windows_of_every_dtype(kind, dtype):
    windows = [Window(2, 1, 1, 1, 0), Window(3, 2, 1, 1, 1)]
    check(lambda b, x: b.reduce_window(kind, x, windows), draw((5, 23), dtype))


@pytest.mark.parametrize("kind", ["min", "max"])
def test_nan_wins_in_its_windows(kind):
    x = RANDOM.random(29)
    x[[0, 7, 28]] = np.nan, np.nan, np.inf
    check(lambda b, x: b.reduce_window(kind, x, [Window(3, 1, 1, 1, 1)]), x)


CONVOLUTIONS = [
    ((2, 3), (3, 4), [], 1),
    ((19, 6), (3, 20), [], 2),
    ((2, 20, 3), (3, 3, 16), [Window(3, 1, 1, 0, 0)], 1),
    ((2, 20, 3), (3, 3, 5), [Window(3, 1, 1, 1, 1)], 1),
    ((1, 100, 1), (7, 1, 1), [Window(7, 1, 1, 6, 6)], 1),
    ((1, 100, 2), (3, 2, 3), [Window(3, 3, 2, 2, 1)], 1),
    ((2, 9, 4), (3, 4, 9), [Window(3, 1, 2, -2, -1)], 1),
    ((2, 9, 4), (3, 4, 9), [Window(3, 1, 1, -2, 3)], 1),
    ((2, 9, 2), (3, 2, 12), [Window(3, 2, 2, 4, 3, 3)], 1),
    ((2, 5, 2), (2, 2, 3), [Window(2, 1, 1, -3, -2, 2)], 1),
    ((1, 2, 2), (2, 2, 3), [Window(2, 1, 1, 9, -6, 2)], 1),
    ((2, 30, 24), (3, 1, 24), [Window(3, 1, 1, 1, 1)], 24),
    ((2, 11, 6), (3, 2, 3), [Window(3, 2, 1, 1, 1)], 3),
    ((2, 11, 24), (2, 2, 12), [Window(2, 1, 1, 0, 0)], 12),
    ((2, 11, 6), (3, 3, 20), [Window(3, 1, 1, 0, 1)], 2),
    ((2, 7, 18, 5), (3, 3, 5, 17), [Window(3, 1, 1, 1, 1)] * 2, 1),
    ((2, 9, 8, 20), (2, 3, 20, 4), [Window(2, 2, 1, 0, 1), Window(3, 1, 2, 3, 0)], 1),
    ((1, 6, 40, 1), (5, 5, 1, 1), [Window(5, 1, 1, 2, 2)] * 2, 1),
    ((2, 40, 30, 8), (3, 3, 8, 5), [Window(3, 1, 1, 1, 1)] * 2, 1),  # its copy is on the heap
    ((1, 4, 5, 6, 2), (2, 3, 2, 2, 9), [Window(n, 1, 1, 1, 0) for n in (2, 3, 2)], 1),
    ((0, 4, 2), (2, 2, 3), [Window(2, 1, 1, 0, 0)], 1),
    ((2, 4, 0), (2, 0, 3), [Window(2, 1, 1, 1, 0)], 1),
    ((2, 4, 2), (2, 2, 0), [Window(2, 1, 1, 0, 0)], 1),
    ((2, 0, 2), (2, 2, 3), [Window(2, 1, 1, 2, 1)], 1),
    ((2, 3, 2), (5, 2, 3), [Window(5, 1, 1, 0, 0)], 1),
]


@pytest.mark.parametrize("vector", [1, 8])
@pytest.mark.parametrize(("left", "right", "windows", "groups"), CONVOLUTIONS, ids=str)
def test_convolutions(left, right, windows, groups, vector):
    check(
        lambda b, x, w: b.convolution(x, w, windows, groups),
        RANDOM.random(left) - 0.5,
        RANDOM.random(right) - 0.5,
        schedule=Schedule(vector=vector),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_convolutions_of_every_dtype(dtype):
    x, w = draw((2, 6, 20, 3), dtype), draw((3, 2, 3, 18), dtype)
    windows = [Window(3, 1, 1, 1, 1), Window(2, 2, 1, 1, 0)]
    check(lambda b, x, w: b.convolution(x, w, windows), x, w)


def test_one_operand_on_both_sides():
    x = RANDOM.random((3, 3, 3))
    check(lambda b, x: b.convolution(x, x, [Window(3, 1, 1, 2, 2)]), x)


def network(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
    """Return the largest of each two by two features, and the sums of neighbours among them."""
    y = b.tanh(b.convolution(x, w, [Window(3, 1, 1, 1, 1)] * 2))
    pool = Window(2, 2, 1, 0, 0)
    y = b.reduce_window("max", y, [PLAIN, pool, pool, PLAIN])
    return b.reduce_window("add", y, [PLAIN, Window(3, 1, 1, 1, 1), Window(2, 1, 1, 1, 0), PLAIN])


def _gradients(function: FuncOp) -> FuncOp:
    return vjp(function, (0, 1))


TRANSFORMATIONS: dict[str, Callable[[FuncOp], FuncOp]] = {
    "none": lambda function: function,
    "gradients": _gradients,
    "gradients of gradients": lambda function: vjp(_gradients(function), (0, 1, 2)),
    "batch of inputs": lambda function: vmap(function, 3, [0, -1]),
    "batch of kernels": lambda function: vmap(function, 3, [-1, 0]),
    "batch of gradients": lambda function: vmap(_gradients(function), 3, [1, 0, 2]),
    "gradients of a batch": lambda function: _gradients(vmap(function, 3)),
}


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_network_through_all_passes(name: str):
    examples = [np.empty((2, 7, 6, 3)), np.empty((3, 3, 3, 8))]
    function = TRANSFORMATIONS[name](make(network, *examples))
    arguments = [RANDOM.random(shape_of(v)) - 0.5 for v in function.body.block.args]
    expected = interpret(function, *arguments)
    module = ModuleOp([function])
    run_passes(module, passes_to("loop", Options(vector_bits=256)), [verify])
    for found, want in zip(run(module, arguments, expected), expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-12)


def test_complex_convolutions_and_windows_through_all_passes():
    x, w = (RANDOM.random((2, *n)) - 0.5 for n in ((2, 9, 4), (3, 2, 6)))
    x, w = x[0] + 1j * x[1], w[0] + 1j * w[1]

    def build(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        y = b.convolution(x, w, [Window(3, 2, 1, 1, 1)], 2)
        return b.reduce_window("mul", y, [PLAIN, Window(3, 1, 1, 1, 0), PLAIN])

    (expected,) = interpret(make(build, x, w), x, w)
    module = ModuleOp([make(build, x, w)])
    run_passes(module, passes_to("loop", Options(vector_bits=256)), [verify])
    parts = [np.stack([a.real, a.imag], -1) for a in (x, w, expected)]
    (found,) = run(module, parts[:2], parts[2:])
    np.testing.assert_allclose(found, parts[2], rtol=1e-12, atol=1e-13)
