"""Medians, percentiles and quantiles: what stands at a place of the sorted elements.

The nine methods of R. J. Hyndman and Y. Fan (Sample Quantiles in Statistical Packages, The American
Statistician 50, 1996) and four others of NumPy say which place, with a fraction, a quantile has.
Those that pass over NaN find the places for the numbers there are in each line.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ...ir.types import Shape
from ..tracer import Tracer
from .manipulation import permuted, reshaped, sliced
from .operands import broadcast, constant_like, converted, select, traced_array, traced_arrays, xp
from .ordering import sorted_along, sorted_together
from .promotion import FLOAT64, INT64, inexact_dtype
from .reductions import NOTHING, cumulated, is_set, sum_
from .registry import implements
from .statistics import aligned_weights, nanmean


class Lines(NamedTuple):
    """An array as lines to be reduced, along its last dimension.

    ``kept`` is the shape of a result with dimensions of size one in the place of the reduced ones.
    """

    array: Tracer
    kept: Shape

    def finish(self, result: Tracer, keepdims: Any, before: Shape = ()) -> Tracer:
        """Return a result, one element a line, behind other dimensions, as ``keepdims`` wants."""
        return reshaped(result, (*before, *self.kept)) if is_set(keepdims) else result


def _lines(x: Tracer, axis: Any) -> Lines:
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    others = [d for d in range(x.ndim) if d not in axes]
    shape = tuple(x.shape[d] for d in others)
    length = prod(x.shape[d] for d in axes)
    kept = tuple(1 if d in axes else n for d, n in enumerate(x.shape))
    return Lines(reshaped(permuted(x, (*others, *sorted(axes))), (*shape, length)), kept)


def _propagated(result: Tracer, ordered: Tracer) -> Tracer:
    """Return NaN for lines with a NaN, which is the last element, else the results."""
    if ordered.dtype.kind not in "fc":
        return result
    last = broadcast(converted(ordered[..., -1], result.dtype), result.shape)
    return select(xp.isnan(last), last, result)


def _at(ordered: Tracer, places: Tracer | np.ndarray) -> Tracer:
    """Return the elements at some places, the same in all lines.

    The dimensions of the places come first.
    """
    trace, b = ordered.trace, ordered.trace.builder
    if isinstance(places, Tracer):
        index = places.value
    elif places.ndim == 0:
        return ordered[..., int(places)]
    else:
        index = b.constant(np.ascontiguousarray(places, INT64))
    return trace.tracer(b.gather(ordered.value, [index], (ordered.ndim - 1,)))


def _at_own(ordered: Tracer, places: Tracer) -> Tracer:
    """Return the elements at places of each line's own, whose shape ends in that of the lines."""
    trace, b = ordered.trace, ordered.trace.builder
    lines = ordered.ndim - 1
    first = places.ndim - lines
    numbers = [b.iota(places.shape, INT64, first + d) for d in range(lines)]
    indices = [*numbers, b.convert(places.value, INT64)]
    return trace.tracer(b.gather(ordered.value, indices, range(ordered.ndim)))


# Medians


@implements(np.median)
def median(
    a: Any, axis: Any = None, *, overwrite_input: bool = False, keepdims: Any = False
) -> Tracer:
    """Return the middle elements along axes, or the means of the two in the middle."""
    x = traced_array(a)
    lines = _lines(x, axis)
    length = lines.array.shape[-1]
    if length == 0:
        empty = converted(constant_like(sum_(lines.array, -1), 0), inexact_dtype(x.dtype))
        return lines.finish(constant_like(empty, np.nan), keepdims)
    ordered = sorted_along(lines.array, lines.array.ndim - 1)
    middle = converted(
        sliced(ordered, ordered.ndim - 1, (length - 1) // 2, length // 2 + 1),
        inexact_dtype(x.dtype),
    )
    result = xp.mean(middle, -1)
    return lines.finish(_propagated(result, ordered), keepdims)


@implements(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, *, overwrite_input: bool = False, keepdims: Any = NOTHING
) -> Tracer:
    """Return the medians of all that is not NaN; NaN where there is nothing."""
    x = traced_array(a)
    if x.dtype.kind not in "fc" or x.size == 0:
        return median(x, axis, keepdims=is_set(keepdims))
    lines = _lines(x, axis)
    ordered = sorted_along(lines.array, lines.array.ndim - 1)
    count = _numbers(ordered)
    low, high = (_at_own(ordered, xp.maximum(place, 0)) for place in ((count - 1) // 2, count // 2))
    result = select(count % 2 == 1, low, converted((low + high) / 2, x.dtype))
    nothing = broadcast(count == 0, result.shape)
    return lines.finish(select(nothing, constant_like(result, np.nan), result), keepdims)


def _numbers(ordered: Tracer) -> Tracer:
    """Return how many elements of each line are not NaN."""
    return xp.count_nonzero(~xp.isnan(ordered), axis=-1)


# The place of a quantile


class Method(NamedTuple):
    """How a method finds a quantile among ``n`` sorted elements, for ``q`` from 0 to 1.

    Attributes:
        place: the place of the quantile, counted from 0, with a fraction.
        fraction: what becomes of the fraction; None if the place is a whole number.
    """

    place: Callable[[Any, Any], Any]
    fraction: Callable[[Any, Any], Any] | None


def _continuous(alpha: float, beta: float) -> Method:
    def place(n: Any, q: Any) -> Any:
        return n * q + (alpha + q * (1 - alpha - beta)) - 1

    return Method(place, lambda fraction, place: fraction)


def _whole(place: Callable[[Any, Any], Any]) -> Method:
    return Method(place, None)


def _linear(n: Any, q: Any) -> Any:
    return (n - 1) * q


def _next_unless(place: Any, stays: Callable[[Any, Any], Any]) -> Any:
    """Return the place before, or the one behind it unless it is to stay; from 0 on."""
    before = xp.floor(place)
    return xp.maximum(xp.where(stays(place - before, place), before, before + 1), 0)


_METHODS: Final[dict[str, Method]] = {
    "inverted_cdf": _whole(lambda n, q: _next_unless(n * q - 1, lambda rest, place: rest == 0)),
    "averaged_inverted_cdf": Method(
        lambda n, q: n * q - 1, lambda rest, place: xp.where(rest == 0, 0.5, 1.0)
    ),
    "closest_observation": _whole(
        lambda n, q: _next_unless(
            n * q - 1 - 0.5,
            lambda rest, place: (rest == 0) & (xp.floor(place) % 2 == 1),
        )
    ),
    "interpolated_inverted_cdf": _continuous(0, 1),
    "hazen": _continuous(0.5, 0.5),
    "weibull": _continuous(0, 0),
    "linear": Method(_linear, lambda rest, place: rest),
    "median_unbiased": _continuous(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _continuous(3 / 8.0, 3 / 8.0),
    "lower": _whole(lambda n, q: xp.floor(_linear(n, q))),
    "higher": _whole(lambda n, q: xp.ceil(_linear(n, q))),
    "midpoint": Method(
        lambda n, q: 0.5 * (xp.floor(_linear(n, q)) + xp.ceil(_linear(n, q))),
        lambda rest, place: xp.where(place % 1 == 0, 0.0, 0.5),
    ),
    "nearest": _whole(lambda n, q: xp.around(_linear(n, q))),
}
"""The methods by NumPy's names."""


class Question(NamedTuple):
    """What quantiles are asked for.

    Attributes:
        q: from 0 to 1, in an array of any shape.
        weak: q was a Python number, which does not decide about the dtype.
        method: the name of a method.
    """

    q: Any
    weak: bool
    method: str

    @property
    def shape(self) -> Shape:
        """The dimensions that stand in front of those of the lines."""
        return tuple(np.shape(self.q))


def _asked(q: Any, scale: int, method: str) -> Question:
    """Return what is asked for by q, of which ``scale`` is the whole.

    Raises:
        ValueError: if a q is known to be out of range, or if there is no such method.
    """
    if method not in _METHODS:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {_METHODS.keys()}")
    if isinstance(q, Tracer):
        asked = Question(q if scale == 1 else q / scale, q.weak, method)
    else:
        known = np.asarray(q) if scale == 1 else np.true_divide(q, scale, out=...)
        if not np.all((known >= 0) & (known <= 1)):
            what = "Quantiles" if scale == 1 else "Percentiles"
            raise ValueError(f"{what} must be in the range [0, {scale}]")
        asked = Question(known, type(q) in (int, float), method)
    if len(asked.shape) > 2:
        raise ValueError("q must be a scalar or 1d")
    return asked


def _quantiles(ordered: Tracer, asked: Question, count: Tracer | None) -> Tracer:
    """Return quantiles of sorted lines, of which ``count`` elements each count, or all."""
    method, q = _METHODS[asked.method], asked.q
    number: Any = ordered.shape[-1]
    take: Callable[[Tracer, Any], Tracer] = _at
    if count is not None:
        take = _at_own
        dtype = np.asarray(q).dtype if not isinstance(q, Tracer) else q.dtype
        number = converted(count, dtype if dtype.kind == "f" else FLOAT64)
        q = xp.reshape(q, (*asked.shape, *(1,) * count.ndim))
    place = method.place(number, q)
    if method.fraction is None or (asked.method == "linear" and _dtype_of(place).kind in "iu"):
        return take(ordered, _as_places(place))
    before, last = xp.floor(place), number - 1
    low, high = (
        take(ordered, _as_places(xp.where(place >= last, last, xp.maximum(bound, 0))))
        for bound in (before, xp.where(place < 0, 0, before + 1))
    )
    fraction = method.fraction(place - before, place)
    return _between(low, high, _aligned(fraction, low, asked.weak))


def _dtype_of(x: Any) -> np.dtype:
    return x.dtype if isinstance(x, Tracer) else np.asarray(x).dtype


def _as_places(places: Any) -> Tracer | np.ndarray:
    if isinstance(places, Tracer):
        return converted(places, INT64)
    return np.asarray(places).astype(INT64)


def _aligned(fraction: Any, like: Tracer, weak: bool) -> Any:
    """Return fractions to interpolate by, with dimensions of size one for those of the lines."""
    if weak and not isinstance(fraction, Tracer):
        return float(fraction)
    if weak:
        fraction = converted(fraction, inexact_dtype(like.dtype))
    missing = like.ndim - np.ndim(fraction)
    return xp.reshape(fraction, (*np.shape(fraction), *(1,) * missing))


def _between(low: Tracer, high: Tracer, fraction: Any) -> Tracer:
    """Interpolate, from the nearer end."""
    distance = high - low
    from_low, from_high = low + distance * fraction, high - distance * (1 - fraction)
    return xp.where(fraction >= 0.5, from_high, from_low)


def _weighted_quantiles(values: Tracer, weights: Tracer, asked: Question) -> Tracer:
    """Return the first elements of lines up to which the weights add up to a share of them all."""
    axis = values.ndim - 1
    ordered, sorted_weights, _ = sorted_together([values, weights], axis)
    sums = cumulated("add", converted(sorted_weights, FLOAT64), axis, None)
    shares = sums / sums[..., -1:]
    if _dtype_of(asked.q).kind == "f":
        shares = converted(shares, _dtype_of(asked.q))
    shares = xp.where(shares == 0, -1, shares)  # what has no weight is passed even by q = 0
    q = xp.reshape(asked.q, (*asked.shape, *(1,) * values.ndim))
    place = xp.minimum(xp.count_nonzero(shares < q, axis=-1), values.shape[-1] - 1)
    return _propagated(_at_own(ordered, place), ordered)


# NumPy's functions


def _reduced(
    a: Any, q: Any, scale: int, axis: Any, method: str, keepdims: Any, weights: Any, skip: bool
) -> Tracer:
    """Return quantiles along axes, for q of which ``scale`` is the whole.

    ``skip`` says whether NaN are passed over.
    """
    others = [q] if weights is None else [q, weights]
    x = traced_arrays(a, *others)[1][0]
    if x.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    asked = _asked(q, scale, method)
    if skip and x.size == 0:
        return nanmean(x, axis, keepdims=keepdims)
    skip = skip and x.dtype.kind == "f"
    lines = _lines(x, axis)
    *outer, length = lines.array.shape
    if length == 0 and 0 not in outer:
        raise IndexError("a quantile of no elements: index -1 is out of bounds for size 0")
    if weights is not None:
        result = _weighted(x, lines, axis, weights, asked, skip)
    else:
        ordered = sorted_along(lines.array, lines.array.ndim - 1)
        count = _numbers(ordered) if skip else None
        result = _quantiles(ordered, asked, count)
        result = _unless_empty(result, count) if skip else _propagated(result, ordered)
    return lines.finish(result, keepdims, asked.shape)


def _unless_empty(result: Tracer, count: Tracer | None) -> Tracer:
    """Return NaN for lines of which no element counts."""
    assert count is not None
    return select(broadcast(count == 0, result.shape), constant_like(result, np.nan), result)


def _weighted(
    x: Tracer, lines: Lines, axis: Any, weights: Any, asked: Question, skip: bool
) -> Tracer:
    if asked.method != "inverted_cdf":
        raise ValueError(f"Only method 'inverted_cdf' supports weights. Got: {asked.method}.")
    if not isinstance(weights, Tracer) and np.any(np.asarray(weights) < 0):
        raise ValueError("Weights must be non-negative.")
    shares = _lines(aligned_weights(x, traced_arrays(x, weights)[1][1], axis), axis).array
    values = lines.array
    if not skip:
        return _weighted_quantiles(values, shares, asked)
    missing = xp.isnan(values)
    shares = select(missing, constant_like(shares, 0), shares)
    count = xp.count_nonzero(~missing, axis=-1)
    highest = constant_like(values, np.inf)  # sorts behind what counts, with no weight
    result = _weighted_quantiles(select(missing, highest, values), shares, asked)
    return _unless_empty(result, count)


@implements(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Tracer:
    """Return quantiles along axes, for q from 0 to 1; those of q come first in the result.

    q may be traced, and then is not checked to be in range.
    """
    return _reduced(a, q, 1, axis, method, keepdims, weights, skip=False)


@implements(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Tracer:
    """Return percentiles along axes, for q from 0 to 100; see `quantile`."""
    return _reduced(a, q, 100, axis, method, keepdims, weights, skip=False)


@implements(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = NOTHING,
    weights: Any = None,
) -> Tracer:
    """Return the quantiles of all that is not NaN; NaN where there is nothing."""
    return _reduced(a, q, 1, axis, method, keepdims, weights, skip=True)


@implements(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = NOTHING,
    weights: Any = None,
) -> Tracer:
    """Return the percentiles of all that is not NaN; see `quantile`."""
    return _reduced(a, q, 100, axis, method, keepdims, weights, skip=True)
