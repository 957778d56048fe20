"""Copying blocks into blocks, whole or as much as some values need."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence

from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..ir.array.base import ArrayOp
from ..ir.array.effect import has_effect

Environment = MutableMapping[SSAValue, SSAValue]
"""The values of the copy, by those that they are copies of."""


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
    if isinstance(op, ArrayOp):
        operands = [environment[value] for value in op._operands]
        copy: Operation = op.with_operands(operands)
        for old, new in zip(op.results, copy.results):
            environment[old] = new
            new.name_hint = old.name_hint
    else:
        copy = op.clone(environment)  # type: ignore[arg-type]
    block.add_op(copy)
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
    *,
    effects: bool = False,
) -> list[SSAValue]:
    """Append what computes some values of another block from those that the environment has.

    Returns the copies of ``values``. The environment grows by what is copied. Ops with effects are
    needed if ``effects`` says so, whether their results are or not.
    """
    for op in ops_between(body, environment, values, effects=effects):
        append_copy(block, op, environment)
    return [environment[value] for value in values]


def ops_between(
    body: Block, known: Iterable[SSAValue], values: Iterable[SSAValue], *, effects: bool = False
) -> list[Operation]:
    """Return the ops of a block, in order, that compute ``values`` from what is known.

    With ``effects`` also those that have effects, and what they need.
    """
    found = set(known)
    needed = {value for value in values if value not in found}
    ops = []
    for op in reversed(body.ops):
        if not needed.isdisjoint(op.results) or (effects and has_effect(op)):
            ops.append(op)
            needed.update(value for value in op._operands if value not in found)
    ops.reverse()
    return ops


def dependent_values(body: Block, roots: Iterable[SSAValue]) -> set[SSAValue]:
    """Return the results of ops of a block that cannot run without some values, with these."""
    found = set(roots)
    for op in body.ops:
        if not found.isdisjoint(op._operands):
            found.update(op.results)
    return found
