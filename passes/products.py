"""The sizes of products, seen as batches of products of two matrices."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ..ir.array.contraction import DotGeneralOp, free_dims
from ..ir.types import Shape, shape_of


class Sizes(NamedTuple):
    """The sizes of a product: batches, rows and columns of the result, terms of each sum."""

    batch: Shape
    rows: int
    columns: int
    depth: int


def sizes_of(op: DotGeneralOp) -> Sizes:
    """Return the sizes of a ``dot_general`` as a product of matrices."""
    left, right = shape_of(op.lhs), shape_of(op.rhs)
    left_free = free_dims(len(left), (*op.lhs_batch.data, *op.lhs_contract.data))
    right_free = free_dims(len(right), (*op.rhs_batch.data, *op.rhs_contract.data))
    return Sizes(
        tuple(left[d] for d in op.lhs_batch.data),
        prod(left[d] for d in left_free),
        prod(right[d] for d in right_free),
        prod(left[d] for d in op.lhs_contract.data),
    )
