"""Rules of bitwise functions of integers and bools."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from .arithmetic import absolute
from .common import Rule, kind_of


def right_shift(b: Builder, x: SSAValue, amount: SSAValue) -> SSAValue:
    """Return x shifted right: copies of the sign move in, zeros if there is none."""
    shift = b.shift_right_logical if kind_of(x) == "u" else b.shift_right_arithmetic
    return shift(x, amount)


def bitwise_count(b: Builder, x: SSAValue) -> SSAValue:
    """Return the number of set bits of the absolute value, as uint8."""
    return b.convert(b.population_count(absolute(b, x)), np.dtype(np.uint8))


RULES: dict[np.ufunc, Rule] = {
    np.bitwise_and: Builder.and_,
    np.bitwise_or: Builder.or_,
    np.bitwise_xor: Builder.xor,
    np.invert: Builder.not_,
    np.left_shift: Builder.shift_left,
    np.right_shift: right_shift,
    np.bitwise_count: bitwise_count,
}
