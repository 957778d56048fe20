"""Reductions of windows: loops over the windows, with all taps of one of them inside.

The loops are split into what is near the edges and the rest, where no tap meets the padding. Taps
near the edges are masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Final

from ...ir.array.reduction import ReduceWindowOp, windows_of
from ...ir.array.window import Window
from ...ir.kernel.ops import FusionOp
from ...ir.types import dtype_of, row_major, shape_of
from .affine import axis_index
from .chunks import parallel_chunks, split
from .loop_builder import LoopBuilder
from .nest import NestEmitter, store_to
from .reader import Leaf, Reader

MOST_SPLIT: Final = 2
"""The loops that are split at the edges; each one makes the code up to three times as long."""


class WindowLowering:
    """Emits the loops of one fusion that is a ``reduce_window``."""

    def __init__(self, builder: LoopBuilder, fusion: FusionOp, op: ReduceWindowOp) -> None:
        self.op = op
        self.schedule = fusion.schedule.data
        shape, dtype = shape_of(op.operand), dtype_of(op.operand)
        source = Leaf(builder.flat(fusion.ins[0], dtype, prod(shape)), row_major(shape))
        self.reader = Reader(builder, {op.operand: source})
        windows = shape_of(op.result)
        self.targets = [
            Leaf(builder.flat(buffer, dtype, prod(windows)), row_major(windows))
            for buffer in fusion.outs
        ]

    def emit(self) -> None:
        """Emit the loops, one nest for each piece."""
        if 0 in shape_of(self.op.result):
            return
        for number, piece in enumerate(self._pieces()):
            self._emit_piece(number, piece)

    def _pieces(self) -> Iterator[tuple[range, ...]]:
        """Yield which windows of each dimension make up each nest."""
        shape = shape_of(self.op.operand)
        parts = [_parts(w, n) for w, n in zip(windows_of(self.op.properties), shape)]
        at_edges = [d for d, ranges in enumerate(parts) if len(ranges) > 1]
        for d in at_edges[:-MOST_SPLIT]:
            parts[d] = [range(parts[d][-1].stop)]
        return product(*parts)

    def _emit_piece(self, number: int, piece: Sequence[range]) -> None:
        """Emit one nest, with axes of its own, as values are shared by the axes they depend on."""
        axes = [number * len(piece) + d for d in range(len(piece))]
        index = tuple(axis_index(a).shifted(part.start) for a, part in zip(axes, piece))
        extents = {a: len(part) for a, part in zip(axes, piece)}
        stores = [store_to(self.op.result, index, target) for target in self.targets]
        emitter = NestEmitter(self.reader, extents, stores, (), (), lanes=self.schedule.vector)
        sized = [axis for axis in axes if extents[axis] != 1]
        if sized and self.schedule.parallel:
            self._emit_in_chunks(emitter, axes, sized)
        else:
            emitter.emit(axes)

    def _emit_in_chunks(
        self, emitter: NestEmitter, axes: Sequence[int], sized: Sequence[int]
    ) -> None:
        """Emit a nest over axes, the longer of the two outermost of which is split."""
        axis = max(sized[:2], key=emitter.extents.__getitem__)
        work = prod(emitter.extents[a] for a in sized if a != axis) * prod(self.op.sizes.data)
        is_vector = axis == sized[-1]
        lanes = self.schedule.vector if is_vector else 1
        chunks = split(emitter.extents[axis], work, multiple=lanes)
        if chunks.count <= 1:
            emitter.emit(axes)
            return
        # A last vector that begins earlier would write to what another thread writes to.
        emitter.overlap = not is_vector
        with parallel_chunks(self.reader.b, chunks) as chunk:
            emitter.parts[axis] = chunk.start, chunk.end
            emitter.emit(axes)


def _parts(window: Window, n: int) -> list[range]:
    """Return the windows before, within and behind those that meet no padding, but for none."""
    count = window.count_in(n)
    first = min(max(-(-window.low // window.stride), 0), count)
    end = min((n - window.span + window.low) // window.stride + 1, count)
    if first >= end:
        return [range(count)]
    return [part for part in (range(first), range(first, end), range(end, count)) if part]
