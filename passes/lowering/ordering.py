"""Sorts: calls of routines that sort one line of memory (backend/sorting.ll).

The operands are seen as ``[outer, line, inner]``. Where there are inner elements, the lines of some
neighbours are copied to scratch memory together, so that each cache line is read once, and back.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from .chunks import parallel_chunks, split, unravel, whole
from .library import call_routine
from .loop_builder import INDEX, Loop, LoopBuilder
from .vectors import Position

NEIGHBOURS: Final = 8
"""So many lines are copied at a time."""

LONGEST: Final = (1 << 32) - 1
"""The routines number elements by 32 bits."""

_BLOCK, _LINE, _ELEMENT = range(3)
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
        self.neighbours = max(min(self.inner, NEIGHBOURS), 1)
        self.blocks = -(-self.inner // self.neighbours)
        count = self.outer * self.blocks
        is_parallel = bool(fusion.schedule.data.parallel)
        work = self.length * self.neighbours
        self.chunks = split(count, work) if is_parallel else whole(count)
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
        if self.chunks.count > 1:
            with parallel_chunks(self.b, self.chunks) as chunk:
                self._sort_blocks(chunk.start, chunk.end)
        else:
            self._sort_blocks(0, self.chunks.extent)
        for source, target in self.copies:
            self.b.effect(memref.CopyOp, (source, target))

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
        for buffer in owned:
            b.effect(memref.DeallocOp, (buffer,))

    def _scratch_words(self) -> int:
        """Return the 64-bit words that the routines need beside a line."""
        if self.is_plain:
            return -(-self.length * self.dtypes[0].itemsize // 8)
        is_wide = any(dtype.itemsize == 8 for dtype in self.dtypes[: self.keys])
        return (4 if is_wide else 2) * self.length

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
        b = self.sorting.b
        name = f"gd.{action}.{spell_dtype(self.sorting.dtypes[number])}"
        scratch = () if action == "take" else (self.scratch,)
        count = b.constant(_I64, 0, self.sorting.length)
        call_routine(b, name, (*memory, *scratch, count))
