"""sqrt, rsqrt, cbrt."""

from __future__ import annotations

from .builder import Builder, Value
from .coefficients import POLYNOMIALS
from .exponential import nearest_power
from .formats import F32
from .function import Algorithm, ulp
from .logarithm import decompose_positive

CBRT_2 = 1.2599210498948731648


def sqrt(b: Builder, x: Value) -> Value:
    """The correctly rounded square root."""
    return b.square_root(x)


def rsqrt(b: Builder, x: Value) -> Value:
    """``1 / sqrt(x)``."""
    return 1.0 / b.square_root(x)


def cbrt(b: Builder, x: Value) -> Value:
    """The cube root.

    For ``|x| = 2**(3q + i) m`` with i in {-1, 0, 1}: an approximation ``y`` of ``1/cbrt(z)``,
    ``z = 2**i m``, one step for it of third order (second in f32), which needs no division,
    and a Newton step for ``c = z y**2``, whose error is but a third of an ulp.
    """
    fmt = x.format
    size = b.absolute(x)
    parts = decompose_positive(b, size)
    q = nearest_power(b, parts.exponent, 1.0 / 3.0)
    i = b.fma(q.value, -3.0, parts.exponent)
    by_remainder = b.select(i > 0.0, 1.0 / CBRT_2, b.select(i < 0.0, i.constant(CBRT_2), 1.0))
    z = parts.mantissa * b.select(i > 0.0, 2.0, b.select(i < 0.0, i.constant(0.5), 1.0))
    y = by_remainder * b.polynomial(parts.mantissa, POLYNOMIALS[f"inverse_cbrt.{b.precision}"])
    h = 1.0 - z * y * y * y
    step = h * (1.0 / 3.0) if fmt is F32 else h * b.fma(h, 2.0 / 9.0, 1.0 / 3.0)
    y = b.fma(y, step, y)
    square = y * y
    c = z * square
    c = b.fma(b.fma(-(c * c), c, z), square * (1.0 / 3.0), c)
    result = b.copysign((c.bits() + (q.shifted << fmt.mantissa_bits)).as_float(), x)
    return b.select((size > 0.0) & (size <= fmt.largest), result, x)


ALGORITHMS = (
    Algorithm("sqrt", sqrt, ulp(0.5, 0.5)),
    Algorithm("rsqrt", rsqrt, ulp(1.5, 1.5)),
    Algorithm("cbrt", cbrt, ulp(1.0, 1.0)),
)
