"""Batching of contractions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ...ir.array import contraction as c
from ...ir.array.contraction import free_dims
from ...ir.array.shape import integers_of
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of
from .batched import Batched, BatchingRule, batched_shape, moved, shifted


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


def convolution(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Examples of the input join its batch, those of the kernel its features; both are groups."""
    lhs, rhs = operands
    out = op.results[0]
    features = len(shape_of(out)) - 1
    groups = c.groups_of(op.properties)
    windows = c.windows_of(shape_of(op.operands[1]), op.properties)
    if size == 0:
        return Batched(b.full(batched_shape(out, 0, 0), dtype_of(out), 0), 0)
    if rhs.axis is None:
        joined = b.convolution(_joined(b, lhs, 0), rhs.value, windows, groups)
        return Batched(b.reshape(joined, batched_shape(out, 0, size)), 0)
    if lhs.axis is not None:
        x, kernel = (_joined(b, operand, features) for operand in operands)
        joined = b.convolution(x, kernel, windows, size * groups)
        return Batched(b.reshape(joined, batched_shape(out, features, size)), features)
    taps = shape_of(op.operands[1])[:-1]
    in_group = shape_of(out)[-1] // groups
    kernel = moved(b, rhs.value, rhs.axis, features)
    kernel = moved(b, b.reshape(kernel, (*taps, size, groups, in_group)), features, features + 1)
    kernel = b.reshape(kernel, (*taps, groups * size * in_group))
    joined = b.convolution(lhs.value, kernel, windows, groups)
    parted = b.reshape(joined, (*shape_of(out)[:-1], groups, size, in_group))
    parted = moved(b, parted, features + 1, features)
    return Batched(b.reshape(parted, batched_shape(out, features, size)), features)


def _joined(b: Builder, operand: Batched, dim: int) -> SSAValue:
    """Return a batch as part of one dimension of the examples, in which it counts outermost."""
    value, axis = operand
    assert axis is not None
    value = moved(b, value, axis, dim)
    shape = shape_of(value)
    return b.reshape(value, (*shape[:dim], shape[dim] * shape[dim + 1], *shape[dim + 2 :]))


RULES: Final[dict[type[Operation], BatchingRule]] = {
    c.DotGeneralOp: dot_general,
    c.ConvolutionOp: convolution,
}
