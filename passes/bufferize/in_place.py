"""In-place updates: which results of a fusion can be written over which of its operands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.reduction import ReduceOp
from ...ir.kernel.ops import YieldOp
from ...ir.kernel.space import is_elementwise, is_used_within, squeeze
from ...ir.kernel.updates import Update, update_of, updates_in_place
from ...ir.types import shape_of


def choose_in_place(
    block: Block,
    candidates: Iterable[int],
    results: Iterable[int] | None = None,
    preferred: Mapping[int, int] = {},
) -> list[int | None]:
    """Return for each result of a fusion the operand whose memory it is to be written to.

    An update is written over the array that it changes. Any other body must be one loop over all
    elements, as no reduction is waited for. The operand is read
    by elementwise ops of that loop alone, and the result depends on it, so that an element is read
    before it is written, and not read again.

    Args:
        block: the fusion's body.
        candidates: the operands, by position, whose memory is free afterwards.
        results: the results, by position, that are to be written to memory; all by default.
        preferred: the operands that results should take if they can.
    """
    last = block.last_op
    assert isinstance(last, YieldOp)
    arguments = block.args
    update = update_of(block)
    if update is not None:
        return [_updated(update, candidates)]
    free = sum(1 << i for i in candidates if _is_read_in_loop(arguments[i]))
    chosen: list[int | None] = [None] * len(last.operands)
    if not free or not _is_one_loop(block):
        return chosen
    needs = _arguments_needed(block)
    wanted = range(len(chosen)) if results is None else list(results)
    for position in sorted(wanted, key=lambda i: i not in preferred):
        value = last.operands[position]
        alike = [i for i in _bits(needs[value] & free) if arguments[i].type == value.type]
        if alike:
            wish = preferred.get(position)
            operand = chosen[position] = wish if wish in alike else alike[0]
            free ^= 1 << operand
    return chosen


def _updated(op: Update, candidates: Iterable[int]) -> int | None:
    """Return the argument that an op updates, if it can be updated in place."""
    target: Any = op.operands[0]
    number: int = target.index
    if number not in candidates:
        return None

    def evaluated(value: SSAValue) -> Operation | None:
        return value.owner if isinstance(value.owner, Operation) else None

    return number if updates_in_place(op, lambda v: v is target, evaluated) else None


def _bits(number: int) -> Iterator[int]:
    """Yield the positions of the bits that are set, from the lowest on."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _is_read_in_loop(argument: SSAValue) -> bool:
    return all(is_elementwise(type(use.operation)) for use in argument.uses)


def _is_one_loop(block: Block) -> bool:
    """Tell whether all that a body computes is computed at once, element by element.

    Index maps read arguments only, broadcasts what is not computed; reductions end the loop.
    """
    shapes = set()
    for op in block.ops:
        if is_elementwise(type(op)):
            shapes.add(squeeze(shape_of(op.results[0])))
        elif isinstance(op, ReduceOp):
            if is_used_within(op.result, block):
                return False
        elif not isinstance(op, YieldOp) and any(map(_is_computed, op.operands)):
            return False
    return len(shapes) == 1


def _is_computed(value: SSAValue) -> bool:
    owner = value.owner
    return isinstance(owner, Operation) and (
        is_elementwise(type(owner)) or isinstance(owner, ReduceOp)
    )


def _arguments_needed(block: Block) -> dict[SSAValue, int]:
    """Return the arguments that each value depends on, as bits."""
    needs: dict[SSAValue, int] = {a: 1 << a.index for a in block.args}
    for op in block.ops:
        if op.results:
            bits = 0
            for operand in op.operands:
                bits |= needs[operand]
            needs[op.results[0]] = bits
    return needs
