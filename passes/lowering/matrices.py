"""Matrices in memory, as a product sees its operands: batches, rows and columns, with strides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import NamedTuple

from xdsl.ir import SSAValue

from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.types import Shape, shape_of
from .affine import Affine, axis_index, linearize
from .reader import Leaf

ROW, COLUMN, DEPTH = 1 << 20, (1 << 20) + 1, (1 << 20) + 2
"""The axes of a product's rows, columns, and of the sum; smaller ones are batch dimensions."""


class Matrix(NamedTuple):
    """Batches of a matrix in memory: a flat buffer, and the strides of batches, rows, columns."""

    buffer: SSAValue
    batch: Shape
    rows: int
    columns: int

    def place(self, row: Affine, column: Affine) -> Affine:
        """Return where an element of the batch at hand is in the buffer."""
        axes = map(axis_index, range(len(self.batch)))
        return linearize((*axes, row, column), (*self.batch, self.rows, self.columns))

    @property
    def leaf(self) -> Leaf:
        """The matrix as memory to load from."""
        return Leaf(self.buffer, ())


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


def joined_stride(shape: Shape, strides: Shape, dims: Sequence[int]) -> int | None:
    """Return the stride of dimensions that are one in memory, or None."""
    sized = [d for d in dims if shape[d] != 1]
    if not sized:
        return 1
    for outer, inner in pairwise(sized):
        if strides[outer] != shape[inner] * strides[inner]:
            return None
    return strides[sized[-1]]
