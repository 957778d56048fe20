"""Interpolation between points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracer import Tracer
from .operands import broadcast, converted, traced_arrays, xp
from .ordering import sorted_together
from .promotion import FLOAT64
from .registry import implements
from .searching import places_in


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Tracer:
    """Interpolate linearly between points whose abscissas rise, at x.

    Args:
        x: where to.
        xp: the abscissas, in any order if there is a period.
        fp: the values there.
        left: the value below all abscissas; the first one if left out.
        right: the value above them; the last one if left out.
        period: after which everything repeats.
    """
    given = [v for v in (left, right, period) if v is not None]
    at, points, values, *_ = traced_arrays(x, xp, fp, *given)[1]
    if points.ndim != 1 or values.ndim != 1:
        raise ValueError("Data points must be 1-D sequences")
    if points.shape != values.shape:
        raise ValueError("fp and xp are not of the same length.")
    if points.size == 0:
        raise ValueError("array of sample points is empty")
    at, points = converted(at, FLOAT64), converted(points, FLOAT64)
    values = converted(values, np.result_type(values.dtype, FLOAT64))
    if period is not None:
        at, points, values = _one_period(at, points, values, period)
        left = right = None
    return _with_ends(at, points, values, left, right)


def _with_ends(at: Tracer, points: Tracer, values: Tracer, left: Any, right: Any) -> Tracer:
    """Return interpolated values, and those for what is below or above all points; NaN of NaN."""
    below = values[0] if left is None else left
    above = values[-1] if right is None else right
    between = _interpolated(at, points, values)
    result = xp.where(at < points[0], below, xp.where(at > points[-1], above, between))
    return converted(xp.where(xp.isnan(at), at, result), values.dtype)


def _one_period(
    at: Tracer, points: Tracer, values: Tracer, period: Any
) -> tuple[Tracer, Tracer, Tracer]:
    """Return everything in one period, with the points that are next to it."""
    if not isinstance(period, Tracer) and period == 0:
        raise ValueError("period must be a non-zero value")
    period = xp.abs(period)
    points, values, _ = sorted_together([points % period, values], 0)
    points = xp.concatenate([points[-1:] - period, points, points[:1] + period])
    return at % period, points, xp.concatenate([values[-1:], values, values[:1]])


def _interpolated(at: Tracer, points: Tracer, values: Tracer) -> Tracer:
    """Return the values between points, at places between the first and the last one."""
    count = points.size
    if count == 1:
        return broadcast(values, at.shape) if at.ndim else values[0]
    place = xp.clip(places_in(points, at, "right") - 1, 0, count - 2)
    (low, high), (first, second) = (
        (_at(array, place), _at(array, place + 1)) for array in (points, values)
    )
    distance = xp.where(high == low, 1.0, high - low)
    slope = (second - first) / distance
    near = slope * (at - low) + first
    # An infinite value may leave a number if it is reached from the other end.
    far = xp.where(first == second, first, slope * (at - high) + second)
    between = xp.where(xp.isnan(near), far, near)
    return xp.where(at == low, first, xp.where(at == high, second, between))


def _at(x: Tracer, positions: Tracer) -> Tracer:
    """Return the elements of a one-dimensional array at positions."""
    return x.trace.tracer(x.trace.builder.gather(x.value, [positions.value], (0,)))
