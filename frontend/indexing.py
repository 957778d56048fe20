"""Indexing of traced values by what is known while tracing: integers, slices, None, Ellipsis."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ir.locations import spell_location
from ..ir.types import Shape
from .errors import (
    GradatimError,
    NonConcreteBooleanIndexError,
    TracerIntegerConversionError,
    UnsupportedError,
)
from .source import user_location
from .tracer import Tracer
from .tracing import lift_all


@dataclass
class _Selection:
    """Which elements of each dimension an index takes, and the shape of the result."""

    starts: list[int] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    strides: list[int] = field(default_factory=list)
    reversed: list[int] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)

    def take_one(self, position: int) -> None:
        """Take one element of the next dimension, which vanishes."""
        self.starts.append(position)
        self.limits.append(position + 1)
        self.strides.append(1)

    def take_slice(self, part: slice, size: int) -> None:
        """Take a slice of the next dimension."""
        positions = range(*part.indices(size))
        rising = positions if positions.step > 0 else positions[::-1]
        if positions.step < 0:
            self.reversed.append(len(self.starts))
        self.starts.append(rising[0] if rising else 0)
        self.limits.append(rising[-1] + 1 if rising else 0)
        self.strides.append(rising.step)
        self.shape.append(len(rising))


def index_statically(x: Tracer, index: Any) -> Tracer:
    """Return ``x[index]``.

    Raises:
        IndexError: if an integer is out of range or there are more indices than dimensions.
        UnsupportedError: if an index is a list or an array.
        NonConcreteBooleanIndexError: if an index is a traced mask.
        TracerIntegerConversionError: if an index is a traced integer.
    """
    trace, _ = lift_all(x)
    chosen = _select(x.shape, index if isinstance(index, tuple) else (index,))
    builder = trace.builder
    value = builder.slice(x.value, chosen.starts, chosen.limits, chosen.strides)
    value = builder.reverse(value, chosen.reversed)
    return trace.tracer(builder.reshape(value, tuple(chosen.shape)))


def _select(shape: Shape, indices: tuple[Any, ...]) -> _Selection:
    chosen = _Selection()
    for item in _without_ellipsis(indices, len(shape)):
        if item is None:
            chosen.shape.append(1)
            continue
        axis = len(chosen.starts)
        if isinstance(item, slice):
            chosen.take_slice(item, shape[axis])
        else:
            chosen.take_one(_position(item, axis, shape))
    return chosen


def _without_ellipsis(indices: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """Replace the Ellipsis, implied at the end, by the full slices that it stands for."""
    used = sum(item is not None and item is not Ellipsis for item in indices)
    if used > rank:
        raise IndexError(
            f"too many indices for array: array is {rank}-dimensional, but {used} were indexed"
        )
    places = [i for i, item in enumerate(indices) if item is Ellipsis] or [len(indices)]
    if len(places) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    full = (slice(None),) * (rank - used)
    return indices[: places[0]] + full + indices[places[0] + 1 :]


def _position(item: Any, axis: int, shape: Shape) -> int:
    if isinstance(item, Tracer):
        raise _traced_index(item)
    if isinstance(item, (bool, np.bool_, list, np.ndarray)) and not _is_integer_scalar(item):
        raise UnsupportedError(
            f"indexing a traced value by {type(item).__name__} is not supported; use integers "
            "and slices, or `np.where` to choose by a mask",
            spell_location(user_location()),
        )
    try:
        position = operator.index(item)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`) and None are valid indices of traced "
            f"values, not {type(item).__name__}"
        ) from None
    size = shape[axis]
    if not -size <= position < size:
        raise IndexError(f"index {position} is out of bounds for axis {axis} with size {size}")
    return position + size if position < 0 else position


def _is_integer_scalar(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.ndim == 0 and item.dtype.kind in "iu"


def _traced_index(item: Tracer) -> GradatimError:
    if item.dtype.kind == "b":
        return item.unknown(
            NonConcreteBooleanIndexError,
            "indexing by a mask, whose result has as many elements as the mask has True ones,",
            "choose by `np.where` instead",
        )
    return item.unknown(
        TracerIntegerConversionError, "an index", "make the argument static (`static_argnums`)"
    )
