"""sinh, cosh, tanh and their inverses."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .builder import Builder, Value
from .coefficients import POLYNOMIALS
from .exponential import expm1_reduced, power_of_two, reduce_by_ln2, reduce_by_ln2_in_two
from .function import Algorithm, ulp
from .logarithm import log_of_sum


@dataclass(frozen=True)
class Halved:
    """A quarter of ``exp(n ln2)`` and of ``exp(-n ln2)``, and what ``r`` adds."""

    growing: Value
    shrinking: Value
    sinh: Value
    cosh_minus_one: Value


def _split_sum(b: Builder, size: Value) -> Halved:
    """For ``size = n ln2 + r``: the parts of the addition theorems of sinh and cosh.

    The powers are taken a quarter each, since the result is finite where ``2**n`` is not.
    """
    fmt = size.format
    # Overflow starts at bias + 2, and n may not be bias + 3.
    n, r, low = reduce_by_ln2_in_two(b, b.at_most(size, (fmt.bias + 2.3) * math.log(2.0)))
    u = r * r
    sinh_r = r + b.fma(u * r, b.polynomial(u, POLYNOMIALS[f"sinh.{b.precision}"]), low)
    cosh_r = u * b.polynomial(u, POLYNOMIALS[f"cosh.{b.precision}"])
    # The smaller power ends at zero: exponent field 0 and no fraction.
    count = n.shifted - fmt.bits(fmt.rounder)
    field = b.largest_integer((fmt.bias - 2) - count, 0)
    return Halved(power_of_two(b, n, -2), (field << fmt.mantissa_bits).as_float(), sinh_r, cosh_r)


def sinh(b: Builder, x: Value) -> Value:
    """The hyperbolic sine: ``A + (A (cosh(r) - 1) + B sinh(r))``, ``A, B = sinh, cosh(n ln2)``."""
    size = b.absolute(x)
    parts = _split_sum(b, size)
    a, c = parts.growing - parts.shrinking, parts.growing + parts.shrinking
    result = a + b.fma(a, parts.cosh_minus_one, c * parts.sinh)
    # Tiny numbers lose bits in the quarter.
    tiny = size < math.ldexp(1.0, -x.format.mantissa_bits)
    return b.copysign(b.select(tiny, size, result + result), x)


def cosh(b: Builder, x: Value) -> Value:
    """The hyperbolic cosine: ``B + (B (cosh(r) - 1) + A sinh(r))``, as for the sine."""
    parts = _split_sum(b, b.absolute(x))
    a, c = parts.growing - parts.shrinking, parts.growing + parts.shrinking
    result = c + b.fma(c, parts.cosh_minus_one, a * parts.sinh)
    return result + result


def tanh(b: Builder, x: Value) -> Value:
    """The hyperbolic tangent.

    An odd polynomial for small ``|x|``; from 0.55 on ``1 - 2 / (exp(2 |x|) + 1)``, where
    the quotient's error counts less than half.
    """
    size = b.absolute(x)
    u = x * x
    near = b.fma(u * size, b.polynomial(u, POLYNOMIALS[f"tanh.{b.precision}"]), size)
    saturated = 40.0 if x.element == "double" else 20.0
    n, r = reduce_by_ln2(b, b.at_most(size * 2.0, saturated))
    power = power_of_two(b, n)
    far = 1.0 - 2.0 / b.fma(power, expm1_reduced(b, r), power + 1.0)
    return b.copysign(b.select(size < 0.55, near, far), x)


def _log1p_of_sum(b: Builder, x: Value, low: Value, exponent: Value | None = None) -> Value:
    """``log(1 + x + low) + exponent ln2`` for ``x >= 0`` and a much smaller ``low``."""
    total, rounding = b.fast_two_sum(b.at_least(x, 1.0), b.at_most(x, 1.0))
    return log_of_sum(b, total, rounding + low, exponent)


def _large(x: Value) -> float:
    """Beyond this the square root of ``x**2 + 1`` is ``x``, and the square still finite."""
    return math.ldexp(1.0, x.format.mantissa_bits + 2)


def asinh(b: Builder, x: Value) -> Value:
    """``log1p(x + x**2 / (1 + sqrt(1 + x**2)))`` of ``|x|``, and ``log(2 |x|)`` for large."""
    size = b.absolute(x)
    clamped = b.at_most(size, _large(x))
    square = clamped * clamped
    growth = square / (1.0 + b.square_root(square + 1.0))
    total, low = b.fast_two_sum(clamped, growth)
    large = size > _large(x)
    exponent = b.select(large, size.constant(1.0), 0.0)
    result = _log1p_of_sum(b, b.select(large, size, total), low, exponent)
    return b.copysign(b.select(size <= x.format.largest, result, size), x)


def acosh(b: Builder, x: Value) -> Value:
    """``log1p(t + sqrt(t (t + 2)))`` with ``t = x - 1``, and ``log(2 x)`` for large ``x``."""
    t = b.at_most(x, _large(x)) - 1.0
    root = b.square_root(b.fma(t, t, t + t))
    total, low = b.fast_two_sum(root, t)
    large = x > _large(x)
    exponent = b.select(large, x.constant(1.0), 0.0)
    result = _log1p_of_sum(b, b.select(large, x, total), low, exponent)
    result = b.select(x <= x.format.largest, result, x)
    return b.select(x < 1.0, math.nan, result)


def atanh(b: Builder, x: Value) -> Value:
    """``log1p(2x / (1 - x)) / 2`` of ``|x|``, the quotient with its remainder."""
    size = b.absolute(x)
    divisor, rounding = b.fast_two_sum(size.constant(1.0), -size)
    inverse = 1.0 / divisor
    twice = size + size
    quotient = twice * inverse
    low = (b.remainder(twice, quotient, divisor) - quotient * rounding) * inverse
    result = _log1p_of_sum(b, quotient, low) * 0.5
    result = b.select(size < 1.0, result, math.inf)
    return b.copysign(b.select(size <= 1.0, result, math.nan), x)


ALGORITHMS = (
    Algorithm("sinh", sinh, ulp(2.0, 2.0)),
    Algorithm("cosh", cosh, ulp(2.0, 2.0)),
    Algorithm("tanh", tanh, ulp(1.5, 1.5)),
    Algorithm("asinh", asinh, ulp(1.5, 1.5)),
    Algorithm("acosh", acosh, ulp(2.0, 2.0)),
    Algorithm("atanh", atanh, ulp(1.25, 1.25)),
)
