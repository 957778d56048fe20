"""rem, the remainder of truncated division."""

from __future__ import annotations

import math

from .builder import Builder, Value
from .function import Algorithm, ulp
from .library import exact_where


def _quotient_too_long(b: Builder, x: Value, y: Value) -> Value:
    limit = math.ldexp(1.0, x.format.mantissa_bits - 2)
    return b.absolute(x) / b.absolute(y) >= limit


def rem(b: Builder, x: Value, y: Value) -> Value:
    """``x - trunc(x / y) y``, exact and with the sign of ``x`` (C's ``fmod``).

    With the quotient rounded to an integer ``q`` the difference ``|x| - q |y|`` is at most
    ``|y|/2`` in size, hence exact, and needs ``|y|`` added where it is negative. Where the
    quotient has more bits than a number holds, the C library's function is called.
    """
    x_size, y_size = b.absolute(x), b.absolute(y)
    quotient = b.round(x_size / y_size)
    rest = b.remainder(x_size, quotient, y_size)
    rest = b.select(rest < 0.0, rest + y_size, rest)
    fast = b.copysign(b.select(x_size < y_size, x_size, rest), x)
    return exact_where(b, _quotient_too_long, "fmod", fast, x, y)


LONG = "Exact. The C library computes lanes with |x / y| from 2**21 (f32) or 2**50 (f64) on."

ALGORITHMS = (Algorithm("rem", rem, ulp(0.0, 0.0), arity=2, notes=LONG),)
