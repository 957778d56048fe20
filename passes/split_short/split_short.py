"""``array-split-short``: short last dimensions become separate arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import ArrayOp
from ...ir.builder import Builder
from ...ir.ops import ops_of
from ..simplify.rewriting import blocks_of, functions_of, rewrite_forward
from .choice import chosen_values, is_needed_whole
from .components import Components, components_of, joined
from .rules import USERS, from_components, make_components, makes_components


def split_short(function: FuncOp) -> None:
    """Compute arrays whose last dimension is short by components where that pays, in place."""
    _split_block(function.body.block)


def _split_block(block: Block) -> None:
    """Split the values of a block and of the regions in it."""
    for op in ops_of(block):
        for inner in blocks_of(op):
            _split_block(inner)
    while chosen := chosen_values(block):  # what was next to last may be short too
        _Splitter(block, chosen).run()


class _Splitter:
    """Computes the chosen values of a block by components."""

    def __init__(self, block: Block, chosen: set[SSAValue]) -> None:
        self.block = block
        self.chosen = chosen
        self.builder = Builder(block)
        self.components: dict[SSAValue, Components] = {}
        self._split_ops: list[Operation] = []

    def run(self) -> None:
        """Rewrite the block, and take out what was computed as a whole."""
        rewrite_forward(self.block, self._visit)
        for op in reversed(self._split_ops):
            self.block.erase_op(op)

    def _visit(self, op: Operation) -> Sequence[SSAValue] | None:
        self.builder.location = op.location
        if op.results and op.results[0] in self.chosen and makes_components(op):
            return self._split(op)
        if type(op) in USERS and op.operands[0] in self.chosen:
            value, components = from_components(self.builder, op, self._take(op.operands[0]))
            if components is not None:
                self.components[value] = components
            return [value]
        return None

    def _split(self, op: Operation) -> Sequence[SSAValue] | None:
        assert isinstance(op, ArrayOp)
        value = op.results[0]
        components = make_components(self.builder, op, self._take)
        self.components[value] = components
        if not is_needed_whole(value):
            self._split_ops.append(op)
            return None
        whole = joined(self.builder, components)
        self.components[whole] = components
        self.chosen.add(whole)  # it is what the ops that follow take
        return [whole]

    def _take(self, value: SSAValue) -> Components:
        found = self.components.get(value)
        if found is None:
            found = self.components[value] = components_of(self.builder, value)
        return found


@dataclass(frozen=True)
class ArraySplitShort(ModulePass):
    """Compute arrays whose last dimension is short by components.

    Vectors run along the last dimension. Where that has two to eight elements and cannot be one
    loop with the dimension before it, because something is broadcast to the array or the array is
    reduced, its components become arrays of their own, and a reduction over it a few additions.

        %a = array.broadcast %x dims [1, 2] : tensor<500x3xf64> -> tensor<500x500x3xf64>
        %b = array.mul %a, %a : tensor<500x500x3xf64>
        %s = array.reduce add %b dims [2] : tensor<500x500x3xf64> -> tensor<500x500xf64>

    takes ``%x`` apart by slices, and goes on with three broadcasts to ``tensor<500x500xf64>``,
    three products and two sums. Values that elementwise ops connect are split together, if they are
    computed by more than it takes to split and to join those that are in memory as a whole.
    """

    name: ClassVar[str] = "array-split-short"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            split_short(function)
