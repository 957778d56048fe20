"""Elementwise functions that NumPy has beside its ufuncs, and polynomials."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..tracer import Tracer
from .operands import constant_like, converted, is_traced, select, traced_array, traced_arrays, xp
from .promotion import inexact_dtype
from .registry import implements


@implements(np.round, np.around)
def round_(a: Any, decimals: int = 0) -> Tracer:
    """Round to so many decimals, halves to even; integers stay integers."""
    x = traced_array(a)
    if x.dtype.kind in "iu" and decimals >= 0:
        return x
    if decimals == 0:
        return xp.rint(x)
    factor = 10.0 ** abs(decimals)
    rounded = xp.rint(x * factor) / factor if decimals > 0 else xp.rint(x / factor) * factor
    return converted(rounded, x.dtype) if x.dtype.kind in "iu" else rounded


@implements(np.fix)
def fix(x: Any) -> Tracer:
    """Round towards zero."""
    return xp.trunc(x)


_SERIES: Final = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(8))
"""Taylor's series of sin(y) / y in y*y, enough for abs(y) < 1/2 in float64."""


@implements(np.sinc)
def sinc(x: Any) -> Tracer:
    """Return sin(pi x) / (pi x), which at 0 is 1; near it by its series, for the derivatives."""
    a = traced_array(x)
    y = np.pi * converted(a, inexact_dtype(a.dtype))
    near = xp.abs(y) < 0.5
    square = y * y
    series = constant_like(y, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        series = series * square + coefficient
    away = select(near, constant_like(y, 1), y)
    return select(near, series, xp.sin(away) / away)


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Tracer:
    """Evaluate the polynomial with coefficients p, the highest power first, by Horner's rule."""
    known = not is_traced([p])
    points = traced_array(x) if known else traced_arrays(x, p)[1][0]
    coefficients = np.asarray(p) if known else traced_array(p)
    result = xp.zeros_like(points)
    for coefficient in coefficients:
        result = result * points + coefficient
    return result
