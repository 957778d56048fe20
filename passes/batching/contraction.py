"""Batching of contractions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation

from ...ir.array import contraction as c
from ...ir.array.contraction import free_dims
from ...ir.array.shape import integers_of
from ...ir.builder import Builder
from ...ir.types import shape_of
from .batched import Batched, BatchingRule, shifted


def dot_general(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """The batch of one operand is a free dimension; that of both is a batch dimension."""
    names = (("lhs_batch", "lhs_contract"), ("rhs_batch", "rhs_contract"))
    (lhs_batch, lhs_contract), (rhs_batch, rhs_contract) = (
        [_shifted(integers_of(op.properties, name), operand.axis) for name in side]
        for operand, side in zip(operands, names)
    )
    lhs, rhs = operands
    axis = 0
    if lhs.axis is not None and rhs.axis is not None:
        lhs_batch, rhs_batch = [lhs.axis, *lhs_batch], [rhs.axis, *rhs_batch]
    else:
        lhs_free = free_dims(len(shape_of(lhs.value)), (*lhs_batch, *lhs_contract))
        rhs_free = free_dims(len(shape_of(rhs.value)), (*rhs_batch, *rhs_contract))
        free = lhs_free.index(lhs.axis) if lhs.axis is not None else len(lhs_free)
        if rhs.axis is not None:
            free += rhs_free.index(rhs.axis)
        axis = len(lhs_batch) + free
    product = b.dot_general(
        lhs.value,
        rhs.value,
        batch=(lhs_batch, rhs_batch),
        contract=(lhs_contract, rhs_contract),
    )
    return Batched(product, axis)


def _shifted(dims: Sequence[int], axis: int | None) -> list[int]:
    return list(dims) if axis is None else shifted(dims, axis)


RULES: Final[dict[type[Operation], BatchingRule]] = {c.DotGeneralOp: dot_general}
