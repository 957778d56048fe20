"""What schedules are chosen for: the width of vectors, and when threads pay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...ir.types import Shape

PARALLEL_MICROSECONDS: Final = 200.0
"""A kernel that takes less on one core, by the cost model, is not split among threads."""

PARALLEL_MICROSECONDS_IN_LOOPS: Final = 50.0
"""The same within a loop, where threads are awake if the kernel was split in the step before."""

MAX_CHUNKS: Final = 64
"""Into so many chunks steps of a loop, or lanes, are split at most: enough for many threads to end
at about the same time."""


class Target(NamedTuple):
    """What schedules are chosen for.

    Attributes:
        vector_bits: the width of a vector register.
        parallel_microseconds: what takes longer is split among threads.
    """

    vector_bits: int
    parallel_microseconds: float = PARALLEL_MICROSECONDS

    def in_loop(self) -> Target:
        """Return the target for the body of a loop."""
        least = min(self.parallel_microseconds, PARALLEL_MICROSECONDS_IN_LOOPS)
        return self._replace(parallel_microseconds=least)


PARALLEL_ROWS: Final = 64
"""So many rows are enough to split; inner loops are then left whole."""


def first_of(dims: Sequence[int], domain: Shape) -> tuple[int, ...]:
    """Return the first dimensions that have enough iterations together to be split."""
    count = 1
    for number, d in enumerate(dims, 1):
        count *= domain[d]
        if count >= PARALLEL_ROWS:
            return tuple(dims[:number])
    return tuple(dims)


def lanes_of(dtypes: Iterable[np.dtype], vector_bits: int) -> int:
    """Return how many of the widest elements a vector holds; numbers count before indices."""
    floats, others = 0, 1
    for dtype in dtypes:
        if dtype.kind in "fc":
            floats = max(floats, dtype.itemsize // (2 if dtype.kind == "c" else 1))
        else:
            others = max(others, dtype.itemsize)
    return vector_bits // (8 * (floats or others))
