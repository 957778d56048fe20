"""A fusion as loops: rows, and within each row the nests of its plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from math import prod
from typing import Final

from xdsl.ir import Operation, SSAValue

from ...ir.array.indexing import GatherOp
from ...ir.array.reduction import ReduceOp, identity_of
from ...ir.array.shape import ConstantOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.schedule import SHORT_LOOP
from ...ir.kernel.space import (
    NO_LOOP,
    is_numbering,
    iteration_space,
    operand_dims,
    reduced_axes,
    reductions_of,
)
from ...ir.types import dtype_of, is_splat, row_major, shape_of
from . import edges, reductions
from .affine import ZERO, Affine, Index, axis_index, linearize
from .chunks import MOST_CHUNKS, Chunk, Chunks, parallel_chunks, split, unravel
from .kernel import KernelLowering
from .loop_builder import LoopBuilder, memory_of
from .nest import NestEmitter, Reduction, Store, join_axes, store_to
from .plan import Nest, Plan, plan_fusion
from .reader import Leaf

_CHUNK, _ELEMENT = (1 << 11), (1 << 11) + 1
"""The axes along the chunks of a parallel loop, and along a result that they accumulate."""

_WORK_PER_PARTIAL: Final = 16
"""The least elements that a chunk adds to one of its accumulators in memory."""

_ENOUGH_ITERATIONS: Final = 32
"""A loop of so many iterations is split rather than one further in."""


class FusionLowering(KernelLowering):
    """Emits the loops of one bufferised fusion."""

    def __init__(
        self,
        builder: LoopBuilder,
        fusion: FusionOp,
        held: Mapping[SSAValue, Sequence[SSAValue]] = {},
    ) -> None:
        super().__init__(builder, fusion, held)
        self.space = iteration_space(self.block)
        self.rows = list(self.schedule.rows)
        self.extents = dict(enumerate(self.space.domain))
        self.parallel = self.schedule.parallel
        self.targets: dict[SSAValue, list[Leaf]] = {}
        self.scratch: dict[SSAValue, Leaf] = {}

    def emit(self) -> None:
        """Emit everything, from the first load to the last store."""
        for value, buffer in zip(self.fusion.terminator.operands, self.fusion.outs):
            self.targets.setdefault(value, []).append(self.leaf(value, buffer))
        plan = plan_fusion(self.block, self.space, self.rows)
        with self.scratch_memory():
            for value in plan.materialized:
                self.materialize(value, self.targets.get(value, ()))
            self._copy_arguments()
            for op in self._accumulating():
                for leaf in self.targets.get(op.result, ()):
                    self._start_accumulator(op, leaf)
            self._emit_rows(plan)

    def _copy_arguments(self) -> None:
        """Copy arguments that are results."""
        for argument in self.block.args:
            if argument in self.targets:
                self.write(argument, self.targets[argument])

    # Reductions over rows

    def _accumulates(self, op: ReduceOp) -> bool:
        return bool(reduced_axes(op, self.space) & set(self.rows))

    def _accumulating(self) -> list[ReduceOp]:
        return [op for op in reductions_of(self.block) if self._accumulates(op)]

    def _start_accumulator(self, op: ReduceOp, leaf: Leaf) -> None:
        """Set the result of a reduction over rows to the neutral element."""
        dtype = dtype_of(op.result)
        start = self.b.constant(dtype, 0, identity_of(op.kind.data, dtype))
        self.reader.scalars[op.result] = start
        self.fill(leaf, shape_of(op.result), op.result)
        del self.reader.scalars[op.result]

    # The rows

    def _emit_rows(self, plan: Plan) -> None:
        split_rows = self.rows[: len(self.parallel)]
        chunks = self._chunks_of_rows(split_rows)
        if chunks.count <= 1:
            self._allocate_row(plan)
            self._emit_row_loops(self.rows, plan)
            return
        partial = {
            op: self.new_leaf(dtype_of(op.result), (chunks.count, *shape_of(op.result)))
            for op in self._shared_accumulators(split_rows)
        }
        extents = [self.extents[axis] for axis in split_rows]
        with (
            parallel_chunks(self.b, chunks) as chunk,
            self.scratch_memory(),
            self._accumulating_into(partial, chunk),
        ):
            self._allocate_row(plan)
            with self.b.loop(chunk.start, chunk.end, 1) as loop:
                positions = unravel(self.b, loop.variable, extents)
                self.reader.positions.update(zip(split_rows, positions))
                self.reader.bounds.update((axis, (0, self.extents[axis])) for axis in split_rows)
                self._emit_row_loops(self.rows[len(split_rows) :], plan)
        for op, leaf in partial.items():
            self._add_partial(op, leaf, chunks.count)

    def _allocate_row(self, plan: Plan) -> None:
        self.scratch = {value: self._row_scratch(value) for value in plan.scratch}

    def _emit_row_loops(self, rows: Sequence[int], plan: Plan) -> None:
        with ExitStack() as loops:
            for axis in rows:
                extent = self.extents[axis]
                loop = loops.enter_context(self.b.loop(0, extent, 1))
                self.reader.positions[axis] = loop.variable
                self.reader.bounds[axis] = (0, extent)
            self._emit_row(plan)

    def _emit_row(self, plan: Plan) -> None:
        """Emit the nests of a row; those of a row without edges apart."""
        values = [v for nest in plan.nests for v in (*nest.computed, *nest.roots)]
        indices = [(v, self.index_of(v)) for v in values]
        inner = edges.interior(self.reader, indices, self.extents, self.schedule.vector)
        apart = {axis: inner[axis] for axis in self.rows if axis in inner}
        conditions = [self.reader.within(axis_index(a), *part) for a, part in apart.items()]
        unknown = [c for c in conditions if not isinstance(c, bool)]
        if not unknown:
            self._emit_nests(plan, inner)
            return

        def interior() -> None:
            with self.reader.apart():
                self.reader.bounds.update(apart)
                self._emit_nests(plan, inner)

        def others() -> None:
            with self.reader.apart():
                self._emit_nests(plan, {})

        self.b.either(self.reader.all(unknown), interior, others)

    def _emit_nests(self, plan: Plan, inner: edges.Ranges) -> None:
        for nest in plan.nests:
            self._emit_nest(nest, inner)

    def _chunks_of_rows(self, rows: Sequence[int]) -> Chunks:
        """Split the rows, so that combining what each chunk accumulates is little work."""
        elements = prod(self.space.domain)
        extent = prod(self.extents[axis] for axis in rows)
        partial = sum(prod(shape_of(op.result)) for op in self._shared_accumulators(rows))
        most = min(MOST_CHUNKS, elements // (_WORK_PER_PARTIAL * max(partial, 1)))
        return split(extent, elements // max(extent, 1), most=most)

    def _shared_accumulators(self, rows: Sequence[int]) -> list[ReduceOp]:
        """Return the reductions to whose results several of these rows add."""
        reductions = self._accumulating()
        return [op for op in reductions if reduced_axes(op, self.space) & set(rows)]

    @contextmanager
    def _accumulating_into(self, partial: Mapping[ReduceOp, Leaf], chunk: Chunk) -> Iterator[None]:
        """Let reductions add to the chunk's own part of the memory given for them."""
        outer = self.targets
        self.targets = dict(outer)
        for op, leaf in partial.items():
            shape = shape_of(op.result)
            size = prod(shape)
            offset = self.b.affine(Affine(0, ((_CHUNK, size),)), {_CHUNK: chunk.number})
            own = Leaf(self.b.shifted(leaf.buffer, offset, size), row_major(shape))
            self._start_accumulator(op, own)
            self.targets[op.result] = [own]
        yield
        self.targets = outer

    def _add_partial(self, op: ReduceOp, partial: Leaf, count: int) -> None:
        """Add what each chunk accumulated to the results, in the order of the chunks."""
        size = prod(shape_of(op.result))
        element = axis_index(_ELEMENT)
        at = (axis_index(_CHUNK), element)
        kind = op.kind.data
        stores = [Store(op.result, at, leaf, element, kind) for leaf in self.targets[op.result]]
        with self._reading(op.result, Leaf(partial.buffer, (size, 1))):
            NestEmitter(
                self.reader,
                {_CHUNK: count, _ELEMENT: size},
                stores,
                (),
                (),
                lanes=self.schedule.vector if size > 1 else 1,
                overlap=False,
            ).emit([_CHUNK, _ELEMENT])

    @contextmanager
    def _reading(self, value: SSAValue, leaf: Leaf) -> Iterator[None]:
        """Let a value be read from memory for a while."""
        self.reader.version += 1
        self.reader.scalars.pop(value, None)
        self.reader.leaves[value] = leaf
        yield
        del self.reader.leaves[value]

    # The nests

    def _emit_nest(self, nest: Nest, inner: edges.Ranges) -> None:
        whole = [op for op in nest.reductions if not self._keeps_columns(op)]
        stores = [*self._stores(nest), *self._accumulating_stores(nest)]
        computed = [(v, self.index_of(v)) for v in nest.computed]
        axes, extents = self._collapsed(nest, stores)
        if not whole and len(axes) > 1 and extents[axes[-1]] <= SHORT_LOOP:
            *axes, last = axes
            stores, computed = _written_out(last, extents[last], stores, computed)
        split_axis = None if self.rows else self._split_axis(axes, extents)
        for part in edges.parts(axes, {} if whole else inner, extents):
            self.reader.version += 1
            emitter = NestEmitter(
                self.reader,
                extents | {axis: end - first for axis, (first, end) in part.items()},
                stores,
                [Reduction(op.kind.data, op.operand, self.index_of(op.operand)) for op in whole],
                computed,
                lanes=self.schedule.vector,
                unroll=self.schedule.unroll,
                overlap=not self._in_place,
                origins={axis: first for axis, (first, _) in part.items()},
            )
            with self.b.scope() if part else nullcontext():
                results = self._emit_in_chunks(emitter, axes, split_axis, whole)
        for op, result in zip(whole, results):
            self._end_reduction(op, result)
        for value in nest.stores:
            if value in self.scratch:
                self.reader.leaves[value] = self.scratch[value]

    def _emit_in_chunks(
        self,
        emitter: NestEmitter,
        axes: Sequence[int],
        axis: int | None,
        whole: Sequence[ReduceOp],
    ) -> list[SSAValue]:
        """Emit a nest, split into chunks along an axis if given; return its reductions."""
        if axis is None:
            return emitter.emit(axes)
        extent = emitter.extents[axis]
        work = prod(emitter.extents[a] for a in axes) // max(extent, 1)
        is_inner = axis == emitter.innermost(axes)
        step = self.schedule.vector * self.schedule.unroll if is_inner else 1
        chunks = split(extent, work, multiple=step)
        if chunks.count <= 1:
            return emitter.emit(axes)
        # A last vector that begins earlier would write to what another thread writes to.
        emitter.overlap &= not is_inner or chunks.last >= emitter.lanes
        partial = [self.new_leaf(dtype_of(op.result), (chunks.count,)) for op in whole]
        with parallel_chunks(self.b, chunks) as chunk:
            origin = emitter.origins.get(axis, 0)
            emitter.parts[axis] = self.b.sum(chunk.start, origin), self.b.sum(chunk.end, origin)
            for leaf, result in zip(partial, emitter.emit(axes)):
                self.b.store(result, leaf.buffer, chunk.number)
        return [self._combined(op, leaf, chunks.count) for op, leaf in zip(whole, partial)]

    def _split_axis(self, axes: Sequence[int], extents: Mapping[int, int]) -> int | None:
        """Return the outermost loop that is long enough to be split, or else the longest one.

        A loop that was joined from several counts as parallel if one of them does.
        """
        parallel = [a for a in axes if a in self.parallel or extents[a] != self.extents[a]]
        enough = (a for a in parallel if extents[a] >= _ENOUGH_ITERATIONS)
        return next(enough, max(parallel, key=lambda a: extents[a], default=None))

    def _combined(self, op: ReduceOp, partial: Leaf, count: int) -> SSAValue:
        """Combine the results of a reduction's chunks, in their order."""
        with self._reading(op.result, partial):
            reduction = Reduction(op.kind.data, op.result, (axis_index(_CHUNK),))
            nest = NestEmitter(
                self.reader, {_CHUNK: count}, (), [reduction], (), lanes=self.schedule.vector
            )
            return nest.emit([_CHUNK])[0]

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
        ins = {memory_of(buffer) for buffer in self.fusion.ins}
        return any(memory_of(buffer) in ins for buffer in self.fusion.outs)

    def _collapsed(self, nest: Nest, stores: Sequence[Store]) -> tuple[list[int], dict[int, int]]:
        """Join neighbouring axes that all of the nest's memory accesses run along as one."""
        axes, extents = list(nest.axes), dict(self.extents)
        if len(axes) < 2:
            return axes, extents
        places, fixed = self._accesses(nest)
        joined, sizes = join_axes(axes, extents, [*places, *(s.place for s in stores)], fixed)
        for axis in set(axes) - set(joined):
            self.reader.positions[axis] = 0
            self.reader.bounds[axis] = (0, 1)
        return joined, sizes

    def _accesses(self, nest: Nest) -> tuple[list[Affine], set[int]]:
        """Return where a nest reads memory, and the axes that it reads along in other ways.

        The number of an element is what its place would be in memory.
        """
        places: list[Affine] = []
        fixed: set[int] = set()
        values = {v for root in nest.roots for v in (root,)} | set(nest.computed)
        operands = {o for v in nest.computed for o in v.owner.operands}  # type: ignore[union-attr]
        for value in (values | operands) & self.space.axes.keys():
            leaf = self.reader.leaves.get(value)
            if leaf is not None:
                places.append(linearize(self.index_of(value), leaf.strides))
            elif isinstance(value.owner, GatherOp):
                self._add_gathered(value.owner, places, fixed)
            elif isinstance(value.owner, Operation) and is_numbering(value.owner):
                places.append(linearize(self.index_of(value), row_major(shape_of(value))))
            elif value not in self.reader.scalars and not _follows_links(value):
                fixed |= set(self.space.axes[value])
        return places, fixed

    def _add_gathered(self, op: GatherOp, places: list[Affine], fixed: set[int]) -> None:
        """Add where a gather reads its operand along the dimensions that are not indexed."""
        rest = self.index_of(op.result)[len(shape_of(op.indices[0])) :]
        leaf = self.reader.leaves.get(op.operand)
        if leaf is None:
            fixed.update(axis for form in rest for axis, _ in form.terms)
            return
        strides = [n for d, n in enumerate(leaf.strides) if d not in op.dims.data]
        places.append(linearize(rest, strides))

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
        leaf = self.new_leaf(dtype_of(value), row)
        strides = tuple(0 if a in self.rows else n for a, n in zip(axes, leaf.strides))
        return Leaf(leaf.buffer, strides)


def _follows_links(value: SSAValue) -> bool:
    """Tell whether a value is computed from the same element of all of its operands."""
    op = value.owner
    if not isinstance(op, Operation):
        return False
    if isinstance(op, ConstantOp):
        return is_splat(op.value)
    return bool(op.operands) and None not in operand_dims(op)


def _written_out(
    axis: int, extent: int, stores: Sequence[Store], computed: Sequence[tuple[SSAValue, Index]]
) -> tuple[list[Store], list[tuple[SSAValue, Index]]]:
    """Write a loop out: return what is stored and what is computed at its positions."""

    def at(index: Index, position: int) -> Index:
        return tuple(form.fixed(axis, position) for form in index)

    positions = range(extent)
    values = [(value, at(index, p)) for p in positions for value, index in computed]
    return [
        store._replace(at=at(store.at, p), place=store.place.fixed(axis, p))
        for p in positions
        for store in stores
    ], list(dict.fromkeys(values))
