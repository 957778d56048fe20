"""Positions computed at run time, as affine forms.

What an integer value is at an index can often be told in terms of loops: an iota along one of them,
sums and multiples of such. The rest, an index that was loaded say, is an axis of its own, whose
position is what was computed: one number, or one for each lane where it differs between lanes. So a
slice at a computed position is read in whole vectors, and only what is scattered lane by lane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from xdsl.dialects import arith
from xdsl.ir import Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import shape as s
from ...ir.kernel.space import NO_LOOP, operand_dims
from ...ir.types import dtype_of, element_of, is_splat, shape_of
from . import elementwise
from .affine import ZERO, Affine, Index, axis_index, combine

if TYPE_CHECKING:
    from .reader import Reader

COMPUTED: Final = 1 << 13
"""The first axis of a position that is computed."""

_I64: Final = np.dtype(np.int64)

Bounds: TypeAlias = tuple[int, int]
"""The least value, and one more than the greatest."""


def form_of(reader: Reader, v: SSAValue, index: Index) -> Affine:
    """Return an integer value's element at ``index`` as an affine form."""
    form = None
    if v not in reader.leaves and v not in reader.scalars:
        rule = _FORMS.get(type(v.owner))
        form = rule(reader, v.owner, index) if rule else None  # type: ignore[arg-type]
        if form is not None and not _fits(reader, form, dtype_of(v)):
            form = None  # it would wrap around
    return _computed(reader, v, index) if form is None else form


def inside(reader: Reader, v: SSAValue, index: Index, size: int) -> Affine:
    """Return a position moved into ``0 <= position < size`` if it may be out of that range."""
    form = form_of(reader, v, index)
    low, high = reader.range_of(form)
    if low >= 0 and high < size:
        return form

    def moved() -> SSAValue:
        value = reader.position(form, _I64)
        lanes = elementwise.lanes_of(value)
        if low < 0:
            least = reader.b.constant(_I64, lanes, 0)
            value = elementwise.make(reader.b, arith.MaxSIOp, value, least)
        if high >= size:
            greatest = reader.b.constant(_I64, lanes, size - 1)
            value = elementwise.make(reader.b, arith.MinSIOp, value, greatest)
        return reader.as_position(value)

    key = ("inside", v, index, size)
    return _axis(reader, key, reader.shared(key, index, moved), (0, size))


def _computed(reader: Reader, v: SSAValue, index: Index) -> Affine:
    """Return the axis whose position is a value that was computed."""
    dtype = dtype_of(v)

    def position() -> SSAValue:
        value = reader.value(v, index)
        return reader.as_position(elementwise.convert(reader.b, value, dtype, _I64))

    limits = np.iinfo(dtype)
    bounds = _known_bounds(v) or (int(limits.min), int(limits.max) + 1)
    key = ("position", v, index)
    return _axis(reader, key, reader.shared(key, index, position), bounds)


def _axis(reader: Reader, key: object, position: SSAValue, bounds: Bounds) -> Affine:
    axis = reader.computed_axes.setdefault(key, COMPUTED + len(reader.computed_axes))
    reader.positions[axis] = position
    reader.bounds[axis] = bounds
    if elementwise.lanes_of(position):
        reader.lane_axes.add(axis)
    else:
        reader.lane_axes.discard(axis)
    return axis_index(axis)


def _known_bounds(v: SSAValue) -> Bounds | None:
    """Return the bounds of what is clamped to constants."""
    op = v.owner
    if not isinstance(op, e.ClampOp):
        return None
    low, high = constant_of(op.operands[0]), constant_of(op.operands[2])
    if low is None or high is None or low > high:
        return None
    return low, high + 1


def constant_of(v: SSAValue) -> int | None:
    """Return the element of a constant whose elements all are the same."""
    op = v.owner
    if not isinstance(op, s.ConstantOp) or not is_splat(op.value):
        return None
    return int(element_of(op.value))


def _fits(reader: Reader, form: Affine, dtype: np.dtype) -> bool:
    """Tell whether a dtype holds all values of a form; forms wrap around as 64-bit integers do."""
    if dtype == _I64:
        return True
    low, high = form.range(reader.bounds)
    limits = np.iinfo(dtype)
    return bool(low >= limits.min and high <= limits.max)


# What the ops that make positions do to forms

_Form: TypeAlias = "Callable[[Reader, Operation, Index], Affine | None]"


def _constant(reader: Reader, op: Operation, index: Index) -> Affine | None:
    value = constant_of(op.results[0])
    return None if value is None else Affine(value)


def _iota(reader: Reader, op: Operation, index: Index) -> Affine:
    return index[s.dim_of(op.properties)]


def _broadcast(reader: Reader, op: Operation, index: Index) -> Affine:
    dims = s.integers_of(op.properties, "dims")
    return form_of(reader, op.operands[0], tuple(index[d] for d in dims))


def _reshape(reader: Reader, op: Operation, index: Index) -> Affine | None:
    """A reshape that adds or drops dimensions of size one."""
    operand, (dims,) = op.operands[0], operand_dims(op)
    if operand in reader.leaves or dims is None:
        return None
    return form_of(reader, operand, tuple(ZERO if d == NO_LOOP else index[d] for d in dims))


def _add(reader: Reader, op: Operation, index: Index) -> Affine:
    return combine([(form_of(reader, v, index), 1) for v in op.operands])


def _sub(reader: Reader, op: Operation, index: Index) -> Affine:
    return combine(zip((form_of(reader, v, index) for v in op.operands), (1, -1)))


def _mul(reader: Reader, op: Operation, index: Index) -> Affine | None:
    """A multiple by a constant."""
    forms = [form_of(reader, v, index) for v in op.operands]
    for form, factor in (forms, forms[::-1]):
        if not factor.terms:
            return form.scaled(factor.constant)
    return None


def _convert(reader: Reader, op: Operation, index: Index) -> Affine | None:
    if dtype_of(op.operands[0]).kind not in "iu":
        return None
    form = form_of(reader, op.operands[0], index)
    low, high = form.range(reader.bounds)
    limits = np.iinfo(dtype_of(op.results[0]))
    return form if low >= limits.min and high <= limits.max else None


def _clamp(reader: Reader, op: Operation, index: Index) -> Affine | None:
    """What is within the limits anyway."""
    bounds = _known_bounds(op.results[0])
    form = form_of(reader, op.operands[1], index)
    if bounds is None:
        return None
    low, high = reader.range_of(form)
    return form if bounds[0] <= low and high < bounds[1] else None


_FORMS: Final[dict[type, _Form]] = {
    s.ConstantOp: _constant,
    s.IotaOp: _iota,
    s.BroadcastOp: _broadcast,
    s.ReshapeOp: _reshape,
    e.AddOp: _add,
    e.SubOp: _sub,
    e.MulOp: _mul,
    e.ConvertOp: _convert,
    e.ClampOp: _clamp,
}


# Where windows and indices lead


def window_index(
    reader: Reader,
    starts: Sequence[SSAValue],
    shape: Sequence[int],
    index: Index,
    sizes: Sequence[int],
) -> Index:
    """Return an index of a window as one of the array that it is a part of."""
    places = [inside(reader, v, (), n - m + 1) for v, n, m in zip(starts, shape, sizes)]
    return tuple(combine([(form, 1), (place, 1)]) for form, place in zip(index, places))


def index_in_window(
    reader: Reader,
    starts: Sequence[SSAValue],
    shape: Sequence[int],
    index: Index,
    sizes: Sequence[int],
) -> Index:
    """Return an index of an array as one of a window of it, where it may be out of range."""
    places = [inside(reader, v, (), n - m + 1) for v, n, m in zip(starts, shape, sizes)]
    return tuple(combine([(form, 1), (place, -1)]) for form, place in zip(index, places))


def gathered_index(
    reader: Reader,
    indices: Sequence[SSAValue],
    dims: Sequence[int],
    shape: Sequence[int],
    index: Index,
) -> Index:
    """Return an index of what is gathered as one of the array that it is taken from."""
    rank = len(shape_of(indices[0]))
    forms = {d: inside(reader, v, index[:rank], shape[d]) for v, d in zip(indices, dims)}
    rest = iter(index[rank:])
    return tuple(forms[d] if d in forms else next(rest) for d in range(len(shape)))
