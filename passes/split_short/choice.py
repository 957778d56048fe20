"""Which values are better computed by components.

Elementwise ops on arrays of one shape are computed in the same loops, so they are decided about
together: a class of values that elementwise ops connect. One is taken apart if there is a reason
to, some op because of which its last two dimensions cannot be one loop, and if that saves more
than it takes to take apart and to join those of its values that are whole in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Final

from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.reduction import ReduceOp
from ...ir.array.shape import BroadcastOp
from ...ir.kernel.registers import MAX_ELEMENTS
from ...ir.kernel.schedule import SHORT_LOOP
from ...ir.kernel.space import is_elementwise
from ...ir.ops import ops_of
from ...ir.types import shape_of
from ..fusion.cost import flops_of
from .rules import USERS, makes_components

WORK_PER_CROSSING: Final = 2
"""What is computed of each row has to be so much for each array that is taken apart or joined."""

WORK_OF_LONGEST: Final = 6
"""The same for rows of eight, which fill vectors as they are and take the most shuffles."""

REDUCTION_WORK: Final = 4
"""A reduction across the lanes of a vector takes as long as so many additions of vectors."""

MAX_OPS: Final = 512
"""More ops than this on components of one class would take too long to compile."""


def chosen_values(block: Block) -> set[SSAValue]:
    """Return the values of a block to be computed by components."""
    chosen: set[SSAValue] = set()
    seen: set[SSAValue] = set()
    for value in _reasons(block):
        if value not in seen:
            found = _class_of(value)
            seen |= found
            if _is_worthwhile(found):
                chosen |= found
    return chosen


def _reasons(block: Block) -> Iterator[SSAValue]:
    """Yield arrays with a short last dimension that are broadcast to, or reduced."""
    for op in ops_of(block):
        kind = type(op)
        if kind is BroadcastOp and is_short(shape_of(op.results[0])):
            yield op.results[0]
        elif kind is ReduceOp and is_short(shape_of(op.operands[0])):
            yield op.operands[0]


def is_short(shape: tuple[int, ...]) -> bool:
    """Tell whether the last of several dimensions is short, and components are not kept small.

    Small arrays are computed in registers, whatever their shape.
    """
    return len(shape) > 1 and 1 < shape[-1] <= SHORT_LOOP and prod(shape[:-1]) > MAX_ELEMENTS


def _class_of(value: SSAValue) -> set[SSAValue]:
    """Return the values that elementwise ops connect to one."""
    found = {value}
    pending = [value]
    while pending:
        value = pending.pop()
        for op in _neighbours(value):
            for other in (*op.operands, *op.results):
                if other not in found:
                    found.add(other)
                    pending.append(other)
    return found


def _neighbours(value: SSAValue) -> Iterator[Operation]:
    if isinstance(value.owner, Operation) and is_elementwise(type(value.owner)):
        yield value.owner
    for op in users_of(value):
        if is_elementwise(type(op)):
            yield op


def users_of(value: SSAValue) -> Iterable[Operation]:
    """Return the ops that use a value, each once."""
    return dict.fromkeys(use.operation for use in value.uses)


def _is_worthwhile(values: set[SSAValue]) -> bool:
    count = shape_of(next(iter(values)))[-1]
    if count * len(values) > MAX_OPS:
        return False
    crossings = sum(_comes_whole(v) + is_needed_whole(v) for v in values)
    if not crossings:
        return True
    least = WORK_OF_LONGEST if count == SHORT_LOOP else WORK_PER_CROSSING
    return _work(values) >= least * crossings


def _comes_whole(value: SSAValue) -> bool:
    return not (isinstance(value.owner, Operation) and makes_components(value.owner))


def _work(values: set[SSAValue]) -> int:
    """Return how many vectors of a row are computed, a reduction across lanes counted for more."""
    total = 0
    for value in values:
        if isinstance(value.owner, Operation):
            total += flops_of(type(value.owner))
        total += REDUCTION_WORK * sum(type(op) is ReduceOp for op in users_of(value))
    return total


def is_needed_whole(value: SSAValue) -> bool:
    """Tell whether an op needs more of a value than its components."""
    return any(not is_elementwise(type(op)) and type(op) not in USERS for op in users_of(value))
