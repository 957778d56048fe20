"""Means, variances, averages, and the reductions that pass over NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..tracer import Tracer
from .manipulation import moveaxis, reshaped
from .operands import broadcast, constant_like, converted, select, traced_array, traced_arrays, xp
from .promotion import BOOL, FLOAT64, inexact_dtype
from .reductions import (
    NOTHING,
    all_,
    axes_of,
    count_nonzero,
    count_of,
    cumulated,
    is_set,
    max_,
    min_,
    prod_,
    sum_,
)
from .registry import implements


def _mean_dtype(x: Tracer, dtype: Any) -> np.dtype:
    """Return the dtype to sum in: that asked for, float64 for integers, else the array's."""
    return inexact_dtype(x.dtype) if dtype is None else np.dtype(dtype)


def _count(x: Tracer, axis: Any, keepdims: Any, where: Any) -> Any:
    """Return how many elements are averaged: a number, or an array where a mask chooses them."""
    if where is NOTHING or where is True:
        if axis is not None:
            normalize_axis_tuple(axis, x.ndim)  # here 0-d arrays have no axis 0, unlike in sums
        return count_of(x, axis)
    chosen = broadcast(traced_arrays(x, where)[1][1], x.shape)
    return count_nonzero(chosen, axis, keepdims=is_set(keepdims))


def _array_among(a: Any, *options: Any) -> Tracer:
    """Return the array, in the trace of it and the options that were given."""
    return traced_arrays(a, *[x for x in options if x is not NOTHING])[1][0]


@implements(np.mean)
def mean(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = NOTHING, where: Any = NOTHING
) -> Tracer:
    """Return the arithmetic means along axes, of integers as float64."""
    x = _array_among(a, where)
    total = sum_(x, axis, _mean_dtype(x, dtype), keepdims=keepdims, where=where)
    return converted(total / _count(x, axis, keepdims, where), total.dtype)


@implements(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = NOTHING,
    where: Any = NOTHING,
    mean: Any = NOTHING,
    correction: Any = NOTHING,
) -> Tracer:
    """Return the means of squared distances from the mean, over ``count - ddof`` elements."""
    x = _array_among(a, where, mean)
    work = _mean_dtype(x, dtype)
    if correction is not NOTHING:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    if mean is NOTHING:
        count = _count(x, axis, True, where)
        mean = converted(sum_(x, axis, work, keepdims=True, where=where) / count, work)
    squares = _squared_magnitude(x - mean)
    sum_dtype = np.zeros(0, work).real.dtype if dtype is None else work
    total = sum_(squares, axis, sum_dtype, keepdims=keepdims, where=where)
    return converted(total / np.maximum(_count(x, axis, keepdims, where) - ddof, 0), total.dtype)


def _squared_magnitude(x: Tracer) -> Tracer:
    if x.dtype.kind != "c":
        return x * x
    return x.real * x.real + x.imag * x.imag


@implements(np.std)
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = NOTHING,
    where: Any = NOTHING,
    mean: Any = NOTHING,
    correction: Any = NOTHING,
) -> Tracer:
    """Return the square root of the variance; see `var`."""
    options = {"keepdims": keepdims, "where": where, "mean": mean, "correction": correction}
    return xp.sqrt(var(a, axis, dtype, ddof=ddof, **options))


@implements(np.average)
def average(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: Any = NOTHING,
) -> Any:
    """Return the averages along axes weighted by ``weights``.

    Returns:
        The averages, or with ``returned`` also the sums of the weights.
    """
    if weights is None:
        x = traced_array(a)
        result = mean(x, axis, keepdims=keepdims)
        total = constant_like(result, count_of(x, axis))
        return (result, total) if returned else result
    x, w = traced_arrays(a, weights)[1]
    w = aligned_weights(x, w, axis)
    dtype = np.result_type(x.dtype, w.dtype, *([FLOAT64] if x.dtype.kind in "biu" else []))
    total = sum_(w, axis, dtype, keepdims=keepdims)
    result = sum_(x * w, axis, dtype, keepdims=keepdims) / total
    return (result, broadcast(total, result.shape)) if returned else result


def aligned_weights(x: Tracer, weights: Tracer, axis: Any) -> Tracer:
    """Return weights in x's shape; weights of the averaged axes alone are repeated."""
    if weights.shape == x.shape:
        return weights
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = axes_of(x, axis)
    if weights.shape != tuple(x.shape[d] for d in axes):
        raise ValueError(
            "Shape of weights must be consistent with shape of a along specified axis."
        )
    ordered = moveaxis(weights, range(len(axes)), np.argsort(np.argsort(axes)))
    sizes = tuple(n if d in axes else 1 for d, n in enumerate(x.shape))
    return broadcast(reshaped(ordered, sizes), x.shape)


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    *,
    dtype: Any = None,
) -> Tracer:
    """Return the covariances of variables, which are the rows (columns unless ``rowvar``)."""
    operands = traced_arrays(*([m] if y is None else [m, y]))[1]
    rows = [xp.atleast_2d(x) if rowvar or x.ndim < 2 else x.T for x in operands]
    work = np.result_type(*[x.dtype for x in rows], FLOAT64) if dtype is None else np.dtype(dtype)
    x = xp.concatenate([converted(r, work) for r in rows], axis=0)
    degrees = x.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    centred = x - mean(x, 1, keepdims=True)
    return xp.squeeze(centred @ xp.conj(centred.T) * np.true_divide(1, max(degrees, 0)))


# Passing over NaN


def _without_nan(a: Any, replacement: Any) -> tuple[Tracer, Tracer]:
    """Return the array with its NaNs replaced, and where they were."""
    x = traced_array(a)
    if x.dtype.kind not in "fc":
        return x, xp.zeros_like(x, dtype=BOOL)
    missing = xp.isnan(x)
    return select(missing, constant_like(x, replacement), x), missing


@implements(np.nansum)
def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Sum over axes, NaN counting as 0."""
    x, _ = _without_nan(a, 0)
    return sum_(x, axis, dtype, keepdims=keepdims, initial=initial, where=where)


@implements(np.nanprod)
def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Multiply over axes, NaN counting as 1."""
    x, _ = _without_nan(a, 1)
    return prod_(x, axis, dtype, keepdims=keepdims, initial=initial, where=where)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Tracer:
    """Return the sums of all elements up to each one, NaN counting as 0."""
    return cumulated("add", _without_nan(a, 0)[0], axis, dtype)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Tracer:
    """Return the products of all elements up to each one, NaN counting as 1."""
    return cumulated("mul", _without_nan(a, 1)[0], axis, dtype)


def _nan_extremum(extremum: Any, worst: float, name: str) -> Any:
    def function(a: Any, axis: Any = None, *, keepdims: Any = NOTHING) -> Tracer:
        x, missing = _without_nan(a, worst)
        result = extremum(x, axis, keepdims=keepdims)
        if x.dtype.kind != "f":
            return result
        return select(all_(missing, axis, keepdims=keepdims), constant_like(result, np.nan), result)

    function.__doc__ = f"Return the {name} elements along axes; NaN where there are only NaNs."
    return function


nanmax = implements(np.nanmax)(_nan_extremum(max_, -np.inf, "largest"))
nanmin = implements(np.nanmin)(_nan_extremum(min_, np.inf, "smallest"))


@implements(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = NOTHING) -> Tracer:
    """Return the means along axes of all that is not NaN; NaN where there is nothing."""
    x, missing = _without_nan(a, 0)
    total = sum_(x, axis, _mean_dtype(x, dtype), keepdims=keepdims)
    return converted(total / count_nonzero(~missing, axis, keepdims=is_set(keepdims)), total.dtype)


@implements(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: Any = NOTHING
) -> Tracer:
    """Return the variances along axes of all that is not NaN; see `var`."""
    x, missing = _without_nan(a, 0)
    if x.dtype.kind not in "fc":
        return var(x, axis, dtype, ddof=ddof, keepdims=keepdims)
    count = count_nonzero(~missing, axis, keepdims=is_set(keepdims))
    distances = x - nanmean(a, axis, dtype, keepdims=True)
    squares = _squared_magnitude(select(missing, constant_like(distances, 0), distances))
    total = sum_(squares, axis, keepdims=keepdims)
    degrees = count - ddof
    spread = converted(total / degrees, total.dtype)
    return select(degrees > 0, spread, constant_like(spread, np.nan))


@implements(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: Any = NOTHING
) -> Tracer:
    """Return the square root of the variance of all that is not NaN."""
    return xp.sqrt(nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims))
