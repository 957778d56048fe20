"""asin, acos, atan, atan2.

Odd polynomials on [0, 1/2] for asin and on [0, 1] for atan, and the identities
``asin(x) = pi/2 - 2 asin(sqrt((1 - x)/2))`` and ``atan(x) = pi/2 - atan(1/x)`` beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .function import Algorithm, ulp


@dataclass(frozen=True)
class Arcsine:
    """``asin(root) = root + tail``, with ``root`` |x| for small and sqrt((1 - |x|)/2) else."""

    small: Value
    root: Value
    tail: Value


def _arcsine(b: Builder, size: Value) -> Arcsine:
    small = size < 0.5
    z = b.select(small, size * size, b.fma(size, -0.5, 0.5))
    root = b.select(small, size, b.square_root(z))
    tail = z * root * b.polynomial(z, POLYNOMIALS[f"asin.{b.precision}"])
    return Arcsine(small, root, tail)


def asin(b: Builder, x: Value) -> Value:
    """The inverse sine; NaN outside [-1, 1]."""
    high, low = SPLITS[f"half_pi.{x.format.name}"]
    parts = _arcsine(b, b.absolute(x))
    # The large terms are added first, so that the errors of the small ones count little.
    total, rounding = b.fast_two_sum(x.constant(high), parts.root * -2.0)
    large = total + (rounding + b.fma(parts.tail, -2.0, low))
    return b.copysign(b.select(parts.small, parts.root + parts.tail, large), x)


def acos(b: Builder, x: Value) -> Value:
    """The inverse cosine; NaN outside [-1, 1].

    ``pi/2 - asin(x)`` for small ``|x|``, ``2 asin(root)`` near 1, ``pi - 2 asin(root)`` near -1.
    """
    high, low = SPLITS[f"half_pi.{x.format.name}"]
    parts = _arcsine(b, b.absolute(x))
    negative = x < 0.0
    factor = b.select(parts.small, x.constant(1.0), 2.0)
    factor = b.select(negative ^ parts.small, -factor, factor)
    quarters = b.select(parts.small, x.constant(1.0), b.select(negative, x.constant(2.0), 0.0))
    total, rounding = b.two_sum(quarters * high, parts.root * factor)
    return total + (rounding + b.fma(parts.tail, factor, quarters * low))


def _arctangent(b: Builder, t: Value) -> Value:
    """``atan(t)`` for t in [0, 1]."""
    u = t * t
    return b.fma(u * t, b.horner(u, POLYNOMIALS[f"atan.{b.precision}"]), t)


def atan(b: Builder, x: Value) -> Value:
    """The inverse tangent."""
    high, low = SPLITS[f"half_pi.{x.format.name}"]
    size = b.absolute(x)
    large = size > 1.0
    angle = _arctangent(b, b.select(large, 1.0 / size, size))
    return b.copysign(b.select(large, high - (angle - low), angle), x)


def atan2(b: Builder, y: Value, x: Value) -> Value:
    """The angle of the point ``(x, y)``, as C99 defines it for zeros and infinities."""
    high, low = SPLITS[f"half_pi.{x.format.name}"]
    y_size, x_size = b.absolute(y), b.absolute(x)
    steep = y_size > x_size
    smaller = b.select(steep, x_size, y_size)
    larger = b.select(steep, y_size, x_size)
    # Both zero or both infinite would be NaN.
    diagonal = b.select(larger.equals(0.0), larger, 1.0)
    angle = _arctangent(b, b.select(smaller.equals(larger), diagonal, smaller / larger))
    left = x.bits() < 0
    quarters = b.select(steep, x.constant(1.0), b.select(left, x.constant(2.0), 0.0))
    signed = b.select(steep ^ left, -angle, angle)
    return b.copysign(b.fma(quarters, high, b.fma(quarters, low, signed)), y)


ALGORITHMS = (
    Algorithm("asin", asin, ulp(1.25, 1.25)),
    Algorithm("acos", acos, ulp(1.25, 1.25)),
    Algorithm("atan", atan, ulp(1.75, 1.75)),
    Algorithm("atan2", atan2, ulp(1.75, 1.75), arity=2),
)
