"""Which values an integer may have, as far as its operands tell.

Positions are counted from the end where they are negative, moved inside where they are out of
range, and tested where they are written to. Where the range of a position is known, all of that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import indexing as n
from ...ir.array import reduction as r
from ...ir.array import shape as s
from ...ir.array.control import ScanOp
from ...ir.array.shape import dim_of
from ...ir.types import dtype_of, shape_of, to_numpy
from .rules import constant_of

DEPTH: Final = 8
"""How many ops are looked through, one below the other."""

MOST_ELEMENTS: Final = 4096
"""A constant of more elements is not looked at."""


class Range(NamedTuple):
    """The least and the greatest value."""

    low: int
    high: int


def range_of(value: SSAValue, depth: int = DEPTH) -> Range:
    """Return bounds of the elements of an integer array that is not empty."""
    limits = np.iinfo(dtype_of(value))
    widest = Range(int(limits.min), int(limits.max))
    owner = value.owner
    if not isinstance(owner, Operation):
        return _range_of_argument(value) or widest
    rule = _RULES.get(type(owner)) if depth else None
    found = rule(owner, depth - 1) if rule else None
    if found is None or found.low < widest.low or found.high > widest.high:
        return widest  # it may wrap around
    return found


def _range_of_argument(value: SSAValue) -> Range | None:
    """Return the range of a scan's index."""
    block = value.owner
    loop = block.parent_op()
    if not isinstance(loop, ScanOp) or value is not loop.parts.step:
        return None
    return Range(0, max(loop.count - 1, 0))


def _constant(op: Operation, depth: int) -> Range | None:
    attribute = constant_of(op.results[0])
    assert isinstance(attribute, DenseIntOrFPElementsAttr)
    array = to_numpy(attribute)
    if not array.size or len(attribute.data.data) > MOST_ELEMENTS * array.itemsize:
        return None
    return Range(int(array.min()), int(array.max()))


def _iota(op: Operation, depth: int) -> Range:
    return Range(0, max(shape_of(op.results[0])[dim_of(op.properties)] - 1, 0))


def _argreduce(op: Operation, depth: int) -> Range:
    return Range(0, shape_of(op.operands[0])[dim_of(op.properties)] - 1)


def _first(op: Operation, depth: int) -> Range | None:
    """The operand's elements, in other places."""
    return range_of(op.operands[0], depth) if dtype_of(op.operands[0]).kind in "iu" else None


def _joined(op: Operation, depth: int) -> Range:
    """Elements of all operands."""
    ranges = [range_of(v, depth) for v in op.operands if dtype_of(v).kind in "iu"]
    return Range(min(x.low for x in ranges), max(x.high for x in ranges))


def _add(op: Operation, depth: int) -> Range:
    x, y = (range_of(v, depth) for v in op.operands)
    return Range(x.low + y.low, x.high + y.high)


def _sub(op: Operation, depth: int) -> Range:
    x, y = (range_of(v, depth) for v in op.operands)
    return Range(x.low - y.high, x.high - y.low)


def _mul(op: Operation, depth: int) -> Range:
    x, y = (range_of(v, depth) for v in op.operands)
    products = [a * b for a in x for b in y]
    return Range(min(products), max(products))


def _max(op: Operation, depth: int) -> Range:
    x, y = (range_of(v, depth) for v in op.operands)
    return Range(max(x.low, y.low), max(x.high, y.high))


def _min(op: Operation, depth: int) -> Range:
    x, y = (range_of(v, depth) for v in op.operands)
    return Range(min(x.low, y.low), min(x.high, y.high))


def _clamp(op: Operation, depth: int) -> Range:
    """The greatest of the least and x first, as ``max`` and then ``min`` do it."""
    low, x, high = (range_of(v, depth) for v in op.operands)
    return Range(
        min(max(low.low, x.low), high.low),
        min(max(low.high, x.high), high.high),
    )


def _rem(op: Operation, depth: int) -> Range | None:
    """A remainder is smaller than a divisor that is not 0, and has the dividend's sign."""
    x, y = (range_of(v, depth) for v in op.operands)
    if y.low <= 0:
        return None
    largest = y.high - 1
    return Range(max(x.low, -largest) if x.low < 0 else 0, min(max(x.high, 0), largest))


_RULES: Final[dict[type, Callable[[Operation, int], Range | None]]] = {
    s.ConstantOp: _constant,
    s.IotaOp: _iota,
    r.ArgReduceOp: _argreduce,
    **dict.fromkeys((s.BroadcastOp, s.ReshapeOp, s.TransposeOp, s.SliceOp, s.ReverseOp), _first),
    **dict.fromkeys((n.DynamicSliceOp, n.GatherOp, e.ConvertOp), _first),
    **dict.fromkeys((s.ConcatenateOp, s.PadOp, e.SelectOp), _joined),
    e.AddOp: _add,
    e.SubOp: _sub,
    e.MulOp: _mul,
    e.MaxOp: _max,
    e.MinOp: _min,
    e.ClampOp: _clamp,
    e.RemOp: _rem,
}
