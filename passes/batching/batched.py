"""Values of a batched program, and the means that batching rules share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...ir.array.control import TapeType
from ...ir.array.shape import ConstantOp
from ...ir.builder import Builder
from ...ir.types import (
    Shape,
    element_of,
    is_splat,
    shape_of,
    splat,
    tensor_info,
    tensor_type,
)

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


Flags: TypeAlias = Sequence[bool]
"""Which of the operands, results or arguments carry the batch."""


class Lanes(ABC):
    """A batch in the making, within one block: what rules of ops with regions need.

    Attributes:
        size: the number of lanes, which are the examples of the batch.
        mask: which lanes go on, where only some do; the others may compute anything but must not
            loop for ever.
    """

    size: int
    name: str | None
    mask: SSAValue | None

    @abstractmethod
    def append(
        self, b: Builder, body: Block, arguments: Sequence[Batched], mask: SSAValue | None = None
    ) -> tuple[list[Batched], SSAValue | None]:
        """Append what a block does for each lane; return its results.

        ``mask`` tells which lanes go on. It comes back without those that turned out to have
        nothing on a tape that the block pops.
        """

    @abstractmethod
    def of_size(self, size: int) -> Lanes:
        """Return a batch of another size, without a mask."""

    @abstractmethod
    def batched(self, body: Block, batched: Flags) -> list[bool]:
        """Tell which results of a block carry the batch if some arguments do."""


class LaneRule(ABC):
    """The batching of an op with regions or tapes."""

    @abstractmethod
    def batched(self, lanes: Lanes, op: Any, batched: Flags, /) -> Flags:
        """Tell which results carry the batch if some operands do."""

    @abstractmethod
    def append(
        self, lanes: Lanes, b: Builder, op: Any, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the op for all lanes; return its results."""


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
    if isinstance(value.type, TapeType):
        return value
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


def batched_type(type_: Attribute, axis: int | None, size: int) -> Attribute:
    """Return the type of a value of one example with the batch at ``axis``, if there is one.

    A tape for a batch holds, in front of the items, which lanes have pushed them.
    """
    if axis is None:
        return type_
    if isinstance(type_, TapeType):
        mask = tensor_type((size,), np.dtype(np.bool_))
        return TapeType.of([mask, *(batched_type(item, 0, size) for item in type_.types)])
    shape, dtype = tensor_info(type_)
    return tensor_type(inserted(shape, axis, size), dtype)
