"""erf, erfc and the inverse of erf."""

from __future__ import annotations

import math

from .builder import Builder, Value
from .coefficients import POLYNOMIALS
from .exponential import exp_clamped, expm1_reduced, power_of_two, reduce_by_ln2
from .formats import F32
from .function import Algorithm, ulp
from .logarithm import log_of_normal
from .ranges import ERF_INV_CENTRE, ERF_INV_TAIL, ERFC_POLE


def _erf_near_zero(b: Builder, x: Value) -> Value:
    """``erf(x)`` for ``|x| <= 1``."""
    return b.fma(x, b.horner(x * x, POLYNOMIALS[f"erf.{b.precision}"]), x)


def erf(b: Builder, x: Value) -> Value:
    """The error function: an odd polynomial up to 1, ``1 - exp(log erfc)`` beyond."""
    size = b.absolute(x)
    near = _erf_near_zero(b, size)
    # From here on the result is one.
    clamped = b.at_most(size, 4.0 if x.format is F32 else 6.0)
    logarithm = -b.polynomial(clamped - 1.0, POLYNOMIALS[f"log_erfc.{b.precision}"])
    n, r = reduce_by_ln2(b, logarithm)
    power = power_of_two(b, n)
    far = b.fma(-power, expm1_reduced(b, r), 1.0 - power)
    return b.copysign(b.select(size < 1.0, near, far), x)


def erfc(b: Builder, x: Value) -> Value:
    """The complementary error function ``1 - erf(x)``, accurate in the tail.

    ``erfc(x) exp(x**2) (x + k)`` is a polynomial in ``t = (x - k) / (x + k)``, after
    Shepherd and Laframboise (Mathematics of Computation 36, 1981). In f64 a polynomial for
    erf near zero makes up for the errors there.
    """
    size = b.at_most(b.absolute(x), 28.0)
    inverse = 1.0 / (size + ERFC_POLE)
    t = b.fma(inverse, -2.0 * ERFC_POLE, 1.0)
    scaled = inverse * b.horner(t, POLYNOMIALS[f"erfc.{b.precision}"])
    square, square_low = b.two_product(size, size)
    tail = exp_clamped(b, -square, -square_low, scaled)
    result = b.select(x < 0.0, 2.0 - tail, tail)
    if b.precision == "wide":
        return result
    return b.select(b.absolute(x) < 0.5, 1.0 - _erf_near_zero(b, x), result)


def erf_inv(b: Builder, x: Value) -> Value:
    """The inverse of erf; infinite at -1 and 1, NaN beyond.

    ``x F(w)`` with ``w = -log(1 - x**2)``, after Giles ("Approximating the erfinv
    function", GPU Computing Gems 2, 2011): a polynomial in ``w`` for small ``w``, in
    ``sqrt(w)`` for large. A relative error of ``1 - x**2`` is an absolute one of w, which
    changes F by a quarter of it at most.
    """
    w = -log_of_normal(b, (1.0 - x) * (1.0 + x))
    tail = w > 2.0 * ERF_INV_CENTRE
    v = b.select(tail, b.square_root(w) - ERF_INV_TAIL[b.precision], w - ERF_INV_CENTRE)
    near = b.horner(v, POLYNOMIALS[f"erf_inv_centre.{b.precision}"])
    far = b.horner(v, POLYNOMIALS[f"erf_inv_tail.{b.precision}"])
    result = x * b.select(tail, far, near)
    size = b.absolute(x)
    result = b.select(size < 1.0, result, b.copysign(x.constant(math.inf), x))
    return b.select(size <= 1.0, result, math.nan)


ALGORITHMS = (
    Algorithm("erf", erf, ulp(1.5, 1.5)),
    Algorithm("erfc", erfc, ulp(0.6, 5.0), wide=True),
    Algorithm("erf_inv", erf_inv, ulp(2.0, 2.5)),
)
