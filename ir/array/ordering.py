"""Ordering: sorting along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, prop_def, var_operand_def, var_result_def

from ..attributes import DimensionAttr
from ..errors import ShapeError
from ..types import Tensor, shape_of, spell, tensor_type
from .base import ANY, Properties, PureOp, require_kinds
from .shape import dim_of, require_dims


@irdl_op_definition
class SortOp(PureOp):
    """Sort arrays of one shape together, along a dimension, by the first ``keys`` of them.

    The results are the sorted arrays, and the permutation that sorts them: the position along the
    dimension, an i64, that each element comes from. The keys are compared one after the other, as
    NumPy does: NaN come last, complex numbers are compared by their real parts first. Elements
    whose keys are equal keep their order.

    Zeros of both signs are equal. Where keys alone are asked for, neither other arrays nor the
    permutation, it is the compiler's choice which of them come first.
    """

    name = "array.sort"
    KINDS: ClassVar = ANY
    inputs = var_operand_def(TensorType)
    dim = prop_def(DimensionAttr)
    keys = prop_def(IntegerAttr.constr(type=i64))
    outputs = var_result_def(TensorType)
    assembly_format = (
        "$inputs `dim` $dim `keys` $keys attr-dict `:` type($inputs) `->` type($outputs)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the operands' types and that of the permutation."""
        keys = keys_of(properties)
        if not 1 <= keys <= len(operands):
            raise ShapeError(f"{cls.name}: {len(operands)} operands cannot have {keys} keys")
        require_kinds(cls.name, cls.KINDS, operands)
        shape = shape_of(operands[0])
        for other in operands:
            if shape_of(other) != shape:
                raise ShapeError(f"{cls.name}: {spell(operands[0])} with {spell(other)}")
        require_dims(cls.name, (dim_of(properties),), len(shape))
        return (*operands, tensor_type(shape, np.dtype(np.int64)))

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        """Find the permutation as NumPy does, and apply it."""
        dim = dim_of(self.properties)
        keys = operands[: keys_of(self.properties)]
        order = np.lexsort(keys[::-1], axis=dim)
        return (*(np.take_along_axis(x, order, dim) for x in operands), order)

    @property
    def permutation(self) -> SSAValue:
        """The last result: the position along the dimension that each element comes from."""
        return self.results[-1]


def keys_of(properties: Properties) -> int:
    """Return the ``keys`` property: how many of the operands are compared."""
    attribute = properties["keys"]
    assert isinstance(attribute, IntegerAttr)
    return attribute.value.data
