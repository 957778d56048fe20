"""Scalar and vector arithmetic of the loop level that the upstream dialects lack."""

from __future__ import annotations

from typing import ClassVar, Final

from xdsl.dialects.builtin import StringAttr
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
class CompareOp(IRDLOperation):
    """Comparison of scalars or vectors; ``arith.cmpf`` and ``arith.cmpi`` are for scalars here.

        %c = kernel.compare "olt" %x, %y : vector<8xf64> -> vector<8xi1>

    The predicates are those of ``arith``: ``oeq``, ``olt``, ``une``, ... on floats, ``eq``,
    ``slt``, ``ult``, ... on integers.
    """

    name = "kernel.compare"
    T: ClassVar = VarConstraint("T", AnyAttr())
    predicate = prop_def(StringAttr)
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)"


@irdl_op_definition
class SelectOp(IRDLOperation):
    """Choice by scalar or lane; ``arith.select`` takes a scalar condition only.

    %r = kernel.select %c, %x, %y : vector<8xi1>, vector<8xf64>
    """

    name = "kernel.select"
    T: ClassVar = VarConstraint("T", AnyAttr())
    condition = operand_def(AnyAttr())
    on_true = operand_def(T)
    on_false = operand_def(T)
    result = result_def(T)
    traits = traits_def(Pure())
    assembly_format = (
        "$condition `,` $on_true `,` $on_false attr-dict `:` type($condition) `,` type($on_true)"
    )


@irdl_op_definition
class ThreefryOp(IRDLOperation):
    """Both words that Threefry-2x32 makes of a counter under a key.

        %x, %y = kernel.threefry_2x32 %k0, %k1, %c0, %c1 : vector<16xi32>

    Operands and results are i32 or vectors of i32, of one type; see ``array.threefry_2x32``.
    """

    name = "kernel.threefry_2x32"
    T: ClassVar = VarConstraint("T", AnyAttr())
    upper_key = operand_def(T)
    lower_key = operand_def(T)
    upper_counter = operand_def(T)
    lower_counter = operand_def(T)
    upper = result_def(T)
    lower = result_def(T)
    traits = traits_def(Pure())
    assembly_format = (
        "$upper_key `,` $lower_key `,` $upper_counter `,` $lower_counter attr-dict `:` "
        "type($upper_key)"
    )


CASTS: Final = (
    *("extsi", "extui", "trunci", "extf", "truncf", "sitofp", "uitofp"),
    *("fptosi_sat", "fptoui_sat", "bitcast"),
)
"""The casts that ``kernel.cast`` knows, by their names in ``arith``."""


@irdl_op_definition
class CastOp(IRDLOperation):
    """Conversion of scalars or vectors to another element type.

        %y = kernel.cast "sitofp" %x : vector<8xi64> -> vector<8xf64>

    ``fptosi_sat`` and ``fptoui_sat`` are never undefined: values round towards zero, those out of
    range become the nearest integer, and NaN becomes 0.
    """

    name = "kernel.cast"
    cast = prop_def(StringAttr)
    operand = operand_def(AnyAttr())
    result = result_def(AnyAttr())
    traits = traits_def(Pure())
    assembly_format = "$cast $operand attr-dict `:` type($operand) `->` type($result)"

    def verify_(self) -> None:
        """Check that the cast exists."""
        if self.cast.data not in CASTS:
            raise VerifyException(f"{self.name}: {self.cast.data} is none of {sorted(CASTS)}")
