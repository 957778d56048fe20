"""Values of a batched program, and the means that batching rules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation, SSAValue

from ...ir.array.shape import ConstantOp
from ...ir.builder import Builder
from ...ir.types import Shape, element_of, is_splat, shape_of, splat, tensor_info

T = TypeVar("T")


class Batched(NamedTuple):
    """A value for all examples of a batch.

    ``axis`` is the dimension of ``value`` that counts the examples; None if one value serves all.
    """

    value: SSAValue
    axis: int | None


BatchingRule: TypeAlias = Callable[
    [Builder, Operation, Sequence[Batched], int], Batched | Sequence[Batched]
]
"""Makes of an op on one example the op on a batch, and returns its result or all of its results.

Takes the builder, the op, its operands, of which at least one has an axis, and the batch's size.
"""


def inserted(items: Sequence[T], axis: int, item: T) -> tuple[T, ...]:
    """Return ``items`` with one more at ``axis``."""
    return (*items[:axis], item, *items[axis:])


def shifted(dims: Sequence[int], axis: int) -> list[int]:
    """Return where the dimensions of an example are once the batch is inserted at ``axis``."""
    return [d + (d >= axis) for d in dims]


def moved(b: Builder, value: SSAValue, source: int, target: int) -> SSAValue:
    """Move one dimension of ``value``."""
    dims = [d for d in range(len(shape_of(value))) if d != source]
    return b.transpose(value, inserted(dims, target, source))


def at_axis(b: Builder, operand: Batched, axis: int, size: int) -> SSAValue:
    """Return an operand with the batch at ``axis``; repeated if it is the same for all examples."""
    value, found = operand
    if found is not None:
        return moved(b, value, found, axis)
    shape, dtype = tensor_info(value)
    batched = inserted(shape, axis, size)
    constant = _splat_attribute(value)
    if constant is not None:
        return b.constant_attribute(splat(batched, dtype, element_of(constant)))
    return b.broadcast(value, batched, shifted(range(len(shape)), axis))


def _splat_attribute(value: SSAValue) -> DenseIntOrFPElementsAttr | None:
    owner = value.owner
    if not isinstance(owner, ConstantOp) or not is_splat(owner.value):
        return None
    return owner.value


def first_axis(operands: Sequence[Batched]) -> int:
    """Return the axis of the first operand that has one."""
    return next(axis for _, axis in operands if axis is not None)


def batched_shape(value: SSAValue, axis: int, size: int) -> Shape:
    """Return the shape of a value of one example with the batch at ``axis``."""
    return inserted(shape_of(value), axis, size)
