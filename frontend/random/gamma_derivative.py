"""How a number of the gamma distribution changes with the distribution's parameter.

The number is the quantile of a probability that does not change, so that its derivative follows
from those of the distribution function P (Figurnov, Mohamed and Mnih, *Implicit reparameterization
gradients*, NeurIPS 2018): ``dx/da = -(dP/da) / (dP/dx)``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .. import lax
from ..numpy.operands import xp
from ..tracer import Tracer

_LARGE: Final = 1000.0
"""From this parameter on, the distribution is expanded about the normal one."""

_MOST_STEPS: Final = 2000.0
"""Below it, series and fraction converge in a tenth of so many steps; with NaN they never do."""

_NEWTON_STEPS: Final = 4


def log_slope(log_x: Tracer, a: Tracer) -> Tracer:
    """Return the derivative by ``a`` of the logarithm of a number of the gamma distribution.

    Args:
        log_x: the logarithm, a 0-d float.
        a: the parameter of the distribution, of the same type.
    """
    x = xp.exp(log_x)
    is_large = a >= _LARGE
    is_upper = (x > 1) & (x > a)
    lower = _lower_slope(log_x, x, a, ~is_large & ~is_upper)
    upper = _upper_slope(log_x, x, a, ~is_large & is_upper)
    by_series = xp.where(is_upper, upper, lower)
    return xp.where(is_large, _large_slope(x, xp.where(is_large, a, _LARGE)) / x, by_series)


def _lower_slope(log_x: Tracer, x: Tracer, a: Tracer, wanted: Tracer) -> Tracer:
    """Differentiate P as a series.

    ``P = x**a * exp(-x) / gamma(a + 1) * (1 + x / (a + 1) + x**2 / ((a + 1) * (a + 2)) + ...)``
    """
    eps = np.finfo(a.dtype).eps

    def goes_on(state: Any) -> Tracer:
        n, _, slope, _, total_slope = state
        return wanted & (n < _MOST_STEPS) & (xp.abs(slope) > eps * xp.abs(total_slope))

    def add_term(state: Any) -> Any:
        n, term, slope, total, total_slope = state
        n = n + 1
        slope = (slope - term / (a + n)) * (x / (a + n))
        term = term * (x / (a + n))
        return n, term, slope, total + term, total_slope + slope

    term = x / (a + 1)
    slope = -term / (a + 1)
    start = (a.dtype.type(1), term, slope, 1 + term, slope)
    *_, total, total_slope = lax.while_loop(goes_on, add_term, start)
    return -(total_slope + total * (log_x - _digamma(a + 1))) / a


def _upper_slope(log_x: Tracer, x: Tracer, a: Tracer, wanted: Tracer) -> Tracer:
    """Differentiate ``1 - P = x**a * exp(-x) / gamma(a) * C`` with a continued fraction C.

    The fraction is Legendre's (Abramowitz and Stegun, *Handbook of Mathematical Functions*,
    6.5.31). Numerators p and denominators q of its convergents follow one linear recurrence, and so
    do their derivatives.
    """
    eps = np.finfo(a.dtype).eps

    def goes_on(state: Any) -> Tracer:
        n, *_, slope, step = state
        return wanted & (n < _MOST_STEPS) & (xp.abs(step) > eps * xp.abs(slope))

    def next_convergent(state: Any) -> Any:
        n, (p1, q1), (p0, q0), (dp1, dq1), (dp0, dq0), _, slope, _ = state
        n = n + 1
        linear, constant = x + 2 * n + 1 - a, n * (n - a)
        p, q = (linear * v1 - constant * v0 for v1, v0 in ((p1, p0), (q1, q0)))
        dp, dq = (
            linear * dv1 - v1 - constant * dv0 + n * v0
            for v1, v0, dv1, dv0 in ((p1, p0, dp1, dp0), (q1, q0, dq1, dq0))
        )
        scale = 1 / q
        fraction = p * scale
        next_slope = (dp - fraction * dq) * scale
        now, before = (p * scale, q * scale), (p1 * scale, q1 * scale)
        d_now, d_before = (dp * scale, dq * scale), (dp1 * scale, dq1 * scale)
        return n, now, before, d_now, d_before, fraction, next_slope, next_slope - slope

    zero, one = a.dtype.type(0), a.dtype.type(1)
    linear = x + 1 - a
    start = (
        zero,
        *((one, linear), (zero, one)),
        *((zero, -one), (zero, zero)),
        *(1 / linear, 1 / (linear * linear), one),
    )
    *_, fraction, slope, _ = lax.while_loop(goes_on, next_convergent, start)
    return slope + fraction * (log_x - _digamma(a))


def _large_slope(x: Tracer, a: Tracer) -> Tracer:
    """Differentiate the expansion of the quantile in that of the normal distribution, z.

    Cornish and Fisher, *Moments and cumulants in the specification of distributions* (Revue de
    l'Institut International de Statistique 5, 1938). What is left out is below ``z**7 / a**3``.
    """
    root = xp.sqrt(a)
    z = (x - a) / root
    for _ in range(_NEWTON_STEPS):
        quantile = 0 * z
        by_z = 0 * z
        for power, polynomial in enumerate(_EXPANSION):
            scale = root ** (1 - power)
            quantile = quantile + scale * _evaluated(polynomial, z)
            by_z = by_z + scale * _evaluated(np.polyder(polynomial), z)
        z = z - (quantile + a - x) / by_z
    slope = 1 + 0 * z
    for power, polynomial in enumerate(_EXPANSION):
        slope = slope + (1 - power) / 2 * root ** (-1 - power) * _evaluated(polynomial, z)
    return slope


_EXPANSION: Final = (
    np.array([1.0, 0.0]),
    np.array([1.0, 0.0, -1.0]) / 3,
    np.array([1.0, 0.0, -7.0, 0.0]) / 36,
    np.array([3.0, 0.0, 7.0, 0.0, -16.0]) / -810,
    np.array([9.0, 0.0, 256.0, 0.0, -433.0, 0.0]) / 38880,
    np.array([12.0, 0.0, -243.0, 0.0, -923.0, 0.0, 1472.0]) / 204120,
)
"""Polynomials in z, highest powers first, by which sqrt(a), 1, 1 / sqrt(a), ... are multiplied."""


def _evaluated(polynomial: np.ndarray, z: Tracer) -> Any:
    """Return the value of a polynomial, by Horner's rule."""
    value: Any = 0.0
    for coefficient in polynomial:
        value = value * z + float(coefficient)
    return value


def _digamma(x: Tracer) -> Tracer:
    return x.trace.tracer(x.trace.builder.digamma(x.value))
