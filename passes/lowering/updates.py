"""Updates: windows replaced at computed positions, and scatters.

The array is copied to the result first, unless both are the same memory. Then the updates are
stored over it. A scatter takes its updates in order; only what lies in different elements for sure
is taken side by side, in vectors or by several threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from enum import IntEnum
from functools import partial
from math import prod

from xdsl.dialects import memref
from xdsl.ir import Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import shape as s
from ...ir.array.elementwise import ElementwiseOp
from ...ir.array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, ScatterOp
from ...ir.attributes import ReduceKind, ScatterKind
from ...ir.kernel.ops import FusionOp
from ...ir.types import is_splat, shape_of
from .affine import Affine, Index, axis_index, linearize
from .chunks import Chunks, parallel_chunks, split
from .kernel import KernelLowering
from .loop_builder import LoopBuilder, memory_of
from .nest import NestEmitter, Store, join_axes
from .plan import materialized
from .positions import constant_of, form_of, window_index
from .vectors import Position


class UpdateLowering(KernelLowering, ABC):
    """Emits the loops of one fusion whose result is an array with elements replaced."""

    def __init__(
        self,
        builder: LoopBuilder,
        fusion: FusionOp,
        op: DynamicUpdateSliceOp | ScatterOp,
        held: Mapping[SSAValue, Sequence[SSAValue]] = {},
    ) -> None:
        super().__init__(builder, fusion, held)
        self.update: SSAValue = op.update
        self.target, *self.copies = [self.leaf(op.result, buffer) for buffer in fusion.outs]
        self.operand: SSAValue = op.operand
        self.shape = shape_of(op.operand)
        self.extents = dict(enumerate(shape_of(op.update)))
        self.index: Index = tuple(map(axis_index, self.extents))

    def emit(self) -> None:
        """Copy what is not in place, and store the updates; then copy to all further results."""
        source = self.reader.leaves[self.operand].buffer
        with self.scratch_memory():
            for value in materialized(self.block):
                self.materialize(value)
            if memory_of(source) is not memory_of(self.target.buffer):
                self.b.effect(memref.CopyOp, (source, self.target.buffer))
            if 0 not in (*self.extents.values(), *self.shape):
                self._emit_updates()
        for copy in self.copies:
            self.b.effect(memref.CopyOp, (self.target.buffer, copy.buffer))

    @abstractmethod
    def _emit_updates(self) -> None:
        """Emit the loops over the updates."""

    def _nest(
        self, store: Store, axes: Sequence[int], kept: Iterable[int] = ()
    ) -> tuple[NestEmitter, list[int]]:
        """Return the emitter of a store, and its loops; all but the ``kept`` may be joined."""
        places, fixed = [store.place], set(kept)
        for form, size in store.within:
            least, greatest = self.reader.range_of(form)
            if least < 0 or greatest >= size:
                fixed.update(axis for axis, _ in form.terms)
        self._add_accesses(self.update, self.index, places, fixed)
        joined, extents = join_axes(axes, self.extents, places, fixed)
        for axis in set(axes) - set(joined):
            self.reader.positions[axis] = 0
            self.reader.bounds[axis] = (0, 1)
        lanes = self.schedule.vector
        nest = NestEmitter(self.reader, extents, [store], (), (), lanes=lanes, overlap=False)
        return nest, joined

    def _add_accesses(
        self, value: SSAValue, index: Index, places: list[Affine], fixed: set[int]
    ) -> None:
        """Add where the update is read from memory, and the axes it depends on in other ways."""
        op = value.owner
        leaf = self.reader.leaves.get(value)
        if leaf is not None:
            places.append(linearize(index, leaf.strides))
        elif isinstance(op, ElementwiseOp):
            for operand in op.operands:
                self._add_accesses(operand, index, places, fixed)
        elif isinstance(op, s.BroadcastOp):
            at = tuple(index[d] for d in op.dims.data)
            self._add_accesses(op.operand, at, places, fixed)
        elif isinstance(op, DynamicSliceOp) and op.operand in self.reader.leaves:
            shape, sizes = shape_of(op.operand), shape_of(op.result)
            at = window_index(self.reader, op.starts, shape, index, sizes)
            places.append(linearize(at, self.reader.leaves[op.operand].strides))
        elif not (isinstance(op, s.ConstantOp) and is_splat(op.value)):
            fixed.update(axis for form in index for axis, _ in form.terms)

    def _emit_in_chunks(self, nest: NestEmitter, axes: Sequence[int]) -> None:
        """Emit a nest, of which the longer of the two outermost loops is split if it is long."""
        sized = [axis for axis in axes if nest.extents[axis] != 1]
        if not sized or not self.schedule.parallel:
            nest.emit(axes)
            return
        axis = max(sized[:2], key=nest.extents.__getitem__)
        work = prod(nest.extents[a] for a in axes if a != axis)
        lanes = self.schedule.vector if axis == sized[-1] else 1
        chunks = split(nest.extents[axis], work, multiple=lanes)
        if chunks.count <= 1:
            nest.emit(axes)
            return
        nest.overlap &= axis != sized[-1]
        with parallel_chunks(self.b, chunks) as chunk:
            nest.parts[axis] = chunk.start, chunk.end
            nest.emit(axes)


class WindowUpdateLowering(UpdateLowering):
    """Emits the loops of a ``dynamic_update_slice``."""

    def __init__(
        self,
        builder: LoopBuilder,
        fusion: FusionOp,
        op: DynamicUpdateSliceOp,
        held: Mapping[SSAValue, Sequence[SSAValue]] = {},
    ) -> None:
        super().__init__(builder, fusion, op, held)
        self.starts: Sequence[SSAValue] = op.starts

    def _emit_updates(self) -> None:
        sizes = tuple(self.extents.values())
        target = window_index(self.reader, self.starts, self.shape, self.index, sizes)
        store = Store(self.update, self.index, self.target, linearize(target, self.target.strides))
        for axis, extent in self.extents.items():
            self.reader.bounds[axis] = (0, extent)
        self._emit_in_chunks(*self._nest(store, list(self.extents)))


class Dependence(IntEnum):
    """How an index depends on a dimension: not, as a multiple plus something, or in another way."""

    NONE = 0
    LINEAR = 1
    OTHER = 2


class ScatterLowering(UpdateLowering):
    """Emits the loops of a ``scatter``.

    Loops over dimensions of the indices run in order, each update by itself, except for the last
    ones along which all positions are known to differ. Those, and the dimensions that are not
    indexed, make a nest of their own for each update.
    """

    def __init__(
        self,
        builder: LoopBuilder,
        fusion: FusionOp,
        op: ScatterOp,
        held: Mapping[SSAValue, Sequence[SSAValue]] = {},
    ) -> None:
        super().__init__(builder, fusion, op, held)
        self.indices: Sequence[SSAValue] = op.indices
        self.dims = op.dims.data
        self.unique = op.unique is not None
        kind = op.kind.data
        self.kind = None if kind is ScatterKind.SET else ReduceKind(kind.value)
        self.rank = len(shape_of(op.indices[0]))
        self.outer = self._outer_dims()

    def _outer_dims(self) -> int:
        """Return how many dimensions of the indices are looped over in order."""
        count = self.rank
        while count and self._dependence(count - 1) is Dependence.LINEAR:
            count -= 1
        return count

    def _dependence(self, dim: int) -> Dependence:
        return max(dependence(index, dim) for index in self.indices)

    def _is_disjoint(self, dim: int) -> bool:
        """Tell whether updates at different places along a dimension never meet."""
        others = [d for d in range(self.rank) if d != dim]
        return self.unique or any(
            dependence(index, dim) is Dependence.LINEAR
            and all(dependence(index, d) is Dependence.NONE for d in others)
            for index in self.indices
        )

    def _emit_updates(self) -> None:
        outer = list(range(self.outer))
        inner = list(range(self.outer, len(self.extents)))
        if not outer:
            self._emit_in_chunks(*self._nest(self._store(), inner))
            return
        splittable = outer[:1] if self._is_disjoint(0) else inner
        axis = max(splittable, key=self.extents.__getitem__, default=None)
        chunks = None if axis is None else self._chunks(axis)
        if axis is None or chunks is None:
            self._loops(outer, inner, {})
            return
        with parallel_chunks(self.b, chunks) as chunk:
            self._loops(outer, inner, {axis: (chunk.start, chunk.end)})

    def _chunks(self, axis: int) -> Chunks | None:
        """Return how a loop is split, or None if it is not to be."""
        if not self.schedule.parallel:
            return None
        extent = self.extents[axis]
        lanes = self.schedule.vector if axis == len(self.extents) - 1 else 1
        chunks = split(extent, prod(self.extents.values()) // extent, multiple=lanes)
        return chunks if chunks.count > 1 else None

    def _loops(
        self,
        outer: Sequence[int],
        inner: Sequence[int],
        parts: Mapping[int, tuple[Position, Position]],
    ) -> None:
        """Emit the loops in order, and in them the nest of one update."""
        with ExitStack() as loops:
            for axis in outer:
                bounds = parts.get(axis, (0, self.extents[axis]))
                loop = loops.enter_context(self.b.loop(*bounds, 1))
                self.reader.positions[axis] = loop.variable
                self.reader.bounds[axis] = (0, self.extents[axis])
            store = self._store()
            fixed = [c for c in store.within if not any(a in inner for a, _ in c[0].terms)]
            store = store._replace(within=tuple(c for c in store.within if c not in fixed))
            nest, axes = self._nest(store, inner, parts)
            nest.parts.update((axis, part) for axis, part in parts.items() if axis in inner)
            conditions = [self.reader.within(form, 0, size) for form, size in fixed]
            self.reader.where(conditions, partial(self._emit_nest, nest, axes))

    def _emit_nest(self, nest: NestEmitter, axes: Sequence[int]) -> None:
        nest.emit(axes)

    def _store(self) -> Store:
        """Return the store of one update's elements, those in range."""
        for axis in range(self.outer, len(self.extents)):
            self.reader.bounds[axis] = (0, self.extents[axis])
        at = self.index[: self.rank]
        forms = {d: form_of(self.reader, v, at) for v, d in zip(self.indices, self.dims)}
        rest = iter(self.index[self.rank :])
        target = tuple(forms[d] if d in forms else next(rest) for d in range(len(self.shape)))
        return Store(
            self.update,
            self.index,
            self.target,
            linearize(target, self.target.strides),
            self.kind,
            tuple((forms[d], self.shape[d]) for d in self.dims),
        )


def dependence(index: SSAValue, dim: int) -> Dependence:
    """Tell how an index depends on one of its dimensions."""
    if shape_of(index)[dim] == 1:
        return Dependence.NONE
    op = index.owner
    if not isinstance(op, Operation):
        return Dependence.OTHER
    if isinstance(op, s.IotaOp):
        return Dependence.LINEAR if op.dim.data == dim else Dependence.NONE
    if isinstance(op, s.ConstantOp):
        return Dependence.NONE if is_splat(op.value) else Dependence.OTHER
    if isinstance(op, s.BroadcastOp):
        dims = op.dims.data
        return dependence(op.operand, dims.index(dim)) if dim in dims else Dependence.NONE
    if not isinstance(op, ElementwiseOp):
        return Dependence.OTHER
    found = [dependence(v, dim) for v in op.operands]
    if not any(found):
        return Dependence.NONE
    if Dependence.OTHER in found or not _keeps_differences(op, found):
        return Dependence.OTHER
    return Dependence.LINEAR


def _keeps_differences(op: Operation, found: Sequence[Dependence]) -> bool:
    """Tell whether an op of positions a step apart gives positions a step apart, which is not 0."""
    if found.count(Dependence.LINEAR) > 1:
        return False
    if isinstance(op, e.MulOp):
        factor = constant_of(op.operands[found.index(Dependence.NONE)])
        return factor not in (None, 0)
    return isinstance(op, e.AddOp | e.SubOp)
