"""Rules of rounding, and of functions that take the parts of a float's representation."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from ....ir.types import dtype_of
from .common import Rule, is_infinite, is_nan, is_negative, is_zero, kind_of, unchanged


def _rounding(rule: Rule) -> Rule:
    """Return the rule for floats; integers and bools are whole already."""

    def rounded(b: Builder, x: SSAValue) -> SSAValue | tuple[SSAValue, ...]:
        return (rule if kind_of(x) == "f" else unchanged)(b, x)

    return rounded


def _classification(rule: Rule, of_integers: bool) -> Rule:
    """Return a rule that tells floats apart; ``of_integers`` is what holds for all integers.

    ``rule`` is for real floats; a complex number is finite if both parts are, and infinite or NaN
    if either is.
    """

    def classify(b: Builder, x: SSAValue) -> SSAValue | tuple[SSAValue, ...]:
        if kind_of(x) == "f":
            return rule(b, x)
        if kind_of(x) != "c":
            return b.full_like(b.compare("eq", x, x), of_integers)
        join = b.and_ if of_integers else b.or_
        parts = (rule(b, b.real(x)), rule(b, b.imag(x)))
        return join(*parts)  # type: ignore[arg-type]

    return classify


def _bits_of(b: Builder, x: SSAValue) -> SSAValue:
    return b.bitcast_convert(x, np.dtype(f"i{dtype_of(x).itemsize}"))


def rint(b: Builder, x: SSAValue) -> SSAValue:
    """Return the nearest integer, the even one of two; of a complex number by parts."""
    if kind_of(x) != "c":
        return b.round_even(x)
    return b.complex(b.round_even(b.real(x)), b.round_even(b.imag(x)))


def signbit(b: Builder, x: SSAValue) -> SSAValue:
    """Return whether the sign bit is set, of zeros and NaNs too."""
    return is_negative(b, _bits_of(b, x))


def spacing(b: Builder, x: SSAValue) -> SSAValue:
    """Return the distance to the next float away from zero; NaN at infinity."""
    away = b.select(is_negative(b, x), b.full_like(x, -np.inf), b.full_like(x, np.inf))
    return b.sub(b.next_after(x, away), x)


def ldexp(b: Builder, x: SSAValue, exponent: SSAValue) -> SSAValue:
    """Return x * 2**exponent, rounded once.

    The scaling goes in three steps of representable powers; a step down leaves the last one so
    large that a result below the normal numbers is rounded by it alone.
    """
    limits = np.finfo(dtype_of(x))
    highest, lowest = limits.maxexp - 1, limits.minexp
    e = _clamp(b, exponent, 4 * lowest, 4 * highest)
    e = b.convert(e, np.dtype(f"i{dtype_of(x).itemsize}"))
    for _ in range(2):
        up = b.compare("gt", e, b.full_like(e, highest))
        down = b.compare("lt", e, b.full_like(e, lowest))
        step = b.select(down, b.full_like(e, lowest + limits.nmant + 1), b.full_like(e, 0))
        step = b.select(up, b.full_like(e, highest), step)
        x = b.mul(x, _power_of_two(b, step, dtype_of(x)))
        e = b.sub(e, step)
    return b.mul(x, _power_of_two(b, _clamp(b, e, lowest, highest), dtype_of(x)))


def _clamp(b: Builder, x: SSAValue, low: int, high: int) -> SSAValue:
    return b.clamp(b.full_like(x, low), x, b.full_like(x, high))


def _power_of_two(b: Builder, exponent: SSAValue, dtype: np.dtype) -> SSAValue:
    """Return 2**exponent for exponents of normal numbers, by writing the exponent's bits."""
    limits = np.finfo(dtype)
    biased = b.add(exponent, b.full_like(exponent, limits.maxexp - 1))
    return b.bitcast_convert(b.shift_left(biased, b.full_like(exponent, limits.nmant)), dtype)


def frexp(b: Builder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Return m in [0.5, 1) and an int32 e with x = m * 2**e; x and 0 for 0, infinity and NaN."""
    limits = np.finfo(dtype_of(x))
    lift = limits.nmant + 1
    small = b.compare("lt", b.abs(x), b.full_like(x, limits.smallest_normal))
    normal = b.select(small, b.mul(x, b.full_like(x, 2.0**lift)), x)
    bits = _bits_of(b, normal)
    biased = b.and_(
        b.shift_right_logical(bits, b.full_like(bits, limits.nmant)),
        b.full_like(bits, 2 * limits.maxexp - 1),
    )
    bias = limits.maxexp - 2
    offset = b.select(small, b.full_like(bits, bias + lift), b.full_like(bits, bias))
    no_number = b.or_(is_zero(b, x), b.not_(b.is_finite(x)))
    exponent = b.select(no_number, b.full_like(bits, 0), b.sub(biased, offset))
    mantissa = b.select(no_number, x, ldexp(b, x, b.neg(exponent)))
    return mantissa, b.convert(exponent, np.dtype(np.int32))


def modf(b: Builder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Return the fractional and the whole part, both with the sign of x."""
    whole = b.trunc(x)
    fraction = b.select(is_infinite(b, x), b.full_like(x, 0), b.sub(x, whole))
    signed = b.select(is_zero(b, fraction), b.copy_sign(b.full_like(x, 0), x), fraction)
    return signed, whole


RULES: dict[np.ufunc, Rule] = {
    np.floor: _rounding(Builder.floor),
    np.ceil: _rounding(Builder.ceil),
    np.trunc: _rounding(Builder.trunc),
    np.rint: rint,
    np.isfinite: _classification(Builder.is_finite, True),
    np.isinf: _classification(is_infinite, False),
    np.isnan: _classification(is_nan, False),
    np.signbit: signbit,
    np.copysign: Builder.copy_sign,
    np.nextafter: Builder.next_after,
    np.spacing: spacing,
    np.ldexp: ldexp,
    np.frexp: frexp,
    np.modf: modf,
}
