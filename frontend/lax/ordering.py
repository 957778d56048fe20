"""Sorting arrays together, and finding the largest elements."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..boundary import public
from ..errors import ArgumentError, DtypeError, ShapeError
from ..numpy.operands import select, traced_arrays, xp
from ..numpy.ordering import sorted_together
from ..tracer import Tracer
from .common import here, in_trace


@public
def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Sort an array, or several of one shape together, along a dimension.

    The first ``num_keys`` are compared, one after the other; NaN come last. Elements whose keys are
    equal keep their order, whatever ``is_stable``.

    Args:
        operand: an array, or a tuple or list of arrays.
        dimension: the dimension to sort along.
        is_stable: has no effect.
        num_keys: how many of the arrays are compared.

    Returns:
        The sorted array, or a tuple of them.

    Raises:
        ArgumentError: (a TypeError) if there are not as many keys.
        ShapeError: if the arrays differ in shape.
    """
    several = isinstance(operand, (tuple, list))
    arrays = operand if several else (operand,)
    if not 1 <= index(num_keys) <= len(arrays):
        raise ArgumentError(f"{len(arrays)} arrays cannot have {num_keys} keys", here())
    found = in_trace(_sort, (), arrays, dimension=index(dimension), keys=index(num_keys))
    return found if several else found[0]


def _sort(*operands: Any, dimension: int, keys: int) -> tuple[Tracer, ...]:
    arrays = traced_arrays(*operands)[1]
    if len({x.shape for x in arrays}) > 1:
        shapes = ", ".join(str(x.shape) for x in arrays)
        raise ShapeError(f"arrays that are sorted together have one shape, not {shapes}", here())
    axis = normalize_axis_index(dimension, arrays[0].ndim)
    return tuple(sorted_together(arrays, axis, keys)[:-1])


@public
def sort_key_val(
    keys: Any, values: Any, dimension: int = -1, is_stable: bool = True
) -> tuple[Any, Any]:
    """Sort keys along a dimension, and values as the keys are; see `sort`."""
    sorted_keys, sorted_values = sort((keys, values), dimension, is_stable)
    return sorted_keys, sorted_values


@public
def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """Return the ``k`` largest elements along an axis, in falling order, and their positions.

    NaN are larger than all numbers; of equal elements the first one comes first.

    Raises:
        ArgumentError: (a TypeError) if there are not as many elements.
        DtypeError: if the elements are complex numbers.
    """
    found: tuple[Any, Any] = in_trace(_top_k, (), (operand,), k=index(k), axis=index(axis))
    return found


def _top_k(operand: Any, *, k: int, axis: int) -> tuple[Tracer, Tracer]:
    x = traced_arrays(operand)[1][0]
    dim = normalize_axis_index(axis, x.ndim)
    if not 0 <= k <= x.shape[dim]:
        raise ArgumentError(
            f"there are no {k} largest of {x.shape[dim]} elements along axis {axis}", here()
        )
    order = sorted_together([_falling(x)], dim)[-1]
    positions = order[(*(slice(None),) * dim, slice(k))]
    return xp.take_along_axis(x, positions, axis=dim), positions


def _falling(x: Tracer) -> Tracer:
    """Return integers that rise as the elements fall."""
    if x.dtype.kind == "c":
        raise DtypeError("complex numbers have no largest ones", here())
    if x.dtype.kind != "f":
        return ~x
    b, bits = x.trace.builder, 8 * x.dtype.itemsize
    one_zero = select(x == 0, xp.zeros_like(x), x)
    one_nan = select(xp.isnan(x), xp.full_like(x, np.nan), one_zero)
    signed = x.trace.tracer(b.bitcast_convert(one_nan.value, np.dtype(f"i{x.dtype.itemsize}")))
    magnitude = np.iinfo(signed.dtype).max
    return ~(signed ^ ((signed >> (bits - 1)) & magnitude))
