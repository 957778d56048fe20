"""Arrays of integers among the attributes, each made once: making one checks it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from xdsl.dialects.builtin import DenseArrayBase, i32, i64


def dense_i64(values: Iterable[int]) -> DenseArrayBase:
    """Return ``array<i64: ...>``, which gives offsets, sizes, strides and positions."""
    return _dense_i64(tuple(values))


@lru_cache(maxsize=4096)
def _dense_i64(values: tuple[int, ...]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


@lru_cache(maxsize=4096)
def segment_sizes(*sizes: int) -> DenseArrayBase:
    """Return ``array<i32: ...>``: how many operands, or results, an op has of each group."""
    return DenseArrayBase.from_list(i32, sizes)
