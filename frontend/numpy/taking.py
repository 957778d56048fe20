"""Functions that take elements at given positions, known or traced, or by a known mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ...ir.types import Shape
from ..errors import NonConcreteBooleanIndexError
from ..tracer import Tracer
from .joining import concatenate
from .manipulation import ravel, reshaped
from .operands import (
    broadcast,
    broadcast_shape,
    converted,
    is_traced,
    lifted,
    select,
    traced_array,
    traced_arrays,
    xp,
)
from .promotion import result_dtype
from .registry import implements

MODES: Final = ("raise", "wrap", "clip")
"""What becomes of positions that are out of range; traced ones are never found out to be."""


def _positions(indices: Any, size: int, mode: str) -> Any:
    """Return positions, known or traced, of a dimension as a mode wants them.

    Raises:
        TypeError: if they are no integers.
        ValueError: if there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got '{mode}')")
    array = indices if isinstance(indices, Tracer) else _known(indices)
    if array.dtype.kind not in "iu":
        if array.dtype.kind != "b":
            raise TypeError(f"Cannot cast array data from {array.dtype} to int64")
        array = array.astype(np.int64)
    if mode == "wrap" and size:
        return array % size
    return xp.clip(array, 0, max(size - 1, 0)) if mode == "clip" else array


def _known(indices: Any) -> np.ndarray:
    """Return known positions; numbers in lists are cut off, as NumPy does."""
    return indices if isinstance(indices, np.ndarray) else np.asarray(indices, np.int64)


def _along(axis: int, index: Any) -> tuple[Any, ...]:
    return (*[slice(None)] * axis, index)


@implements(np.take)
def take(a: Any, indices: Any, axis: int | None = None, *, mode: Any = "raise") -> Tracer:
    """Take elements along an axis at positions, known or traced.

    Traced positions that are out of range are read at the nearest edge.

    Raises:
        IndexError: if a known position is out of range, unless ``mode`` is ``wrap`` or ``clip``.
    """
    positions = lifted(indices, a)[1][0] if is_traced((indices,)) else indices
    x = traced_arrays(a, positions)[1][0] if is_traced((positions,)) else traced_array(a)
    if axis is None:
        x, axis = ravel(x), 0
    dim = normalize_axis_index(axis, x.ndim)
    found = _positions(positions, x.shape[dim], mode)
    if not x.shape[dim] and np.size(found):
        raise IndexError("cannot do a non-empty take from an empty axes.")
    return x[_along(dim, found)]


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tracer:
    """Take the elements of each line along an axis at positions of its own.

    Raises:
        IndexError: if the positions are no integers, if a known one is out of range, or if the
            shapes do not fit.
        ValueError: if ``indices`` has another number of dimensions than the array.
    """
    x, positions = _array_and_positions(arr, indices)
    if axis is None:
        x, axis = ravel(x), 0
    dim = normalize_axis_index(axis, x.ndim)
    if positions.ndim != x.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    return x[lines_index(x.shape, positions, dim)]


def _array_and_positions(arr: Any, indices: Any) -> tuple[Tracer, Any]:
    if is_traced((indices,)):
        _, (x, traced) = traced_arrays(arr, indices)
        positions: Any = traced
    else:
        x, positions = traced_array(arr), np.asarray(indices)
    if positions.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    return x, positions


def lines_index(shape: Shape, positions: Any, axis: int) -> tuple[Any, ...]:
    """Return what indexes, in an array of a shape, each line along an axis by its own positions."""
    rank = len(shape)
    counts = [
        np.arange(n).reshape([-1 if d == e else 1 for e in range(rank)])
        for d, n in enumerate(shape)
    ]
    return tuple(positions if d == axis else count for d, count in enumerate(counts))


@implements(np.choose)
def choose(a: Any, choices: Any, *, mode: Any = "raise") -> Tracer:
    """Return for each element the choice of its number, all broadcast against each other.

    A traced number that is out of range chooses the first or the last one.
    """
    items = list(choices)
    if not items:
        raise ValueError("0-length sequence.")
    trace, (chosen, *operands) = lifted(a, *items)
    dtype, shape = result_dtype(operands), broadcast_shape([chosen, *operands])
    number = _positions(chosen if is_traced((a,)) else a, len(items), mode)
    if not isinstance(number, Tracer):
        _require_in_range(number, len(items))
    _, (number, *values) = traced_arrays(number, *operands)
    number = broadcast(number, shape)
    result = broadcast(converted(values[0], dtype), shape)
    for i, value in enumerate(values[1:], 1):
        result = select(number >= i, broadcast(converted(value, dtype), shape), result)
    return trace.tracer(result.value)


def _require_in_range(numbers: np.ndarray, count: int) -> None:
    if ((numbers < 0) | (numbers >= count)).any():
        raise ValueError("invalid entry in choice array")


# By a known mask


def _mask(condition: Any, function: str) -> np.ndarray:
    """Return a mask that is known while tracing.

    Raises:
        NonConcreteBooleanIndexError: if it is traced.
    """
    if is_traced((condition,)):
        traced = condition if isinstance(condition, Tracer) else lifted(condition)[1][0]
        assert isinstance(traced, Tracer)
        raise traced.unknown(
            NonConcreteBooleanIndexError,
            f"`numpy.{function}`, whose result has as many elements as the condition True ones,",
            "choose by `np.where` instead",
        )
    return np.asarray(condition).astype(np.bool_)


@implements(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None) -> Tracer:
    """Take the slices along an axis where a condition known while tracing holds.

    Raises:
        NonConcreteBooleanIndexError: if the condition is traced.
    """
    mask = _mask(condition, "compress")
    if mask.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return take(a, np.flatnonzero(mask), axis)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Tracer:
    """Take the elements where a condition known while tracing holds.

    Raises:
        NonConcreteBooleanIndexError: if the condition is traced.
    """
    return take(arr, np.flatnonzero(_mask(condition, "extract")))


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Tracer:
    """Drop what is at positions known while tracing: an integer, a slice, a list or a mask."""
    x = traced_array(arr)
    if axis is None:
        x, axis = ravel(x), 0
    dim = normalize_axis_index(axis, x.ndim)
    kept = np.delete(np.arange(x.shape[dim]), obj)
    return x[_along(dim, kept)]


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tracer:
    """Insert values before positions known while tracing: an integer, a slice or a list."""
    _, (x, new) = traced_arrays(arr, values)
    if axis is None:
        x, axis = ravel(x), 0
    dim = normalize_axis_index(axis, x.ndim)
    size = x.shape[dim]
    order = np.insert(np.arange(size), obj, -1)
    count = len(order) - size
    if np.ndim(obj) == 0 and not isinstance(obj, slice) and new.ndim == x.ndim:
        count = new.shape[dim]
        order = np.insert(np.arange(size), [obj] * count, -1)
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        new = _moved_in_front(new, dim, x.ndim)
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :])
    added = broadcast(converted(new, x.dtype), shape)
    order[order < 0] = np.arange(size, size + count)
    return concatenate([x, added], dim)[_along(dim, order)]


def _moved_in_front(values: Tracer, dim: int, rank: int) -> Tracer:
    """Give values inserted at one position the dimension along which they are inserted."""
    if values.ndim in (0, rank):
        return values
    missing = rank - 1 - values.ndim
    shape = (*[1] * missing, *values.shape)
    return reshaped(values, (*shape[:dim], 1, *shape[dim:]))


# Positions in several dimensions


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any) -> tuple[Tracer, ...]:
    """Return the positions along each dimension of elements numbered in row-major order."""
    number = traced_array(indices)
    found: list[Tracer] = []
    for size in reversed(np.atleast_1d(shape).tolist()):
        found.insert(0, number % size)
        number = number // size
    return tuple(converted(position, np.int64) for position in found)


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, *, mode: Any = "raise") -> Tracer:
    """Return the numbers, in row-major order, of elements at positions along each dimension.

    Traced positions are not found out to be out of range.
    """
    sizes: Sequence[int] = np.atleast_1d(dims).tolist()
    modes = [mode] * len(sizes) if isinstance(mode, str) else list(mode)
    _, positions = traced_arrays(*multi_index)
    if len(positions) != len(sizes):
        raise ValueError(f"parameter multi_index must be a sequence of length {len(sizes)}")
    total: Any = 0
    for position, size, how in zip(positions, sizes, modes, strict=True):
        total = total * size + converted(_positions(position, size, how), np.int64)
    return traced_array(total)
