"""Simplification of indexing: positions that are known make slices of windows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import indexing as n
from ...ir.array import shape as s
from ...ir.array.indexing import kind_of as scatter_kind_of
from ...ir.array.shape import dim_of
from ...ir.attributes import ScatterKind
from ...ir.types import Shape, dtype_of, element_of, is_splat, shape_of, tensor_info, to_numpy
from .ranges import Range, range_of
from .rules import Compositions, RuleBuilder, Rules, constant_of, integers_of, kind_of, splat_of

_INT64: Final = np.dtype(np.int64)

MOST_INDICES: Final = 4096
"""A constant of more indices is not looked at."""

# Windows


def _window_starts(
    b: RuleBuilder, starts: Sequence[SSAValue], shape: Shape, sizes: Shape
) -> list[SSAValue] | None:
    """Return simpler starts of the same window: 0 where it is as large as what it is in.

    Constants are moved inside.
    """
    changed = list(starts)
    for d, (start, whole, part) in enumerate(zip(starts, shape, sizes)):
        known = splat_of(start)
        inside = 0 if whole == part else None if known is None else _clamped(known, whole - part)
        if inside is not None and inside != known:
            changed[d] = b.full((), _INT64, inside)
    return None if changed == list(starts) else changed


def _clamped(position: int, limit: int) -> int:
    return min(max(int(position), 0), limit)


def _simple_dynamic_slice(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A window of everything is the operand, one at known positions a slice."""
    x, *starts = op._operands
    shape, sizes = shape_of(x), shape_of(op.results[0])
    if shape == sizes:
        return x
    simpler = _window_starts(b, starts, shape, sizes)
    if simpler is not None:
        return b.dynamic_slice(x, simpler, sizes)
    known = [splat_of(start) for start in starts]
    if any(k is None for k in known):
        return None
    first = [int(k) for k in known]  # type: ignore[arg-type]
    return b.slice(x, first, [a + m for a, m in zip(first, sizes)])


def _simple_dynamic_update(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A window of everything replaces the operand."""
    x, update, *starts = op._operands
    shape, sizes = shape_of(x), shape_of(update)
    if shape == sizes:
        return update
    if 0 in sizes:
        return x
    simpler = _window_starts(b, starts, shape, sizes)
    return None if simpler is None else b.dynamic_update_slice(x, update, simpler)


def _update_of_constant(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A known window of equal elements is a window with padding."""
    x, update, *starts = op._operands
    element, known = splat_of(x), [splat_of(start) for start in starts]
    if element is None or any(k is None for k in known):
        return None
    low = [int(k) for k in known]  # type: ignore[arg-type]
    sizes = zip(shape_of(x), low, shape_of(update))
    return b.pad(update, b.full((), dtype_of(x), element), low, [m - a - k for m, a, k in sizes])


def _slice_of_update(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """The window that was just written."""
    _, update, *starts = inner._operands
    same = list(op._operands[1:]) == starts and shape_of(op.results[0]) == shape_of(update)
    return update if same else None


def _update_of_update(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A window that is written twice."""
    _, update, *starts = op._operands
    x, before, *others = inner._operands
    if starts != others or shape_of(update) != shape_of(before):
        return None
    return b.dynamic_update_slice(x, update, starts)


def _slice_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Take the window before elements are repeated."""
    dims = integers_of(inner, "dims")
    shape, starts = shape_of(op.results[0]), op._operands[1:]
    small = b.dynamic_slice(
        inner._operands[0], [starts[d] for d in dims], tuple(shape[d] for d in dims)
    )
    return b.broadcast(small, shape, dims)


def _slice_of_iota(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Count from the window's start on."""
    shape, dtype = tensor_info(op.results[0])
    dim = dim_of(inner.properties)
    if dtype.kind not in "iu":
        return None
    limit = shape_of(inner.results[0])[dim] - shape[dim]
    first = b.convert(_inside(b, op._operands[1 + dim], limit), dtype)
    return b.add(b.iota(shape, dtype, dim), b.broadcast(first, shape, ()))


def _inside(b: RuleBuilder, position: SSAValue, limit: int) -> SSAValue:
    return b.clamp(b.full_like(position, 0), position, b.full_like(position, limit))


# Gathers


def _gather_of_one(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A gather from one position is a window."""
    x, *indices = op._operands
    if prod(shape_of(indices[0])) != 1:
        return None
    starts, sizes = _position_as_window(b, x, indices, integers_of(op, "dims"))
    return b.reshape(b.dynamic_slice(x, starts, sizes), shape_of(op.results[0]))


def _position_as_window(
    b: RuleBuilder, x: SSAValue, indices: Sequence[SSAValue], dims: Sequence[int]
) -> tuple[list[SSAValue], Shape]:
    """Return starts and sizes of the window that arrays of one position take."""
    starts, sizes = [b.full((), _INT64, 0)] * len(shape_of(x)), list(shape_of(x))
    for index, dim in zip(indices, dims):
        starts[dim], sizes[dim] = b.reshape(index, ()), 1
    return starts, tuple(sizes)


def _gather_of_known(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Equally spaced positions along one dimension are a slice."""
    x, *indices = op._operands
    known = _known_indices(indices[0])
    (dim, *others), shape = integers_of(op, "dims"), shape_of(x)
    if others or known is None or known.ndim != 1:
        return None
    places = np.clip(known, 0, shape[dim] - 1).tolist()
    step = places[1] - places[0]
    if step == 0 or any(after - before != step for before, after in pairwise(places)):
        return None
    first, last = min(places), max(places)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[dim], limits[dim], strides[dim] = first, last + 1, abs(step)
    part = b.slice(x, starts, limits, strides)
    part = b.reverse(part, [dim] if step < 0 else [])
    rest = [d for d in range(len(shape)) if d != dim]
    return b.transpose(part, (dim, *rest))


def _known_indices(index: SSAValue) -> np.ndarray | None:
    attribute = constant_of(index)
    if attribute is None or prod(shape_of(index)) > MOST_INDICES or prod(shape_of(index)) < 2:
        return None
    return to_numpy(attribute)


def _gather_along_known(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A position that is the same for all is a slice before the gather."""
    x, *indices = op._operands
    dims, shape = integers_of(op, "dims"), shape_of(x)
    same = {d: splat_of(index) for d, index in zip(dims, indices)}
    fixed = {d: _clamped(k, shape[d] - 1) for d, k in same.items() if k is not None}
    if not fixed or len(fixed) == len(dims):
        return None
    starts = [fixed.get(d, 0) for d in range(len(shape))]
    limits = [fixed[d] + 1 if d in fixed else m for d, m in enumerate(shape)]
    kept = [d for d in range(len(shape)) if d not in fixed]
    part = b.reshape(b.slice(x, starts, limits), tuple(shape[d] for d in kept))
    rest = [(index, kept.index(d)) for index, d in zip(indices, dims) if d not in fixed]
    return b.gather(part, *zip(*rest))


def _gather_of_constant(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Of equal elements it does not matter which are taken."""
    attribute = constant_of(op._operands[0])
    if attribute is None or not is_splat(attribute):
        return None
    return b.full(*tensor_info(op.results[0]), element_of(attribute))


def _gather_of_iota(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """What counts along an indexed dimension is its index."""
    x, *indices = op._operands
    dim, dims = dim_of(inner.properties), integers_of(op, "dims")
    shape, dtype = tensor_info(op.results[0])
    rank = len(shape_of(indices[0]))
    if dim not in dims:
        place = [d for d in range(len(shape_of(x))) if d not in dims].index(dim)
        return b.iota(shape, dtype, rank + place)
    index = indices[dims.index(dim)]
    inside = _inside(b, index, shape_of(x)[dim] - 1)
    return b.broadcast(b.convert(inside, dtype), shape, range(rank))


# Scatters


def _scatter_to_one(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """An update of one position that is in range for sure replaces a window."""
    x, update, *indices = op._operands
    dims, shape = integers_of(op, "dims"), shape_of(x)
    if prod(shape_of(indices[0])) != 1 or prod(shape_of(x)) == 0:
        return None
    ranges = [range_of(index) for index in indices]
    if not all(_is_inside(r, shape[d]) for r, d in zip(ranges, dims)):
        return None
    starts, sizes = _position_as_window(b, x, indices, dims)
    window = b.reshape(update, sizes)
    combine = _COMBINE.get(scatter_kind_of(op.properties))
    if combine is not None:
        window = combine(b, b.dynamic_slice(x, starts, sizes), window)
    return b.dynamic_update_slice(x, window, starts)


_COMBINE: Final = {
    ScatterKind.ADD: RuleBuilder.add,
    ScatterKind.MUL: RuleBuilder.mul,
    ScatterKind.MIN: RuleBuilder.min,
    ScatterKind.MAX: RuleBuilder.max,
}


def _is_inside(found: Range, size: int) -> bool:
    return found.low >= 0 and found.high < size


def _scatter_to_distinct(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Known positions may be known to be distinct."""
    x, update, *indices = op._operands
    dims, shape = integers_of(op, "dims"), shape_of(x)
    if "unique" in op.properties or not _are_distinct(indices, [shape[d] for d in dims]):
        return None
    kind = scatter_kind_of(op.properties)
    return b.scatter(kind, x, update, indices, dims, unique=True)


def _are_distinct(indices: Sequence[SSAValue], sizes: Sequence[int]) -> bool:
    if prod(shape_of(indices[0])) < 2:
        return True
    known = [_known_indices(index) for index in indices]
    if any(k is None for k in known):
        return False
    flat = np.stack([k.reshape(-1) for k in known if k is not None])
    inside = np.logical_and.reduce([(k >= 0) & (k < m) for k, m in zip(flat, sizes)])
    columns = flat[:, inside]
    return bool(np.unique(columns, axis=1).shape == columns.shape)


def _scatter_of_nothing(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x, update, *_ = op._operands
    return x if 0 in shape_of(update) else None


RULES: Final[Rules] = {
    n.DynamicSliceOp: [_simple_dynamic_slice],
    n.DynamicUpdateSliceOp: [_simple_dynamic_update],
    n.GatherOp: [_gather_of_one, _gather_of_known, _gather_along_known],
    n.ScatterOp: [_scatter_of_nothing, _scatter_to_one, _scatter_to_distinct],
}

# Sums with what was put among zeros


def _add_to_update(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Add a window among zeros to the window of the other array alone.

    Of floats it is not exact: zeros outside the window may be negative.
    """
    zeros, update, *starts = inner._operands
    x = _other_operand(op, inner)
    if not _may_add_zeros(b, zeros) or x is None or not b.is_used_once(inner):
        return None
    window = b.dynamic_slice(x, starts, shape_of(update))
    return b.dynamic_update_slice(x, b.add(window, update), starts)


def _add_to_scatter(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Add to the elements of the other array alone what is added to zeros; exact as above."""
    zeros, update, *indices = inner._operands
    x = _other_operand(op, inner)
    if scatter_kind_of(inner.properties) is not ScatterKind.ADD:
        return None
    if not _may_add_zeros(b, zeros) or x is None or not b.is_used_once(inner):
        return None
    unique = "unique" in inner.properties
    return b.scatter("add", x, update, indices, integers_of(inner, "dims"), unique=unique)


def _may_add_zeros(b: RuleBuilder, zeros: SSAValue) -> bool:
    return splat_of(zeros) == 0 and (kind_of(zeros) in "iu" or b.fast)


def _other_operand(op: Operation, inner: Operation) -> SSAValue | None:
    x, y = op._operands
    if x is y:
        return None
    return y if x.owner is inner else x


COMPOSITIONS: Final[Compositions] = {
    (n.DynamicSliceOp, 0, s.ConstantOp): _gather_of_constant,
    (n.DynamicSliceOp, 0, s.BroadcastOp): _slice_of_broadcast,
    (n.DynamicSliceOp, 0, s.IotaOp): _slice_of_iota,
    (n.DynamicSliceOp, 0, n.DynamicUpdateSliceOp): _slice_of_update,
    (n.DynamicUpdateSliceOp, 0, s.ConstantOp): _update_of_constant,
    (n.DynamicUpdateSliceOp, 0, n.DynamicUpdateSliceOp): _update_of_update,
    (n.GatherOp, 0, s.ConstantOp): _gather_of_constant,
    (n.GatherOp, 0, s.IotaOp): _gather_of_iota,
    **{(e.AddOp, i, n.DynamicUpdateSliceOp): _add_to_update for i in (0, 1)},
    **{(e.AddOp, i, n.ScatterOp): _add_to_scatter for i in (0, 1)},
}
