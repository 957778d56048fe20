"""What scans and whiles share: which values take part, and how a step is run back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Final, NamedTuple

from xdsl.ir import Block, BlockArgument, SSAValue

from ....ir.array.contraction import DotGeneralOp
from ....ir.array.control import TapeType
from ....ir.array.elementwise import AddOp
from ....ir.builder import Builder
from ....ir.types import shape_of
from ...blocks import append_needed, dependent_values, mapping
from ...costs import MANY_ROWS, cost_of_computing, cost_of_saving
from ...cut import UNBOUNDED
from ...fusion.cost import UNKNOWN_STEPS, bytes_of
from ...groups import joined, parts_of, spread
from ...partition import Prices, choose_residuals
from ..kinds import Derivative, Engine, Flags, add_all, is_zero
from .common import Joint

MOST_BYTES: Final = 1 << 28
"""The most memory for what is stacked for a product over all steps."""


class Activity(NamedTuple):
    """Which values of a loop are on the way from varied operands to wanted results.

    A while has neither elements nor stacked results.
    """

    consts: Flags
    carries: Flags
    elements: Flags
    stacked: Flags


class Loop(NamedTuple):
    """A loop as the analysis sees it: its body, and how many operands each group has."""

    body: Block
    sizes: tuple[int, int, int]
    leading: int
    """The arguments before those of the operands: the index of a scan."""

    def varied(self, engine: Engine, varied: Flags) -> tuple[list[Flags], Flags]:
        """Return which operands vary, by groups, once the loop has run; and stacked results."""
        consts, carries, elements = parts_of(varied, self.sizes)
        while True:
            flags = [*[False] * self.leading, *consts, *carries, *elements]
            results = engine.varied(self.body, flags)
            count = len(carries)
            grown = [a or b for a, b in zip(carries, results)]
            if grown == list(carries):
                return [consts, grown, elements], results[count:]
            carries = grown

    def active(self, engine: Engine, varied: Flags, wanted: Flags) -> Activity:
        """Return what takes part."""
        groups, stacked = self.varied(engine, varied)
        count = self.sizes[1]
        varied_arguments = [*[False] * self.leading, *(flag for group in groups for flag in group)]
        useful = [a and b for a, b in zip(wanted, groups[1])]
        wanted_stacked = [a and b for a, b in zip(wanted[count:], stacked)]
        while True:
            reached = engine.useful(self.body, varied_arguments, [*useful, *wanted_stacked])
            consts, carries, elements = parts_of(reached[self.leading :], self.sizes)
            grown = [a or b for a, b in zip(useful, carries)]
            if grown == useful:
                return Activity(consts, useful, elements, wanted_stacked)
            useful = grown


def loop_of(op: Any, leading: int) -> Loop:
    """Return a scan or a while as the analysis sees it."""
    sizes = [len(group) for group in op.groups]
    consts, carries, elements = (*sizes, 0)[:3]
    return Loop(op.body.block, (consts, carries, elements), leading)


class Step(NamedTuple):
    """What one step of the loop back gives."""

    carried: list[SSAValue]
    """The cotangents of what is carried."""
    sums: list[SSAValue]
    """The sums with the step's terms added."""
    sliced: list[SSAValue]
    """The cotangents of the elements."""
    factors: list[SSAValue]
    """What is to be stacked for products over all steps."""


class Reversal:
    """What running a loop back takes.

    The cotangent of a const is a sum of one term of each step. Terms that are products of few rows
    are not added up step by step: their factors are stacked, and one product sums over all steps.

    Attributes:
        joint: the reverse mode of one step.
        shared: values that are needed and are the same in all steps.
        at_hand: values that are needed and that the loop back has anyway.
        kept: values that are needed and that the loop forward has to keep, one of each step.
        summed: which of the active consts have terms that are added up in each step.
        products: the products over all steps, each with the number of the active const that it
            belongs to.
        factors: the factors of products that are to be stacked by the loop back.
    """

    def __init__(
        self,
        joint: Joint,
        loop: Loop,
        active: Activity,
        at_hand: Collection[SSAValue],
        steps: int | None,
    ) -> None:
        """Choose what to keep.

        Args:
            joint: the reverse mode of one step.
            loop: the loop.
            active: which of its values take part.
            at_hand: values of the joint that the loop back has anyway.
            steps: the number of steps, None if it is not known, so that nothing can be stacked.
        """
        self.joint = joint
        arguments = joint.arguments[loop.leading :]
        self._consts, carries, elements = parts_of(arguments, loop.sizes)
        index = joint.arguments[: loop.leading]
        self._changing = dependent_values(
            joint.block, [*index, *carries, *elements, *joint.cotangents]
        )
        self._free = {*self._consts, *at_hand}
        self._steps = steps
        sizes = [sum(flags) for flags in (active.consts, active.carries, active.elements)]
        gradients, self._carried, self._sliced = parts_of(joint.gradients, sizes)
        self._terms: list[list[SSAValue]] = []
        self.products: list[tuple[int, DotGeneralOp]] = []
        for number, gradient in enumerate(gradients):
            self._terms.append(self._split_terms(number, gradient))
        self.summed = [bool(terms) for terms in self._terms]

        needed = choose_residuals(
            joint.block, joint.cotangents, self._outputs(), Prices(self._cost_of_saving)
        )
        self.shared = [v for v in needed if v not in self._changing]
        self.at_hand = [v for v in needed if v in self._changing and v in self._free]
        self.kept = [v for v in needed if v in self._changing and v not in self._free]
        stacked = {*self.kept, *self._free}
        factors = [v for _, op in self.products for v in op.operands if v not in stacked]
        self.factors = list(dict.fromkeys(factors))

    def _outputs(self) -> list[SSAValue]:
        factors = [value for _, op in self.products for value in op.operands]
        return [*joined(self._terms), *self._carried, *self._sliced, *factors]

    def _cost_of_saving(self, value: SSAValue) -> int:
        if value in self._free:
            return 0
        if isinstance(value.type, TapeType):
            return UNBOUNDED
        if value not in self._changing:
            return 1 + bytes_of(value) // 64
        cost = cost_of_saving(value, self._steps or UNKNOWN_STEPS)
        if isinstance(value, BlockArgument):  # copied in one piece, as no kernel has to write it
            return cost * 3 // 4
        return cost

    def _split_terms(self, number: int, gradient: SSAValue) -> list[SSAValue]:
        """Note the products over all steps among a gradient's terms; return the other terms."""
        terms = list(_terms_of(gradient))
        products = [value.owner for value in terms if self._is_product(value)]
        if not products:
            return [] if is_zero(gradient) else [gradient]
        self.products += [(number, op) for op in products if isinstance(op, DotGeneralOp)]
        return [value for value in terms if value.owner not in products]

    def _is_product(self, value: SSAValue) -> bool:
        """Tell whether a product of each step is better taken over all steps at once."""
        op, steps = value.owner, self._steps
        if not isinstance(op, DotGeneralOp) or steps is None:
            return False
        factors = op.operands
        if not all(factor in self._changing for factor in factors):
            return False
        depth = prod(shape_of(op.lhs)[d] for d in op.lhs_contract.data)
        new = [factor for factor in factors if factor not in self._free]
        saving = sum(cost_of_saving(factor, steps) for factor in new)
        return (
            depth < MANY_ROWS
            and saving < cost_of_computing(op) // 2
            and steps * sum(map(bytes_of, new)) <= MOST_BYTES
        )

    def before_loop(self, b: Builder, consts: Sequence[SSAValue]) -> list[SSAValue]:
        """Append what the shared values need; return these for the consts of the loop forward."""
        environment = mapping(self._consts, consts)
        return append_needed(b.block, self.joint.block, self.shared, environment)

    def append_step(
        self, b: Builder, environment: dict[SSAValue, SSAValue], sums: Sequence[SSAValue]
    ) -> Step:
        """Append one step of the loop back.

        The environment has the needed values and the cotangents of the step's results.
        """
        terms = [values for values in self._terms if values]
        groups = [*terms, self._carried, self._sliced, self.factors]
        effects = self.joint.effects.late
        found = append_needed(b.block, self.joint.block, joined(groups), environment, effects)
        *terms, carried, sliced, factors = map(list, parts_of(found, map(len, groups)))
        totals = [_sum(b, [total, *values]) for total, values in zip(sums, terms)]
        return Step(carried, totals, sliced, factors)

    def const_gradients(
        self, b: Builder, totals: Sequence[SSAValue], stacks: Mapping[SSAValue, SSAValue]
    ) -> list[Derivative]:
        """Append the products over all steps; return the cotangents of the active consts.

        ``stacks`` are the values of all steps, along dimension 0.
        """
        found: list[list[SSAValue]] = [
            [total] if total is not None else [] for total in spread(totals, self.summed)
        ]
        for number, op in self.products:
            found[number].append(_product_over_steps(b, op, stacks[op.lhs], stacks[op.rhs]))
        return [add_all(b, values) for values in found]


def _terms_of(value: SSAValue) -> Iterator[SSAValue]:
    """Yield what a value is the sum of."""
    owner = value.owner
    if isinstance(owner, AddOp):
        for operand in owner.operands:
            yield from _terms_of(operand)
    else:
        yield value


def _sum(b: Builder, values: Sequence[SSAValue]) -> SSAValue:
    total = add_all(b, values)
    assert total is not None
    return total


def _product_over_steps(b: Builder, op: DotGeneralOp, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """Append the sum of the products of all steps."""
    dims = (op.lhs_batch, op.rhs_batch, op.lhs_contract, op.rhs_contract)
    left_batch, right_batch, left, right = ([d + 1 for d in listed.data] for listed in dims)
    return b.dot_general(
        lhs, rhs, batch=(left_batch, right_batch), contract=([0, *left], [0, *right])
    )
