"""Complex arithmetic and functions on pairs of real values.

Formulas are those that do not lose accuracy by cancellation or overflow where the result does not:
division by R. L. Smith (Comm. ACM 5, 1962), inverse functions by W. Kahan ("Branch cuts for complex
elementary functions", 1987). Branch cuts are C99's and NumPy's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import dtype_of

_LARGE = {4: 20.0, 8: 40.0}
"""Beyond this, by the size of a part, tanh is 1 but for rounding."""


class Parts(NamedTuple):
    """A complex value: its real part, and its imaginary one, None where that is known to be 0."""

    real: SSAValue
    imag: SSAValue | None


class ComplexBuilder:
    """Builds complex operations from real ones."""

    def __init__(self, builder: Builder) -> None:
        self.b = builder

    # Helpers on real values

    def imag(self, z: Parts) -> SSAValue:
        """Return the imaginary part as a value."""
        return z.imag if z.imag is not None else self.b.full_like(z.real, 0)

    def _number(self, like: SSAValue, value: float) -> SSAValue:
        return self.b.full_like(like, value)

    def _times(self, x: SSAValue, factor: float) -> SSAValue:
        return self.b.mul(x, self._number(x, factor))

    def _plus(self, x: SSAValue, term: float) -> SSAValue:
        return self.b.add(x, self._number(x, term))

    def hypotenuse(self, x: SSAValue, y: SSAValue) -> SSAValue:
        """Return sqrt(x**2 + y**2) without overflow."""
        b = self.b
        x, y = b.abs(x), b.abs(y)
        large, small = b.max(x, y), b.min(x, y)
        zero = self._number(x, 0)
        infinite = b.compare("eq", large, self._number(x, math.inf))
        plain = b.or_(infinite, b.compare("eq", large, zero))
        divisor = b.select(plain, self._number(x, 1), large)
        ratio = b.div(small, divisor)
        scaled = b.mul(large, b.sqrt(self._plus(b.mul(ratio, ratio), 1)))
        either = b.or_(infinite, b.compare("eq", small, self._number(x, math.inf)))
        return b.select(
            either, self._number(x, math.inf), b.select(b.compare("eq", large, zero), zero, scaled)
        )

    # Arithmetic

    def constant(self, value: np.ndarray) -> Parts:
        """Return a constant."""
        imag = self.b.constant(value.imag.copy()) if value.imag.any() else None
        return Parts(self.b.constant(value.real.copy()), imag)

    def neg(self, z: Parts) -> Parts:
        """-z."""
        return Parts(self.b.neg(z.real), None if z.imag is None else self.b.neg(z.imag))

    def conj(self, z: Parts) -> Parts:
        """The conjugate."""
        return Parts(z.real, None if z.imag is None else self.b.neg(z.imag))

    def add(self, z: Parts, w: Parts) -> Parts:
        """z + w."""
        if z.imag is None or w.imag is None:
            return Parts(self.b.add(z.real, w.real), w.imag if z.imag is None else z.imag)
        return Parts(self.b.add(z.real, w.real), self.b.add(z.imag, w.imag))

    def sub(self, z: Parts, w: Parts) -> Parts:
        """z - w."""
        return self.add(z, self.neg(w))

    def scale(self, z: Parts, factor: SSAValue) -> Parts:
        """z times a real value."""
        imag = None if z.imag is None else self.b.mul(z.imag, factor)
        return Parts(self.b.mul(z.real, factor), imag)

    def mul(self, z: Parts, w: Parts) -> Parts:
        """z w."""
        b = self.b
        if w.imag is None or z.imag is None:
            return self.scale(*((z, w.real) if w.imag is None else (w, z.real)))
        return Parts(
            b.sub(b.mul(z.real, w.real), b.mul(z.imag, w.imag)),
            b.add(b.mul(z.real, w.imag), b.mul(z.imag, w.real)),
        )

    def div(self, z: Parts, w: Parts) -> Parts:
        """z / w, scaled by the larger part of w (Smith 1962)."""
        b = self.b
        if w.imag is None:
            imag = None if z.imag is None else b.div(z.imag, w.real)
            return Parts(b.div(z.real, w.real), imag)
        by_real = b.compare("ge", b.abs(w.real), b.abs(w.imag))
        large, small = b.select(by_real, w.real, w.imag), b.select(by_real, w.imag, w.real)
        zero = b.compare("eq", large, self._number(large, 0))
        ratio = b.select(zero, self._number(large, 0), b.div(small, large))
        divisor = b.add(large, b.mul(small, ratio))
        x, y = z.real, self.imag(z)
        first, second = b.select(by_real, x, y), b.select(by_real, y, x)
        real = b.add(first, b.mul(second, ratio))
        imag = b.sub(second, b.mul(first, ratio))
        imag = b.select(by_real, imag, b.neg(imag))
        return Parts(b.div(real, divisor), b.div(imag, divisor))

    def absolute(self, z: Parts) -> SSAValue:
        """|z|, a real value."""
        return self.b.abs(z.real) if z.imag is None else self.hypotenuse(z.real, z.imag)

    def sign(self, z: Parts) -> Parts:
        """z / |z|, and 0 for 0."""
        size = self.absolute(z)
        zero = self.b.compare("eq", size, self._number(size, 0))
        divisor = self.b.select(zero, self._number(size, 1), size)
        return self.div(z, Parts(divisor, None))

    # Roots, exponentials, logarithms

    def sqrt(self, z: Parts) -> Parts:
        """The root with a positive real part, the cut along the negative reals."""
        b = self.b
        x, y = z.real, self.imag(z)
        root = b.sqrt(self._times(b.add(b.abs(x), self.hypotenuse(x, y)), 0.5))
        zero = b.compare("eq", root, self._number(root, 0))
        divisor = b.select(zero, self._number(root, 1), self._times(root, 2))
        other = b.div(y, divisor)
        right = b.compare("ge", x, self._number(x, 0))
        real = b.select(right, root, b.abs(other))
        imag = b.select(right, other, b.copy_sign(root, y))
        infinite = b.compare("eq", b.abs(y), self._number(y, math.inf))
        return Parts(
            b.select(infinite, self._number(y, math.inf), real), b.select(infinite, y, imag)
        )

    def rsqrt(self, z: Parts) -> Parts:
        """1 / sqrt(z)."""
        return self.div(Parts(self._number(z.real, 1), None), self.sqrt(z))

    def exp(self, z: Parts) -> Parts:
        """exp(z)."""
        size, y = self.b.exp(z.real), self.imag(z)
        real_axis = self.b.compare("eq", y, self._number(y, 0))
        imag = self.b.select(real_axis, y, self.b.mul(size, self.b.sin(y)))
        return Parts(self.b.mul(size, self.b.cos(y)), imag)

    def exp2(self, z: Parts) -> Parts:
        """2 to the power z."""
        return self.exp(self.scale(z, self._number(z.real, math.log(2))))

    def expm1(self, z: Parts) -> Parts:
        """exp(z) - 1, accurate near 0."""
        b = self.b
        x, y = z.real, self.imag(z)
        half = b.sin(self._times(y, 0.5))
        real = b.sub(b.mul(b.expm1(x), b.cos(y)), self._times(b.mul(half, half), 2))
        return Parts(real, b.mul(b.exp(x), b.sin(y)))

    def log(self, z: Parts) -> Parts:
        """The logarithm whose imaginary part is in [-pi, pi]; accurate near |z| = 1."""
        b = self.b
        x, y = z.real, self.imag(z)
        size = self.hypotenuse(x, y)
        large, small = b.max(b.abs(x), b.abs(y)), b.min(b.abs(x), b.abs(y))
        excess = b.add(b.mul(self._plus(large, -1), self._plus(large, 1)), b.mul(small, small))
        near = b.and_(
            b.compare("gt", size, self._number(x, 0.5)), b.compare("lt", size, self._number(x, 2))
        )
        close = self._times(b.log1p(b.select(near, excess, self._number(x, 0))), 0.5)
        return Parts(b.select(near, close, b.log(size)), b.atan2(y, x))

    def log2(self, z: Parts) -> Parts:
        """The logarithm to base 2."""
        return self.scale(self.log(z), self._number(z.real, 1 / math.log(2)))

    def log10(self, z: Parts) -> Parts:
        """The logarithm to base 10."""
        return self.scale(self.log(z), self._number(z.real, 1 / math.log(10)))

    def log1p(self, z: Parts) -> Parts:
        """log(1 + z), accurate near 0."""
        b = self.b
        x, y = z.real, self.imag(z)
        shifted = Parts(self._plus(x, 1), y)
        excess = b.add(b.mul(x, self._plus(x, 2)), b.mul(y, y))
        near = b.compare("lt", b.abs(excess), self._number(x, 0.5))
        close = self._times(b.log1p(b.select(near, excess, self._number(x, 0))), 0.5)
        far = self.log(shifted)
        assert far.imag is not None
        return Parts(b.select(near, close, far.real), far.imag)

    def pow(self, z: Parts, w: Parts) -> Parts:
        """exp(w log z); z**0 is 1, and 0**w is 0 for w with a positive real part."""
        b = self.b
        general = self.exp(self.mul(w, self.log(z)))
        zero, one = self._number(z.real, 0), self._number(z.real, 1)
        base_zero, power_zero = self._is_zero(z), self._is_zero(w)
        vanishes = b.and_(base_zero, b.compare("gt", w.real, zero))
        real = b.select(power_zero, one, b.select(vanishes, zero, general.real))
        either = b.or_(power_zero, vanishes)
        return Parts(real, b.select(either, zero, self.imag(general)))

    def _is_zero(self, z: Parts) -> SSAValue:
        zero = self._number(z.real, 0)
        real = self.b.compare("eq", z.real, zero)
        return real if z.imag is None else self.b.and_(real, self.b.compare("eq", z.imag, zero))

    # Trigonometric and hyperbolic functions, and their inverses

    def _turned(self, z: Parts) -> Parts:
        """i z."""
        return Parts(self.b.neg(self.imag(z)), z.real)

    def _turned_back(self, z: Parts) -> Parts:
        """-i z."""
        return Parts(self.imag(z), self.b.neg(z.real))

    def sinh(self, z: Parts) -> Parts:
        """sinh(z)."""
        b, y = self.b, self.imag(z)
        return Parts(b.mul(b.sinh(z.real), b.cos(y)), b.mul(b.cosh(z.real), b.sin(y)))

    def cosh(self, z: Parts) -> Parts:
        """cosh(z)."""
        b, y = self.b, self.imag(z)
        return Parts(b.mul(b.cosh(z.real), b.cos(y)), b.mul(b.sinh(z.real), b.sin(y)))

    def tanh(self, z: Parts) -> Parts:
        """tanh(z)."""
        b, y = self.b, self.imag(z)
        limit = self._number(z.real, _LARGE[dtype_of(z.real).itemsize])
        x = b.clamp(b.neg(limit), z.real, limit)
        sinh, cosh, sin, cos = b.sinh(x), b.cosh(x), b.sin(y), b.cos(y)
        divisor = b.add(b.mul(sinh, sinh), b.mul(cos, cos))
        return Parts(b.div(b.mul(sinh, cosh), divisor), b.div(b.mul(sin, cos), divisor))

    def sin(self, z: Parts) -> Parts:
        """sin(z) = -i sinh(i z)."""
        return self._turned_back(self.sinh(self._turned(z)))

    def cos(self, z: Parts) -> Parts:
        """cos(z) = cosh(i z)."""
        return self.cosh(self._turned(z))

    def tan(self, z: Parts) -> Parts:
        """tan(z) = -i tanh(i z)."""
        return self._turned_back(self.tanh(self._turned(z)))

    def _roots(self, z: Parts) -> tuple[Parts, Parts]:
        """Return sqrt(1 - z) and sqrt(1 + z)."""
        y = self.imag(z)
        minus = Parts(self._plus(self.b.neg(z.real), 1), self.b.neg(y))
        return self.sqrt(minus), self.sqrt(Parts(self._plus(z.real, 1), y))

    def asin(self, z: Parts) -> Parts:
        """The inverse of sin (Kahan 1987)."""
        minus, plus = self._roots(z)
        product = self.mul(minus, plus)
        crossed = self.mul(self.conj(minus), plus)
        return Parts(self.b.atan2(z.real, product.real), self.b.asinh(self.imag(crossed)))

    def acos(self, z: Parts) -> Parts:
        """The inverse of cos (Kahan 1987)."""
        minus, plus = self._roots(z)
        crossed = self.mul(self.conj(plus), minus)
        angle = self._times(self.b.atan2(minus.real, plus.real), 2)
        return Parts(angle, self.b.asinh(self.imag(crossed)))

    def atanh(self, z: Parts) -> Parts:
        """The inverse of tanh."""
        b = self.b
        x, y = z.real, self.imag(z)
        rest = self._plus(b.neg(x), 1)
        square = b.mul(y, y)
        distance = b.add(b.mul(rest, rest), square)
        real = self._times(b.log1p(b.div(self._times(x, 4), distance)), 0.25)
        beside = b.sub(b.mul(rest, self._plus(x, 1)), square)
        return Parts(real, self._times(b.atan2(self._times(y, 2), beside), 0.5))

    def asinh(self, z: Parts) -> Parts:
        """asinh(z) = -i asin(i z)."""
        return self._turned_back(self.asin(self._turned(z)))

    def atan(self, z: Parts) -> Parts:
        """atan(z) = -i atanh(i z)."""
        return self._turned_back(self.atanh(self._turned(z)))

    def acosh(self, z: Parts) -> Parts:
        """The inverse of cosh (Kahan 1987)."""
        b, y = self.b, self.imag(z)
        minus = self.sqrt(Parts(self._plus(z.real, -1), y))
        plus = self.sqrt(Parts(self._plus(z.real, 1), y))
        crossed = self.mul(self.conj(minus), plus)
        angle = self._times(b.atan2(self.imag(minus), plus.real), 2)
        return Parts(b.asinh(crossed.real), angle)
