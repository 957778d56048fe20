"""Kernels without loops: few elements, each in a register, and every op written out.

Elementwise ops take one instruction for each value that holds part of an array. Ops that move
elements make no code: they only say which element is where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from typing import Final, TypeAlias

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation, SSAValue

from ...ir.array import shape as s
from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.array.indexing import DynamicSliceOp, GatherOp
from ...ir.array.reduction import CumulativeOp, ReduceOp, identity_of
from ...ir.attributes import ReduceKind
from ...ir.errors import GradatimError
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.registers import MOVING_OPS, is_small
from ...ir.kernel.space import is_elementwise
from ...ir.locations import spell_location
from ...ir.ops import ops_of
from ...ir.types import dtype_of, row_major, shape_of, to_numpy
from ..fusion.cost import flops_of
from . import elementwise, reductions
from .affine import Affine
from .loop_builder import INDEX, LoopBuilder
from .registers import MIN_VECTOR_SIZE, Element, Held, Parts, Registers, store, widths_of

CALLED_FLOPS: Final = 12
"""Ops that take so long are calls of functions on vectors of the processor's width."""


class RegisterLowering:
    """Emits the straight code of one fusion whose schedule says ``registers``."""

    def __init__(
        self, builder: LoopBuilder, fusion: FusionOp, held: Mapping[SSAValue, Parts]
    ) -> None:
        self.b = builder
        self.fusion = fusion
        self.registers = Registers(builder)
        self.native_bytes = 4 * fusion.schedule.data.vector  # the lanes are of 32-bit elements
        self.values: dict[SSAValue, Held] = {}
        self.buffers: dict[SSAValue, SSAValue] = {}
        for argument, operand in zip(fusion.body.block.args, fusion.ins):
            if isinstance(operand.type, MemRefType):
                self.buffers[argument] = self._flat(operand, argument)
            else:
                self.values[argument] = Held(dtype_of(argument), held[operand])

    def emit(self) -> list[Parts]:
        """Emit everything, and return the parts of each result."""
        terminator = self.fusion.terminator
        for op in ops_of(self.fusion.body.block):
            if op is not terminator:
                self.b.location = op.location
                self.values[op.results[0]] = self._compute(op)
        self.b.location = terminator.location
        count = len(self.fusion.outs)
        yielded = [self.value(v) for v in terminator.operands]
        results = [self.registers.parts(held) for held in yielded[count:]]
        stores = [
            self._pieces(held) for held in yielded[:count]
        ]  # all is read before any is written
        for buffer, value, pieces in zip(self.fusion.outs, terminator.operands, stores):
            flat = self._flat(buffer, value)
            for offset, piece in pieces:
                self.b.store(piece, flat, self.b.index(offset))
        return results

    def _flat(self, buffer: SSAValue, value: SSAValue) -> SSAValue:
        return self.b.flat(buffer, dtype_of(value), prod(shape_of(value)))

    def value(self, v: SSAValue) -> Held:
        """Return what holds a value; an argument in memory is read when it is first used."""
        found = self.values.get(v)
        if found is None:
            offsets = np.arange(prod(shape_of(v)))
            there = self.registers.in_memory(self.buffers[v], offsets, dtype_of(v))
            found = self.values[v] = Held(there.dtype, self.registers.parts(there))
        return found

    def numbers(self, v: SSAValue) -> np.ndarray:
        """Return the numbers of a value's elements."""
        return self.registers.numbers(self.value(v), shape_of(v))

    # Parts of memory

    def scalars(self, v: SSAValue) -> list[SSAValue]:
        """Return the elements of a value as scalars."""
        dtype = dtype_of(v)
        return [self.registers.scalar(int(n), dtype) for n in self.numbers(v).ravel()]

    def position(self, number: SSAValue, last: int) -> SSAValue | int:
        """Return a position that is moved into ``0 <= position <= last``."""
        if last == 0:
            return 0
        known = self.b.known(number)
        if known is not None:
            return min(max(int(known), 0), last)
        dtype = np.dtype(np.int64)
        low, high = (self.b.constant(dtype, 0, n) for n in (0, last))
        moved = elementwise.make(self.b, arith.MaxSIOp, number, low)
        moved = elementwise.make(self.b, arith.MinSIOp, moved, high)
        return self.b.append(arith.IndexCastOp, (moved,), INDEX)

    def part(
        self, v: SSAValue, places: Sequence[tuple[SSAValue | int, int]], offsets: np.ndarray
    ) -> Held:
        """Return the elements at ``offsets`` from a place of a value, given by positions."""
        form = Affine(0, tuple((axis, stride) for axis, (_, stride) in enumerate(places)))
        first = self.b.affine(form, {axis: place for axis, (place, _) in enumerate(places)})
        size = int(offsets.max()) + 1
        buffer = self.b.shifted(self._memory_of(v), first, size)
        return self.registers.in_memory(buffer, offsets, dtype_of(v))

    def _memory_of(self, v: SSAValue) -> SSAValue:
        """Return the memory of a value; what is in registers is put on the stack."""
        found = self.buffers.get(v)
        if found is None:
            parts = self.registers.parts(self.value(v))
            found = self.buffers[v] = self.b.scratch(dtype_of(v), prod(shape_of(v)), [])
            store(self.b, parts, found, v.type)  # type: ignore[arg-type]
        return found

    def _pieces(self, held: Held) -> list[tuple[int, SSAValue]]:
        """Return what to store, and where."""
        registers, dtype = self.registers, held.dtype
        if held.parts is not None:
            widths = widths_of(sum(max(elementwise.lanes_of(p), 1) for p in held.parts))
            offsets = np.cumsum([0, *(max(width, 1) for width in widths)]).tolist()
            return list(zip(offsets, held.parts))
        assert held.numbers is not None
        numbers: list[int] = held.numbers.ravel().tolist()
        pieces: list[tuple[int, SSAValue]] = []
        start = 0
        for width in widths_of(len(numbers)):
            chosen = numbers[start : start + max(width, 1)]
            whole = registers.cheap_vector(chosen, dtype, width) if width else None
            if whole is not None:
                pieces.append((start, whole))
            else:
                pieces += [(start + i, registers.scalar(n, dtype)) for i, n in enumerate(chosen)]
            start += len(chosen)
        return pieces

    def _compute(self, op: Operation) -> Held:
        if is_elementwise(type(op)):
            return self._elementwise(op)
        rule = _RULES.get(type(op))
        if rule is None:
            raise GradatimError(
                f"{op.name} cannot be computed in registers", spell_location(op.location)
            )
        return rule(self, op)

    def _elementwise(self, op: Operation) -> Held:
        compute = elementwise.RULES[type(op)]
        operands = [self.value(v) for v in op._operands]
        is_call = flops_of(type(op)) >= CALLED_FLOPS

        def each(*values: SSAValue) -> SSAValue:
            if is_call:
                return self._call(op, values)
            return compute(self.b, op, values)

        return self.registers.each(each, dtype_of(op.results[0]), *operands)

    def _call(self, op: Operation, values: Sequence[SSAValue]) -> SSAValue:
        """Compute a function on vectors no wider than the processor's."""
        dtype = dtype_of(op.operands[0])
        lanes = elementwise.lanes_of(values[0])
        if lanes * dtype.itemsize <= self.native_bytes or lanes < 2:
            return elementwise.RULES[type(op)](self.b, op, values)
        half = lanes // 2
        shuffle = self.registers.shuffle
        low, high = (
            self._call(op, [shuffle((v, v), range(start, start + half), dtype) for v in values])
            for start in (0, half)
        )
        return shuffle((low, high), range(lanes), dtype_of(op.results[0]))


Rule: TypeAlias = Callable[[RegisterLowering, Operation], Held]


def _move(lowering: RegisterLowering, op: Operation) -> Held:
    """Ops that move elements do to their numbers what they do to them."""
    operands = [lowering.numbers(v) for v in op.operands]
    moved = op.evaluate(*operands)  # type: ignore[attr-defined]
    return Held(dtype_of(op.results[0]), numbers=np.asarray(moved))


def _slice(lowering: RegisterLowering, op: Operation) -> Held:
    """A part of an argument of which only parts are needed is read where it is in memory."""
    assert isinstance(op, s.SliceOp)
    operand = op.operand
    buffer = lowering.buffers.get(operand)
    in_parts = all(isinstance(use.operation, s.SliceOp) for use in operand.uses)
    if buffer is None or (is_small(operand.type) and not in_parts):
        return _move(lowering, op)
    strides = row_major(shape_of(operand))
    first = sum(start * stride for start, stride in zip(op.starts.data, strides))
    steps = [step * stride for step, stride in zip(op.strides.data, strides)]
    offsets = first + _offsets(shape_of(op.result), steps)
    return lowering.registers.in_memory(buffer, offsets, dtype_of(operand))


def _dynamic_slice(lowering: RegisterLowering, op: Operation) -> Held:
    """A window of what is in memory."""
    assert isinstance(op, DynamicSliceOp)
    shape, sizes = shape_of(op.operand), shape_of(op.result)
    strides = row_major(shape)
    places = [
        (lowering.position(lowering.scalars(start)[0], n - m), stride)
        for start, n, m, stride in zip(op.starts, shape, sizes, strides)
    ]
    offsets = _offsets(sizes, strides)
    return lowering.part(op.operand, places, offsets)


def _gather(lowering: RegisterLowering, op: Operation) -> Held:
    """A part of what is in memory for each position."""
    assert isinstance(op, GatherOp)
    shape, dims = shape_of(op.operand), op.dims.data
    strides = row_major(shape)
    rest = [d for d in range(len(shape)) if d not in dims]
    offsets = _offsets([shape[d] for d in rest], [strides[d] for d in rest])
    columns = [lowering.scalars(index) for index in op.indices]
    parts = []
    for row in zip(*columns):
        places = [(lowering.position(i, shape[d] - 1), strides[d]) for i, d in zip(row, dims)]
        held = lowering.part(op.operand, places, offsets)
        parts.append(lowering.registers.numbers(held, offsets.shape))
    return Held(dtype_of(op.result), numbers=np.stack(parts))


def _offsets(sizes: Sequence[int], strides: Sequence[int]) -> np.ndarray:
    """Return where the elements of an array of some strides are."""
    offsets = np.zeros((), np.int64)
    for n, stride in zip(sizes, strides):
        offsets = offsets[..., None] + np.arange(n) * stride
    return offsets


def _constant(lowering: RegisterLowering, op: Operation) -> Held:
    assert isinstance(op, s.ConstantOp)
    return lowering.registers.constant(to_numpy(op.value))


def _iota(lowering: RegisterLowering, op: Operation) -> Held:
    assert isinstance(op, s.IotaOp)
    return lowering.registers.constant(op.evaluate())


def _reduce(lowering: RegisterLowering, op: Operation) -> Held:
    """Add up lanes where the last dimension is reduced and long, else vectors of what is kept."""
    assert isinstance(op, ReduceOp)
    registers, kind, dtype = lowering.registers, op.kind.data, dtype_of(op.result)
    operand = lowering.value(op.operand)
    shape, dims = shape_of(op.operand), op.dims.data
    kept, reduced = prod(shape_of(op.result)), prod(shape[d] for d in dims)
    if not reduced:
        return registers.constant(np.full(kept, identity_of(kind, dtype)))
    if kept == 1:
        return registers.collect(dtype, [registers.total(kind, operand)])
    others = [d for d in range(len(shape)) if d not in dims]
    table = registers.numbers(operand, shape).transpose(*others, *dims).reshape(kept, reduced)
    if dims[-1] == len(shape) - 1 and reduced >= MIN_VECTOR_SIZE:
        rows = (Held(dtype, numbers=row) for row in table)
        return registers.collect(dtype, [registers.total(kind, row) for row in rows])
    columns = [Held(dtype, numbers=column) for column in table.T]
    return reduce(lambda x, y: registers.combine(kind, x, y), columns)


def _cumulative(lowering: RegisterLowering, op: Operation) -> Held:
    """Combine what is beside each other in the dimension, for all others at once."""
    assert isinstance(op, CumulativeOp)
    registers, dtype = lowering.registers, dtype_of(op.result)
    shape, dim = shape_of(op.operand), s.dim_of(op.properties)
    table = np.moveaxis(lowering.numbers(op.operand), dim, 0)
    rest = table.shape[1:]
    order = list(range(shape[dim]))
    if op.reverse is not None:
        order.reverse()
    results = np.empty(table.shape, np.int64)
    total: Held | None = None
    for i in order:
        row = Held(dtype, numbers=table[i].ravel())
        total = row if total is None else registers.combine(op.kind.data, total, row)
        results[i] = registers.numbers(total, rest)
    return Held(dtype, numbers=np.moveaxis(results, 0, dim))


def _dot_general(lowering: RegisterLowering, op: Operation) -> Held:
    """Multiply vectors along the columns or the terms, whichever are more than a few."""
    assert isinstance(op, DotGeneralOp)
    left = _matrix(lowering.numbers(op.lhs), op.lhs_batch.data, op.lhs_contract.data)
    right = _matrix(lowering.numbers(op.rhs), op.rhs_batch.data, op.rhs_contract.data)
    dtype = dtype_of(op.result)
    depth, columns = right.shape[2], right.shape[1]
    registers = lowering.registers
    if not depth:
        return registers.constant(np.zeros(prod(shape_of(op.result)), dtype))
    product = _lane_products if columns < MIN_VECTOR_SIZE <= depth else _row_products
    results = [product(registers, dtype, x, y) for x, y in zip(left, right)]
    return Held(dtype, numbers=np.stack(results) if results else np.empty(0, np.int64))


def _matrix(numbers: np.ndarray, batch: Sequence[int], contract: Sequence[int]) -> np.ndarray:
    """Return elements as batch, free and contracted dimensions."""
    shape = numbers.shape
    free = free_dims(len(shape), (*batch, *contract))
    sizes = [prod(shape[d] for d in dims) for dims in (batch, free, contract)]
    return numbers.transpose(*batch, *free, *contract).reshape(sizes)


def _row_products(
    registers: Registers, dtype: np.dtype, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Return the products of a matrix and a transposed one: sums of multiples of rows."""
    columns = right.shape[0]
    rows = [Held(dtype, numbers=row) for row in right.T]
    results = np.empty((len(left), columns), np.int64)
    for i, factors in enumerate(left):
        total: Held | None = None
        for number, row in zip(factors, rows):
            factor = Held(dtype, numbers=np.full(columns, number))
            total = _add_product(registers, total, factor, row)
        assert total is not None
        results[i] = registers.numbers(total, (columns,))
    return results


def _lane_products(
    registers: Registers, dtype: np.dtype, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Return the products of a matrix and a transposed one: sums of products of rows."""
    columns = [Held(dtype, numbers=column) for column in right]
    results = np.empty((len(left), len(right)), np.int64)
    for i, row in enumerate(left):
        factors = Held(dtype, numbers=row)
        for j, column in enumerate(columns):
            product = _add_product(registers, None, factors, column)
            total = registers.total(ReduceKind.ADD, product)
            results[i, j] = registers.number(Element(total))
    return results


def _add_product(registers: Registers, total: Held | None, left: Held, right: Held) -> Held:
    b, dtype = registers.b, left.dtype
    if total is None:
        return registers.combine(ReduceKind.MUL, left, right)
    return registers.each(
        lambda t, x, y: reductions.add_product(b, dtype, t, x, y), dtype, total, left, right
    )


_RULES: Final[dict[type[Operation], Rule]] = {
    **dict.fromkeys(MOVING_OPS, _move),
    s.SliceOp: _slice,
    DynamicSliceOp: _dynamic_slice,
    GatherOp: _gather,
    s.ConstantOp: _constant,
    s.IotaOp: _iota,
    ReduceOp: _reduce,
    CumulativeOp: _cumulative,
    DotGeneralOp: _dot_general,
}
"""How ops that are not elementwise are computed."""
