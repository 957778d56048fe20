"""Regions that run exactly once become part of what is around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.control import CaseOp
from ...ir.array.plain import BarrierOp
from ...ir.array.regions import RegionOp
from ...ir.builder import Builder
from ...ir.ops import ops_of
from ...ir.types import dtype_of
from .drop_rules import drop_rules
from .rewriting import functions_of, opened, rewrite_forward

_REPLACED: Final = (BarrierOp, CaseOp)
_I64 = np.dtype(np.int64)


def inline_regions(block: Block) -> None:
    """Inline what runs exactly once, in a block and in the regions within, in place."""
    drop_rules(block)
    _inline(block)


def _inline(block: Block) -> None:
    def visit(op: Operation) -> Sequence[SSAValue] | None:
        if type(op) is BarrierOp:
            return op.operands
        if type(op) is CaseOp:
            if len(op.regions) == 1:
                return opened(op.regions[0].block, op.inputs, block)
            _normalize_index(op, block)
        return None

    found = False
    for op in ops_of(block):
        found |= type(op) in _REPLACED
        if op.regions and isinstance(op, RegionOp):
            for region in op.regions:
                if region.blocks.first is not None:
                    _inline(region.blocks.first)
    if found:
        rewrite_forward(block, visit)


def _normalize_index(op: CaseOp, block: Block) -> None:
    """Let the number of a region be a bool where there are two, else an i64 of an existing one."""
    dtype = dtype_of(op.index)
    last = len(op.regions) - 1
    if dtype.kind == "b":
        for region in reversed(op.regions[2:]):
            op.detach_region(region).drop_all_references()
        return
    block.detach_op(op)
    b = Builder(block, op.location)
    if last == 1:
        index = b.compare("gt", op.index, b.full((), dtype, 0))
    else:
        top = b.full((), dtype, min(last, np.iinfo(dtype).max))
        index = b.convert(b.clamp(b.full((), dtype, 0), op.index, top), _I64)
    op.operands[0] = index
    block.add_op(op)


@dataclass(frozen=True)
class ArrayInlineRegions(ModulePass):
    """Inline regions that run exactly once, and drop what only transformations look at.

    The body of ``array.remat``, the primal region of ``array.custom_derivative`` and an
    ``array.case`` of one region become part of what is around them; names and barriers are dropped.
    What remains are loops and branches. The number of a branch becomes a bool where there are two,
    and else the ``i64`` number of an existing one.

        %y = array.remat policy "nothing" operands(%x : tensor<f64>) {
        ^bb0(%a: tensor<f64>):
          %b = array.sin %a : tensor<f64>
          array.yield %b : tensor<f64>
        }

    becomes

        %b = array.sin %x : tensor<f64>

    No derivatives can be taken afterwards.
    """

    name: ClassVar[str] = "array-inline-regions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            inline_regions(function.body.block)
