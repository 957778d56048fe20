"""Matrix products: a library call for large ones, register-blocked loops for small ones.

Both see an operand as batches of a matrix with one stride a side. An operand whose dimensions do
not join into such sides is first copied into order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import product
from math import prod
from typing import Final

from xdsl.dialects import arith, memref
from xdsl.ir import SSAValue

from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.attributes import ReduceKind
from ...ir.kernel.ops import FusionOp
from ...ir.types import Shape, dtype_of, row_major, shape_of
from ..products import sizes_of
from . import library, reductions
from .affine import ZERO, axis_index, linearize
from .chunks import Chunks, parallel_chunks, split, unravel, whole
from .loop_builder import INDEX, LoopBuilder
from .matrices import COLUMN, DEPTH, ROW, Matrix, joined_stride
from .nest import NestEmitter, Store
from .reader import Leaf, Reader
from .vectors import Position, place_vector

PANEL_PRODUCTS: Final = 1 << 19
"""The least multiplications of a library call for part of a matrix, some 10 microseconds."""

LOOP_PRODUCTS: Final = 1 << 16
"""The least multiplications of a chunk of rows in loops, some microseconds."""

PANEL_LINES: Final = 192
"""The least lines of such a part. Each call copies the other operand, which takes as long as a few
lines."""

PANEL_MULTIPLE: Final = 16
"""The lines of a part are a multiple of those that the library computes at once."""


class ContractionLowering:
    """Emits the loops, or the library call, of one fusion that is a ``dot_general``."""

    def __init__(self, builder: LoopBuilder, fusion: FusionOp, op: DotGeneralOp) -> None:
        self.b = builder
        self.schedule = fusion.schedule.data
        self.dtype = dtype_of(op.result)
        self.owned: list[SSAValue] = []
        self.reader = Reader(builder, {})
        self.sizes = sizes_of(op)
        buffers: dict[SSAValue, SSAValue] = dict(zip(fusion.body.block.args, fusion.ins))
        left, right = (
            self._matrix(value, buffers[value], batch.data, contract.data)
            for value, batch, contract in (
                (op.lhs, op.lhs_batch, op.lhs_contract),
                (op.rhs, op.rhs_batch, op.rhs_contract),
            )
        )
        self.left = left
        self.right = right._replace(rows=right.columns, columns=right.rows)
        self.results = [self._result(buffer) for buffer in fusion.outs]

    def _result(self, buffer: SSAValue) -> Matrix:
        shape = (*self.sizes.batch, self.sizes.rows, self.sizes.columns)
        flat = self.b.flat(buffer, self.dtype, prod(shape))
        return Matrix(flat, row_major(shape)[:-2], self.sizes.columns, 1)

    def _matrix(self, value: SSAValue, buffer: SSAValue, batch: Shape, contract: Shape) -> Matrix:
        """Return an operand as a matrix of free by contracted dimensions, copied if need be."""
        shape = shape_of(value)
        leaf = Leaf(self.b.flat(buffer, self.dtype, prod(shape)), row_major(shape))
        free = free_dims(len(shape), (*batch, *contract))
        rows, columns = (joined_stride(shape, leaf.strides, dims) for dims in (free, contract))
        if rows is not None and columns is not None and 1 in (rows, columns):
            return Matrix(leaf.buffer, tuple(leaf.strides[d] for d in batch), rows, columns)
        packed = self._packed(value, leaf, (*batch, *free, *contract))
        depth = prod(shape[d] for d in contract)
        return Matrix(packed.buffer, packed.strides[: len(batch)], depth, 1)

    def _packed(self, value: SSAValue, leaf: Leaf, order: Sequence[int]) -> Leaf:
        """Copy an operand so that its dimensions lie in ``order``."""
        shape = shape_of(value)
        sizes = tuple(shape[d] for d in order)
        buffer = self.b.scratch(self.dtype, prod(sizes), self.owned)
        packed = Leaf(buffer, row_major(sizes))
        index = [ZERO] * len(shape)
        for axis, d in enumerate(order):
            index[d] = axis_index(axis)
        self.reader.leaves[value] = leaf
        place = linearize(tuple(map(axis_index, range(len(order)))), packed.strides)
        store = Store(value, tuple(index), packed, place)
        emitter = NestEmitter(
            self.reader, dict(enumerate(sizes)), [store], (), (), self.schedule.vector
        )
        emitter.emit(range(len(order)))
        return packed

    def emit(self) -> None:
        """Emit the loops over batches, with library calls or loops in them."""
        batch, matrix = self._chunks_of_batch(), self._chunks_of_matrix()
        if batch.count > max(matrix.count, 1):
            with (
                parallel_chunks(self.b, batch) as chunk,
                self.b.loop(chunk.start, chunk.end, 1) as loop,
            ):
                positions = unravel(self.b, loop.variable, self.sizes.batch)
                self.reader.positions.update(enumerate(positions))
                self._multiply(whole(matrix.extent))
        else:
            with ExitStack() as loops:
                for axis, extent in enumerate(self.sizes.batch):
                    loop = loops.enter_context(self.b.loop(0, extent, 1))
                    self.reader.positions[axis] = loop.variable
                self._multiply(matrix)
        for buffer in self.owned:
            self.b.effect(memref.DeallocOp, (buffer,))

    # Threads

    def _chunks_of_batch(self) -> Chunks:
        sizes = self.sizes
        count = prod(sizes.batch)
        if not self.schedule.parallel:
            return whole(count)
        return split(count, sizes.rows * sizes.columns * sizes.depth)

    def _chunks_of_matrix(self) -> Chunks:
        """Split the rows of each matrix; for the library, its longer side into panels."""
        rows, columns, depth = self.sizes[1:]
        is_library = self.schedule.library is not None
        height = self.schedule.tile
        extent = max(rows, columns) if is_library else rows // height * height
        if not self.schedule.parallel:
            return whole(extent)
        if not is_library:
            return split(extent, columns * depth, multiple=height, least=LOOP_PRODUCTS)
        panels = 1 << (extent // PANEL_LINES).bit_length() >> 1
        work = min(rows, columns) * depth
        return split(extent, work, multiple=PANEL_MULTIPLE, least=PANEL_PRODUCTS, most=panels)

    def _multiply(self, chunks: Chunks) -> None:
        """Multiply the matrices of the batch at hand."""
        multiply = self._call_library if self.schedule.library is not None else self._loop
        for result in self.results:
            multiply(result, chunks)

    def _call_library(self, result: Matrix, chunks: Chunks) -> None:
        arguments = (self.reader, self.dtype, self.sizes, (self.left, self.right, result))
        if chunks.count <= 1:
            library.multiply(*arguments)
            return
        with parallel_chunks(self.b, chunks) as chunk:
            count = self.b.append(arith.SubiOp, (chunk.end, chunk.start), INDEX)
            if self.sizes.rows >= self.sizes.columns:
                panel = library.Panel(row=chunk.start, rows=count)
            else:
                panel = library.Panel(column=chunk.start, columns=count)
            library.multiply(*arguments, panel)

    # Loops

    def _loop(self, result: Matrix, chunks: Chunks) -> None:
        rows, tiled = self.sizes.rows, chunks.extent
        height = self.schedule.tile
        if chunks.count > 1:
            with (
                parallel_chunks(self.b, chunks) as chunk,
                self.b.loop(chunk.start, chunk.end, height) as loop,
            ):
                self._rows(result, loop.variable, height)
        else:
            self._steps(0, tiled, height, partial(self._rows, result, count=height))
        if rows > tiled:
            self._rows(result, tiled, rows - tiled)

    def _steps(self, start: int, end: int, step: int, emit: Callable[[Position], None]) -> None:
        """Emit a loop, of which one step needs none."""
        if start + step >= end:
            if start < end:
                emit(start)
            return
        with self.b.loop(start, end, step) as loop:
            emit(loop.variable)

    def _rows(self, result: Matrix, first: Position, count: int) -> None:
        """Compute ``count`` rows of the result, some vectors of columns or a sum at a time."""
        self.reader.positions[ROW] = first
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
            self._steps(0, columns, 1, partial(self._sum_block, result, count=count))
        else:
            self._tiles(result, count)

    def _tiles(self, result: Matrix, count: int) -> None:
        """Compute ``count`` rows of the result in tiles.

        The last tile has as many vectors as are left. The last of these may begin earlier, so as to
        end with the columns: some are computed twice.
        """
        columns, lanes = self.sizes.columns, max(self.reader.lanes, 1)
        shifts = range(0, min(self.schedule.unroll * lanes, columns), lanes)
        width = len(shifts) * lanes
        tiled = columns // width * width
        tile = partial(self._tile, result, count=count)
        self._steps(0, tiled, width, partial(tile, shifts=shifts))
        last = max(columns - lanes, 0) - tiled
        if rest := [min(s, last) for s in shifts if tiled + s < columns]:
            tile(tiled, shifts=rest)

    def _tile(self, result: Matrix, column: Position, count: int, shifts: Sequence[int]) -> None:
        """Compute vectors of columns: for each term, these times a number of each row."""
        b, lanes, columns = self.b, self.reader.lanes, self.sizes.columns
        self.reader.positions[COLUMN] = column
        self.reader.mask = b.mask(b.index(columns), lanes) if columns < lanes else None
        zero = b.constant(self.dtype, lanes, 0)
        with b.loop(0, self.sizes.depth, 1, [zero] * (count * len(shifts))) as terms:
            self.reader.positions[DEPTH] = terms.variable
            right = [self._right(shift) for shift in shifts]
            left = [self.reader.as_vector(self._left(i), lanes) for i in range(count)]
            pairs = product(left, right)
            terms.next[:] = [self._multiply_add(*f, t) for f, t in zip(pairs, terms.carried)]
        for total, (i, shift) in zip(terms.results, product(range(count), shifts)):
            place = result.place(axis_index(ROW).shifted(i), axis_index(COLUMN).shifted(shift))
            self.reader.store(total, result.leaf, place)
        self.reader.mask = None

    def _sum_block(self, result: Matrix, column: Position, count: int) -> None:
        """Compute one column of some rows: vectors of terms, whose lanes are added at the end."""
        b, lanes = self.b, self.reader.lanes
        depth, width = self.sizes.depth, max(lanes, 1)
        self.reader.positions[COLUMN] = column
        zero = b.constant(self.dtype, lanes, 0)
        with b.loop(0, depth, width, [zero] * count) as terms:
            start, mask = place_vector(
                b, terms.variable, depth, lanes=lanes, step=width, may_overlap=False
            )
            self.reader.positions[DEPTH] = start
            self.reader.mask = mask
            right = self._right()
            for i in range(count):
                terms.next[i] = self._multiply_add(self._left(i), right, terms.carried[i])
            self.reader.mask = None
        for i, total in enumerate(terms.results):
            scalar = reductions.combine_lanes(b, ReduceKind.ADD, self.dtype, total)
            place = result.place(axis_index(ROW).shifted(i), axis_index(COLUMN))
            b.store(scalar, result.buffer, b.affine(place, self.reader.positions))

    def _left(self, row: int) -> SSAValue:
        place = self.left.place(axis_index(ROW).shifted(row), axis_index(DEPTH))
        return self.reader.load(self.left.leaf, place, self.dtype)

    def _right(self, shift: int = 0) -> SSAValue:
        place = self.right.place(axis_index(DEPTH), axis_index(COLUMN).shifted(shift))
        return self.reader.load(self.right.leaf, place, self.dtype)

    def _multiply_add(self, left: SSAValue, right: SSAValue, total: SSAValue) -> SSAValue:
        factors = self.reader.promoted((left, right))
        return reductions.add_product(self.b, self.dtype, total, *factors)
