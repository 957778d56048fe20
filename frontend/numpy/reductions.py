"""Functions that make one element of many: sums, products, extrema, counts; accumulation."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ...ir.types import Shape
from ..dispatch import UFUNCS
from ..tracer import Tracer
from .manipulation import ravel, reshaped
from .operands import (
    broadcast,
    constant_like,
    converted,
    traced_array,
    traced_arrays,
    xp,
)
from .promotion import BOOL, INT64, loop_dtypes
from .registry import implements

NOTHING: Final = np._NoValue
"""What stands for an argument that was not given, as in NumPy's signatures."""

_UFUNC_OF_KIND: Final[dict[str, np.ufunc]] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}

_BOOL_KINDS: Final = {"add": "or", "mul": "and", "max": "or", "min": "and"}
"""What reductions of bools are."""


def axes_of(x: Tracer, axis: Any) -> Shape:
    """Return the axes that ``axis`` names, counted from the front; None is all of them.

    A 0-d array may be reduced over the axis 0 that it lacks, as in NumPy.
    """
    if axis is None or (x.ndim == 0 and axis in (0, -1)):
        return tuple(range(x.ndim))
    return normalize_axis_tuple(axis, x.ndim)


def reduced(x: Tracer, kind: str, axis: Any, keepdims: Any = False) -> Tracer:
    """Reduce by a kind of ``array.reduce`` over the axes that ``axis`` names."""
    axes = axes_of(x, axis)
    result = x.trace.tracer(x.trace.builder.reduce(kind, x.value, sorted(axes)))
    return kept(result, x, axes) if is_set(keepdims) else result


def kept(result: Tracer, x: Tracer, axes: Shape) -> Tracer:
    """Give what was reduced from x dimensions of size 1 in place of the reduced ones."""
    return reshaped(result, tuple(1 if d in axes else n for d, n in enumerate(x.shape)))


def count_of(x: Tracer, axis: Any) -> int:
    """Return how many elements become one."""
    return prod(x.shape[d] for d in axes_of(x, axis))


def is_set(flag: Any) -> bool:
    """Return whether a flag was given and is true."""
    return flag is not NOTHING and bool(flag)


def _reduce(
    kind: str, a: Any, axis: Any, dtype: Any, keepdims: Any, initial: Any, where: Any
) -> Tracer:
    """Reduce as a ufunc's ``reduce`` does."""
    ufunc = _UFUNC_OF_KIND[kind]
    given = [x for x in (initial, where) if x is not NOTHING and x is not None]
    x = traced_arrays(a, *given)[1][0]
    wanted = None if dtype is None else np.dtype(dtype)
    x = converted(x, loop_dtypes(ufunc, (None, x.dtype), wanted, reduction=True)[0])
    if kind in ("max", "min"):
        _require_elements(x, axis, ufunc, initial, where)
    if where is not NOTHING and where is not True:
        x = xp.where(_mask(where, x), x, constant_like(x, _neutral(kind, x.dtype)))
    kind = _BOOL_KINDS.get(kind, kind) if x.dtype == BOOL else kind
    result = reduced(x, kind, axis, keepdims)
    if initial is NOTHING or initial is None:
        return result
    return converted(UFUNCS[ufunc](result, initial), x.dtype)


def _mask(where: Any, x: Tracer) -> Tracer:
    return broadcast(converted(traced_arrays(x, where)[1][1], BOOL), x.shape)


def _require_elements(x: Tracer, axis: Any, ufunc: np.ufunc, initial: Any, where: Any) -> None:
    if initial is not NOTHING:
        return
    if where is not NOTHING and where is not True:
        raise ValueError(
            f"reduction operation '{ufunc.__name__}' does not have an identity, "
            "so to use a where mask one has to specify 'initial'"
        )
    if count_of(x, axis) == 0:
        raise ValueError(
            f"zero-size array to reduction operation {ufunc.__name__} which has no identity"
        )


def _neutral(kind: str, dtype: np.dtype) -> Any:
    """Return the element that changes no result of the reduction."""
    if kind in ("add", "mul", "and", "or"):
        return kind in ("mul", "and")
    if dtype == BOOL:
        return kind == "min"
    if dtype.kind == "f":
        return np.inf if kind == "min" else -np.inf
    limits = np.iinfo(dtype)
    return limits.max if kind == "min" else limits.min


@implements(np.sum)
def sum_(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Sum over axes; bools and small integers in 64 bits unless ``dtype`` says otherwise."""
    return _reduce("add", a, axis, dtype, keepdims, initial, where)


@implements(np.prod)
def prod_(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Multiply over axes; bools and small integers in 64 bits unless ``dtype`` says otherwise."""
    return _reduce("mul", a, axis, dtype, keepdims, initial, where)


@implements(np.max, np.amax)
def max_(
    a: Any,
    axis: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Return the largest elements along axes; NaN if there is one.

    Raises:
        ValueError: if there are no elements and no ``initial``.
    """
    return _reduce("max", a, axis, None, keepdims, initial, where)


@implements(np.min, np.amin)
def min_(
    a: Any,
    axis: Any = None,
    *,
    keepdims: Any = NOTHING,
    initial: Any = NOTHING,
    where: Any = NOTHING,
) -> Tracer:
    """Return the smallest elements along axes; NaN if there is one.

    Raises:
        ValueError: if there are no elements and no ``initial``.
    """
    return _reduce("min", a, axis, None, keepdims, initial, where)


@implements(np.all)
def all_(a: Any, axis: Any = None, *, keepdims: Any = NOTHING, where: Any = NOTHING) -> Tracer:
    """Return whether all elements along axes are true."""
    return _reduce("and", truth(a), axis, None, keepdims, NOTHING, where)


@implements(np.any)
def any_(a: Any, axis: Any = None, *, keepdims: Any = NOTHING, where: Any = NOTHING) -> Tracer:
    """Return whether any element along axes is true."""
    return _reduce("or", truth(a), axis, None, keepdims, NOTHING, where)


def truth(a: Any) -> Tracer:
    """Return where an array is not 0."""
    return converted(traced_array(a), BOOL)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Tracer:
    """Count the elements along axes that are not 0."""
    return sum_(truth(a), axis, INT64, keepdims=keepdims)


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, *, keepdims: Any = NOTHING) -> Tracer:
    """Return the largest minus the smallest elements along axes."""
    x = traced_array(a)
    return max_(x, axis, keepdims=keepdims) - min_(x, axis, keepdims=keepdims)


def _extreme_position(kind: str) -> Callable[..., Tracer]:
    def function(a: Any, axis: int | None = None, *, keepdims: Any = NOTHING) -> Tracer:
        x = traced_array(a)
        flat = ravel(x) if axis is None or x.ndim == 0 else x
        dim = normalize_axis_index(0 if axis is None else axis, flat.ndim)
        if flat.shape[dim] == 0:
            raise ValueError(f"attempt to get arg{kind} of an empty sequence")
        result = x.trace.tracer(x.trace.builder.argreduce(kind, flat.value, dim))
        return kept(result, x, axes_of(x, axis)) if is_set(keepdims) else result

    extreme = {"max": "largest", "min": "smallest"}[kind]
    function.__doc__ = (
        f"Return the position of the {extreme} element along an axis, of the first of equal ones; "
        "of the first NaN if there is one."
    )
    return function


argmax = implements(np.argmax)(_extreme_position("max"))
argmin = implements(np.argmin)(_extreme_position("min"))


def cumulated(kind: str, a: Any, axis: int | None, dtype: Any) -> Tracer:
    """Accumulate along an axis as a ufunc's ``accumulate`` does; all elements if it is None."""
    x = traced_array(a)
    if axis is None or x.ndim == 0:
        x, axis = ravel(x), axis or 0
    dim = normalize_axis_index(axis, x.ndim)
    wanted = None if dtype is None else np.dtype(dtype)
    keys = (None, x.dtype)
    x = converted(x, loop_dtypes(_UFUNC_OF_KIND[kind], keys, wanted, reduction=True)[0])
    return x.trace.tracer(x.trace.builder.cumulative(kind, x.value, dim))


@implements(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None) -> Tracer:
    """Return the sums of all elements up to each one."""
    return cumulated("add", a, axis, dtype)


@implements(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None) -> Tracer:
    """Return the products of all elements up to each one."""
    return cumulated("mul", a, axis, dtype)


def _array_api_accumulation(kind: str, neutral: int, name: str) -> Callable[..., Tracer]:
    def function(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Tracer:
        a = traced_array(x)
        if axis is None and a.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` is required.")
        a = a if a.ndim else ravel(a)
        dim = normalize_axis_index(0 if axis is None else axis, a.ndim)
        result = cumulated(kind, a, dim, dtype)
        if not include_initial:
            return result
        first = result.trace.builder.full((), result.dtype, neutral)
        low = [int(d == dim) for d in range(a.ndim)]
        return result.trace.tracer(result.trace.builder.pad(result.value, first, low, [0] * a.ndim))

    function.__doc__ = f"Return the {name} of all elements up to each one, or before it."
    return function


cumulative_sum = implements(np.cumulative_sum)(_array_api_accumulation("add", 0, "sums"))
cumulative_prod = implements(np.cumulative_prod)(_array_api_accumulation("mul", 1, "products"))
