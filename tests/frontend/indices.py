"""Random indices of all kinds that NumPy knows, of which some parts are to be traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

Shape = tuple[int, ...]


class RandomIndex(NamedTuple):
    """An index of arrays of a shape.

    Attributes:
        shape: of what is indexed.
        traced: the parts that are to be traced, as arrays.
        rebuild: makes the whole index of the traced parts.
    """

    shape: Shape
    traced: list[np.ndarray]
    rebuild: Callable[..., tuple[Any, ...]]

    def __repr__(self) -> str:
        return f"{self.rebuild(*self.traced)} of {self.shape}, {len(self.traced)} traced"


_SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
_DTYPES = st.sampled_from(["i1", "i4", "i8", "u1", "u8"])


@st.composite
def _positions(draw: Any, size: int, shape: Shape) -> np.ndarray:
    dtype = np.dtype(draw(_DTYPES))
    low = 0 if dtype.kind == "u" else -size
    count = int(np.prod(shape))
    numbers = draw(st.lists(st.integers(low, size - 1), min_size=count, max_size=count))
    return np.array(numbers, dtype).reshape(shape)


@st.composite
def _slices(draw: Any, size: int) -> slice:
    bound = st.none() | st.integers(-size - 1, size + 1)
    step = draw(st.none() | st.sampled_from([1, 2, 3, -1, -2]))
    return slice(draw(bound), draw(bound), step)


@st.composite
def random_indices(draw: Any, masks: bool = True) -> RandomIndex:
    """Draw a shape and an index of it."""
    shape = draw(_SHAPES)
    common = draw(st.lists(st.integers(1, 3), max_size=2).map(tuple))
    items: list[Any] = []
    traced: list[np.ndarray] = []
    limit = draw(st.integers(0, len(shape)))
    front = draw(st.integers(0, limit))
    segments = [(0, limit)]
    if draw(st.booleans()):  # an Ellipsis, perhaps for no dimensions, after the first ones
        segments = [(0, front), (len(shape) - limit + front, len(shape))]
    has_mask = not masks
    for number, (dim, end) in enumerate(segments):
        items += [Ellipsis] * number
        while dim < end:
            kinds = ["integer", "slice", "slice", "array", "none", *["mask"] * (not has_mask)]
            kind = draw(st.sampled_from(kinds))
            if kind == "none":
                items.append(None)
                continue
            if kind == "slice":
                items.append(draw(_slices(shape[dim])))
            elif kind == "mask":
                # One mask that is True once goes with arrays of any shape.
                rank = draw(st.integers(1, end - dim))
                mask = np.zeros(shape[dim : dim + rank], bool)
                mask.flat[draw(st.integers(0, mask.size - 1))] = True
                items.append(mask)
                has_mask = True
                dim += rank - 1
            else:
                ones = [draw(st.sampled_from([n, 1])) for n in common]
                part = () if kind == "integer" else tuple(ones[draw(st.integers(0, len(ones))) :])
                items.append(draw(_positions(shape[dim], part)))
                if draw(st.booleans()):
                    traced.append(items[-1])
                    items[-1] = _Hole(len(traced) - 1)
                elif part == () and draw(st.booleans()):
                    items[-1] = int(items[-1])
            dim += 1
    return RandomIndex(shape, traced, lambda *parts: tuple(_filled(i, parts) for i in items))


class _Hole(NamedTuple):
    number: int


def _filled(item: Any, parts: tuple[Any, ...]) -> Any:
    return parts[item.number] if isinstance(item, _Hole) else item
