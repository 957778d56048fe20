"""The pass that gives every value its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from math import prod
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    i8,
    i32,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.effect import CallbackOp
from ...ir.array.shape import ConstantOp, ReshapeOp
from ...ir.functions import find_function, return_of
from ...ir.integer_arrays import dense_i64, integer, one_group, segment_sizes
from ...ir.kernel.buffers import STATUS, buffer_type, part_type
from ...ir.kernel.memory import LoadOp, StoreOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.registers import is_read_at_computed_positions
from ...ir.ops import append_op, default_properties, make_op, ops_in
from ...ir.types import Shape, row_major, shape_of
from ..simplify.rewriting import functions_of
from . import control
from .arena import ALIGNMENT, Storage
from .plan import Copy, MemoryPlan

STACK_BYTES: Final = 1 << 14
"""A larger arena is allocated on the heap."""

COPY_REASON: Final = "kernel.reason"
"""The attribute of a copy that says why it is made."""


def bufferize(function: FuncOp, constants: Constants) -> None:
    """Rewrite a function at the kernel level to work on memory, in place.

    Its arguments become buffers that are only read, but for in-out ones (`ir.functions.IN_OUT`),
    which are changed. They are followed by one buffer for each result that is no argument's. If it
    has tapes or calls Python, it returns a status: 0, or why its results are not valid. What it
    needs of constants is defined in the module that ``constants`` was made for.

    Raises:
        GradatimError: if it has ops other than kernels, reshapes, constants, loops and branches.
    """
    plan = MemoryPlan(function)
    old = function.body.block
    rewrite = Bufferize(function, plan, constants)
    rewrite.run()
    function.body.detach_block(old)
    function.body.add_block(rewrite.block)
    outputs = [] if rewrite.status is None else [i32]
    function.properties["function_type"] = FunctionType.from_lists(rewrite.block.arg_types, outputs)


class Bufferize:
    """Appends a function's ops on buffers to a new block."""

    def __init__(self, function: FuncOp, plan: MemoryPlan, constants: Constants) -> None:
        self.plan = plan
        self.constants = constants
        self.old = function.body.block
        self.terminator = return_of(function)
        results = self.terminator.operands
        separate = {out.result: results[out.result] for out in plan.outs if out.result is not None}
        types = [v.type for v in (*self.old.args, *separate.values())]
        self.block = Block(arg_types=[buffer_type(type_) for type_ in types])  # type: ignore[arg-type]
        self.location = function.location
        self.outs = dict(zip(separate, self.block.args[len(self.old.args) :]))
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.tensors: dict[SSAValue, SSAValue] = {}
        self.storages: dict[Storage, SSAValue] = {
            out: self.block.args[out.argument] for out in plan.outs if out.argument is not None
        }
        self.at_end: list[Callable[[], None]] = []
        self.status: SSAValue | None = None
        self.calls_python = any(type(op) is CallbackOp for op in ops_in(self.old))
        self._frames: dict[Operation | None, Frame] = {}
        self._globals: dict[DenseIntOrFPElementsAttr, SSAValue] = {}

    def run(self) -> None:
        """Append everything."""
        self._name_arguments()
        with self.frame(None):
            if self.plan.pushes or self.calls_python:
                self._append_status()
            self.append_copies(self.plan.first)
            self.append_ops(self.old)
            self.end()
        if self.status is not None:
            self.add(ReturnOp, (self.append(memref.LoadOp, (self.status,), i32),))
        else:
            self.add(ReturnOp, ())

    def _append_status(self) -> None:
        """Have a word that says whether memory for tapes could be had, and Python did not raise."""
        self.status = self.append(memref.AllocaOp, (), buffer_type(STATUS), _ALLOCATION)
        self.status.name_hint = "status"
        zero = self.append(arith.ConstantOp, (), i32, {"value": IntegerAttr(0, i32)})
        self.add(memref.StoreOp, (zero, self.status))

    def _name_arguments(self) -> None:
        for before, after in zip(self.old.args, self.block.args):
            after.name_hint, after.location = before.name_hint, before.location
            self.buffers[before] = after
        for number, out in self.outs.items():
            out.name_hint, out.location = f"out{number}", self.terminator.location

    def append_ops(self, block: Block) -> None:
        """Append the ops of a block on buffers, and the copies at its end."""
        for op in list(block.ops):
            self.location = op.location
            if isinstance(op, FusionOp):
                self._append_fusion(op)
            elif isinstance(op, ReshapeOp):
                self._append_view(op)
            else:
                control.append(self, op)
        self.append_copies(self.plan.ends.get(block, ()))

    def _append_fusion(self, fusion: FusionOp) -> None:
        """The body yields first what goes to memory, then what stays in registers."""
        plan = self.plan
        body = fusion.body.block
        yielded: list[SSAValue] = []
        outs: list[SSAValue] = []
        for value, inner in zip(fusion.results, fusion.terminator.operands):
            storages = [] if value in plan.held else [plan.storage[value]]
            for storage in (*storages, *plan.also.get(value, ())):
                outs.append(self.memory(storage, value.type, value.name_hint))
                yielded.append(inner)
            if value not in plan.held:
                self.buffers[value] = outs[-1 - len(plan.also.get(value, ()))]
        held = [i for i, value in enumerate(fusion.results) if value in plan.held]
        yielded += [fusion.terminator.operands[i] for i in held]
        if yielded != list(fusion.terminator.operands):
            fusion.terminator.operands = yielded
        ins = [self._operand(v, a, fusion) for v, a in zip(fusion.ins, body.args)]
        if isinstance(yielded[0].owner, CallbackOp):
            assert self.status is not None
            body.insert_arg(STATUS, len(body.args))
            ins.append(self.status)
        fusion.body.detach_block(body)
        new = FusionOp.of(body, ins, outs, schedule=fusion.schedule.data, location=fusion.location)
        self.block.add_op(new)
        for i, result in zip(held, new.results):
            self.tensors[fusion.results[i]] = result
            result.name_hint = fusion.results[i].name_hint

    def _operand(self, value: SSAValue, argument: SSAValue, fusion: FusionOp) -> SSAValue:
        """Return what a kernel reads a value from: a register if it is in one and that serves."""
        held = self.tensors.get(value)
        if held is None or not self.is_in_memory(value):
            return held if held is not None else self.buffer(value)
        in_registers = fusion.schedule.data.registers or prod(shape_of(value)) == 1
        if in_registers and not is_read_at_computed_positions(argument):
            return held
        return self.buffer(value)

    def _append_view(self, op: ReshapeOp) -> None:
        """A held value is given another shape; views of memory are made when first read."""
        if op.operand in self.plan.held:
            self.tensors[op.result] = self.append(
                ReshapeOp, (self.tensor(op.operand),), op.result.type
            )

    # Values

    def is_in_memory(self, value: SSAValue) -> bool:
        """Tell whether a value has a buffer."""
        return value not in self.plan.held

    def buffer(self, value: SSAValue) -> SSAValue:
        """Return the buffer that holds a value; views and constants are made when first read."""
        found = self.buffers.get(value)
        if found is None:
            op = value.owner
            storage = self.plan.storage.get(value)
            if storage is not None:
                return self.memory(storage, value.type)
            elif isinstance(op, ConstantOp):
                found = self._global(op.value)
            else:
                assert isinstance(op, ReshapeOp)
                found = self._reshaped(self.buffer(op.operand), buffer_type(op.result.type))
            self.buffers[value] = found
        return found

    def tensor(self, value: SSAValue) -> SSAValue:
        """Return a small value in registers, read from memory if it is there."""
        found = self.tensors.get(value)
        if found is None:
            found = self.append(LoadOp, (self.buffer(value),), value.type)
            self.tensors[value] = found
        return found

    def memory(self, storage: Storage, type_: Attribute, hint: str | None = None) -> SSAValue:
        """Return a piece of memory as a buffer for a value of a type and a name."""
        assert isinstance(type_, TensorType)
        wanted = buffer_type(type_)
        found = self.storages.get(storage)
        if found is None:
            number = storage.result
            found = self._view(storage, wanted, hint) if number is None else self.outs[number]
        return self._reshaped(found, wanted)

    def append_copies(self, copies: Iterable[Copy]) -> None:
        """Append copies, or stores of what is in registers."""
        for value, storage, reason, location, aside in copies:
            self.location = location
            target = self.memory(storage, value.type)
            if self.is_in_memory(value):
                attributes = {COPY_REASON: StringAttr(reason)}
                source = self.buffer(value) if aside is None else self.memory(aside, value.type)
                self.add(memref.CopyOp, (source, target), attributes=attributes)
            else:
                self.add(StoreOp, (self.tensor(value), target))

    @contextmanager
    def scope(self, block: Block) -> Iterator[None]:
        """Append to a block, and forget afterwards what is defined in it."""
        before = self.block, self.buffers, self.tensors, self.storages, self.at_end
        self.block, self.at_end = block, []
        self.buffers, self.tensors = dict(self.buffers), dict(self.tensors)
        self.storages = dict(self.storages)
        yield
        self.block, self.buffers, self.tensors, self.storages, self.at_end = before

    def end(self) -> None:
        """Append what is to be done when all else in a block is."""
        for action in self.at_end:
            action()

    # Memory

    @contextmanager
    def frame(self, owner: Operation | None) -> Iterator[None]:
        """Have an arena, of the function or of a scan's steps on one thread, in this block."""
        size = self.plan.arena_sizes.get(owner, 0)
        frame = self._frames[owner] = Frame(self.block)
        if size:
            op_type = memref.AllocaOp if size <= STACK_BYTES else memref.AllocOp
            frame.arena = self.append(op_type, (), MemRefType(i8, [size]), _ALLOCATION)
            frame.arena.name_hint = "arena"
        yield
        if size > STACK_BYTES:
            assert frame.arena is not None
            self.add(memref.DeallocOp, (frame.arena,))

    @contextmanager
    def _within(self, block: Block) -> Iterator[None]:
        """Append to a block around the current one, before the op that is being built."""
        before, self.block = self.block, block
        yield
        self.block = before

    def _view(self, storage: Storage, type_: MemRefType, hint: str | None) -> SSAValue:
        """Return a place in an arena, which all scopes within its frame see."""
        frame = self._frames[storage.frame]
        found = frame.views.get(storage)
        if found is None:
            assert frame.arena is not None
            with self._within(frame.block):
                start = self.index(storage.offset)
                found = self.append(memref.ViewOp, (frame.arena, start), type_)
            found.name_hint = hint
            frame.views[storage] = found
        return found

    def _reshaped_part(self, part: SSAValue, shape: Shape) -> SSAValue:
        """Return a part of a buffer, which lies in one piece, under another shape."""
        type_ = part.type
        assert isinstance(type_, MemRefType)
        flat = part_type(type_, (prod(shape),))
        if type_.get_num_dims() != 1:
            part = self._regrouped(part, flat)
        return part if len(shape) == 1 else self._regrouped(part, part_type(type_, shape))

    def _regrouped(self, part: SSAValue, type_: MemRefType) -> SSAValue:
        """Join all dimensions of a part to one, or split one to several."""
        source = part.type
        assert isinstance(source, MemRefType)
        before, after = source.get_num_dims(), type_.get_num_dims()
        several = max(before, after) if min(before, after) else 0
        properties: dict[str, Attribute] = {"reassociation": one_group(several)}
        if after > before:
            properties["static_output_shape"] = dense_i64(type_.get_shape())
            return self.append(memref.ExpandShapeOp, (part,), type_, properties)
        return self.append(memref.CollapseShapeOp, (part,), type_, properties)

    def index(self, value: int) -> SSAValue:
        """Return an index constant."""
        return self.append(arith.ConstantOp, (), _INDEX, {"value": integer(value, _INDEX)})

    def arithmetic(self, op_type: type[Operation], left: SSAValue, right: SSAValue) -> SSAValue:
        """Append arithmetic on indices."""
        return self.append(op_type, (left, right), _INDEX, _NO_OVERFLOW)

    def _reshaped(self, buffer: SSAValue, type_: MemRefType) -> SSAValue:
        """Return a buffer under another shape."""
        source = buffer.type
        assert isinstance(source, MemRefType)
        if source.get_shape() == type_.get_shape():
            return buffer
        shape = type_.get_shape()
        if isinstance(source.layout, NoneAttr):
            properties = _reinterpretation(shape)
            return self.append(memref.ReinterpretCastOp, (buffer,), type_, properties)
        return self._reshaped_part(buffer, shape)

    def _global(self, value: DenseIntOrFPElementsAttr) -> SSAValue:
        """Return the memory of a constant, which is the module's."""
        found = self._globals.get(value)
        if found is None:
            type_ = buffer_type(value.type)  # type: ignore[arg-type]
            symbol = SymbolRefAttr(self.constants.symbol_of(value))
            with self._within(self._frames[None].block):
                found = self.append(memref.GetGlobalOp, (), type_, {"name": symbol})
            self._globals[value] = found
        return found

    # Ops

    def append(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        result: Attribute,
        properties: Mapping[str, Attribute] = {},
    ) -> SSAValue:
        """Append an op of one result."""
        return self.add(op_type, operands, (result,), properties).results[0]

    def add(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        results: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] = {},
        attributes: Mapping[str, Attribute] = {},
        regions: Sequence[Region] = (),
    ) -> Operation:
        """Append an op."""
        properties = {**default_properties(op_type), **properties}
        op = make_op(op_type, operands, results, properties, self.location, regions)
        op.attributes.update(attributes)
        append_op(self.block, op)
        return op


@dataclass
class Frame:
    """Where an arena is: the block around everything that uses it, and its places."""

    block: Block
    arena: SSAValue | None = None
    views: dict[Storage, SSAValue] = field(default_factory=dict)


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
        "static_offsets": dense_i64([0]),
        "static_sizes": dense_i64(shape),
        "static_strides": dense_i64(row_major(shape)),
        "operandSegmentSizes": segment_sizes(1, 0, 0, 0),
    }


_INDEX: Final = IndexType()

_NO_OVERFLOW: Final = {"overflowFlags": arith.IntegerOverflowAttr("none")}

_ALLOCATION: Final[dict[str, Attribute]] = {
    "operandSegmentSizes": segment_sizes(0, 0),
    "alignment": IntegerAttr(ALIGNMENT, i64),
}


@dataclass(frozen=True)
class KernelBufferize(ModulePass):
    """Give every value its memory, planned ahead.

    Arguments become buffers that are only read, and each result one more argument, which the kernel
    that computes it writes to (destination passing). Other values live in one arena, on the stack
    if it is small, where those that do not live at once share places, and a kernel writes in place
    over what it is the last to read. Reshapes become views. A result that is an argument, a
    constant or another result is copied. In-out arguments, those whose new contents are results by
    the function's attribute ``gradatim.inout``, are overwritten once they are read for the last
    time, or at the end.

    Loops and branches become ``scf`` ops. What kernels compute in registers stays a tensor, which
    they carry. What loops carry in memory is changed in place or, where its next value cannot be
    written over it, takes turns with another piece of memory, which the loop carries then. Steps
    read their parts of arrays where they are, and write their results where they belong in the
    stacked ones. Tapes become memory that grows, and the function gives a status. Copies that
    remain have an attribute ``kernel.reason``.

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
