"""Finding where values belong among sorted ones, and which values are among others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of
from ..tracer import Tracer
from .operands import broadcast, converted, select, traced_arrays, xp
from .ordering import sorted_along
from .promotion import INT64
from .reductions import any_
from .registry import implements

COMPARED_WITH_ALL: Final = 8
"""Among so few values it is faster to look at all than to search."""


def _precedes(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Append whether x sorts before y, as NumPy sorts: NaN last, real parts before imaginary."""
    kind = dtype_of(x).kind
    if kind == "b":
        return b.and_(b.not_(x), y)
    if kind != "c":
        less = b.compare("lt", x, y)
        return less if kind != "f" else b.or_(less, b.and_(_is_number(b, x), _is_nan(b, y)))
    (x_real, x_imag), (y_real, y_imag) = ((b.real(z), b.imag(z)) for z in (x, y))
    # Which parts are NaN counts before the parts do.
    u8 = np.dtype(np.uint8)
    ranks = []
    for real, imag in ((x_real, x_imag), (y_real, y_imag)):
        first, second = (b.convert(_is_nan(b, part), u8) for part in (real, imag))
        ranks.append(b.add(b.add(first, first), second))
    before = _precedes(b, x_imag, y_imag)
    for left, right in ((x_real, y_real), (ranks[0], ranks[1])):
        not_after = b.not_(_precedes(b, right, left))
        before = b.or_(_precedes(b, left, right), b.and_(not_after, before))
    return before


def _is_nan(b: Builder, x: SSAValue) -> SSAValue:
    return b.compare("ne", x, x)


def _is_number(b: Builder, x: SSAValue) -> SSAValue:
    return b.compare("eq", x, x)


def places_in(ordered: Tracer, values: Tracer, side: str) -> Tracer:
    """Return before how many of the sorted values, of one dimension and dtype, each value belongs.

    That is before the first one that is not smaller (``left``), or the first larger one.
    """
    trace, b = values.trace, values.trace.builder
    count = ordered.shape[0]

    def passes(found: SSAValue, wanted: SSAValue) -> SSAValue:
        if side == "left":
            return _precedes(b, found, wanted)
        return b.not_(_precedes(b, wanted, found))

    if count <= COMPARED_WITH_ALL:
        shape = (count, *values.shape)
        rows = b.broadcast(ordered.value, shape, (0,))
        columns = b.broadcast(values.value, shape, range(1, len(shape)))
        passed = b.convert(passes(rows, columns), INT64)
        return trace.tracer(b.reduce("add", passed, (0,)))
    return trace.tracer(_bisected(b, ordered.value, values.value, passes))


def _bisected(b: Builder, ordered: SSAValue, values: SSAValue, passes: Any) -> SSAValue:
    """Append a binary search, whose steps are the same for all values.

    The part that is left shrinks by the half that was decided about, which needs no test of
    bounds: some elements may be looked at twice.
    """
    remaining = shape_of(ordered)[0]
    place = b.full(shape_of(values), INT64, 0)
    while remaining:
        half = (remaining + 1) // 2
        found = b.gather(ordered, [b.add(place, b.full_like(place, half - 1))], (0,))
        step = b.convert(passes(found, values), INT64)
        place = b.add(place, b.mul(step, b.full_like(step, half)))
        remaining -= half
    return place


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tracer:
    """Return where values would have to be inserted into a sorted array to keep it sorted.

    Args:
        a: the array, of one dimension; sorted, unless ``sorter`` tells the order that sorts it.
        v: the values.
        side: before (``left``) or behind (``right``) what is equal.
        sorter: the result of ``np.argsort(a)``.
    """
    ordered, values, *order = traced_arrays(a, v, *([] if sorter is None else [sorter]))[1]
    if side not in ("left", "right"):
        raise ValueError(f"search side must be 'left' or 'right' (got {side!r})")
    if ordered.ndim != 1:
        depth = "too deep" if ordered.ndim > 1 else "of too small depth"
        raise ValueError(f"object {depth} for desired array")
    if order:
        ordered = _in_order(ordered, order[0])
    dtype = np.result_type(ordered.dtype, values.dtype)
    return places_in(converted(ordered, dtype), converted(values, dtype), side)


def _in_order(x: Tracer, order: Tracer) -> Tracer:
    if order.dtype.kind not in "iu":
        raise TypeError("sorter must only contain integers")
    if order.shape != x.shape:
        raise ValueError("sorter.size must equal a.size")
    b = x.trace.builder
    return x.trace.tracer(b.gather(x.value, [b.convert(order.value, INT64)], (0,)))


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Tracer:
    """Return the numbers of the bins that values are in, whose bounds rise or fall.

    Bounds that are traced are not checked to be in order.
    """
    values, bounds = traced_arrays(x, bins)[1]
    if "c" in (values.dtype.kind, bounds.dtype.kind):
        raise TypeError("x may not be complex")
    if not isinstance(bins, Tracer):
        np.digitize(np.empty(0), bins, right)  # which raises what is wrong with them
    if bounds.ndim != 1:
        raise ValueError("object too deep for desired array")
    side = "left" if right else "right"
    rising = searchsorted(bounds, values, side)
    if not bounds.size:
        return rising
    falling = bounds.size - searchsorted(bounds[::-1], values, side)
    falls = xp.less(bounds[-1], bounds[0])
    return select(broadcast(falls, rising.shape), falling, rising)


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Tracer:
    """Return which elements are among others; NaN are not.

    ``assume_unique`` and ``kind`` change nothing.
    """
    np.isin(np.empty(0), np.empty(0), kind=None if kind == "table" else kind)
    x, others = traced_arrays(element, test_elements)[1]
    dtype = np.result_type(x.dtype, others.dtype)
    x, others = converted(x, dtype), xp.ravel(converted(others, dtype))
    if others.size <= COMPARED_WITH_ALL or dtype.kind == "c":
        found = any_(xp.reshape(others, (-1, *(1,) * x.ndim)) == x, 0)
    else:
        ordered = sorted_along(others, 0)
        place = xp.minimum(places_in(ordered, x, "left"), others.size - 1)
        b = x.trace.builder
        found = x.trace.tracer(b.gather(ordered.value, [place.value], (0,))) == x
    return ~found if invert else found
