"""The pass that gives every value its memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    SymbolRefAttr,
    UnitAttr,
    i8,
    i32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.shape import ConstantOp, ReshapeOp
from ...ir.functions import find_function, return_of
from ...ir.kernel.buffers import buffer_type
from ...ir.kernel.ops import FusionOp
from ...ir.types import Shape, row_major
from ..simplify.rewriting import functions_of
from .arena import ALIGNMENT
from .plan import MemoryPlan

STACK_BYTES: Final = 1 << 14
"""A larger arena is allocated on the heap."""


def bufferize(function: FuncOp, constants: Constants) -> None:
    """Rewrite a function at the kernel level to work on memory, in place.

    Its arguments become buffers that are only read, followed by one buffer for each result. What
    it needs of constants is defined in the module that ``constants`` was made for.

    Raises:
        GradatimError: if it has ops other than kernels, reshapes and constants.
    """
    plan = MemoryPlan(function)
    old = function.body.block
    rewrite = _Bufferize(function, plan, constants)
    rewrite.run()
    function.body.detach_block(old)
    function.body.add_block(rewrite.block)
    function.properties["function_type"] = FunctionType.from_lists(rewrite.block.arg_types, [])


class _Bufferize:
    """Appends a function's ops on buffers to a new block."""

    def __init__(self, function: FuncOp, plan: MemoryPlan, constants: Constants) -> None:
        self.plan = plan
        self.constants = constants
        self.old = function.body.block
        self.terminator = return_of(function)
        types = [v.type for v in (*self.old.args, *self.terminator.operands)]
        self.block = Block(arg_types=[buffer_type(type_) for type_ in types])
        self.location = function.location
        self.outs = self.block.args[len(self.old.args) :]
        self._buffers: dict[SSAValue, SSAValue] = {}
        self._storages: dict[int, SSAValue] = {}
        self._arena: SSAValue | None = None

    def run(self) -> None:
        """Append everything."""
        self._name_arguments()
        self._allocate()
        for op in list(self.old.ops):
            self.location = op.location
            if isinstance(op, FusionOp):
                self._append_fusion(op)
        for number in self.plan.copies:
            source = self._buffer(self.terminator.operands[number])
            self._add(memref.CopyOp, (source, self.outs[number]))
        if self.plan.arena_size > STACK_BYTES:
            assert self._arena is not None
            self._add(memref.DeallocOp, (self._arena,))
        self._add(ReturnOp, ())

    def _name_arguments(self) -> None:
        for before, after in zip(self.old.args, self.block.args):
            after.name_hint, after.location = before.name_hint, before.location
            self._buffers[before] = after
        for number, out in enumerate(self.outs):
            out.name_hint, out.location = f"out{number}", self.terminator.location

    def _append_fusion(self, fusion: FusionOp) -> None:
        for value in fusion.results:
            self._buffers[value] = self._target(value)
        body = fusion.body.block
        fusion.body.detach_block(body)
        self.block.add_op(
            FusionOp.of(
                body,
                [self._buffer(v) for v in fusion.ins],
                [self._buffer(v) for v in fusion.results],
                schedule=fusion.schedule.data,
                location=fusion.location,
            )
        )

    def _buffer(self, value: SSAValue) -> SSAValue:
        """Return the buffer that holds a value; views and constants are made when first read."""
        found = self._buffers.get(value)
        if found is None:
            op = value.owner
            if isinstance(op, ConstantOp):
                found = self._global(op.value)
            else:
                assert isinstance(op, ReshapeOp)
                found = self._reshaped(self._buffer(op.operand), buffer_type(op.result.type))
            self._buffers[value] = found
        return found

    def _target(self, value: SSAValue) -> SSAValue:
        """Return the buffer that a kernel writes a result to."""
        storage = self.plan.storage[value]
        type_ = buffer_type(value.type)  # type: ignore[arg-type]
        found = self._storages.get(id(storage))
        if found is None:
            if storage.result is not None:
                found = self.outs[storage.result]
            else:
                found = self._view(storage.offset, type_)
                found.name_hint = value.name_hint
            self._storages[id(storage)] = found
        return self._reshaped(found, type_)

    # Memory

    def _allocate(self) -> None:
        if self.plan.arena_size:
            on_stack = self.plan.arena_size <= STACK_BYTES
            self._arena = self._append(
                memref.AllocaOp if on_stack else memref.AllocOp,
                (),
                MemRefType(i8, [self.plan.arena_size]),
                _ALLOCATION,
            )
            self._arena.name_hint = "arena"

    def _view(self, offset: int, type_: MemRefType) -> SSAValue:
        assert self._arena is not None
        start = self._append(
            arith.ConstantOp, (), IndexType(), {"value": IntegerAttr(offset, IndexType())}
        )
        return self._append(memref.ViewOp, (self._arena, start), type_)

    def _reshaped(self, buffer: SSAValue, type_: MemRefType) -> SSAValue:
        """Return a buffer under another shape."""
        if buffer.type == type_:
            return buffer
        properties = _reinterpretation(type_.get_shape())
        return self._append(memref.ReinterpretCastOp, (buffer,), type_, properties)

    def _global(self, value: DenseIntOrFPElementsAttr) -> SSAValue:
        """Return the memory of a constant, which is the module's."""
        type_ = buffer_type(value.type)  # type: ignore[arg-type]
        symbol = SymbolRefAttr(self.constants.symbol_of(value))
        return self._append(memref.GetGlobalOp, (), type_, {"name": symbol})

    def _append(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        result: Attribute,
        properties: Mapping[str, Attribute] = {},
    ) -> SSAValue:
        return self._add(op_type, operands, (result,), properties).results[0]

    def _add(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        results: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] = {},
    ) -> Operation:
        op = op_type.create(
            operands=operands,
            result_types=results,
            properties=properties,
            location=self.location,
        )
        self.block.add_op(op)
        return op


class Constants:
    """The constants of a module that take memory, each a ``memref.global``."""

    def __init__(self, module: ModuleOp) -> None:
        self._block = module.body.block
        self._taken = {
            op.sym_name.data for op in self._block.ops if isinstance(op, memref.GlobalOp)
        }
        self._symbols: dict[DenseIntOrFPElementsAttr, str] = {}

    def symbol_of(self, value: DenseIntOrFPElementsAttr) -> str:
        """Return the symbol of a constant, defined when it is first asked for."""
        found = self._symbols.get(value)
        if found is None:
            numbered = (f"array_{i}" for i in count(len(self._symbols)))
            found = self._symbols[value] = next(s for s in numbered if s not in self._taken)
            self._taken.add(found)
            type_ = buffer_type(value.type)  # type: ignore[arg-type]
            op = memref.GlobalOp.get(StringAttr(found), type_, value, constant=UnitAttr())
            assert self._block.first_op is not None
            self._block.insert_op_before(op, self._block.first_op)
        return found


@lru_cache(maxsize=1024)
def _reinterpretation(shape: Shape) -> dict[str, Attribute]:
    """Return the properties of a cast to a row-major buffer of this shape."""
    return {
        "static_offsets": DenseArrayBase.from_list(i64, [0]),
        "static_sizes": DenseArrayBase.from_list(i64, shape),
        "static_strides": DenseArrayBase.from_list(i64, row_major(shape)),
        "operandSegmentSizes": DenseArrayBase.from_list(i32, [1, 0, 0, 0]),
    }


_ALLOCATION: Final[dict[str, Attribute]] = {
    "operandSegmentSizes": DenseArrayBase.from_list(i32, [0, 0]),
    "alignment": IntegerAttr(ALIGNMENT, i64),
}


@dataclass(frozen=True)
class KernelBufferize(ModulePass):
    """Give every value its memory, planned ahead.

    Arguments become buffers that are only read, and each result one more argument, which the kernel
    that computes it writes to (destination passing). Other values live in one arena, on the stack
    if it is small, where those that do not live at once share places, and a kernel writes in place
    over what it is the last to read. Reshapes become views. A result that is an argument, a
    constant or another result is copied.

        func.func @f(%x: tensor<8xf32>) -> tensor<2x4xf32> {
          %y = kernel.fusion ins(%a = %x : tensor<8xf32>) ... -> (tensor<8xf32>)
          %z = array.reshape %y : tensor<8xf32> -> tensor<2x4xf32>
          func.return %z : tensor<2x4xf32>
        }

    becomes

        func.func @f(%x: memref<8xf32>, %out0: memref<2x4xf32>) {
          %0 = memref.reinterpret_cast %out0 to ... : memref<2x4xf32> to memref<8xf32>
          kernel.fusion ins(%a = %x : memref<8xf32>) outs(%0 : memref<8xf32>) ...
          func.return
        }

    Options:
        function: the function to work on; each one of the module if none is named.
    """

    name: ClassVar[str] = "kernel-bufferize"
    function: str | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to the functions."""
        constants = Constants(op)
        named = None if self.function is None else [find_function(op, self.function)]
        for function in named or list(functions_of(op)):
            bufferize(function, constants)
