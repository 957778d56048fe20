"""In-place updates: which results of a fusion can be written over which of its operands."""

from __future__ import annotations

from collections.abc import Container

from xdsl.ir import Block, SSAValue

from ...ir.array.elementwise import ElementwiseOp
from ...ir.array.reduction import ReduceOp
from ...ir.kernel.ops import YieldOp
from ...ir.kernel.space import is_used_within, squeeze
from ...ir.types import shape_of


def operands_to_replace(block: Block, candidates: Container[int]) -> list[list[int]]:
    """Return for each result of a fusion the operands whose memory it may be written to.

    The body must be one loop over all elements, as no reduction is waited for. The operand is read
    by elementwise ops of that loop alone, and the result depends on it, so that an element is read
    before it is written, and not read again.

    Args:
        block: the fusion's body.
        candidates: the operands, by position, whose memory is free afterwards.
    """
    last = block.last_op
    assert isinstance(last, YieldOp)
    arguments = [a for a in block.args if a.index in candidates and _is_read_in_loop(a)]
    if not arguments or not _is_one_loop(block):
        return [[] for _ in last.operands]
    needs = _arguments_needed(block)
    return [
        [a.index for a in arguments if needs[v] >> a.index & 1 and a.type == v.type]
        for v in last.operands
    ]


def _is_read_in_loop(argument: SSAValue) -> bool:
    return all(isinstance(use.operation, ElementwiseOp) for use in argument.uses)


def _is_one_loop(block: Block) -> bool:
    """Tell whether all that a body computes is computed at once, element by element.

    Index maps read arguments only, broadcasts what is not computed; reductions end the loop.
    """
    shapes = set()
    for op in block.ops:
        if isinstance(op, ElementwiseOp):
            shapes.add(squeeze(shape_of(op.results[0])))
        elif isinstance(op, ReduceOp):
            if is_used_within(op.result, block):
                return False
        elif not isinstance(op, YieldOp) and any(map(_is_computed, op.operands)):
            return False
    return len(shapes) == 1


def _is_computed(value: SSAValue) -> bool:
    return isinstance(value.owner, ElementwiseOp | ReduceOp)


def _arguments_needed(block: Block) -> dict[SSAValue, int]:
    """Return the arguments that each value depends on, as bits."""
    needs = {argument: 1 << argument.index for argument in block.args}
    for op in block.ops:
        if op.results:
            bits = 0
            for operand in op.operands:
                bits |= needs[operand]
            needs[op.results[0]] = bits
    return needs
