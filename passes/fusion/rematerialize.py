"""Rematerialisation: what is computed again in later groups rather than written and read back.

A value that takes a few cheap operations from one other value, which is in memory anyway, is not
worth a place in memory of its own: a kernel that needs it reads the other value in its stead. The
mask of a ``max`` and the factor ``1 - y * y`` of a ``tanh`` in a gradient are such values.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from xdsl.ir import Operation, SSAValue

from ...ir.array.reduction import ReduceOp
from ...ir.array.shape import ConstantOp
from ...ir.kernel.space import is_elementwise
from .cost import flops_of
from .grouping import Group, Grouping
from .roles import Role

MAX_FLOPS: Final = 3
"""What computing a value again may take for each element, in place of writing and reading it."""


class _Origin(NamedTuple):
    """The one value in memory that a value can be computed from, and the operations it takes."""

    value: SSAValue
    flops: int


def rematerialize(grouping: Grouping) -> None:
    """Drop what is cheap to compute again from the outputs of groups, which come in order."""
    origins: dict[SSAValue, _Origin | None] = {}
    for group in grouping.groups:
        if group.role is Role.LOOP and not group.registers:
            before = len(group.outputs)
            for op, _ in group.placed:
                _consider(op, group, grouping, origins)
            if len(group.outputs) != before:
                _trim(group, grouping)


def _consider(
    op: Operation, group: Group, grouping: Grouping, origins: dict[SSAValue, _Origin | None]
) -> None:
    """Find an op's origin, and drop its result from the group's outputs if it is dispensable."""
    value = op.results[0]
    origin = _origin_of(op, grouping, origins)
    if value in group.outputs:
        if origin is not None and _is_read_by_loops(value, grouping):
            group.outputs.remove(value)
        else:
            origin = _Origin(value, 0)
    origins[value] = origin


def _trim(group: Group, grouping: Grouping) -> None:
    """Take out of a group what its outputs do not need any more."""
    needed = set(group.outputs)
    kept = []
    for op, axes in reversed(group.placed):
        if op.results[0] in needed:
            kept.append((op, axes))
            needed.update([source.value for source in grouping.roles.sources_of(op)])
    group.placed = kept[::-1]


def _origin_of(
    op: Operation, grouping: Grouping, origins: dict[SSAValue, _Origin | None]
) -> _Origin | None:
    """Return what an elementwise op can be computed from, if that is one value and cheap."""
    flops = flops_of(type(op))
    if not is_elementwise(type(op)) or flops > MAX_FLOPS:
        return None
    found: _Origin | None = None
    for operand in dict.fromkeys(op.operands):
        if grouping.roles.is_inline(operand):
            if isinstance(operand.owner, ConstantOp):
                continue
            return None
        origin = origins[operand] if operand in origins else _Origin(operand, 0)
        if origin is None or (found is not None and found.value is not origin.value):
            return None
        found = origin
        flops += origin.flops
    return _Origin(found.value, flops) if found is not None and flops <= MAX_FLOPS else None


def _is_read_by_loops(value: SSAValue, grouping: Grouping) -> bool:
    """Tell whether only loops read the value, each of its elements once."""
    role = grouping.roles.role
    return all(
        role[user] is Role.LOOP and (is_elementwise(type(user)) or type(user) is ReduceOp)
        for user in (use.operation for use in value.uses)
    )
