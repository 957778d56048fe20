"""Which values stay values: small arrays in registers, and tapes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.control import CaseOp, ScanOp, TapeType, WhileOp
from ...ir.array.regions import terminator_of
from ...ir.array.shape import ReshapeOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.registers import is_small


def held_values(block: Block) -> set[SSAValue]:
    """Return the values of a function's block, and of the regions within, that are not in memory.

    They are tapes, steps of scans, what is computed in registers, and what loops and branches carry
    of it.
    """
    finder = _Finder()
    finder.walk(block)
    return finder.held


class _Finder:
    def __init__(self) -> None:
        self.held: set[SSAValue] = set()

    def walk(self, block: Block) -> None:
        """Find the held values of a block in which those that come in are known."""
        for op in block.ops:
            if isinstance(op, FusionOp):
                if op.schedule.data.registers:
                    self.held.update(op.results)
            elif isinstance(op, ReshapeOp):
                if op.operand in self.held:
                    self.held.add(op.result)
            elif isinstance(op, CaseOp):
                self._case(op)
            elif isinstance(op, ScanOp):
                step, consts, carries, _ = op.parts
                self.held.add(step)
                self._loop(op, op.groups[0], op.groups[1], [consts], [carries])
            elif isinstance(op, WhileOp):
                first = len(op.groups[0])
                arguments = [region.block.args for region in op.regions]
                inner = [found[:first] for found in arguments]
                carried = [found[first:] for found in arguments]
                self._loop(op, op.groups[0], op.groups[1], inner, carried)
            self.held.update(v for v in op.results if isinstance(v.type, TapeType))

    def _case(self, op: CaseOp) -> None:
        yields = []
        for region in op.regions:
            self._pass_on(op.inputs, region.block.args)
            self.walk(region.block)
            yields.append(terminator_of(region.block).operands)
        for result, *values in zip(op.results, *yields):
            if is_small(result.type) and any(value in self.held for value in values):
                self.held.add(result)

    def _loop(
        self,
        op: ScanOp | WhileOp,
        consts: Sequence[SSAValue],
        carries: Sequence[SSAValue],
        inner_consts: Sequence[Sequence[SSAValue]],
        inner_carries: Sequence[Sequence[SSAValue]],
    ) -> None:
        """Small carries are held unless loops of a kernel compute their next value."""
        for arguments in inner_consts:
            self._pass_on(consts, arguments)
        small = [is_small(v.type) or isinstance(v.type, TapeType) for v in carries]
        for arguments in inner_carries:
            self.held.update(a for a, held in zip(arguments, small) if held)
        for region in op.regions:
            self.walk(region.block)
        yielded = terminator_of(op.regions[-1].block).operands
        for number, (result, value) in enumerate(zip(op.results, yielded[: len(carries)])):
            if not small[number]:
                continue
            if value in self.held or not _is_computed(value):
                self.held.add(result)
            else:
                self.held.difference_update(found[number] for found in inner_carries)

    def _pass_on(self, operands: Sequence[SSAValue], arguments: Sequence[SSAValue]) -> None:
        self.held.update(a for v, a in zip(operands, arguments) if v in self.held)


def _is_computed(value: SSAValue) -> bool:
    return isinstance(value.owner, Operation)
