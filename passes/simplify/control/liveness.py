"""What of an op with regions nothing uses: results, carries, operands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....ir.array.regions import RegionOp, terminator_of
from ...groups import chosen
from .draft import SHAPES, Draft


def shrink(
    op: RegionOp, clean: Callable[[Block], bool], keeps: Callable[[Operation], bool]
) -> bool:
    """Replace an op by one without what nothing uses; tell whether that or its blocks changed.

    Args:
        op: the op, whose users are known.
        clean: erases the dead ops of a block, and tells whether there were any.
        keeps: tells of an op that it must stay, even if its results are not used.
    """
    if type(op) not in SHAPES:
        cleaned = [clean(region.block) for region in op.regions if region.blocks.first]
        return any(cleaned)
    draft = Draft(op)
    results = draft.results
    for number in reversed(range(draft.carried, len(results))):
        if results[number].first_use is None:
            draft.drop_result(number)
    found_dead = _drop_dead_carries(draft, clean, keeps)
    for group in range(draft.shape.first, len(draft.groups)):
        if group != draft.shape.carries:
            for number in reversed(range(len(draft.groups[group]))):
                if not draft.is_used(group, number):
                    draft.drop(group, number)
    if not draft.changed:
        return found_dead
    new, values = draft.finish()
    block = op.parent
    assert block is not None
    block.insert_op_before(new, op)
    for result, value in zip(op.results, values):
        if value is not None:
            result.replace_all_uses_with(value)
    block.erase_op(op)
    return True


def _drop_dead_carries(
    draft: Draft, clean: Callable[[Block], bool], keeps: Callable[[Operation], bool]
) -> bool:
    """Drop the carries that neither a result, nor a condition, nor another live carry needs.

    Cleans the blocks, and tells whether they had dead ops.
    """
    cleaned = [clean(block) for block in draft.blocks]
    while dead := [n for n, lives in enumerate(_live_carries(draft, keeps)) if not lives]:
        for number in reversed(dead):
            draft.drop_result(number)
        cleaned += [clean(block) for block in draft.blocks]
        for number in reversed(dead):
            assert draft.shape.carries is not None
            draft.drop(draft.shape.carries, number)
    return any(cleaned)


def _live_carries(draft: Draft, keeps: Callable[[Operation], bool]) -> list[bool]:
    live = [result.first_use is not None for result in draft.results[: draft.carried]]
    while not all(live):
        needed = set[SSAValue]()
        for block in draft.blocks:
            yields: Sequence[SSAValue] = terminator_of(block).operands
            if block in draft.yielding:
                yields = [*chosen(yields, live), *yields[len(live) :]]
            needed |= _needed_values(block, yields, keeps)
        grown = [
            lives or not needed.isdisjoint(draft.arguments(draft.shape.carries or 0, number))
            for number, lives in enumerate(live)
        ]
        if grown == live:
            break
        live = grown
    return live


def _needed_values(
    block: Block, roots: Iterable[SSAValue], keeps: Callable[[Operation], bool]
) -> set[SSAValue]:
    """Return the values that some values of a block, and ops that must stay, are computed from."""
    needed = set(roots)
    for op in reversed(block.ops):
        if op is not block.last_op and (keeps(op) or not needed.isdisjoint(op.results)):
            needed.update(op._operands)
    return needed
