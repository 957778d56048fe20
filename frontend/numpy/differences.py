"""Differences of neighbours, slopes, and sums under a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..tracer import Tracer
from .joining import concatenate
from .manipulation import ravel, reversed_along, sliced
from .operands import broadcast, converted, lifted, traced_arrays, xp
from .promotion import inexact_dtype, result_dtype
from .reductions import sum_
from .registry import implements


@implements(np.diff)
def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Tracer:
    """Return the n-th differences of neighbours along an axis; of bools where they differ."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    x = traced_arrays(a, *[part for part in (prepend, append) if part is not np._NoValue])[1][0]
    if n == 0:
        return x
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    dim = normalize_axis_index(axis, x.ndim)
    edges = [_edge(part, x, dim) for part in (prepend, append)]
    parts = [*edges[0], x, *edges[1]]
    x = concatenate(parts, dim) if len(parts) > 1 else x
    for _ in range(n):
        lower, upper = _neighbours(x, dim)
        x = upper != lower if x.dtype.kind == "b" else upper - lower
    return x


def _neighbours(x: Tracer, axis: int) -> tuple[Tracer, Tracer]:
    """Return all elements along an axis but the last, and all but the first."""
    size = x.shape[axis]
    return sliced(x, axis, 0, max(size - 1, 0)), sliced(x, axis, min(1, size), size)


def _edge(part: Any, x: Tracer, axis: int) -> list[Tracer]:
    """Return what goes before or after x: nothing, or an array; a number fills one slice."""
    if part is np._NoValue:
        return []
    edge = traced_arrays(x, part)[1][1]
    one = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return [broadcast(edge, one) if edge.ndim == 0 else edge]


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Tracer:
    """Return the differences of neighbours of all elements, with others before and after."""
    x = ravel(traced_arrays(ary, *[e for e in (to_begin, to_end) if e is not None])[1][0])
    others = [None if e is None else traced_arrays(x, e)[1][1] for e in (to_begin, to_end)]
    for edge in others:
        if edge is not None and not np.can_cast(edge.dtype, x.dtype, casting="same_kind"):
            raise TypeError("dtype of `to_begin` and `to_end` must be compatible with `ary`")
    first, last = ([] if e is None else [ravel(converted(e, x.dtype))] for e in others)
    lower, upper = _neighbours(x, 0)
    return concatenate([*first, upper - lower, *last])


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tracer:
    """Integrate along an axis by the trapezoidal rule, over points ``x`` or steps ``dx``."""
    values = traced_arrays(y, 0 if x is None else x, dx)[1][0]
    dim = normalize_axis_index(axis, values.ndim)
    if x is None:
        steps = dx
    elif np.ndim(x) == 1:
        steps = xp.diff(x)
        steps = xp.reshape(steps, [-1 if d == dim else 1 for d in range(values.ndim)])
    else:
        steps = xp.diff(x, axis=axis)
    lower, upper = _neighbours(values, dim)
    return sum_(steps * (upper + lower) / 2.0, axis=dim)


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return the slope along each axis by central differences, one-sided ones at the ends.

    ``varargs`` are the spacings: nothing, one number for all axes, or for each axis a number or the
    coordinates of the points. See Fornberg, Mathematics of Computation 51 (1988), for unequal ones.

    Returns:
        One array if there is one axis, else a tuple of them.
    """
    x = traced_arrays(f, *varargs)[1][0]
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError("gradient takes no spacing, one number, or one spacing for each axis")
    x = converted(x, inexact_dtype(x.dtype))
    slopes = tuple(
        converted(_slope(x, d, h, edge_order), x.dtype) for d, h in zip(axes, spacings, strict=True)
    )
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(x: Tracer, axis: int, spacing: Any, edge_order: int) -> Tracer:
    """Return the slope along an axis, for a number or the coordinates of the points."""
    size = x.shape[axis]
    if size < edge_order + 1:
        raise ValueError(
            f"gradient of {x} needs at least {edge_order + 1} elements along axis {axis}, "
            "edge_order + 1"
        )
    if np.ndim(spacing) == 0:
        inner = (sliced(x, axis, 2, size) - sliced(x, axis, 0, size - 2)) / (2.0 * spacing)
        first, last = (spacing, spacing), (-spacing, -spacing)
    else:
        if np.shape(spacing) != (size,):
            raise ValueError(f"gradient of {x} needs {size} coordinates along axis {axis}")
        steps = xp.diff(spacing)
        inner = _uneven_slopes(x, axis, steps)
        first, last = steps, -steps[::-1]
    backwards = reversed_along(x, [axis])
    ends = [_first_slope(v, axis, h, edge_order) for v, h in ((x, first), (backwards, last))]
    return concatenate([ends[0], inner, ends[1]], axis)


def _uneven_slopes(x: Tracer, axis: int, steps: Any) -> Tracer:
    """Return the slopes at inner points for the given steps between neighbours."""
    line = [-1 if d == axis else 1 for d in range(x.ndim)]
    before, after = xp.reshape(steps[:-1], line), xp.reshape(steps[1:], line)
    a = -after / (before * (before + after))
    b = (after - before) / (before * after)
    c = before / (after * (before + after))
    size = x.shape[axis]
    parts = [sliced(x, axis, start, size - 2 + start) for start in range(3)]
    return a * parts[0] + b * parts[1] + c * parts[2]


def _first_slope(x: Tracer, axis: int, steps: Any, edge_order: int) -> Tracer:
    """Return the slope at the first point, of first or second order, by the steps after it."""
    points = [sliced(x, axis, i, i + 1) for i in range(edge_order + 1)]
    near = steps[0]
    if edge_order == 1:
        return (points[1] - points[0]) / near
    far = steps[1]
    a = -(2.0 * near + far) / (near * (near + far))
    b = (near + far) / (near * far)
    c = -near / (far * (near + far))
    return a * points[0] + b * points[1] + c * points[2]


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Tracer:
    """Remove jumps between neighbours by adding multiples of the period."""
    x = traced_arrays(p, period, *([] if discont is None else [discont]))[1][0]
    if x.shape[normalize_axis_index(axis, x.ndim)] == 0:
        return x
    steps = diff(x, axis=axis)
    dtype = result_dtype(lifted(steps, period)[1])
    half, odd = divmod(period, 2) if dtype.kind in "iu" else (period / 2, 0)
    wrapped = xp.mod(steps + half, period) - half
    if not odd:  # a jump up by just half a period stays one up
        wrapped = xp.where((wrapped == -half) & (steps > 0), half, wrapped)
    limit = period / 2 if discont is None else discont
    corrections = xp.where(xp.abs(steps) < limit, 0, wrapped - steps)
    moved = x + xp.cumulative_sum(corrections, axis=axis, include_initial=True)
    return converted(moved, dtype)
