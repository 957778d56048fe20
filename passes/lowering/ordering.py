"""Sorts: calls of routines that sort lines of memory (backend/sorting.py).

The operands are seen as ``[outer, line, inner]``. Many short lines are sorted side by side, others
one by one. Where those lie across, some neighbours are copied to scratch memory together, so that
each cache line is read once, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Final, NamedTuple

import numpy as np
from xdsl.dialects import arith, memref
from xdsl.ir import SSAValue

from ...ir.array.ordering import SortOp, keys_of
from ...ir.array.shape import dim_of
from ...ir.errors import GradatimError
from ...ir.kernel.ops import FusionOp
from ...ir.locations import spell_location
from ...ir.types import dtype_of, shape_of, spell, spell_dtype
from .affine import Affine
from .chunks import Chunks, parallel_chunks, split, unravel, whole
from .library import call_routine
from .loop_builder import INDEX, Loop, LoopBuilder, scalar_type
from .vectors import Position

LONGEST: Final = (1 << 32) - 1
"""The routines number elements by 32 bits."""

NEIGHBOURS: Final = 8
"""So many lines are copied at a time."""

LANES: Final = 16
"""The most lines that are sorted side by side at a time."""

FEWEST_LANES: Final = 4
"""Fewer lines are not worth it."""

_SHORT_ROWS: Final = {False: 32, True: 64}
_SHORT_COLUMNS: Final = {False: 1024, True: 256}
"""How long lines may be to be sorted side by side, where a permutation is asked for (True) or not:
in elements, but for columns without permutation, which are measured in bytes."""

_I64: Final = np.dtype(np.int64)


class SortLowering:
    """Emits the calls of one fusion that is a sort.

    Operands and results go by their numbers; the last result, the permutation, has one more than
    the last operand.
    """

    def __init__(self, builder: LoopBuilder, fusion: FusionOp, op: SortOp) -> None:
        self.b = builder
        shape = shape_of(op.operands[0])
        dim = dim_of(op.properties)
        self.length = shape[dim]
        if self.length > LONGEST:
            raise GradatimError(
                f"{spell(op.operands[0])} has more than {LONGEST} elements along {dim}, "
                "and cannot be sorted along it",
                spell_location(op.location),
            )
        self.outer, self.inner = prod(shape[:dim]), prod(shape[dim + 1 :])
        self.is_parallel = bool(fusion.schedule.data.parallel)
        self._find_memory(fusion, op)

    def _find_memory(self, fusion: FusionOp, op: SortOp) -> None:
        """Find the buffers of the operands that matter and of the results that are asked for."""
        size = prod(shape_of(op.operands[0]))
        self.dtypes = [*map(dtype_of, op.operands), _I64]
        self.keys, self.permutation = keys_of(op.properties), len(op.operands)
        numbers: dict[SSAValue, int] = {value: i for i, value in enumerate(op.results)}
        self.targets: dict[int, SSAValue] = {}
        self.copies: list[tuple[SSAValue, SSAValue]] = []
        for value, out in zip(fusion.terminator.operands, fusion.outs):
            number = numbers[value]
            buffer = self.b.flat(out, self.dtypes[number], size)
            if number in self.targets:
                self.copies.append((self.targets[number], buffer))
            else:
                self.targets[number] = buffer
        self.is_plain = self.keys == 1 and self.targets.keys() == {0}
        ins = dict(zip(fusion.body.block.args, fusion.ins))
        needed = {*range(self.keys), *self.targets} - {self.permutation}
        self.sources = {
            i: self.b.flat(ins[op.operands[i]], self.dtypes[i], size) for i in sorted(needed)
        }

    def emit(self) -> None:
        """Emit the loop over the lines, or over blocks of neighbours."""
        if self._are_short():
            self._sort_side_by_side()
        else:
            self._sort_one_by_one()
        for source, target in self.copies:
            self.b.effect(memref.CopyOp, (source, target))

    def _are_short(self) -> bool:
        """Tell whether the lines are many and short."""
        if self.length < 2 or self.keys > 1 or self.outer * self.inner < FEWEST_LANES:
            return False
        finds_order = not self.is_plain
        if self.inner == 1:
            return self.length <= _SHORT_ROWS[finds_order]
        size = self.length * (1 if finds_order else self.dtypes[0].itemsize)
        return size <= _SHORT_COLUMNS[finds_order]

    @contextmanager
    def _parts(self, chunks: Chunks) -> Iterator[tuple[Position, Position]]:
        """Open a parallel loop over chunks, if there are several; give the bounds of one."""
        if chunks.count > 1:
            with parallel_chunks(self.b, chunks) as chunk:
                yield chunk.start, chunk.end
        else:
            yield 0, chunks.extent

    def call(self, action: str, number: int, *arguments: SSAValue) -> None:
        """Append the call of a routine for an operand's elements."""
        name = f"gd.{action}.{spell_dtype(self.dtypes[number])}"
        call_routine(self.b, name, arguments)

    # Side by side

    def _sort_side_by_side(self) -> None:
        b, owned = self.b, list[SSAValue]()
        lines = self.outer * self.inner
        order = self.targets.get(self.permutation)
        if order is None and not self.is_plain:
            order = b.scratch(_I64, lines * self.length, owned)
        chunks = split(lines, self.length, LANES) if self.is_parallel else whole(lines)
        sizes = [b.constant(_I64, 0, size) for size in (self.length, self.inner)]
        with self._parts(chunks) as bounds:
            within = (*sizes, *map(self._integer, bounds))
            row_words = LANES if order is not None else LANES // 2
            rows = list[SSAValue]()
            scratch = b.scratch(_I64, row_words * self.length, rows)
            if order is None:
                self.call("sort_lanes", 0, self.targets[0], self.sources[0], scratch, *within)
            else:
                self.call("order_lanes", 0, order, self.sources[0], scratch, *within)
                for number, target in self.targets.items():
                    if number != self.permutation:
                        source = self.sources[number]
                        self.call("take_lanes", number, target, source, order, *within)
            self._free(rows)
        self._free(owned)

    def _integer(self, position: Position) -> SSAValue:
        if isinstance(position, int):
            return self.b.constant(_I64, 0, position)
        return self.b.append(arith.IndexCastOp, (position,), scalar_type(_I64))

    def _free(self, owned: list[SSAValue]) -> None:
        for buffer in owned:
            self.b.effect(memref.DeallocOp, (buffer,))

    # One by one

    def _sort_one_by_one(self) -> None:
        self.neighbours = max(min(self.inner, NEIGHBOURS), 1)
        self.blocks = -(-self.inner // self.neighbours)
        count = self.outer * self.blocks
        work = self.length * self.neighbours
        chunks = split(count, work) if self.is_parallel else whole(count)
        with self._parts(chunks) as (start, end):
            self._sort_blocks(start, end)

    def _sort_blocks(self, start: Position, end: Position) -> None:
        b, owned = self.b, list[SSAValue]()
        room = self.neighbours * self.length
        scratch = b.scratch(_I64, self._scratch_words(), owned)
        read, written = self.sources, dict(self.targets)
        if self.inner > 1:
            read = {i: b.scratch(self.dtypes[i], room, owned) for i in read}
            written = {i: b.scratch(self.dtypes[i], room, owned) for i in written}
        order = written.get(self.permutation)
        if order is None and not self.is_plain:
            order = b.scratch(_I64, self.length, owned)
        lines = _Lines(self, read, written, order, scratch)
        with b.loop(start, end, 1) as loop:
            if self.inner == 1:
                lines.sort(self._place(0, (loop.variable, self.length)))
            else:
                self._sort_neighbours(loop.variable, lines)
        self._free(owned)

    def _scratch_words(self) -> int:
        """Return the 64-bit words that the routines need beside a line."""
        if self.is_plain:
            return -(-self.length * self.dtypes[0].itemsize // 8)
        return 2 * self.length

    def _sort_neighbours(self, block: SSAValue, lines: _Lines) -> None:
        """Copy a block of lines, sort them, and copy what is asked for back."""
        b = self.b
        outer, number = unravel(b, block, (self.outer, self.blocks))
        start = self._place(0, (outer, self.length * self.inner), (number, self.neighbours))
        count = b.index(self.neighbours)
        if self.inner % self.neighbours:
            rest = self._place(self.inner, (number, -self.neighbours))
            count = b.append(arith.MinSIOp, (rest, count), INDEX)
        for i, source in self.sources.items():
            with b.loop(0, self.length, 1) as element, b.loop(0, count, 1) as line:
                value = b.load(source, self._across(start, element, line), self.dtypes[i], 0)
                b.store(value, lines.read[i], self._along(element, line))
        with b.loop(0, count, 1) as line:
            lines.sort(self._place(0, (line.variable, self.length)))
        for i, target in self.targets.items():
            with b.loop(0, self.length, 1) as element, b.loop(0, count, 1) as line:
                value = b.load(lines.written[i], self._along(element, line), self.dtypes[i], 0)
                b.store(value, target, self._across(start, element, line))

    def _across(self, start: SSAValue, element: Loop, line: Loop) -> SSAValue:
        """Return the place of an element where the lines lie side by side."""
        return self._place(0, (start, 1), (element.variable, self.inner), (line.variable, 1))

    def _along(self, element: Loop, line: Loop) -> SSAValue:
        """Return the place of an element where each line is contiguous."""
        return self._place(0, (line.variable, self.length), (element.variable, 1))

    def _place(self, constant: int, *terms: tuple[Position, int]) -> SSAValue:
        positions = {axis: position for axis, (position, _) in enumerate(terms)}
        form = Affine(constant, tuple((axis, factor) for axis, (_, factor) in enumerate(terms)))
        return self.b.affine(form, positions)


class _Lines(NamedTuple):
    """Memory of contiguous lines, and the calls that sort one of them.

    Attributes:
        sorting: the sort.
        read: the operands that matter.
        written: the results that are asked for.
        order: where the permutation goes: to its result, or to scratch memory for one line.
        scratch: what the routines work in.
    """

    sorting: SortLowering
    read: Mapping[int, SSAValue]
    written: Mapping[int, SSAValue]
    order: SSAValue | None
    scratch: SSAValue

    def sort(self, offset: SSAValue) -> None:
        """Append the calls for the line at an offset."""
        if self.order is None:
            self._call("sort", 0, self._line(self.written[0], offset), self._read(0, offset))
            return
        in_result = self.sorting.permutation in self.written
        order = self._line(self.order, offset) if in_result else self.order
        action = "order"
        for key in reversed(range(self.sorting.keys)):
            self._call(action, key, order, self._read(key, offset))
            action = "reorder"
        for number, buffer in self.written.items():
            if number != self.sorting.permutation:
                target = self._line(buffer, offset)
                self._call("take", number, target, self._read(number, offset), order)

    def _read(self, number: int, offset: SSAValue) -> SSAValue:
        return self._line(self.read[number], offset)

    def _line(self, buffer: SSAValue, offset: SSAValue) -> SSAValue:
        return self.sorting.b.shifted(buffer, offset, self.sorting.length)

    def _call(self, action: str, number: int, *memory: SSAValue) -> None:
        scratch = () if action == "take" else (self.scratch,)
        count = self.sorting.b.constant(_I64, 0, self.sorting.length)
        self.sorting.call(action, number, *memory, *scratch, count)
