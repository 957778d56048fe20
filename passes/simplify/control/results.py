"""What ops with regions give: what is known without running them, and what is given twice."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import BlockArgument, SSAValue

from ....ir.array.control import ScanOp
from ....ir.builder import Builder
from ....ir.types import dtype_of, shape_of
from ..rules import constant_of
from .draft import ELEMENTS, Draft


def settle_carries(draft: Draft) -> None:
    """Make carries that never change consts, and carry only once what is carried twice."""
    group = draft.shape.carries
    assert group is not None
    for number in reversed(range(draft.carried)):
        (given,) = draft.yields(number)
        start = draft.groups[group][number]
        own = draft.arguments(group, number)[-1]
        if given is own or _are_equal_constants(given, start):
            draft.replace_uses(group, number, draft.add(0, start, start.type))
            draft.drop_result(number, start)
            draft.drop(group, number)
    first: dict[tuple[SSAValue, SSAValue], int] = {}
    keys = [(start, draft.yields(k)[0]) for k, start in enumerate(draft.groups[group])]
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    for number, key in reversed(list(enumerate(keys))):  # merging changes what others yield
        other = first[key]
        if other != number:
            draft.replace_uses(group, number, draft.arguments(group, other))
            draft.merge_result(number, other)
            draft.drop(group, number)


def _are_equal_constants(x: SSAValue, y: SSAValue) -> bool:
    first, second = constant_of(x), constant_of(y)
    return first is not None and first == second


def settle_results(b: Builder, draft: Draft) -> None:
    """Give results that are known beforehand without the op, and equal ones only once."""
    for number in reversed(range(draft.carried, len(draft.results))):
        value = _known(b, draft, draft.yields(number))
        if value is not None:
            draft.drop_result(number, value)
    first: dict[tuple[SSAValue, ...], int] = {}
    for number in range(draft.carried, len(draft.results)):
        first.setdefault(tuple(draft.yields(number)), number)
    for number in reversed(range(draft.carried, len(draft.results))):
        other = first[tuple(draft.yields(number))]
        if other != number:
            draft.merge_result(number, other)


def _known(b: Builder, draft: Draft, yields: Sequence[SSAValue]) -> SSAValue | None:
    """Return what a result is if all blocks yield one operand, or equal constants."""
    constant = constant_of(yields[0])
    if constant is not None:
        if any(constant_of(value) != constant for value in yields[1:]):
            return None
        return _in_each_step(b, draft, b.constant_attribute(constant))
    if not isinstance(yields[0], BlockArgument):
        return None
    place = yields[0].index
    if any(v is not block.args[place] for v, block in zip(yields, draft.yielding)):
        return None
    if place < draft.shape.leading:
        assert isinstance(draft.op, ScanOp)
        return b.iota((draft.op.count,), dtype_of(yields[0]), 0)
    for group in range(draft.shape.first, len(draft.groups)):
        number = place - draft.place(group, 0)
        if 0 <= number < len(draft.groups[group]):
            if group == draft.shape.carries:
                return None
            operand = draft.groups[group][number]
            return operand if group == ELEMENTS else _in_each_step(b, draft, operand)
    return None


def _in_each_step(b: Builder, draft: Draft, value: SSAValue) -> SSAValue:
    """Append what a scan stacks if it stacks the same value in each step."""
    if not isinstance(draft.op, ScanOp):
        return value
    shape = shape_of(value)
    return b.broadcast(value, (draft.op.count, *shape), range(1, 1 + len(shape)))
