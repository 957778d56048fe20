"""Collectives: what a function that is mapped under a name computes with its other lanes.

`array-vmap` of that name replaces them. Where nothing is mapped under the name, there is one lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
)

from ..attributes import ReduceKind, ReduceKindAttr
from ..errors import GradatimError
from ..types import Tensor, tensor_type
from .base import NUMERIC, Properties, PureOp, require_kinds


@irdl_op_definition
class LaneReduceOp(PureOp):
    """The sum, the largest or the smallest of what all lanes have, element by element."""

    name = "array.lane_reduce"
    KINDS: ClassVar = NUMERIC
    ALLOWED: ClassVar = (ReduceKind.ADD, ReduceKind.MAX, ReduceKind.MIN)
    T: ClassVar = VarConstraint("T", base(TensorType))
    kind = prop_def(ReduceKindAttr)
    axis = prop_def(StringAttr)
    operand = operand_def(T)
    result = result_def(T)
    assembly_format = "$kind $operand `axis` $axis attr-dict `:` type($operand)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        kind = properties["kind"]
        assert isinstance(kind, ReduceKindAttr)
        if kind.data not in cls.ALLOWED:
            raise GradatimError(f"{cls.name}: lanes cannot be reduced by {kind.data}")
        require_kinds(cls.name, "iuf" if kind.data is not ReduceKind.ADD else NUMERIC, operands)
        return operands[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Return the operand: there is one lane."""
        return operands[0]

    def fold_constants(self, operands: Sequence[Attribute | None]) -> None:
        """Return None: there may be lanes to come."""
        return None


@irdl_op_definition
class LaneIndexOp(PureOp):
    """The number of the lane."""

    name = "array.lane_index"
    axis = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "`axis` $axis attr-dict `:` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return a 0-d i64."""
        return tensor_type((), np.dtype(np.int64))

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Return 0: there is one lane."""
        return np.asarray(0, np.int64)
