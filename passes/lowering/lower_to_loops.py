"""``kernel-lower-to-loops``: each fusion on buffers becomes loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, ClassVar, Final

from xdsl.context import Context
from xdsl.dialects import memref
from xdsl.dialects.builtin import ModuleOp, SymbolRefAttr, TensorType
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.contraction import ConvolutionOp, DotGeneralOp
from ...ir.array.effect import CallbackOp
from ...ir.array.indexing import DynamicUpdateSliceOp, ScatterOp
from ...ir.array.ordering import SortOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceWindowOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.updates import update_of
from ...ir.types import shape_of, tensor_info
from .body import BodyLowering, Held
from .callback import CallbackLowering
from .contraction import ContractionLowering
from .convolution import ConvolutionLowering
from .fusion import FusionLowering
from .lines import LineLowering
from .loop_builder import LoopBuilder, ModuleSymbols
from .ordering import SortLowering
from .register_ops import RegisterLowering
from .registers import Parts, store
from .scratch import place_scratch
from .updates import ScatterLowering, WindowUpdateLowering
from .windows import WindowLowering

OUTLINE_OPS: Final = 512
"""In a function of more array ops in loops than this each fusion that has loops becomes a function
of its own, since LLVM takes more than linear time in the loops of a function."""


def lower_function(
    function: FuncOp, symbols: ModuleSymbols, outline_ops: int = OUTLINE_OPS
) -> None:
    """Replace the fusions of a bufferised function by loops, in place."""
    if function.is_declaration:
        return
    block = function.body.block
    outline = _count_fused(block) > outline_ops
    builder = LoopBuilder(block, symbols)
    emit = partial(_emit_call, caller=function.sym_name.data) if outline else emit_fusion
    BodyLowering(builder, emit).run(block)


def _count_fused(block: Block) -> int:
    """Return how many ops there are in the fusions with loops of a block and of its regions."""
    count = 0
    for op in block.ops:
        if isinstance(op, FusionOp):
            count += 0 if op.schedule.data.registers else len(op.body.block.ops)
        else:
            count += sum(_count_fused(inner) for region in op.regions for inner in region.blocks)
    return count


def _emit_call(builder: LoopBuilder, fusion: FusionOp, held: Held, caller: str) -> list[Parts]:
    """Append a call of a new private function that does the work of one fusion with loops.

    Views are made within, so that it is seen there which buffers share memory.
    """
    if fusion.schedule.data.registers:
        return emit_fusion(builder, fusion, held)
    roots = [value if value in held else _fixed_root(value) for value in fusion.operands]
    operands = list(dict.fromkeys(roots))
    passed = [held.get(v, (v,)) for v in operands]
    flat = [value for parts in passed for value in parts]
    body = Block(arg_types=[value.type for value in flat])
    arguments = iter(body.args)
    own: Held = {}
    known: dict[SSAValue, SSAValue] = {}
    for operand, parts in zip(operands, passed):
        taken = tuple(next(arguments) for _ in parts)
        if operand in held:
            own[operand] = taken
        else:
            (known[operand],) = taken
    kernel = LoopBuilder(body, builder.symbols, fusion.location)
    fusion.operands = [v if v in held else _viewed(kernel, v, known) for v in fusion.operands]
    emit_fusion(kernel, fusion, own)
    kernel.effect(ReturnOp, ())
    name = builder.symbols.define(f"{caller}.kernel", body, fusion.location)
    builder.effect(CallOp, flat, {"callee": SymbolRefAttr(name)})
    return []


def _fixed_root(buffer: SSAValue) -> SSAValue:
    """Return the buffer that a view at a known place is a view of."""
    while isinstance(buffer.owner, memref.ReinterpretCastOp) and len(buffer.owner.operands) == 1:
        buffer = buffer.owner.operands[0]
    return buffer


def _viewed(builder: LoopBuilder, buffer: SSAValue, known: dict[SSAValue, SSAValue]) -> SSAValue:
    """Append the views by which a buffer follows from known ones, and return it."""
    if buffer not in known:
        view = buffer.owner
        assert isinstance(view, Operation)
        source = _viewed(builder, view.operands[0], known)
        copy = view.clone(value_mapper={view.operands[0]: source})
        builder.block.add_op(copy)
        known[buffer] = copy.results[0]
    return known[buffer]


def emit_fusion(builder: LoopBuilder, fusion: FusionOp, held: Held) -> list[Parts]:
    """Append what computes one fusion: straight code, a library call, or loops.

    Returns the values that hold each of its results.
    """
    if fusion.schedule.data.registers:
        return RegisterLowering(builder, fusion, held).emit()
    op = fusion.terminator.operands[0].owner
    single, updating = (
        _SINGLE_OPS.get(type(op)),
        _UPDATING_OPS.get(type(update_of(fusion.body.block))),
    )
    arrays = [i for i, v in enumerate(fusion.ins) if v in held and prod(shape_of(v)) > 1]
    if single is not None:
        _spill(builder, fusion, held, range(len(fusion.ins)))
        single(builder, fusion, op).emit()
    elif updating is not None:
        target: Any = op.operands[0]  # type: ignore[union-attr]
        _spill(builder, fusion, held, sorted({target.index, *arrays}))
        updating(builder, fusion, op, held).emit()
    else:
        _spill(builder, fusion, held, arrays)
        FusionLowering(builder, fusion, held).emit()
    return []


def _spill(builder: LoopBuilder, fusion: FusionOp, held: Held, operands: Iterable[int]) -> None:
    """Put operands that are held in registers on the stack, where loops can read them."""
    for i in operands:
        value = fusion.operands[i]
        if value in held:
            type_ = value.type
            assert isinstance(type_, TensorType)
            shape, dtype = tensor_info(type_)
            slot = builder.scratch(dtype, prod(shape), [])
            store(builder, held[value], slot, type_)
            fusion.operands[i] = slot


_SINGLE_OPS: Final[dict[object, Callable[..., Any]]] = {
    DotGeneralOp: ContractionLowering,
    ConvolutionOp: ConvolutionLowering,
    ArgReduceOp: LineLowering,
    CumulativeOp: LineLowering,
    ReduceWindowOp: WindowLowering,
    SortOp: SortLowering,
    CallbackOp: CallbackLowering,
}
"""Ops whose result is the only one of a kernel, and what emits them."""


_UPDATING_OPS: Final[dict[object, Callable[..., Any]]] = {
    DynamicUpdateSliceOp: WindowUpdateLowering,
    ScatterOp: ScatterLowering,
}
"""Ops that change parts of an array, which is in memory, in a kernel that also computes these."""


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

    In a function of more than ``outline-ops`` array ops in loops each fusion with loops becomes a
    private function, so that no function has so many that LLVM takes more than linear time.

    Large scratch memory of kernels lies in one arena, with the function's temporaries, which is
    allocated first of all. Chunks take theirs from a reserve, or allocate it while that is taken.

    A fusion whose schedule says ``registers`` becomes straight code on scalars and vectors, which
    loops and branches around it carry.

    Options:
        outline-ops: the most array ops in loops of a function whose fusions stay in it.
    """

    name: ClassVar[str] = "kernel-lower-to-loops"

    outline_ops: int = OUTLINE_OPS

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Lower every function of the module."""
        symbols = ModuleSymbols(op)
        for function in list(op.body.block.ops):
            if isinstance(function, FuncOp):
                lower_function(function, symbols, self.outline_ops)
        if symbols.has_scratch:
            place_scratch(op)
