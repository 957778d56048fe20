"""What scans and whiles share: which values take part, and how a step is run back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from xdsl.ir import Block, SSAValue

from ....ir.array.control import TapeType
from ....ir.builder import Builder
from ...blocks import append_needed, dependent_values, mapping
from ...costs import cost_of_saving
from ...cut import UNBOUNDED
from ...fusion.cost import bytes_of
from ...groups import chosen, parts_of
from ...partition import Prices, choose_residuals
from ..kinds import Engine, Flags
from .common import Joint, is_zero


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


class Reversal:
    """What running a loop back takes.

    Attributes:
        joint: the reverse mode of one step.
        shared: values that are needed and are the same in all steps.
        at_hand: values that are needed and that the loop back has anyway.
        kept: values that are needed and that the loop forward has to keep, one of each step.
        summed: which of the active consts get a cotangent, the sum of one of each step.
    """

    def __init__(
        self, joint: Joint, loop: Loop, active: Activity, at_hand: Collection[SSAValue], copies: int
    ) -> None:
        self.joint = joint
        arguments = joint.arguments[loop.leading :]
        self._consts, carries, elements = parts_of(arguments, loop.sizes)
        index = joint.arguments[: loop.leading]
        changing = dependent_values(joint.block, [*index, *carries, *elements, *joint.cotangents])
        free = {*self._consts, *at_hand}

        def saving(value: SSAValue) -> int:
            if value in free:
                return 0
            if isinstance(value.type, TapeType):
                return UNBOUNDED
            if value not in changing:
                return 1 + bytes_of(value) // 64
            return cost_of_saving(value, copies)

        needed = choose_residuals(joint.block, joint.cotangents, joint.gradients, Prices(saving))
        self.shared = [v for v in needed if v not in changing]
        self.at_hand = [v for v in needed if v in changing and v in free]
        self.kept = [v for v in needed if v in changing and v not in free]
        sizes = [sum(flags) for flags in (active.consts, active.carries, active.elements)]
        self._const_gradients, self._carried, self._sliced = parts_of(joint.gradients, sizes)
        self.summed = [not is_zero(g) for g in self._const_gradients]

    def before_loop(self, b: Builder, consts: Sequence[SSAValue]) -> list[SSAValue]:
        """Append what the shared values need; return these for the consts of the loop forward."""
        environment = mapping(self._consts, consts)
        return append_needed(b.block, self.joint.block, self.shared, environment)

    def append_step(
        self, b: Builder, environment: dict[SSAValue, SSAValue], sums: Sequence[SSAValue]
    ) -> tuple[list[SSAValue], list[SSAValue], list[SSAValue]]:
        """Append one step of the loop back.

        The environment has the needed values and the cotangents of the step's results. Returns the
        cotangents of what it carries, the sums with those of the consts added, and the cotangents
        of the elements.
        """
        groups = [chosen(self._const_gradients, self.summed), self._carried, self._sliced]
        values = [value for group in groups for value in group]
        found = append_needed(b.block, self.joint.block, values, environment)
        consts, carries, elements = parts_of(found, map(len, groups))
        return list(carries), [b.add(*pair) for pair in zip(sums, consts)], list(elements)
