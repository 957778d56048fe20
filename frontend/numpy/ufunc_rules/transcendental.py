"""Rules of roots, exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

import math

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from ....ir.types import dtype_of
from .common import Rule, is_infinite, is_zero


def logaddexp(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return log(exp(x) + exp(y)) without overflow: the larger one and a correction."""
    correction = b.log1p(b.exp(b.neg(_distance(b, x, y))))
    return b.add(b.max(x, y), correction)


def logaddexp2(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return log2(2**x + 2**y) without overflow: the larger one and a correction."""
    correction = b.log1p(b.exp2(b.neg(_distance(b, x, y))))
    scaled = b.mul(correction, b.full_like(x, 1 / math.log(2)))
    return b.add(b.max(x, y), scaled)


def _distance(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return |x - y|, which is 0 for equal infinities, as are its derivatives."""
    equal, zero = b.compare("eq", x, y), b.full_like(x, 0)
    return b.abs(b.sub(b.select(equal, zero, x), b.select(equal, zero, y)))


def hypot(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return sqrt(x*x + y*y) without overflow; its derivative at the origin is 0.

    Both are scaled by a power of two, which is exact, where their squares would leave the range
    of normal numbers. Infinite if either is, even beside NaN (C99 F.9.4.3).
    """
    scale, unscale = _scaling(b, b.max(b.abs(x), b.abs(y)))
    scaled_x, scaled_y = b.mul(x, scale), b.mul(y, scale)
    squares = b.add(b.mul(scaled_x, scaled_x), b.mul(scaled_y, scaled_y))
    at_origin = is_zero(b, squares)
    root = b.sqrt(b.select(at_origin, b.full_like(x, 1), squares))
    length = b.mul(b.select(at_origin, b.full_like(x, 0), root), unscale)
    infinite = b.or_(is_infinite(b, x), is_infinite(b, y))
    return b.select(infinite, b.full_like(x, np.inf), length)


def _scaling(b: Builder, largest: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Return the power of two that brings ``largest`` into the middle range, and its inverse."""
    limits = np.finfo(dtype_of(largest))
    reach = limits.maxexp // 2 - 2
    high = b.compare("gt", largest, b.full_like(largest, 2.0**reach))
    low = b.compare("lt", largest, b.full_like(largest, 2.0 ** (limits.nmant - reach)))

    def choose(exponent: int) -> SSAValue:
        upper, lower = (b.full_like(largest, 2.0**e) for e in (-exponent, exponent))
        return b.select(high, upper, b.select(low, lower, b.full_like(largest, 1)))

    shift = reach + limits.nmant + 2
    return choose(shift), choose(-shift)


def _times(numerator: float, denominator: float) -> Rule:
    """Return the product with a quotient that is rounded in the operand's dtype, as in NumPy."""

    def rule(b: Builder, x: SSAValue) -> SSAValue:
        real = dtype_of(x).type
        return b.mul(x, b.full_like(x, real(numerator) / real(denominator)))

    return rule


RULES: dict[np.ufunc, Rule] = {
    np.sqrt: Builder.sqrt,
    np.cbrt: Builder.cbrt,
    np.exp: Builder.exp,
    np.exp2: Builder.exp2,
    np.expm1: Builder.expm1,
    np.log: Builder.log,
    np.log2: Builder.log2,
    np.log10: Builder.log10,
    np.log1p: Builder.log1p,
    np.logaddexp: logaddexp,
    np.logaddexp2: logaddexp2,
    np.sin: Builder.sin,
    np.cos: Builder.cos,
    np.tan: Builder.tan,
    np.arcsin: Builder.asin,
    np.arccos: Builder.acos,
    np.arctan: Builder.atan,
    np.arctan2: Builder.atan2,
    np.sinh: Builder.sinh,
    np.cosh: Builder.cosh,
    np.tanh: Builder.tanh,
    np.arcsinh: Builder.asinh,
    np.arccosh: Builder.acosh,
    np.arctanh: Builder.atanh,
    np.hypot: hypot,
    np.deg2rad: _times(math.pi, 180),
    np.radians: _times(math.pi, 180),
    np.rad2deg: _times(180, math.pi),
    np.degrees: _times(180, math.pi),
}
