"""log, log2, log10, log1p.

``x = 2**k m`` with m in [sqrt(1/2), sqrt(2)), and for ``f = m - 1`` the series of
``log(1 + f) = log((1 + s) / (1 - s))`` in ``s = f / (2 + f)``, as in Muller, Elementary
Functions, section 6, and Sun's fdlibm: ``log(1 + f) = f - (f**2/2 - s (f**2/2 + R(s**2)))``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .function import Algorithm, ulp


@dataclass(frozen=True)
class Decomposed:
    """``x = 2**exponent * mantissa``, and the bits of the exponent shifted into place."""

    exponent: Value
    mantissa: Value
    biased: Value


def decompose(b: Builder, x: Value) -> Decomposed:
    """Split a positive normal number at sqrt(1/2)."""
    fmt = x.format
    sqrt_half = fmt.bits(math.sqrt(0.5))
    offset = x.bits() + ((fmt.bias << fmt.mantissa_bits) - sqrt_half)
    mantissa = ((offset & fmt.mantissa_mask) + sqrt_half).as_float()
    # The biased exponent becomes a float in the low bits of 2**mantissa_bits.
    magic = math.ldexp(1.0, fmt.mantissa_bits)
    biased = offset >> fmt.mantissa_bits
    exponent = (biased | fmt.bits(magic)).as_float() - (magic + fmt.bias)
    return Decomposed(exponent, mantissa, biased)


def decompose_positive(b: Builder, x: Value) -> Decomposed:
    """Split a positive number at sqrt(1/2), subnormal ones included."""
    fmt = x.format
    lift = fmt.mantissa_bits + 1
    small = x < fmt.smallest_normal
    parts = decompose(b, b.select(small, x * math.ldexp(1.0, lift), x))
    exponent = b.select(small, parts.exponent - lift, parts.exponent)
    return Decomposed(exponent, parts.mantissa, parts.biased)


def log_tail(b: Builder, f: Value) -> Value:
    """``log(1 + f) - f`` for f in [sqrt(1/2) - 1, sqrt(2) - 1)."""
    s = f / (f + 2.0)
    z = s * s
    remainder = z * b.polynomial(z, POLYNOMIALS[f"log.{b.precision}"])
    half_square = f * f * 0.5
    return b.fma(s, half_square + remainder, -half_square)


def _natural(b: Builder, parts: Decomposed, correction: Value | None = None) -> Value:
    high, low = SPLITS[f"ln2.{parts.mantissa.format.name}"]
    f = parts.mantissa - 1.0
    tail = log_tail(b, f)
    if correction is not None:
        tail = tail + correction
    tail = b.fma(parts.exponent, low, tail)
    return b.fma(parts.exponent, high, f + tail)


def _to_base(b: Builder, parts: Decomposed, reciprocal: str, of_two: tuple[float, ...]) -> Value:
    """``log(x) * c`` with the constant ``c`` and the logarithm of two in two parts each."""
    high, low = SPLITS[f"{reciprocal}.{parts.mantissa.format.name}"]
    f = parts.mantissa - 1.0
    tail = log_tail(b, f)
    product, error = b.two_product(f, high)
    error = b.fma(tail, high, b.fma(f, low, error))
    if of_two[1]:
        error = b.fma(parts.exponent, of_two[1], error)
    total, rest = b.fast_two_sum(parts.exponent * of_two[0], product)
    return total + (rest + error)


def _with_special_cases(b: Builder, x: Value, result: Value) -> Value:
    """Minus infinity at zero, NaN below, and ``x`` itself at infinity and NaN."""
    fmt = x.format
    result = b.select(x <= fmt.largest, result, x)
    result = b.select(x < 0.0, math.nan, result)
    return b.select(x.equals(0.0), -math.inf, result)


def log(b: Builder, x: Value) -> Value:
    """The natural logarithm."""
    return _with_special_cases(b, x, _natural(b, decompose_positive(b, x)))


def log2(b: Builder, x: Value) -> Value:
    """The logarithm to base 2."""
    result = _to_base(b, decompose_positive(b, x), "log2_e", (1.0, 0.0))
    return _with_special_cases(b, x, result)


def log10(b: Builder, x: Value) -> Value:
    """The logarithm to base 10."""
    of_two = SPLITS[f"log10_2.{x.format.name}"]
    return _with_special_cases(b, x, _to_base(b, decompose_positive(b, x), "log10_e", of_two))


def log_of_normal(b: Builder, x: Value) -> Value:
    """``log(x)`` for a finite ``x > 0`` that is not subnormal."""
    return _natural(b, decompose(b, x))


def log_of_sum(b: Builder, x: Value, low: Value, exponent: Value | None = None) -> Value:
    """``log(x + low) + exponent ln2`` for a finite ``x > 0`` that is not subnormal.

    ``low`` is at most about an ulp of ``x``, so ``log(x + low) = log(x) + low/x``; for
    ``low/m`` two terms of the series of ``1/m = 1/(1 + f)`` are accurate enough.
    """
    fmt = x.format
    parts = decompose(b, x)
    f = parts.mantissa - 1.0
    # 2**-k; beyond that power x has no low part.
    power = b.smallest_integer(parts.biased, fmt.bias + fmt.bias // 2)
    scaled = low * ((2 * fmt.bias - power) << fmt.mantissa_bits).as_float()
    correction = scaled * b.fma(f, f - 1.0, 1.0)
    exponents = parts.exponent if exponent is None else parts.exponent + exponent
    return _natural(b, Decomposed(exponents, parts.mantissa, parts.biased), correction)


def log1p(b: Builder, x: Value) -> Value:
    """``log(1 + x)``, accurate near zero."""
    larger, smaller = b.at_least(x, 1.0), b.at_most(x, 1.0)
    total, low = b.fast_two_sum(larger, smaller)
    result = b.copysign(log_of_sum(b, total, low), x)
    result = b.select(x <= x.format.largest, result, x)
    result = b.select(x < -1.0, math.nan, result)
    return b.select(x.equals(-1.0), -math.inf, result)


LOG = Algorithm("log", log, ulp(1.0, 1.0))

ALGORITHMS = (
    LOG,
    Algorithm("log2", log2, ulp(1.25, 1.25)),
    Algorithm("log10", log10, ulp(1.25, 1.25)),
    Algorithm("log1p", log1p, ulp(1.0, 1.0)),
)
