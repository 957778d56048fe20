"""Computes values at an index: the body of a loop nest, pulled from its results backwards.

A value is asked for at an index, affine in the nest's axes. Values in memory are loaded there,
shape ops pass a changed index on to their operand, elementwise ops compute from their operands at
the same index. What does not depend on the vector axis stays scalar until it meets a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.dialects import arith, vector
from xdsl.dialects.builtin import IntegerAttr, VectorType, i64
from xdsl.ir import Operation, SSAValue

from ...ir.array import indexing as n
from ...ir.array import shape as s
from ...ir.array.reduction import ReduceOp, ReduceWindowOp, windows_of
from ...ir.errors import GradatimError
from ...ir.integer_arrays import dense_i64
from ...ir.kernel.memory import GatherLoadOp, ScatterStoreOp, StridedLoadOp, StridedStoreOp
from ...ir.kernel.space import NO_LOOP, is_numbering, operand_dims
from ...ir.locations import spell_location
from ...ir.types import Shape, dtype_of, element_of, is_splat, row_major, shape_of
from . import elementwise, interleaved, reductions
from .affine import ZERO, Affine, Index, axis_index, combine, linearize
from .loop_builder import INDEX, LoopBuilder, value_type
from .positions import gathered_index, index_in_window, window_index

_BOOL: Final = np.dtype(np.bool_)
_I64: Final = np.dtype(np.int64)
_U64: Final = np.dtype(np.uint64)


class Leaf(NamedTuple):
    """A value in memory: a flat buffer, and the strides of the value's dimensions in it."""

    buffer: SSAValue
    strides: Shape


class Reader:
    """Computes values of one fusion's body at positions of the loops that are open."""

    def __init__(self, builder: LoopBuilder, leaves: dict[SSAValue, Leaf]) -> None:
        self.b = builder
        self.leaves = leaves
        self.scalars: dict[SSAValue, SSAValue] = {}
        self.positions: dict[int, SSAValue | int] = {}
        self.bounds: dict[int, tuple[int, int]] = {}
        self.lane_axes: set[int] = set()
        self.computed_axes: dict[object, int] = {}
        self._numbers: dict[SSAValue, SSAValue] = {}
        self.vector_axis: int | None = None
        self.lanes = 0
        self.mask: SSAValue | None = None
        self.version = 0

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Forget afterwards what was known of values and loops within, as in a branch."""
        outer = self.leaves, self.scalars, self.bounds
        self.leaves, self.scalars, self.bounds = dict(outer[0]), dict(outer[1]), dict(outer[2])
        yield
        self.leaves, self.scalars, self.bounds = outer

    def value(self, v: SSAValue, index: Index) -> SSAValue:
        """Return the value at ``index``, made in this block or an enclosing one."""
        scalar = self.scalars.get(v)
        if scalar is not None:
            return scalar
        return self.shared((v, index), index, lambda: self._compute(v, index))

    def shared(self, key: object, index: Index, make: Callable[[], SSAValue]) -> SSAValue:
        """Return what ``make`` built before for the same key at the same position of the index."""
        if self._moves(index):
            key = (key, self.version, self.mask)
        return self.b.shared(key, make)

    def _moves(self, index: Index) -> bool:
        """Tell whether the index differs between lanes, whose positions change in a block."""
        axis, lanes = self.vector_axis, self.lane_axes
        return any(a == axis or a in lanes for form in index for a, _ in form.terms)

    def _compute(self, v: SSAValue, index: Index) -> SSAValue:
        leaf = self.leaves.get(v)
        if leaf is not None:
            place, dtype = linearize(index, leaf.strides), dtype_of(v)
            if interleaved.is_part(self, leaf, place):
                return interleaved.load(self, leaf, place, dtype)
            return self.load(leaf, place, dtype)
        op = v.owner
        assert isinstance(op, Operation)
        self.b.location = op.location
        rule = INDEX_RULES.get(type(op))
        if rule is not None:
            return rule(self, op, index)
        compute = elementwise.RULES.get(type(op))
        if compute is None:
            raise GradatimError(
                f"{op.name} of {dtype_of(op.operands[0])} cannot be compiled to a loop",
                spell_location(op.location),
            )
        operands = [self.value(operand, index) for operand in op.operands]
        self.b.location = op.location
        return compute(self.b, op, self.promoted(operands))

    def promoted(self, values: Sequence[SSAValue]) -> Sequence[SSAValue]:
        """Return the values as vectors if one of them is a vector."""
        lanes = max(map(elementwise.lanes_of, values))
        return [self.as_vector(value, lanes) for value in values] if lanes else values

    def as_vector(self, value: SSAValue, lanes: int) -> SSAValue:
        """Return a value of ``lanes`` equal lanes, unless it is a vector or none is asked for."""
        if not lanes or isinstance(value.type, VectorType):
            return value
        return self.b.splat(value, lanes)

    # Memory

    def load(self, leaf: Leaf, place: Affine, dtype: np.dtype) -> SSAValue:
        """Load a value whose element is at ``place`` in its buffer."""
        if self.is_scattered(place):
            operands = (leaf.buffer, *self._scattered(place), *self._masks())
            return self.b.append(GatherLoadOp, operands, value_type(dtype, self.lanes))
        step = self.vector_step(place)
        offset = self.b.affine(place, self.positions)
        if step == 0:
            return self.b.load(leaf.buffer, offset, dtype, 0)
        if step == 1 and self.mask is None:
            return self.b.load(leaf.buffer, offset, dtype, self.lanes)
        if step == 1:
            assert self.mask is not None
            return self.b.masked_load(leaf.buffer, offset, self.mask, dtype, self.lanes)
        if step == -1 and self.mask is None:
            return self._load_reversed(leaf, place, dtype)
        operands = (leaf.buffer, offset, *self._masks())
        type_ = value_type(dtype, self.lanes)
        return self.b.append(StridedLoadOp, operands, type_, {"stride": IntegerAttr(step, i64)})

    def store(self, value: SSAValue, leaf: Leaf, place: Affine) -> None:
        """Store a value whose element is at ``place`` in its buffer."""
        if self.is_scattered(place):
            value = self.as_vector(value, self.lanes)
            operands = (value, leaf.buffer, *self._scattered(place), *self._masks())
            self.b.effect(ScatterStoreOp, operands)
            return
        step = self.vector_step(place)
        offset = self.b.affine(place, self.positions)
        if step == 0:
            self.b.store(value, leaf.buffer, offset)
            return
        value = self.as_vector(value, self.lanes)
        if step != 1:
            operands = (value, leaf.buffer, offset, *self._masks())
            self.b.effect(StridedStoreOp, operands, {"stride": IntegerAttr(step, i64)})
        elif self.mask is not None:
            self.b.masked_store(value, leaf.buffer, offset, self.mask)
        else:
            self.b.store(value, leaf.buffer, offset)

    def _masks(self) -> tuple[SSAValue, ...]:
        return () if self.mask is None else (self.mask,)

    def is_scattered(self, form: Affine) -> bool:
        """Tell whether the lanes of a vector are at positions without a common step."""
        return any(axis in self.lane_axes for axis, _ in form.terms)

    def _scattered(self, place: Affine) -> tuple[SSAValue, SSAValue]:
        """Return a scalar offset, and what each lane's position has beyond it."""
        common = tuple(term for term in place.terms if term[0] not in self.lane_axes)
        offset = self.b.affine(Affine(place.constant, common), self.positions)
        return offset, self._by_lane(place)

    def _by_lane(self, form: Affine) -> SSAValue:
        """Return the sum of a form's terms that differ between lanes, without the scalar part."""
        total: SSAValue | None = None
        for axis, coefficient in form.terms:
            if axis in self.lane_axes:
                term = self.positions[axis]
                assert not isinstance(term, int)
                if coefficient != 1:
                    factor = self.b.constant(_I64, self.lanes, coefficient)
                    term = elementwise.make(self.b, arith.MuliOp, term, factor)
                total = (
                    term if total is None else elementwise.make(self.b, arith.AddiOp, total, term)
                )
        assert total is not None
        step = self.vector_step(form)
        if not step:
            return total
        return elementwise.make(
            self.b, arith.AddiOp, total, self.b.lane_numbers(_I64, self.lanes, step)
        )

    def vector_step(self, place: Affine) -> int:
        """Return how far apart in memory the lanes of a vector are; 0 for scalars."""
        if self.vector_axis is None or not self.lanes:
            return 0
        return place.coefficient(self.vector_axis)

    def _load_reversed(self, leaf: Leaf, place: Affine, dtype: np.dtype) -> SSAValue:
        first = self.b.affine(place.shifted(1 - self.lanes), self.positions)
        loaded = self.b.load(leaf.buffer, first, dtype, self.lanes)
        order = dense_i64(range(self.lanes - 1, -1, -1))
        return self.b.append(
            vector.ShuffleOp, (loaded, loaded), value_type(dtype, self.lanes), {"mask": order}
        )

    # Positions

    def position(self, form: Affine, dtype: np.dtype) -> SSAValue:
        """Return an affine form's value as a number, a vector if it moves with the lanes.

        Integers, which wrap, are narrowed before they are vectors.
        """
        if self.is_scattered(form):
            return elementwise.convert(self.b, self._scattered_position(form), _I64, dtype)
        base = self._as_number(self.b.affine(form, self.positions))
        work = dtype if dtype.kind in "iu" else _I64
        base = elementwise.convert(self.b, base, _I64, work)
        step = self.vector_step(form)
        if step:
            steps = self.b.lane_numbers(work, self.lanes, step)
            base = elementwise.make(self.b, arith.AddiOp, self.b.splat(base, self.lanes), steps)
        return elementwise.convert(self.b, base, work, dtype)

    def as_position(self, number: SSAValue) -> SSAValue:
        """Return a 64-bit integer as an index; a vector stays as it is."""
        if elementwise.lanes_of(number):
            return number
        position = self.b.append(arith.IndexCastOp, (number,), INDEX)
        self._numbers[position] = number
        return position

    def _scattered_position(self, form: Affine) -> SSAValue:
        offset, lanes = self._scattered(form)
        if form.constant == 0 and all(axis in self.lane_axes for axis, _ in form.terms):
            return lanes
        first = self.b.splat(self._as_number(offset), self.lanes)
        return elementwise.make(self.b, arith.AddiOp, first, lanes)

    def _as_number(self, position: SSAValue) -> SSAValue:
        if position in self._numbers:
            return self._numbers[position]
        return self.b.append(arith.IndexCastOp, (position,), value_type(_I64, 0))

    def range_of(self, form: Affine) -> tuple[int, int]:
        """Return the least and the greatest position; all of 64 bits if it may wrap around."""
        least, greatest = form.range(self.bounds)
        limits = np.iinfo(_I64)
        if least < limits.min or greatest > limits.max:
            return int(limits.min), int(limits.max)
        return least, greatest

    def within(self, form: Affine, low: int, high: int) -> bool | SSAValue:
        """Tell whether ``low <= form < high``: known, or to be computed for each lane."""
        least, greatest = self.range_of(form)
        if least >= low and greatest < high:
            return True
        if greatest < low or least >= high:
            return False
        place = self.position(form, _I64)
        lanes = elementwise.lanes_of(place)
        if low == 0:  # as unsigned numbers, negative ones are above
            limit = self.b.constant(_I64, lanes, high)
            return elementwise.compare(self.b, "lt", _U64, place, limit)
        above = elementwise.compare(self.b, "ge", _I64, place, self.b.constant(_I64, lanes, low))
        below = elementwise.compare(self.b, "lt", _I64, place, self.b.constant(_I64, lanes, high))
        return elementwise.make(self.b, arith.AndIOp, above, below)

    def choose(
        self,
        conditions: Sequence[bool | SSAValue],
        inside: Callable[[], SSAValue],
        outside: Callable[[], SSAValue],
    ) -> SSAValue:
        """Return ``inside`` where all conditions hold, else ``outside``, each read only there."""
        if any(condition is False for condition in conditions):
            return outside()
        unknown = [c for c in conditions if not isinstance(c, bool)]
        for_all = [c for c in unknown if not elementwise.lanes_of(c)]
        if for_all:  # first, since what does not move with the lanes is read without a mask
            by_lane = [c for c in unknown if elementwise.lanes_of(c)]
            return self._branch(
                self.all(for_all), lambda: self.choose(by_lane, inside, outside), outside
            )
        if not unknown:
            return inside()
        condition = self.all(unknown)
        lanes = elementwise.lanes_of(condition)
        with self._masked(condition):
            chosen = self.as_vector(inside(), lanes)
        every = self.b.constant(_BOOL, lanes, True)
        with self._masked(elementwise.make(self.b, arith.XOrIOp, condition, every)):
            rest = self.as_vector(outside(), lanes)
        return elementwise.select(self.b, condition, chosen, rest)

    def where(self, conditions: Sequence[bool | SSAValue], effect: Callable[[], None]) -> None:
        """Do something where all conditions hold, in a branch or with lanes masked."""
        if any(condition is False for condition in conditions):
            return
        unknown = [c for c in conditions if not isinstance(c, bool)]
        for_all = [c for c in unknown if not elementwise.lanes_of(c)]
        by_lane = [c for c in unknown if elementwise.lanes_of(c)]
        if for_all:
            with self.b.when(self.all(for_all)):
                self.where(by_lane, effect)
        elif by_lane:
            with self._masked(self.all(by_lane)):
                effect()
        else:
            effect()

    def all(self, conditions: Sequence[SSAValue]) -> SSAValue:
        """Return whether all of some conditions hold."""
        first, *others = conditions
        for other in others:
            first = elementwise.make(self.b, arith.AndIOp, first, other)
        return first

    def _branch(
        self, condition: SSAValue, inside: Callable[[], SSAValue], outside: Callable[[], SSAValue]
    ) -> SSAValue:
        def vectors(make: Callable[[], SSAValue]) -> Callable[[], SSAValue]:
            return lambda: self.as_vector(make(), self.lanes)

        return self.b.branch(condition, vectors(inside), vectors(outside))

    @contextmanager
    def _masked(self, condition: SSAValue) -> Iterator[None]:
        """Read only lanes where the condition holds."""
        before = self.mask
        self.mask = (
            condition
            if before is None
            else elementwise.make(self.b, arith.AndIOp, before, condition)
        )
        yield
        self.mask = before


IndexRule: TypeAlias = Callable[[Reader, Operation, Index], SSAValue]


def _constant(reader: Reader, op: Operation, index: Index) -> SSAValue:
    assert isinstance(op, s.ConstantOp)
    assert is_splat(op.value)
    return reader.b.constant(dtype_of(op.result), 0, element_of(op.value))


def _iota(reader: Reader, op: Operation, index: Index) -> SSAValue:
    return reader.position(index[s.dim_of(op.properties)], dtype_of(op.results[0]))


def _broadcast(reader: Reader, op: Operation, index: Index) -> SSAValue:
    dims = s.integers_of(op.properties, "dims")
    return reader.value(op.operands[0], tuple(index[d] for d in dims))


def _transpose(reader: Reader, op: Operation, index: Index) -> SSAValue:
    permutation = s.integers_of(op.properties, "permutation")
    moved = [ZERO] * len(index)
    for d, form in zip(permutation, index):
        moved[d] = form
    return reader.value(op.operands[0], tuple(moved))


def _slice(reader: Reader, op: Operation, index: Index) -> SSAValue:
    starts = s.integers_of(op.properties, "starts")
    strides = s.integers_of(op.properties, "strides")
    moved = (form.scaled(n).shifted(a) for form, a, n in zip(index, starts, strides))
    return reader.value(op.operands[0], tuple(moved))


def _reverse(reader: Reader, op: Operation, index: Index) -> SSAValue:
    dims = s.integers_of(op.properties, "dims")
    shape = shape_of(op.results[0])
    moved = (
        form.scaled(-1).shifted(shape[d] - 1) if d in dims else form for d, form in enumerate(index)
    )
    return reader.value(op.operands[0], tuple(moved))


def _pad(reader: Reader, op: Operation, index: Index) -> SSAValue:
    operand, padding = op.operands
    low = s.integers_of(op.properties, "low")
    moved = tuple(form.shifted(-n) for form, n in zip(index, low))
    conditions = [reader.within(form, 0, n) for form, n in zip(moved, shape_of(operand))]
    return reader.choose(
        conditions, lambda: reader.value(operand, moved), lambda: reader.value(padding, ())
    )


def _concatenate(reader: Reader, op: Operation, index: Index) -> SSAValue:
    dim = s.dim_of(op.properties)

    def piece(number: int, start: int) -> SSAValue:
        operand = op.operands[number]
        size = shape_of(operand)[dim]
        moved = (*index[:dim], index[dim].shifted(-start), *index[dim + 1 :])
        if number == len(op.operands) - 1:
            return reader.value(operand, moved)
        return reader.choose(
            [reader.within(moved[dim], 0, size)],
            lambda: reader.value(operand, moved),
            lambda: piece(number + 1, start + size),
        )

    return piece(0, 0)


def _reshape(reader: Reader, op: Operation, index: Index) -> SSAValue:
    """The operand is in memory, unless the reshape just adds or drops dimensions of size one.

    Memory of one row is not that of the whole operand, so it is read along dimensions if they say
    where its elements are.
    """
    operand = op.operands[0]
    (dims,) = operand_dims(op)
    if dims is not None:
        return reader.value(operand, tuple(ZERO if d == NO_LOOP else index[d] for d in dims))
    place = linearize(index, row_major(shape_of(op.results[0])))
    leaf = reader.leaves.get(operand)
    if leaf is None:
        assert is_numbering(op)
        return reader.value(operand, (place,))
    assert leaf.strides == row_major(shape_of(operand))
    return reader.load(leaf, place, dtype_of(operand))


def _dynamic_slice(reader: Reader, op: Operation, index: Index) -> SSAValue:
    assert isinstance(op, n.DynamicSliceOp)
    shape, sizes = shape_of(op.operand), shape_of(op.result)
    return reader.value(op.operand, window_index(reader, op.starts, shape, index, sizes))


def _dynamic_update_slice(reader: Reader, op: Operation, index: Index) -> SSAValue:
    """The update within its window, and else the operand."""
    assert isinstance(op, n.DynamicUpdateSliceOp)
    sizes = shape_of(op.update)
    within = index_in_window(reader, op.starts, shape_of(op.operand), index, sizes)
    conditions = [reader.within(form, 0, size) for form, size in zip(within, sizes)]
    return reader.choose(
        conditions,
        lambda: reader.value(op.update, within),
        lambda: reader.value(op.operand, index),
    )


def _gather(reader: Reader, op: Operation, index: Index) -> SSAValue:
    assert isinstance(op, n.GatherOp)
    dims, shape = op.dims.data, shape_of(op.operand)
    return reader.value(op.operand, gathered_index(reader, op.indices, dims, shape, index))


def _trivial_reduction(reader: Reader, op: Operation, index: Index) -> SSAValue:
    """A reduction that is read like this runs over dimensions of size one only."""
    dims = s.integers_of(op.properties, "dims")
    kept = iter(index)
    rank = len(shape_of(op.operands[0]))
    return reader.value(
        op.operands[0], tuple(ZERO if d in dims else next(kept) for d in range(rank))
    )


UNROLLED_TAPS: Final = 32
"""A window of at most so many taps needs no loops over them."""

_TAP: Final = 1 << 12
"""The axis along the taps of a window's first dimension; those of the others follow."""


def _reduce_window(reader: Reader, op: Operation, index: Index) -> SSAValue:
    """Combine the taps, unrolled or in loops."""
    assert isinstance(op, ReduceWindowOp)
    windows = windows_of(op.properties)
    index = tuple(f.scaled(w.stride).shifted(-w.low) for f, w in zip(index, windows))
    dtype = dtype_of(op.result)
    neutral = reductions.identity(reader.b, op.kind.data, dtype, reader.lanes)
    if prod(w.size for w in windows) <= UNROLLED_TAPS:
        total = neutral
        for taps in product(*(range(0, w.span, w.dilation) for w in windows)):
            moved = tuple(form.shifted(k) for form, k in zip(index, taps))
            total = _add_tap(reader, op, moved, neutral, total)
        return total
    return _loop_over_taps(reader, op, index, neutral, 0, neutral)


def _loop_over_taps(
    reader: Reader, op: ReduceWindowOp, index: Index, neutral: SSAValue, d: int, total: SSAValue
) -> SSAValue:
    """Combine the taps with a loop for each dimension from ``d`` on."""
    if d == len(index):
        return _add_tap(reader, op, index, neutral, total)
    window, axis = windows_of(op.properties)[d], _TAP + d
    if window.size == 1:
        return _loop_over_taps(reader, op, index, neutral, d + 1, total)
    moved = combine([(index[d], 1), (axis_index(axis), window.dilation)])
    reader.bounds[axis] = (0, window.size)
    with reader.b.loop(0, window.size, 1, [total]) as loop:
        reader.positions[axis] = loop.variable
        rest = (*index[:d], moved, *index[d + 1 :])
        loop.next = [_loop_over_taps(reader, op, rest, neutral, d + 1, loop.carried[0])]
    return loop.results[0]


def _add_tap(
    reader: Reader, op: ReduceWindowOp, index: Index, neutral: SSAValue, total: SSAValue
) -> SSAValue:
    """Combine the total with the element at ``index``, if that is not in the padding."""
    inside = [reader.within(form, 0, n) for form, n in zip(index, shape_of(op.operand))]
    tap = reader.choose(inside, lambda: reader.value(op.operand, index), lambda: neutral)
    tap = reader.as_vector(tap, reader.lanes)
    return reductions.combine(reader.b, op.kind.data, dtype_of(op.operand), total, tap)


INDEX_RULES: Final[dict[type[Operation], IndexRule]] = {
    s.ConstantOp: _constant,
    s.IotaOp: _iota,
    s.BroadcastOp: _broadcast,
    s.TransposeOp: _transpose,
    s.SliceOp: _slice,
    s.ReverseOp: _reverse,
    s.PadOp: _pad,
    s.ConcatenateOp: _concatenate,
    s.ReshapeOp: _reshape,
    n.DynamicSliceOp: _dynamic_slice,
    n.DynamicUpdateSliceOp: _dynamic_update_slice,
    n.GatherOp: _gather,
    ReduceOp: _trivial_reduction,
    ReduceWindowOp: _reduce_window,
}
"""At which index the ops that are not elementwise ask for their operands."""
