"""Universal functions of traced values against NumPy: values, dtypes, broadcasting, errors."""

from __future__ import annotations

import operator
from functools import partial

import numpy as np
import pytest

from gradatim.frontend.errors import DtypeError, ShapeError, UnsupportedError
from gradatim.frontend.numpy.ufunc_rules import RULES

from .numpy_harness import (
    ALL_DTYPES,
    F32,
    F64,
    I32,
    I64,
    REAL_DTYPES,
    U8,
    compare,
    run_traced,
    samples,
)

UNARY = [u for u in RULES if u.nin == 1]
BINARY = [u for u in RULES if u.nin == 2]

SPECIAL = {
    "b": [False, True],
    "i": [0, 1, -1, 2, -2, 3, 5, -7, 100, -128],
    "u": [0, 1, 2, 3, 7, 100, 128, 255],
    "f": [
        *(0.0, -0.0, 0.25, -0.25, 0.5, -0.5, 0.75, 1.0, -1.0, 1.5, -1.5, 2.0, -2.5, 3.0, 7.0, -7.5),
        *(100.0, 1e-30, -1e-30, 1e30, 1e-40, np.inf, -np.inf, np.nan),
    ],
}

INEXACT_ULPS = {np.hypot: 2, np.logaddexp: 8, np.logaddexp2: 8, np.float_power: 1}
"""Where rules may round differently from NumPy's C loops; all others give the same bits."""


def special(dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "c":
        return samples(dtype, (9,))
    values = SPECIAL[dtype.kind]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = [v for v in values if limits.min <= v <= limits.max] + [limits.min, limits.max]
    return np.array(values, dtype)


def pairs(first: np.dtype, second: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs of special values, as a column and a row."""
    return special(first)[:, None], special(second)[None, :]


def check(ufunc, arguments):
    if ufunc is np.signbit and arguments[0].dtype in (np.bool_, np.int8, np.uint8):
        with pytest.raises(DtypeError, match="is computed in float16"):
            run_traced(ufunc, arguments)
        return
    compare(ufunc, arguments, ulps=INEXACT_ULPS.get(ufunc, 0), label=ufunc.__name__)


@pytest.mark.parametrize("ufunc", UNARY, ids=lambda u: u.__name__)
def test_unary(ufunc):
    for dtype in ALL_DTYPES:
        values = special(dtype)
        if ufunc is np.reciprocal and dtype.kind in "iu":
            values = values[values != 0]  # NumPy's result for zero depends on the machine
        check(ufunc, [values])


MIXED = "?b bi il lL Ll Bb fd lf di dF bL"
DTYPE_PAIRS = [(a, a) for a in ALL_DTYPES]
DTYPE_PAIRS += [(np.dtype(a), np.dtype(b)) for a, b in MIXED.split()]


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
def test_binary(ufunc):
    for first, second in DTYPE_PAIRS:
        x, y = pairs(first, second)
        if ufunc is np.power and "f" not in (first.kind + second.kind) and second.kind == "i":
            y = abs(y)  # negative powers of integers are another test
            y = np.where(y < 0, 1, y).astype(second)
        check(ufunc, [x, y])


@pytest.mark.parametrize("ufunc", [*UNARY, *BINARY], ids=lambda u: u.__name__)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)], ids=str)
def test_edge_shapes(ufunc, shape):
    dtypes = {np.ldexp: (F64, I32), np.invert: (I64,), np.bitwise_count: (I64,)}
    integral = "i->i" in [t.replace("ii", "i") for t in ufunc.types] and "d->d" not in ufunc.types
    default = (I64 if integral and "dd->d" not in ufunc.types else F64,) * ufunc.nin
    arguments = [samples(d, shape) for d in dtypes.get(ufunc, default)]
    check(ufunc, arguments)


@pytest.mark.parametrize(
    "shapes", [((3,), ()), ((2, 1), (3,)), ((1,), (4,)), ((2, 1, 4), (3, 1)), ((0,), (1,))], ids=str
)
def test_broadcasting(shapes):
    for dtype in (F32, I64):
        compare(np.add, [samples(dtype, s, i) for i, s in enumerate(shapes)], ulps=0)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"f64\[3\], f32\[4\]"):
        run_traced(np.add, [np.ones(3), np.ones(4, np.float32)])


OPERATORS = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod),
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne, operator.pow),
    *(operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, divmod),
]


@pytest.mark.parametrize("function", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("scalar", [2, 2.5, 3 + 1j, True, np.float32(2), np.int8(3), np.float64(2)])
def test_scalars_promote_as_in_numpy(function, scalar):
    for dtype in ALL_DTYPES:
        x = special(dtype)
        for program in (lambda x: function(x, scalar), lambda x: function(scalar, x)):
            if dtype.kind == "i" and function is operator.pow:
                x = abs(x)[abs(x) >= 0]
            if dtype.kind == "b" and function is operator.pow and np.ndim(scalar) == 0:
                continue  # NumPy's operator takes the square here, of another dtype than its power
            ulps = 12 if function is operator.pow else 0
            compare(program, [x], ulps=ulps, label=f"{dtype} {scalar!r}")


@pytest.mark.parametrize("function", OPERATORS[:12], ids=lambda f: f.__name__)
def test_traced_python_scalars_promote_as_python_scalars(function):
    for scalar in (2, 2.5, 1 + 2j):
        for dtype in (I32, F32, F64):
            x = samples(dtype, (4,))
            compare(function, [x, scalar], ulps=0)


def test_operators_of_python_scalars_stay_weak_and_functions_do_not():
    x = np.ones(3, np.float32)
    assert run_traced(lambda s, x: (s * s + 1) * x, [0.5, x]).dtype == np.float32
    assert run_traced(lambda s, x: np.sin(s) * x, [0.5, x]).dtype == np.float64
    assert (np.sin(0.5) * x).dtype == np.float64


POWERS = [0, 1, 2, 3, 4, 5, 7, 16, 17, -1, -2, -3, 0.5, -0.5, 1.5, 2.0, np.float64(3), 0.0]


@pytest.mark.parametrize("exponent", POWERS)
def test_known_powers(exponent):
    for dtype in (I32, I64, U8, F32, F64):
        x = samples(dtype, (50,), seed=1)
        compare(lambda x: x**exponent, [x], ulps=12, label=str(dtype))
    positive = special(F64)
    compare(lambda x: x**exponent, [positive[positive > 0]], ulps=12)


def test_small_powers_need_no_pow():
    compare(lambda x: x**2, [special(F64)], ulps=0)
    compare(lambda x: x**0.5, [special(F64)], ulps=0)


def test_integers_refuse_negative_powers():
    with pytest.raises(ValueError, match="negative integer powers"):
        run_traced(lambda x: x**-2, [np.arange(3)])


def test_traced_integer_powers_wrap():
    x, y = np.array([3, -3, 1, -1, 0, 2, 7]), np.array([100, 63, 5, 101, 0, 64, 21])
    compare(np.power, [x, y], ulps=0)


@pytest.mark.parametrize("ufunc", [np.less, np.equal, np.greater_equal, np.not_equal])
def test_comparison_with_numbers_beyond_the_range(ufunc):
    x = special(U8)
    for number in (300, -1, 2**70, -(2**70)):
        compare(partial(ufunc, number), [x], ulps=0)
        compare(lambda x, number=number: ufunc(x, number), [x], ulps=0)


def test_arithmetic_with_numbers_beyond_the_range():
    with pytest.raises(OverflowError, match="300 out of bounds for uint8"):
        run_traced(lambda x: x + 300, [special(U8)])


def test_dtype_argument():
    for dtype in (np.float32, np.float64, np.int32, np.complex64, bool):
        compare(partial(np.add, 1, dtype=dtype), [np.arange(3, dtype=np.int32)], ulps=0)
        compare(partial(np.add, 1, dtype=dtype), [np.arange(3.0)], ulps=0)
    compare(partial(np.sin, dtype=np.float32), [np.arange(3, dtype=np.float32)], ulps=0)


@pytest.mark.parametrize("argument", [{"order": "F"}, {"casting": "unsafe"}, {"subok": False}])
def test_unsupported_arguments_are_named(argument):
    with pytest.raises(UnsupportedError, match=f"{next(iter(argument))}="):
        run_traced(lambda x: np.sin(x, **argument), [np.ones(2)])


def test_wrong_number_of_operands():
    from gradatim.frontend.dispatch import UFUNCS

    with pytest.raises(TypeError, match="takes 2 operands, 1 were given"):
        run_traced(lambda x: UFUNCS[np.add](x), [np.ones(2)])


def test_every_real_dtype_is_tried():
    assert {d.kind for d in REAL_DTYPES} == set("biuf")
