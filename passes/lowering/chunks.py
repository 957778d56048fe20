"""Chunks: the parts of a loop that threads take one by one.

How a loop is split depends on its sizes alone. Each chunk of a reduction has accumulators of its
own, which are combined in the order of the chunks. So neither the number of threads nor the order
in which they run changes a bit of a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from .loop_builder import INDEX, LoopBuilder
from .vectors import Position

CHUNK_WORK: Final = 4096
"""The least elements of a chunk, which make claiming one cheap in comparison."""

MOST_CHUNKS: Final = 128
"""Enough for many threads to end at about the same time."""


@dataclass(frozen=True)
class Chunks:
    """A loop of ``extent`` iterations in chunks of ``size``, the last of which may be shorter."""

    extent: int
    size: int

    @property
    def count(self) -> int:
        """The number of chunks."""
        return -(-self.extent // self.size)

    @property
    def last(self) -> int:
        """The iterations of the last chunk."""
        return self.extent - (self.count - 1) * self.size


class Chunk(NamedTuple):
    """One chunk under construction: its number, and its iterations ``start`` to ``end``."""

    number: SSAValue
    start: SSAValue
    end: SSAValue


def split(
    extent: int,
    work: int,
    multiple: int = 1,
    least: int = CHUNK_WORK,
    most: int = MOST_CHUNKS,
) -> Chunks:
    """Split a loop.

    Args:
        extent: its iterations.
        work: the elements that one iteration computes.
        multiple: what the size of a chunk is to be a multiple of.
        least: the least elements of a chunk.
        most: the most chunks.
    """
    count = max(min(most, extent * work // least), 1)
    size = -(-extent // (count * multiple)) * multiple
    return Chunks(extent, max(size, multiple))


def whole(extent: int) -> Chunks:
    """Return a loop as one chunk."""
    return Chunks(extent, max(extent, 1))


@contextmanager
def parallel_chunks(b: LoopBuilder, chunks: Chunks) -> Iterator[Chunk]:
    """Open a loop over chunks; what is built in the ``with`` block computes one chunk."""
    with b.parallel(chunks.count) as number:
        start = b.append(arith.MuliOp, (number, b.index(chunks.size)), INDEX)
        end = b.append(arith.AddiOp, (start, b.index(chunks.size)), INDEX)
        if chunks.extent % chunks.size:
            end = b.append(arith.MinSIOp, (end, b.index(chunks.extent)), INDEX)
        yield Chunk(number, start, end)


def unravel(b: LoopBuilder, number: SSAValue, extents: Sequence[int]) -> list[Position]:
    """Return the positions in nested loops of the iteration of a given number, in their order."""
    positions: list[Position] = []
    for extent in reversed(extents[1:]):
        positions.append(b.append(arith.RemUIOp, (number, b.index(extent)), INDEX))
        number = b.append(arith.DivUIOp, (number, b.index(extent)), INDEX)
    return [number, *reversed(positions)]
