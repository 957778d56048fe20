"""Windows of a known size at computed positions, which NumPy's slices cannot express."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from xdsl.ir import SSAValue

from ...ir.types import Shape
from ..boundary import public
from ..errors import ArgumentError, ShapeError
from ..indexing.reading import from_front
from ..numpy.operands import converted, traced_arrays
from ..tracer import Tracer
from .common import here, in_trace


@public
def dynamic_slice(operand: Any, start_indices: Any, slice_sizes: Sequence[int]) -> Any:
    """Take the window of the given sizes that begins at a computed position.

    Negative positions count from the end. A window that reaches out of the array is moved inside.

    Args:
        operand: an array.
        start_indices: the position along each dimension: a sequence of integers, or an array.
        slice_sizes: the sizes of the window, known while tracing.

    Raises:
        ArgumentError: (a TypeError) if the positions are no integers or not one each dimension.
        ShapeError: if the window does not fit into the array.
    """
    sizes = tuple(map(index, slice_sizes))
    return in_trace(_slice, (), [operand, *_starts_of(start_indices)], sizes=sizes)


@public
def dynamic_update_slice(operand: Any, update: Any, start_indices: Any) -> Any:
    """Return the array with the window that begins at a computed position replaced.

    Positions are taken as by `dynamic_slice`; the update is converted to the array's dtype.
    """
    return in_trace(_update, (), [operand, update, *_starts_of(start_indices)])


@public
def dynamic_slice_in_dim(operand: Any, start_index: Any, slice_size: int, axis: int = 0) -> Any:
    """Take ``slice_size`` elements from a computed position on along one axis, all along others."""
    dim = normalize_axis_index(axis, np.ndim(operand))
    starts = _along(np.ndim(operand), dim, start_index)
    shape = np.shape(operand)
    return dynamic_slice(operand, starts, (*shape[:dim], slice_size, *shape[dim + 1 :]))


@public
def dynamic_index_in_dim(operand: Any, index: Any, axis: int = 0, keepdims: bool = True) -> Any:
    """Take what is at a computed position along one axis, which stays of size 1 by default."""
    taken = dynamic_slice_in_dim(operand, index, 1, axis)
    return taken if keepdims else np.squeeze(taken, axis)


@public
def dynamic_update_slice_in_dim(operand: Any, update: Any, start_index: Any, axis: int) -> Any:
    """Replace what begins at a computed position along one axis, all along the others."""
    dim = normalize_axis_index(axis, np.ndim(operand))
    return dynamic_update_slice(operand, update, _along(np.ndim(operand), dim, start_index))


@public
def dynamic_update_index_in_dim(operand: Any, update: Any, index: Any, axis: int) -> Any:
    """Replace what is at a computed position along one axis, which the update may lack."""
    if np.ndim(update) == np.ndim(operand) - 1:
        update = np.expand_dims(update, normalize_axis_index(axis, np.ndim(operand)))
    return dynamic_update_slice_in_dim(operand, update, index, axis)


def _along(rank: int, dim: int, start: Any) -> list[Any]:
    return [start if d == dim else 0 for d in range(rank)]


def _starts_of(start_indices: Any) -> list[Any]:
    """Return the positions one by one."""
    if isinstance(start_indices, (tuple, list)):
        return list(start_indices)
    if np.ndim(start_indices) != 1:
        raise ArgumentError("the positions must be a sequence of integers, or a vector", here())
    return [start_indices[i] for i in range(np.shape(start_indices)[0])]


def _slice(operand: Any, *starts: Any, sizes: Shape) -> Tracer:
    _, (x, *positions) = traced_arrays(operand, *starts)
    _require_fits(x.shape, sizes)
    builder = x.trace.builder
    return x.trace.tracer(builder.dynamic_slice(x.value, _values(x, positions), sizes))


def _update(operand: Any, update: Any, *starts: Any) -> Tracer:
    _, (x, new, *positions) = traced_arrays(operand, update, *starts)
    _require_fits(x.shape, new.shape)
    value = converted(new, x.dtype).value
    builder = x.trace.builder
    return x.trace.tracer(builder.dynamic_update_slice(x.value, value, _values(x, positions)))


def _require_fits(shape: Shape, sizes: Shape) -> None:
    if len(sizes) != len(shape) or any(not 0 <= m <= n for m, n in zip(sizes, shape)):
        raise ShapeError(f"a window of shape {sizes} does not fit into one of {shape}", here())


def _values(x: Tracer, positions: Sequence[Tracer]) -> list[SSAValue]:
    """Append the positions as 64-bit integers that count from the front."""
    if len(positions) != x.ndim or any(p.ndim or p.dtype.kind not in "iu" for p in positions):
        found = ", ".join(map(str, positions))
        raise ArgumentError(
            f"an array of {x.ndim} dimensions needs an integer position along each, not ({found})",
            here(),
        )
    return [from_front(x.trace.builder, p.value, n) for p, n in zip(positions, x.shape)]
