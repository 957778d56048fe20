"""Reductions of windows written out: a few combinations of an array with itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias, TypeVar

from ..ir.array.window import Window
from ..ir.types import Shape

T = TypeVar("T")


Part: TypeAlias = Callable[[T, int, int, int, int], T]
"""``part(x, dim, start, limit, stride)`` takes a strided part of x along one dimension."""


def combine_windows(
    x: T, shape: Shape, windows: Sequence[Window], part: Part[T], combine: Callable[[T, T], T]
) -> T:
    """Return the combination of each window's taps, of which there is at least one window.

    Along a dimension, windows of 1, 2, 4, ... taps are combined from two halves each, and those of
    them that make up the size are joined, which at last takes strided parts only. So the work is
    linear in the array and logarithmic in the size, and each tap is taken once.

    Args:
        x: the operand within its padding.
        shape: the shape of the operand without it.
        windows: one for each dimension.
        part: takes a part of an operand.
        combine: the operation, which is associative.
    """
    for dim, (n, window) in enumerate(zip(shape, windows)):
        x = _combine_along(x, dim, n, window, part, combine)
    return x


def _combine_along(
    x: T, dim: int, n: int, window: Window, part: Part[T], combine: Callable[[T, T], T]
) -> T:
    reach = (window.count_in(n) - 1) * window.stride + 1
    length = window.low + n + window.high
    taps, rest = 1, window.size

    def piece(x: T, first: int) -> T:
        start = first * window.dilation
        return part(x, dim, start, start + reach, window.stride)

    pieces: list[T] = []
    while rest >= 4 * taps:
        if rest & taps:
            pieces.append(piece(x, window.size - rest))
            rest -= taps
        step = taps * window.dilation
        x = combine(part(x, dim, 0, length - step, 1), part(x, dim, step, length, 1))
        length, taps = length - step, 2 * taps
    pieces += [piece(x, first) for first in range(window.size - rest, window.size, taps)]
    return reduce(combine, pieces)
