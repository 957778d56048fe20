"""Scalar and vector arithmetic of the loop level that the upstream dialects lack."""

from __future__ import annotations

from typing import ClassVar, Final

from xdsl.dialects.builtin import BoolAttr, StringAttr
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

FUNCTIONS: Final = {
    "digamma": 1,
    "erf_inv": 1,
    "erfc": 1,
    "lgamma": 1,
    "logistic": 1,
    "rem": 2,
}
"""The functions that ``kernel.math`` knows, and how many operands they take."""


@irdl_op_definition
class MathOp(IRDLOperation):
    """A mathematical function without an op of its own in ``math``.

        %y = kernel.math "erfc" %x : vector<8xf64>

    Operands and result are floats, or vectors of floats, of one type.
    """

    name = "kernel.math"
    T: ClassVar = VarConstraint("T", AnyAttr())
    function = prop_def(StringAttr)
    arguments = var_operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$function $arguments attr-dict `:` type($result)"

    def verify_(self) -> None:
        """Check that the function exists and has its operands."""
        name = self.function.data
        if FUNCTIONS.get(name) != len(self.arguments):
            known = ", ".join(f"{f}/{n}" for f, n in FUNCTIONS.items())
            raise VerifyException(f"{self.name}: no {name}/{len(self.arguments)} among {known}")


@irdl_op_definition
class SaturatingConvertOp(IRDLOperation):
    """Conversion of floats to integers that never is undefined.

        %y = kernel.saturating_convert true %x : vector<8xf64> -> vector<8xi32>

    Values round towards zero; those out of range become the nearest integer, and NaN becomes 0.
    """

    name = "kernel.saturating_convert"
    signed = prop_def(BoolAttr)
    operand = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = "$signed $operand attr-dict `:` type($operand) `->` type($result)"
