"""A fusion as loops: rows, and within each row the nests of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property
from math import prod

import numpy as np
from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from ...ir.array.elementwise import ElementwiseOp
from ...ir.array.reduction import ReduceOp, identity_of
from ...ir.array.shape import ConstantOp, PadOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.space import NO_LOOP, iteration_space, links_of, reduced_axes, reductions_of
from ...ir.types import Shape, dtype_of, is_splat, shape_of
from . import reductions
from .affine import ZERO, Affine, Index, axis_index, linearize, row_major
from .loop_builder import LoopBuilder
from .nest import NestEmitter, Reduction, Store, store_to
from .plan import Nest, Plan, plan_fusion
from .reader import Leaf, Reader

_OWN_AXES = 1 << 10
"""Where the axes of a value that is materialised on its own start."""


class FusionLowering:
    """Emits the loops of one bufferised fusion."""

    def __init__(self, builder: LoopBuilder, fusion: FusionOp) -> None:
        self.b = builder
        self.fusion = fusion
        self.block = fusion.body.block
        self.schedule = fusion.schedule.data
        self.space = iteration_space(self.block)
        self.rows = list(self.schedule.rows)
        self.extents = dict(enumerate(self.space.domain))
        self.reader = Reader(builder, {})
        self.targets: dict[SSAValue, list[Leaf]] = {}
        self.scratch: dict[SSAValue, Leaf] = {}
        self.owned: list[SSAValue] = []

    def emit(self) -> None:
        """Emit everything, from the first load to the last store."""
        for argument, buffer in zip(self.block.args, self.fusion.ins):
            self.reader.leaves[argument] = self._leaf(argument, buffer)
        for value, buffer in zip(self.fusion.terminator.operands, self.fusion.outs):
            self.targets.setdefault(value, []).append(self._leaf(value, buffer))
        plan = plan_fusion(self.block, self.space, self.rows)
        for value in plan.materialized:
            self._materialize(value)
        self._copy_arguments()
        self._start_accumulators()
        self.scratch = {value: self._row_scratch(value) for value in plan.scratch}
        self._emit_rows(plan)
        for buffer in self.owned:
            self.b.effect(memref.DeallocOp, (buffer,))

    def _leaf(self, value: SSAValue, buffer: SSAValue) -> Leaf:
        shape = shape_of(value)
        return Leaf(self.b.flat(buffer, dtype_of(value), prod(shape)), row_major(shape))

    def _new_leaf(self, dtype: np.dtype, shape: Shape) -> Leaf:
        buffer = self.b.scratch(dtype, prod(shape), self.owned)
        return Leaf(buffer, row_major(shape))

    # Values in memory before the loops

    def _materialize(self, value: SSAValue) -> None:
        """Compute a value completely, with loops of its own, into memory."""
        op = value.owner
        assert isinstance(op, Operation)
        shape, dtype = shape_of(value), dtype_of(value)
        if isinstance(op, ConstantOp):
            buffer = self.b.global_constant(op.value)
            self.reader.leaves[value] = Leaf(buffer, row_major(shape))
            self._copy(value, self.targets.get(value, ()))
            return
        leaves = self.targets.get(value) or [self._new_leaf(dtype, shape)]
        for leaf in leaves:
            if isinstance(op, PadOp):
                self._fill(leaf, shape, op.value)
                self._place_interior(op, leaf)
            else:
                self._write(value, [leaf])
        self.reader.leaves[value] = leaves[0]

    def _fill(self, leaf: Leaf, shape: Shape, scalar: SSAValue) -> None:
        """Fill memory with a 0-d value."""
        axes = [_OWN_AXES]
        place = axis_index(_OWN_AXES)
        store = Store(scalar, (), leaf, place)
        self._nest({_OWN_AXES: prod(shape)}, axes, [store])

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
        self._nest(extents, axes, [store])

    def _write(self, value: SSAValue, leaves: Iterable[Leaf]) -> None:
        """Compute a value with loops over its own dimensions."""
        shape = shape_of(value)
        axes = [_OWN_AXES + d for d in range(len(shape))]
        index = tuple(map(axis_index, axes))
        stores = [store_to(value, index, leaf) for leaf in leaves]
        self._nest(dict(zip(axes, shape)), axes, stores)

    def _copy(self, value: SSAValue, targets: Iterable[Leaf]) -> None:
        self._write(value, targets)

    def _copy_arguments(self) -> None:
        """Copy arguments that are results."""
        for argument in self.block.args:
            if argument in self.targets:
                self._copy(argument, self.targets[argument])

    def _nest(self, extents: dict[int, int], axes: Sequence[int], stores: Sequence[Store]) -> None:
        self.reader.version += 1
        NestEmitter(
            self.reader, extents, stores, (), (), lanes=self.schedule.vector, overlap=False
        ).emit(axes)

    # Reductions over rows

    def _accumulates(self, op: ReduceOp) -> bool:
        return bool(reduced_axes(op, self.space) & set(self.rows))

    def _start_accumulators(self) -> None:
        """Results of reductions over rows start at the neutral element."""
        for op in reductions_of(self.block):
            if self._accumulates(op):
                dtype, shape = dtype_of(op.result), shape_of(op.result)
                start = self.b.constant(dtype, 0, identity_of(op.kind.data, dtype))
                self.reader.scalars[op.result] = start
                for leaf in self.targets.get(op.result, ()):
                    self._fill(leaf, shape, op.result)
                del self.reader.scalars[op.result]

    # The rows

    def _emit_rows(self, plan: Plan) -> None:
        with ExitStack() as loops:
            for axis in self.rows:
                extent = self.extents[axis]
                loop = loops.enter_context(self.b.loop(0, extent, 1))
                self.reader.positions[axis] = loop.variable
                self.reader.bounds[axis] = (0, extent)
            for nest in plan.nests:
                self._emit_nest(nest)

    def _emit_nest(self, nest: Nest) -> None:
        self.reader.version += 1
        whole = [op for op in nest.reductions if not self._keeps_columns(op)]
        stores = [*self._stores(nest), *self._accumulating_stores(nest)]
        computed = [(v, self.index_of(v)) for v in nest.computed]
        axes, extents = self._collapsed(nest, stores)
        emitter = NestEmitter(
            self.reader,
            extents,
            stores,
            [Reduction(op.kind.data, op.operand, self.index_of(op.operand)) for op in whole],
            computed,
            lanes=self.schedule.vector,
            unroll=self.schedule.unroll,
            overlap=not self._in_place,
        )
        for op, result in zip(whole, emitter.emit(axes)):
            self._end_reduction(op, result)
        for value in nest.stores:
            if value in self.scratch:
                self.reader.leaves[value] = self.scratch[value]

    def _keeps_columns(self, op: ReduceOp) -> bool:
        """Tell whether a reduction runs over rows alone, so that each row adds to its result."""
        return reduced_axes(op, self.space) <= set(self.rows)

    def _stores(self, nest: Nest) -> list[Store]:
        stores = []
        for value in nest.stores:
            leaves = self.targets.get(value) or [self.scratch[value]]
            stores += [store_to(value, self.index_of(value), leaf) for leaf in leaves]
        return stores

    def _accumulating_stores(self, nest: Nest) -> list[Store]:
        return [
            Store(
                op.operand,
                self.index_of(op.operand),
                leaf,
                linearize(self.index_of(op.result), leaf.strides),
                op.kind.data,
            )
            for op in nest.reductions
            if self._keeps_columns(op)
            for leaf in self.targets[op.result]
        ]

    def _end_reduction(self, op: ReduceOp, result: SSAValue) -> None:
        """Store the result of a row, and keep it for the nests that follow."""
        kind = op.kind.data if self._accumulates(op) else None
        self.reader.scalars[op.result] = result
        dtype = dtype_of(op.result)
        for leaf in self.targets.get(op.result, ()):
            offset = self.b.affine(
                linearize(self.index_of(op.result), leaf.strides), self.reader.positions
            )
            value = result
            if kind is not None:
                before = self.b.load(leaf.buffer, offset, dtype, 0)
                value = reductions.combine(self.b, kind, dtype, before, value)
            self.b.store(value, leaf.buffer, offset)

    @cached_property
    def _in_place(self) -> bool:
        """Tell whether a result is written to the memory of an argument."""
        ins = {_memory_of(buffer) for buffer in self.fusion.ins}
        return any(_memory_of(buffer) in ins for buffer in self.fusion.outs)

    def _collapsed(self, nest: Nest, stores: Sequence[Store]) -> tuple[list[int], dict[int, int]]:
        """Join neighbouring axes that all of the nest's memory accesses run along as one."""
        axes, extents = list(nest.axes), dict(self.extents)
        if len(axes) < 2:
            return axes, extents
        places, fixed = self._accesses(nest)
        places += [store.place for store in stores]
        joined = [axes[-1]]
        for outer in reversed(axes[:-1]):
            inner = joined[0]
            if {outer, inner} & fixed or not all(
                form.coefficient(outer) == extents[inner] * form.coefficient(inner)
                for form in places
            ):
                joined.insert(0, outer)
                continue
            extents[inner] *= extents[outer]
            self.reader.positions[outer] = 0
            self.reader.bounds[outer] = (0, 1)
        return joined, extents

    def _accesses(self, nest: Nest) -> tuple[list[Affine], set[int]]:
        """Return where a nest reads memory, and the axes that it reads along in other ways."""
        places: list[Affine] = []
        fixed: set[int] = set()
        values = {v for root in nest.roots for v in (root,)} | set(nest.computed)
        operands = {o for v in nest.computed for o in v.owner.operands}  # type: ignore[union-attr]
        for value in values | operands:
            leaf = self.reader.leaves.get(value)
            if leaf is not None and value in self.space.axes:
                places.append(linearize(self.index_of(value), leaf.strides))
            elif value not in self.reader.scalars and not _follows_links(value):
                fixed |= set(self.space.axes.get(value, ()))
        return places, fixed

    def index_of(self, value: SSAValue) -> Index:
        """Return where the loops read a value."""
        axes = self.space.axes[value]
        return tuple(ZERO if axis == NO_LOOP else axis_index(axis) for axis in axes)

    def _row_scratch(self, value: SSAValue) -> Leaf:
        """Memory for one row of a value, unless it is a result that can be read back."""
        if value in self.targets:
            return self.targets[value][0]
        axes, shape = self.space.axes[value], shape_of(value)
        row = tuple(1 if axis in self.rows else n for axis, n in zip(axes, shape))
        leaf = self._new_leaf(dtype_of(value), row)
        strides = tuple(0 if a in self.rows else n for a, n in zip(axes, leaf.strides))
        return Leaf(leaf.buffer, strides)


def _follows_links(value: SSAValue) -> bool:
    """Tell whether a value is computed from the same element of all of its operands."""
    op = value.owner
    if not isinstance(op, Operation):
        return False
    if isinstance(op, ElementwiseOp) or (isinstance(op, ConstantOp) and is_splat(op.value)):
        return True
    return bool(links_of(op))


def _visible(n: int, low: int, step: int, size: int) -> tuple[int, int]:
    """Return the range of the n elements at ``low``, ``low + step``, ... that are in 0..size."""
    first = max(0, -(low // step)) if low < 0 else 0
    end = min(n, (size - low + step - 1) // step)
    return first, end


def _memory_of(buffer: SSAValue) -> SSAValue:
    """Return the buffer that a view is a view of."""
    while isinstance(buffer.owner, memref.ReinterpretCastOp):
        buffer = buffer.owner.operands[0]
    return buffer
