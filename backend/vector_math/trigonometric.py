"""sin, cos, tan.

The argument is reduced by a multiple of pi/2, given in several parts as by Cody and Waite
(Software Manual for the Elementary Functions, 1980), and the quadrant selects between a
polynomial for the sine and one for the cosine on [-pi/4, pi/4]. Where the parts no longer
suffice, the lanes in question are computed by the C library's function, in a branch that
is rarely taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .function import Algorithm, ulp
from .library import exact_where

# Largest |x| that is reduced in place. With a fused multiply-add the product of an
# integer and a full part of pi is exact; without, parts of 30 bits are (f32 uses f64).
FUSED_LIMITS = {"f32": math.ldexp(1.0, 17), "f64": math.ldexp(1.0, 27)}
SHORT_LIMIT = math.ldexp(1.0, 22)


@dataclass(frozen=True)
class Reduced:
    """``x = n pi/2 + remainder``, with ``n`` in the low bits of ``quadrant``."""

    remainder: Value
    quadrant: Value


def _quotient(b: Builder, x: Value) -> tuple[Value, Value]:
    """``x / (pi/2)`` rounded to an integer, and the same in the low bits."""
    shifted = b.fma(x, 2.0 / math.pi, x.format.rounder)
    return shifted - x.format.rounder, shifted.bits()


def _parts(b: Builder, x: Value) -> tuple[float, ...]:
    return SPLITS[f"half_pi.{x.format.name}." + ("fused" if b.target.fma else "short")]


def _reduce(b: Builder, x: Value) -> Reduced:
    if not b.target.fma and x.element == "float":
        wide = _reduce(b, x.widened())
        return Reduced(wide.remainder.narrowed(), wide.quadrant.narrowed())
    n, quadrant = _quotient(b, x)
    if not b.target.fma:
        return Reduced(_subtract_exact_products(b, x, n), quadrant)
    for part in _parts(b, x):
        x = b.fma(n, -part, x)
    return Reduced(x, quadrant)


def _subtract_exact_products(b: Builder, x: Value, n: Value) -> Value:
    """``x - n pi/2`` with one rounding that counts, by short parts of pi/2."""
    first, second, third, fourth = (n * -part for part in _parts(b, x))
    total, error = b.fast_two_sum(x + first, second)
    return (total + (error + third)) + fourth


def _reduce_in_two(b: Builder, x: Value) -> tuple[Reduced, Value]:
    """As :func:`_reduce`, with the rounding error of the remainder (f64 only)."""
    n, quadrant = _quotient(b, x)
    first, *middle, last = _parts(b, x)
    x = b.fma(n, -first, x)
    low = n * -last
    for part in middle:
        # Products of short parts are exact as they are.
        product, error = b.two_product(n, -part) if b.target.fma else (n * -part, None)
        x, rounding = b.two_sum(x, product)
        low = low + (rounding if error is None else error + rounding)
    return Reduced(x, quadrant), low


def _sine(b: Builder, r: Value) -> Value:
    u = r * r
    return b.fma(u * r, b.polynomial(u, POLYNOMIALS[f"sin.{b.precision}"]), r)


def _cosine(b: Builder, r: Value) -> Value:
    u = r * r
    return b.fma(u, b.polynomial(u, POLYNOMIALS[f"cos.{b.precision}"]), 1.0)


def _is_odd(integer: Value) -> Value:
    return (integer & 1).differs(0)


def _sine_in_quadrant(b: Builder, r: Value, quadrant: Value) -> Value:
    """``sin(r + quadrant pi/2)``."""
    fmt = r.format
    size = b.select(_is_odd(quadrant), _cosine(b, r), _sine(b, r))
    sign = (quadrant << (fmt.sign_bit - 1)) & fmt.sign_mask
    return (size.bits() ^ sign).as_float()


def _too_large(b: Builder, x: Value) -> Value:
    limit = FUSED_LIMITS[x.format.name] if b.target.fma else SHORT_LIMIT
    return b.absolute(x) > limit


def sin(b: Builder, x: Value) -> Value:
    """The sine."""
    reduced = _reduce(b, x)
    result = _sine_in_quadrant(b, reduced.remainder, reduced.quadrant)
    result = b.select(x.equals(0.0), x, result)  # keeps the sign of -0
    return exact_where(b, _too_large, "sin", result, x)


def cos(b: Builder, x: Value) -> Value:
    """The cosine, the sine one quadrant on."""
    reduced = _reduce(b, x)
    result = _sine_in_quadrant(b, reduced.remainder, reduced.quadrant + 1)
    return exact_where(b, _too_large, "cos", result, x)


def tan(b: Builder, x: Value) -> Value:
    """The tangent: ``t = tan(r)``, or ``-1 / t`` in an odd quadrant."""
    t, inverse, quadrant = _tan_in_double(b, x) if b.precision == "wide" else _tan_in_two(b, x)
    result = b.select(_is_odd(quadrant), inverse, t)
    result = b.select(x.equals(0.0), x, result)  # keeps the sign of -0
    return exact_where(b, _too_large, "tan", result, x)


def _tan_in_double(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    reduced = _reduce(b, x)
    r = reduced.remainder
    t = b.fma(r * r * r, b.polynomial(r * r, POLYNOMIALS[f"tan.{b.precision}"]), r)
    return t, -1.0 / t, reduced.quadrant


def _tan_in_two(b: Builder, x: Value) -> tuple[Value, Value, Value]:
    """With ``t`` as a sum of two numbers and the quotient corrected by its remainder."""
    reduced, low = _reduce_in_two(b, x)
    r = reduced.remainder
    u = r * r
    tail = b.fma(u * r, b.polynomial(u, POLYNOMIALS[f"tan.{b.precision}"]), low)
    t, t_low = b.fast_two_sum(r, tail)
    quotient = -1.0 / t
    missing = b.remainder(-1.0, quotient, t) - quotient * t_low
    return t, b.fma(-quotient, missing, quotient), reduced.quadrant


LARGE = "The C library computes lanes with |x| above 2**17 (f32), 2**27 (f64), without FMA 2**22."
LARGE_TAN = "The C library computes lanes with |x| above 2**27, without FMA 2**22."

ALGORITHMS = (
    Algorithm("sin", sin, ulp(1.75, 1.75), notes=LARGE),
    Algorithm("cos", cos, ulp(1.75, 1.75), notes=LARGE),
    Algorithm("tan", tan, ulp(0.6, 2.0), wide=True, notes=LARGE_TAN),
)
