"""Ops of the control family that hand on their operands, for the sake of what passes do."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from xdsl.dialects.builtin import FloatAttr, StringAttr, TensorType
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from ..errors import GradatimError
from ..types import shape_of, tensor_type
from .regions import require_types


class PlainOp(IRDLOperation, ABC):
    """Base of the ops of the family without regions: pure, with a rule for their types."""

    traits = traits_def(Pure())

    @abstractmethod
    def require_types(self) -> None:
        """Raise GradatimError unless operands and results fit each other."""

    def verify_(self) -> None:
        """Check the types."""
        try:
            self.require_types()
        except GradatimError as error:
            raise VerifyException(f"{self.name}: {error.message}") from None


@irdl_op_definition
class BarrierOp(PlainOp):
    """The operands, which no pass may look through: what is computed behind it is not merged with
    equal computations before it, nor moved across."""

    name = "array.barrier"
    inputs = var_operand_def()
    results_ = var_result_def()
    assembly_format = "$inputs attr-dict `:` type($inputs) `->` type($results_)"

    def require_types(self) -> None:
        """Raise GradatimError unless results have the operands' types."""
        require_types("results", self.result_types, [value.type for value in self.operands])


@irdl_op_definition
class NameOp(PlainOp):
    """The operand, marked by a name that the policy of a `RematOp` can refer to."""

    name = "array.name"
    label = prop_def(StringAttr)
    operand = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$label $operand attr-dict `:` type($operand) `->` type($result)"

    def require_types(self) -> None:
        """Raise GradatimError unless the result has the operand's type."""
        require_types("results", self.result_types, [self.operand.type])


@irdl_op_definition
class GuardOp(PlainOp):
    """The elements of an array where a mask is set; others are not used, and may be anything.

    It stands before an op that is not finite everywhere. Where that is differentiated, the others
    become ``safe``, a number for which it is, so that zero cotangents stay zero. Else they stay
    as they are.
    """

    name = "array.guard"
    mask = operand_def(TensorType)
    operand = operand_def(TensorType)
    safe = prop_def(FloatAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$mask `,` $operand `else` $safe attr-dict `:` type($mask) `,` type($operand) "
        "`->` type($result)"
    )

    def require_types(self) -> None:
        """Raise GradatimError unless the result has the operand's type, and the mask its shape."""
        mask = tensor_type(shape_of(self.operand), np.dtype(np.bool_))
        require_types("the mask", [self.mask.type], [mask])
        require_types("results", self.result_types, [self.operand.type])
