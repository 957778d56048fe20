"""Batching of indexing: the batch is one more dimension that is indexed, or taken as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array import indexing as n
from ...ir.array.indexing import indexed_first, kind_of
from ...ir.array.shape import integers_of
from ...ir.builder import Builder
from ...ir.types import Shape, shape_of
from .batched import Batched, BatchingRule, at_axis, inserted, shifted

_INT64 = np.dtype(np.int64)

# Windows


def dynamic_slice(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Take all of the batch; where examples have positions of their own, gather the windows."""
    x, *starts = operands
    shape, sizes = shape_of(op.operands[0]), shape_of(op.results[0])
    own = _differing(starts, shape, sizes)
    common = tuple(n if d in own else m for d, (n, m) in enumerate(zip(shape, sizes)))
    value = _sliced(b, x, starts, common, size)
    if not own:
        return Batched(value, x.axis)
    bases = {d: starts[d] for d in own}
    indices, dims = _window_indices(b, bases, shape, sizes, size)
    rank = len(shape)
    if x.axis is not None:
        indices = [b.iota(shape_of(indices[0]), _INT64, 0), *indices]
        dims = [x.axis, *shifted(dims, x.axis)]
    taken = b.gather(value, indices, dims)
    order = indexed_first(rank, own)
    return Batched(b.transpose(taken, (0, *(1 + order.index(d) for d in range(rank)))), 0)


def _differing(starts: Sequence[Batched], shape: Shape, sizes: Shape) -> list[int]:
    """Return the dimensions along which each example's window has a position of its own."""
    return [
        d
        for d, (start, whole, part) in enumerate(zip(starts, shape, sizes))
        if start.axis is not None and part < whole
    ]


def _sliced(b: Builder, x: Batched, starts: Sequence[Batched], sizes: Shape, size: int) -> SSAValue:
    """Take a window of all examples, the whole along dimensions whose positions differ."""
    zero = b.full((), _INT64, 0)
    places = tuple(zero if start.axis is not None else start.value for start in starts)
    if x.axis is None:
        return b.dynamic_slice(x.value, places, sizes)
    return b.dynamic_slice(x.value, inserted(places, x.axis, zero), inserted(sizes, x.axis, size))


def _window_indices(
    b: Builder, bases: dict[int, Batched], shape: Shape, sizes: Shape, size: int
) -> tuple[list[SSAValue], list[int]]:
    """Return the indices of each example's window along some dimensions, and these dimensions.

    The indices have the batch first and then the dimensions of the window.
    """
    dims = list(bases)
    window = (size, *(sizes[d] for d in dims))
    indices = []
    for number, (d, start) in enumerate(bases.items(), 1):
        position, limit = start.value, shape[d] - sizes[d]
        base = b.clamp(b.full_like(position, 0), position, b.full_like(position, limit))
        along = () if start.axis is None else (0,)
        indices.append(b.add(b.broadcast(base, window, along), b.iota(window, _INT64, number)))
    return indices, dims


def dynamic_update_slice(
    b: Builder, op: Operation, operands: Sequence[Batched], size: int
) -> Batched:
    """Replace all of the batch; where examples have positions of their own, scatter the windows."""
    x, update, *starts = operands
    shape, sizes = shape_of(op.operands[0]), shape_of(op.operands[1])
    axis = x.axis if x.axis is not None else 0
    value = at_axis(b, x, axis, size)
    if not _differing(starts, shape, sizes):
        zero = b.full((), _INT64, 0)
        places = [zero if start.axis is not None else start.value for start in starts]
        part = at_axis(b, update, axis, size)
        return Batched(b.dynamic_update_slice(value, part, inserted(places, axis, zero)), axis)
    bases = {d: start for d, start in enumerate(starts) if sizes[d] < shape[d]}
    indices, dims = _window_indices(b, bases, shape, sizes, size)
    part = at_axis(b, update, 0, size)
    order = indexed_first(len(shape), dims)
    part = b.transpose(part, (0, *(1 + d for d in order)))
    indices = [b.iota(shape_of(indices[0]), _INT64, 0), *indices]
    dims = [axis, *shifted(dims, axis)]
    return Batched(b.scatter("set", value, part, indices, dims, unique=True), axis)


# Scattered positions


def _batched_indices(
    b: Builder, indices: Sequence[Batched], dims: Sequence[int], axis: int | None, size: int
) -> tuple[list[SSAValue], list[int]]:
    """Return the indices with the batch in front, and their dimensions.

    If the indexed array has the batch at ``axis``, an index that counts the examples is among them.
    """
    values = [at_axis(b, index, 0, size) for index in indices]
    if axis is None:
        return values, list(dims)
    return [b.iota(shape_of(values[0]), _INT64, 0), *values], [axis, *shifted(dims, axis)]


def _place_among_kept(dims: Sequence[int], axis: int, rank: int) -> int:
    """Return the number of dimension ``axis`` among those that are not indexed."""
    return [d for d in range(rank) if d not in dims].index(axis)


def gather(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Examples with indices of their own are indexed too; else all of the batch is taken."""
    x, *indices = operands
    dims = integers_of(op.properties, "dims")
    if any(index.axis is not None for index in indices):
        values, dims_of_all = _batched_indices(b, indices, dims, x.axis, size)
        return Batched(b.gather(x.value, values, dims_of_all), 0)
    assert x.axis is not None
    moved_dims = shifted(dims, x.axis)
    taken = b.gather(x.value, [index.value for index in indices], moved_dims)
    place = _place_among_kept(moved_dims, x.axis, len(shape_of(x.value)))
    return Batched(taken, len(shape_of(indices[0].value)) + place)


def scatter(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Examples with indices of their own are indexed too; else all of the batch is updated."""
    assert isinstance(op, n.ScatterOp)
    x, update, *indices = operands
    kind, unique = kind_of(op.properties), op.unique is not None
    axis = x.axis if x.axis is not None else 0
    value = at_axis(b, x, axis, size)
    dims = shifted(op.dims.data, axis)
    if any(index.axis is not None for index in indices):
        part = at_axis(b, update, 0, size)
        values, dims = _batched_indices(b, indices, op.dims.data, axis, size)
    else:
        values = [index.value for index in indices]
        place = _place_among_kept(dims, axis, len(shape_of(value)))
        part = at_axis(b, update, len(shape_of(values[0])) + place, size)
    return Batched(b.scatter(kind, value, part, values, dims, unique=unique), axis)


RULES: Final[dict[type[Operation], BatchingRule]] = {
    n.DynamicSliceOp: dynamic_slice,
    n.DynamicUpdateSliceOp: dynamic_update_slice,
    n.GatherOp: gather,
    n.ScatterOp: scatter,
}
