"""``kernel-lower-to-loops``: each fusion on buffers becomes loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ...ir.array.contraction import ConvolutionOp, DotGeneralOp
from ...ir.array.indexing import DynamicUpdateSliceOp, ScatterOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceWindowOp
from ...ir.kernel.ops import FusionOp
from .contraction import ContractionLowering
from .convolution import ConvolutionLowering
from .fusion import FusionLowering
from .lines import LineLowering
from .loop_builder import LoopBuilder, ModuleSymbols
from .updates import ScatterLowering, WindowUpdateLowering
from .windows import WindowLowering

OUTLINE_OPS: Final = 512
"""In a function of more array ops than this each fusion becomes a function of its own, since LLVM
takes more than linear time in the size of a function."""


def lower_function(
    function: FuncOp, symbols: ModuleSymbols, outline_ops: int = OUTLINE_OPS
) -> None:
    """Replace the fusions of a bufferised function by loops, in place."""
    if function.is_declaration:
        return
    block = function.body.block
    ops = list(block.ops)
    for op in ops:
        block.detach_op(op)
    fusions = [op for op in ops if isinstance(op, FusionOp)]
    outline = sum(len(op.body.block.ops) for op in fusions) > outline_ops
    builder = LoopBuilder(block, symbols)
    for op in ops:
        if isinstance(op, FusionOp):
            builder.location = op.location
            if outline:
                _emit_call(builder, op, function.sym_name.data)
            else:
                emit_fusion(builder, op)
            op.erase(safe_erase=False)
        else:
            block.add_op(op)


def _emit_call(builder: LoopBuilder, fusion: FusionOp, caller: str) -> None:
    """Append a call of a new private function that does the work of one fusion."""
    buffers = list(dict.fromkeys(fusion.operands))
    body = Block(arg_types=[buffer.type for buffer in buffers])
    parameter = dict(zip(buffers, body.args))
    fusion.operands = [parameter[buffer] for buffer in fusion.operands]
    kernel = LoopBuilder(body, builder.symbols, fusion.location)
    emit_fusion(kernel, fusion)
    kernel.effect(ReturnOp, ())
    name = builder.symbols.define(f"{caller}.kernel", body, fusion.location)
    builder.effect(CallOp, buffers, {"callee": SymbolRefAttr(name)})


def emit_fusion(builder: LoopBuilder, fusion: FusionOp) -> None:
    """Append the loops, or the library call, of one fusion."""
    op = fusion.terminator.operands[0].owner
    lowering = _SINGLE_OPS.get(type(op))
    if lowering is not None:
        lowering(builder, fusion, op).emit()
    else:
        FusionLowering(builder, fusion).emit()


_SINGLE_OPS: Final[dict[object, Callable[..., Any]]] = {
    DotGeneralOp: ContractionLowering,
    ConvolutionOp: ConvolutionLowering,
    ArgReduceOp: LineLowering,
    CumulativeOp: LineLowering,
    ReduceWindowOp: WindowLowering,
    DynamicUpdateSliceOp: WindowUpdateLowering,
    ScatterOp: ScatterLowering,
}
"""Ops whose result is the only one of a kernel, and what emits them."""


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

    Parallel dimensions become a ``scf.parallel`` over chunks, whose number depends on sizes alone;
    reductions over them have accumulators in each chunk, which are combined in order afterwards.

    In a function of more than ``outline-ops`` array ops each fusion becomes a private function, so
    that no function gets so large that LLVM takes more than linear time.

    Options:
        outline-ops: the most array ops of a function whose fusions stay in it.
    """

    name: ClassVar[str] = "kernel-lower-to-loops"

    outline_ops: int = OUTLINE_OPS

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lower every function of the module."""
        symbols = ModuleSymbols(op)
        for function in list(op.body.block.ops):
            if isinstance(function, FuncOp):
                lower_function(function, symbols, self.outline_ops)
