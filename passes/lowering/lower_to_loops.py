"""``kernel-lower-to-loops``: each fusion on buffers becomes loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ...ir.array.contraction import DotGeneralOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp
from ...ir.kernel.ops import FusionOp
from .contraction import ContractionLowering
from .fusion import FusionLowering
from .lines import LineLowering
from .loop_builder import LoopBuilder, ModuleSymbols


def lower_function(function: FuncOp, symbols: ModuleSymbols) -> None:
    """Replace the fusions of a bufferised function by loops, in place."""
    if function.is_declaration:
        return
    block = function.body.block
    ops = list(block.ops)
    for op in ops:
        block.detach_op(op)
    builder = LoopBuilder(block, symbols)
    for op in ops:
        if isinstance(op, FusionOp):
            builder.location = op.location
            emit_fusion(builder, op)
            op.erase(safe_erase=False)
        else:
            block.add_op(op)


def emit_fusion(builder: LoopBuilder, fusion: FusionOp) -> None:
    """Append the loops, or the library call, of one fusion."""
    first = fusion.body.block.first_op
    lowering = _SINGLE_OPS.get(type(first))
    if lowering is not None:
        lowering(builder, fusion, first).emit()
    else:
        FusionLowering(builder, fusion).emit()


_SINGLE_OPS: Final[dict[object, Callable[..., Any]]] = {
    DotGeneralOp: ContractionLowering,
    ArgReduceOp: LineLowering,
    CumulativeOp: LineLowering,
}
"""Ops that are kernels of their own, and what emits them."""


@dataclass(frozen=True)
class KernelLowerToLoops(ModulePass):
    """Lower kernels to loops.

    Each ``kernel.fusion`` on buffers is replaced by ``scf.for`` nests around ``arith``, ``math``,
    ``vector`` and ``memref`` ops, as its schedule says:

        kernel.fusion ins(%a = %x : memref<8xf64>) outs(%y : memref<8xf64>)
            schedule<rows = [], vector = 8> {
          %s = array.sin %a : tensor<8xf64>
          kernel.yield %s : tensor<8xf64>
        }

    becomes

        %v = vector.load %x[%c0] : memref<8xf64>, vector<8xf64>
        %s = math.sin %v : vector<8xf64>
        vector.store %s, %y[%c0] : memref<8xf64>, vector<8xf64>
    """

    name: ClassVar[str] = "kernel-lower-to-loops"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lower every function of the module."""
        symbols = ModuleSymbols(op)
        for function in list(op.body.block.ops):
            if isinstance(function, FuncOp):
                lower_function(function, symbols)
