"""When values are read last, in a function and in the loops and branches within.

Ops are numbered in program order, a region's ops between the start and the end of their op. What is
defined outside of a loop and read inside is read until the loop ends, since every step reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.control import CaseOp, ScanOp, TapeNewOp, TapePopOp, TapePushOp, WhileOp
from ...ir.array.regions import YieldOp
from ...ir.array.shape import ConstantOp, ReshapeOp
from ...ir.errors import GradatimError
from ...ir.functions import in_out_arguments
from ...ir.kernel.ops import FusionOp
from ...ir.locations import spell_location


class Liveness:
    """The order of a function's ops, and what reads each value last.

    Attributes:
        number: the position of each op.
        end: the position after everything in an op; its own where it has no regions.
        root: the value that each value is a view of, or stands for in a region; itself where it is
            none. A step's part of an array is a root, but reading it reads the array.
        last: the position where each root is read last, as far as it is read.
    """

    def __init__(self, function: FuncOp) -> None:
        self.number: dict[Operation, int] = {}
        self.end: dict[Operation, int] = {}
        self.root: dict[SSAValue, SSAValue] = {}
        self.last: dict[SSAValue, int] = {}
        self._last_in: dict[Block, dict[SSAValue, Operation]] = {}
        block = function.body.block
        self._in_out = in_out_arguments(function)
        self._changing = {block.args[n] for n in self._in_out if n is not None}
        self._enumerate(block, 0)
        self._define(block.args)
        self._walk(block)

    def _enumerate(self, block: Block, start: int) -> int:
        for op in block.ops:
            self.number[op] = start
            start += 1
            if not isinstance(op, FusionOp):
                for region in op.regions:
                    for inner in region.blocks:
                        start = self._enumerate(inner, start)
            self.end[op] = start - 1
        return start

    def _define(self, values: Sequence[SSAValue]) -> None:
        self.root.update((value, value) for value in values)

    def _walk(self, block: Block) -> None:
        self._last_in[block] = {}
        for op in block.ops:
            rule = _RULES.get(type(op))
            if rule is None:
                raise GradatimError(
                    f"{op.name} cannot be bufferised: array-inline and array-fuse come before",
                    spell_location(op.location),
                )
            rule(self, op)

    # What ops read and define

    def _plain(self, op: Operation) -> None:
        for operand in op.operands:
            self._read(operand, op)
        self._define(op.results)

    def _return(self, op: Operation) -> None:
        """In-out arguments that are returned as they came in are copied at once."""
        for number, operand in enumerate(op.operands):
            if not self.is_returned_at_once(number, operand):
                self._read(operand, op)

    def is_returned_at_once(self, number: int, value: SSAValue) -> bool:
        """Tell whether a result is an in-out argument, or a view of one, and not its new contents.

        Args:
            number: of the result.
            value: the result.
        """
        return self._in_out[number] is None and self.root[value] in self._changing

    def _yield(self, op: Operation) -> None:
        """What a step stacks as it came in is copied at once."""
        block = op.parent
        assert block is not None
        parent = block.parent_op()
        stacked = len(parent.groups[1]) if isinstance(parent, ScanOp) else len(op.operands)
        for number, operand in enumerate(op.operands):
            if number < stacked or not self.is_given_at_once(operand, block):
                self._read(operand, op)

    def is_given_at_once(self, value: SSAValue, block: Block) -> bool:
        """Tell whether what a block yields is an argument of it or a view of one."""
        return self.root[value] in block.args

    def _view(self, op: Operation) -> None:
        self.root[op.results[0]] = self.root[op.operands[0]]

    def _case(self, op: Operation) -> None:
        assert isinstance(op, CaseOp)
        self._read(op.index, op)
        for region in op.regions:
            self._stand_for(region.block.args, op.inputs)
            self._walk(region.block)
        self._define(op.results)

    def _scan(self, op: Operation) -> None:
        assert isinstance(op, ScanOp)
        consts, carries, elements = op.groups
        step, inner_consts, inner_carries, parts = op.parts
        self._stand_for(inner_consts, consts)
        self._define([step, *inner_carries, *parts])
        for value in carries:
            self._read(value, op)
        self._walk(op.body.block)
        for value in elements:
            self._read(value, op, until_end=True)
        self._define(op.results)

    def _while(self, op: Operation) -> None:
        assert isinstance(op, WhileOp)
        consts, carries = op.groups
        for value in carries:
            self._read(value, op)
        for region in op.regions:
            arguments = region.block.args
            self._stand_for(arguments[: len(consts)], consts)
            self._define(arguments[len(consts) :])
            self._walk(region.block)
        self._define(op.results)

    def _stand_for(self, arguments: Sequence[SSAValue], operands: Sequence[SSAValue]) -> None:
        self.root.update((a, self.root[v]) for a, v in zip(arguments, operands))

    def _read(self, value: SSAValue, op: Operation, until_end: bool = False) -> None:
        root = self.root[value]
        home = home_of(root)
        number = self.end[op] if until_end else self.number[op]
        block = op.parent
        while block is not None:
            self._last_in[block][root] = op
            if block is home:
                break
            parent = block.parent_op()
            assert parent is not None
            if is_loop(parent):
                number = self.end[parent]
            op, block = parent, parent.parent
        self.last[root] = max(self.last.get(root, 0), number)

    # Questions

    def dies_at(self, root: SSAValue, op: Operation) -> bool:
        """Tell whether an op, which reads a root, is the last one to do so."""
        block = op.parent
        return (
            block is not None
            and self._last_in[block].get(root) is op
            and self._is_done_after(root, block)
        )

    def is_dead_before(self, root: SSAValue, op: Operation) -> bool:
        """Tell whether neither an op nor what comes after it reads a root.

        That is so, too, where it was defined in a region that has ended, but not where it is one of
        the op's own regions, such as what a loop carries.
        """
        block, home = op.parent, home_of(root)
        assert block is not None and home is not None
        owner = home.parent_op()
        if owner is op:
            return False
        if owner in self.end and self.end[owner] < self.number[op]:
            return True
        reader = self._last_in[block].get(root)
        if reader is not None and self.number[reader] >= self.number[op]:
            return False
        return self._is_done_after(root, block)

    def _is_done_after(self, root: SSAValue, block: Block) -> bool:
        """Tell whether no op reads a root after the end of a block."""
        if block is home_of(root):
            return True
        parent = block.parent_op()
        if parent is None or parent.parent is None or is_loop(parent):
            return False
        reader = self._last_in[parent.parent].get(root)
        if reader is not None and self.number[reader] > self.number[parent]:
            return False
        return self._is_done_after(root, parent.parent)


def home_of(root: SSAValue) -> Block | None:
    """Return the block that a value is defined in."""
    owner = root.owner
    return owner if isinstance(owner, Block) else owner.parent


def is_loop(op: Operation) -> bool:
    """Tell whether an op's regions run several times."""
    return isinstance(op, ScanOp | WhileOp)


_RULES: Final[dict[type[Operation], Callable[[Liveness, Operation], None]]] = {
    **dict.fromkeys((FusionOp, ConstantOp), Liveness._plain),
    ReturnOp: Liveness._return,
    YieldOp: Liveness._yield,
    **dict.fromkeys((TapeNewOp, TapePushOp, TapePopOp), Liveness._plain),
    ReshapeOp: Liveness._view,
    CaseOp: Liveness._case,
    ScanOp: Liveness._scan,
    WhileOp: Liveness._while,
}
