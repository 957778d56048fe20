"""``array-pack-operands``: matrices that products in loops read are put in order before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.array.control import ScanOp, WhileOp
from ...ir.array.regions import RegionOp
from ...ir.builder import Builder
from ...ir.locations import derived
from ...ir.ops import ops_in
from ...ir.types import shape_of
from ..products import sizes_of
from ..simplify.control.draft import Draft
from ..simplify.rewriting import blocks_of, functions_of, rewrite_forward
from .cost import UNKNOWN_STEPS
from .products import is_read_along_columns, suits_loops
from .target import Target

PACKING_ROWS: Final = 512
"""The least rows of all steps together for which it pays to reorder a matrix first: to move an
element takes as long as some hundred multiplications."""


def pack_operands(block: Block, target: Target) -> None:
    """Pack the operands of products in the loops of a block and of its regions."""

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        if isinstance(op, ScanOp | WhileOp):
            return _Packing(block, op, target).run()
        for inner in blocks_of(op):
            pack_operands(inner, target)
        return None

    if any(type(op) is DotGeneralOp for op in ops_in(block)):
        rewrite_forward(block, visit)


class _Packing:
    """The packing of one loop, the last op of the block around it."""

    def __init__(self, block: Block, op: RegionOp, target: Target) -> None:
        self.outside = Builder(block)
        self.draft = Draft(op)
        self.steps = op.count if isinstance(op, ScanOp) else UNKNOWN_STEPS
        self.target = target
        self.packed: dict[tuple[int, tuple[int, ...]], list[BlockArgument]] = {}

    def run(self) -> Sequence[SSAValue] | None:
        """Return what takes the place of the loop's results, or None if it stays."""
        draft = self.draft
        for block in draft.blocks:
            pack_operands(block, self.target)
            self._walk(block)
        if not draft.changed:
            return None
        for number in sorted({number for number, _ in self.packed}, reverse=True):
            if not draft.is_used(0, number):
                draft.drop(0, number)
        new, found = draft.finish()
        self.outside.block.add_op(new)
        return [value for value in found if value is not None]

    def _walk(self, block: Block) -> None:
        inside = Builder(block)

        def visit(op: Operation) -> Sequence[SSAValue] | None:
            if type(op) is not DotGeneralOp:
                return None
            number = self._const(op, block)
            if number is None or not self._pays(op):
                return None
            inside.location = derived(op.location, ArrayPackOperands.name)
            right = self._ordered(op, number)[self.draft.blocks.index(block)]
            batch = len(op.rhs_batch.data)
            contract = range(batch, batch + len(op.rhs_contract.data))
            return [
                inside.dot_general(
                    op.lhs,
                    right,
                    batch=(op.lhs_batch.data, range(batch)),
                    contract=(op.lhs_contract.data, contract),
                )
            ]

        rewrite_forward(block, visit)

    def _const(self, op: DotGeneralOp, block: Block) -> int | None:
        """Return which of the loop's consts is the right operand of a product, if any is."""
        if op.rhs.owner is not block:
            return None
        assert isinstance(op.rhs, BlockArgument)
        number = op.rhs.index - self.draft.shape.leading
        return number if 0 <= number < len(self.draft.groups[0]) else None

    def _pays(self, op: DotGeneralOp) -> bool:
        rows = sizes_of(op).rows
        return (
            not is_read_along_columns(op)
            and self.steps * rows >= PACKING_ROWS
            and suits_loops(op, self.target)
        )

    def _ordered(self, op: DotGeneralOp, number: int) -> list[BlockArgument]:
        """Return what stands in the blocks for a const in the order that a product reads it in."""
        kept = (*op.rhs_batch.data, *op.rhs_contract.data)
        order = (*kept, *free_dims(len(shape_of(op.rhs)), kept))
        if (number, order) not in self.packed:
            self.outside.location = derived(op.location, ArrayPackOperands.name)
            ordered = self.outside.transpose(self.draft.groups[0][number], order)
            self.packed[number, order] = self.draft.add(0, ordered, ordered.type)
        return self.packed[number, order]


@dataclass(frozen=True)
class ArrayPackOperands(ModulePass):
    """Transpose before a loop what products in it read across the order of memory.

    It is done for right operands that are the same in all steps, where the products are then
    computed by loops over vectors of columns.

        %y = array.scan length 100 consts(%w : tensor<64x64xf32>) carries(%x : tensor<8x64xf32>) {
        ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %h: tensor<8x64xf32>):
          %p = array.dot_general %h, %v batch [] x [] contract [1] x [1] : ...

    becomes

        %t = array.transpose %w permutation [1, 0] : tensor<64x64xf32> -> tensor<64x64xf32>
        %y = array.scan length 100 consts(%t : tensor<64x64xf32>) carries(%x : tensor<8x64xf32>) {
        ^bb0(%i: tensor<i64>, %v: tensor<64x64xf32>, %h: tensor<8x64xf32>):
          %p = array.dot_general %h, %v batch [] x [] contract [1] x [0] : ...

    Options:
        vector-bits: the width of the processor's vector registers.
    """

    name: ClassVar[str] = "array-pack-operands"
    vector_bits: int = 256

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            pack_operands(function.body.block, Target(self.vector_bits))
