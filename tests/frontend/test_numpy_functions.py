"""Array functions of traced values against NumPy: tables of programs, over dtypes and shapes."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim.frontend.numpy as gnp
from gradatim.frontend.dispatch import FUNCTIONS
from gradatim.frontend.numpy.registry import REFUSED, qualified

from . import (
    numpy_cases_computation,
    numpy_cases_movement,
    numpy_cases_ordering,
    numpy_cases_storing,
)
from .numpy_case import Case, Shape
from .numpy_harness import F32, F64, I32, compare, samples

CASES = [
    *numpy_cases_movement.CASES,
    *numpy_cases_computation.CASES,
    *numpy_cases_storing.CASES,
    *numpy_cases_ordering.CASES,
]

NAN_PROGRAMS = [
    lambda f: f,
    lambda f: lambda x: f(x, axis=0),
    lambda f: lambda x: f(x, axis=-1, keepdims=True),
]
NAN_FUNCTIONS = [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd]


def _label(case: Case) -> str:
    return "-".join(dict.fromkeys(f.__name__ for f in case.functions)) or "stores"


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_function(case):
    for dtype in case.dtypes:
        for shapes in case.shapes:
            arguments = [samples(dtype, shape, seed) for seed, shape in enumerate(shapes)]
            for number, program in enumerate(case.programs):
                label = f"program {number} of {dtype} {shapes}"
                compare(program, arguments, ulps=case.ulps, label=label, sums=case.sums)


def with_nans(shape: Shape, dtype: np.dtype) -> np.ndarray:
    x = samples(dtype, shape)
    if dtype.kind in "fc" and x.ndim == 2:
        x[0, 1] = np.nan
        x[:, 0] = np.nan
    return x


@pytest.mark.parametrize("function", NAN_FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_that_pass_over_nan(function):
    for dtype in (I32, F32, F64):
        for shape in ((3, 4), (1, 2), (4,), ()):
            x = with_nans(shape, dtype)
            for program in NAN_PROGRAMS if shape else NAN_PROGRAMS[:1]:
                compare(program(function), [x], sums=True, label=f"{dtype} {shape}")
    if function in (np.nanvar, np.nanstd):
        compare(lambda x: function(x, axis=0, ddof=2), [with_nans((3, 4), F64)], sums=True)


@pytest.mark.parametrize("function", [np.nancumsum, np.nancumprod], ids=lambda f: f.__name__)
def test_accumulations_that_pass_over_nan(function):
    for dtype in (I32, F64):
        compare(function, [with_nans((3, 4), dtype)], sums=True)
        compare(lambda x: function(x, axis=0), [with_nans((3, 4), dtype)], sums=True)


@pytest.mark.parametrize(
    "function", [np.max, np.min, np.argmax, np.argmin, np.ptp, np.cumsum, np.mean]
)
def test_nan_wins(function):
    compare(function, [with_nans((3, 4), F64)])
    compare(lambda x: function(x, axis=1), [with_nans((3, 4), F32)])


# NumPy asks only some arguments for an implementation; for the others there is gradatim.numpy.
ONLY_AN_OPTION_IS_TRACED = [
    lambda s: gnp.sum(np.arange(3.0), initial=s),
    lambda s: gnp.sum(np.arange(3.0), where=s > 0),
    lambda s: np.var(np.arange(3.0), mean=s),
    lambda s: np.clip(np.arange(3.0), None, s),
    lambda s: np.isclose(np.arange(3.0), 1.0, atol=s),
    lambda s: gnp.nan_to_num(np.array([np.nan, 1.0]), nan=s),
    lambda s: np.diff(np.arange(3.0), append=s),
    lambda s: np.ediff1d(np.arange(3.0), to_end=s),
    lambda s: np.trapezoid(np.arange(3.0), dx=s),
    lambda s: np.gradient(np.arange(4.0) ** 2, s),
    lambda s: np.average(np.arange(3.0), weights=s * np.ones(3)),
    lambda s: np.linspace(0, s, 3),
    lambda s: np.polyval([1, 2.0], s),
    lambda s: np.polyval(np.stack([s, s]), 3.0),
    lambda s: gnp.pad(np.arange(3.0), 1, constant_values=s),
    lambda s: np.where(np.arange(3) > 1, s, np.float32(2)),
    lambda s: gnp.full_like(np.arange(3), s),
    lambda s: np.matmul(np.ones((2, 1)), s[None]),
]


@pytest.mark.parametrize("program", ONLY_AN_OPTION_IS_TRACED)
def test_functions_of_arrays_that_are_not_traced(program):
    compare(program, [np.array(0.75)])


def test_traced_python_scalars_are_weak_where_numpys_are():
    x = samples(F32, (3,))
    for program in (
        lambda s, x: np.where(x > 0, s, x),
        lambda s, x: np.clip(x, s, 2 * s),
        lambda s, x: np.select([x > 0], [x], default=s),
        lambda s, x: np.linspace(s, x, 3),
        lambda s, x: np.dot(x, s),
        lambda s, x: np.stack([np.ravel(s), x[:1]]),
        lambda s, x: np.sum(x * s) / s,
        lambda s, x: x**s,
    ):
        compare(program, [0.5, x])


def test_infinities_and_nan_in_selections():
    x = np.array([np.nan, np.inf, -np.inf, 1.0, -0.0])
    for program in (
        np.nan_to_num,
        lambda x: np.clip(x, -1, 1),
        lambda x: np.clip(x, np.nan, 1),
        lambda x: np.isclose(x, x),
        lambda x: np.isclose(x, x, equal_nan=True),
        lambda x: np.array_equal(x, x),
        lambda x: np.array_equal(x, x, equal_nan=True),
        np.isposinf,
        np.isneginf,
    ):
        compare(program, [x], ulps=0)


def test_every_supported_function_is_tried():
    tried = {f for case in CASES for f in case.functions}
    tried |= {*NAN_FUNCTIONS, np.nancumsum, np.nancumprod, np.asanyarray, np.ascontiguousarray}
    missing = [qualified(f) for f in FUNCTIONS if f not in REFUSED and f not in tried]
    assert not missing
