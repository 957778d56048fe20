"""`numpy.pad` and `numpy.repeat`, which pick elements at positions known while tracing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..tracer import Tracer
from .manipulation import ravel, reshaped, reversed_along, sliced
from .operands import broadcast, converted, traced_array, traced_arrays, unsupported
from .registry import implements

LARGEST_NUMBER_OF_RUNS: Final = 8
"""Positions are picked by slices, one a run of equally spaced ones, up to this number of slices."""


def picked(x: Tracer, axis: int, positions: np.ndarray) -> Tracer:
    """Return the slices at static positions along an axis, joined in their order."""
    runs = list(_runs(positions.tolist()))
    if len(runs) > LARGEST_NUMBER_OF_RUNS:
        return x[(*[slice(None)] * axis, positions)]
    if not runs:
        return sliced(x, axis, 0, 0)
    builder = x.trace.builder
    return x.trace.tracer(builder.concatenate([_run(x, axis, *r).value for r in runs], axis))


def _runs(positions: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Group positions to runs of (first, step, count), each as long as its first step lasts."""
    start = 0
    while start < len(positions):
        end = start + 1
        step = positions[end] - positions[start] if end < len(positions) else 1
        while end < len(positions) and positions[end] - positions[end - 1] == step:
            end += 1
        yield positions[start], step, end - start
        start = end


def _run(x: Tracer, axis: int, first: int, step: int, count: int) -> Tracer:
    if step == 0:
        one = sliced(x, axis, first, first + 1)
        return broadcast(one, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    last = first + (count - 1) * step
    part = sliced(x, axis, min(first, last), max(first, last) + 1, abs(step))
    return reversed_along(part, [axis]) if step < 0 else part


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tracer:
    """Repeat each element, or each slice along an axis; ``repeats`` must be known while tracing."""
    x = traced_array(a)
    if axis is None:
        x, axis = ravel(x), 0
    dim = normalize_axis_index(axis, x.ndim)
    if np.size(repeats) != 1:
        return picked(x, dim, np.repeat(np.arange(x.shape[dim]), repeats))
    count = int(np.reshape(repeats, ()))
    if count < 0:
        raise ValueError("repeats may not contain negative values.")
    before, size, after = x.shape[:dim], x.shape[dim], x.shape[dim + 1 :]
    parted = broadcast(reshaped(x, (*before, size, 1, *after)), (*before, size, count, *after))
    return reshaped(parted, (*before, size * count, *after))


_MODES: Final = ("edge", "reflect", "symmetric", "wrap")
"""Modes of `pad` that repeat elements of the array."""


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Tracer:
    """Surround an array, axis by axis, by constants or by elements of its own.

    Modes are constant (with ``constant_values``), empty (zeros), edge, reflect, symmetric and wrap.

    Raises:
        UnsupportedError: for other modes, and for reflections of the odd type.
    """
    constants = options.pop("constant_values", 0)
    x = traced_arrays(array, constants)[1][0]
    widths = _widths(pad_width, x.ndim)
    if options.pop("reflect_type", "even") != "even" or mode not in ("constant", "empty", *_MODES):
        raise unsupported(
            f"`numpy.pad` of traced values does not support mode={mode!r} with these options; "
            f"supported are constant, empty, {', '.join(_MODES)} of the even type"
        )
    if options:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {set(options)}")
    if mode in ("constant", "empty"):
        return _pad_constant(x, widths, constants)
    for axis, width in enumerate(widths):
        x = picked(x, axis, np.pad(np.arange(x.shape[axis]), width, mode)) if any(width) else x
    return x


def _widths(pad_width: Any, rank: int) -> list[list[int]]:
    """Return the widths before and after along each axis, from any of NumPy's short forms."""
    if isinstance(pad_width, dict):
        given = {normalize_axis_index(axis, rank): width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(given.get(d, 0), 2) for d in range(rank)]
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    if widths.size and widths.min() < 0:
        raise ValueError("index can't contain negative values")
    return np.broadcast_to(widths, (rank, 2)).tolist()


def _pad_constant(x: Tracer, widths: list[list[int]], constants: Any) -> Tracer:
    """Pad by one constant in one step, by several axis by axis and side by side."""
    values = converted(traced_arrays(x, constants)[1][1], x.dtype)
    builder = x.trace.builder
    if values.ndim == 0:
        low, high = [w[0] for w in widths], [w[1] for w in widths]
        return x.trace.tracer(builder.pad(x.value, values.value, low, high))
    values = broadcast(values, (x.ndim, 2))
    for axis, width in enumerate(widths):
        for side in range(2):
            edges = [[0] * x.ndim, [0] * x.ndim]
            edges[side][axis] = width[side]
            x = x.trace.tracer(builder.pad(x.value, values[axis, side].value, *edges))
    return x
