"""Where the scratch memory of kernels lies: in the one piece that a function has from its start.

Kernels allocate what they need where they run, perhaps in each step of a loop. Here that becomes
places in an arena, which what is not needed at once shares with it, that of the function's
temporaries too. The program asks for it first of all, and gives up if it cannot have it.

What the chunks of a parallel loop allocate is private to each. It lies in an arena of the chunk,
taken from a reserve (``ir/kernel/scratch.py``) that is a place in the arena around the loop. A
private function is given its arena by its callers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Final

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    FunctionType,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    i8,
    i64,
)
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.rewriter import Rewriter

from ...ir.integer_arrays import segment_sizes
from ...ir.kernel.buffers import value_type
from ...ir.kernel.scratch import HEADER, ScratchGiveOp, ScratchReserveOp, ScratchTakeOp
from ...ir.types import tensor_info
from ..bufferize.arena import ALIGNMENT, Storage, plan_arena

_AT_ONCE: Final = (arith.ConstantOp, memref.AllocaOp, memref.GetGlobalOp, memref.StoreOp)
"""Ops that may come before an arena: they need not be undone where it cannot be had."""

_Use = Callable[[SSAValue, int], None]
"""Lets an op use a place in an arena, which begins so many bytes after its start."""


def place_scratch(module: ModuleOp) -> None:
    """Let what the kernels of lowered functions allocate lie in one arena a function."""
    functions = [op for op in module.body.block.ops if isinstance(op, FuncOp)]
    defined = [f for f in functions if not f.is_declaration]
    sizes: dict[str, int] = {}
    for function in sorted(defined, key=_is_private, reverse=True):
        block = function.body.block
        frame = _Frame(block, sizes)
        if frame.is_in_place():
            continue
        if _is_private(function):
            sizes[function.sym_name.data] = frame.size
            arena: SSAValue = block.insert_arg(_bytes(frame.size), len(block.args))
            inputs, outputs = block.arg_types, function.function_type.outputs.data
            function.properties["function_type"] = FunctionType.from_lists(inputs, outputs)
        else:
            arena = _allocate(block, frame.size)
        arena.name_hint = "arena"
        frame.place(arena)


def _is_private(function: FuncOp) -> bool:
    return function.sym_visibility is not None and function.sym_visibility.data == "private"


class _Frame:
    """What runs on one thread: a function, or a chunk of a parallel loop.

    Attributes:
        block: its ops.
        size: the bytes of the arena that holds all that they need.
    """

    def __init__(self, block: Block, sizes: Mapping[str, int]) -> None:
        self.block = block
        self._sizes = sizes
        self._requests: dict[Operation, tuple[Storage, _Use]] = {}
        self._deallocations: list[Operation] = []
        self._number = 0
        self._collect(block)
        storages = [storage for storage, _ in self._requests.values()]
        for storage in storages:
            storage.last = storage.last or self._number
        self.size = plan_arena(storages)

    def _collect(self, block: Block) -> None:
        for op in block.ops:
            self._number += 1
            rule = _COLLECT.get(type(op))
            if rule is not None:
                rule(self, op)
                continue
            for region in op.regions:
                for inner in region.blocks:
                    self._collect(inner)

    def _allocation(self, op: Operation) -> None:
        shape, dtype = tensor_info(value_type(op.results[0].type))
        self._request(op, prod(shape) * dtype.itemsize, 0, partial(_use_as_allocated, op))

    def _deallocation(self, op: Operation) -> None:
        allocation = op.operands[0].owner
        if isinstance(allocation, Operation) and allocation in self._requests:
            self._requests[allocation][0].last = self._number
            self._deallocations.append(op)

    def _call(self, op: Operation) -> None:
        assert isinstance(op, CallOp)
        size = self._sizes.get(op.callee.root_reference.data)
        if size is not None:
            self._request(op, size, self._number, partial(_pass_on, op, size))

    def _parallel(self, op: Operation) -> None:
        assert isinstance(op, scf.ParallelOp)
        chunk = _Frame(op.body.block, self._sizes)
        if chunk._requests:
            size = chunk.size + HEADER
            self._request(op, size, self._number, partial(_use_as_reserve, op, chunk))

    def _request(self, op: Operation, size: int, last: int, use: _Use) -> None:
        self._requests[op] = Storage(max(size, 1), self._number, last), use

    def is_in_place(self) -> bool:
        """Tell whether nothing is needed, or only what is allocated first of all."""
        later = next((op for op in self.block.ops if not isinstance(op, _AT_ONCE)), None)
        return all(op is later and isinstance(op, memref.AllocOp) for op in self._requests)

    def place(self, arena: SSAValue) -> None:
        """Let all ops use their places in an arena."""
        for op in self._deallocations:
            Rewriter.erase_op(op)
        for storage, use in self._requests.values():
            use(arena, storage.offset)


_COLLECT: Final[dict[type[Operation], Callable[[_Frame, Operation], None]]] = {
    memref.AllocOp: _Frame._allocation,
    memref.DeallocOp: _Frame._deallocation,
    CallOp: _Frame._call,
    scf.ParallelOp: _Frame._parallel,
}


# Arenas


def _allocate(block: Block, size: int) -> SSAValue:
    """Allocate an arena before all else in a function, until it ends."""
    first, last = block.first_op, block.last_op
    assert first is not None and last is not None
    properties: dict[str, Attribute] = {
        "operandSegmentSizes": segment_sizes(0, 0),
        "alignment": IntegerAttr(ALIGNMENT, i64),
    }
    new = memref.AllocOp.create(result_types=(_bytes(size),), properties=properties)
    new.location = first.location
    block.insert_op_before(new, first)
    end = memref.DeallocOp.create(operands=new.results, location=last.location)
    block.insert_op_before(end, last)
    return new.results[0]


def _use_as_allocated(op: Operation, arena: SSAValue, offset: int) -> None:
    """Let a place be what was allocated."""
    result = op.results[0]
    view = _view(op, arena, offset, result.type)
    view.name_hint = result.name_hint
    result.replace_all_uses_with(view)
    Rewriter.erase_op(op)


def _pass_on(op: Operation, size: int, arena: SSAValue, offset: int) -> None:
    """Hand a place to a function that is called."""
    op.operands = [*op.operands, _view(op, arena, offset, _bytes(size))]


def _use_as_reserve(op: Operation, chunk: _Frame, arena: SSAValue, offset: int) -> None:
    """Let the chunks of a parallel loop take a place, or memory like it."""
    block, location = chunk.block, op.location
    first, last = block.first_op, block.last_op
    assert op.parent is not None and first is not None and last is not None
    reserve = _view(op, arena, offset, _bytes(chunk.size + HEADER))
    op.parent.insert_op_before(ScratchReserveOp.create(operands=(reserve,), location=location), op)
    types = (_bytes(chunk.size),)
    take = ScratchTakeOp.create(operands=(reserve,), result_types=types, location=location)
    block.insert_op_before(take, first)
    give = ScratchGiveOp.create(operands=(take.result, reserve), location=location)
    block.insert_op_before(give, last)
    chunk.place(take.result)


def _view(op: Operation, arena: SSAValue, offset: int, type_: Attribute) -> SSAValue:
    """Return a place in an arena, made before an op."""
    start = arith.ConstantOp.create(
        result_types=(IndexType(),),
        properties={"value": IntegerAttr(offset, IndexType())},
        location=op.location,
    )
    view = memref.ViewOp.create(
        operands=(arena, start.result), result_types=(type_,), location=op.location
    )
    assert op.parent is not None
    op.parent.insert_ops_before([start, view], op)
    return view.results[0]


def _bytes(size: int) -> MemRefType:
    return MemRefType(i8, [size])
