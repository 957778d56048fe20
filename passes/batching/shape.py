"""Batching of shape ops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array import shape as s
from ...ir.array.shape import dim_of, integers_of
from ...ir.builder import Builder
from ...ir.types import Shape, dtype_of, shape_of
from .batched import (
    Batched,
    BatchingRule,
    at_axis,
    batched_shape,
    first_axis,
    inserted,
    moved,
    shifted,
)


def broadcast(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Insert the batch behind the dimension it follows in the operand."""
    (value, axis), *_ = operands
    assert axis is not None
    dims = integers_of(op.properties, "dims")
    place = dims[axis - 1] + 1 if axis else 0
    shape = batched_shape(op.results[0], place, size)
    return Batched(b.broadcast(value, shape, inserted(shifted(dims, place), axis, place)), place)


def reshape(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Keep the batch where as many elements lie before it as before; else move it to the front."""
    (value, axis), *_ = operands
    assert axis is not None
    before, after = shape_of(op.operands[0]), shape_of(op.results[0])
    place = _cut(after, prod(before[:axis]))
    if place is None:
        value, place = moved(b, value, axis, 0), 0
    return Batched(b.reshape(value, inserted(after, place, size)), place)


def _cut(shape: Shape, count: int) -> int | None:
    """Return how many leading dimensions hold ``count`` elements, or None if no number does."""
    counts = list(accumulate(shape, mul, initial=1))
    return counts.index(count) if count in counts else None


def transpose(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Leave the batch where it is and permute the others around it."""
    (value, axis), *_ = operands
    assert axis is not None
    permutation = shifted(integers_of(op.properties, "permutation"), axis)
    return Batched(b.transpose(value, inserted(permutation, axis, axis)), axis)


def slice_(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Take all of the batch."""
    (value, axis), *_ = operands
    assert axis is not None
    starts, limits, strides = (
        inserted(integers_of(op.properties, name), axis, whole)
        for name, whole in (("starts", 0), ("limits", size), ("strides", 1))
    )
    return Batched(b.slice(value, starts, limits, strides), axis)


def pad(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Pad nothing along the batch; a padding value of its own for each example is selected in."""
    x, value = operands
    if value.axis is not None:
        return _pad_by_select(b, op, x, value, size)
    assert x.axis is not None
    return Batched(_padded(b, op, x.value, value.value, x.axis), x.axis)


def _padded(b: Builder, op: Operation, x: SSAValue, value: SSAValue, axis: int | None) -> SSAValue:
    edges = [integers_of(op.properties, name) for name in ("low", "high", "interior")]
    if axis is not None:
        edges = [inserted(widths, axis, 0) for widths in edges]
    return b.pad(x, value, *edges)


def _pad_by_select(b: Builder, op: Operation, x: Batched, value: Batched, size: int) -> Batched:
    axis = 0 if x.axis is None else x.axis
    result = op.results[0]
    shape = batched_shape(result, axis, size)
    inside = _padded(
        b,
        op,
        b.full(shape_of(op.operands[0]), np.dtype(np.bool_), True),
        b.full((), np.dtype(np.bool_), False),
        None,
    )
    zero = b.full((), dtype_of(result), 0)
    values = _padded(b, op, at_axis(b, x, axis, size), zero, axis)
    choice = at_axis(b, Batched(inside, None), axis, size)
    return Batched(b.select(choice, values, b.broadcast(value.value, shape, (axis,))), axis)


def concatenate(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Bring all operands to the axis of the first batched one."""
    axis = first_axis(operands)
    (dim,) = shifted((dim_of(op.properties),), axis)
    values = [at_axis(b, operand, axis, size) for operand in operands]
    return Batched(b.concatenate(values, dim), axis)


def reverse(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Reverse the same dimensions."""
    (value, axis), *_ = operands
    assert axis is not None
    return Batched(b.reverse(value, shifted(integers_of(op.properties, "dims"), axis)), axis)


RULES: Final[dict[type[Operation], BatchingRule]] = {
    s.BroadcastOp: broadcast,
    s.ReshapeOp: reshape,
    s.TransposeOp: transpose,
    s.SliceOp: slice_,
    s.PadOp: pad,
    s.ConcatenateOp: concatenate,
    s.ReverseOp: reverse,
}

NEVER_BATCHED: Final[dict[type[Operation], str]] = {
    s.ConstantOp: "has no operands",
    s.IotaOp: "has no operands",
}
"""Ops without a rule, and why they need none."""
