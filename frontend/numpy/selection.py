"""Functions that choose between elements, test them, or take their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tracer import Tracer
from ..views import ImaginaryPart, ReadOnly, RealPart, detached, view
from .operands import (
    broadcast_shape,
    constant_like,
    converted,
    lifted,
    prepared,
    traced_array,
    traced_arrays,
    unsupported,
    xp,
)
from .promotion import BOOL, promotion_key, promotion_sample, result_dtype
from .reductions import all_, count_of
from .registry import implements


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None, /) -> Tracer:
    """Return x where the condition holds, else y.

    Raises:
        UnsupportedError: if x and y are not given: how many elements are true is not known.
    """
    if x is None or y is None:
        raise unsupported(
            "`numpy.where` of a traced condition alone has a result whose shape depends on "
            "values; give both choices, `np.where(condition, x, y)`"
        )
    trace, (predicate, *choices) = lifted(condition, x, y)
    dtype = result_dtype(choices)
    shape = broadcast_shape([predicate, *choices])
    builder = trace.builder
    chosen = [prepared(builder, choice, dtype, shape) for choice in choices]
    return trace.tracer(builder.select(prepared(builder, predicate, BOOL, shape), *chosen))


@implements(np.select)
def select_(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tracer:
    """Return for each element the first choice whose condition holds, else ``default``."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not condlist:
        raise ValueError("select with an empty condition list is not possible")
    trace, operands = lifted(default, *choicelist, *condlist)
    results, conditions = operands[: len(choicelist) + 1], operands[len(choicelist) + 1 :]
    if any(promotion_key(condition) != BOOL for condition in conditions):
        raise TypeError("conditions of select must be bools")
    dtype = result_dtype(results)
    shape = broadcast_shape(operands)
    builder = trace.builder
    chosen = prepared(builder, results[0], dtype, shape)
    for condition, choice in reversed(list(zip(conditions, results[1:]))):
        mask = prepared(builder, condition, BOOL, shape)
        chosen = builder.select(mask, prepared(builder, choice, dtype, shape), chosen)
    return trace.tracer(chosen)


@implements(np.clip)
def clip(
    a: Any,
    a_min: Any = np._NoValue,
    a_max: Any = np._NoValue,
    *,
    min: Any = np._NoValue,
    max: Any = np._NoValue,
) -> Tracer:
    """Limit the elements to an interval; NaN stays."""
    low = min if a_min is np._NoValue else a_min
    high = max if a_max is np._NoValue else a_max
    bounds = [None if b is np._NoValue else b for b in (low, high)]
    if bounds[0] is None and bounds[1] is None:
        return traced_array(a)
    if bounds[0] is None:
        return xp.minimum(a, bounds[1])
    if bounds[1] is None:
        return xp.maximum(a, bounds[0])
    trace, operands = lifted(bounds[0], a, bounds[1])
    dtype, shape = result_dtype(operands), broadcast_shape(operands)
    if dtype.kind not in "iuf":
        return xp.minimum(xp.maximum(operands[1], operands[0]), operands[2])
    values = [prepared(trace.builder, x, dtype, shape) for x in operands]
    return trace.tracer(trace.builder.clamp(*values))


@implements(np.nan_to_num, views=True)
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Tracer:
    """Replace NaN by ``nan``, and infinities by the given or the extreme finite numbers.

    Returns:
        A new array, or with ``copy=False`` x itself, changed.
    """
    if copy or type(x) is not Tracer:
        return detached(_finite(x, nan, posinf, neginf))
    x.assign(_finite(x, nan, posinf, neginf))
    return x


def _finite(x: Any, nan: Any, posinf: Any, neginf: Any) -> Tracer:
    a = traced_arrays(x, *[v for v in (nan, posinf, neginf) if v is not None])[1][0]
    if a.dtype.kind == "c":
        parts = (_finite(p, nan, posinf, neginf) for p in (a.real, a.imag))
        return a.trace.tracer(a.trace.builder.complex(*[p.value for p in parts]))
    if a.dtype.kind != "f":
        return a
    limits = np.finfo(a.dtype)
    highest = limits.max if posinf is None else posinf
    lowest = limits.min if neginf is None else neginf
    finite = where(a == np.inf, highest, where(a == -np.inf, lowest, a))
    return converted(where(xp.isnan(a), nan, finite), a.dtype)


# Parts of complex numbers


@implements(np.real, views=True)
def real(val: Any) -> Tracer:
    """Return the real part."""
    x = traced_array(val)
    return view(x, RealPart()) if x.dtype.kind == "c" else x


@implements(np.imag, views=True)
def imag(val: Any) -> Tracer:
    """Return the imaginary part, which of real numbers is 0."""
    x = traced_array(val)
    if x.dtype.kind != "c":
        return view(constant_like(x, 0), ReadOnly())
    return view(x, ImaginaryPart())


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Tracer:
    """Return the angle of complex numbers, in radians or degrees."""
    x = traced_array(z)
    radians = xp.arctan2(imag(x), real(x))
    return radians * (180 / np.pi) if deg else radians


@implements(np.real_if_close, views=True)
def real_if_close(a: Any, tol: float = 100) -> Tracer:
    """Return a real array as it is.

    Raises:
        UnsupportedError: if it is complex: the result's dtype would depend on values.
    """
    x = traced_array(a)
    if x.dtype.kind == "c":
        raise unsupported(
            "`numpy.real_if_close` of complex traced values has a dtype that depends on values; "
            "use `np.real`"
        )
    return x


# Tests


@implements(np.isreal)
def isreal(x: Any) -> Tracer:
    """Return where the imaginary part is 0."""
    return imag(x) == 0


@implements(np.iscomplex)
def iscomplex(x: Any) -> Tracer:
    """Return where the imaginary part is not 0."""
    return imag(x) != 0


@implements(np.isposinf)
def isposinf(x: Any) -> Tracer:
    """Return where an array of real numbers is positive infinity."""
    return _require_real(x, "isposinf") == np.inf


@implements(np.isneginf)
def isneginf(x: Any) -> Tracer:
    """Return where an array of real numbers is negative infinity."""
    return _require_real(x, "isneginf") == -np.inf


def _require_real(x: Any, name: str) -> Tracer:
    a = traced_array(x)
    if a.dtype.kind == "c":
        raise TypeError(f"{name} is ambiguous for {a.dtype} values")
    return a


@implements(np.isclose)
def isclose(
    a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: bool = False
) -> Tracer:
    """Return where ``abs(a - b) <= atol + rtol * abs(b)``; infinities are close to themselves."""
    x, y, *_ = traced_arrays(a, b, rtol, atol)[1]
    y = converted(y, np.result_type(y.dtype, 1.0)) if y.dtype.kind in "biu" else y
    close = (xp.abs(x - y) <= atol + rtol * xp.abs(y)) & xp.isfinite(y) | (x == y)
    return close | (xp.isnan(x) & xp.isnan(y)) if equal_nan else close


@implements(np.allclose)
def allclose(
    a: Any, b: Any, rtol: Any = 1.0e-5, atol: Any = 1.0e-8, equal_nan: bool = False
) -> Tracer:
    """Return whether all elements are close; see `isclose`."""
    return all_(isclose(a, b, rtol, atol, equal_nan))


@implements(np.array_equal)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Tracer | bool:
    """Return whether two arrays have one shape and equal elements."""
    x, y = traced_arrays(a1, a2)[1]
    if x.shape != y.shape:
        return False
    equal = x == y
    return all_(equal | (xp.isnan(x) & xp.isnan(y)) if equal_nan else equal)


@implements(np.array_equiv)
def array_equiv(a1: Any, a2: Any) -> Tracer | bool:
    """Return whether two arrays are equal once broadcast."""
    x, y = traced_arrays(a1, a2)[1]
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return all_(x == y)


# What is known while tracing


@implements(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    """Return the sizes of the dimensions."""
    return traced_array(a).shape


@implements(np.ndim)
def ndim(a: Any) -> int:
    """Return the number of dimensions."""
    return traced_array(a).ndim


@implements(np.size)
def size(a: Any, axis: Any = None) -> int:
    """Return the number of elements, all or along axes."""
    x = traced_array(a)
    return count_of(x, axis)


@implements(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """Return whether the dtype is complex."""
    return traced_array(x).dtype.kind == "c"


@implements(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """Return whether the dtype is not complex."""
    return traced_array(x).dtype.kind != "c"


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """Return the dtype that arrays, dtypes and Python scalars have in common."""
    return np.result_type(
        *[promotion_sample(x) if type(x) is Tracer else x for x in arrays_and_dtypes]
    )
