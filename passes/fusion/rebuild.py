"""Rebuilding a function as kernels, one for each group of ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.base import ArrayOp
from ...ir.array.shape import IotaOp
from ...ir.kernel.ops import FusionOp, YieldOp
from ...ir.kernel.space import Axes, domain_of, is_elementwise, squeeze
from ...ir.locations import fused
from ...ir.types import Shape, shape_of
from ..simplify.dce import eliminate_dead_code
from .grouping import Group, Grouping
from .rematerialize import rematerialize
from .roles import MOVING, Role, operand_dims, project
from .schedule import choose_schedule, schedule_alone


def fuse(function: FuncOp, vector_bits: int) -> None:
    """Put the array ops of a function into kernels, in place; array-level calls stay.

    Reshapes that change the shape and constants that take memory stay outside of kernels: they are
    views and data.
    """
    eliminate_dead_code(function)
    old = function.body.block
    new = Block(arg_types=old.arg_types)
    grouping = Grouping(old)
    rematerialize(grouping)
    rebuild = _Rebuild(grouping, new, vector_bits)
    for before, after in zip(old.args, new.args):
        after.name_hint, after.location = before.name_hint, before.location
        rebuild.values[before] = after
    rebuild.run()
    function.body.detach_block(old)
    function.body.add_block(new)


class _Rebuild:
    """Appends the kernels of a grouping to a block."""

    def __init__(self, grouping: Grouping, block: Block, vector_bits: int) -> None:
        self.grouping = grouping
        self.block = block
        self.vector_bits = vector_bits
        self.values: dict[SSAValue, SSAValue] = {}

    def run(self) -> None:
        """Append everything, in the order of the groups."""
        roles = self.grouping.roles
        for op in roles.ops:
            if roles.role[op] is Role.GLOBAL:
                self._copy(op)
        self._copy_views(-1)
        for group in self.grouping.groups:
            if group.role is Role.OPAQUE:
                self._copy(group.placed[0][0])
            elif group.outputs:
                self._append_fusion(group)
            self._copy_views(group.position)

    def _copy_views(self, position: int) -> None:
        for op in self.grouping.views.get(position, ()):
            self._copy(op)

    def _copy(self, op: Operation) -> None:
        copy = op.clone(value_mapper=self.values)
        self.block.add_op(copy)

    def _append_fusion(self, group: Group) -> None:
        body = _Body(self.grouping, group)
        if group.role is Role.KERNEL:
            schedule = schedule_alone(group.placed[0][0], self.vector_bits)
        else:
            domain, reads = body.domain(group.extent), body.reads()
            schedule = choose_schedule(group, domain, reads, body.is_flat, self.vector_bits)
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
        self._axes = group.axes
        self._arguments: dict[SSAValue, list[_Argument]] = {}
        self._made: dict[tuple[SSAValue, Axes | None], SSAValue] = {}
        self._shapes: dict[Shape, None] = {}  # in order
        for op, axes in group.placed:
            for old, new in zip(op.results, self._append(op, axes)):
                self._made[old, group.axes.get(old)] = new

    def reads(self) -> list[Axes]:
        """Return the loops of each operand that is read element by element."""
        return [a.axes for found in self._arguments.values() for a in found if a.axes is not None]

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
            operands = [self._evaluate(operand, axes) for operand in op.operands]
        else:
            operands = [
                self._evaluate(operand, _through(dims, axes))
                for operand, dims in zip(op.operands, operand_dims(op))
            ]
        shape = shape_of(op.results[0])
        if kind in MOVING or (kind is IotaOp and len(shape) > 1):
            self.is_flat = False
        if axes is not None:
            self._shapes[shape] = None
        assert isinstance(op, ArrayOp)
        copy = op.with_operands(operands)
        self.block.add_op(copy)
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


@dataclass
class _Argument:
    """An argument of a body and the loops it is read along; None: by index maps alone."""

    value: SSAValue
    axes: Axes | None


def _hand_down_name(old: SSAValue, new: SSAValue) -> None:
    if old.name_hint is not None:
        new.name_hint = old.name_hint
