"""The derivative of a case: a case of the derivatives of the branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....ir.array.control import CaseOp, TapeType
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ....ir.types import tensor_info
from ...blocks import mapping
from ...costs import cost_of_saving
from ...groups import chosen, parts_of, spread, types_of
from ...partition import Prices, choose_residuals
from ..kinds import Derivatives, Engine, Flags, OpRule, Pullback, RegionRule
from .common import Joint, filled


class CaseRule(RegionRule):
    """The branch that was taken is differentiated.

    Reverse mode keeps what the branch needs in slots, which the branches share by type.
    """

    def varied(self, engine: Engine, op: CaseOp, varied: Flags, /) -> Flags:
        """Return the results that vary in some branch."""
        flags = [engine.varied(region.block, varied[1:]) for region in op.regions]
        return [any(column) for column in zip(*flags)]

    def useful(self, engine: Engine, op: CaseOp, varied: Flags, wanted: Flags, /) -> Flags:
        """Return the operands that some branch needs."""
        flags = [engine.useful(region.block, varied[1:], wanted) for region in op.regions]
        return [False, *(any(column) for column in zip(*flags))]

    def jvp(
        self,
        engine: Engine,
        b: Builder,
        op: CaseOp,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append one case for values and tangents."""
        index, *inputs = operands
        flags = [t is not None for t in tangents[1:]]
        given = [t for t in tangents[1:] if t is not None]
        blocks = []
        for region in op.regions:
            block = BlockBuilder(types_of([*inputs, *given]), (), b.location)
            own, extra = parts_of(block.arguments, (len(inputs), len(given)))
            values, found = engine.push_forward(
                block.builder, region.block, own, spread(extra, flags), wanted
            )
            carried = filled(block.builder, chosen(found, wanted), chosen(values, wanted))
            blocks.append(block.finish([*values, *carried]))
        results = b.case(index, [*inputs, *given], blocks)
        count = len(op.results)
        return results[:count], spread(results[count:], wanted)

    def vjp(
        self,
        engine: Engine,
        b: Builder,
        op: CaseOp,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append the case, whose branches fill the slots."""
        index, *inputs = operands
        joints = [
            Joint(engine, region.block, varied[1:], wanted, op.location, linear=linear)
            for region in op.regions
        ]
        branches = [_Branch(joint) for joint in joints]
        slots = _slots([types_of(branch.kept) for branch in branches])
        blocks = [branch.forward(b, slots) for branch in branches]
        found = b.case(index, inputs, blocks)
        results, kept = parts_of(found, (len(op.results), len(slots)))
        used = [any(column) for column in zip(*(branch.used for branch in branches))]

        def pullback(cotangents: Derivatives) -> Derivatives:
            given = filled(b, chosen(cotangents, wanted), chosen(results, wanted))
            back = [*chosen(inputs, used), *kept, *given]
            blocks = [branch.backward(b, types_of(back), used, slots) for branch in branches]
            return [None, *spread(b.case(index, back, blocks), varied[1:])]

        return results, pullback


class _Branch:
    """A branch, and what its sweep back needs: operands, which are at hand, and other values."""

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        arguments = set(joint.arguments)

        def saving(value: SSAValue) -> int:
            if value in arguments:
                return 0
            return cost_of_saving(value)

        needed = choose_residuals(joint.block, joint.cotangents, joint.gradients, Prices(saving))
        self.used = [argument in needed for argument in joint.arguments]
        self.kept = [value for value in needed if value not in arguments]

    def forward(self, b: Builder, slots: Sequence[Attribute]) -> Block:
        """Return the block that also fills the slots, with zeros where it needs none."""
        joint = self.joint
        block = BlockBuilder(types_of(joint.arguments), (), b.location)
        environment = mapping(joint.arguments, block.arguments)
        values = joint.append_forward(block.block, environment, self.kept)
        results, kept = parts_of(values, (len(joint.results), len(self.kept)))
        by_place = dict(zip(self.places(slots), kept))
        filling = [
            by_place[i] if i in by_place else _nothing(block.builder, type_)
            for i, type_ in enumerate(slots)
        ]
        return block.finish([*results, *filling])

    def backward(
        self,
        b: Builder,
        types: Sequence[Attribute],
        used: Flags,
        slots: Sequence[Attribute],
    ) -> Block:
        """Return the block that makes of operands, slots and cotangents the gradients."""
        joint = self.joint
        block = BlockBuilder(types, (), b.location)
        inputs, kept, cotangents = parts_of(
            block.arguments, (sum(used), len(slots), len(joint.cotangents))
        )
        filled_slots = [kept[i] for i in self.places(slots)]
        environment = mapping(
            [*chosen(joint.arguments, used), *self.kept, *joint.cotangents],
            [*inputs, *filled_slots, *cotangents],
        )
        gradients = joint.append_gradients(block.block, environment)
        return block.finish(gradients)

    def places(self, slots: Sequence[Attribute]) -> list[int]:
        """Return the slot of each value that is kept."""
        free: dict[Attribute, list[int]] = {}
        for i, type_ in enumerate(slots):
            free.setdefault(type_, []).append(i)
        counts = Counter[Attribute]()
        found = []
        for value in self.kept:
            found.append(free[value.type][counts[value.type]])
            counts[value.type] += 1
        return found


def _slots(types: Sequence[Sequence[Attribute]]) -> list[Attribute]:
    """Return the types of slots that suffice for each of several lists of types."""
    counts = [Counter(listed) for listed in types]
    needed = Counter[Attribute]()
    for count in counts:
        needed |= count
    return list(needed.elements())


def _nothing(b: Builder, type_: Attribute) -> SSAValue:
    """Append what fills a slot that the branch does not need."""
    if isinstance(type_, TapeType):
        return b.tape_new(type_.types)
    return b.full(*tensor_info(type_), 0)


RULES: Final[dict[type[Operation], OpRule]] = {CaseOp: CaseRule()}
