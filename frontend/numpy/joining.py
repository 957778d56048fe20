"""Functions that join arrays, split them, or repeat them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..tracer import Tracer
from .manipulation import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    moveaxis,
    ravel,
    reshaped,
    sizes,
    sliced,
)
from .operands import (
    broadcast,
    converted,
    leaves,
    shape_error,
    stack_parts,
    traced_array,
    traced_arrays,
    xp,
)
from .registry import implements


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, axis: int | None = 0, *, dtype: Any = None) -> Tracer:
    """Join arrays along an axis that they have; all of them flattened if it is None.

    Raises:
        ShapeError: if their other dimensions differ.
    """
    _, parts = traced_arrays(*arrays)
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    if any(x.ndim == 0 for x in parts):
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    dim = normalize_axis_index(axis, parts[0].ndim)
    rest = {(*x.shape[:dim], 0, *x.shape[dim + 1 :]) for x in parts}
    if len(rest) > 1:
        raise shape_error(f"arrays to be joined along axis {dim} must agree in the others", parts)
    common = np.result_type(*[x.dtype for x in parts]) if dtype is None else np.dtype(dtype)
    values = [converted(x, common).value for x in parts]
    return parts[0].trace.tracer(parts[0].trace.builder.concatenate(values, dim))


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None) -> Tracer:
    """Join arrays of one shape along a new axis."""
    _, parts = traced_arrays(*arrays)
    joined = stack_parts(parts, normalize_axis_index(axis, parts[0].ndim + 1))
    return joined if dtype is None else converted(joined, dtype)


def _several(raise_rank: Callable[..., Any], operands: Any) -> Sequence[Tracer]:
    raised = raise_rank(*operands)
    return raised if isinstance(raised, tuple) else (raised,)


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None) -> Tracer:
    """Join arrays as rows."""
    return concatenate(_several(atleast_2d, tup), 0, dtype=dtype)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None) -> Tracer:
    """Join arrays column by column; vectors end to end."""
    parts = _several(atleast_1d, tup)
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype)


@implements(np.dstack)
def dstack(tup: Any) -> Tracer:
    """Join arrays along the third axis."""
    return concatenate(_several(atleast_3d, tup), 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Tracer:
    """Join vectors as columns, matrices by their columns."""
    _, parts = traced_arrays(*tup)
    return concatenate([reshaped(x, (x.size, 1)) if x.ndim < 2 else x for x in parts], 1)


@implements(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Tracer:
    """Join values to the end of an array; both flattened if ``axis`` is None."""
    return concatenate(traced_arrays(arr, values)[1], axis)


@implements(np.block)
def block(arrays: Any) -> Tracer:
    """Join nested lists of blocks: innermost lists along the last axis, and so on outwards."""
    depth = _depth(arrays)
    rank = max(depth, *(np.ndim(x) for x in leaves(arrays)))
    return _block(arrays, rank, rank - depth)


def _depth(nested: Any) -> int:
    return 1 + max(map(_depth, nested), default=0) if isinstance(nested, list) else 0


def _block(nested: Any, rank: int, axis: int) -> Any:
    """Join a list along ``axis``, its own lists along the axes after it."""
    if not isinstance(nested, list):
        return xp.reshape(nested, (1,) * (rank - np.ndim(nested)) + np.shape(nested))
    return concatenate([_block(item, rank, axis + 1) for item in nested], axis)


@implements(np.array_split, views=True)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tracer]:
    """Split an array along an axis at indices, or into so many parts, the first ones the longer."""
    x = traced_array(ary)
    dim = normalize_axis_index(axis, x.ndim)
    size = x.shape[dim]
    if np.ndim(indices_or_sections) == 0:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        cuts = np.cumsum([0] + [size // count + (i < size % count) for i in range(count)])
        return [sliced(x, dim, a, b) for a, b in pairwise(cuts.tolist())]
    bounds = [slice(a, b) for a, b in pairwise([0, *indices_or_sections, None])]
    limits = [bound.indices(size) for bound in bounds]
    return [sliced(x, dim, start, max(start, stop)) for start, stop, _ in limits]


@implements(np.split, views=True)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tracer]:
    """Split an array along an axis at indices, or into so many equal parts."""
    x = traced_array(ary)
    size = x.shape[normalize_axis_index(axis, x.ndim)]
    if np.ndim(indices_or_sections) == 0 and size % int(indices_or_sections):
        raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


@implements(np.hsplit, views=True)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Tracer]:
    """Split an array by columns; a vector along its only axis."""
    x = _of_rank(ary, 1, "hsplit")
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@implements(np.vsplit, views=True)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Tracer]:
    """Split an array by rows."""
    return split(_of_rank(ary, 2, "vsplit"), indices_or_sections, 0)


@implements(np.dsplit, views=True)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Tracer]:
    """Split an array along its third axis."""
    return split(_of_rank(ary, 3, "dsplit"), indices_or_sections, 2)


def _of_rank(ary: Any, rank: int, name: str) -> Tracer:
    x = traced_array(ary)
    if x.ndim < rank:
        raise ValueError(f"{name} only works on arrays of {rank} or more dimensions")
    return x


@implements(np.unstack, views=True)
def unstack(x: Any, *, axis: int = 0) -> tuple[Tracer, ...]:
    """Split an array into its slices along an axis, which vanishes."""
    a = traced_array(x)
    if a.ndim == 0:
        raise ValueError("Input array must be at least 1-d.")
    return tuple(moveaxis(a, axis, 0))


@implements(np.tile)
def tile(A: Any, reps: Any) -> Tracer:
    """Repeat an array as a whole, so many times along each axis."""
    x = traced_array(A)
    counts = sizes(reps)
    rank = max(x.ndim, len(counts))
    shape = (1,) * (rank - x.ndim) + x.shape
    counts = (1,) * (rank - len(counts)) + counts
    pairs = tuple(n for pair in zip(counts, shape) for n in pair)
    parted = reshaped(x, tuple(n for size in shape for n in (1, size)))
    return reshaped(broadcast(parted, pairs), tuple(a * b for a, b in zip(counts, shape)))


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Tracer:
    """Return an array of another size, filled by repeating the elements in order."""
    x = ravel(a)
    shape = sizes(new_shape)
    if min(shape, default=0) < 0:
        raise ValueError("all elements of `new_shape` must be non-negative")
    size = prod(shape)
    if not x.size:
        return xp.zeros_like(x, shape=shape)
    return reshaped(sliced(tile(x, -(-size // x.size)), 0, 0, size), shape)
