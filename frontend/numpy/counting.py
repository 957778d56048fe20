"""Histograms: counting elements in bins whose number is known while tracing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracer import Tracer
from .operands import converted, select, traced_arrays, unsupported, xp
from .promotion import BOOL, INT64, inexact_dtype
from .registry import implements
from .searching import places_in


def counted(places: Tracer, length: int, weights: Tracer | None) -> Tracer:
    """Return how often each place below ``length`` occurs, or the sums of weights there.

    Other places count nowhere.
    """
    trace, b = places.trace, places.trace.builder
    index = b.reshape(places.value, (places.size,))
    if weights is None:
        update, dtype = b.full((places.size,), INT64, 1), INT64
    else:
        update, dtype = b.reshape(weights.value, (places.size,)), weights.dtype
    return trace.tracer(b.scatter("add", b.full((length,), dtype, 0), update, [index], (0,)))


@implements(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Tracer, Any]:
    """Count elements in bins, and return the counts and the edges of the bins.

    Args:
        a: the elements.
        bins: the number of bins of one width, or their edges, which rise.
        range: the ends of bins of one width; those of the elements if left out.
        density: whether to divide the counts so that the integral over the bins is 1.
        weights: what each element counts, of the same shape.
    """
    given = [v for v in (bins, *(range or ()), weights) if isinstance(v, Tracer)]
    x = traced_arrays(a, *given)[1][0]
    x = converted(x, np.uint8) if x.dtype == BOOL else x
    counts = None if weights is None else traced_arrays(x, weights)[1][1]
    if counts is not None and counts.shape != x.shape:
        raise ValueError("weights should have the same shape as a.")
    edges = _edges(x, bins, range)
    places = _bins_of(x, traced_arrays(x, edges)[1][1])
    found = counted(places, np.size(edges) - 1, counts)
    if not density:
        return found, edges
    return found / converted(xp.diff(edges), np.float64) / xp.sum(found), edges


def _edges(x: Tracer, bins: Any, range: Any) -> Any:
    """Return the edges of bins, as an array that is known or a traced one."""
    if isinstance(bins, str):
        raise unsupported(
            f"`numpy.histogram` of traced values with bins={bins!r} would have a number of bins "
            "that depends on values; give their number or their edges"
        )
    if isinstance(bins, Tracer):
        if bins.ndim != 1:
            raise ValueError("`bins` must be 1d, when an array")
        return bins
    if range is None and np.ndim(bins) == 0:
        if x.size:
            np.histogram_bin_edges(np.empty(0), bins)  # which raises what is wrong with the number
            return _spread(x, int(bins))
    elif range is not None and any(isinstance(end, Tracer) for end in range):
        raise unsupported("`numpy.histogram` needs to know `range` while tracing; give the edges")
    return np.histogram_bin_edges(np.empty(0, x.dtype), bins, range)


def _spread(x: Tracer, count: int) -> Tracer:
    """Return the edges of bins from the least to the greatest element."""
    dtype = inexact_dtype(x.dtype)
    low, high = converted(x.min(), dtype), converted(x.max(), dtype)
    half = xp.where(low == high, 0.5, 0.0)
    return converted(xp.linspace(low - half, high + half, count + 1), dtype)


def _bins_of(x: Tracer, edges: Tracer) -> Tracer:
    """Return the bin of each element; the last one includes its upper edge."""
    dtype = np.result_type(x.dtype, edges.dtype)
    x, edges = converted(xp.ravel(x), dtype), converted(edges, dtype)
    last = edges.shape[0] - 1
    place = places_in(edges, x, "right") - 1
    return select(x == edges[-1], xp.full_like(place, last - 1), place)
