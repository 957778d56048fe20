"""Functions that give an array another shape or order: nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ...ir.types import Shape
from ..tracer import Tracer
from ..views import (
    Broadcast,
    Indexed,
    Permuted,
    Reshaped,
    Reversed,
    detached,
    fits_without_copy,
    layout_of,
    view,
)
from .operands import (
    broadcast_shape,
    converted,
    is_traced,
    shape_error,
    traced_array,
    traced_arrays,
)
from .registry import implements


def sizes(shape: Any) -> Shape:
    """Return a shape that may be given as a single size.

    Raises:
        TypeError: if a size is not an integer.
    """
    return tuple(index(n) for n in shape) if np.iterable(shape) else (index(shape),)


def reshaped(x: Tracer, shape: Shape) -> Tracer:
    """Return x in a shape of as many elements: a view, or a copy where NumPy would need one."""
    part = view(x, Reshaped(shape))
    return part if fits_without_copy(x, shape) else detached(part)


def permuted(x: Tracer, permutation: Sequence[int]) -> Tracer:
    """Return a view of x with its dimensions permuted."""
    return view(x, Permuted(tuple(permutation)))


def sliced(x: Tracer, axis: int, start: int, limit: int, stride: int = 1) -> Tracer:
    """Return a view of the elements ``start:limit:stride`` of one axis, for bounds within it."""
    return view(x, Indexed((slice(None),) * axis + (slice(start, limit, stride),)))


def reversed_along(x: Tracer, axes: Sequence[int]) -> Tracer:
    """Return a view of x with the order of elements reversed along axes."""
    return view(x, Reversed(tuple(axes)))


@implements(np.reshape, views=True)
def reshape(a: Any, shape: Any, order: str = "C") -> Tracer:
    """Give an array another shape, in C order, Fortran's, or "A": the one of its memory.

    Raises:
        ShapeError: if the number of elements differs.
    """
    x = traced_array(a)
    order = _order_in_memory(x) if order == "A" else order
    wanted = sizes(shape)
    unknown = [d for d, n in enumerate(wanted) if n < 0]
    known = prod(n for n in wanted if n >= 0)
    if len(unknown) == 1 and known and x.size % known == 0:
        wanted = tuple(x.size // known if n < 0 else n for n in wanted)
    if prod(wanted) != x.size or any(n < 0 for n in wanted):
        raise shape_error(f"cannot reshape array of size {x.size} into shape {sizes(shape)}", [x])
    if order == "F":
        return transpose(reshaped(transpose(x), wanted[::-1]))
    if order != "C":
        raise ValueError(f"order must be one of 'C', 'F', or 'A' (got {order!r})")
    return reshaped(x, wanted)


@implements(np.ravel, views=True)
def ravel(a: Any, order: str = "C") -> Tracer:
    """Return all elements in one dimension, by the order "K" as they follow in memory.

    It is a view if they are contiguous.
    """
    x = traced_array(a)
    length = -1 if x.size else 0
    if x._view is None and order in ("C", "A", "K"):
        return reshape(x, length)
    layout = layout_of(x)
    if order == "K" and not (layout.flags.c_contiguous or layout.flags.f_contiguous):
        permutation = np.argsort(-np.abs(layout.strides), stable=True).tolist()
        flat: Tracer = reshape(permuted(x, permutation), length)
        return flat if layout.transpose(permutation).flags.c_contiguous else detached(flat)
    order = _order_in_memory(x) if order in ("A", "K") else order
    flat = reshape(x, length, order=order)
    contiguous = layout.flags.f_contiguous if order == "F" else layout.flags.c_contiguous
    return flat if contiguous else detached(flat)


def _order_in_memory(x: Tracer) -> str:
    flags = layout_of(x).flags
    return "F" if flags.f_contiguous and not flags.c_contiguous else "C"


@implements(np.transpose, np.permute_dims, views=True)
def transpose(a: Any, axes: Any = None) -> Tracer:
    """Permute the dimensions; reverse them if ``axes`` is None."""
    x = traced_array(a)
    if axes is None:
        return permuted(x, range(x.ndim)[::-1])
    order = normalize_axis_tuple(axes, x.ndim, "axes")
    if len(order) != x.ndim:
        raise ValueError("axes don't match array")
    return permuted(x, order)


@implements(np.matrix_transpose, np.linalg.matrix_transpose, views=True)
def matrix_transpose(x: Any) -> Tracer:
    """Swap the last two dimensions."""
    a = traced_array(x)
    if a.ndim < 2:
        raise ValueError(f"matrix_transpose needs 2 or more dimensions, but {a} has {a.ndim}")
    return swapaxes(a, -1, -2)


@implements(np.swapaxes, views=True)
def swapaxes(a: Any, axis1: int, axis2: int) -> Tracer:
    """Swap two dimensions."""
    x = traced_array(a)
    order = list(range(x.ndim))
    first, second = (normalize_axis_index(axis, x.ndim) for axis in (axis1, axis2))
    order[first], order[second] = second, first
    return permuted(x, order)


@implements(np.moveaxis, views=True)
def moveaxis(a: Any, source: Any, destination: Any) -> Tracer:
    """Move dimensions to other places; the rest keep their order."""
    x = traced_array(a)
    sources = normalize_axis_tuple(source, x.ndim, "source")
    targets = normalize_axis_tuple(destination, x.ndim, "destination")
    if len(sources) != len(targets):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    order = [d for d in range(x.ndim) if d not in sources]
    for target, origin in sorted(zip(targets, sources)):
        order.insert(target, origin)
    return permuted(x, order)


@implements(np.rollaxis, views=True)
def rollaxis(a: Any, axis: int, start: int = 0) -> Tracer:
    """Move a dimension to the place before ``start``."""
    x = traced_array(a)
    axis = normalize_axis_index(axis, x.ndim)
    place = normalize_axis_index(start, x.ndim + 1)
    return moveaxis(x, axis, place - 1 if axis < place else place)


@implements(np.expand_dims, views=True)
def expand_dims(a: Any, axis: Any) -> Tracer:
    """Insert dimensions of size 1 at the places ``axis`` of the result."""
    x = traced_array(a)
    places = normalize_axis_tuple(axis, x.ndim + len(np.atleast_1d(axis)))
    remaining = iter(x.shape)
    rank = x.ndim + len(places)
    return reshaped(x, tuple(1 if d in places else next(remaining) for d in range(rank)))


@implements(np.squeeze, views=True)
def squeeze(a: Any, axis: Any = None) -> Tracer:
    """Remove dimensions of size 1: all of them, or those of ``axis``.

    Raises:
        ValueError: if a dimension of ``axis`` has another size.
    """
    x = traced_array(a)
    if axis is None or (x.ndim == 0 and axis in (0, -1)):
        return reshaped(x, tuple(n for n in x.shape if n != 1))
    removed = normalize_axis_tuple(axis, x.ndim, "axis")
    if any(x.shape[d] != 1 for d in removed):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return reshaped(x, tuple(n for d, n in enumerate(x.shape) if d not in removed))


@implements(np.broadcast_to, views=True)
def broadcast_to(array: Any, shape: Any) -> Tracer:
    """Repeat an array along new dimensions and those of size 1."""
    return view(traced_array(array), Broadcast(sizes(shape)))


@implements(np.broadcast_arrays, views=True)
def broadcast_arrays(*args: Any) -> tuple[Tracer, ...]:
    """Broadcast arrays against each other."""
    _, operands = traced_arrays(*args)
    shape = broadcast_shape(operands)
    return tuple(view(x, Broadcast(shape)) for x in operands)


def _at_least(rank: int, place: Any) -> Any:
    def function(*arys: Any) -> Tracer | tuple[Tracer, ...]:
        _, operands = traced_arrays(*arys)
        raised = tuple(reshaped(x, place(x.shape)) if x.ndim < rank else x for x in operands)
        return raised[0] if len(raised) == 1 else raised

    function.__doc__ = f"View the inputs as arrays of at least {rank} dimensions."
    return function


atleast_1d = implements(np.atleast_1d, views=True)(_at_least(1, lambda shape: (1,)))
atleast_2d = implements(np.atleast_2d, views=True)(
    _at_least(2, lambda shape: (1,) * (2 - len(shape)) + shape)
)
atleast_3d = implements(np.atleast_3d, views=True)(
    _at_least(3, lambda shape: ((1, 1, 1), (1, *shape, 1), (*shape, 1))[len(shape)])
)


@implements(np.flip, views=True)
def flip(m: Any, axis: Any = None) -> Tracer:
    """Reverse the order of elements along axes, all of them if ``axis`` is None."""
    x = traced_array(m)
    return reversed_along(x, range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim))


@implements(np.flipud, views=True)
def flipud(m: Any) -> Tracer:
    """Reverse the order of rows."""
    return flip(_of_rank(m, 1), 0)


@implements(np.fliplr, views=True)
def fliplr(m: Any) -> Tracer:
    """Reverse the order of columns."""
    return flip(_of_rank(m, 2), 1)


def _of_rank(m: Any, rank: int) -> Tracer:
    x = traced_array(m)
    if x.ndim < rank:
        raise ValueError(f"Input must be >= {rank}-d.")
    return x


@implements(np.rot90, views=True)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tracer:
    """Rotate by k quarter turns, from the first of two axes towards the second."""
    x = traced_array(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = normalize_axis_tuple(axes, x.ndim)
    turns = {
        0: lambda: x,
        1: lambda: swapaxes(flip(x, second), first, second),
        2: lambda: flip(x, (first, second)),
        3: lambda: flip(swapaxes(x, first, second), second),
    }
    return turns[k % 4]()


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Tracer:
    """Move elements along axes; those that leave at an end come back at the other."""
    x = traced_array(a)
    if axis is None:
        return reshaped(roll(ravel(x), shift, 0), x.shape)
    axes = normalize_axis_tuple(axis, x.ndim, allow_duplicate=True)
    shifts = _listed(shift, len(axes))
    for d, distance in zip(axes if len(axes) == len(shifts) else axes * len(shifts), shifts):
        x = _rolled(x, d, distance)
    return x


def _listed(shift: Any, count: int) -> list[Any]:
    """Return the shift along each axis, traced or not."""
    if not is_traced((shift,)):
        return list(np.broadcast_to(shift, np.broadcast_shapes(np.shape(shift), (count,))).tolist())
    is_scalar = isinstance(shift, Tracer) and shift.ndim == 0
    shifts = [shift] if is_scalar else list(shift)
    return shifts * count if len(shifts) == 1 else shifts


def _rolled(x: Tracer, axis: int, distance: Any) -> Tracer:
    size = x.shape[axis]
    if isinstance(distance, Tracer) and size:
        return _rolled_by_traced(x, axis, distance)
    cut = (-distance) % size if size else 0
    if not cut:
        return x
    parts = (sliced(x, axis, cut, size), sliced(x, axis, 0, cut))
    return x.trace.tracer(x.trace.builder.concatenate([p.value for p in parts], axis))


def _rolled_by_traced(x: Tracer, axis: int, distance: Tracer) -> Tracer:
    """Take the window of two copies that begins with the element that comes first."""
    trace, (x, distance) = traced_arrays(x, distance)
    b, size = trace.builder, x.shape[axis]
    first = converted(-distance % size, np.int64)
    starts = [
        first.value if d == axis else b.full((), np.dtype(np.int64), 0) for d in range(x.ndim)
    ]
    twice = b.concatenate([x.value, x.value], axis)
    return trace.tracer(b.dynamic_slice(twice, starts, x.shape))


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Tracer:
    """Move the zero frequency, which comes first, to the middle of axes."""
    a = traced_array(x)
    dims = normalize_axis_tuple(range(a.ndim) if axes is None else axes, a.ndim)
    return roll(a, [a.shape[d] // 2 for d in dims], dims)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Tracer:
    """Undo `fftshift`."""
    a = traced_array(x)
    dims = normalize_axis_tuple(range(a.ndim) if axes is None else axes, a.ndim)
    return roll(a, [-(a.shape[d] // 2) for d in dims], dims)
