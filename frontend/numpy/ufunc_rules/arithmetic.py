"""Rules of arithmetic: sums, products, divisions, powers, signs, extrema."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from ....ir.types import dtype_of
from .common import (
    Rule,
    compare_complex,
    is_nan,
    is_negative,
    is_zero,
    kind_of,
    unchanged,
    unless_bool,
)


def absolute(b: Builder, x: SSAValue) -> SSAValue:
    """Return |x|, which for bools and unsigned integers is x."""
    return x if kind_of(x) in "bu" else b.abs(x)


def conjugate(b: Builder, x: SSAValue) -> SSAValue:
    """Return the complex conjugate, which of a real number is itself."""
    return b.conj(x) if kind_of(x) == "c" else x


def reciprocal(b: Builder, x: SSAValue) -> SSAValue:
    """Return 1 / x, rounded towards zero for integers."""
    return b.div(b.full_like(x, 1), x)


def square(b: Builder, x: SSAValue) -> SSAValue:
    """Return x * x."""
    return b.mul(x, x)


def _signs_differ(b: Builder, remainder: SSAValue, y: SSAValue) -> SSAValue:
    """Return where a remainder that is not 0 has not the divisor's sign."""
    differ = b.xor(is_negative(b, remainder), is_negative(b, y))
    return b.and_(b.not_(is_zero(b, remainder)), differ)


def _select_one(b: Builder, predicate: SSAValue, like: SSAValue) -> SSAValue:
    """Return 1 where the predicate holds and 0 elsewhere, of the type of ``like``."""
    return b.select(predicate, b.full_like(like, 1), b.full_like(like, 0))


def _floored_quotient(b: Builder, x: SSAValue, y: SSAValue, truncated: SSAValue) -> SSAValue:
    """Return floor(x / y) of floats with the remainder of the truncated division at hand.

    (x - remainder) / y is a whole number but for rounding, which the nearest one undoes; where it
    is 0, the sign of the zero is that of x / y.
    """
    quotient = b.div(b.sub(x, truncated), y)
    below = _select_one(b, _signs_differ(b, truncated, y), quotient)
    whole = b.sub(quotient, below)
    down = b.floor(whole)
    above = b.compare("gt", b.sub(whole, down), b.full_like(down, 0.5))
    nearest = b.add(down, _select_one(b, above, down))
    exact = b.div(x, y)
    signed_zero = b.copy_sign(b.full_like(x, 0), exact)
    floored = b.select(is_zero(b, whole), signed_zero, nearest)
    return b.select(is_zero(b, y), exact, floored)


def _floored_remainder(b: Builder, x: SSAValue, y: SSAValue, truncated: SSAValue) -> SSAValue:
    """Return the remainder with the sign of y, from the one with the sign of x."""
    moved = b.select(_signs_differ(b, truncated, y), b.add(truncated, y), truncated)
    if kind_of(x) != "f":
        return moved
    signed = b.select(is_zero(b, truncated), b.copy_sign(b.full_like(x, 0), y), moved)
    return b.select(is_zero(b, y), truncated, signed)


def floor_divide(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return floor(x / y); 0 where an integer is divided by 0."""
    return divmod_rule(b, x, y)[0]


def remainder(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return x - y * floor(x / y), which has the sign of y."""
    if kind_of(x) == "u":
        return b.rem(x, y)
    return _floored_remainder(b, x, y, b.rem(x, y))


def divmod_rule(b: Builder, x: SSAValue, y: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Return floor(x / y) and the remainder, as Python's divmod."""
    truncated = b.rem(x, y)
    if kind_of(x) == "u":
        return b.div(x, y), truncated
    modulus = _floored_remainder(b, x, y, truncated)
    if kind_of(x) == "f":
        return _floored_quotient(b, x, y, truncated), modulus
    quotient = b.div(x, y)
    below = _select_one(b, _signs_differ(b, truncated, y), quotient)
    return b.sub(quotient, below), modulus


def power(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return x to the power y; of integers modulo their range, and 0 where y is negative."""
    return b.pow(x, y) if kind_of(x) in "fc" else _integer_power(b, x, y)


def _integer_power(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Multiply the squares of x that the bits of y choose (Knuth, TAOCP 4.6.3)."""
    one, zero = b.full_like(x, 1), b.full_like(x, 0)
    signed = kind_of(y) == "i"
    product = one
    for bit in range(8 * dtype_of(y).itemsize - signed):
        chosen = b.not_(is_zero(b, b.and_(y, b.full_like(y, 1 << bit))))
        product = b.mul(product, b.select(chosen, x, one))
        x = b.mul(x, x)
    return b.select(is_negative(b, y), zero, product) if signed else product


def constant_power(b: Builder, x: SSAValue, exponent: int) -> SSAValue:
    """Return x to a power known while tracing, by repeated multiplication.

    The error is below ``abs(exponent) / 2`` units in the last place.
    """
    if exponent < 0:
        return reciprocal(b, constant_power(b, x, -exponent))
    product: SSAValue | None = None
    while exponent:
        if exponent & 1:
            product = x if product is None else b.mul(product, x)
        exponent >>= 1
        if exponent:
            x = b.mul(x, x)
    return b.full_like(x, 1) if product is None else product


def _extremum(of_reals: Rule, of_bools: Rule, not_before: str, prefer_nan: bool) -> Rule:
    """Return the rule of a maximum or minimum.

    Args:
        of_reals: the op for real numbers, whose result is NaN if either operand is.
        of_bools: the op for bools.
        not_before: the comparison that holds if x is to be taken; it orders complex numbers.
        prefer_nan: whether a NaN wins against a number, or loses.
    """

    def rule(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue | tuple[SSAValue, ...]:
        kind = kind_of(x)
        if kind == "c":
            first = b.or_(compare_complex(b, not_before, x, y), is_nan(b, x if prefer_nan else y))
            return b.select(first, x, y)
        extreme = (of_bools if kind == "b" else of_reals)(b, x, y)
        if kind != "f" or prefer_nan:
            return extreme
        return b.select(is_nan(b, y), x, b.select(is_nan(b, x), y, extreme))  # type: ignore[arg-type]

    return rule


def heaviside(b: Builder, x: SSAValue, at_zero: SSAValue) -> SSAValue:
    """Return 0 below zero, 1 above, ``at_zero`` at zero, NaN for NaN."""
    step = b.select(is_negative(b, x), b.full_like(x, 0), b.full_like(x, 1))
    known = b.select(is_zero(b, x), at_zero, step)
    return b.select(is_nan(b, x), x, known)


RULES: dict[np.ufunc, Rule] = {
    np.add: unless_bool(Builder.add, Builder.or_),
    np.subtract: Builder.sub,
    np.multiply: unless_bool(Builder.mul, Builder.and_),
    np.divide: Builder.div,
    np.floor_divide: floor_divide,
    np.remainder: remainder,
    np.fmod: Builder.rem,
    np.divmod: divmod_rule,
    np.power: power,
    np.float_power: power,
    np.square: square,
    np.reciprocal: reciprocal,
    np.negative: Builder.neg,
    np.positive: unchanged,
    np.absolute: absolute,
    np.fabs: Builder.abs,
    np.sign: Builder.sign,
    np.conjugate: conjugate,
    np.maximum: _extremum(Builder.max, Builder.or_, "ge", prefer_nan=True),
    np.minimum: _extremum(Builder.min, Builder.and_, "le", prefer_nan=True),
    np.fmax: _extremum(Builder.max, Builder.or_, "ge", prefer_nan=False),
    np.fmin: _extremum(Builder.min, Builder.and_, "le", prefer_nan=False),
    np.heaviside: heaviside,
}
