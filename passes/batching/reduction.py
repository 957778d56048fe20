"""Batching of reductions: the same reduction of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation

from ...ir.array import reduction as r
from ...ir.array.reduction import kind_of
from ...ir.array.shape import dim_of, integers_of
from ...ir.array.window import Window
from ...ir.builder import Builder
from .batched import Batched, BatchingRule, inserted, shifted


def reduce(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Reduce over the same dimensions; those before the batch vanish from its axis."""
    (value, axis), *_ = operands
    assert axis is not None
    dims = shifted(integers_of(op.properties, "dims"), axis)
    reduced = b.reduce(kind_of(op.properties), value, dims)
    return Batched(reduced, axis - sum(d < axis for d in dims))


def argreduce(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Search along the same dimension, which vanishes."""
    (value, axis), *_ = operands
    assert axis is not None
    (dim,) = shifted((dim_of(op.properties),), axis)
    return Batched(b.argreduce(kind_of(op.properties), value, dim), axis - (dim < axis))


def cumulative(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Accumulate along the same dimension."""
    (value, axis), *_ = operands
    assert axis is not None
    (dim,) = shifted((dim_of(op.properties),), axis)
    reverse = "reverse" in op.properties
    return Batched(b.cumulative(kind_of(op.properties), value, dim, reverse=reverse), axis)


def reduce_window(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Slide a window of one element along the batch."""
    (value, axis), *_ = operands
    assert axis is not None
    windows = inserted(r.windows_of(op.properties), axis, Window(1, 1, 1, 0, 0))
    return Batched(b.reduce_window(kind_of(op.properties), value, windows), axis)


RULES: Final[dict[type[Operation], BatchingRule]] = {
    r.ReduceOp: reduce,
    r.ArgReduceOp: argreduce,
    r.CumulativeOp: cumulative,
    r.ReduceWindowOp: reduce_window,
}
