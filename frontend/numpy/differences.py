"""Differences of neighbours, slopes, and sums under a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..tracer import Tracer
from .joining import concatenate
from .manipulation import ravel, sliced
from .operands import broadcast, converted, traced_array, traced_arrays, xp
from .promotion import inexact_dtype
from .reductions import sum_
from .registry import implements


@implements(np.diff)
def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Tracer:
    """Return the n-th differences of neighbours along an axis; of bools where they differ."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    x = traced_array(a)
    if n == 0:
        return x
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    dim = normalize_axis_index(axis, x.ndim)
    edges = [_edge(part, x, dim) for part in (prepend, append)]
    parts = [*edges[0], x, *edges[1]]
    x = concatenate(parts, dim) if len(parts) > 1 else x
    for _ in range(n):
        size = max(x.shape[dim], 1)
        upper, lower = (
            sliced(x, dim, min(1, x.shape[dim]), x.shape[dim]),
            sliced(x, dim, 0, size - 1),
        )
        x = upper != lower if x.dtype.kind == "b" else upper - lower
    return x


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
    x = ravel(ary)
    others = [None if e is None else traced_arrays(x, e)[1][1] for e in (to_begin, to_end)]
    for edge in others:
        if edge is not None and not np.can_cast(edge.dtype, x.dtype, casting="same_kind"):
            raise TypeError("dtype of `to_begin` and `to_end` must be compatible with `ary`")
    first, last = ([] if e is None else [ravel(converted(e, x.dtype))] for e in others)
    return concatenate([*first, sliced(x, 0, min(1, x.size), x.size) - x[:-1], *last])


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
    size = values.shape[dim]
    upper = sliced(values, dim, min(1, size), size)
    return sum_(steps * (upper + sliced(values, dim, 0, max(size - 1, 0))) / 2.0, axis=dim)


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
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError("invalid number of arguments")
    spacings = (varargs or (1.0,)) * (1 if len(varargs) == len(axes) else len(axes))
    if len(varargs) == 1 and np.ndim(varargs[0]) and len(axes) > 1:
        raise TypeError("invalid number of arguments")
    x = converted(x, inexact_dtype(x.dtype))
    slopes = tuple(
        converted(_slope(x, d, h, edge_order), x.dtype) for d, h in zip(axes, spacings, strict=True)
    )
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(x: Tracer, axis: int, spacing: Any, edge_order: int) -> Tracer:
    size = x.shape[axis]
    if size < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    if np.ndim(spacing) == 0:
        inner = (sliced(x, axis, 2, size) - sliced(x, axis, 0, size - 2)) / (2.0 * spacing)
        ends = [_end_slope(x, axis, (spacing, spacing), edge_order, last) for last in (False, True)]
    else:
        if np.shape(spacing) != (size,):
            raise ValueError(
                "when 1d, distances must match the length of the corresponding dimension"
            )
        inner, ends = _uneven_slopes(x, axis, xp.diff(spacing), edge_order)
    return concatenate([ends[0], inner, ends[1]], axis)


def _uneven_slopes(
    x: Tracer, axis: int, steps: Any, edge_order: int
) -> tuple[Tracer, list[Tracer]]:
    """Return the slopes at inner points and at both ends, for the given steps between points."""
    line = [-1 if d == axis else 1 for d in range(x.ndim)]
    before, after = xp.reshape(steps[:-1], line), xp.reshape(steps[1:], line)
    size = x.shape[axis]
    a = -after / (before * (before + after))
    b = (after - before) / (before * after)
    c = before / (after * (before + after))
    inner = (
        a * sliced(x, axis, 0, size - 2)
        + b * sliced(x, axis, 1, size - 1)
        + c * sliced(x, axis, 2, size)
    )
    edges = ((steps[0], steps[min(1, size - 2)]), (steps[-1], steps[max(-2, 1 - size)]))
    ends = [_end_slope(x, axis, edge, edge_order, last) for edge, last in zip(edges, (False, True))]
    return inner, ends


def _end_slope(x: Tracer, axis: int, steps: tuple[Any, Any], edge_order: int, last: bool) -> Tracer:
    """Return the slope at an end, of first or second order; ``steps`` count from the end."""
    size = x.shape[axis]
    sign = -1 if last else 1
    points = [
        sliced(x, axis, size - 1 - i if last else i, size - i if last else i + 1)
        for i in range(edge_order + 1)
    ]
    near, far = steps
    if edge_order == 1:
        return sign * (points[1] - points[0]) / near
    a = -(2.0 * near + far) / (near * (near + far))
    b = (near + far) / (near * far)
    c = -near / (far * (near + far))
    return sign * (a * points[0] + b * points[1] + c * points[2])


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Tracer:
    """Remove jumps between neighbours by adding multiples of the period."""
    x = traced_array(p)
    dim = normalize_axis_index(axis, x.ndim)
    steps = diff(x, axis=dim)
    half = period / 2
    dtype = np.result_type(
        steps.dtype, type(period)(0) if isinstance(period, (int, float)) else period
    )
    if dtype.kind in "iu":
        half, remainder = divmod(period, 2)
        on_boundary = remainder == 0
    else:
        on_boundary = True
    low = -half
    wrapped = xp.mod(steps - low, period) + low
    if on_boundary:
        wrapped = xp.where((wrapped == low) & (steps > 0), half, wrapped)
    limit = half if discont is None else discont
    corrections = xp.where(xp.abs(steps) < limit, 0, wrapped - steps)
    moved = sliced(x, dim, min(1, x.shape[dim]), x.shape[dim]) + xp.cumsum(corrections, axis=dim)
    return concatenate(
        [converted(sliced(x, dim, 0, min(1, x.shape[dim])), dtype), converted(moved, dtype)], dim
    )
