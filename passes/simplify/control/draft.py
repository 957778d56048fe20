"""An op with regions under revision: operands, arguments and results go and move together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from xdsl.ir import Attribute, Block, BlockArgument, SSAValue

from ....ir.array.control import CaseOp, RematOp, ScanOp, WhileOp
from ....ir.array.regions import RegionOp, terminator_of
from ...groups import parts_of


class Shape(NamedTuple):
    """How operands, arguments and results of a kind of op go together."""

    leading: int
    """The arguments before those that stand for operands: a scan's index."""
    first: int
    """The first group of operands that the blocks take as arguments."""
    carries: int | None
    """The group that is yielded again and becomes the first results."""
    yielding: slice
    """The blocks that yield the results."""


SHAPES: Final[dict[type[RegionOp], Shape]] = {
    ScanOp: Shape(1, 0, 1, slice(None)),
    WhileOp: Shape(0, 0, 1, slice(1, None)),
    CaseOp: Shape(0, 1, None, slice(None)),
    RematOp: Shape(0, 0, None, slice(None)),
}
"""The ops that can be revised."""


ELEMENTS: Final = 2
"""The group of a scan's elements."""


class Draft:
    """An op with regions in parts, to be put together again if anything ``changed``.

    The blocks are the op's own; what is done to them is done. After a change, ``finish`` must be
    called and the op be replaced.

    Attributes:
        groups: the operands, by groups.
        blocks: the regions' blocks.
        replaced: for each result of the op the value that takes its place, or None.
        changed: whether anything is not as it was.
    """

    def __init__(self, op: RegionOp) -> None:
        self.op = op
        self.shape = SHAPES[type(op)]
        self.groups = [list(group) for group in op.groups]
        self.blocks: list[Block] = [region.block for region in op.regions]
        self.replaced: list[SSAValue | None] = [None] * len(op.results)
        self.changed = False
        self._results = list(range(len(op.results)))  # the op's result at each place of the draft
        self._equal: list[tuple[int, int]] = []  # of dropped results and others that equal them

    @property
    def yielding(self) -> list[Block]:
        """The blocks that yield the results."""
        return self.blocks[self.shape.yielding]

    def yields(self, number: int) -> list[SSAValue]:
        """Return what the blocks yield for a result."""
        return [terminator_of(block).operands[number] for block in self.yielding]

    @property
    def results(self) -> list[SSAValue]:
        """The op's results that the draft still has."""
        return [self.op.results[i] for i in self._results]

    @property
    def carried(self) -> int:
        """How many of the results are carries."""
        return 0 if self.shape.carries is None else len(self.groups[self.shape.carries])

    @property
    def parts(self) -> list[Sequence[BlockArgument]]:
        """The arguments of the first block: leading ones, then those of each group."""
        sizes = [self.shape.leading, *map(len, self.groups[self.shape.first :])]
        return parts_of(self.blocks[0].args, sizes)

    def place(self, group: int, number: int) -> int:
        """Return the place of an operand among the blocks' arguments."""
        before = self.groups[self.shape.first : group]
        return self.shape.leading + sum(map(len, before)) + number

    def arguments(self, group: int, number: int) -> list[BlockArgument]:
        """Return what stands for an operand in the blocks."""
        place = self.place(group, number)
        return [block.args[place] for block in self.blocks]

    def is_used(self, group: int, number: int) -> bool:
        """Tell whether a block uses an operand."""
        return any(argument.first_use for argument in self.arguments(group, number))

    def add(self, group: int, operand: SSAValue, type_: Attribute) -> list[BlockArgument]:
        """Add an operand at the end of a group; return what stands for it in the blocks."""
        place = self.place(group, len(self.groups[group]))
        self.groups[group].append(operand)
        self.changed = True
        added = []
        for block in self.blocks:
            argument = block.insert_arg(type_, place)
            argument.location = self.op.location
            added.append(argument)
        return added

    def replace_uses(self, group: int, number: int, values: Sequence[SSAValue]) -> None:
        """Let the blocks use other values, one for each block, in place of an operand."""
        for argument, value in zip(self.arguments(group, number), values):
            value.name_hint = value.name_hint or argument.name_hint
            argument.replace_all_uses_with(value)
        self.changed = True

    def drop(self, group: int, number: int) -> None:
        """Drop an operand that no block uses, but for a carry's yield to itself."""
        for argument in self.arguments(group, number):
            argument.block.erase_arg(argument)
        del self.groups[group][number]
        self.changed = True

    def drop_result(self, number: int, value: SSAValue | None = None) -> None:
        """Drop a result, in whose place comes a value if anything uses it."""
        for block in self.yielding:
            terminator = terminator_of(block)
            operands = terminator.operands
            terminator.operands = [*operands[:number], *operands[number + 1 :]]
        self.replaced[self._results.pop(number)] = value
        self.changed = True

    def merge_result(self, number: int, other: int) -> None:
        """Drop a result that equals another one, an earlier one."""
        self._equal.append((self._results[number], self._results[other]))
        self.drop_result(number)

    def finish(self) -> tuple[RegionOp, list[SSAValue | None]]:
        """Return the revised op, which the caller puts into a block, and values for all results."""
        op = self.op
        for region, block in zip(op.regions, self.blocks):
            region.detach_block(block)
        properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
        new = type(op).of(self.groups, properties, self.blocks, op.location)
        values = list(self.replaced)
        for place, result in zip(self._results, new.results):
            values[place] = result
            result.name_hint = op.results[place].name_hint
        for place, other in reversed(self._equal):
            values[place] = values[other]
        return new, values
