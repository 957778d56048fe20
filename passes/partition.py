"""Parting a program by what is known when: what to keep for later, and what to compute again.

Reverse mode makes of a function a joint one, ``(x..., cotangents...) -> (y..., gradients...)``,
which computes all that the gradients need of the ``x``. Where the cotangents come only later (in
another call, or in a loop that runs back), it is cut in two, and some values, the residuals, are
handed over. In the same way a loop is handed what it need not compute in each step.

Which values are handed over is a choice. Each value that the second part needs is either kept, at
the cost of writing and reading it, or computed from other values, at the cost of its op, and then
these are needed too. The cheapest choice is a minimum cut of a network, as in Horace He and Shangdi
Yu, Transcending runtime-memory tradeoffs in checkpointing by being fusion aware, MLSys 2023.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..ir.functions import FunctionBuilder, return_of
from .blocks import append_needed, dependent_values, effects_of, ops_between
from .costs import cost_of_computing, cost_of_saving
from .cut import UNBOUNDED, Network
from .functions import visibility_of


@dataclass(frozen=True)
class Prices:
    """What a choice of residuals costs, by values and by ops; `UNBOUNDED` forbids."""

    saving: Callable[[SSAValue], int] = cost_of_saving
    computing: Callable[[Operation], int] = cost_of_computing


def choose_residuals(
    body: Block, late: Collection[SSAValue], outputs: Collection[SSAValue], prices: Prices
) -> list[SSAValue]:
    """Return the values to keep for what computes ``outputs`` once the ``late`` values are known.

    They do not depend on the late values, and the outputs follow from both. They are in the order
    in which the block defines them.

    Raises:
        ValueError: if what is forbidden leaves no choice.
    """
    unknown = dependent_values(body, late)
    network = _Residuals(prices)
    for value in outputs:
        if value not in unknown:
            network.need(value)
    for op in ops_between(body, (), outputs, effects_of(body, late).late):
        if not unknown.isdisjoint(op.results):
            for value in op._operands:
                if value not in unknown:
                    network.need(value)
    chosen = network.cheapest()
    values = (*body.args, *(result for op in body.ops for result in op.results))
    return [value for value in values if value in chosen]


class _Residuals:
    """The network whose cuts are choices of residuals.

    A node of an op is on the sink's side if the op is run again, and one of a value if the value is
    needed late. The arc from the source to an op is cut where the op is run again; the arc from an
    op to its result is cut where the result is needed but the op is not run. An op that is run
    again needs its operands, so these arcs cannot be cut.
    """

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._network = Network()
        self._source, self._sink = self._network.node(), self._network.node()
        self._values: dict[SSAValue, int] = {}
        self._ops: dict[Operation, int] = {}
        self._pending: list[SSAValue] = []

    def need(self, value: SSAValue) -> None:
        """Note that a value is needed late, and enter all that it can be computed from."""
        self._network.arc(self._node(value), self._sink, UNBOUNDED)
        while self._pending:
            entered = self._pending.pop()
            owner = entered.owner
            tail = self._run(owner) if isinstance(owner, Operation) else self._source
            self._network.arc(tail, self._values[entered], self._prices.saving(entered))

    def _node(self, value: SSAValue) -> int:
        node = self._values.get(value)
        if node is None:
            node = self._values[value] = self._network.node()
            self._pending.append(value)
        return node

    def _run(self, op: Operation) -> int:
        node = self._ops.get(op)
        if node is None:
            node = self._ops[op] = self._network.node()
            self._network.arc(self._source, node, self._prices.computing(op))
            for operand in op._operands:
                self._network.arc(self._node(operand), node, UNBOUNDED)
        return node

    def cheapest(self) -> set[SSAValue]:
        """Return the values to keep."""
        late = self._network.sink_side(self._source, self._sink)
        return {
            value
            for value, node in self._values.items()
            if node in late and not self._is_run_again(value.owner, late)
        }

    def _is_run_again(self, owner: Operation | Block, late: set[int]) -> bool:
        return isinstance(owner, Operation) and self._ops[owner] in late


class Split(NamedTuple):
    """A function in two parts."""

    forward: FuncOp
    """``(known...) -> (results..., residuals...)``"""
    late: FuncOp
    """``(residuals..., late arguments...) -> (other results...)``"""


def split(joint: FuncOp, known: int, results: int, names: tuple[str, str], prices: Prices) -> Split:
    """Part a function; it is left as it is.

    Args:
        joint: a function without calls.
        known: how many of its first arguments the first part takes; the others come late.
        results: how many of its first results the first part gives; they depend on the known
            arguments only. The others may depend on all.
        names: the names of the parts.
        prices: what residuals cost.
    """
    block, outputs = joint.body.block, return_of(joint).operands
    first, second = block.args[:known], block.args[known:]
    residuals = choose_residuals(block, second, outputs[results:], prices)
    early, late = effects_of(block, second)
    given = [*outputs[:results], *residuals]
    return Split(
        part_of(joint, names[0], first, given, early),
        part_of(joint, names[1], [*residuals, *second], outputs[results:], late),
    )


def cost_between_calls(value: SSAValue) -> int:
    """Return what it costs to keep a value of a function; its arguments are kept anyway."""
    return 0 if isinstance(value, BlockArgument) else cost_of_saving(value)


def part_of(
    joint: FuncOp,
    name: str,
    arguments: Sequence[SSAValue],
    results: Sequence[SSAValue],
    effects: Sequence[Operation] = (),
) -> FuncOp:
    """Return the function that computes some values of another from some others.

    ``effects`` are ops that are needed for their effects.
    """
    names = [value.name_hint for value in arguments]
    part = FunctionBuilder(name, [value.type for value in arguments], names, joint.location)
    environment = dict(zip(arguments, part.arguments))
    block = joint.body.block
    values = append_needed(part.block, block, results, environment, effects)
    return part.finish(values, visibility_of(joint))
