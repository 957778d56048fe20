"""Which loop nests a fusion needs, and what each of them computes.

Within a row (or the whole space, where the schedule has no rows) a reduction must end before its
result is used. So values have a depth, the number of reductions before them, and each depth is a
loop nest of its own. A value of an earlier nest is computed again in a later one if that is cheap,
and else kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.indexing import DynamicUpdateSliceOp
from ...ir.array.reduction import ReduceOp
from ...ir.array.shape import PadOp
from ...ir.kernel.space import (
    IterationSpace,
    needed_in_memory,
    operand_dims,
    reduced_axes,
    reductions_of,
)
from . import elementwise

RECOMPUTE_LIMIT = 4
"""A value of an earlier nest is kept in memory if computing it takes more cheap ops than this."""

EXPENSIVE = 8
"""How many cheap ops a division or a transcendental function counts for."""


_OWN_COST = {op: 1 if op in elementwise.CHEAP else EXPENSIVE for op in elementwise.RULES}


@dataclass
class Nest:
    """Values that one loop nest over ``axes`` stores or combines by reductions.

    ``computed`` are those that it computes on the way, in program order.
    """

    axes: tuple[int, ...]
    stores: list[SSAValue] = field(default_factory=list)
    reductions: list[ReduceOp] = field(default_factory=list)
    computed: list[SSAValue] = field(default_factory=list)

    @property
    def roots(self) -> list[SSAValue]:
        """What the innermost loop computes."""
        return [*self.stores, *(op.operand for op in self.reductions)]


@dataclass(frozen=True)
class Plan:
    """The nests of a fusion in order, and what must be in memory beside arguments and results.

    Attributes:
        materialized: values to be computed completely before the nests, in order: they are read
            at positions that loops over other axes cannot give.
        nests: the loop nests of one row, in order.
        scratch: values of a nest that later ones read back.
    """

    materialized: list[SSAValue]
    nests: list[Nest]
    scratch: list[SSAValue]


def plan_fusion(block: Block, space: IterationSpace, rows: Sequence[int]) -> Plan:
    """Return the plan of a fusion's body under a schedule's rows."""
    assert block.last_op is not None
    before = materialized(block)
    planner = _Planner(block, space, frozenset(rows), set(before))
    stores = [v for v in dict.fromkeys(block.last_op.operands) if v not in planner.in_memory]
    nests = planner.nests(stores)
    scratch = planner.scratch(nests)
    for value in scratch:
        if value not in stores:
            planner.store(nests, value)
    planner.complete(nests, scratch)
    return Plan(before, nests, scratch)


def materialized(block: Block) -> list[SSAValue]:
    """Return the values that ops of a body need in memory and that are not there, in order."""
    needed = map(needed_in_memory, block.ops)
    return [v for v in dict.fromkeys(needed) if v is not None and isinstance(v.owner, Operation)]


class _Planner:
    def __init__(
        self, block: Block, space: IterationSpace, rows: frozenset[int], in_memory: set[SSAValue]
    ) -> None:
        self.block = block
        self.space = space
        self.rows = rows
        self.sources = [(op.results[0], link_operands(op)) for op in block.ops if op.results]
        self.reductions = [op for op in reductions_of(block) if reduced_axes(op, space)]
        results: set[SSAValue] = {op.result for op in self.reductions}
        self.in_memory = in_memory | set(block.args) | results
        self.depth = _depths(block, results)
        self.cost = self._costs()

    def _costs(self) -> dict[SSAValue, int]:
        """Return how many cheap ops it takes to compute each value from memory."""
        costs: dict[SSAValue, int] = dict.fromkeys(self.in_memory, 0)
        for value, operands in self.sources:
            if value not in self.in_memory:
                own = _OWN_COST.get(type(value.owner), 0)
                costs[value] = min(own + sum(costs.get(v, 0) for v in operands), EXPENSIVE**2)
        return costs

    def columns_of(self, value: SSAValue) -> tuple[int, ...]:
        """Return the loops of a row that a value needs."""
        axes = set(self.space.axes[value]) - self.rows - {-1}
        return tuple(sorted(axes))

    def nests(self, stores: Sequence[SSAValue]) -> list[Nest]:
        """Return one nest for each depth and set of axes."""
        found: dict[tuple[int, tuple[int, ...]], Nest] = {}

        def nest_of(value: SSAValue) -> Nest:
            axes = self.columns_of(value)
            return found.setdefault((self.depth[value], axes), Nest(axes))

        for op in self.reductions:
            nest_of(op.operand).reductions.append(op)
        for value in stores:
            nest_of(value).stores.append(value)
        return [found[key] for key in sorted(found, key=lambda key: key[0])]

    def store(self, nests: Sequence[Nest], value: SSAValue) -> None:
        """Let the first nest that computes a value store it."""
        for nest in nests:
            if nest.axes == self.columns_of(value) and value in self.computed(nest.roots):
                nest.stores.append(value)
                return

    def complete(self, nests: Sequence[Nest], scratch: Sequence[SSAValue]) -> None:
        """Fill in what each nest computes, now that it is known what is read back."""
        stored: set[SSAValue] = set()
        for nest in nests:
            nest.computed = [v for v in self.computed(nest.roots, stored) if v not in stored]
            stored |= set(nest.stores) & set(scratch)

    def scratch(self, nests: Sequence[Nest]) -> list[SSAValue]:
        """Return the values that a later nest reads back from an earlier one."""
        kept: dict[SSAValue, None] = {}
        earlier: set[SSAValue] = set()
        for nest in nests:
            again = [
                v
                for v in self.computed(nest.roots)
                if v in earlier and self.cost[v] > RECOMPUTE_LIMIT
            ]
            kept.update(dict.fromkeys(self._outermost(nest.roots, set(again))))
            earlier |= {v for v in self.computed(nest.roots) if self.columns_of(v) == nest.axes}
        return list(kept)

    def _outermost(self, roots: Sequence[SSAValue], wanted: set[SSAValue]) -> list[SSAValue]:
        """Return the wanted values that are met first on the way back from the roots."""
        return [v for v in self.computed(roots, stop=wanted) if v in wanted]

    def computed(
        self, roots: Sequence[SSAValue], stop: set[SSAValue] | frozenset[SSAValue] = frozenset()
    ) -> list[SSAValue]:
        """Return the values computed element by element for the roots, in program order."""
        needed = set(roots)
        order: list[SSAValue] = []
        for value, operands in reversed(self.sources):
            if value in needed and value not in self.in_memory:
                order.append(value)
                if value not in stop:
                    needed.update(operands)
        return order[::-1]


def link_operands(op: Operation) -> list[SSAValue]:
    """Return the operands that are read at the element that the op computes, whichever it is.

    Padding, and an array of which a window is replaced, are read at some elements only.
    """
    linked = [v for v, dims in zip(op.operands, operand_dims(op)) if dims is not None]
    return linked[1:] if isinstance(op, PadOp | DynamicUpdateSliceOp) else linked


def _depths(block: Block, reduced: set[SSAValue]) -> dict[SSAValue, int]:
    """Return the number of reductions on the way to each value."""
    depth: dict[SSAValue, int] = dict.fromkeys(block.args, 0)
    for op in block.ops:
        if op.results:
            before = max((depth[v] for v in op.operands), default=0)
            depth[op.results[0]] = before + (op.results[0] in reduced)
    return depth
