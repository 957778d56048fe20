"""Updates in place: when a kernel may write its result over the array that it updates."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final, TypeAlias

from xdsl.ir import Operation, SSAValue

from ..array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp, ScatterOp
from ..array.shape import ReshapeOp
from ..types import shape_of
from .space import is_elementwise, squeeze

Update: TypeAlias = DynamicUpdateSliceOp | ScatterOp

UPDATING: Final[frozenset[type[Operation]]] = frozenset((DynamicUpdateSliceOp, ScatterOp))
"""Ops that give back their first operand with some of its elements replaced."""


def updates_in_place(
    op: Update,
    is_target: Callable[[SSAValue], bool],
    evaluated: Callable[[SSAValue], Operation | None],
) -> bool:
    """Tell whether the op, with what is evaluated as it runs, may write to its operand's memory.

    Nothing may be read there but each element just before it is replaced, or what a single element
    is computed from.

    Args:
        op: the updating op.
        is_target: whether a value is in the memory of the op's first operand.
        evaluated: the op that computes a value while the update runs; None for what is in memory.
    """
    if prod(shape_of(op.update)) <= 1:
        return True  # it is written when all is read
    pending = [(op.update, True), *((v, False) for v in op.operands[2:])]
    seen = set(pending)
    while pending:
        value, aligned = pending.pop()
        if is_target(value):
            return False
        inner = evaluated(value)
        if inner is None:
            continue
        operands = [(v, aligned and _keeps_places(inner)) for v in inner.operands]
        if aligned and _reads_what_is_replaced(inner, op) and is_target(inner.operands[0]):
            operands = operands[1:]
        for item in operands:
            if item not in seen:
                seen.add(item)
                pending.append(item)
    return True


def _keeps_places(op: Operation) -> bool:
    """Tell whether each element is computed from the operands' elements at the same place."""
    if isinstance(op, ReshapeOp):
        return squeeze(shape_of(op.operand)) == squeeze(shape_of(op.result))
    return is_elementwise(type(op))


def _reads_what_is_replaced(inner: Operation, op: Update) -> bool:
    """Tell whether an op takes the very elements that the update replaces, in the same order."""
    if isinstance(op, DynamicUpdateSliceOp):
        return (
            isinstance(inner, DynamicSliceOp)
            and tuple(inner.starts) == tuple(op.starts)
            and shape_of(inner.result) == shape_of(op.update)
        )
    if isinstance(inner, GatherOp):
        same = tuple(inner.indices) == tuple(op.indices) and inner.dims == op.dims
        return same and (op.unique is not None or not shape_of(op.indices[0]))
    return isinstance(inner, DynamicSliceOp) and _is_one_position(inner, op)


def _is_one_position(window: DynamicSliceOp, op: ScatterOp) -> bool:
    """Tell whether a window is what a scatter to one position replaces."""
    if shape_of(op.indices[0]) or tuple(op.dims.data) != tuple(sorted(op.dims.data)):
        return False
    position = dict(zip(op.dims.data, op.indices))
    shape, sizes = shape_of(window.operand), shape_of(window.result)
    return all(
        size == 1 and start is position[d] if d in position else size == n
        for d, (start, size, n) in enumerate(zip(window.starts, sizes, shape))
    )
