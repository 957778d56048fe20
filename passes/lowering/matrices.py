"""Matrices in memory, as a product sees its operands: batches, rows and columns, with strides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from xdsl.ir import SSAValue

from ...ir.types import Shape
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


def joined_stride(shape: Shape, strides: Shape, dims: Sequence[int]) -> int | None:
    """Return the stride of dimensions that are one in memory, or None."""
    sized = [d for d in dims if shape[d] != 1]
    if not sized:
        return 1
    for outer, inner in pairwise(sized):
        if strides[outer] != shape[inner] * strides[inner]:
            return None
    return strides[sized[-1]]
