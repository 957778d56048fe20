"""exp, exp2, expm1 and the reduction they share with the hyperbolic functions.

Tang, "Table-driven implementation of the exponential function in IEEE floating-point
arithmetic" (ACM TOMS 15, 1989), without the table: ``x = n ln2 + r`` with ``|r| <= ln2/2``
by the two-part constant of Cody and Waite, then ``exp(x) = 2**n exp(r)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .formats import F32, Format
from .function import Algorithm, ulp

LOG2_E = 1.0 / math.log(2.0)


@dataclass(frozen=True)
class Power:
    """The integer ``n`` of a reduction: as a float, and in the low bits of ``shifted``."""

    value: Value
    shifted: Value


def nearest_power(b: Builder, x: Value, factor: float) -> Power:
    """The integer nearest to ``x * factor``."""
    shifted = b.fma(x, factor, x.format.rounder)
    return Power(shifted - x.format.rounder, shifted.bits())


def reduce_by_ln2(b: Builder, x: Value) -> tuple[Power, Value]:
    """``n`` and ``r = x - n ln2`` with ``|r| <= ln2 / 2``, for a clamped ``x``."""
    n = nearest_power(b, x, LOG2_E)
    high, low = SPLITS[f"ln2.{x.format.name}"]
    return n, b.fma(n.value, -low, b.fma(n.value, -high, x))


def reduce_by_ln2_in_two(b: Builder, x: Value) -> tuple[Power, Value, Value]:
    """As :func:`reduce_by_ln2`, with the rounding error of ``r`` as third result."""
    n = nearest_power(b, x, LOG2_E)
    high, low = SPLITS[f"ln2.{x.format.name}"]
    exact = b.fma(n.value, -high, x)
    r = b.fma(n.value, -low, exact)
    return n, r, b.fma(n.value, -low, exact - r)


def expm1_reduced(b: Builder, r: Value, low: Value | None = None) -> Value:
    """``exp(r + low) - 1`` for a reduced ``r`` and its rounding error ``low``."""
    tail = b.polynomial(r, POLYNOMIALS[f"exp.{b.precision}"])
    if low is None:
        return b.fma(r * r, tail, r)
    return b.fma(r * r, tail, low) + r


def power_of_two(b: Builder, n: Power, offset: int = 0) -> Value:
    """``2**(n + offset)``, which must be a normal number."""
    return _power_of_two(n.value.format, n.shifted, offset)


def _power_of_two(fmt: Format, integer: Value, offset: int = 0) -> Value:
    one = (fmt.bias + offset) << fmt.mantissa_bits
    return ((integer << fmt.mantissa_bits) + one).as_float()


def scale(b: Builder, x: Value, n: Power) -> Value:
    """``x * 2**n`` rounded once, for ``x`` near one; overflow and subnormal results included."""
    fmt = x.format
    if b.target.scale_by_power:
        integer = n.shifted.narrowed() if fmt.name == "f64" else n.shifted - fmt.bits(fmt.rounder)
        return b.load_exponent(x, integer)
    half = n.shifted >> 1
    return x * _power_of_two(fmt, half) * _power_of_two(fmt, n.shifted - half)


def _range(fmt: Format) -> tuple[float, float]:
    """Below the first ``exp`` is zero, above the second it is infinite."""
    return (-105.0, 89.0) if fmt is F32 else (-746.0, 710.0)


def exp(b: Builder, x: Value) -> Value:
    """``e**x``."""
    low, high = _range(x.format)
    return exp_clamped(b, b.at_least(b.at_most(x, high), low))


def exp_clamped(
    b: Builder, x: Value, low: Value | None = None, factor: Value | None = None
) -> Value:
    """``factor * e**(x + low)`` for ``x`` within the range of finite results or little beyond."""
    n, r = reduce_by_ln2(b, x)
    if low is not None:
        r = r + low
    power = expm1_reduced(b, r) + 1.0
    return scale(b, power if factor is None else power * factor, n)


def exp2(b: Builder, x: Value) -> Value:
    """``2**x``."""
    fmt = x.format
    lowest = -(fmt.bias + fmt.mantissa_bits + 1.0)
    clamped = b.at_least(b.at_most(x, fmt.bias + 1.0), lowest)
    n = nearest_power(b, clamped, 1.0)
    r = clamped - n.value
    tail = b.polynomial(r, POLYNOMIALS[f"exp2.{b.precision}"])
    return scale(b, b.fma(r, tail, 1.0), n)


def expm1(b: Builder, x: Value) -> Value:
    """``e**x - 1``, accurate near zero."""
    fmt = x.format
    clamped = b.at_least(b.at_most(x, _range(fmt)[1]), -(fmt.mantissa_bits + 3) / LOG2_E)
    n, r, low = reduce_by_ln2_in_two(b, clamped)
    # Half of the power, for 2**n itself overflows before the result does.
    half = power_of_two(b, n, -1)
    result = b.fma(half, expm1_reduced(b, r, low), half - 0.5)
    result = result + result
    # Halving loses the last bit of a subnormal, and the sum the sign of -0.
    return b.select(b.absolute(x) < math.ldexp(1.0, -fmt.mantissa_bits - 2), x, result)


def logistic(b: Builder, x: Value) -> Value:
    """``1 / (1 + e)`` with ``e = exp(-|x|)``, and ``e / (1 + e)`` for negative ``x``.

    So the tail keeps its relative accuracy. The quotient is corrected for the rounding of
    its divisor, whose reciprocal is the quotient itself or what it lacks to one.
    """
    negative = x < 0.0
    e = exp_clamped(b, b.at_least(-b.absolute(x), _range(x.format)[0]))
    divisor, rounding = b.fast_two_sum(e.constant(1.0), e)
    quotient = b.select(negative, e, 1.0) / divisor
    reciprocal = b.select(negative, 1.0 - quotient, quotient)
    return b.fma(-(quotient * rounding), reciprocal, quotient)


ALGORITHMS = (
    Algorithm("exp", exp, ulp(1.25, 1.25)),
    Algorithm("exp2", exp2, ulp(1.5, 1.5)),
    Algorithm("expm1", expm1, ulp(2.0, 2.0)),
    Algorithm("logistic", logistic, ulp(2.0, 2.0)),
)
