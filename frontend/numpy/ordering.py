"""Sorting, and the order that sorts."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..tracer import Tracer
from .manipulation import ravel, reshaped
from .operands import traced_array, traced_arrays, unsupported, xp
from .registry import implements


def sorted_along(x: Tracer, axis: int) -> Tracer:
    """Return x sorted along an axis."""
    values, _ = x.trace.builder.sort([x.value], axis)
    return x.trace.tracer(values)


def sorted_together(arrays: Sequence[Tracer], axis: int, keys: int = 1) -> list[Tracer]:
    """Return arrays sorted along an axis by the first ``keys``, and the order that sorts them."""
    trace = arrays[0].trace
    return [trace.tracer(v) for v in trace.builder.sort([x.value for x in arrays], axis, keys)]


def _line(x: Tracer, axis: int | None) -> tuple[Tracer, int]:
    """Return an array and the axis to sort along, which is that of all elements if None."""
    if axis is None:
        return ravel(x), 0
    return x, normalize_axis_index(index(axis), x.ndim)


def _is_stable(kind: Any, stable: Any, order: Any) -> bool:
    """Tell whether a stable sort is asked for; NumPy itself raises what is wrong."""
    np.sort(np.empty(0), kind=kind, stable=stable, order=order)
    return bool(stable) or kind in ("stable", "mergesort")


@implements(np.sort)
def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tracer:
    """Sort along an axis, or all elements if it is None; NaN come last.

    Every ``kind`` is stable, but for the order of zeros of both signs if none is asked to be.
    """
    is_stable = _is_stable(kind, stable, order)
    x, dim = _line(traced_array(a), axis)
    if is_stable and x.dtype.kind in "fc":
        taken: Tracer = xp.take_along_axis(x, sorted_together([x], dim)[-1], dim)
        return taken
    return sorted_along(x, dim)


@implements(np.argsort)
def argsort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Tracer:
    """Return the positions along an axis that sort an array; every ``kind`` is stable."""
    _is_stable(kind, stable, order)
    x = traced_array(a)
    x, dim = _line(reshaped(x, (1,)) if x.ndim == 0 else x, axis)
    return sorted_together([x], dim)[-1]


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Tracer:
    """Return the positions that sort by several keys, of which the last one counts first.

    Args:
        keys: arrays of one shape, or one array whose rows are the keys.
        axis: the axis of the keys to sort along.
    """
    given = list(keys) if isinstance(keys, Tracer) and keys.ndim else keys
    if isinstance(given, Tracer) or len(given) == 0:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    arrays = traced_arrays(*given)[1]
    if len({x.shape for x in arrays}) > 1:
        raise ValueError("all keys need to be the same shape")
    if arrays[0].ndim == 0:
        return reshaped(sorted_together([reshaped(arrays[0], (1,))], 0)[-1], ())
    dim = normalize_axis_index(index(axis), arrays[0].ndim)
    return sorted_together(arrays[::-1], dim, len(arrays))[-1]


def _require_kth(x: Tracer, dim: int, kth: Any, kind: Any) -> None:
    """Raise what NumPy raises unless ``kth`` are positions along an axis."""
    np.partition(np.empty(1), 0, kind=kind)
    if isinstance(kth, Tracer):
        raise unsupported(
            "`numpy.partition` of a traced value needs to know `kth` while tracing; "
            "`numpy.sort` does all that a partition does"
        )
    places = np.asarray(kth)
    if places.dtype.kind == "b":
        raise ValueError("Booleans unacceptable as partition index")
    if places.dtype.kind not in "iu":
        raise TypeError("Partition index must be integer")
    length = x.shape[dim]
    for place in places.ravel().tolist() if x.size else ():
        if not -length <= place < length:
            raise ValueError(f"kth(={place + length * (place < 0)}) out of bounds ({length})")


@implements(np.partition)
def partition(
    a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None
) -> Tracer:
    """Put the elements at ``kth`` where sorting would, smaller ones before and larger behind.

    All others are sorted, too.
    """
    x, dim = _line(traced_array(a), axis)
    _require_kth(x, dim, kth, kind)
    return sort(x, dim, order=order)


@implements(np.argpartition)
def argpartition(
    a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None
) -> Tracer:
    """Return positions that partition an array; see `partition`."""
    x = traced_array(a)
    x, dim = _line(reshaped(x, (1,)) if x.ndim == 0 else x, axis)
    _require_kth(x, dim, kth, kind)
    return argsort(x, dim, order=order)
