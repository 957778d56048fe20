"""Special functions that derivatives need and the dialect has no op for."""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import tensor_info

_SHIFT = 12
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
"""The Bernoulli numbers B2, B4, ..., B14."""


def trigamma(b: Builder, x: SSAValue) -> SSAValue:
    """Append the derivative of digamma, by reflection for negative x.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 6.4.7: trigamma(1 - x) + trigamma(x)
    = (pi / sin(pi x))^2. The expression is itself differentiable: neither branch of the reflection
    computes a NaN for elements that the other one serves.
    """
    zero, one = b.full_like(x, 0), b.full_like(x, 1)
    negative = b.compare("lt", x, zero)
    positive_part = _trigamma_of_positive(b, b.select(negative, b.sub(one, x), x))
    fraction = b.select(negative, b.sub(x, b.round_even(x)), b.full_like(x, 0.5))
    pi = b.full_like(x, math.pi)
    ratio = b.div(pi, b.sin(b.mul(pi, fraction)))
    reflected = b.sub(b.mul(ratio, ratio), positive_part)
    return b.select(negative, reflected, positive_part)


def _trigamma_of_positive(b: Builder, x: SSAValue) -> SSAValue:
    """Append trigamma by recurrence and asymptotic series (Abramowitz and Stegun 6.4.6, 6.4.12)."""
    shape, dtype = tensor_info(x)
    shifts = b.iota((_SHIFT, *shape), dtype, 0)
    shifted = b.add(b.broadcast(x, (_SHIFT, *shape), range(1, len(shape) + 1)), shifts)
    recurrence = b.div(b.full_like(shifted, 1), b.mul(shifted, shifted))
    u = b.div(b.full_like(x, 1), b.add(x, b.full_like(x, _SHIFT)))
    square = b.mul(u, u)
    series = b.full_like(x, _BERNOULLI[-1])
    for number in reversed(_BERNOULLI[:-1]):
        series = b.add(b.mul(series, square), b.full_like(x, number))
    half_square = b.mul(b.full_like(x, 0.5), square)
    tail = b.add(u, b.add(half_square, b.mul(b.mul(u, square), series)))
    return b.add(b.reduce("add", recurrence, (0,)), tail)
