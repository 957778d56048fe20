"""tanh, sinh, cosh, their inverses, and the logistic function."""

from __future__ import annotations

from .builder import Builder, Value
from .coefficients import POLYNOMIALS
from .exponential import expm1_reduced, power_of_two, reduce_by_ln2


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
