"""One forward walk over a block, in which ops stay, vanish or are replaced.

It is what all the simplifying passes share. A block's ops are taken out and put back one by one, so
that a builder that appends to the block builds in front of the ops that are still to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.regions import terminator_of
from ...ir.ops import append_op, take_ops

Visit = Callable[[Operation], Sequence[SSAValue] | None]
"""Looks at an op, whose operands are up to date, and returns the values that replace its results,
or None where the op stays."""


def rewrite_forward(block: Block, visit: Visit) -> None:
    """Show each op of ``block`` to ``visit``, in order, and replace what it wants replaced.

    An op is the last one of the block when ``visit`` sees it; ops that ``visit`` appends stay. Time
    is linear in ops and operands, however often a value is used.
    """
    replaced: dict[SSAValue, SSAValue] = {}
    gone: list[Operation] = []
    for op in take_ops(block):
        if replaced:
            _update_operands(op, replaced)
        append_op(block, op)
        values = visit(op)
        if values is None:
            continue
        for result, value in zip(op.results, values):
            replaced[result] = value
            if value.name_hint is None and result.name_hint is not None:
                value.name_hint = result.name_hint
        block.detach_op(op)
        gone.append(op)
    for op in reversed(gone):
        op.erase()


def opened(body: Block, operands: Sequence[SSAValue], block: Block) -> Sequence[SSAValue]:
    """Move the ops of a region's block to the end of the block around it.

    The operands take the place of its arguments. Returns what it yields.
    """
    terminator = terminator_of(body)
    for argument, operand in zip(body.args, operands):
        if operand.name_hint is None:
            operand.name_hint = argument.name_hint
        argument.replace_all_uses_with(operand)
    for op in list(body.ops):
        if op is not terminator:
            body.detach_op(op)
            append_op(block, op)
    return terminator.operands


def _update_operands(op: Operation, replaced: dict[SSAValue, SSAValue]) -> None:
    operands = op._operands
    for value in operands:
        if value in replaced:
            op.operands = [replaced.get(v, v) for v in operands]
            return


def functions_of(module: ModuleOp) -> Iterator[FuncOp]:
    """Yield the functions of a module that have a body."""
    for op in module.body.block.ops:
        if isinstance(op, FuncOp) and not op.is_declaration:
            yield op


def blocks_of(op: Operation) -> Iterator[Block]:
    """Yield the blocks of an op's regions."""
    for region in op.regions:
        yield from region.blocks
