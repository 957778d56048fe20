"""Batching of ordering: the same sort of each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation

from ...ir.array import ordering as o
from ...ir.builder import Builder
from .batched import Batched, BatchingRule, at_axis, first_axis, shifted


def sort(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> list[Batched]:
    """Sort all examples along the same dimension; once, if their keys are the same."""
    assert isinstance(op, o.SortOp)
    keys, dim = op.keys.value.data, op.dim.data
    if all(axis is None for _, axis in operands[:keys]):
        return _sort_once(b, op, operands)
    axis = first_axis(operands)
    (moved_dim,) = shifted((dim,), axis)
    values = [at_axis(b, operand, axis, size) for operand in operands]
    return [Batched(value, axis) for value in b.sort(values, moved_dim, keys)]


def _sort_once(b: Builder, op: o.SortOp, operands: Sequence[Batched]) -> list[Batched]:
    """Sort by keys that all examples share, and take what is a batch by the permutation."""
    dim = op.dim.data
    shared = [i for i, (_, axis) in enumerate(operands) if axis is None]
    *values, permutation = b.sort([operands[i].value for i in shared], dim, op.keys.value.data)
    results = {i: Batched(value, None) for i, value in zip(shared, values)}
    positions = b.positions_along(permutation, dim)
    for i, (value, axis) in enumerate(operands):
        if axis is not None:
            dims = shifted(range(len(positions)), axis)
            results[i] = Batched(b.gather(value, positions, dims), len(positions))
    return [*(results[i] for i in range(len(operands))), Batched(permutation, None)]


RULES: Final[dict[type[Operation], BatchingRule]] = {o.SortOp: sort}
