"""Rules of comparisons and of logic on truth values."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from ....ir.types import dtype_of
from .common import Rule, compare_complex, is_negative, kind_of

_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}


def _comparison(predicate: str) -> Rule:
    def rule(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
        if kind_of(x) == "c" and predicate not in ("eq", "ne"):
            return compare_complex(b, predicate, x, y)
        if kind_of(x) == "i" and kind_of(y) == "u":
            return _compare_mixed(b, predicate, x, y)
        if kind_of(x) == "u" and kind_of(y) == "i":
            return _compare_mixed(b, _MIRRORED[predicate], y, x)
        return b.compare(predicate, x, y)

    return rule


def _compare_mixed(b: Builder, predicate: str, signed: SSAValue, other: SSAValue) -> SSAValue:
    """Compare a signed with an unsigned integer; a negative one is below all."""
    unsigned = b.compare(predicate, b.convert(signed, dtype_of(other)), other)
    below = is_negative(b, signed)
    return b.select(below, b.full_like(below, predicate in ("lt", "le", "ne")), unsigned)


def truth(b: Builder, x: SSAValue) -> SSAValue:
    """Return where x is not 0."""
    return x if kind_of(x) == "b" else b.compare("ne", x, b.full_like(x, 0))


def logical_and(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return where x and y are true."""
    return b.and_(truth(b, x), truth(b, y))


def logical_or(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return where x or y is true."""
    return b.or_(truth(b, x), truth(b, y))


def logical_xor(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    """Return where one of x and y is true."""
    return b.xor(truth(b, x), truth(b, y))


def logical_not(b: Builder, x: SSAValue) -> SSAValue:
    """Return where x is false."""
    return b.not_(truth(b, x))


RULES: dict[np.ufunc, Rule] = {
    np.equal: _comparison("eq"),
    np.not_equal: _comparison("ne"),
    np.less: _comparison("lt"),
    np.less_equal: _comparison("le"),
    np.greater: _comparison("gt"),
    np.greater_equal: _comparison("ge"),
    np.logical_and: logical_and,
    np.logical_or: logical_or,
    np.logical_xor: logical_xor,
    np.logical_not: logical_not,
}
