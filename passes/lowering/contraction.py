"""Matrix products: a library call for large ones, register-blocked loops for small ones.

Both see an operand as batches of a matrix with one stride a side. An operand whose dimensions do
not join into such sides is first copied into order.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from math import prod
from typing import Final

from xdsl.dialects import arith, memref
from xdsl.ir import SSAValue

from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.kernel.ops import FusionOp
from ...ir.types import Shape, dtype_of, row_major, shape_of
from ..products import sizes_of
from . import library
from .affine import ZERO, axis_index, linearize
from .chunks import Chunks, parallel_chunks, split, unravel, whole
from .loop_builder import INDEX, LoopBuilder
from .matrices import Matrix, joined_stride
from .nest import NestEmitter, Store
from .reader import Leaf, Reader
from .tiles import RowProduct, steps
from .vectors import Position

PANEL_PRODUCTS: Final = 1 << 19
"""The least multiplications of a library call for part of a matrix, some 10 microseconds."""

LOOP_PRODUCTS: Final = 1 << 16
"""The least multiplications of a chunk of rows in loops, some microseconds."""

PANEL_LINES: Final = 192
"""The least lines of such a part. Each call copies the other operand, which takes as long as a few
lines."""

HALVED_LINES: Final = 128
"""So many lines are halved: two threads gain more than the tenth that the copy then takes."""

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
        parts = max(extent // PANEL_LINES, 2 if extent >= HALVED_LINES else 1)
        panels = 1 << parts.bit_length() >> 1
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
            steps(self.b, 0, tiled, height, partial(self._rows, result, count=height))
        if rows > tiled:
            self._rows(result, tiled, rows - tiled)

    def _rows(self, result: Matrix, first: Position, count: int) -> None:
        matrices = (self.left, self.right, result)
        product = RowProduct(self.dtype, self.sizes, self.schedule, matrices, count)
        product.emit(self.reader, first)
