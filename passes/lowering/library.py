"""Calls of the BLAS, through its C interface (CBLAS), for large matrix products.

Reference: BLAS Technical Forum Standard, 2001, appendix B.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    MemRefType,
    StridedLayoutAttr,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, SSAValue

from .affine import ZERO, Affine
from .matrices import Matrix, Sizes
from .reader import Reader

_ROW_MAJOR, _NO_TRANSPOSE, _TRANSPOSE = 101, 111, 112  # values of CBLAS's enumerations
_LETTER: Final = {4: "s", 8: "d"}
_INT: Final = np.dtype(np.int32)


def multiply(
    reader: Reader, dtype: np.dtype, sizes: Sizes, matrices: tuple[Matrix, Matrix, Matrix]
) -> None:
    """Append the library call that multiplies two matrices, of the batch at hand, into a third."""
    left, right, result = matrices
    call = _Call(reader, dtype)
    if sizes.columns == 1:
        _vector_product(call, sizes.rows, sizes.depth, (left, right, result))
    elif sizes.rows == 1:
        swapped = (_transposed(right), _transposed(left), result)
        _vector_product(call, sizes.columns, sizes.depth, swapped)
    else:
        _matrix_product(call, sizes, matrices)


def _transposed(matrix: Matrix) -> Matrix:
    return matrix._replace(rows=matrix.columns, columns=matrix.rows)


def _matrix_product(call: _Call, sizes: Sizes, matrices: tuple[Matrix, Matrix, Matrix]) -> None:
    """C = A B by ``cblas_?gemm``."""
    left, right, result = matrices
    call.integers(_ROW_MAJOR, _transposition(left), _transposition(right))
    call.integers(sizes.rows, sizes.columns, sizes.depth)
    call.number(1)
    call.matrix(left, sizes.rows, sizes.depth)
    call.matrix(right, sizes.depth, sizes.columns)
    call.number(0)
    call.matrix(result, sizes.rows, sizes.columns)
    call.emit("gemm")


def _vector_product(
    call: _Call, rows: int, depth: int, matrices: tuple[Matrix, Matrix, Matrix]
) -> None:
    """y = A x by ``cblas_?gemv``; x lies along the rows of its matrix."""
    matrix, vector, result = matrices
    transposed = _transposition(matrix) == _TRANSPOSE
    call.integers(_ROW_MAJOR, _transposition(matrix))
    call.integers(*((depth, rows) if transposed else (rows, depth)))
    call.number(1)
    call.matrix(matrix, rows, depth)
    call.pointer(vector)
    call.integers(max(vector.rows, 1))
    call.number(0)
    call.pointer(result)
    call.integers(1)
    call.emit("gemv")


def _transposition(matrix: Matrix) -> int:
    return _NO_TRANSPOSE if matrix.columns == 1 else _TRANSPOSE


class _Call:
    """The arguments of a library call, collected in order."""

    def __init__(self, reader: Reader, dtype: np.dtype) -> None:
        self.reader = reader
        self.b = reader.b
        self.dtype = dtype
        self.arguments: list[SSAValue] = []

    def integers(self, *values: int) -> None:
        self.arguments += [self.b.constant(_INT, 0, value) for value in values]

    def number(self, value: float) -> None:
        self.arguments.append(self.b.constant(self.dtype, 0, value))

    def pointer(self, matrix: Matrix) -> None:
        place = matrix.place(ZERO, ZERO)
        self.arguments.append(self._shifted(matrix.buffer, place))

    def matrix(self, matrix: Matrix, rows: int, columns: int) -> None:
        """Pass a matrix and its leading dimension, which is at least the length of a line."""
        self.pointer(matrix)
        contiguous = matrix.columns == 1
        line = columns if contiguous else rows
        self.integers(max(matrix.rows if contiguous else matrix.columns, line, 1))

    def emit(self, routine: str) -> None:
        name = f"cblas_{_LETTER[self.dtype.itemsize]}{routine}"
        types = [_erased(value) for value in self.arguments]
        self.b.symbols.declare(name, types)
        arguments = [self._erase(value) for value in self.arguments]
        self.b.effect(func.CallOp, arguments, {"callee": SymbolRefAttr(name)})

    def _shifted(self, buffer: SSAValue, place: Affine) -> SSAValue:
        """Return the memory from ``place`` on."""
        if place == ZERO:
            return buffer
        return self.b.shifted(buffer, self.b.affine(place, self.reader.positions), 1)

    def _erase(self, value: SSAValue) -> SSAValue:
        """Pass memory of any size and offset as the type that the declaration has."""
        target = _erased(value)
        if value.type == target:
            return value
        return self.b.append(memref.CastOp, (value,), target)


def _erased(value: SSAValue) -> Attribute:
    if not isinstance(value.type, MemRefType):
        return value.type
    layout = StridedLayoutAttr([1], None)
    return MemRefType(value.type.element_type, [DYNAMIC_INDEX], layout)
