"""Copying blocks into blocks, whole or as much as some values need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..ir.array.base import is_array_op
from ..ir.array.effect import has_effect
from ..ir.ops import Environment, append_op, copy_op, ops_of


def mapping(values: Iterable[SSAValue], copies: Iterable[SSAValue]) -> dict[SSAValue, SSAValue]:
    """Return the environment in which some values have these copies, and name arguments by them."""
    environment = dict(zip(values, copies))
    for value, copy in environment.items():
        name_argument(copy, value.name_hint)
    return environment


def name_argument(value: SSAValue, hint: str | None) -> None:
    """Give a block's argument a name if it has none."""
    if isinstance(value, BlockArgument) and value.name_hint is None:
        value.name_hint = hint


def append_copy(block: Block, op: Operation, environment: Environment) -> Operation:
    """Append a copy of ``op`` to ``block`` and note its results in the environment."""
    if is_array_op(op):
        operands = [environment[value] for value in op._operands]
        copy: Operation = op.with_operands(operands)
        for old, new in zip(op.results, copy.results):
            environment[old] = new
            new.name_hint = old.name_hint
    else:
        copy = copy_op(op, environment)
    append_op(block, copy)
    return copy


def append_block(block: Block, body: Block, arguments: Sequence[SSAValue]) -> list[SSAValue]:
    """Append what another block does for these arguments; return what its terminator names."""
    environment = mapping(body.args, arguments)
    terminator = body.last_op
    assert terminator is not None
    for op in body.ops:
        if op is not terminator:
            append_copy(block, op, environment)
    return [environment[value] for value in terminator.operands]


def append_needed(
    block: Block,
    body: Block,
    values: Sequence[SSAValue],
    environment: Environment,
    effects: Sequence[Operation] = (),
) -> list[SSAValue]:
    """Append what computes some values of another block from those that the environment has.

    Returns the copies of ``values``. The environment grows by what is copied. Ops that are among
    ``effects`` are needed for their effects. Loops and branches that are not are run for their
    results only: what is called in them for its effect alone is left out.
    """
    for op in ops_between(body, environment, values, effects):
        copy = append_copy(block, op, environment)
        if op.regions and op not in effects and has_effect(op):
            _drop_effects(copy)
    return [environment[value] for value in values]


def _drop_effects(op: Operation) -> None:
    """Erase what is called in an op's regions for its effect alone."""
    for region in op.regions:
        for block in region.blocks:
            for inner in reversed(tuple(block.ops)):
                if inner.regions:
                    _drop_effects(inner)
                elif has_effect(inner) and not any(r.first_use for r in inner.results):
                    block.erase_op(inner)


class Effects(NamedTuple):
    """The ops with effects of a block in two parts."""

    early: list[Operation]
    """Those that can run before some values are known."""
    late: list[Operation]
    """The others."""


def effects_of(body: Block, late: Iterable[SSAValue]) -> Effects:
    """Return the ops with effects, those that do not need the late values and those that do."""
    ops = [op for op in body.ops if has_effect(op)]
    unknown = dependent_values(body, late) if ops else set()
    return Effects(
        [op for op in ops if unknown.isdisjoint(op._operands)],
        [op for op in ops if not unknown.isdisjoint(op._operands)],
    )


def ops_between(
    body: Block,
    known: Iterable[SSAValue],
    values: Iterable[SSAValue],
    effects: Sequence[Operation] = (),
) -> list[Operation]:
    """Return the ops of a block, in order, that compute ``values`` from what is known.

    With them come the ``effects`` and what they need.
    """
    found = set(known)
    needed = {value for value in values if value not in found}
    ops = []
    for op in reversed(body.ops):
        if not needed.isdisjoint(op.results) or op in effects:
            ops.append(op)
            needed.update(value for value in op._operands if value not in found)
    ops.reverse()
    return ops


def dependent_values(body: Block, roots: Iterable[SSAValue]) -> set[SSAValue]:
    """Return the results of ops of a block that cannot run without some values, with these."""
    found = set(roots)
    for op in ops_of(body):
        if not found.isdisjoint(op._operands):
            found.update(op.results)
    return found
