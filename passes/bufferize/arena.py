"""The arena: one piece of memory in which temporaries that do not live at once share places."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from heapq import heappop, heappush
from typing import Final

from xdsl.ir import Operation

ALIGNMENT: Final = 64
"""Places start at multiples of a cache line, which is also the longest vector."""


class Place(Enum):
    """Where memory is.

    ``ARENA``: in an arena, or a result of the function. ``SLOT``: the part of a scan's stacked
    result that belongs to a step. ``EITHER``: in one of several pieces of memory that a loop
    passed on; which one is known when the program runs.
    """

    ARENA = auto()
    SLOT = auto()
    EITHER = auto()


@dataclass(eq=False)
class Storage:
    """Memory that holds one value, or several after each other.

    Attributes:
        size: in bytes.
        first: the number of the op that writes it first.
        last: the number of the op that reads it last.
        result: the function's result whose memory it is, by its number.
        argument: the function's in-out argument whose memory it is. Neither: a temporary.
        offset: where a temporary lies in the arena.
        place: where it is.
        frame: the op that has the arena; None: the function.
    """

    size: int
    first: int
    last: int
    result: int | None = None
    offset: int = 0
    place: Place = Place.ARENA
    frame: Operation | None = None
    argument: int | None = None

    @property
    def is_temporary(self) -> bool:
        """Whether it lies in an arena."""
        return self.is_reusable and self.argument is None

    @property
    def is_reusable(self) -> bool:
        """Whether it may hold several values after each other: no memory of one result."""
        return self.place is Place.ARENA and self.result is None

    def extend(self, first: int, last: int) -> None:
        """Keep what is stored from one op to another one."""
        self.first = min(self.first, first)
        self.last = max(self.last, last)


def plan_arena(temporaries: Iterable[Storage]) -> int:
    """Give each temporary its offset, in one walk, and return the size of the arena.

    A temporary takes the smallest free place that holds it (best fit), or extends the arena.
    """
    free = _FreeSpace()
    living: list[tuple[int, int, int]] = []  # a heap of last use, start and end
    for storage in sorted(temporaries, key=lambda s: s.first):
        while living and living[0][0] < storage.first:
            _, start, end = heappop(living)
            free.release(start, end)
        size = _aligned(storage.size)
        storage.offset = free.take(size)
        heappush(living, (storage.last, storage.offset, storage.offset + size))
    return free.end


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


class _FreeSpace:
    """The free places below ``end``, in rising order; no two touch."""

    def __init__(self) -> None:
        self.end = 0
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, size: int) -> int:
        """Return the start of ``size`` bytes that are no longer free."""
        sizes = [(b - a, i) for i, (a, b) in enumerate(zip(self._starts, self._ends))]
        fitting = min(((n, i) for n, i in sizes if n >= size), default=None)
        if fitting is None:
            return self._extend(size)
        place = fitting[1]
        start = self._starts[place]
        self._starts[place] += size
        if self._starts[place] == self._ends[place]:
            del self._starts[place], self._ends[place]
        return start

    def _extend(self, size: int) -> int:
        """Take from the end of the arena, and from a free place that touches it."""
        start = self.end
        if self._ends and self._ends[-1] == self.end:
            start = self._starts.pop()
            self._ends.pop()
        self.end = start + size
        return start

    def release(self, start: int, end: int) -> None:
        """Make a place free, as one with its free neighbours."""
        if start == end:
            return
        place = bisect(self._starts, start)
        if place < len(self._starts) and self._starts[place] == end:
            end = self._ends[place]
            del self._starts[place], self._ends[place]
        if place and self._ends[place - 1] == start:
            self._ends[place - 1] = end
            return
        self._starts.insert(place, start)
        self._ends.insert(place, end)
