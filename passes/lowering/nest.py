"""One loop nest: loops over axes, the last one in vectors, around stores and reductions.

The last vector of an axis whose extent is no multiple of the lanes starts earlier and computes some
elements twice where that does no harm; else its surplus lanes are masked. So no nest has a second
body for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from ...ir.attributes import ReduceKind
from ...ir.types import dtype_of
from . import elementwise, interleaved, reductions
from .affine import Affine, Index, linearize
from .loop_builder import INDEX, LoopBuilder
from .reader import Leaf, Reader
from .vectors import Position, place_vector

_IDEMPOTENT = frozenset({ReduceKind.MIN, ReduceKind.MAX, ReduceKind.AND, ReduceKind.OR})

MAX_ACCUMULATORS = 8
"""So many additions at a time hide their latency; more accumulators in one loop spill registers."""


class Store(NamedTuple):
    """A value to be written to memory; with a kind, to be combined with what is there.

    ``within`` has positions and sizes: nothing is written where a position is out of range.
    """

    value: SSAValue
    at: Index
    leaf: Leaf
    place: Affine
    combine: ReduceKind | None = None
    within: tuple[tuple[Affine, int], ...] = ()


class Reduction(NamedTuple):
    """A value to be combined over all loops of the nest."""

    kind: ReduceKind
    value: SSAValue
    at: Index


@dataclass
class NestEmitter:
    """Emits one nest.

    Attributes:
        reader: computes the values.
        extents: the extent of each axis.
        computed: what is computed on the way, in program order; what does not depend on a loop
            is computed outside of it.
        lanes: the most lanes of a vector.
        unroll: the most vectors of one step, each with its own accumulators.
        overlap: whether elements may be computed and stored twice.
        parts: the iterations of an axis to run, first and end, where they are not all.
        origins: the first position along an axis, where that is not 0.
    """

    reader: Reader
    extents: Mapping[int, int]
    stores: Sequence[Store]
    reductions: Sequence[Reduction]
    computed: Sequence[tuple[SSAValue, Index]]
    lanes: int = 1
    unroll: int = 1
    overlap: bool = True
    parts: dict[int, tuple[Position, Position]] = field(default_factory=dict)
    origins: Mapping[int, int] = field(default_factory=dict)

    @property
    def b(self) -> LoopBuilder:
        """The builder."""
        return self.reader.b

    def emit(self, axes: Sequence[int]) -> list[SSAValue]:
        """Emit the loops over ``axes`` and return each reduction's result, a scalar."""
        axes = [axis for axis in axes if not self._skip(axis)]
        self._choose_vector(axes)
        start = [
            reductions.identity(self.b, r.kind, dtype_of(r.value), self.lanes_in_use)
            for r in self.reductions
            for _ in range(self.unroll)
        ]
        partial = self._loops(axes, start)
        self.reader.vector_axis, self.reader.lanes = None, 0
        return [self._finish(i, r, partial) for i, r in enumerate(self.reductions)]

    def innermost(self, axes: Sequence[int]) -> int:
        """Return the axis of the innermost loop, along which vectors run: others have one step."""
        return next((a for a in reversed(axes) if self.extents[a] != 1), axes[-1])

    def _skip(self, axis: int) -> bool:
        """Fix the position of an axis of extent one, which needs no loop."""
        if self.extents[axis] != 1:
            return False
        origin = self.origins.get(axis, 0)
        self.reader.positions[axis] = origin
        self.reader.bounds[axis] = (origin, origin + 1)
        return True

    def _choose_vector(self, axes: Sequence[int]) -> None:
        extent = self.extents[axes[-1]] if axes else 1
        self.lanes_in_use = min(self.lanes, 1 << (extent - 1).bit_length()) if extent > 1 else 0
        if self.lanes_in_use <= 1:
            self.lanes_in_use = 0
        step = max(self.lanes_in_use, 1)
        most = MAX_ACCUMULATORS // len(self.reductions) if self.reductions else 1
        self.unroll = max(1, min(self.unroll, most, extent // step))
        self.reader.vector_axis = axes[-1] if axes and self.lanes_in_use else None
        self.reader.lanes = self.lanes_in_use

    def _finish(self, number: int, reduction: Reduction, partial: Sequence[SSAValue]) -> SSAValue:
        """Combine the accumulators of a reduction, pairwise, and their lanes."""
        dtype = dtype_of(reduction.value)
        parts = list(partial[number * self.unroll : (number + 1) * self.unroll])
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2])
            rest = parts[len(parts) // 2 * 2 :]
            parts = [
                reductions.combine(self.b, reduction.kind, dtype, left, right)
                for left, right in pairs
            ] + rest
        return reductions.combine_lanes(self.b, reduction.kind, dtype, parts[0])

    def _loops(self, axes: Sequence[int], carried: list[SSAValue]) -> list[SSAValue]:
        self._hoist(frozenset(axes))
        if not axes:
            return self._step(carried, [None])
        axis, *inner = axes
        if not inner:
            return self._inner_loop(axis, carried)
        self.reader.bounds[axis] = self._range(axis)
        with self.b.loop(*self._part(axis), 1, carried) as loop:
            self.reader.positions[axis] = loop.variable
            loop.next = self._loops(inner, loop.carried)
        return loop.results

    def _range(self, axis: int) -> tuple[int, int]:
        origin = self.origins.get(axis, 0)
        return origin, origin + self.extents[axis]

    def _part(self, axis: int) -> tuple[Position, Position]:
        return self.parts.get(axis, self._range(axis))

    def _hoist(self, inner: frozenset[int]) -> None:
        """Compute here what does not depend on the loops further in."""
        for value, index in self.computed:
            if not any(axis in inner for form in index for axis, _ in form.terms):
                self.reader.value(value, index)

    def _inner_loop(self, axis: int, carried: list[SSAValue]) -> list[SSAValue]:
        extent = self.extents[axis]
        width = max(self.lanes_in_use, 1)
        step = width * self.unroll
        self.reader.bounds[axis] = self._range(axis)
        if extent == 0:
            return carried
        if extent <= step and axis not in self.parts:
            origin = self.origins.get(axis, 0)
            starts: list[SSAValue | int | None] = [origin + u * width for u in range(self.unroll)]
            return self._step(carried, starts, axis)
        with self.b.loop(*self._part(axis), step, carried) as loop:
            first = loop.variable
            later = [
                self.b.append(arith.AddiOp, (first, self.b.index(u * width)), INDEX)
                for u in range(1, self.unroll)
            ]
            loop.next = self._step(loop.carried, [first, *later], axis)
        return loop.results

    def _step(
        self,
        carried: list[SSAValue],
        starts: Sequence[SSAValue | int | None],
        axis: int | None = None,
    ) -> list[SSAValue]:
        """Emit the body for the vectors at ``starts``, and return what is carried on."""
        carried = list(carried)
        groups = interleaved.grouped(self.reader, self.stores)
        for u, start in enumerate(starts):
            if axis is not None and start is not None:
                self._place_vector(axis, start)
            for value, index in self.computed:  # in order, so that no recursion gets deep
                self.reader.value(value, index)
            for group in groups:
                self._store_group(group)
            for number, reduction in enumerate(self.reductions):
                place = number * self.unroll + u
                carried[place] = self._accumulate(reduction, carried[place])
            self.reader.mask = None
        return carried

    def _place_vector(self, axis: int, start: SSAValue | int) -> None:
        """Let the vector axis be at ``start``, shifted back or masked where it passes the end."""
        self.reader.version += 1
        start, self.reader.mask = place_vector(
            self.b,
            start,
            self.extents[axis],
            lanes=self.lanes_in_use,
            step=self.lanes_in_use * self.unroll,
            may_overlap=self._may_overlap(),
            origin=self.origins.get(axis, 0),
        )
        self.reader.positions[axis] = start

    def _may_overlap(self) -> bool:
        kinds = [r.kind for r in self.reductions]
        kinds += [s.combine for s in self.stores if s.combine is not None]
        return self.overlap and all(kind in _IDEMPOTENT for kind in kinds)

    def _store_group(self, stores: Sequence[Store]) -> None:
        """Store what fills rows at once, unless some of them are left out."""
        if len(stores) > 1 and self.reader.mask is None:
            interleaved.store(self.reader, stores)
            return
        for store in stores:
            self._store(store)

    def _store(self, store: Store) -> None:
        conditions = [self.reader.within(form, 0, size) for form, size in store.within]
        self.reader.where(conditions, lambda: self._store_always(store))

    def _store_always(self, store: Store) -> None:
        value = self.reader.value(store.value, store.at)
        place = store.place
        if store.combine is not None:
            dtype = dtype_of(store.value)
            before = self.reader.load(store.leaf, place, dtype)
            both = self.reader.promoted((before, value))
            value = reductions.combine(self.b, store.combine, dtype, both[0], both[1])
        self.reader.store(value, store.leaf, place)

    def _accumulate(self, reduction: Reduction, before: SSAValue) -> SSAValue:
        dtype = dtype_of(reduction.value)
        value = self.reader.value(reduction.value, reduction.at)
        value = self.reader.as_vector(value, self.lanes_in_use)
        if self.reader.mask is not None:
            neutral = reductions.identity(self.b, reduction.kind, dtype, self.lanes_in_use)
            value = elementwise.select(self.b, self.reader.mask, value, neutral)
        return reductions.combine(self.b, reduction.kind, dtype, before, value)


def store_to(value: SSAValue, index: Index, leaf: Leaf, combine: ReduceKind | None = None) -> Store:
    """Return the store of a value to its own place in memory."""
    return Store(value, index, leaf, linearize(index, leaf.strides), combine)


def join_axes(
    axes: Sequence[int], extents: Mapping[int, int], places: Sequence[Affine], fixed: Set[int]
) -> tuple[list[int], dict[int, int]]:
    """Join neighbouring axes that all memory accesses run along as one.

    Args:
        axes: the loops, the outermost first.
        extents: the extent of each.
        places: the accesses.
        fixed: axes that something else depends on.

    Returns:
        The axes that remain, and their extents; those of the others are 1.
    """
    remaining, sizes = list(axes[-1:]), dict(extents)
    for outer in reversed(axes[:-1]):
        inner = remaining[0]
        if {outer, inner} & fixed or any(
            form.coefficient(outer) != sizes[inner] * form.coefficient(inner) for form in places
        ):
            remaining.insert(0, outer)
            continue
        sizes[inner] *= sizes[outer]
        sizes[outer] = 1
    return remaining, sizes
