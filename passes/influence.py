"""Which values depend on which others, looking into regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ..ir.array.control import CaseOp, CustomDerivativeOp, RematOp, ScanOp, WhileOp
from ..ir.array.plain import BarrierOp
from ..ir.array.regions import terminator_of
from .groups import parts_of

Flags = Sequence[bool]


def influenced_values(body: Block, roots: Iterable[SSAValue]) -> set[SSAValue]:
    """Return the values of a block that depend on others, with these.

    A result of an op with regions depends on those operands only that the regions make it of, and
    what a barrier passes on depends on nothing else that passes.
    """
    found = set(roots)
    for op in body.ops:
        flags = [value in found for value in op._operands]
        if any(flags):
            results = zip(op.results, influenced_results(op, flags))
            found.update(result for result, depends in results if depends)
    return found


def influenced_results(op: Operation, flags: Flags) -> Flags:
    """Tell which results of an op depend on the flagged operands, of which there are some."""
    if isinstance(op, BarrierOp):
        return flags
    if isinstance(op, CaseOp):
        columns = zip(*(_yielded(region.block, flags[1:]) for region in op.regions))
        return [flags[0] or any(column) for column in columns]
    if isinstance(op, RematOp | CustomDerivativeOp):
        return _yielded(op.regions[0].block, flags)
    if isinstance(op, ScanOp):
        return _of_scan(op, flags)
    if isinstance(op, WhileOp):
        return _of_while(op, flags)
    return [True] * len(op.results)


def _of_scan(op: ScanOp, flags: Flags) -> Flags:
    consts, carries, elements = parts_of(flags, [len(group) for group in op.groups])
    while True:
        found = _yielded(op.body.block, [False, *consts, *carries, *elements])
        grown = [a or b for a, b in zip(carries, found)]
        if grown == list(carries):
            return [*grown, *found[len(carries) :]]
        carries = grown


def _of_while(op: WhileOp, flags: Flags) -> Flags:
    consts, carries = parts_of(flags, [len(group) for group in op.groups])
    while True:
        if any(_yielded(op.condition.block, [*consts, *carries])):
            return [True] * len(carries)
        found = _yielded(op.body.block, [*consts, *carries])
        grown = [a or b for a, b in zip(carries, found)]
        if grown == list(carries):
            return grown
        carries = grown


def _yielded(block: Block, flags: Flags) -> list[bool]:
    """Tell which results of a block depend on the flagged arguments."""
    roots = [argument for argument, flag in zip(block.args, flags) if flag]
    found = influenced_values(block, roots)
    return [value in found for value in terminator_of(block)._operands]
