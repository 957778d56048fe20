"""What several rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from ....ir.builder import Builder
from ....ir.types import dtype_of

Rule: TypeAlias = Callable[..., SSAValue | tuple[SSAValue, ...]]
"""A function of a builder and of operands; see the package's docstring."""


def kind_of(x: SSAValue) -> str:
    """Return NumPy's kind letter of a value's dtype: b, i, u, f or c."""
    return dtype_of(x).kind


def is_zero(b: Builder, x: SSAValue) -> SSAValue:
    """Return where x is 0."""
    return b.compare("eq", x, b.full_like(x, 0))


def is_negative(b: Builder, x: SSAValue) -> SSAValue:
    """Return where x is below 0."""
    return b.compare("lt", x, b.full_like(x, 0))


def is_nan(b: Builder, x: SSAValue) -> SSAValue:
    """Return where x is NaN, by its being different from itself."""
    return b.compare("ne", x, x)


def is_infinite(b: Builder, x: SSAValue) -> SSAValue:
    """Return where a real x is infinite."""
    return b.compare("eq", b.abs(x), b.full_like(x, np.inf))


_STRICT = {"lt": "lt", "le": "lt", "gt": "gt", "ge": "gt"}


def compare_complex(b: Builder, predicate: str, x: SSAValue, y: SSAValue) -> SSAValue:
    """Compare by the real parts, where these are equal by the imaginary ones, as NumPy does."""
    (x_real, x_imag), (y_real, y_imag) = ((b.real(v), b.imag(v)) for v in (x, y))
    numbers = b.not_(b.or_(is_nan(b, x_imag), is_nan(b, y_imag)))
    first = b.and_(b.compare(_STRICT[predicate], x_real, y_real), numbers)
    second = b.compare(predicate, x_imag, y_imag)
    return b.or_(first, b.and_(b.compare("eq", x_real, y_real), second))


def unless_bool(rule: Rule, bool_rule: Rule) -> Rule:
    """Return a rule that is ``bool_rule`` where the operands are bools."""

    def chosen(b: Builder, *operands: SSAValue) -> SSAValue | tuple[SSAValue, ...]:
        return (bool_rule if kind_of(operands[0]) == "b" else rule)(b, *operands)

    return chosen


def unchanged(b: Builder, x: SSAValue) -> SSAValue:
    """Return x itself."""
    return x
