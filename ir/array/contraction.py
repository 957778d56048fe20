"""Contractions: sums of products over shared dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from ..attributes import IntegersAttr
from ..errors import DtypeError, ShapeError
from ..types import Shape, Tensor, spell, tensor_info, tensor_type
from .base import NUMERIC, ArrayOp, Properties, require_kinds
from .shape import integers_of, require_dims


@irdl_op_definition
class DotGeneralOp(ArrayOp):
    """Multiply along batch dimensions and sum over contracted ones.

    Dimensions of the result: the batch dimensions, the left operand's free ones, the right's.
    """

    name = "array.dot_general"
    KINDS: ClassVar = NUMERIC
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    lhs_batch = prop_def(IntegersAttr)
    rhs_batch = prop_def(IntegersAttr)
    lhs_contract = prop_def(IntegersAttr)
    rhs_contract = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$lhs `,` $rhs `batch` $lhs_batch `x` $rhs_batch `contract` $lhs_contract `x` "
        "$rhs_contract attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the product."""
        require_kinds(cls.name, cls.KINDS, operands)
        (left, dtype), (right, right_dtype) = map(tensor_info, operands)
        if dtype != right_dtype:
            raise DtypeError(f"{cls.name}: {spell(operands[0])} times {spell(operands[1])}")
        left_dims, right_dims = _paired_dims(properties)
        require_dims(cls.name, left_dims, len(left))
        require_dims(cls.name, right_dims, len(right))
        batch = len(integers_of(properties, "lhs_batch"))
        if (
            len(left_dims) != len(right_dims)
            or len(integers_of(properties, "rhs_batch")) != batch
            or any(left[a] != right[b] for a, b in zip(left_dims, right_dims))
        ):
            raise ShapeError(
                f"{cls.name}: sizes differ in {spell(operands[0])} dims {list(left_dims)} "
                f"and {spell(operands[1])} dims {list(right_dims)}"
            )
        sizes = [left[d] for d in left_dims[:batch]]
        sizes += [left[d] for d in free_dims(len(left), left_dims)]
        sizes += [right[d] for d in free_dims(len(right), right_dims)]
        return tensor_type(tuple(sizes), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Contract by einsum."""
        lhs, rhs = operands
        left_dims, right_dims = _paired_dims(self.properties)
        batch = len(self.lhs_batch.data)
        left = list(ascii_letters[: lhs.ndim])
        right = list(ascii_letters[lhs.ndim : lhs.ndim + rhs.ndim])
        for a, b in zip(left_dims, right_dims):
            right[b] = left[a]
        out = [left[d] for d in left_dims[:batch]]
        out += [left[d] for d in free_dims(lhs.ndim, left_dims)]
        out += [right[d] for d in free_dims(rhs.ndim, right_dims)]
        formula = f"{''.join(left)},{''.join(right)}->{''.join(out)}"
        return np.asarray(np.einsum(formula, lhs, rhs, dtype=lhs.dtype))


def _paired_dims(properties: Properties) -> tuple[Shape, Shape]:
    """Return the batch and contracted dimensions of both sides, which pair up."""
    left = integers_of(properties, "lhs_batch") + integers_of(properties, "lhs_contract")
    right = integers_of(properties, "rhs_batch") + integers_of(properties, "rhs_contract")
    return left, right


def free_dims(rank: int, paired: Sequence[int]) -> list[int]:
    """Return the dimensions that are neither batch nor contracted ones."""
    return [d for d in range(rank) if d not in paired]
