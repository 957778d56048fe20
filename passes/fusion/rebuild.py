"""Rebuilding a function as kernels, one for each group of ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue

from ...ir.array.base import is_array_op
from ...ir.array.control import ScanOp, WhileOp
from ...ir.array.regions import RegionOp
from ...ir.array.shape import ConcatenateOp, IotaOp
from ...ir.kernel.ops import FusionOp, YieldOp
from ...ir.kernel.schedule import Schedule
from ...ir.kernel.space import (
    NO_LOOP,
    Axes,
    domain_of,
    is_elementwise,
    is_numbering,
    operand_dims,
    project,
    squeeze,
)
from ...ir.kernel.updates import UPDATING
from ...ir.locations import fused
from ...ir.ops import append_op, copy_op, ops_of
from ...ir.types import Shape, shape_of
from ..simplify.dce import eliminate_dead_code
from .grouping import Group, Grouping
from .rematerialize import rematerialize
from .roles import MOVING, Role, interleaves
from .schedule import choose_schedule, schedule_alone, split_steps
from .target import Target


def fuse(function: FuncOp, vector_bits: int) -> None:
    """Put the array ops of a function into kernels, in place; array-level calls stay.

    Reshapes that change the shape and constants that take memory stay outside of kernels: they are
    views and data. So do loops and branches, whose regions are made of kernels as the function is.
    A function that has any computes small arrays in registers.
    """
    eliminate_dead_code(function)
    in_registers = any(isinstance(op, RegionOp) for op in function.body.block.ops)
    _fuse_region(function.body, Target(vector_bits), in_registers)


def _fuse_region(region: Region, target: Target, in_registers: bool) -> None:
    old = region.block
    for op in ops_of(old):
        if op.regions and isinstance(op, RegionOp):
            _fuse_regions_of(op, target, in_registers)
    new = Block(arg_types=old.arg_types)
    grouping = Grouping(old, in_registers)
    rematerialize(grouping)
    rebuild = _Rebuild(grouping, new, target)
    for before, after in zip(old.args, new.args):
        after.name_hint, after.location = before.name_hint, before.location
        rebuild.values[before] = after
    rebuild.run()
    region.detach_block(old)
    region.add_block(new)


def _fuse_regions_of(op: RegionOp, target: Target, in_registers: bool) -> None:
    """Fuse what is in a loop or a branch; steps that need not wait for others may run at once."""
    if isinstance(op, ScanOp | WhileOp):
        target = target.in_loop()
    for region in op.regions:
        _fuse_region(region, target, in_registers)
    if isinstance(op, ScanOp) and not op.groups[1]:
        split_steps(op, target)


class _Rebuild:
    """Appends the kernels of a grouping to a block."""

    def __init__(self, grouping: Grouping, block: Block, target: Target) -> None:
        self.grouping = grouping
        self.block = block
        self.target = target
        self.values: dict[SSAValue, SSAValue] = {}

    def run(self) -> None:
        """Append everything, in the order of the groups."""
        roles = self.grouping.roles
        for op in roles.ops:
            if roles.role[op] is Role.GLOBAL:
                self._copy(op)
        self._copy_views(self.grouping.outside)
        for group in self.grouping.groups:
            if group.role is Role.OPAQUE:
                self._move(group.placed[0][0])
            elif group.outputs:
                self._append_fusion(group)
            self._copy_views(group)

    def _copy_views(self, group: Group) -> None:
        for op in group.views:
            self._copy(op)

    def _move(self, op: Operation) -> None:
        """Take an op over with its regions and results."""
        assert op.parent is not None
        op.parent.detach_op(op)
        op.operands = [self.values[value] for value in op.operands]
        self.block.add_op(op)
        self.values.update(zip(op.results, op.results))

    def _copy(self, op: Operation) -> None:
        append_op(self.block, copy_op(op, self.values))

    def _append_fusion(self, group: Group) -> None:
        body = _Body(self.grouping, group)
        if group.registers:
            schedule = Schedule(vector=self.target.vector_bits // 32, registers=True)
        elif group.role is Role.KERNEL:
            schedule = schedule_alone(group.placed[0][0], self.target)
        else:
            domain, reads = body.domain(group.extent), body.reads()
            schedule = choose_schedule(
                group, body.block, domain, reads, body.is_flat, body.is_joined, self.target
            )
            if any(type(op) in UPDATING for op, _ in group.placed):
                schedule = replace(schedule, whole=True)
        results = [result for op, _ in group.placed for result in op.results]
        outputs = [value for value in results if value in group.outputs]
        location = fused(v.owner.location for v in outputs if isinstance(v.owner, Operation))
        body.finish(outputs, location)
        fusion = FusionOp.of(
            body.block,
            [self.values[v] for v in body.operands],
            schedule=schedule,
            location=location,
        )
        self.block.add_op(fusion)
        for old, new in zip(outputs, fusion.results):
            _hand_down_name(old, new)
            self.values[old] = new


class _Body:
    """The body of one fusion: its ops, and the operands that its arguments stand for."""

    def __init__(self, grouping: Grouping, group: Group) -> None:
        self.grouping = grouping
        self.block = Block()
        self.operands: list[SSAValue] = []
        self.is_flat = True
        self.is_joined = False
        self._numberings: list[Axes] = []
        self._axes = group.axes
        self._arguments: dict[SSAValue, list[_Argument]] = {}
        self._made: dict[tuple[SSAValue, Axes | None], SSAValue] = {}
        self._shapes: dict[Shape, None] = {}  # in order
        for op, axes in group.placed:
            for old, new in zip(op.results, self._append(op, axes)):
                self._made[old, group.axes.get(old)] = new

    def reads(self) -> list[Axes]:
        """Return the loops of each operand that is read, or element numbered, one by one."""
        arguments = [a.axes for found in self._arguments.values() for a in found]
        return [axes for axes in (*arguments, *self._numberings) if axes is not None]

    def domain(self, extent: Shape) -> Shape:
        """Return the domain of the body, which has dimensions of size one beside the extent."""
        arguments = [a for found in self._arguments.values() for a in found]
        shapes = [shape_of(a.value) for a in arguments if a.axes is not None]
        return domain_of([s for s in (*shapes, *self._shapes) if squeeze(s) == extent])

    def finish(self, outputs: Sequence[SSAValue], location: LocationAttr) -> None:
        """End the body with its results."""
        values = [self._made[v, self._axes.get(v)] for v in outputs]
        self.block.add_op(YieldOp.create(operands=values, location=location))

    def _append(self, op: Operation, axes: Axes | None) -> Sequence[SSAValue]:
        """Append a copy of an op that runs along ``axes``, and what it needs in place."""
        kind = type(op)
        if is_elementwise(kind):
            operands = [self._evaluate(operand, axes) for operand in op._operands]
        else:
            operands = [
                self._evaluate(operand, _through(dims, axes))
                for operand, dims in zip(op._operands, operand_dims(op))
            ]
        shape = shape_of(op.results[0])
        counts = kind is IotaOp and len(shape) > 1
        if (kind in MOVING or kind in UPDATING or counts) and _varies(axes):
            self.is_flat = False
        if kind is ConcatenateOp and interleaves(op):
            self.is_joined = True
        if axes is not None and is_numbering(op):
            self._numberings.append(axes)
        if axes is not None:
            self._shapes[shape] = None
        assert is_array_op(op)
        copy = op.with_operands(operands)
        append_op(self.block, copy)
        for old, new in zip(op.results, copy.results):
            _hand_down_name(old, new)
        return copy.results

    def _evaluate(self, value: SSAValue, axes: Axes | None) -> SSAValue:
        """Return the value, which the loops ``axes`` run over; None: it is read by an index map."""
        found = self._made.get((value, axes))
        if found is None:
            if self.grouping.roles.is_inline(value) or not self.grouping.is_in_memory(value):
                assert isinstance(value.owner, Operation)
                (found,) = self._append(value.owner, axes)
            else:
                found = self._argument(value, axes)
            self._made[value, axes] = found
        return found

    def _argument(self, value: SSAValue, axes: Axes | None) -> SSAValue:
        """Return the argument for a value from outside.

        One argument runs along one set of loops, so an operand that is read along several is passed
        as often.
        """
        known = self._arguments.setdefault(value, [])
        for argument in known:
            if axes is None or argument.axes is None or argument.axes == axes:
                if argument.axes is None:
                    argument.axes = axes
                return argument.value
        self.operands.append(value)
        added = self.block.insert_arg(value.type, len(self.block.args))
        _hand_down_name(value, added)
        known.append(_Argument(added, axes))
        return added


def _through(dims: Axes | None, axes: Axes | None) -> Axes | None:
    return None if dims is None or axes is None else project(dims, axes)


def _varies(axes: Axes | None) -> bool:
    """Tell whether a value that runs along these loops may differ from one element to another."""
    return axes is None or any(axis != NO_LOOP for axis in axes)


@dataclass
class _Argument:
    """An argument of a body and the loops it is read along; None: by index maps alone."""

    value: SSAValue
    axes: Axes | None


def _hand_down_name(old: SSAValue, new: SSAValue) -> None:
    if old.name_hint is not None:
        new.name_hint = old.name_hint
