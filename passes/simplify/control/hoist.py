"""What loops need not compute in each step is computed before them.

Which values that is follows from what it costs to compute them and to read them in each step, as a
minimum cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from xdsl.ir import Block, Operation, SSAValue

from ....ir.array.control import TapeNewOp, WhileOp
from ....ir.array.plain import BarrierOp
from ....ir.array.regions import terminator_of
from ....ir.array.shape import BroadcastOp, ConstantOp, IotaOp
from ....ir.ops import ops_of
from ...blocks import dependent_values, ops_between
from ...costs import cost_of_computing, cost_of_reading
from ...partition import Prices, choose_residuals
from .draft import Draft

DEAR: Final = 1_000_000
"""The picoseconds above which an op is not computed before a loop that may take no step."""

_STARTS: Final = (BarrierOp, TapeNewOp)

_STAY: Final = (ConstantOp, IotaOp, BroadcastOp, BarrierOp, TapeNewOp)


def hoist_invariants(
    draft: Draft,
    append: Callable[[Operation, dict[SSAValue, SSAValue]], object],
    is_pure: Callable[[Operation], bool],
    *,
    nested: bool,
) -> None:
    """Compute before a loop what is the same in all steps.

    Args:
        draft: the loop.
        append: appends a copy of an op before the loop and notes its results.
        is_pure: tells whether an op has no effect.
        nested: whether the loop itself is in a region, where it may often take no step.
    """
    for block in draft.blocks:
        cautious = nested and isinstance(draft.op, WhileOp) and block in draft.yielding
        values = _worth_hoisting(draft, block, is_pure, cautious)
        if values:
            _move(draft, block, values, append)


def _worth_hoisting(
    draft: Draft, block: Block, is_pure: Callable[[Operation], bool], cautious: bool
) -> list[SSAValue]:
    consts = len(draft.groups[0])
    leading = draft.shape.leading
    late = [*block.args[:leading], *block.args[leading + consts :]]
    staying = [
        result
        for op in ops_of(block)
        if type(op) in _STARTS or not is_pure(op)
        for result in op.results
    ]
    changing = dependent_values(block, [*late, *staying])
    last = block.last_op
    movable = [
        op
        for op in ops_of(block)
        if op is not last and type(op) not in _STAY and changing.isdisjoint(op.results)
    ]
    if not movable or (cautious and sum(map(cost_of_computing, movable)) > DEAR):
        return []
    prices = Prices(cost_of_reading, cost_of_computing)
    chosen = choose_residuals(block, [*late, *staying], terminator_of(block).operands, prices)
    return [value for value in chosen if isinstance(value.owner, Operation)]


def _move(
    draft: Draft,
    block: Block,
    values: Sequence[SSAValue],
    append: Callable[[Operation, dict[SSAValue, SSAValue]], object],
) -> None:
    consts = len(draft.groups[0])
    places = range(draft.shape.leading, draft.shape.leading + consts)
    environment: dict[SSAValue, SSAValue] = {
        block.args[place]: operand for place, operand in zip(places, draft.groups[0])
    }
    for op in ops_between(block, environment, values):
        append(op, environment)
    number = draft.blocks.index(block)
    for value in values:
        inside = draft.add(0, environment[value], value.type)[number]
        inside.name_hint = value.name_hint
        value.replace_all_uses_with(inside)
