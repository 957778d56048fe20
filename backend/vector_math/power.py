"""pow.

``exp(y log(x))`` with the logarithm and the product as sums of two numbers in f64: an
absolute error of the product is a relative error of the result. The logarithm follows
Dekker's arithmetic of double length (Numerische Mathematik 18, 1971). In f32 the
precision of f64 suffices.
"""

from __future__ import annotations

import math

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .exponential import exp_clamped
from .function import Algorithm, ulp
from .logarithm import decompose, decompose_positive, log_tail


def _log(b: Builder, x: Value) -> Value:
    """``log(x)`` for a positive number of f32, which is never subnormal in f64."""
    parts = decompose(b, x)
    f = parts.mantissa - 1.0
    return b.fma(parts.exponent, math.log(2.0), f + log_tail(b, f))


def _log_in_two(b: Builder, x: Value) -> tuple[Value, Value]:
    """``log(x)`` for a positive ``x`` with some 65 bits, as a sum of two numbers.

    ``log(m) = 2 s + s z w`` with ``s = (m - 1) / (m + 1)``, ``z = s**2`` and
    ``w = 2/3 + z W(z)``; every factor has a second part.
    """
    parts = decompose_positive(b, x)
    numerator = parts.mantissa - 1.0
    divisor = parts.mantissa + 1.0
    inverse = 1.0 / divisor
    s = numerator * inverse
    rest = b.remainder(numerator, s, divisor)
    s_low = b.fma(-s, parts.mantissa - (divisor - 1.0), rest) * inverse
    z, z_low = b.two_product(s, s)
    z_low = b.fma(s + s, s_low, z_low)
    two_thirds, two_thirds_low = SPLITS["two_thirds"]
    tail = z * b.polynomial(z, POLYNOMIALS["log_pow.f64"])
    w, w_low = b.fast_two_sum(x.constant(two_thirds), tail)
    w_low = w_low + two_thirds_low
    zw, zw_low = b.two_product(z, w)
    zw_low = b.fma(z_low, w, b.fma(z, w_low, zw_low))
    cubic, cubic_low = b.two_product(s, zw)
    cubic_low = b.fma(s_low, zw, b.fma(s, zw_low, cubic_low))
    high, low = b.fast_two_sum(s + s, cubic)
    low = low + (cubic_low + (s_low + s_low))
    ln2, ln2_low = SPLITS["ln2.f64"]
    total, rounding = b.fast_two_sum(parts.exponent * ln2, high)
    return total, rounding + b.fma(parts.exponent, ln2_low, low)


def _magnitude(b: Builder, size: Value, y: Value) -> Value:
    """``size**y`` for a positive finite ``size`` and a clamped ``y``."""
    if b.precision == "wide":
        return exp_clamped(b, _clamped(b, y * _log(b, size)))
    high, low = _log_in_two(b, size)
    product, error = b.two_product(y, high)
    error = b.fma(y, low, error)
    # Far out of range the error is large too, and of no use.
    error = b.select(b.absolute(product) < 1024.0, error, 0.0)
    return exp_clamped(b, _clamped(b, product), error)


def _clamped(b: Builder, product: Value) -> Value:
    return b.at_least(b.at_most(product, 710.0), -746.0)


def power(b: Builder, x: Value, y: Value) -> Value:
    """``x**y`` with the special cases of C99, Annex F.9.4.4 (f64 values)."""
    fmt = x.format
    size = b.absolute(x)
    # No result changes beyond 2**70, and a finite y avoids inf * 0 for |x| = 1.
    clamped = b.at_least(b.at_most(y, math.ldexp(1.0, 70)), -math.ldexp(1.0, 70))
    result = _magnitude(b, size, clamped)
    # Zero and infinity, whose bit patterns differ by the mask, swap under a negative power.
    swapped = (size.bits() ^ fmt.exponent_mask).as_float()
    limit = b.select(y < 0.0, swapped, size)
    result = b.select(size.equals(0.0) | size.equals(math.inf), limit, result)
    whole, odd = _parity(b, y)
    result = b.select(odd, b.copysign(result, x), result)
    domain_error = (x < 0.0) & (x > -math.inf) & ~whole
    result = b.select(domain_error | x.unordered(y), math.nan, result)
    return b.select(y.equals(0.0) | x.equals(1.0), 1.0, result)


def _parity(b: Builder, y: Value) -> tuple[Value, Value]:
    """Whether ``y`` is an integer, and whether it is an odd one.

    From ``2**mantissa_bits`` on every number is an integer, from twice that an even one.
    """
    unit_limit = math.ldexp(1.0, y.format.mantissa_bits)
    size = b.at_most(b.absolute(y), 2.0 * unit_limit)
    half = size * 0.5
    whole = (size >= unit_limit) | ((size + unit_limit) - unit_limit).equals(size)
    return whole, whole & ((half + unit_limit) - unit_limit).differs(half)


CASES = "All special cases of C99; NaN for a negative x and a y that is no integer."

ALGORITHMS = (Algorithm("pow", power, ulp(0.6, 1.25), arity=2, wide=True, notes=CASES),)
