"""Calls of the BLAS, through its C interface (CBLAS), for large matrix products.

Reference: BLAS Technical Forum Standard, 2001, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from xdsl.dialects import arith, func, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    MemRefType,
    SymbolRefAttr,
)
from xdsl.ir import Attribute, SSAValue

from ...ir.kernel.buffers import part_type
from ..products import Sizes
from .affine import ZERO, Affine
from .loop_builder import LoopBuilder, scalar_type
from .matrices import ROW, Matrix
from .reader import Reader
from .vectors import Position

_ROW_MAJOR, _NO_TRANSPOSE, _TRANSPOSE = 101, 111, 112  # values of CBLAS's enumerations
_LETTER: Final = {4: "s", 8: "d"}
_INT: Final = np.dtype(np.int32)


class Panel(NamedTuple):
    """Part of a result: where its rows and columns begin, and how many they are, if not all."""

    row: Position = 0
    column: Position = 0
    rows: Position | None = None
    columns: Position | None = None


WHOLE: Final = Panel()


def multiply(
    reader: Reader,
    dtype: np.dtype,
    sizes: Sizes,
    matrices: tuple[Matrix, Matrix, Matrix],
    panel: Panel = WHOLE,
) -> None:
    """Append the library call that multiplies two matrices, of the batch at hand, into a third.

    A panel says which part of the third one is computed.
    """
    left, right, result = matrices
    call = _Call(reader, dtype)
    rows = sizes.rows if panel.rows is None else panel.rows
    columns = sizes.columns if panel.columns is None else panel.columns
    left = call.moved(left, panel.row, left.rows)
    right = call.moved(right, panel.column, right.columns)
    result = call.moved(call.moved(result, panel.row, result.rows), panel.column, result.columns)
    if sizes.columns == 1:
        _vector_product(call, rows, sizes, (left, right, result))
    elif sizes.rows == 1:
        swapped = (_transposed(right), _transposed(left), result)
        _vector_product(call, columns, _swapped(sizes), swapped)
    else:
        _matrix_product(call, (rows, columns), sizes, (left, right, result))


def _transposed(matrix: Matrix) -> Matrix:
    return matrix._replace(rows=matrix.columns, columns=matrix.rows)


def _swapped(sizes: Sizes) -> Sizes:
    return sizes._replace(rows=sizes.columns, columns=sizes.rows)


def _matrix_product(
    call: _Call,
    counts: tuple[Position, Position],
    sizes: Sizes,
    matrices: tuple[Matrix, Matrix, Matrix],
) -> None:
    """C = A B by ``cblas_?gemm``, for so many rows and columns of C."""
    left, right, result = matrices
    call.integers(_ROW_MAJOR, _transposition(left), _transposition(right))
    call.integers(*counts, sizes.depth)
    call.number(1)
    call.matrix(left, sizes.rows, sizes.depth)
    call.matrix(right, sizes.depth, sizes.columns)
    call.number(0)
    call.matrix(result, sizes.rows, sizes.columns)
    call.emit("gemm")


def _vector_product(
    call: _Call, count: Position, sizes: Sizes, matrices: tuple[Matrix, Matrix, Matrix]
) -> None:
    """y = A x by ``cblas_?gemv``, for ``count`` elements of y; x lies along its matrix's rows."""
    matrix, vector, result = matrices
    transposed = _transposition(matrix) == _TRANSPOSE
    call.integers(_ROW_MAJOR, _transposition(matrix))
    call.integers(*((sizes.depth, count) if transposed else (count, sizes.depth)))
    call.number(1)
    call.matrix(matrix, sizes.rows, sizes.depth)
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

    def integers(self, *values: Position) -> None:
        self.arguments += map(self._integer, values)

    def _integer(self, value: Position) -> SSAValue:
        if isinstance(value, int):
            return self.b.constant(_INT, 0, value)
        return self.b.append(arith.IndexCastOp, (value,), scalar_type(_INT))

    def moved(self, matrix: Matrix, position: Position, stride: int) -> Matrix:
        """Return the matrix from a position along one of its sides on."""
        if position == 0:
            return matrix
        place = Affine(0, ((ROW, stride),)) if stride else ZERO
        offset = self.b.affine(place, {ROW: position})
        return matrix._replace(buffer=self.b.shifted(matrix.buffer, offset, 1))

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
        call_routine(self.b, f"cblas_{_LETTER[self.dtype.itemsize]}{routine}", self.arguments)

    def _shifted(self, buffer: SSAValue, place: Affine) -> SSAValue:
        """Return the memory from ``place`` on."""
        if place == ZERO:
            return buffer
        return self.b.shifted(buffer, self.b.affine(place, self.reader.positions), 1)


def call_routine(b: LoopBuilder, name: str, arguments: Sequence[SSAValue]) -> None:
    """Append the call of a routine that is resolved at link time, which is declared if need be."""
    b.symbols.declare(name, [erased_type(value.type) for value in arguments])
    call_function(b, name, arguments)


def call_function(b: LoopBuilder, name: str, arguments: Sequence[SSAValue]) -> None:
    """Append the call of a function that takes memory of any size and offset."""
    types = [erased_type(value.type) for value in arguments]
    erased = [
        value if value.type == type_ else b.append(memref.CastOp, (value,), type_)
        for value, type_ in zip(arguments, types)
    ]
    b.effect(func.CallOp, erased, {"callee": SymbolRefAttr(name)})


def erased_type(type_: Attribute) -> Attribute:
    """Return the type of flat memory of any size and offset in place of any other memory's."""
    if not isinstance(type_, MemRefType):
        return type_
    return part_type(type_, (DYNAMIC_INDEX,))
