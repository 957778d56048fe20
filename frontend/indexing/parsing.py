"""Reading an index: what it takes of each dimension, and how the result's dimensions are ordered.

NumPy's rules: an Ellipsis stands for whole dimensions, a mask for the positions where it is True,
and where there is an array, integers count as arrays too. All arrays are broadcast against each
other; their dimensions stand in the result where the arrays do if these are side by side, else in
front.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import EllipsisType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...ir.types import Shape
from ..errors import TracerIntegerConversionError
from ..numpy.operands import is_traced, leaves, lifted
from ..tracer import Tracer


class Part(NamedTuple):
    """Elements of a dimension that are ``step`` apart; of no elements, ``start`` is 0."""

    dim: int
    start: int
    step: int
    length: int

    @property
    def low(self) -> int:
        """The first position in memory."""
        return min(self.start, self.start + max(self.length - 1, 0) * self.step)

    @property
    def span(self) -> int:
        """The positions from the first to the last one, those between counted too."""
        return (self.length - 1) * abs(self.step) + 1 if self.length else 0


class Position(NamedTuple):
    """A position, or an array of positions, along a dimension.

    What is known is in range and not negative. A 0-d bool has no dimension: it counts as an array
    of one position or none.
    """

    dim: int | None
    value: int | np.ndarray | Tracer

    @property
    def shape(self) -> Shape:
        """The shape of the array; that of one position is ()."""
        return np.shape(self.value) if not isinstance(self.value, Tracer) else self.value.shape


class Mask(NamedTuple):
    """A traced mask of consecutive dimensions."""

    dims: range
    value: Tracer


Item: TypeAlias = "Part | Position | Mask | EllipsisType | None"
"""What an index consists of; None is a new dimension, an Ellipsis separates arrays."""


@dataclass(frozen=True)
class Index:
    """An index of arrays of a shape.

    Attributes:
        shape: of what is indexed.
        items: the parts of the index in their order, one for each dimension of the shape.
    """

    shape: Shape
    items: tuple[Item, ...]

    @cached_property
    def parts(self) -> list[Part]:
        """The slices, in the order of their dimensions."""
        return [item for item in self.items if isinstance(item, Part)]

    @cached_property
    def positions(self) -> list[Position]:
        """The positions, in the order of their dimensions."""
        return [item for item in self.items if isinstance(item, Position)]

    @cached_property
    def masks(self) -> list[Mask]:
        """The traced masks."""
        return [item for item in self.items if isinstance(item, Mask)]

    @cached_property
    def has_arrays(self) -> bool:
        """Whether there is an array among the positions."""
        return any(position.shape or position.dim is None for position in self.positions)

    @cached_property
    def is_known(self) -> bool:
        """Whether no position is traced."""
        return not any(isinstance(position.value, Tracer) for position in self.positions)

    @cached_property
    def common(self) -> Shape:
        """The shape of all arrays once broadcast.

        Raises:
            IndexError: if they cannot be.
        """
        shapes = [position.shape for position in self.positions]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            spelled = " ".join(str(shape) for shape in shapes if shape)
            raise IndexError(
                f"shape mismatch: indexing arrays could not be broadcast together with shapes "
                f"{spelled}"
            ) from None

    @cached_property
    def place(self) -> int:
        """How many of the result's dimensions, new ones apart, stand before those of the arrays."""
        return sum(isinstance(item, Part) for item in self.items[: self.place_among_all])

    @cached_property
    def result(self) -> Shape:
        """The shape of the result, for an index without masks."""
        sizes: list[int] = []
        place = self.place_among_all
        for number, item in enumerate((*self.items, None)):
            if number == place:
                sizes += self.common
            if number < len(self.items) and (item is None or isinstance(item, Part)):
                sizes.append(1 if item is None else item.length)
        return tuple(sizes)

    @cached_property
    def place_among_all(self) -> int:
        """The item before which the dimensions of the arrays stand."""
        numbers = [i for i, item in enumerate(self.items) if isinstance(item, Position | Mask)]
        together = numbers and numbers == list(range(numbers[0], numbers[-1] + 1))
        return numbers[0] if together else 0


def traced_in(index: Any) -> list[Tracer]:
    """Return the traced values in an index."""
    found = []
    for item in index if isinstance(index, tuple) else (index,):
        inner = (item.start, item.stop, item.step) if isinstance(item, slice) else leaves(item)
        found += [leaf for leaf in inner if type(leaf) is Tracer]
    return found


def parse(shape: Shape, index: Any) -> Index:
    """Read an index of arrays of a shape.

    Raises:
        IndexError: if there are more indices than dimensions, if a known position is out of range,
            if a mask does not fit, or if an item is nothing to index by.
        TracerIntegerConversionError: if an end of a slice is traced.
    """
    given = index if isinstance(index, tuple) else (index,)
    items = [_array_of(item) for item in given]
    items = _with_ellipsis(items, len(shape))
    return Index(shape, tuple(_simplified(list(_items(items, shape)))))


def _array_of(item: Any) -> Any:
    """Return lists, NumPy scalars and bools as arrays, or traced ones joined to a traced array.

    Raises:
        IndexError: if the item is no index.
    """
    if item is None or item is Ellipsis or isinstance(item, slice | Tracer):
        return item
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    if isinstance(item, list | tuple) and is_traced((item,)):
        return lifted(item, *[leaf for leaf in leaves(item) if type(leaf) is Tracer])[1][0]
    if not isinstance(item, np.ndarray | np.generic | bool | list | tuple):
        return _as_integer(item)
    array = np.asarray(item)
    if array.size == 0 and not isinstance(item, np.ndarray | np.generic):
        array = array.astype(np.intp)
    return array


def _as_integer(item: Any) -> Any:
    try:
        return operator.index(item)
    except TypeError:
        pass
    if hasattr(item, "__array__"):
        return np.asarray(item)
    raise _no_index(item)


def _no_index(item: Any) -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and integer or boolean arrays are "
        f"valid indices, not {type(item).__name__}"
    )


def _used(item: Any) -> int:
    """Return how many dimensions an item takes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if _is_bool(item) else 1


def _is_bool(item: Any) -> bool:
    return isinstance(item, np.ndarray | Tracer) and item.dtype.kind == "b"


def _with_ellipsis(items: Sequence[Any], rank: int) -> list[Any]:
    """Put whole slices behind the Ellipsis, or at the end where there is none."""
    used = sum(map(_used, items))
    if used > rank:
        raise IndexError(
            f"too many indices for array: array is {rank}-dimensional, but {used} were indexed"
        )
    places = [i for i, item in enumerate(items) if item is Ellipsis] or [len(items)]
    if len(places) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    after = places[0] + 1
    return [*items[:after], *[slice(None)] * (rank - used), *items[after:]]


def _items(items: Iterable[Any], shape: Shape) -> Iterator[Item]:
    dim = 0
    for item in items:
        if item is None or item is Ellipsis:
            yield item
        elif isinstance(item, slice):
            yield _part(item, dim, shape[dim])
        elif _is_bool(item):
            yield from _mask(item, dim, shape)
        else:
            yield Position(dim, _checked(item, dim, shape[dim]))
        dim += _used(item)


def _part(item: slice, dim: int, size: int) -> Part:
    try:
        positions = range(*item.indices(size))
    except TracerIntegerConversionError:
        traced = next(v for v in (item.start, item.stop, item.step) if isinstance(v, Tracer))
        raise traced.unknown(
            TracerIntegerConversionError,
            "the end or the step of a slice, which determines a shape,",
            "take a window of a known size by `gradatim.lax.dynamic_slice`",
        ) from None
    if len(positions) < 2:
        return Part(dim, positions[0] if positions else 0, 1, len(positions))
    return Part(dim, positions.start, positions.step, len(positions))


def _mask(item: np.ndarray | Tracer, dim: int, shape: Shape) -> Iterator[Item]:
    for number, (size, found) in enumerate(zip(shape[dim:], item.shape), dim):
        if size != found:
            raise IndexError(
                f"boolean index did not match indexed array along axis {number}; size of axis is "
                f"{size} but size of corresponding boolean axis is {found}"
            )
    if isinstance(item, Tracer):
        yield Mask(range(dim, dim + item.ndim), item)
    elif item.ndim == 0:
        yield Position(None, np.zeros(int(item), np.int64))
    else:
        for number, array in enumerate(np.nonzero(item), dim):
            yield Position(number, array.astype(np.int64))


def _checked(item: Any, dim: int, size: int) -> int | np.ndarray | Tracer:
    """Return a position, or an array of them, counted from the front where it is known.

    Raises:
        IndexError: if it is not of integers, or out of range.
    """
    if isinstance(item, int):
        return _in_range(np.asarray(item), dim, size).item()
    if item.dtype.kind not in "iu":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    if isinstance(item, Tracer):
        if size == 0 and item.size:
            raise IndexError(f"an index is out of bounds for axis {dim} with size 0")
        return item
    found = _in_range(item, dim, size)
    return found if item.ndim else found.item()


def _in_range(array: np.ndarray, dim: int, size: int) -> np.ndarray:
    wrong = (array < -size) | (array >= size)
    if wrong.any():
        first = array[wrong].flat[0]
        raise IndexError(f"index {first} is out of bounds for axis {dim} with size {size}")
    return np.where(array < 0, array + size, array).astype(np.int64)


def _simplified(items: list[Item]) -> list[Item]:
    """Take a single known array of equally spaced positions as a slice."""
    numbers = [i for i, item in enumerate(items) if isinstance(item, Position | Mask)]
    if len(numbers) == 1:
        part = _regular(items[numbers[0]])
        if part is not None:
            items[numbers[0]] = part
    return items


def _regular(item: Item) -> Part | None:
    """Return positions of one dimension that are equally spaced as a slice."""
    if not isinstance(item, Position) or item.dim is None or len(item.shape) != 1:
        return None
    if isinstance(item.value, Tracer):
        return None
    array = np.asarray(item.value)
    if array.size < 2:
        return Part(item.dim, int(array[0]) if array.size else 0, 1, array.size)
    steps = np.diff(array)
    step = int(steps[0])
    return (
        Part(item.dim, int(array[0]), step, array.size) if step and (steps == step).all() else None
    )
