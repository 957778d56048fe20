"""lgamma and digamma.

Near their positive zeros polynomials with the zero as a factor, elsewhere the recurrence
and Stirling's series; negative arguments by reflection (Abramowitz and Stegun, chapter 6).
"""

from __future__ import annotations

import math

from .builder import Builder, Value
from .coefficients import POLYNOMIALS, SPLITS
from .function import Algorithm, call, ulp
from .logarithm import LOG

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def _sine_of_pi_over_pi(b: Builder, fraction: Value) -> Value:
    """``sin(pi fraction) / pi`` for fraction in [-1/2, 1/2]."""
    u = fraction * fraction
    return fraction * b.polynomial(u, POLYNOMIALS[f"sin_pi.{b.precision}"])


def _fraction(b: Builder, x: Value) -> Value:
    """The distance to the nearest integer; 0 for every number that has no fraction."""
    large = b.absolute(x) >= math.ldexp(1.0, x.format.mantissa_bits - 1)
    return b.select(large, 0.0, x - b.round(x))


def lgamma(b: Builder, x: Value) -> Value:
    """``log(|gamma(x)|)``; infinite at zero and the negative integers.

    On [5/4, 5/2] a polynomial with the factor ``z - 2``. Up to 9/2 and down to 1/4 by the
    recurrence, beyond by Stirling's series, below 1/4 by the reflection
    ``log(pi / |sin(pi x)|) - lgamma(1 - x)``.
    """
    reflected = x < 0.25
    z = b.select(reflected, 1.0 - x, x)
    above, upper, middle, low = z >= 4.5, z >= 3.5, z >= 2.5, z < 1.25
    shift = b.select(upper, z.constant(-4.0), b.select(middle, z.constant(-3.0), -2.0))
    w = z + b.select(low, z.constant(-1.0), shift)
    near = w * b.polynomial(w, POLYNOMIALS[f"lgamma.{b.precision}"])
    # What the recurrence multiplies or divides by.
    product = b.select(upper, (z - 1.0) * (z - 2.0), b.select(middle, z - 1.0, 1.0))
    factor = b.select(above | low, z, product)
    logarithm = call(b, LOG, factor)
    recurred = near + b.select(low, -logarithm, logarithm)
    inverse = 1.0 / z
    series = inverse * b.polynomial(inverse * inverse, POLYNOMIALS[f"stirling.{b.precision}"])
    stirling = b.fma(z - 0.5, logarithm - 1.0, series + (HALF_LOG_2PI - 0.5))
    positive = b.select(above, stirling, recurred)
    sine = b.absolute(_sine_of_pi_over_pi(b, _fraction(b, x)))
    reflection = -call(b, LOG, sine) - positive
    result = b.select(reflected, reflection, positive)
    return b.select(b.absolute(x).equals(math.inf), math.inf, result)


def digamma(b: Builder, x: Value) -> Value:
    """The logarithmic derivative of gamma; NaN at the negative integers.

    On [1, 2] a polynomial with the positive zero as a factor. Up to 4 and down to 0 by the
    recurrence, beyond by the asymptotic series, below 0 by the reflection
    ``digamma(1 - x) - pi / tan(pi x)``. At zero it is infinite, with the sign of ``-x``.
    """
    reflected = x < 0.0
    positive = _digamma_of_positive(b, b.select(reflected, 1.0 - x, x))
    fraction = _fraction(b, x)
    cosine = _sine_of_pi_over_pi(b, 0.5 - b.absolute(fraction))
    reflection = positive - math.pi * cosine / _sine_of_pi_over_pi(b, fraction)
    result = b.select(reflected, reflection, positive)
    result = b.select(reflected & fraction.equals(0.0), math.nan, result)
    pole = b.copysign(x.constant(math.inf), -x)
    return b.select(x.equals(0.0), pole, result)


def _digamma_of_positive(b: Builder, z: Value) -> Value:
    above, upper, middle, low = z >= 4.0, z >= 3.0, z >= 2.0, z < 1.0
    shift = b.select(upper, z.constant(-2.0), b.select(middle, z.constant(-1.0), 0.0))
    w = z + b.select(low, z.constant(1.0), shift)
    root, root_low = SPLITS["digamma_root"]
    near = ((w - root) - root_low) * b.polynomial(w - 1.5, POLYNOMIALS[f"digamma.{b.precision}"])
    # What the recurrence adds, -1/z, 1/(z - 1) or 1/(z - 1) + 1/(z - 2), and the 1/z of the
    # series are one quotient.
    one_less, two_less = z - 1.0, z - 2.0
    numerator = b.select(low, z.constant(-1.0), b.select(middle, z.constant(1.0), 0.0))
    numerator = b.select(above, 1.0, b.select(upper, one_less + two_less, numerator))
    divisor = b.select(upper, one_less * two_less, b.select(middle, one_less, z))
    quotient = numerator / b.select(above, z, divisor)
    v = quotient * quotient
    series = v * b.polynomial(v, POLYNOMIALS[f"digamma_tail.{b.precision}"])
    asymptotic = call(b, LOG, z) - b.fma(quotient, 0.5, series)
    return b.select(above, asymptotic, near + quotient)


NEGATIVE = (
    "For negative arguments the bound is in units of the larger of the result and the value at "
    "1 - x, so relative accuracy is lost near the zeros there."
)

ALGORITHMS = (
    Algorithm("lgamma", lgamma, ulp(0.6, 4.0), wide=True, notes=NEGATIVE),
    Algorithm("digamma", digamma, ulp(0.6, 4.5), wide=True, notes=NEGATIVE),
)
