"""``kernel-split-lanes``: lanes of a loop that do not meet run on several threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
)
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import is_array_op
from ...ir.integer_arrays import segment_sizes
from ...ir.kernel.buffers import part_properties, part_type
from ...ir.kernel.ops import FusionOp, YieldOp
from ...ir.ops import Environment, append_op, copy_op, ops_of
from ..blocks import mapping
from ..fusion.target import MAX_CHUNKS
from ..simplify.rewriting import blocks_of, functions_of
from .demands import lanes_type, on_lanes
from .loops import LoopLanes, lanes_of, places_after

SPLIT_MICROSECONDS: Final = 500.0
"""A loop that takes less on one core, by the cost model, is not split."""

CHUNK_MICROSECONDS: Final = 50.0
"""What a chunk of lanes should take, at least."""

CHUNK_LANES: Final = 8
"""The least lanes of a chunk, which share what is read as a whole."""

_INDEX: Final = IndexType()

_WHOLE: Final = (scf.ParallelOp, FusionOp)
"""Ops whose regions have no loops to split."""


def split_lanes(block: Block) -> None:
    """Split the loops of a block, and of the loops and branches in it."""
    for op in ops_of(block):
        if not op.regions or type(op) in _WHOLE or (isinstance(op, scf.ForOp) and _split(op)):
            continue
        for inner in blocks_of(op):
            split_lanes(inner)


def _split(loop: scf.ForOp) -> bool:
    """Replace a loop by chunks of its lanes, if it has lanes and takes long enough."""
    lanes = lanes_of(loop)
    if lanes is None or lanes.microseconds < SPLIT_MICROSECONDS:
        return False
    chunks = chunks_of(lanes)
    if chunks < 2:
        return False
    _Splitting(loop, lanes, chunks).run()
    return True


def chunks_of(lanes: LoopLanes) -> int:
    """Return into how many chunks of equal size lanes are split.

    It is the largest number that divides the lanes into chunks of whole tiles, if any does.
    """
    most = min(
        MAX_CHUNKS, lanes.count // CHUNK_LANES, int(lanes.microseconds // CHUNK_MICROSECONDS)
    )
    counts = [n for n in range(most, 1, -1) if lanes.count % n == 0]
    whole = [n for n in counts if lanes.count // n % lanes.tile == 0]
    return next(iter(whole or counts), 1)


class _Splitting:
    """The splitting of one loop."""

    def __init__(self, loop: scf.ForOp, lanes: LoopLanes, chunks: int) -> None:
        self.loop = loop
        self.lanes = lanes
        self.chunks = chunks
        self.size = lanes.count // chunks
        self.block = Block(arg_types=[_INDEX])
        self.start: SSAValue = self.block.args[0]

    def run(self) -> None:
        """Put the parallel loop in the place of the loop."""
        loop = self.loop
        size = self._append(self.block, arith.ConstantOp(IntegerAttr(self.size, _INDEX)))
        self.start = self._append(self.block, arith.MuliOp(self.block.args[0], size))
        environment: Environment = {}
        for buffer, some in self.lanes.needs.items():
            if some and not _is_inside(buffer, loop):
                environment[buffer] = self._taken(self.block, buffer)
        self._copy(loop, self.block, environment)
        self._append(self.block, scf.ReduceOp())
        bounds = [arith.ConstantOp(IntegerAttr(n, _INDEX)) for n in (0, self.chunks, 1)]
        for bound in bounds:
            bound.location = loop.location
        segments = segment_sizes(1, 1, 1, 0)
        parallel = scf.ParallelOp.create(
            operands=[bound.result for bound in bounds],
            properties={"operandSegmentSizes": segments},
            regions=[Region(self.block)],
            location=loop.location,
        )
        outside = loop.parent
        assert outside is not None
        outside.insert_ops_before([*bounds, parallel], loop)
        for result, buffer in zip(loop.results, places_after(loop)):
            result.replace_all_uses_with(buffer)
        outside.erase_op(loop)

    def _append(self, block: Block, op: Operation) -> SSAValue:
        op.location = self.loop.location
        block.add_op(op)
        return op.results[0] if op.results else self.start

    def _taken(self, block: Block, buffer: SSAValue) -> SSAValue:
        """Append the view of the chunk's lanes of a buffer."""
        type_ = buffer.type
        assert isinstance(type_, MemRefType)
        shape = type_.get_shape()
        result = part_type(type_, (self.size, *shape[1:]))
        properties = part_properties(shape, self.size)
        view = memref.SubviewOp.create(
            operands=[buffer, self.start], result_types=[result], properties=properties
        )
        return self._append(block, view)

    # Copies of what is in the loop, on lanes

    def _copy(self, op: Operation, block: Block, environment: Environment) -> None:
        """Append the copy of an op that works on the chunk's lanes."""
        if isinstance(op, FusionOp):
            block.add_op(self._fusion(op, environment))
        elif isinstance(op, scf.ForOp):
            block.add_op(self._for(op, environment))
        else:
            copy = copy_op(op, environment)
            block.add_op(copy)
            for old, new in zip(op.results, copy.results):
                environment[old] = new
                if self.lanes.needs.get(old):
                    environment[old] = self._taken(block, new)

    def _for(self, op: scf.ForOp, environment: Environment) -> Operation:
        operands = _found(op.operands, environment)
        types = [value.type for value in operands[3:]]
        body = Block(arg_types=[_INDEX, *types])
        environment.update(zip(op.body.block.args, body.args))
        for inner in op.body.block.ops:
            self._copy(inner, body, environment)
        new = scf.ForOp.create(
            operands=operands,
            result_types=types,
            attributes=op.attributes,
            regions=[Region(body)],
            location=op.location,
        )
        environment.update(zip(op.results, new.results))
        return new

    def _fusion(self, op: FusionOp, environment: Environment) -> Operation:
        if op.results:
            copy = copy_op(op, environment)
            environment.update(zip(op.results, copy.results))
            return copy
        ins, outs = _found(op.ins, environment), _found(op.outs, environment)
        schedule = replace(op.schedule.data, parallel=())
        body = self._body(op)
        return FusionOp.of(body, ins, outs, schedule=schedule, location=op.location)

    def _body(self, fusion: FusionOp) -> Block:
        """Return the body of a fusion that computes the chunk's lanes of its results."""
        old, needs = fusion.body.block, self.lanes.within[fusion]
        size = self.size
        types = [lanes_type(v.type, size) if needs.get(v) else v.type for v in old.args]
        new = Block(arg_types=types)
        environment: Environment = mapping(old.args, new.args)
        for op in ops_of(old):
            operands = _found(op._operands, environment)
            if not is_array_op(op):
                new.add_op(YieldOp.create(operands=operands, location=op.location))
                continue
            wanted = [needs[result] for result in op.results if result in needs]
            if wanted:
                copy = on_lanes(op, operands, size) if wanted[0] else op.with_operands(operands)
                append_op(new, copy)
                environment.update(zip(op.results, copy.results))
        return new


def _found(values: Sequence[SSAValue], environment: Environment) -> list[SSAValue]:
    return [environment.get(value, value) for value in values]


def _is_inside(value: SSAValue, loop: scf.ForOp) -> bool:
    parent = value.owner if isinstance(value.owner, Block) else value.owner.parent
    while parent is not None:
        op = parent.parent_op()
        if op is loop:
            return True
        parent = op.parent if op is not None else None
    return False


@dataclass(frozen=True)
class KernelSplitLanes(ModulePass):
    """Let lanes of a loop run on several threads, each through all steps.

    Lanes are places along dimension 0 of what a loop carries, such as the examples of a batch. If
    no lane needs another one, chunks of them take the steps on their own, and threads need not wait
    for each other in each step. It is done for loops over kernels on buffers that take long, where
    no kernel is the library's; what lanes share, as weights, is only read.

        scf.for %i = %c0 to %c100 step %c1 {
          kernel.fusion ins(%a = %h : memref<32x64xf32>) outs(%h : memref<32x64xf32>) ...
        }

    becomes

        scf.parallel (%n) = (%c0) to (%c4) step (%c1) {
          %first = arith.muli %n, %c8 : index
          %part = memref.subview %h[%first, 0] [8, 64] [1, 1] : ...
          scf.for %i = %c0 to %c100 step %c1 {
            kernel.fusion ins(%a = %part : memref<8x64xf32, ...>) outs(%part : ...) ...
          }
        }

    How lanes are split depends on sizes alone, and so do results.
    """

    name: ClassVar[str] = "kernel-split-lanes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            split_lanes(function.body.block)
