"""What kernels with loops share: their operands, memory of their own, and what comes before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import Final

import numpy as np
from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from ...ir.array.shape import ConstantOp, PadOp
from ...ir.kernel.ops import FusionOp
from ...ir.types import Shape, dtype_of, row_major, shape_of
from .affine import axis_index, linearize
from .loop_builder import LoopBuilder
from .nest import NestEmitter, Store, store_to
from .reader import Leaf, Reader

_OWN_AXES: Final = 1 << 10
"""Where the axes of a value that is materialised on its own start."""


class KernelLowering:
    """Emits the loops of one bufferised fusion; subclasses say which."""

    def __init__(
        self,
        builder: LoopBuilder,
        fusion: FusionOp,
        held: Mapping[SSAValue, Sequence[SSAValue]] = {},
    ) -> None:
        self.b = builder
        self.fusion = fusion
        self.block = fusion.body.block
        self.schedule = fusion.schedule.data
        self.reader = Reader(builder, {})
        self.owned: list[SSAValue] = []
        for argument, operand in zip(self.block.args, fusion.ins):
            if operand in held:
                (self.reader.scalars[argument],) = held[operand]
            else:
                self.reader.leaves[argument] = self.leaf(argument, operand)

    def leaf(self, value: SSAValue, buffer: SSAValue) -> Leaf:
        """Return a buffer as the memory of a value."""
        shape = shape_of(value)
        return Leaf(self.b.flat(buffer, dtype_of(value), prod(shape)), row_major(shape))

    def new_leaf(self, dtype: np.dtype, shape: Shape) -> Leaf:
        """Return memory that is given back at the end."""
        buffer = self.b.scratch(dtype, prod(shape), self.owned)
        return Leaf(buffer, row_major(shape))

    @contextmanager
    def scratch_memory(self) -> Iterator[None]:
        """Give back at the end what is allocated within."""
        outer, self.owned = self.owned, []
        yield
        for buffer in self.owned:
            self.b.effect(memref.DeallocOp, (buffer,))
        self.owned = outer

    def materialize(self, value: SSAValue, targets: Sequence[Leaf] = ()) -> None:
        """Compute a value completely, with loops of its own, into memory: the targets if any."""
        op = value.owner
        assert isinstance(op, Operation)
        shape, dtype = shape_of(value), dtype_of(value)
        if isinstance(op, ConstantOp):
            buffer = self.b.global_constant(op.value)
            self.reader.leaves[value] = Leaf(buffer, row_major(shape))
            if targets:
                self.write(value, targets)
            return
        leaves = targets or [self.new_leaf(dtype, shape)]
        for leaf in leaves:
            if isinstance(op, PadOp):
                self.fill(leaf, shape, op.value)
                self._place_interior(op, leaf)
            else:
                self.write(value, [leaf])
        self.reader.leaves[value] = leaves[0]

    def fill(self, leaf: Leaf, shape: Shape, scalar: SSAValue) -> None:
        """Fill memory with a 0-d value."""
        axes = [_OWN_AXES]
        place = axis_index(_OWN_AXES)
        store = Store(scalar, (), leaf, place)
        self._emit_apart({_OWN_AXES: prod(shape)}, axes, [store])

    def write(self, value: SSAValue, leaves: Iterable[Leaf]) -> None:
        """Compute a value with loops over its own dimensions."""
        shape = shape_of(value)
        axes = [_OWN_AXES + d for d in range(len(shape))]
        index = tuple(map(axis_index, axes))
        stores = [store_to(value, index, leaf) for leaf in leaves]
        self._emit_apart(dict(zip(axes, shape)), axes, stores)

    def _place_interior(self, op: PadOp, leaf: Leaf) -> None:
        """Store a padded operand's elements that the edges do not cut off."""
        shape = shape_of(op.operand)
        steps = [n + 1 for n in op.interior.data]
        bounds = [
            _visible(n, low, step, size)
            for n, low, step, size in zip(shape, op.low.data, steps, shape_of(op.result))
        ]
        axes = [_OWN_AXES + d for d in range(len(shape))]
        index = tuple(axis_index(a).shifted(first) for a, (first, _) in zip(axes, bounds))
        target = tuple(
            form.scaled(step).shifted(low) for form, step, low in zip(index, steps, op.low.data)
        )
        extents = {a: max(end - first, 0) for a, (first, end) in zip(axes, bounds)}
        store = Store(op.operand, index, leaf, linearize(target, leaf.strides))
        self._emit_apart(extents, axes, [store])

    def _emit_apart(
        self, extents: dict[int, int], axes: Sequence[int], stores: Sequence[Store]
    ) -> None:
        self.reader.version += 1
        NestEmitter(
            self.reader, extents, stores, (), (), lanes=self.schedule.vector, overlap=False
        ).emit(axes)


def _visible(n: int, low: int, step: int, size: int) -> tuple[int, int]:
    """Return the range of the n elements at ``low``, ``low + step``, ... that are in 0..size."""
    first = max(0, -(low // step)) if low < 0 else 0
    end = min(n, (size - low + step - 1) // step)
    return first, end
