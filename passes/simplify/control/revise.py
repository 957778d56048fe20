"""Simplification of an op with regions in the forward walk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from xdsl.ir import Block, Operation, SSAValue

from ....ir.array.control import CaseOp, RematOp, ScanOp, TapePopOp, TapePushOp, WhileOp
from ....ir.array.regions import RegionOp, terminator_of
from ....ir.types import dtype_of, shape_of, tensor_info
from ..dce import is_pure
from ..rewriting import blocks_of
from ..rules import RuleBuilder, splat_of
from .distribute import distribute
from .draft import ELEMENTS, SHAPES, Draft
from .hoist import hoist_invariants
from .operands import merge_equal_operands, sink_elements, sink_operands
from .results import settle_carries, settle_results
from .select import is_small, selected


class Walker(RuleBuilder):
    """A builder that simplifies what it appends, and blocks within."""

    nested: bool
    """Whether the block is in a region."""

    select_branches: bool
    """Whether small branches are all computed, and one selected."""

    def replay(self, op: Operation, environment: dict[SSAValue, SSAValue]) -> None:
        """Append a copy of an op, or what is simpler, and note its results."""
        raise NotImplementedError

    def walk_inner(self, block: Block) -> None:
        """Simplify the ops of a block within."""
        raise NotImplementedError


def revise(b: Walker, op: RegionOp) -> Sequence[SSAValue] | None:
    """Simplify an op with regions, the last op of the block.

    Returns values for its results where the op is replaced, None where it stays.
    """
    rule = _INLINED.get(type(op))
    values = rule(b, op) if rule else None
    if values is not None:
        return values
    if type(op) not in SHAPES:
        for block in blocks_of(op):
            b.walk_inner(block)
        return None
    draft = Draft(op)
    own = draft.shape.first  # the group that is the same in all steps, or all there is
    sink_operands(draft, own)
    if isinstance(op, ScanOp):
        sink_elements(draft)
        merge_equal_operands(draft, ELEMENTS)
    merge_equal_operands(draft, own)
    for block in draft.blocks:
        b.walk_inner(block)
    if isinstance(op, WhileOp) and _never_runs(draft):
        return draft.groups[1]
    if isinstance(op, CaseOp) and b.select_branches and is_small(draft):
        inputs = draft.groups[1]
        branches = [inline_block(b, block, inputs) for block in draft.blocks]
        return selected(b, op.index, branches)
    if draft.shape.carries is not None:
        settle_carries(draft)
    settle_results(b, draft)
    if draft.shape.carries is not None:
        hoist_invariants(draft, b.replay, is_pure, nested=b.nested)
        if isinstance(op, ScanOp):
            distribute(b, draft)
    if not draft.changed:
        return None
    b.waiting = True  # for what has become known in the blocks, or is not used any more
    new, found = draft.finish()
    b.block.add_op(new)
    return [value if value is not None else result for value, result in zip(found, op.results)]


def _never_runs(draft: Draft) -> bool:
    """Tell whether a while's condition is False from the start."""
    holds = splat_of(terminator_of(draft.blocks[0]).operands[0])
    return holds is not None and not holds


def popped(op: TapePopOp) -> Sequence[SSAValue]:
    """Return what a pop gives: what has just been pushed, if that is known."""
    push = op.tape.owner
    return [push.tape, *push.values] if isinstance(push, TapePushOp) else op.results


# Ops that are replaced by what is in their regions


def inline_block(b: Walker, block: Block, arguments: Sequence[SSAValue]) -> list[SSAValue]:
    """Append what a block does, simplified; return what it yields."""
    environment: dict[SSAValue, SSAValue] = dict(zip(block.args, arguments))
    for op in block.ops:
        if op is not block.last_op:
            b.replay(op, environment)
    return [environment[value] for value in terminator_of(block).operands]


def _inline_case(b: Walker, op: CaseOp) -> Sequence[SSAValue] | None:
    """A branch that is known, or the only one, takes the op's place."""
    index = splat_of(op.index)
    if index is None and len(op.regions) > 1:
        return None
    chosen = min(max(int(index or 0), 0), len(op.regions) - 1)
    return inline_block(b, op.regions[chosen].block, op.inputs)


def _inline_scan(b: Walker, op: ScanOp) -> Sequence[SSAValue] | None:
    """A scan of one step is the step; one of no step gives the first carries."""
    consts, carries, elements = op.groups
    if op.count == 0:
        stacked = op.results[len(carries) :]
        return [*carries, *(b.full(*tensor_info(value), 0) for value in stacked)]
    if op.count > 1:
        return None
    step = b.full((), dtype_of(op.parts.step), 0)
    parts = [b.reshape(element, shape_of(element)[1:]) for element in elements]
    values = inline_block(b, op.body.block, [step, *consts, *carries, *parts])
    count = len(carries)
    return [
        *values[:count],
        *(b.reshape(value, (1, *shape_of(value))) for value in values[count:]),
    ]


def _inline_remat(b: Walker, op: RematOp) -> Sequence[SSAValue] | None:
    """A remat of which reverse mode may keep everything is its body."""
    if op.policy.data != "everything":
        return None
    return inline_block(b, op.body.block, op.inputs)


_INLINED: Final[dict[type[RegionOp], Callable[[Walker, Any], Sequence[SSAValue] | None]]] = {
    CaseOp: _inline_case,
    ScanOp: _inline_scan,
    RematOp: _inline_remat,
}
