"""Grouping: which ops one loop nest computes.

Groups have an order, in which they will run, and each op goes into a group that is no earlier than
those of the values it needs. That alone keeps dependences acyclic, so that one walk over the
program suffices: an op joins the group of its latest source if the two can share a loop nest, else
a later group over the same loops, else an earlier one if the groups in between that the op needs
can run before that one, else it starts a group at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import cache, cached_property
from math import prod
from typing import Final

from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.effect import CallbackOp
from ...ir.array.reduction import ReduceOp
from ...ir.kernel.space import NO_LOOP, Axes, is_elementwise, project, squeeze
from ...ir.types import Shape, shape_of, tensor_info
from .cost import CHEAP, flops_of
from .roles import Role, Roles, Source

MAX_OPS: Final = 192
"""A group takes no more ops, so that compile time stays linear in them."""

MIN_OPS: Final = 128
"""From so many ops on, a group may end where few values are alive."""

ROW_BYTES: Final = 1 << 18
"""A longer row is not kept in cache from one of its reductions to the next: half a second-level
cache of current processors."""

MIN_ROWS: Final = 16
"""Fewer rows make no vector."""

MAX_MOVED: Final = 8
"""No more groups are moved for one op, so that grouping stays linear."""


class Group:
    """Ops that are to share a loop nest.

    Attributes:
        position: its place in the order of groups.
        extent: the loops, without those of size one.
        axes: for each value computed here, the loop that each of its dimensions runs along.
        placed: the ops, with the loops of each.
        reduced: for each reduction here, the loops it runs over.
        columns: the loops within a row, once a reduction's result is used here.
        outputs: the values that are needed elsewhere.
        needs: the groups that compute what is used here.
        views: the reshapes that follow.
        role: ``LOOP``, or ``KERNEL`` or ``OPAQUE`` for a group of one op that none can join.
        registers: the ops are written out instead of looped over.
    """

    def __init__(
        self, position: int, extent: Shape, role: Role = Role.LOOP, registers: bool = False
    ) -> None:
        self.position = position
        self.registers = registers
        self.extent = extent
        self.role = role
        self.axes: dict[SSAValue, Axes | None] = {}
        self.placed: list[tuple[Operation, Axes | None]] = []
        self.reduced: dict[SSAValue, frozenset[int]] = {}
        self.columns: frozenset[int] | None = None
        self.outputs: set[SSAValue] = set()
        self.needs: set[Group] = set()
        self.views: list[Operation] = []
        self.last = -1

    def add(self, op: Operation, axes: Axes) -> None:
        """Compute an op here, along the given loops."""
        result = op.results[0]
        if self.registers:
            self.placed.append((op, None))
            self.axes[result] = None
            return
        self.placed.append((op, axes))
        if isinstance(op, ReduceOp):
            dims = op.dims.data
            reduced = frozenset([axes[d] for d in dims]) - {NO_LOOP}
            if reduced:
                self.reduced[result] = reduced
            axes = tuple([a for d, a in enumerate(axes) if d not in dims])
        self.axes[result] = axes

    def fits_reduction(self, reduced: frozenset[int], columns: frozenset[int]) -> bool:
        """Tell whether a reduction fits rows: it runs over all columns or none of them."""
        inner = reduced & columns
        return not inner or inner == columns

    def can_have_columns(self, columns: frozenset[int], width: int) -> bool:
        """Tell whether rows can be looped over several times.

        They must be in one piece, for vectors run along the last loop, fit the cache, and fit the
        reductions that are here.
        """
        if len(self.extent) - 1 not in columns:
            return False
        if prod([self.extent[a] for a in columns]) * width > ROW_BYTES:
            return False
        return all(self.fits_reduction(reduced, columns) for reduced in self.reduced.values())


@cache
def _loop_axes(shape: Shape) -> Axes:
    """Return the axes of a value that has all loops."""
    numbers = iter(range(len(shape)))
    return tuple(NO_LOOP if n == 1 else next(numbers) for n in shape)


_squeeze = cache(squeeze)


class Grouping:
    """The groups of a block's ops.

    Attributes:
        groups: in the order in which they run.
        outside: stands for what computes arguments and constants, before all groups.
        home: the group after which a value is known.
    """

    def __init__(self, block: Block, in_registers: bool = False) -> None:
        self.roles = Roles(block, in_registers)
        self.groups: list[Group] = []
        self.outside = Group(-1, (), Role.OPAQUE)
        self.home: dict[SSAValue, Group] = dict.fromkeys(block.args, self.outside)
        self._latest: dict[Shape, Group] = {}
        self._latest_registers: Group | None = None
        for index, op in enumerate(self.roles.ops):
            role = self.roles.role[op]
            if role is Role.LOOP:
                self._place(op, index)
            elif role in (Role.KERNEL, Role.OPAQUE):
                self._place_alone(op, role)
            elif role is Role.VIEW:
                self._place_view(op)
            elif role is Role.GLOBAL:
                self.home[op.results[0]] = self.outside

    def is_in_memory(self, value: SSAValue) -> bool:
        """Tell whether a value can be read by other groups than the one that computes it."""
        group = self.home[value]
        return value not in group.axes or value in group.outputs

    def _place(self, op: Operation, index: int) -> None:
        """Put an op into the best group that can take it."""
        result = op.results[0]
        shape = shape_of(op.operands[0] if type(op) is ReduceOp else result)
        sources = self.roles.sources_of(op)
        home = self.home
        latest = max([home[s.value] for s in sources], key=_position, default=self.outside)
        if op in self.roles.small:
            group, axes = self._choose_small(op, index, shape, sources, latest)
        else:
            group, axes = self._choose(op, index, shape, sources, latest)
        group.add(op, axes)
        home[result] = group
        for source in sources:
            if home[source.value] is not group:
                group.needs.add(home[source.value])
                self._need_in_memory(source.value)
        if len(group.placed) == MIN_OPS:
            group.last = self._best_end(index)

    def _choose(
        self, op: Operation, index: int, shape: Shape, sources: Sequence[Source], source: Group
    ) -> tuple[Group, Axes]:
        """Return the group for an op, and the op's loops in it; ``source`` is its latest source."""
        extent = _squeeze(shape)
        latest = self._latest.get(extent)
        candidates = [source]
        if latest is not None and latest.position > source.position:
            candidates.append(latest)
        for group in candidates:
            axes = self._loops_if_open(group, op, index, shape, sources)
            if axes is not None:
                return group, axes
        return self._choose_earlier(op, index, shape, sources) or self._start(extent, shape)

    def _start(self, extent: Shape, shape: Shape) -> tuple[Group, Axes]:
        group = self._latest[extent] = self._append(extent, Role.LOOP)
        return group, _loop_axes(shape)

    def _choose_earlier(
        self, op: Operation, index: int, shape: Shape, sources: Sequence[Source]
    ) -> tuple[Group, Axes] | None:
        """Return a group over the op's loops if what the op needs of later ones can come before."""
        extent = _squeeze(shape)
        homes = {self.home[source.value] for source in sources}
        group = max([g for g in homes if g.extent == extent], key=_position, default=None)
        if group is None:
            return None
        moved = _needed_before(group, [g for g in homes if g.position > group.position])
        if not moved:
            return None
        axes = self._loops_if_open(group, op, index, shape, sources)
        if axes is None:
            return None
        self._move_before(group, moved)
        return group, axes

    def _move_before(self, group: Group, moved: AbstractSet[Group]) -> None:
        """Let some later groups run before one, in the order that they have."""
        start, end = group.position, max(map(_position, moved)) + 1
        span = self.groups[start:end]
        self.groups[start:end] = [g for g in span if g in moved] + [
            g for g in span if g not in moved
        ]
        for position, each in enumerate(self.groups[start:end], start):
            each.position = position

    def _choose_small(
        self, op: Operation, index: int, shape: Shape, sources: Sequence[Source], source: Group
    ) -> tuple[Group, Axes]:
        """Return the group for an op that can be computed in registers.

        If it needs what loops compute, it joins them if it can: it may be in between of others.
        """
        if is_elementwise(type(op)) or type(op) is ReduceOp:
            axes = self._loops_if_open(source, op, index, shape, sources)
            if axes is not None:
                return source, axes
        group = self._latest_registers
        if group is None or not self._is_after(group, sources) or _is_full(group, index):
            group = self._append((), Role.LOOP, registers=True)
            self._latest_registers = group
        return group, ()

    def _is_after(self, group: Group, sources: Sequence[Source]) -> bool:
        """Tell whether values are known before a group runs, or computed in it."""
        return all(
            self.home[s.value].position < group.position or s.value in group.axes for s in sources
        )

    def _loops_if_open(
        self, group: Group, op: Operation, index: int, shape: Shape, sources: Sequence[Source]
    ) -> Axes | None:
        """Return the loops of an op in a group, or None if it cannot join."""
        if group.role is not Role.LOOP or group.registers or _is_full(group, index):
            return None
        return self._loops_in(group, op, shape, sources)

    def _loops_in(
        self, group: Group, op: Operation, shape: Shape, sources: Sequence[Source]
    ) -> Axes | None:
        """Return the loops that an op would run along in a group, or None if it cannot join."""
        inside = []
        for source in sources:
            if source.value in group.axes:
                if source.dims is None:
                    return None
                inside.append(source)
            elif self.home[source.value] is group:
                return None
        if _squeeze(shape) == group.extent:
            axes: Axes | None = _loop_axes(shape)
        elif _wants_vectors(op, shape, group):
            return None
        else:
            axes = _axes_from(group, shape, inside)
        if axes is None or any(
            group.axes[v] != project(dims, axes) for v, dims in inside if dims is not None
        ):
            return None
        return axes if _make_rows(group, op, axes, inside) else None

    def _place_alone(self, op: Operation, role: Role) -> None:
        group = self._append((), role)
        group.placed.append((op, None))
        for result in op.results:
            self.home[result] = group
            if result.first_use is not None or isinstance(op, CallbackOp):
                group.outputs.add(result)
        for value in self.roles.in_memory(op):
            group.needs.add(self.home[value])
            self._need_in_memory(value)

    def _place_view(self, op: Operation) -> None:
        group = self.home[op.operands[0]]
        self._need_in_memory(op.operands[0])
        self.home[op.results[0]] = group
        group.views.append(op)

    def _append(self, extent: Shape, role: Role, registers: bool = False) -> Group:
        group = Group(len(self.groups), extent, role, registers)
        self.groups.append(group)
        return group

    def _need_in_memory(self, value: SSAValue) -> None:
        group = self.home[value]
        if value in group.axes:
            group.outputs.add(value)

    def _best_end(self, index: int) -> int:
        """Return the op among the next ones after which the fewest values are alive."""
        alive = self._alive
        following = range(index, min(index + MAX_OPS - MIN_OPS, len(alive)))
        return min(following, key=lambda i: alive[i])

    @cached_property
    def _alive(self) -> list[int]:
        return _count_alive(self.roles)


def _position(group: Group) -> int:
    return group.position


def _needed_before(group: Group, wanted: Sequence[Group]) -> set[Group]:
    """Return which later groups to move so that the wanted ones run before a group; none if not."""
    found: set[Group] = set()
    pending = list(wanted)
    while pending:
        moved = pending.pop()
        if moved in found:
            continue
        if moved is group or moved.role is not Role.LOOP or len(found) == MAX_MOVED:
            return set()
        found.add(moved)
        pending += [g for g in moved.needs if g.position >= group.position]
    return found


def _is_full(group: Group, index: int) -> bool:
    size = len(group.placed)
    return size >= MAX_OPS or (size >= MIN_OPS and index > group.last)


def _wants_vectors(op: Operation, shape: Shape, group: Group) -> bool:
    """Tell whether an op on one element a row is better off in a kernel of its own.

    There it runs in vectors, but the rows are read once more. Scalars take a lane's share of a
    vector's time each, some two columns for an addition.
    """
    flops = flops_of(type(op))
    rows = prod(shape)
    return flops > CHEAP and rows >= MIN_ROWS and prod(group.extent) < 2 * flops * rows


def _axes_from(group: Group, shape: Shape, sources: Sequence[Source]) -> Axes | None:
    """Return an op's loops from those of a source that has all of its dimensions."""
    for value, dims in sources:
        axes = group.axes[value]
        assert dims is not None and axes is not None
        known = dict(zip(dims, axes))
        if all(n == 1 or d in known for d, n in enumerate(shape)):
            return tuple([NO_LOOP if n == 1 else known[d] for d, n in enumerate(shape)])
    return None


def _make_rows(group: Group, op: Operation, axes: Axes, sources: Sequence[Source]) -> bool:
    """Loop over rows as an op's use of reductions, and its own, demand; tell whether that works."""
    columns = group.columns
    for value, _ in sources:
        reduced = group.reduced.get(value)
        if reduced is None or reduced == columns:
            continue
        width = tensor_info(value).dtype.itemsize
        if columns is not None or not group.can_have_columns(reduced, width):
            return False
        columns = reduced
    if columns is not None and isinstance(op, ReduceOp):
        own = frozenset([axes[d] for d in op.dims.data]) - {NO_LOOP}
        if not group.fits_reduction(own, columns):
            return False
    group.columns = columns
    return True


def _count_alive(roles: Roles) -> list[int]:
    """Return how many values computed in loops are yet to be used after each op."""
    number = {op: i for i, op in enumerate(roles.ops)}
    change = [0] * (len(roles.ops) + 1)
    for i, op in enumerate(roles.ops):
        if roles.role[op] is Role.LOOP:
            last = max((number[use.operation] for use in op.results[0].uses), default=i)
            change[i] += 1
            change[last] -= 1
    alive, total = [], 0
    for amount in change[:-1]:
        total += amount
        alive.append(total)
    return alive
