"""Ops that go along the lines of one dimension in order: cumulative operations and arg-reductions.

The operand is seen as ``[outer, line, inner]``. Where there are inner elements, their lines are
walked side by side, a vector at a time. A single line is searched in vectors, each lane for itself,
and the lanes are compared at the end; cumulative operations take it element by element.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Final, TypeAlias

import numpy as np
from xdsl.dialects import arith, vector
from xdsl.ir import SSAValue

from ...ir.array.reduction import ArgReduceOp, CumulativeOp
from ...ir.array.shape import dim_of
from ...ir.attributes import ReduceKind
from ...ir.integer_arrays import dense_i64
from ...ir.kernel.ops import FusionOp
from ...ir.types import dtype_of, shape_of
from . import elementwise, reductions
from .affine import Affine
from .chunks import Chunks, parallel_chunks, split, whole
from .loop_builder import LoopBuilder, value_type
from .reader import Leaf, Reader
from .vectors import Position, place_vector

OUTER, LINE, INNER = range(3)

Part: TypeAlias = tuple[Position, Position]
"""Some of the iterations of a loop: the first, and the one after the last."""

_I64: Final = np.dtype(np.int64)


class LineLowering:
    """Emits the loops of one fusion that is a single op along lines."""

    def __init__(
        self, builder: LoopBuilder, fusion: FusionOp, op: ArgReduceOp | CumulativeOp
    ) -> None:
        self.b = builder
        self.op = op
        self.kind = op.kind.data
        self.dtype = dtype_of(op.operand)
        shape = shape_of(op.operand)
        dim = dim_of(op.properties)
        self.outer, self.length = prod(shape[:dim]), shape[dim]
        self.inner = prod(shape[dim + 1 :])
        self.lanes = fusion.schedule.data.vector
        parallel = bool(fusion.schedule.data.parallel)
        self.outer_chunks, self.inner_chunks = self._split(parallel)
        self.reader = Reader(builder, {})
        self.source = self._memory(fusion.ins[0], op.operand)
        self.targets = [self._memory(buffer, op.result) for buffer in fusion.outs]

    def _memory(self, buffer: SSAValue, value: SSAValue) -> Leaf:
        return Leaf(self.b.flat(buffer, dtype_of(value), prod(shape_of(value))), ())

    def emit(self) -> None:
        """Emit the loops; there is nothing to do for arrays without elements."""
        if 0 in (self.outer, self.inner):
            return
        if self.outer_chunks.count > max(self.inner_chunks.count, 1):
            with parallel_chunks(self.b, self.outer_chunks) as chunk:
                self._lines((chunk.start, chunk.end), (0, self.inner))
        elif self.inner_chunks.count > 1:
            with parallel_chunks(self.b, self.inner_chunks) as chunk:
                self._lines((0, self.outer), (chunk.start, chunk.end))
        else:
            self._lines((0, self.outer), (0, self.inner))

    def _split(self, is_parallel: bool) -> tuple[Chunks, Chunks]:
        """Split the outer and the inner elements, of which the larger number is to be used."""
        if not is_parallel:
            return whole(self.outer), whole(self.inner)
        outer = split(self.outer, self.length * self.inner)
        return outer, split(self.inner, self.length * self.outer, multiple=self.lanes)

    def _lines(self, outer: Part, inner: Part) -> None:
        """Take the lines of some outer and inner elements."""
        with self.b.loop(*outer, 1) as loop:
            self.reader.positions[OUTER] = loop.variable
            if self.inner == 1 and isinstance(self.op, ArgReduceOp):
                self.reader.positions[INNER] = 0
                self._search_line()
            else:
                walk = self._search if isinstance(self.op, ArgReduceOp) else self._accumulate
                self._side_by_side(walk, inner)

    def _side_by_side(self, walk: Callable[[], None], inner: Part) -> None:
        """Let ``walk`` take the lines of the inner elements, a vector at a time."""
        lanes = min(self.lanes, 1 << max(self.inner - 1, 0).bit_length())
        self._use_vectors(INNER, lanes)
        step = max(self.reader.lanes, 1)
        may_overlap = self.inner_chunks.last >= lanes

        def at(start: Position) -> None:
            placed = place_vector(
                self.b,
                start,
                self.inner,
                lanes=self.reader.lanes,
                step=step,
                may_overlap=may_overlap,
            )
            self.reader.positions[INNER], self.reader.mask = placed
            walk()

        if self.inner <= step:
            at(0)
            return
        with self.b.loop(*inner, step) as loop:
            at(loop.variable)

    def _use_vectors(self, axis: int, lanes: int) -> None:
        self.reader.vector_axis = axis
        self.reader.lanes = lanes if lanes > 1 else 0

    def _load(self) -> SSAValue:
        strides = ((OUTER, self.length * self.inner), (LINE, self.inner), (INNER, 1))
        return self.reader.load(self.source, Affine(0, strides), self.dtype)

    def _store(self, value: SSAValue, place: Affine) -> None:
        for target in self.targets:
            self.reader.store(value, target, place)

    # Cumulative operations

    def _accumulate(self) -> None:
        assert isinstance(self.op, CumulativeOp)
        b, lanes = self.b, self.reader.lanes
        start = reductions.identity(b, self.kind, self.dtype, lanes)
        with b.loop(0, self.length, 1, [start]) as loop:
            self.reader.positions[LINE] = loop.variable
            if self.op.reverse is not None:
                backwards = Affine(self.length - 1, ((LINE, -1),))
                self.reader.positions[LINE] = b.affine(backwards, self.reader.positions)
            total = reductions.combine(b, self.kind, self.dtype, loop.carried[0], self._load())
            strides = ((OUTER, self.length * self.inner), (LINE, self.inner), (INNER, 1))
            self._store(total, Affine(0, strides))
            loop.next = [total]

    # Arg-reductions

    def _search(self) -> None:
        """Walk a line, or lines side by side."""
        b, lanes = self.b, self.reader.lanes
        self.reader.positions[LINE] = 0
        start = [self._load(), b.constant(_I64, lanes, 0)]
        with b.loop(1, self.length, 1, start) as loop:
            self.reader.positions[LINE] = loop.variable
            number = self.reader.position(Affine(0, ((LINE, 1),)), _I64)
            candidate = (self._load(), self.reader.as_vector(number, lanes))
            loop.next = list(self._better(candidate, (loop.carried[0], loop.carried[1])))
        self._store(loop.results[1], Affine(0, ((OUTER, self.inner), (INNER, 1))))

    def _search_line(self) -> None:
        """Search a contiguous line in vectors; what is left over, element by element."""
        lanes = min(self.lanes, self.length)
        whole = self.length // lanes * lanes
        self._use_vectors(LINE, lanes)
        best = self._search_vectors(whole) if lanes > 1 else None
        self._use_vectors(LINE, 0)
        first = 0 if best is None else whole
        if best is None:
            self.reader.positions[LINE] = 0
            best, first = (self._load(), self.b.constant(_I64, 0, 0)), 1
        with self.b.loop(first, self.length, 1, list(best)) as loop:
            self.reader.positions[LINE] = loop.variable
            number = self.reader.position(Affine(0, ((LINE, 1),)), _I64)
            loop.next = list(
                self._better((self._load(), number), (loop.carried[0], loop.carried[1]))
            )
        self._store(loop.results[1], Affine(0, ((OUTER, 1),)))

    def _search_vectors(self, whole: int) -> tuple[SSAValue, SSAValue]:
        """Return the best element, and its position, of the first ``whole`` of a line."""
        b, lanes = self.b, self.reader.lanes
        self.reader.positions[LINE] = 0
        numbers = b.lane_numbers(_I64, lanes, 1)
        with b.loop(lanes, whole, lanes, [self._load(), numbers]) as loop:
            self.reader.positions[LINE] = loop.variable
            number = self.reader.position(Affine(0, ((LINE, 1),)), _I64)
            loop.next = list(
                self._better((self._load(), number), (loop.carried[0], loop.carried[1]))
            )
        values, places = loop.results
        best = self._lane(values, self.dtype, 0), self._lane(places, _I64, 0)
        for lane in range(1, lanes):
            candidate = self._lane(values, self.dtype, lane), self._lane(places, _I64, lane)
            best = self._better(candidate, best, in_order=False)
        return best

    def _lane(self, x: SSAValue, dtype: np.dtype, lane: int) -> SSAValue:
        position = dense_i64([lane])
        properties = {"static_position": position}
        return self.b.append(vector.ExtractOp, (x,), value_type(dtype, 0), properties)

    def _better(
        self,
        candidate: tuple[SSAValue, SSAValue],
        best: tuple[SSAValue, SSAValue],
        in_order: bool = True,
    ) -> tuple[SSAValue, SSAValue]:
        """Return the better element with its position; of equal ones the first.

        ``in_order`` says that the candidate comes after the best so far.
        """
        b, dtype = self.b, self.dtype
        predicate = "lt" if self.kind is ReduceKind.MIN else "gt"
        wins = elementwise.compare(b, predicate, dtype, candidate[0], best[0])
        equal = None if in_order else elementwise.compare(b, "eq", dtype, candidate[0], best[0])
        if dtype.kind == "f":
            new, old = (elementwise.compare(b, "ne", dtype, x, x) for x, _ in (candidate, best))
            not_old = elementwise.compare(b, "eq", dtype, best[0], best[0])
            wins = elementwise.make(
                b, arith.OrIOp, wins, elementwise.make(b, arith.AndIOp, new, not_old)
            )
            if equal is not None:
                both = elementwise.make(b, arith.AndIOp, new, old)
                equal = elementwise.make(b, arith.OrIOp, equal, both)
        if equal is not None:
            earlier = elementwise.compare(b, "lt", _I64, candidate[1], best[1])
            ties = elementwise.make(b, arith.AndIOp, equal, earlier)
            wins = elementwise.make(b, arith.OrIOp, wins, ties)
        return (
            elementwise.select(b, wins, candidate[0], best[0]),
            elementwise.select(b, wins, candidate[1], best[1]),
        )
