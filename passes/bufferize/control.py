"""Loops and branches on buffers: ``scf`` ops, which carry small arrays and where memory is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    MemRefType,
    i1,
    i32,
    i64,
)
from xdsl.dialects.tensor import ExtractOp, FromElementsOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...ir.array.control import CaseOp, ScanOp, WhileOp
from ...ir.array.regions import RegionOp, terminator_of
from ...ir.array.shape import ReshapeOp
from ...ir.integer_arrays import dense_i64, segment_sizes
from ...ir.kernel.buffers import part_properties, part_type
from ...ir.kernel.memory import StoreOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.registers import is_read_at_computed_positions, is_small
from ...ir.kernel.schedule import PARALLEL_STEPS, UNROLL
from ...ir.kernel.tape import TapeType
from ...ir.types import dtype_of
from . import tapes
from .arena import Storage
from .plan import LoopPlan

if TYPE_CHECKING:
    from .bufferize import Bufferize

INDEX: Final = IndexType()

_EQUAL: Final = 0  # the predicate of an upstream comparison


def append(b: Bufferize, op: Operation) -> None:
    """Append what a loop or a branch becomes; other ops make nothing."""
    rule = _RULES.get(type(op))
    if rule is not None:
        rule(b, op)


# Branches


def _case(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, CaseOp)
    held = [result for result in op.results if result in b.plan.held]
    types = [_held_type(value) for value in held]
    index = _scalar(b, op.index)
    regions = [_branch(b, op, region.block) for region in op.regions]
    if dtype_of(op.index).kind == "b":
        new = b.add(scf.IfOp, (index,), types, regions=regions[::-1])
    else:
        number = b.append(arith.IndexCastOp, (index,), INDEX)
        numbers = dense_i64(range(1, len(regions)))
        new = b.add(scf.IndexSwitchOp, (number,), types, {"cases": numbers}, regions=regions)
    b.tensors.update(zip(held, new.results))
    tapes.enter(b, held)


def _held_type(value: SSAValue) -> Attribute:
    return TapeType() if tapes.is_tape(value) else value.type


def _branch(b: Bufferize, op: CaseOp, old: Block) -> Region:
    block = Block()
    with b.scope(block):
        _stand_for(b, op.inputs, old.args)
        tapes.enter(b, old.args)
        b.append_ops(old)
        b.end()
        yielded = terminator_of(old).operands
        held = [b.tensor(v) for v, r in zip(yielded, op.results) if r in b.plan.held]
        b.add(scf.YieldOp, held)
    return Region(block)


def _scalar(b: Bufferize, value: SSAValue) -> SSAValue:
    """Return a bool or an ``i64`` as a scalar."""
    type_ = i1 if dtype_of(value).kind == "b" else i64
    return b.append(ExtractOp, (b.tensor(value),), type_)


# Loops


class _Carried:
    """What an ``scf`` loop carries: the values that are held, and then where memory is."""

    def __init__(self, b: Bufferize, op: RegionOp, plan: LoopPlan) -> None:
        self.b = b
        self.plan = plan
        self.held = [k for k, r in enumerate(op.results) if r in b.plan.held]
        self.labels = list(plan.rotation)
        carries = op.groups[1]
        self.types: dict[Storage, Attribute] = {}
        for k, home in plan.storages.items():
            self.types[home] = carries[k].type
            self.types.setdefault(plan.rotation.get(home, home), carries[k].type)
        self.initial = [b.tensor(carries[k]) for k in self.held]
        self.initial += [b.memory(label, self.types[label]) for label in self.labels]

    def enter(self, arguments: Sequence[SSAValue], carries: Sequence[SSAValue]) -> None:
        """Let the arguments of the new block stand for the carries of the old one."""
        b = self.b
        for k, argument in zip(self.held, arguments):
            b.tensors[carries[k]] = argument
            argument.name_hint = carries[k].name_hint
        b.storages.update(zip(self.labels, arguments[len(self.held) :]))

    def following(self, yielded: Sequence[SSAValue]) -> list[SSAValue]:
        """Return what is carried on to the next step.

        Small arrays are read here, before copies overwrite the memory of other carries.
        """
        b = self.b
        moved = [b.memory(s, self.types[label]) for label, s in self.plan.rotation.items()]
        return [*(b.tensor(yielded[k]) for k in self.held), *moved]

    def leave(self, results: Sequence[SSAValue], carries: Sequence[SSAValue]) -> None:
        """Let the results of the new op stand for those of the old one."""
        b = self.b
        for k, result in zip(self.held, results):
            b.tensors[carries[k]] = result
            result.name_hint = carries[k].name_hint
        tapes.enter(b, [carries[k] for k in self.held])
        places = dict(zip(self.labels, results[len(self.held) :]))
        for k, home in self.plan.storages.items():
            found = b.plan.storage[carries[k]]
            if found is not home and home in places and found not in places:
                b.storages[found] = places[home]


def _scan(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, ScanOp)
    plan = b.plan.loops[op]
    b.append_copies(plan.before)
    _hoist(b, op.groups[0], [op.parts.consts])
    stacks = {v: _in_memory(b, v, plan) for v in op.groups[2]}
    chunk = op.attributes.get(PARALLEL_STEPS)
    if isinstance(chunk, IntegerAttr):
        _parallel_steps(b, op, stacks, chunk.value.data)
    else:
        _steps(b, op, stacks, b.index(0), b.index(op.count))


def _steps(
    b: Bufferize, op: ScanOp, stacks: Mapping[SSAValue, SSAValue], start: SSAValue, end: SSAValue
) -> None:
    """Append the loop over some of a scan's steps."""
    plan = b.plan.loops[op]
    carried = _Carried(b, op, plan)
    block = Block(arg_types=[INDEX, *(value.type for value in carried.initial)])
    with b.scope(block):
        step, *arguments = block.args
        place = _place(b, op, step)
        _stand_for(b, op.groups[0], op.parts.consts)
        carried.enter(arguments, op.parts.carries)
        tapes.enter(b, op.parts.carries)
        for element, part in zip(op.groups[2], op.parts.elements):
            b.buffers[part] = _part(b, stacks[element], place)
            b.buffers[part].name_hint = part.name_hint
        for k, slot in plan.slots.items():
            stack = b.memory(b.plan.storage[op.results[k]], op.results[k].type)
            b.storages[slot] = _part(b, stack, place)
        if op.parts.step.first_use is not None:
            number = b.append(arith.IndexCastOp, (place,), i64)
            b.tensors[op.parts.step] = b.append(FromElementsOp, (number,), op.parts.step.type)
        b.append_copies(plan.first)
        b.append_ops(op.body.block)
        following = carried.following(terminator_of(op.body.block).operands)
        b.append_copies(plan.last)
        b.end()
        b.add(scf.YieldOp, following)
    types = [value.type for value in carried.initial]
    bounds = (start, end, b.index(1))
    operands = (*bounds, *carried.initial)
    attributes = {} if op.unroll is None else {UNROLL: op.unroll}
    new = b.add(scf.ForOp, operands, types, attributes=attributes, regions=[Region(block)])
    carried.leave(new.results, op.results)


def _parallel_steps(
    b: Bufferize, op: ScanOp, stacks: Mapping[SSAValue, SSAValue], chunk: int
) -> None:
    """Append a loop over chunks of steps, which threads take one by one."""
    count = -(-op.count // chunk)
    block = Block(arg_types=[INDEX])
    with b.scope(block):
        with b.frame(op):
            start = b.arithmetic(arith.MuliOp, block.args[0], b.index(chunk))
            end = b.arithmetic(arith.AddiOp, start, b.index(chunk))
            if op.count % chunk:
                end = b.append(arith.MinSIOp, (end, b.index(op.count)), INDEX)
            _steps(b, op, stacks, start, end)
        b.add(scf.ReduceOp, ())
    segments = segment_sizes(1, 1, 1, 0)
    bounds = [b.index(n) for n in (0, count, 1)]
    properties = {"operandSegmentSizes": segments}
    b.add(scf.ParallelOp, bounds, (), properties, regions=[Region(block)])


def _in_memory(b: Bufferize, value: SSAValue, plan: LoopPlan) -> SSAValue:
    """Return the buffer of an array that steps take parts of."""
    storage = plan.elements.get(value)
    if storage is None:
        return b.buffer(value)
    buffer = b.memory(storage, value.type)
    b.add(StoreOp, (b.tensor(value), buffer))
    return buffer


def _place(b: Bufferize, op: ScanOp, step: SSAValue) -> SSAValue:
    """Return the index of a step."""
    if op.reverse is None:
        return step
    return b.arithmetic(arith.SubiOp, b.index(op.count - 1), step)


def _part(b: Bufferize, buffer: SSAValue, place: SSAValue) -> SSAValue:
    """Return the part of a buffer at a place of its first dimension."""
    type_ = buffer.type
    assert isinstance(type_, MemRefType)
    shape = type_.get_shape()
    part = part_type(type_, shape[1:])
    return b.append(memref.SubviewOp, (buffer, place), part, part_properties(shape, 1))


def _while(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, WhileOp)
    plan = b.plan.loops[op]
    b.append_copies(plan.before)
    consts, _ = op.groups
    first = len(consts)
    condition, body = op.condition.block, op.body.block
    _hoist(b, consts, [condition.args[:first], body.args[:first]])
    carried = _Carried(b, op, plan)
    types = [value.type for value in carried.initial]
    before, after = Block(arg_types=types), Block(arg_types=types)
    with b.scope(before):
        _stand_for(b, consts, condition.args[:first])
        carried.enter(before.args, condition.args[first:])
        b.append_ops(condition)
        predicate = _scalar(b, terminator_of(condition).operands[0])
        if b.calls_python:
            predicate = b.append(arith.AndIOp, (predicate, _is_good(b)), i1)
        b.add(scf.ConditionOp, (predicate, *before.args))
    with b.scope(after):
        _stand_for(b, consts, body.args[:first])
        carried.enter(after.args, body.args[first:])
        tapes.enter(b, body.args[first:])
        b.append_ops(body)
        following = carried.following(terminator_of(body).operands)
        b.append_copies(plan.last)
        b.end()
        b.add(scf.YieldOp, following)
    regions = [Region(before), Region(after)]
    new = b.add(scf.WhileOp, carried.initial, types, regions=regions)
    carried.leave(new.results, op.results)


def _is_good(b: Bufferize) -> SSAValue:
    """Append whether the status is still 0.

    After Python has raised, loops might wait in vain for what it gives.
    """
    assert b.status is not None
    found = b.append(memref.LoadOp, (b.status,), i32)
    zero = b.append(arith.ConstantOp, (), i32, {"value": IntegerAttr(0, i32)})
    return b.append(arith.CmpiOp, (found, zero), i1, {"predicate": IntegerAttr(_EQUAL, i64)})


# What regions take from outside


def _stand_for(b: Bufferize, operands: Sequence[SSAValue], arguments: Sequence[SSAValue]) -> None:
    """Let what is known of operands hold for the arguments that stand for them."""
    for operand, argument in zip(operands, arguments):
        if operand in b.tensors:
            b.tensors[argument] = b.tensors[operand]
        if b.is_in_memory(operand) and argument.first_use is not None:
            b.buffers[argument] = b.buffer(operand)


def _hoist(
    b: Bufferize, operands: Sequence[SSAValue], arguments: Iterable[Sequence[SSAValue]]
) -> None:
    """Read small arrays that a loop computes on in registers once, before it."""
    for found in arguments:
        for operand, argument in zip(operands, found):
            if is_small(operand.type) and _is_read_in_registers(argument):
                b.tensor(operand)


def _is_read_in_registers(value: SSAValue) -> bool:
    """Tell whether a kernel that computes in registers reads a value, also in regions within."""
    for use in value.uses:
        user = use.operation
        if (
            isinstance(user, FusionOp)
            and user.schedule.data.registers
            and not is_read_at_computed_positions(user.body.block.args[use.index])
        ):
            return True
        if isinstance(user, ReshapeOp) and _is_read_in_registers(user.result):
            return True
        if isinstance(user, CaseOp | ScanOp | WhileOp):
            shift = {CaseOp: -1, ScanOp: 1, WhileOp: 0}[type(user)]
            place = use.index + shift
            for region in user.regions:
                arguments = region.block.args
                if 0 <= place < len(arguments) and _is_read_in_registers(arguments[place]):
                    return True
    return False


_RULES: Final[dict[type[Operation], Callable[[Bufferize, Operation], None]]] = {
    CaseOp: _case,
    ScanOp: _scan,
    WhileOp: _while,
    **tapes.RULES,
}
