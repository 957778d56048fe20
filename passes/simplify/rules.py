"""What rewrite rules are and what they are made of.

A rule looks at one op and at the ops that make its operands, and returns a simpler value of the
same meaning, or None. It builds what it needs with the builder it is given, which simplifies that
in turn. Every rule makes the program smaller or moves it towards one form, so rewriting ends.

Rules are exact: bit for bit what the reference semantics gives, the sign and payload of a NaN
apart. Three freedoms that the semantics leaves are used: the order in which a reduction adds up,
which of two zeros is the larger one, and that ``pow`` is accurate to 2 ulp only. Rules that ask
more of numbers look at ``fast``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation, SSAValue

from ...ir.array.base import ArrayOp
from ...ir.array.shape import ConstantOp
from ...ir.attributes import IntegersAttr
from ...ir.builder import Builder
from ...ir.types import dtype_of, element_of, is_splat


class RuleBuilder(Builder):
    """What rules build with.

    ``fast`` allows what is exact for real numbers only: it takes zeros to have no sign and values
    to be finite, and it reassociates.
    """

    fast: bool = False

    waiting: bool = False
    """Whether a rule would have applied if a value had had no other use."""

    def is_used_once(self, inner: Operation) -> bool:
        """Tell whether only one op uses the one result of ``inner``, which then need not be kept.

        Rules ask last, and only where they would otherwise repeat dear work.
        """
        once = inner.results[0].has_one_use()
        self.waiting |= not once
        return once


Rewritten: TypeAlias = SSAValue | Sequence[SSAValue] | None
"""What replaces the one result of an op, or all of its results; None where the op stays."""

Rule: TypeAlias = Callable[[RuleBuilder, Operation], Rewritten]
"""Rewrites an op."""

Composition: TypeAlias = Callable[[RuleBuilder, Operation, Operation], Rewritten]
"""Rewrites an op together with the op that makes one of its operands."""

Scalar: TypeAlias = Any
"""A NumPy scalar; mypy does not know their arithmetic."""

SplatRule: TypeAlias = Callable[[RuleBuilder, Operation, SSAValue, Scalar], SSAValue | None]
"""Rewrites a binary op of a left operand and a constant whose elements all are the same."""

Rules: TypeAlias = Mapping[type[Operation], Sequence[Rule]]
Compositions: TypeAlias = Mapping[tuple[type[Operation], int, type], Composition]
"""By the op, the position of the operand, and the op that makes it."""
SplatRules: TypeAlias = Mapping[type[Operation], SplatRule]


def array_op_type(op: Operation) -> type[ArrayOp]:
    """Return the class of an op of the array dialect."""
    op_type = type(op)
    assert issubclass(op_type, ArrayOp)
    return op_type


def kind_of(value: SSAValue) -> str:
    """Return NumPy's letter for the kind of a value's dtype, one of ``biufc``."""
    return dtype_of(value).kind


def integers_of(op: Operation, name: str) -> tuple[int, ...]:
    """Return the integers of a list property."""
    attribute = op.properties[name]
    assert isinstance(attribute, IntegersAttr)
    return attribute.data


def constant_of(value: SSAValue) -> DenseIntOrFPElementsAttr | None:
    """Return what a value holds if it is a constant."""
    owner = value.owner
    if type(owner) is not ConstantOp:
        return None
    attribute = owner.properties["value"]
    assert isinstance(attribute, DenseIntOrFPElementsAttr)
    return attribute


def splat_of(value: SSAValue) -> Scalar | None:
    """Return the element of a constant whose elements all are the same."""
    attribute = constant_of(value)
    if attribute is None or not is_splat(attribute):
        return None
    return element_of(attribute)[()]
