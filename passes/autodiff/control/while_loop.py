"""The derivative of a while: a loop that records on a tape, and one back that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....ir.array.control import INDEX, WhileOp
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ....ir.types import tensor_info
from ...blocks import append_block, mapping
from ...groups import chosen, parts_of, spread, types_of
from ..kinds import Derivatives, Engine, Flags, OpRule, Pullback, RegionRule, zero_like
from .common import Joint, filled
from .loops import Reversal, loop_of


class WhileRule(RegionRule):
    """Tangents are carried beside what they are tangents of; the condition does not see them.

    Reverse mode counts the steps and pushes what it needs of each on a tape; the loop back pops
    until the count is zero.
    """

    def varied(self, engine: Engine, op: WhileOp, varied: Flags, /) -> Flags:
        """Return the carries that vary in some step."""
        return loop_of(op, 0).varied(engine, varied)[0][1]

    def useful(self, engine: Engine, op: WhileOp, varied: Flags, wanted: Flags, /) -> Flags:
        """Return the operands that some step needs."""
        active = loop_of(op, 0).active(engine, varied, wanted)
        return [*active.consts, *active.carries]

    def jvp(
        self,
        engine: Engine,
        b: Builder,
        op: WhileOp,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append one loop for values and tangents."""
        loop = loop_of(op, 0)
        active = loop.active(engine, [t is not None for t in tangents], wanted)
        flags = (active.consts, active.carries)
        own = parts_of(operands, loop.sizes[:2])
        given = [
            filled(b, chosen(ts, fs), chosen(group, fs))
            for ts, group, fs in zip(parts_of(tangents, loop.sizes[:2]), own, flags)
        ]
        groups = [group for pair in zip(own, given) for group in pair]
        sizes = [len(group) for group in groups]
        types = [type_ for group in groups for type_ in types_of(group)]

        body = BlockBuilder(types, (), b.location)
        consts, const_tangents, carries, carry_tangents = parts_of(body.arguments, sizes)
        values, found = engine.push_forward(
            body.builder,
            op.body.block,
            [*consts, *carries],
            [*spread(const_tangents, flags[0]), *spread(carry_tangents, flags[1])],
            active.carries,
        )
        moved = filled(body.builder, chosen(found, flags[1]), chosen(values, flags[1]))

        condition = BlockBuilder(types, (), b.location)
        consts, _, carries, _ = parts_of(condition.arguments, sizes)
        more = append_block(condition.block, op.condition.block, [*consts, *carries])
        results = b.while_(
            [*groups[0], *groups[1]],
            [*groups[2], *groups[3]],
            condition.finish(more),
            body.finish([*values, *moved]),
        )
        count = loop.sizes[1]
        return results[:count], spread(results[count:], active.carries)

    def vjp(
        self,
        engine: Engine,
        b: Builder,
        op: WhileOp,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append the loop, counting steps and recording what the loop back will need."""
        loop = loop_of(op, 0)
        active = loop.active(engine, varied, wanted)
        joint = Joint(
            engine,
            op.body.block,
            [*active.consts, *active.carries],
            active.carries,
            op.location,
            linear=linear,
        )
        back = Reversal(joint, loop, active, (), None)
        consts, carries, _ = parts_of(operands, loop.sizes)
        state = [_integer(b, 0), *([b.tape_new(types_of(back.kept))] if back.kept else [])]
        found = b.while_(consts, [*carries, *state], *_recording_loop(b, op, back, types_of(state)))
        results, (steps, *tape) = parts_of(found, (len(carries), len(state)))

        def pullback(cotangents: Derivatives) -> Derivatives:
            given = filled(b, chosen(cotangents, active.carries), chosen(results, active.carries))
            sums = [
                zero_like(b, value) for value in chosen(chosen(consts, active.consts), back.summed)
            ]
            shared = back.before_loop(b, consts)
            groups = ([steps, *tape], given, sums)
            outs = b.while_(
                shared,
                [value for group in groups for value in group],
                *_loop_back(b, back, [types_of(group) for group in (shared, *groups)]),
            )
            _, moved, totals = parts_of(outs, [len(group) for group in groups])
            return [
                *spread(back.const_gradients(b, totals, {}), active.consts),
                *spread(moved, active.carries),
            ]

        return results, pullback


def _recording_loop(
    b: Builder, op: WhileOp, back: Reversal, state: Sequence[Attribute]
) -> tuple[Block, Block]:
    """Return condition and body of the loop that also counts its steps and fills the tape."""
    joint = back.joint
    sizes = (len(joint.arguments), len(state))
    condition, body = (
        BlockBuilder([*types_of(joint.arguments), *state], (), b.location) for _ in range(2)
    )
    own, _ = parts_of(condition.arguments, sizes)
    more = append_block(condition.block, op.condition.block, own)
    own, (steps, *tape) = parts_of(body.arguments, sizes)
    environment = mapping(joint.arguments, own)
    values = joint.append_forward(body.block, environment, back.kept)
    results, kept = parts_of(values, (len(joint.results), len(back.kept)))
    pushed = [body.builder.tape_push(tape[0], kept)] if tape else []
    more_steps = body.builder.add(steps, _integer(body.builder, 1))
    return condition.finish(more), body.finish([*results, more_steps, *pushed])


def _loop_back(
    b: Builder, back: Reversal, types: Sequence[Sequence[Attribute]]
) -> tuple[Block, Block]:
    """Return condition and body of the loop that runs back.

    They take shared values, then count and tape, cotangents, and sums.
    """
    sizes = [len(group) for group in types]
    condition, body = (
        BlockBuilder([t for group in types for t in group], (), b.location) for _ in range(2)
    )
    steps = condition.arguments[sizes[0]]
    more = condition.builder.compare("gt", steps, _integer(condition.builder, 0))
    shared, (steps, *tape), given, sums = parts_of(body.arguments, sizes)
    inner = body.builder
    environment = mapping([*back.shared, *back.joint.cotangents], [*shared, *given])
    if tape:
        rest, items = inner.tape_pop(tape[0])
        environment.update(zip(back.kept, items))
        tape = [rest]
    fewer = inner.sub(steps, _integer(inner, 1))
    step = back.append_step(inner, environment, sums)
    return condition.finish([more]), body.finish([fewer, *tape, *step.carried, *step.sums])


def _integer(b: Builder, value: int) -> SSAValue:
    return b.full(*tensor_info(INDEX), value)


RULES: Final[dict[type[Operation], OpRule]] = {WhileOp: WhileRule()}
