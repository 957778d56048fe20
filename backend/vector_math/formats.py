"""The floating-point formats."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary interchange format of IEEE 754 and its names in LLVM."""

    name: str
    llvm: str
    integer: str
    mantissa_bits: int
    exponent_bits: int

    @property
    def bias(self) -> int:
        """The exponent bias."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def sign_bit(self) -> int:
        """The position of the sign bit."""
        return self.mantissa_bits + self.exponent_bits

    @property
    def sign_mask(self) -> int:
        """The bit pattern of -0."""
        return 1 << self.sign_bit

    @property
    def exponent_mask(self) -> int:
        """The bit pattern of infinity."""
        return self.sign_mask - (1 << self.mantissa_bits)

    @property
    def mantissa_mask(self) -> int:
        """The bits of the fraction."""
        return (1 << self.mantissa_bits) - 1

    @property
    def smallest_normal(self) -> float:
        """The smallest positive normal number."""
        return math.ldexp(1.0, 1 - self.bias)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - math.ldexp(1.0, -self.mantissa_bits), self.bias)

    @property
    def rounder(self) -> float:
        """The number that, added and taken away, rounds to an integer.

        1.5 times 2 to the number of mantissa bits: the sum has a unit in the last place
        of one and its low bits hold the integer in two's complement.
        """
        return 1.5 * math.ldexp(1.0, self.mantissa_bits)

    def bits(self, number: float) -> int:
        """The bit pattern of ``number`` rounded to this format."""
        code = "<f" if self.name == "f32" else "<d"
        return int.from_bytes(struct.pack(code, number), "little")


F32 = Format("f32", "float", "i32", 23, 8)
F64 = Format("f64", "double", "i64", 52, 11)
FORMATS = {"f32": F32, "f64": F64}


def round_to_float(number: float) -> float:
    """The nearest number of f32."""
    rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    return rounded
