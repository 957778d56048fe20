"""Updates in place: when a kernel may write its result over the array that it updates."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final, TypeAlias

from xdsl.ir import Block, Operation, SSAValue

from ..array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp, ScatterOp
from ..array.shape import ConstantOp, ReshapeOp, SliceOp
from ..types import element_of, shape_of
from .space import is_elementwise, squeeze

Update: TypeAlias = DynamicUpdateSliceOp | ScatterOp

UPDATING: Final[frozenset[type[Operation]]] = frozenset((DynamicUpdateSliceOp, ScatterOp))
"""Ops that give back their first operand with some of its elements replaced."""


def update_of(block: Block) -> Update | None:
    """Return the op of a fusion's body whose result is stored over the array that it updates."""
    assert block.last_op is not None
    found = block.last_op.operands[0].owner
    fusion = block.parent_op()
    if fusion is not None and fusion.properties["schedule"].data.whole:  # type: ignore[attr-defined]
        return None
    return found if isinstance(found, DynamicUpdateSliceOp | ScatterOp) else None


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
        if shape_of(inner.results[0]) != shape_of(op.update):
            return False
        if isinstance(inner, SliceOp):
            plain = all(step == 1 for step in inner.strides.data)
            return plain and list(inner.starts.data) == known_starts(op)
        return isinstance(inner, DynamicSliceOp) and tuple(inner.starts) == tuple(op.starts)
    if isinstance(inner, GatherOp):
        same = tuple(inner.indices) == tuple(op.indices) and inner.dims == op.dims
        return same and (op.unique is not None or not shape_of(op.indices[0]))
    return isinstance(inner, DynamicSliceOp) and _is_one_position(inner, op)


def known_starts(op: DynamicUpdateSliceOp) -> list[int] | None:
    """Return where a window is, if that is known, and not out of range."""
    starts = []
    for start, n, m in zip(op.starts, shape_of(op.operand), shape_of(op.update)):
        owner = start.owner
        if not isinstance(owner, ConstantOp):
            return None
        starts.append(min(max(int(element_of(owner.value)), 0), n - m))
    return starts


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
