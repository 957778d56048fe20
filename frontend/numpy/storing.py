"""Functions that change an array in place."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from .. import indexing
from ..errors import ShapeError
from ..stores import stored_result, traced_target
from ..tracer import Tracer
from .manipulation import ravel, reshaped
from .operands import is_traced, traced_arrays, unsupported, xp
from .registry import implements
from .selection import where as choose


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """Store src, broadcast, where ``where`` holds.

    Raises:
        TypeError: if ``casting`` does not allow the conversion.
    """
    target = traced_target(dst, "`numpy.copyto`")
    value = xp.broadcast_to(_as_dtype_of(target, src, casting), target.shape)
    chosen = value if where is True else choose(where, value, target)
    stored_result(target, chosen, "numpy.copyto", casting)


_KINDS: Final = {bool: "biufc", int: "iufc", float: "fc", complex: "c"}
"""The kinds of dtypes that a Python number may be stored as under the rule ``same_kind``."""


def _as_dtype_of(target: Tracer, value: Any, casting: str) -> Any:
    """Return a Python number as one of the target's dtype, all else as it is."""
    kinds = _KINDS.get(type(value))
    if kinds is None:
        return value
    if casting != "unsafe" and target.dtype.kind not in kinds:
        raise TypeError(
            f"Cannot cast scalar from {np.result_type(type(value))!r} to {target.dtype!r} "
            f"according to the rule {casting!r}"
        )
    return target.dtype.type(value)


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Store values, repeated as need be, at positions of the flat array; out of range by mode."""
    target = traced_target(a, "`numpy.put`")
    if not np.size(ind):
        return
    positions = _in_range(ravel(ind) if is_traced((ind,)) else np.ravel(ind), target.size, mode)
    flat = ravel(target)
    values = xp.resize(traced_arrays(target, v)[1][1], np.size(positions))
    target.assign(reshaped(indexing.updated(flat, positions, values), target.shape))


def _in_range(positions: Any, size: int, mode: str) -> Any:
    if mode == "wrap":
        return positions % size
    if mode == "clip":
        return xp.clip(positions, 0, size - 1)
    if mode != "raise":
        raise ValueError(f"mode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    return positions


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """Store values, one after the other and repeated as need be, where the mask holds."""
    target = traced_target(arr, "`numpy.place`")
    _, (_, chosen, values) = traced_arrays(target, mask, vals)
    chosen, values = ravel(chosen) != 0, ravel(values)
    if chosen.size != target.size:
        raise ShapeError("`numpy.place` needs a mask and an array of the same number of elements")
    if not target.size:
        return
    if not values.size:
        raise ValueError("Cannot insert from an empty array!")  # NumPy's words
    ranks = (xp.cumsum(chosen) - 1) % values.size
    new = choose(chosen, values.astype(target.dtype)[ranks], ravel(target))
    target.assign(reshaped(new, target.shape))


@implements(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """Store where the mask holds the values at the same places, repeated as need be."""
    target = traced_target(a, "`numpy.putmask`")
    _, (_, chosen, found) = traced_arrays(target, mask, values)
    if chosen.shape != target.shape:
        raise ShapeError("`numpy.putmask` needs a mask and an array of the same shape")
    if found.size:
        repeated = xp.resize(found.astype(target.dtype), target.shape)
        target.assign(choose(chosen != 0, repeated, target))


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    """Store values at one position along an axis for each place of the others."""
    target = traced_target(arr, "`numpy.put_along_axis`")
    flat = ravel(target) if axis is None else target
    dim = normalize_axis_index(-1 if axis is None else axis, flat.ndim)
    rank = np.ndim(indices)
    if rank != flat.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    lines = [np.arange(n).reshape((n,) + (1,) * (rank - d - 1)) for d, n in enumerate(flat.shape)]
    index = tuple(indices if d == dim else line for d, line in enumerate(lines))
    target.assign(reshaped(indexing.updated(flat, index, values), target.shape))


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Store a number, or the elements of an array as far as need be, on the main diagonal.

    Of an array of more dimensions, which must have one size, it is where all indices are equal.
    """
    target = traced_target(a, "`numpy.fill_diagonal`")
    if target.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if target.ndim > 2 and len(set(target.shape)) > 1:
        raise ValueError("All dimensions of input must be of equal length")
    places = np.zeros(target.shape, np.bool_)
    np.fill_diagonal(places, True, wrap)
    positions = np.flatnonzero(places)
    if positions.size:
        values = xp.resize(traced_arrays(target, val)[1][1], positions.size)
        target.assign(reshaped(indexing.updated(ravel(target), positions, values), target.shape))


_COMBINERS: Final[dict[np.ufunc, str]] = {
    np.add: "add",
    np.multiply: "mul",
    np.minimum: "min",
    np.maximum: "max",
}
"""The ufuncs whose method ``at`` is an update of one kind."""


def ufunc_at(ufunc: np.ufunc, a: Any, indices: Any, *operands: Any) -> None:
    """Do ``a[indices] = ufunc(a[indices], *operands)``, once more for each repeated index.

    Raises:
        UnsupportedError: for a ufunc whose repeated application is no sum, product or extremum.
    """
    target = traced_target(a, f"`numpy.{ufunc.__name__}.at`")
    if ufunc is np.subtract:
        ufunc, operands = np.add, (xp.negative(_array_of(target, *operands)),)
    if ufunc in _COMBINERS:
        (value,) = operands
        target.assign(indexing.updated(target, indices, value, kind=_COMBINERS[ufunc]))
    elif _is_distinct(target, indices):
        new = ufunc(target[indices], *operands)
        target.assign(indexing.updated(target, indices, new))
    else:
        raise unsupported(
            f"`numpy.{ufunc.__name__}.at` does not take traced values, unless it is known that no "
            "element is indexed twice; supported are add, subtract, multiply, minimum and maximum"
        )


def _array_of(target: Tracer, value: Any) -> Any:
    return traced_arrays(target, value)[1][1].astype(target.dtype)


def _is_distinct(target: Tracer, indices: Any) -> bool:
    """Tell whether it is known that an index takes no element twice."""
    key = indices if type(indices) is tuple else (indices,)
    if is_traced(key):
        return False
    taken = np.arange(target.size).reshape(target.shape)[key]
    return np.unique(taken).size == taken.size
