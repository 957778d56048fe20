"""Complex numbers as pairs of real ones, against the reference interpreter on complex arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array.window import Window
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.split_complex.rules import RULES
from gradatim.passes.split_complex.split_complex import ArraySplitComplex

RANDOM = np.random.default_rng(7)
DTYPES = [np.complex64, np.complex128]
TOLERANCE = {np.dtype(np.complex64): 2e-6, np.dtype(np.complex128): 4e-15}


def draw(shape, dtype=np.complex128):
    return (RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)).astype(dtype)


def stored(array: np.ndarray) -> np.ndarray:
    """An array as it lies in memory, without complex numbers."""
    if array.dtype.kind != "c":
        return array
    part = np.dtype(f"f{array.dtype.itemsize // 2}")
    return np.ascontiguousarray(array).reshape(array.shape or 1).view(part).reshape(*array.shape, 2)


def check(build: Callable, *arrays, tolerance: float = 1.0) -> None:
    types = [tensor_type(a.shape, a.dtype) for a in arrays]
    function = FunctionBuilder("f", types)
    results = build(function.builder, *function.arguments)
    module = ModuleOp([function.finish(results if isinstance(results, list) else [results])])
    expected = Interpreter(module).call("f", *arrays)
    ArraySplitComplex().apply(None, module)
    module.verify()
    found = Interpreter(module).call("f", *map(stored, arrays))
    for want, got in zip(expected, found, strict=True):
        kind = np.dtype(f"c{want.dtype.itemsize * 2}") if want.dtype.kind == "f" else want.dtype
        bound = tolerance * TOLERANCE.get(kind, 0)
        scale = np.max(np.abs(want), initial=1, where=np.isfinite(want))
        np.testing.assert_allclose(got, stored(want), rtol=bound, atol=bound * scale)


UNARY = (
    *("neg", "conj", "sign", "real", "imag", "abs", "sqrt", "rsqrt", "exp", "exp2", "expm1"),
    *("log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    for z in (draw(50, dtype), draw(50, dtype) * 1e-3, draw(50, dtype) * 6, draw((), dtype)):
        check(lambda b, z: getattr(b, name)(z), z, tolerance=8)


@pytest.mark.parametrize("name", ["sqrt", "log", "asin", "acos", "atan", "asinh", "acosh", "atanh"])
def test_both_sides_of_branch_cuts(name):
    x = np.array([-3.0, -1.5, -0.5, 0.5, 1.5, 3.0])
    above, below = np.empty((2, 6), complex)
    above.real = below.real = x
    above.imag, below.imag = 0.0, -0.0
    for z in (above, below, above * 1j, below * 1j):
        check(lambda b, z: getattr(b, name)(z), z, tolerance=8)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
def test_binary(name, dtype):
    for scale in (1, 1e-2, 30):
        z, w = draw(50, dtype) * dtype(scale), draw(50, dtype)
        check(lambda b, z, w: getattr(b, name)(z, w), z, w, tolerance=20)


def test_division_neither_overflows_nor_underflows():
    z, w = draw(20) * 1e300, draw(20) * 1e300
    check(lambda b, z, w: b.div(z, w), z, w)
    check(lambda b, z, w: b.div(z, w), z * 1e-280 * 1e-300, w * 1e-280 * 1e-300)
    check(lambda b, z: b.abs(z), z)


def test_powers_of_zero():
    z, w = np.array([0, 0, 1 + 1j, 0]), np.array([2, 0, 0, 0.5 + 1j])
    check(lambda b, z, w: b.pow(z, w), z, w)


@pytest.mark.parametrize("predicate", ["eq", "ne"])
def test_comparison_and_choice(predicate):
    z = draw(20)
    w = np.where(RANDOM.random(20) < 0.5, z, draw(20))

    def build(b, z, w):
        condition = b.compare(predicate, z, w)
        return [condition, b.select(condition, z, b.neg(w))]

    check(build, z, w)


@pytest.mark.parametrize("target", [np.complex64, np.float64, np.int32, np.bool_])
def test_convert(target):
    z = np.concatenate([draw(9) * 5, [0]])
    check(lambda b, z: b.convert(z, np.dtype(target)), z)
    check(lambda b, x: b.convert(x, np.dtype(np.complex128)), RANDOM.random(9).astype(np.float32))


WINDOWS = [Window(2, 2, 1, 1, 0), Window(3, 1, 1, 1, 1)]

STRUCTURE = {
    "broadcast": lambda b, z: b.broadcast(z, (5, 3, 4), [1, 2]),
    "reshape": lambda b, z: b.reshape(z, (2, 6)),
    "transpose": lambda b, z: b.transpose(z, [1, 0]),
    "slice": lambda b, z: b.slice(z, [0, 1], [3, 4], [2, 2]),
    "pad": lambda b, z: b.pad(z, b.full((), np.dtype(complex), 1 - 2j), [1, 0], [-1, 2], [0, 1]),
    "concatenate": lambda b, z: b.concatenate([z, b.conj(z)], 1),
    "reverse": lambda b, z: b.reverse(z, [0]),
    "constant": lambda b, z: b.add(z, b.constant(np.arange(12).reshape(3, 4) * 1j)),
    "iota": lambda b, z: b.mul(z, b.iota((3, 4), np.dtype(complex), 1)),
    "sum": lambda b, z: b.reduce("add", z, [0]),
    "product": lambda b, z: b.reduce("mul", z, [0, 1]),
    "cumulative sum": lambda b, z: b.cumulative("add", z, 1, reverse=True),
    "cumulative product": lambda b, z: b.cumulative("mul", z, 1),
    "reversed cumulative product": lambda b, z: b.cumulative("mul", z, 0, reverse=True),
    "window sum": lambda b, z: b.reduce_window("add", z, WINDOWS),
    "window product": lambda b, z: b.reduce_window("mul", z, WINDOWS),
    "product of no windows": lambda b, z: b.reduce_window("mul", z, [Window(9, 1, 1, 0, 0)] * 2),
    "real window product": lambda b, z: b.reduce_window(
        "mul", b.convert(b.real(z), np.dtype(complex)), WINDOWS
    ),
    "convolution": lambda b, z: b.convolution(
        b.reshape(z, (3, 4, 1)), b.reshape(z, (3, 1, 4)), [Window(3, 1, 1, 1, 1)]
    ),
    "complex": lambda b, z: b.complex(b.imag(z), b.real(z)),
    "product of matrices": lambda b, z: b.dot_general(z, z, contract=((0,), (0,))),
    "real times complex": lambda b, z: b.mul(b.convert(b.real(z), np.dtype(complex)), z),
}


STRUCTURE |= {
    "sort": lambda b, z: [*b.sort([z], 1)],
    "sort together": lambda b, z: [*b.sort([b.real(z), z, b.conj(z)], 0, 2)],
    "sort by real numbers": lambda b, z: [
        *b.sort([b.convert(b.round_even(b.real(z)), np.dtype(complex)), z], 1, 2)
    ],
}


def _at(b, *numbers):
    return [b.constant(np.asarray(number, np.int64)) for number in numbers]


STRUCTURE |= {
    "dynamic slice": lambda b, z: b.dynamic_slice(z, _at(b, 1, 7), (2, 2)),
    "dynamic update": lambda b, z: b.dynamic_update_slice(
        z, b.conj(b.slice(z, [0, 0], [2, 2])), _at(b, 1, 1)
    ),
    "gather": lambda b, z: b.gather(z, _at(b, [3, 0, 3, -1]), [1]),
    **{
        f"scatter {kind} {positions}": lambda b, z, kind=kind, positions=positions: b.scatter(
            kind, z, b.conj(b.slice(z, [0, 0], [3, 4])), _at(b, positions), [0]
        )
        for kind in ("set", "add", "mul")
        for positions in ([2, 0, 2], [1, 9, 1])
    },
    "scatter mul to distinct positions": lambda b, z: b.scatter(
        "mul", z, z, _at(b, [2, 0, 1]), [0], unique=True
    ),
    "scatter mul of real numbers": lambda b, z: b.scatter(
        "mul",
        b.convert(b.real(z), np.dtype(complex)),
        b.convert(b.imag(z), np.dtype(complex)),
        _at(b, [2, 0, 2]),
        [0],
    ),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_structure(name):
    check(STRUCTURE[name], draw((3, 4)), tolerance=4)


def test_sort_of_nan():
    """NumPy's order: numbers, then those of a NaN imaginary part, real part, both."""
    parts = [0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan]
    numbers = np.array([complex(x, y) for x in parts for y in parts])
    z = np.random.default_rng(0).permutation(np.tile(numbers, 3))
    check(lambda b, z: [*b.sort([z, b.iota(shape_of(z), np.dtype(np.int32), 0)], 0, 1)], z)


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_empty(shape):
    last = len(shape) - 1
    check(lambda b, z: [b.exp(z), b.reduce("mul", z, [last])], np.zeros(shape, complex))


def test_real_functions_are_left_alone():
    function = FunctionBuilder("f", [tensor_type((3,), np.dtype(float))])
    module = ModuleOp([function.finish([function.builder.sin(function.arguments[0])])])
    before = str(module)
    ArraySplitComplex().apply(None, module)
    assert str(module) == before


def test_every_op_on_complex_values_has_a_rule():
    """Found by asking each op's shape rule whether it takes complex operands.

    Batching leaves no ops between lanes.
    """
    families = [ops for name, ops in OPS_BY_FAMILY.items() if name != "collective"]
    ops = [op for family in families for op in family]
    assert [op.name for op in ops if "c" in op.KINDS and op not in RULES] == []


def test_dead_parts_are_dropped():
    function = FunctionBuilder("f", [tensor_type((3,), np.dtype(complex))])
    b, z = function.builder, function.arguments[0]
    module = ModuleOp([function.finish([b.real(b.add(z, z))])])
    ArraySplitComplex().apply(None, module)
    (split,) = module.body.block.ops
    names = [op.name for op in split.body.block.ops]
    assert names == ["array.slice", "array.reshape", "array.add", "func.return"]
    assert shape_of(split.body.block.args[0]) == (3, 2)
