"""Whether compiled code computes what Python's ints would be.

Python's ints have any size, and dividing them by zero is an error. In compiled code they have 64
bits. This finds the least and greatest values of those that a step computes from its number, and
from variables that are ints of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import shape as s
from ...ir.array.control import CaseOp, ScanOp, WhileOp
from ...ir.array.regions import RegionOp, YieldOp
from ...ir.types import tensor_info
from ..tracer import Tracer


class Interval(NamedTuple):
    """The least and the greatest value of a number."""

    low: int
    high: int

    @property
    def fits(self) -> bool:
        """Whether all values have 64 bits."""
        return self.low >= -(2**63) and self.high < 2**63

    @property
    def has_zero(self) -> bool:
        """Whether 0 is among the values."""
        return self.low <= 0 <= self.high


class Unsafe(Exception):
    """Compiled code might compute something else."""


class Counter(NamedTuple):
    """An int of Python that a loop carries.

    Attributes:
        start: before the loop.
        parameter: in the step.
        left: what the step leaves.
    """

    start: int
    parameter: SSAValue
    left: SSAValue


class Integers:
    """The ints of Python that a step begins with.

    Attributes:
        number: the step's number, a parameter of the block.
        counters: the ints that it carries.
    """

    def __init__(self, number: SSAValue, counters: Sequence[Counter]) -> None:
        self.number = number
        self.counters = counters

    def stay_python(self, block: Block, count: int) -> bool:
        """Tell whether a step computes the same as Python, in each of ``count`` steps."""
        known = {self.number: Interval(0, count - 1)}
        try:
            for counter in self.counters:
                known[counter.parameter] = _range_of(counter, count)
            _follow(block, known)
        except Unsafe:
            return False
        return True


def _range_of(counter: Counter, count: int) -> Interval:
    """Return which values a counter has, if each step adds the same number."""
    step = _added(counter)
    end = counter.start + step * count
    found = Interval(min(counter.start, end), max(counter.start, end))
    if not found.fits:
        raise Unsafe
    return found


def _added(counter: Counter) -> int:
    if counter.left is counter.parameter:
        return 0
    op = counter.left.owner
    if isinstance(op, (e.AddOp, e.SubOp)):
        first, second = op.operands
        if isinstance(op, e.AddOp) and second is counter.parameter:
            first, second = second, first
        step = _constant(second)
        if first is counter.parameter and step is not None:
            return step.low if isinstance(op, e.AddOp) else -step.low
    raise Unsafe


def _constant(value: SSAValue) -> Interval | None:
    """Return the value of a 0-d integer constant."""
    number = _value_of(value)
    if number is None or number.shape or number.dtype.kind not in "iu":
        return None
    return Interval(int(number), int(number))


def _value_of(value: SSAValue) -> np.ndarray | None:
    """Return a constant's value."""
    owner = value.owner
    return np.asarray(owner.evaluate()) if isinstance(owner, s.ConstantOp) else None


def _follow(block: Block, known: dict[SSAValue, Interval]) -> None:
    """Follow the ints through a block; `known` receives what is found."""
    numbers = set(known)  # what is computed from Python's numbers alone, ints or not
    for op in block.ops:
        if isinstance(op, YieldOp) or not any(operand in numbers for operand in op.operands):
            continue
        if isinstance(op, RegionOp):
            _follow_inside(op, known)
            continue
        intervals = [known.get(operand) or _constant(operand) for operand in op.operands]
        from_numbers = all(
            operand in numbers or _value_of(operand) is not None for operand in op.operands
        )
        if isinstance(op, e.ConvertOp):
            _require_convertible(intervals[0], op)
        elif from_numbers and isinstance(op, (e.DivOp, e.RemOp)):
            _require_no_zero(intervals[1])
        if not from_numbers:
            continue
        for result in op.results:
            numbers.add(result)
            if tensor_info(result).dtype.kind in "iu" and not isinstance(op, s.BroadcastOp):
                known[result] = _computed(op, intervals)
            elif isinstance(op, e.ConvertOp) and intervals[0] is not None:
                known[result] = intervals[0]


def _computed(op: Operation, intervals: Sequence[Interval | None]) -> Interval:
    if isinstance(op, (e.ConvertOp, s.ReshapeOp)) and intervals[0] is not None:
        return intervals[0]
    rule = _RULES.get(type(op))
    given = [interval for interval in intervals if interval is not None]
    if rule is None or len(given) < len(intervals) - isinstance(op, e.SelectOp):
        raise Unsafe
    found = rule(*given)
    if not found.fits:
        raise Unsafe
    return found


def _require_no_zero(divisor: Interval | None) -> None:
    if divisor is None or divisor.has_zero:
        raise Unsafe


def _require_convertible(interval: Interval | None, op: Operation) -> None:
    """Raise unless a conversion gives what Python's would."""
    if interval is None:
        return
    dtype = tensor_info(op.results[0]).dtype
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if interval.low < limits.min or interval.high > limits.max:
            raise Unsafe
    elif max(abs(interval.low), abs(interval.high)) > 2**53:
        raise Unsafe


def _follow_inside(op: RegionOp, known: Mapping[SSAValue, Interval]) -> None:
    """Follow the ints into branches, and into loops that do not change them."""
    if any(_is_int(result) for result in op.results) and not isinstance(op, (ScanOp, WhileOp)):
        raise Unsafe  # what a branch gives is not followed
    if isinstance(op, CaseOp):
        for region in op.regions:
            _follow(region.block, _inside(region.block.args, op.groups[1], known))
    elif isinstance(op, ScanOp):
        _require_unknown(op.groups[1], known)
        inside = _inside(op.parts.consts, op.groups[0], known)
        inside[op.parts.step] = Interval(0, max(op.count - 1, 0))
        _follow(op.body.block, inside)
    elif isinstance(op, WhileOp):
        _require_unknown(op.groups[1], known)
        for region in op.regions:
            _follow(region.block, _inside(region.block.args, op.groups[0], known))
    else:
        raise Unsafe


def _inside(
    parameters: Sequence[SSAValue], operands: Sequence[SSAValue], known: Mapping[SSAValue, Interval]
) -> dict[SSAValue, Interval]:
    """Return what is known of a block's parameters, by the operands that they stand for."""
    return {p: known[operand] for p, operand in zip(parameters, operands) if operand in known}


def _require_unknown(carries: Sequence[SSAValue], known: Mapping[SSAValue, Interval]) -> None:
    """Raise if a loop inside carries one of the ints, which may change in each of its steps."""
    if any(carry in known for carry in carries):
        raise Unsafe


def _is_int(value: SSAValue) -> bool:
    info = tensor_info(value)
    return not info.shape and info.dtype == np.int64


def _corners(function: Callable[[int, int], int]) -> Callable[[Interval, Interval], Interval]:
    """Return the rule of an operation that takes its extreme values at extreme operands."""

    def rule(x: Interval, y: Interval) -> Interval:
        values = [function(a, b) for a, b in product(x, y)]
        return Interval(min(values), max(values))

    return rule


def _within(x: Interval, y: Interval) -> Interval:
    """Return the rule of a quotient or remainder, which is no greater than the dividend."""
    greatest = max(abs(x.low), abs(x.high))
    return Interval(-greatest, greatest)


def _hull(x: Interval, y: Interval) -> Interval:
    return Interval(min(x.low, y.low), max(x.high, y.high))


_RULES: Final[dict[type[Operation], Callable[..., Interval]]] = {
    e.AddOp: _corners(lambda a, b: a + b),
    e.SubOp: _corners(lambda a, b: a - b),
    e.MulOp: _corners(lambda a, b: a * b),
    e.MinOp: _corners(min),
    e.MaxOp: _corners(max),
    e.DivOp: _within,
    e.RemOp: _within,
    e.NegOp: lambda x: Interval(-x.high, -x.low),
    e.AbsOp: lambda x: Interval(0, max(abs(x.low), abs(x.high))),
    e.SignOp: lambda x: Interval(-1, 1),
    e.SelectOp: _hull,
}


def counters_of(
    starts: Sequence[Any],
    parameters: Sequence[Tracer],
    left: Sequence[Tracer],
    are_read: Sequence[bool],
) -> list[Counter]:
    """Return the ints of Python among what a loop carries.

    Args:
        starts: the leaves before the loop.
        parameters: what stands for them in a step.
        left: what the step leaves of each.
        are_read: whether a step reads what the last one left.
    """
    return [
        Counter(start, parameter.value, end.value)
        for start, parameter, end, is_read in zip(starts, parameters, left, are_read)
        if type(start) is int and is_read
    ]
