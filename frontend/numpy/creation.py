"""Functions that make arrays: of traced values, and of the shape of traced values."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..tracer import Tracer
from ..views import detached, layout_of
from .manipulation import atleast_1d, moveaxis, reshaped, sizes
from .operands import (
    broadcast,
    constant_like,
    converted,
    counting,
    lifted,
    select,
    traced_array,
    traced_arrays,
    xp,
)
from .promotion import inexact_dtype, result_dtype
from .registry import implements


@implements(np.array)
def array(object: Any, dtype: Any = None, *, ndmin: int = 0) -> Tracer:
    """Make an array of a traced value, or of nested lists that have some in them.

    NumPy itself has no protocol for this: ``gradatim.numpy.array([x, y])`` works,
    ``numpy.array([x, y])`` raises TracerArrayConversionError.

    Raises:
        ShapeError: if the items of a list differ in shape.
    """
    x = traced_array(object)
    x = x if dtype is None else converted(x, dtype)
    return reshaped(x, (1,) * (ndmin - x.ndim) + x.shape)


@implements(np.asarray, np.asanyarray, views=True)
def asarray(a: Any, dtype: Any = None, *, copy: bool | None = None) -> Tracer:
    """Return an array: the operand itself if it is one of the dtype, unless ``copy`` is true."""
    x = traced_array(a)
    if dtype is None or x.dtype == np.dtype(dtype):
        return detached(x) if copy else x
    if copy is False:
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return converted(x, dtype)


@implements(np.ascontiguousarray, views=True)
def ascontiguousarray(a: Any, dtype: Any = None) -> Tracer:
    """As `asarray`, but a copy if the elements do not follow each other in memory."""
    x = atleast_1d(asarray(a, dtype))
    return x if layout_of(x).flags.c_contiguous else detached(x)


@implements(np.astype, views=True)
def astype(x: Any, dtype: Any, *, copy: bool = True) -> Tracer:
    """Convert to another dtype; floats saturate on the way to integers, and NaN becomes 0.

    Returns:
        A copy, or with ``copy=False`` x itself if it has the dtype.
    """
    found = converted(traced_array(x), dtype)
    return detached(found) if copy else found


@implements(np.copy)
def copy(a: Any) -> Tracer:
    """Return a copy, which later stores into a do not change."""
    return traced_array(a)


@implements(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Tracer:
    """Return an array of a's shape and dtype, or the given ones, filled with one value."""
    _, (prototype, value) = traced_arrays(a, fill_value)
    value = converted(value, prototype.dtype if dtype is None else dtype)
    return broadcast(value, prototype.shape if shape is None else sizes(shape))


@implements(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tracer:
    """Return an array filled with a traced value (only as ``gradatim.numpy.full``)."""
    value = traced_array(fill_value)
    return broadcast(value if dtype is None else converted(value, dtype), sizes(shape))


def _filled_like(number: int, name: str) -> Any:
    def function(a: Any, dtype: Any = None, *, shape: Any = None) -> Tracer:
        x = traced_array(a)
        wanted = x.shape if shape is None else sizes(shape)
        filled = x.trace.builder.full(wanted, x.dtype if dtype is None else np.dtype(dtype), number)
        return x.trace.tracer(filled)

    function.__doc__ = f"Return an array of a's shape and dtype, or the given ones, of {name}."
    return function


zeros_like = implements(np.zeros_like)(_filled_like(0, "zeros"))
ones_like = implements(np.ones_like)(_filled_like(1, "ones"))


@implements(np.empty_like)
def empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Tracer:
    """Return an array of the prototype's shape and dtype, or the given ones: of zeros."""
    return zeros_like(prototype, dtype, shape=shape)


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return ``num`` numbers that are evenly spaced from start to stop.

    Returns:
        The numbers along ``axis``, or with ``retstep`` also the step between them.
    """
    count = index(num)
    if count < 0:
        raise ValueError(f"Number of samples, {count}, must be non-negative.")
    _, ends = lifted(start, stop)
    work = inexact_dtype(result_dtype(ends))
    first, last = (converted(x, work) for x in traced_arrays(*ends)[1])
    steps = count - 1 if endpoint else count
    delta = last - first
    step = delta / steps if steps > 0 else constant_like(delta, np.nan)
    places = counting(delta.trace, (count, *delta.shape), delta.dtype)
    values = places * (step if steps > 0 else delta) + first
    if endpoint and count > 1:
        values = select(places == count - 1, broadcast(last, values.shape), values)
    if dtype is not None:
        values = converted(xp.floor(values) if np.dtype(dtype).kind in "iu" else values, dtype)
    values = moveaxis(values, 0, axis)
    return (values, step) if retstep else values


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Tracer:
    """Return numbers from ``base**start`` to ``base**stop``, evenly spaced on a log scale."""
    powers = xp.power(base, linspace(start, stop, num, endpoint))
    return moveaxis(powers if dtype is None else converted(powers, dtype), 0, axis)


@implements(np.meshgrid)
def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Tracer, ...]:
    """Return the coordinates of a grid's points, one array for each of the given axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    _, axes = traced_arrays(*xi)
    rank = len(axes)
    order = [1, 0, *range(2, rank)] if indexing == "xy" and rank > 1 else list(range(rank))
    lines = [
        reshaped(x, tuple(x.size if place == d else 1 for d in range(rank)))
        for x, place in zip(axes, order)
    ]
    if sparse:
        return tuple(lines)
    shape = np.broadcast_shapes(*(x.shape for x in lines))
    return tuple(broadcast(x, shape) for x in lines)
