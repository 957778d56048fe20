"""Products of some rows by a matrix, in loops: tiles of the result, or sums one by one.

Large ones are functions, which all products of the same sizes and strides in a module call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import numpy as np
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, SSAValue

from ...ir.attributes import ReduceKind
from ...ir.kernel.schedule import Schedule
from ..products import Sizes
from . import reductions
from .affine import ZERO, axis_index
from .library import call_function, erased_type
from .loop_builder import LoopBuilder
from .matrices import COLUMN, DEPTH, ROW, Matrix
from .reader import Reader
from .vectors import Position, place_vector

INLINE_PRODUCTS: Final = 4096
"""Rows that take no more multiplications are computed in place: they are less than a call."""


def steps(
    b: LoopBuilder, start: int, end: int, step: int, emit: Callable[[Position], None]
) -> None:
    """Append a loop, of which one step needs none."""
    if start + step >= end:
        if start < end:
            emit(start)
        return
    with b.loop(start, end, step) as loop:
        emit(loop.variable)


@dataclass(frozen=True)
class RowProduct:
    """Some rows of a product: what they are computed from, and how.

    Attributes:
        dtype: of the elements.
        sizes: of the product.
        schedule: the lanes of a vector, and the vectors of a tile.
        matrices: left, right, and the result.
        count: the rows.
    """

    dtype: np.dtype
    sizes: Sizes
    schedule: Schedule
    matrices: tuple[Matrix, Matrix, Matrix]
    count: int

    def emit(self, reader: Reader, first: Position) -> None:
        """Append what computes the rows from ``first`` on, of the batch at hand."""
        reader.positions[ROW] = first
        if self.count * self.sizes.columns * self.sizes.depth <= INLINE_PRODUCTS:
            _RowLoops(reader, self).emit()
        else:
            self._call(reader)

    def _call(self, reader: Reader) -> None:
        left, right, result = self.matrices
        row = axis_index(ROW)
        places = (left.place(row, ZERO), right.place(ZERO, ZERO), result.place(row, ZERO))
        b = reader.b
        arguments = [
            b.shifted(matrix.buffer, b.affine(place, reader.positions), 1)
            for matrix, place in zip(self.matrices, places)
        ]
        call_function(b, b.symbols.shared(self._key(), partial(self._define, b)), arguments)

    def _key(self) -> object:
        """Return what the code depends on."""
        strides = tuple((matrix.rows, matrix.columns) for matrix in self.matrices)
        how = (self.schedule.vector, self.schedule.unroll)
        return self.dtype, self.count, self.sizes.columns, self.sizes.depth, strides, how

    def _define(self, b: LoopBuilder) -> str:
        """Define the function, and return its name."""
        body = Block(arg_types=[erased_type(matrix.buffer.type) for matrix in self.matrices])
        inner = LoopBuilder(body, b.symbols, b.location)
        left, right, result = (
            matrix._replace(buffer=buffer, batch=())
            for matrix, buffer in zip(self.matrices, body.args)
        )
        reader = Reader(inner, {})
        reader.positions[ROW] = 0
        whole = RowProduct(self.dtype, self.sizes, self.schedule, (left, right, result), self.count)
        _RowLoops(reader, whole).emit()
        inner.effect(ReturnOp, ())
        return b.symbols.define("product", body, b.location)


class _RowLoops:
    """The loops over columns and terms."""

    def __init__(self, reader: Reader, rows: RowProduct) -> None:
        self.b = reader.b
        self.reader = reader
        self.dtype = rows.dtype
        self.sizes = rows.sizes
        self.schedule = rows.schedule
        self.left, self.right, self.result = rows.matrices
        self.count = rows.count

    def emit(self) -> None:
        """Compute the rows of the result, some vectors of columns or a sum at a time."""
        columns, depth = self.sizes.columns, self.sizes.depth
        sums_are_contiguous = self.left.columns == 1 and self.right.rows == 1 and depth > 1
        along = (
            DEPTH if sums_are_contiguous and (columns == 1 or self.right.columns != 1) else COLUMN
        )
        extent = depth if along == DEPTH else columns
        lanes = min(self.schedule.vector, 1 << max(extent - 1, 0).bit_length())
        self.reader.vector_axis = along
        self.reader.lanes = lanes if lanes > 1 else 0
        if along == DEPTH:
            steps(self.b, 0, columns, 1, self._sum_block)
        else:
            self._tiles()

    def _tiles(self) -> None:
        """Compute the rows of the result in tiles.

        The last tile has as many vectors as are left. The last of these may begin earlier, so as to
        end with the columns: some are computed twice.
        """
        columns, lanes = self.sizes.columns, max(self.reader.lanes, 1)
        shifts = range(0, min(self.schedule.unroll * lanes, columns), lanes)
        width = len(shifts) * lanes
        tiled = columns // width * width
        steps(self.b, 0, tiled, width, partial(self._tile, shifts=shifts))
        last = max(columns - lanes, 0) - tiled
        if rest := [min(s, last) for s in shifts if tiled + s < columns]:
            self._tile(tiled, shifts=rest)

    def _tile(self, column: Position, shifts: Sequence[int]) -> None:
        """Compute vectors of columns: for each term, these times a number of each row."""
        b, lanes, columns = self.b, self.reader.lanes, self.sizes.columns
        self.reader.positions[COLUMN] = column
        self.reader.mask = b.mask(b.index(columns), lanes) if columns < lanes else None
        zero = b.constant(self.dtype, lanes, 0)
        with b.loop(0, self.sizes.depth, 1, [zero] * (self.count * len(shifts))) as terms:
            self.reader.positions[DEPTH] = terms.variable
            right = [self._right(shift) for shift in shifts]
            left = [self.reader.as_vector(self._left(i), lanes) for i in range(self.count)]
            pairs = product(left, right)
            terms.next[:] = [self._multiply_add(*f, t) for f, t in zip(pairs, terms.carried)]
        for total, (i, shift) in zip(terms.results, product(range(self.count), shifts)):
            place = self.result.place(axis_index(ROW).shifted(i), axis_index(COLUMN).shifted(shift))
            self.reader.store(total, self.result.leaf, place)
        self.reader.mask = None

    def _sum_block(self, column: Position) -> None:
        """Compute one column of some rows: vectors of terms, whose lanes are added at the end."""
        b, lanes = self.b, self.reader.lanes
        depth, width = self.sizes.depth, max(lanes, 1)
        self.reader.positions[COLUMN] = column
        zero = b.constant(self.dtype, lanes, 0)
        with b.loop(0, depth, width, [zero] * self.count) as terms:
            start, mask = place_vector(
                b, terms.variable, depth, lanes=lanes, step=width, may_overlap=False
            )
            self.reader.positions[DEPTH] = start
            self.reader.mask = mask
            right = self._right()
            for i in range(self.count):
                terms.next[i] = self._multiply_add(self._left(i), right, terms.carried[i])
            self.reader.mask = None
        for i, total in enumerate(terms.results):
            scalar = reductions.combine_lanes(b, ReduceKind.ADD, self.dtype, total)
            place = self.result.place(axis_index(ROW).shifted(i), axis_index(COLUMN))
            b.store(scalar, self.result.buffer, b.affine(place, self.reader.positions))

    def _left(self, row: int) -> SSAValue:
        place = self.left.place(axis_index(ROW).shifted(row), axis_index(DEPTH))
        return self.reader.load(self.left.leaf, place, self.dtype)

    def _right(self, shift: int = 0) -> SSAValue:
        place = self.right.place(axis_index(DEPTH), axis_index(COLUMN).shifted(shift))
        return self.reader.load(self.right.leaf, place, self.dtype)

    def _multiply_add(self, left: SSAValue, right: SSAValue, total: SSAValue) -> SSAValue:
        factors = self.reader.promoted((left, right))
        return reductions.add_product(self.b, self.dtype, total, *factors)
