"""Elementwise ops against arithmetic that is not NumPy's: mpmath, cmath, and Python's integers."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array import elementwise as e
from gradatim.ir.attributes import ComparePredicate, ComparePredicateAttr
from gradatim.ir.types import ELEMENT_TYPES, tensor_type

from .examples import BOOL, F32, F64, Example

INF, NAN = math.inf, math.nan
FLOATS = (F32, F64)
COMPLEX = (np.dtype(np.complex64), np.dtype(np.complex128))
INTEGERS = tuple(d for d in ELEMENT_TYPES if d.kind in "iu")
BITS = (BOOL, *INTEGERS)


def run(op: type[e.ElementwiseOp], *operands: np.ndarray, **rest: Any) -> np.ndarray:
    return Example(op, tuple(map(np.asarray, operands)), **rest).run()


# Floats

REALS = np.array(
    [1e-300, 1e-30, 1e-8, 0.01, 0.3, 0.5, 0.75, 0.999, 1, 1.5, 2, 3, 4.2, 7.5, 30, 300, 1e7, 1e18]
)
EVERYWHERE = np.concatenate([-REALS[::-1], REALS])
UNIT = EVERYWHERE[np.abs(EVERYWHERE) < 1]
TIES = np.append(EVERYWHERE, [2.5, -3.5, 0.5, -0.5])
NOT_INTEGER = EVERYWHERE[(EVERYWHERE % 1 != 0) & (np.abs(EVERYWHERE) > 1e-9)]

MPMATH: dict[type[e.ElementwiseOp], tuple[Callable[..., Any], np.ndarray]] = {
    e.NegOp: (lambda x: -x, EVERYWHERE),
    e.SignOp: (mpmath.sign, EVERYWHERE),
    e.AbsOp: (abs, EVERYWHERE),
    e.FloorOp: (mpmath.floor, EVERYWHERE),
    e.CeilOp: (mpmath.ceil, EVERYWHERE),
    e.TruncOp: (lambda x: mpmath.floor(x) if x > 0 else mpmath.ceil(x), EVERYWHERE),
    e.RoundEvenOp: (mpmath.nint, TIES),
    e.SqrtOp: (mpmath.sqrt, REALS),
    e.RsqrtOp: (lambda x: 1 / mpmath.sqrt(x), REALS),
    e.CbrtOp: (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), EVERYWHERE),
    e.ExpOp: (mpmath.exp, EVERYWHERE),
    e.Exp2Op: (lambda x: mpmath.power(2, x), EVERYWHERE),
    e.Expm1Op: (mpmath.expm1, EVERYWHERE),
    e.LogOp: (mpmath.log, REALS),
    e.Log2Op: (lambda x: mpmath.log(x, 2), REALS),
    e.Log10Op: (mpmath.log10, REALS),
    e.Log1pOp: (mpmath.log1p, np.concatenate([UNIT, REALS])),
    e.LogisticOp: (lambda x: 1 / (1 + mpmath.exp(-x)), EVERYWHERE),
    e.SinOp: (mpmath.sin, EVERYWHERE),
    e.CosOp: (mpmath.cos, EVERYWHERE),
    e.TanOp: (mpmath.tan, EVERYWHERE),
    e.AsinOp: (mpmath.asin, UNIT),
    e.AcosOp: (mpmath.acos, UNIT),
    e.AtanOp: (mpmath.atan, EVERYWHERE),
    e.SinhOp: (mpmath.sinh, EVERYWHERE),
    e.CoshOp: (mpmath.cosh, EVERYWHERE),
    e.TanhOp: (mpmath.tanh, EVERYWHERE),
    e.AsinhOp: (mpmath.asinh, EVERYWHERE),
    e.AcoshOp: (mpmath.acosh, REALS[REALS >= 1]),
    e.AtanhOp: (mpmath.atanh, UNIT),
    e.ErfOp: (mpmath.erf, EVERYWHERE),
    e.ErfcOp: (mpmath.erfc, EVERYWHERE),
    e.ErfInvOp: (mpmath.erfinv, UNIT),
    e.LgammaOp: (lambda x: mpmath.re(mpmath.loggamma(x)), np.append(NOT_INTEGER, [3.0, 90.0])),
    e.DigammaOp: (mpmath.digamma, np.append(NOT_INTEGER, [1.0, 3.0, 90.0])),
}

BINARY_MPMATH: dict[type[e.ElementwiseOp], Callable[..., Any]] = {
    e.AddOp: lambda x, y: x + y,
    e.SubOp: lambda x, y: x - y,
    e.MulOp: lambda x, y: x * y,
    e.DivOp: lambda x, y: x / y,
    e.RemOp: lambda x, y: x - y * (mpmath.floor if x / y > 0 else mpmath.ceil)(x / y),
    e.PowOp: mpmath.power,
    e.MaxOp: max,
    e.MinOp: min,
    e.CopySignOp: lambda x, y: abs(x) * mpmath.sign(y),
    e.Atan2Op: mpmath.atan2,
}


def _assert_close(found: np.ndarray, exact: list[Any], ulps: int, least: float) -> None:
    """Compare within units in the last place of the exact value, or of ``least`` if that is more.

    ``least`` is not 0 for functions with zeros that no float hits.
    """
    with np.errstate(over="ignore"):
        expected = np.array([float(v) for v in exact]).astype(found.dtype)
    scale = np.spacing(np.maximum(np.abs(expected), found.dtype.type(least)))
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected) <= ulps * scale
    assert (near | (found == expected)).all(), list(zip(found, expected))


LEAST = {e.LgammaOp: 1.0, e.DigammaOp: 1.0}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", MPMATH, ids=lambda op: op.name)
def test_float_function_is_that_of_mpmath(op, dtype):
    function, points = MPMATH[op]
    points = points.astype(dtype)
    points = points[points != 0]
    with mpmath.workdps(60):
        exact = [function(mpmath.mpf(float(x))) for x in points]
    _assert_close(run(op, points), exact, 4, LEAST.get(op, 0.0))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", BINARY_MPMATH, ids=lambda op: op.name)
def test_float_function_of_two_is_that_of_mpmath(op, dtype):
    reals = np.array([1e-30, 0.3, 1, 2.5, 17, 1e7, 3e12]).astype(dtype)
    left = reals if op is e.PowOp else np.concatenate([-reals, reals])
    pairs = np.array(list(product(left, np.concatenate([-reals, reals]))))
    with mpmath.workdps(200):
        exact = [BINARY_MPMATH[op](*map(mpmath.mpf, map(float, pair))) for pair in pairs]
    _assert_close(run(op, pairs[:, 0], pairs[:, 1]), exact, 2, 0.0)


# By operand: infinity, its negative, NaN, 0, -0; what C99's annex F and IEEE 754 say.
SPECIAL_OPERANDS = (INF, -INF, NAN, 0.0, -0.0)
SPECIAL: dict[type[e.ElementwiseOp], tuple[float | bool, ...]] = {
    e.NegOp: (-INF, INF, NAN, -0.0, 0.0),
    e.SignOp: (1, -1, NAN, 0.0, 0.0),
    e.AbsOp: (INF, INF, NAN, 0.0, 0.0),
    e.FloorOp: (INF, -INF, NAN, 0.0, -0.0),
    e.CeilOp: (INF, -INF, NAN, 0.0, -0.0),
    e.TruncOp: (INF, -INF, NAN, 0.0, -0.0),
    e.RoundEvenOp: (INF, -INF, NAN, 0.0, -0.0),
    e.SqrtOp: (INF, NAN, NAN, 0.0, -0.0),
    e.RsqrtOp: (0.0, NAN, NAN, INF, -INF),
    e.CbrtOp: (INF, -INF, NAN, 0.0, -0.0),
    e.ExpOp: (INF, 0.0, NAN, 1, 1),
    e.Exp2Op: (INF, 0.0, NAN, 1, 1),
    e.Expm1Op: (INF, -1, NAN, 0.0, -0.0),
    e.LogOp: (INF, NAN, NAN, -INF, -INF),
    e.Log2Op: (INF, NAN, NAN, -INF, -INF),
    e.Log10Op: (INF, NAN, NAN, -INF, -INF),
    e.Log1pOp: (INF, NAN, NAN, 0.0, -0.0),
    e.LogisticOp: (1, 0.0, NAN, 0.5, 0.5),
    e.SinOp: (NAN, NAN, NAN, 0.0, -0.0),
    e.CosOp: (NAN, NAN, NAN, 1, 1),
    e.TanOp: (NAN, NAN, NAN, 0.0, -0.0),
    e.AsinOp: (NAN, NAN, NAN, 0.0, -0.0),
    e.AcosOp: (NAN, NAN, NAN, math.pi / 2, math.pi / 2),
    e.AtanOp: (math.pi / 2, -math.pi / 2, NAN, 0.0, -0.0),
    e.SinhOp: (INF, -INF, NAN, 0.0, -0.0),
    e.CoshOp: (INF, INF, NAN, 1, 1),
    e.TanhOp: (1, -1, NAN, 0.0, -0.0),
    e.AsinhOp: (INF, -INF, NAN, 0.0, -0.0),
    e.AcoshOp: (INF, NAN, NAN, NAN, NAN),
    e.AtanhOp: (NAN, NAN, NAN, 0.0, -0.0),
    e.ErfOp: (1, -1, NAN, 0.0, -0.0),
    e.ErfcOp: (0.0, 2, NAN, 1, 1),
    e.ErfInvOp: (NAN, NAN, NAN, 0.0, -0.0),
    e.LgammaOp: (INF, INF, NAN, INF, INF),
    e.DigammaOp: (INF, NAN, NAN, -INF, INF),
    e.IsFiniteOp: (False, False, False, True, True),
}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("op", SPECIAL, ids=lambda op: op.name)
def test_special_values(op, dtype):
    found = run(op, np.array(SPECIAL_OPERANDS, dtype))
    expected = np.array(SPECIAL[op], found.dtype)
    np.testing.assert_array_equal(found, expected)
    if found.dtype.kind == "f":
        zeros = expected == 0
        np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize(
    ("op", "x", "y", "expected"),
    [
        (e.DivOp, 1.0, 0.0, INF),
        (e.DivOp, -1.0, 0.0, -INF),
        (e.DivOp, 0.0, 0.0, NAN),
        (e.DivOp, INF, INF, NAN),
        (e.RemOp, -7.5, 2.0, -1.5),
        (e.RemOp, 7.5, -2.0, 1.5),
        (e.RemOp, 1.0, 0.0, NAN),
        (e.RemOp, INF, 2.0, NAN),
        (e.RemOp, 2.0, INF, 2.0),
        (e.PowOp, NAN, 0.0, 1.0),
        (e.PowOp, 1.0, NAN, 1.0),
        (e.PowOp, -8.0, 1 / 3, NAN),
        (e.PowOp, -2.0, 3.0, -8.0),
        (e.PowOp, 0.0, -1.0, INF),
        (e.PowOp, -0.0, -1.0, -INF),
        (e.PowOp, -INF, 0.5, INF),
        (e.PowOp, [-INF, -0.0], np.broadcast_to(0.5, 2), [INF, 0.0]),
        (e.MaxOp, 1.0, NAN, NAN),
        (e.MaxOp, NAN, INF, NAN),
        (e.MinOp, 1.0, NAN, NAN),
        (e.MinOp, NAN, -INF, NAN),
        (e.CopySignOp, 3.0, -0.0, -3.0),
        (e.CopySignOp, -INF, 1.0, INF),
        (e.Atan2Op, 0.0, -1.0, math.pi),
        (e.Atan2Op, -0.0, -1.0, -math.pi),
        (e.Atan2Op, INF, INF, math.pi / 4),
        (e.NextAfterOp, 0.0, 1.0, 5e-324),
        (e.NextAfterOp, 1.0, -INF, 1 - 2.0**-53),
        (e.NextAfterOp, 1.0, 1.0, 1.0),
        (e.NextAfterOp, NAN, 1.0, NAN),
    ],
)
def test_special_pairs(op, x, y, expected):
    np.testing.assert_array_equal(run(op, x, y), np.asarray(expected))


def test_poles_and_overflows_of_special_functions():
    poles = np.array([-1.0, -2.0, -1e300])
    assert (run(e.LgammaOp, poles) == INF).all()
    assert np.isnan(run(e.DigammaOp, poles)).all()
    assert run(e.LgammaOp, np.array([1.7e308]))[0] == INF
    np.testing.assert_array_equal(run(e.ErfInvOp, np.array([1.0, -1.0, 1.5])), [INF, -INF, NAN])


@pytest.mark.parametrize(
    ("low", "x", "high", "expected"),
    [
        (0.0, 2.0, 1.0, 1.0),
        (0.0, -2.0, 1.0, 0.0),
        (0.0, 0.5, 1.0, 0.5),
        (3.0, 2.0, 1.0, 1.0),
        (NAN, 0.5, 1.0, NAN),
        (0.0, NAN, 1.0, NAN),
        (0.0, 0.5, NAN, NAN),
        (-INF, 0.5, INF, 0.5),
    ],
)
def test_clamp(low, x, high, expected):
    np.testing.assert_array_equal(run(e.ClampOp, low, x, high), expected)


# Complex numbers

CMATH: dict[type[e.ElementwiseOp], Callable[..., complex]] = {
    e.NegOp: lambda z: -z,
    e.SignOp: lambda z: z / abs(z),
    e.AbsOp: abs,
    e.RealOp: lambda z: z.real,
    e.ImagOp: lambda z: z.imag,
    e.ConjOp: complex.conjugate,
    e.SqrtOp: cmath.sqrt,
    e.RsqrtOp: lambda z: 1 / cmath.sqrt(z),
    e.ExpOp: cmath.exp,
    e.Exp2Op: lambda z: cmath.exp(z * math.log(2)),
    e.Expm1Op: lambda z: cmath.exp(z) - 1,
    e.LogOp: cmath.log,
    e.Log2Op: lambda z: cmath.log(z) / math.log(2),
    e.Log10Op: cmath.log10,
    e.Log1pOp: lambda z: cmath.log(1 + z),
    e.SinOp: cmath.sin,
    e.CosOp: cmath.cos,
    e.TanOp: cmath.tan,
    e.AsinOp: cmath.asin,
    e.AcosOp: cmath.acos,
    e.AtanOp: cmath.atan,
    e.SinhOp: cmath.sinh,
    e.CoshOp: cmath.cosh,
    e.TanhOp: cmath.tanh,
    e.AsinhOp: cmath.asinh,
    e.AcoshOp: cmath.acosh,
    e.AtanhOp: cmath.atanh,
    e.AddOp: lambda x, y: x + y,
    e.SubOp: lambda x, y: x - y,
    e.MulOp: lambda x, y: x * y,
    e.DivOp: lambda x, y: x / y,
    e.PowOp: lambda x, y: x**y,
}


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
@pytest.mark.parametrize("op", CMATH, ids=lambda op: op.name)
def test_complex_function_is_that_of_cmath(op, dtype):
    parts = (-2.5, -0.7, 0.3, 1.0, 3.0)
    points = np.array([complex(a, b) for a, b in product(parts, parts)], dtype)
    arity = len(op.get_irdl_definition().operands)
    operands = (points, np.roll(points, 3))[:arity]
    expected = [CMATH[op](*map(complex, values)) for values in zip(*operands)]
    tolerance = 1e-5 if dtype.itemsize == 8 else 1e-13
    np.testing.assert_allclose(run(op, *operands), expected, rtol=tolerance, atol=tolerance)


def test_complex_keeps_infinite_parts():
    made = run(e.ComplexOp, np.array([1.0, INF]), np.array([INF, NAN]))
    np.testing.assert_array_equal(made.real, [1.0, INF])
    np.testing.assert_array_equal(made.imag, [INF, NAN])


# Integers and bools: Python's integers, wrapped to the width

EXACT: dict[type[e.ElementwiseOp], Callable[..., int]] = {
    e.NegOp: lambda x: -x,
    e.SignOp: lambda x: (x > 0) - (x < 0),
    e.AbsOp: abs,
    e.AddOp: lambda x, y: x + y,
    e.SubOp: lambda x, y: x - y,
    e.MulOp: lambda x, y: x * y,
    e.DivOp: lambda x, y: (abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1) if y else 0,
    e.RemOp: lambda x, y: (abs(x) % abs(y)) * (-1 if x < 0 else 1) if y else 0,
    e.MaxOp: max,
    e.MinOp: min,
    e.ClampOp: lambda low, x, high: min(max(x, low), high),
    e.NotOp: lambda x: ~x,
    e.AndOp: lambda x, y: x & y,
    e.OrOp: lambda x, y: x | y,
    e.XorOp: lambda x, y: x ^ y,
}


def _bits(value: int, dtype: np.dtype) -> int:
    return value & ((1 << (8 * dtype.itemsize)) - 1)


def _wrapped(value: int, dtype: np.dtype) -> int:
    if dtype == BOOL:
        return value & 1
    bits = _bits(value, dtype)
    return bits - (1 << 8 * dtype.itemsize) if bits > np.iinfo(dtype).max else bits


def _shift(shifted: Callable[[int, int, np.dtype], int]) -> Callable[..., int]:
    """Return a shift whose amount is read as unsigned."""
    return lambda x, y, dtype: shifted(x, min(_bits(y, dtype), 8 * dtype.itemsize), dtype)


BY_WIDTH: dict[type[e.ElementwiseOp], Callable[..., int]] = {
    e.ShiftLeftOp: _shift(lambda x, n, dtype: x << n),
    e.ShiftRightArithmeticOp: _shift(lambda x, n, dtype: x >> n),
    e.ShiftRightLogicalOp: _shift(lambda x, n, dtype: _bits(x, dtype) >> n),
    e.PopulationCountOp: lambda x, dtype: _bits(x, dtype).bit_count(),
    e.CountLeadingZerosOp: lambda x, dtype: 8 * dtype.itemsize - _bits(x, dtype).bit_length(),
}


def _integers(dtype: np.dtype) -> list[int]:
    if dtype == BOOL:
        return [0, 1]
    limits = np.iinfo(dtype)
    edges = {limits.min, limits.min + 1, limits.max, limits.max - 1, limits.max // 3}
    return sorted(v for v in edges | {-2, -1, 0, 1, 2, 3, 7, 100} if limits.min <= v <= limits.max)


def _check_integers(op: type[e.ElementwiseOp], dtype: np.dtype, exact: Callable[..., int]) -> None:
    arity = len(op.get_irdl_definition().operands)
    points = list(product(_integers(dtype), repeat=arity))
    operands = [np.array(column, dtype) for column in zip(*points)]
    expected = np.array([_wrapped(int(exact(*point)), dtype) for point in points], dtype)
    np.testing.assert_array_equal(run(op, *operands), expected)


@pytest.mark.parametrize("dtype", BITS, ids=str)
@pytest.mark.parametrize("op", EXACT, ids=lambda op: op.name)
def test_integer_arithmetic_is_that_of_python(op, dtype):
    if dtype.kind in op.KINDS:
        _check_integers(op, dtype, EXACT[op])


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
@pytest.mark.parametrize("op", BY_WIDTH, ids=lambda op: op.name)
def test_bits_are_those_of_python(op, dtype):
    _check_integers(op, dtype, lambda *operands: BY_WIDTH[op](*operands, dtype))


# Comparison and choice

PYTHON_OPERATOR = {
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
}


@pytest.mark.parametrize("predicate", ComparePredicate, ids=str)
@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_compare_is_that_of_python(dtype, predicate):
    if dtype.kind == "c" and predicate not in ("eq", "ne"):
        return
    values = _integers(dtype) if dtype.kind in "biu" else [NAN, INF, -INF, 0.0, -0.0, 1.0, -2.5]
    pairs = list(product(values, values))
    x, y = (np.array(column, dtype) for column in zip(*pairs))
    found = run(e.CompareOp, x, y, properties={"predicate": ComparePredicateAttr(predicate)})
    assert found.tolist() == [PYTHON_OPERATOR[predicate](*pair) for pair in pairs]


@pytest.mark.parametrize("dtype", ELEMENT_TYPES, ids=str)
def test_select(dtype):
    found = run(e.SelectOp, [True, False, True], np.ones(3, dtype), np.zeros(3, dtype))
    assert found.dtype == dtype and found.tolist() == [1, 0, 1]


# Conversion

CONVERTED = [0.0, -0.0, 0.5, -0.5, 1.0, -1.9, 126.7, 127.5, 128.0, 255.9, 2.0**24 + 1, -(2.0**31)]
CONVERTED += [2.0**31 - 1, 2.0**32, 2.0**63, -(2.0**63), 2.0**64, 1e300, INF, -INF, NAN]


@pytest.mark.parametrize("target", INTEGERS, ids=str)
@pytest.mark.parametrize("source", FLOATS, ids=str)
def test_floats_saturate_on_the_way_to_integers(source, target):
    with np.errstate(over="ignore"):
        operand = np.array(CONVERTED).astype(source)
    limits = np.iinfo(target)
    expected = []
    for x in map(float, operand):
        whole = 0 if math.isnan(x) else math.copysign(2.0**100, x) if math.isinf(x) else x
        expected.append(min(max(int(whole), limits.min), limits.max))
    found = run(e.ConvertOp, operand, requested=tensor_type(operand.shape, target))
    assert found.tolist() == expected


@pytest.mark.parametrize(("source", "target"), list(product(BITS, BITS)), ids=str)
def test_integers_wrap_on_the_way_to_integers(source, target):
    values = _integers(source)
    operand = np.array(values, source)
    found = run(e.ConvertOp, operand, requested=tensor_type(operand.shape, target))
    if target == BOOL:
        assert found.tolist() == [v != 0 for v in values]
    else:
        assert found.tolist() == [_wrapped(v, target) for v in values]


@pytest.mark.parametrize(("source", "target"), list(product(INTEGERS, FLOATS)), ids=str)
def test_integers_round_to_nearest_even_on_the_way_to_floats(source, target):
    candidates = (*_integers(source), 2**24 + 1, 2**24 + 3, 2**53 + 1)
    values = [v for v in candidates if np.iinfo(source).min <= v <= np.iinfo(source).max]
    operand = np.array(values, source)
    found = run(e.ConvertOp, operand, requested=tensor_type(operand.shape, target))
    with mpmath.workprec(24 if target == F32 else 53):
        assert found.tolist() == [float(+mpmath.mpf(v)) for v in values]


@pytest.mark.parametrize(
    ("operand", "target", "expected"),
    [
        (np.array([0.0, -0.0, NAN, 1e-300, INF]), BOOL, [False, False, True, True, True]),
        (np.array([0, 2j, NAN]), BOOL, [False, True, True]),
        (np.array([1.5 + 2j, -3.7]), np.dtype("i4"), [1, -3]),
        (np.array([1.5 + 2j]), F32, [1.5]),
        (np.array([True, False]), np.dtype("c8"), [1, 0]),
        (np.array([1e300, -1e300, 0.1]), F32, [INF, -INF, np.float32(0.1)]),
    ],
)
def test_other_conversions(operand, target, expected):
    found = run(e.ConvertOp, operand, requested=tensor_type(operand.shape, target))
    assert found.dtype == target and found.tolist() == [target.type(v).item() for v in expected]


def test_bitcast_reads_the_bits():
    bits = np.array([0x3F800000, 0x80000000, 0x7F800000], np.uint32)
    found = run(e.BitcastConvertOp, bits, requested=tensor_type((3,), F32))
    assert found.tolist() == [1.0, -0.0, INF] and np.signbit(found[1])
    signed = run(e.BitcastConvertOp, np.uint8(255), requested=tensor_type((), np.dtype("i1")))
    assert signed.shape == () and signed == -1


def test_every_op_and_kind_of_dtype_is_in_a_table():
    of_their_own = {e.CompareOp, e.SelectOp, e.ConvertOp, e.BitcastConvertOp, e.ComplexOp}
    of_their_own |= {e.ClampOp, e.NextAfterOp}
    tables = (
        ("f", MPMATH.keys() | BINARY_MPMATH.keys() | SPECIAL.keys()),
        ("c", CMATH.keys()),
        ("i", EXACT.keys() | BY_WIDTH.keys()),
    )
    for op in set(OPS_BY_FAMILY["elementwise"]) - of_their_own:
        for kind, table in tables:
            assert (kind in op.KINDS) == (op in table), (op.name, kind)
