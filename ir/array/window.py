"""Windows that slide along an array: the arithmetic that window reductions and convolutions share.

Along each dimension the operand's n elements lie at 0, b, 2b, ... (b is the base dilation), padding
surrounds them, and tap k of window i is at ``i * stride + k * dilation - low``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from ..errors import ShapeError
from ..types import Shape
from .shape import padded


class Window(NamedTuple):
    """How a window slides along one dimension.

    Attributes:
        size: its taps.
        stride: from one window to the next.
        dilation: from one tap to the next.
        low: paddings before the first element; negative ones cut elements off.
        high: paddings after the last element.
        base_dilation: from one element to the next.
    """

    size: int
    stride: int
    dilation: int
    low: int
    high: int
    base_dilation: int = 1

    @property
    def span(self) -> int:
        """The positions from the first tap to the last."""
        return (self.size - 1) * self.dilation + 1

    def spread(self, n: int) -> int:
        """Return the positions from the first to the last of n elements."""
        return (n - 1) * self.base_dilation + 1 if n else 0

    def count_in(self, n: int) -> int:
        """Return how many windows fit an array of n elements."""
        return max((self.low + self.spread(n) + self.high - self.span) // self.stride + 1, 0)

    def transposed(self, n: int) -> Window:
        """Return the window that takes the count's elements back to the n they came from.

        Reversed taps slide over what the strides part.
        """
        back = Window(self.size, self.base_dilation, self.dilation, 0, 0, self.stride)
        return back.ending(self.span - 1 - self.low, self.count_in(n), n)

    def exchanged(self, n: int) -> Window:
        """Return the window in which the taps and the windows change places.

        The windows' elements slide over the n elements, once for each tap.
        """
        swapped = Window(self.count_in(n), self.dilation, self.stride, 0, 0, self.base_dilation)
        return swapped.ending(self.low, n, self.size)

    def ending(self, low: int, n: int, count: int) -> Window:
        """Return the window with padding for exactly ``count`` windows over n elements."""
        high = (count - 1) * self.stride + self.span - self.spread(n) - low
        return self._replace(low=low, high=high)


def require_windows(op_name: str, operand: str, shape: Shape, windows: Sequence[Window]) -> None:
    """Raise ShapeError unless windows have taps, move on, and fit the padded shape."""
    for d, (n, window) in enumerate(zip(shape, windows)):
        if min(window.size, window.stride, window.dilation, window.base_dilation) < 1:
            raise ShapeError(
                f"{op_name}: sizes, strides and dilations must be at least 1 along {d} of {operand}"
            )
        if window.low + window.spread(n) + window.high < 0:
            raise ShapeError(
                f"{op_name}: {operand} cannot be padded by low {window.low}, "
                f"high {window.high} along {d}"
            )


def taps_of(
    x: np.ndarray, windows: Sequence[Window], value: object, first: int = 0
) -> list[np.ndarray]:
    """Return what each tap of the windows sees of an array padded with ``value``.

    The windows slide along the dimensions from ``first`` on; the taps come in row-major order.
    """
    around = [(0, 0, 0)] * x.ndim
    for d, window in enumerate(windows, first):
        around[d] = (window.low, window.high, window.base_dilation - 1)
    low, high, interior = zip(*around) if around else ((), (), ())
    wide = padded(x, value, low, high, interior)
    counts = [window.count_in(x.shape[d]) for d, window in enumerate(windows, first)]
    return [
        wide[(slice(None),) * first + tuple(map(_places, windows, counts, taps))]
        for taps in product(*(range(window.size) for window in windows))
    ]


def _places(window: Window, count: int, tap: int) -> slice:
    start = tap * window.dilation
    return slice(start, start + max((count - 1) * window.stride + 1, 0), window.stride)
