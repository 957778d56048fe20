"""The derivative of a scan: one scan forward, and one back over what it kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....ir.array.control import INDEX, ScanOp
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ...blocks import mapping
from ...groups import chosen, joined, parts_of, spread, types_of
from ..kinds import Derivatives, Engine, Flags, OpRule, Pullback, RegionRule, zero_like
from .common import Joint, derivative_types, filled
from .loops import Activity, Reversal, loop_of


class ScanRule(RegionRule):
    """Tangents are carried, sliced and stacked beside what they are tangents of.

    Reverse mode stacks what it needs of each step and runs back over it. What it needs of values
    that are the same in all steps is computed before the loop, elements and stacked results are
    there anyway, and the index is free.
    """

    def varied(self, engine: Engine, op: ScanOp, varied: Flags, /) -> Flags:
        """Return the carries that vary in some step, and the stacked results."""
        (_, carries, _), stacked = loop_of(op, 1).varied(engine, varied)
        return [*carries, *stacked]

    def useful(self, engine: Engine, op: ScanOp, varied: Flags, wanted: Flags, /) -> Flags:
        """Return the operands that some step needs."""
        active = loop_of(op, 1).active(engine, varied, wanted)
        return [*active.consts, *active.carries, *active.elements]

    def jvp(
        self,
        engine: Engine,
        b: Builder,
        op: ScanOp,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append one scan for values and tangents."""
        loop = loop_of(op, 1)
        active = loop.active(engine, [t is not None for t in tangents], wanted)
        block, stacked = _pushed_body(engine, b, op, active)
        consts, carries, elements = [
            [*group, *filled(b, chosen(given, flags), chosen(group, flags))]
            for group, given, flags in zip(
                parts_of(operands, loop.sizes), parts_of(tangents, loop.sizes), active[:3]
            )
        ]
        results = _append_scan(b, op, consts, carries, elements, block)
        count = loop.sizes[1]
        sizes = (count, sum(active.carries), len(op.results) - count, sum(stacked))
        last, moved, ys, y_tangents = parts_of(results, sizes)
        return [*last, *ys], [*spread(moved, active.carries), *spread(y_tangents, stacked)]

    def vjp(
        self,
        engine: Engine,
        b: Builder,
        op: ScanOp,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append the scan, stacking what the scan back will need."""
        loop = loop_of(op, 1)
        active = loop.active(engine, varied, wanted)
        joint = Joint(
            engine,
            op.body.block,
            [False, *active.consts, *active.carries, *active.elements],
            [*active.carries, *active.stacked],
            op.location,
            linear=linear,
        )
        step, (_, _, elements) = joint.arguments[0], parts_of(joint.arguments[1:], loop.sizes)
        count = loop.sizes[1]
        ys = joint.results[count:]
        back = Reversal(joint, loop, active, {step, *elements, *ys}, op.count)

        groups = parts_of(operands, loop.sizes)
        consts, carries, given_elements = groups
        body = _recording_body(b, joint, back)
        found = _append_scan(b, op, consts, carries, given_elements, body)
        results, kept = found[: len(joint.results)], found[len(joint.results) :]
        stacks = mapping([*elements, *ys, *back.kept], [*groups[2], *results[count:], *kept])

        def pullback(cotangents: Derivatives) -> Derivatives:
            flags = [*active.carries, *active.stacked]
            given = filled(b, chosen(cotangents, flags), chosen(results, flags))
            carried, sliced = parts_of(given, (sum(active.carries), sum(active.stacked)))
            consts = chosen(groups[0], active.consts)
            sums = [zero_like(b, value) for value in chosen(consts, back.summed)]
            shared = back.before_loop(b, groups[0])
            needed = [value for value in (*back.at_hand, *back.kept) if value is not step]
            types = [types_of(group) for group in (shared, carried, sums, needed)]
            outs = _append_scan(
                b,
                op,
                shared,
                [*carried, *sums],
                [*(stacks[value] for value in needed), *sliced],
                _body_back(b, back, step, needed, types),
                back=True,
            )
            sizes = (len(carried), len(sums), sum(active.elements), len(back.factors))
            carry_gradients, totals, element_gradients, factors = parts_of(outs, sizes)
            all_stacks = {**stacks, **mapping(back.factors, factors)}
            return [
                *spread(back.const_gradients(b, totals, all_stacks), active.consts),
                *spread(carry_gradients, active.carries),
                *spread(element_gradients, active.elements),
            ]

        return results, pullback


def _pushed_body(
    engine: Engine, b: Builder, op: ScanOp, active: Activity
) -> tuple[Block, list[bool]]:
    """Return the body for values and tangents, and which stacked results have a tangent."""
    parts = op.parts
    own = (parts.consts, parts.carries, parts.elements)
    extra = [derivative_types(chosen(group, flags)) for group, flags in zip(own, active[:3])]
    groups = [group for pair in zip(map(types_of, own), extra) for group in pair]
    body = BlockBuilder([INDEX, *joined(groups)], (), b.location)
    step, *arguments = body.arguments
    given = parts_of(arguments, map(len, groups))
    moved = joined(spread(*pair) for pair in zip(given[1::2], active[:3]))
    values, tangents = engine.push_forward(
        body.builder,
        op.body.block,
        [step, *joined(given[::2])],
        [None, *moved],
        [*active.carries, *active.stacked],
    )
    count = len(parts.carries)
    carries = chosen(values[:count], active.carries)
    carried = filled(body.builder, chosen(tangents[:count], active.carries), carries)
    stacked = [tangent for tangent in tangents[count:] if tangent is not None]
    block = body.finish([*values[:count], *carried, *values[count:], *stacked])
    return block, [tangent is not None for tangent in tangents[count:]]


def _recording_body(b: Builder, joint: Joint, back: Reversal) -> Block:
    """Return the body that also stacks what the scan back will need."""
    body = BlockBuilder(types_of(joint.arguments), (), b.location)
    environment = mapping(joint.arguments, body.arguments)
    return body.finish(joint.append_forward(body.block, environment, back.kept))


def _body_back(
    b: Builder,
    back: Reversal,
    step: SSAValue,
    needed: Sequence[SSAValue],
    types: Sequence[Sequence[Attribute]],
) -> Block:
    """Return the body of the scan back.

    It takes shared values, cotangents of the carries and sums, then parts of the needed values and
    cotangents of the stacked results.
    """
    joint = back.joint
    sizes = [len(group) for group in types]
    sliced = joint.cotangents[sizes[1] :]
    body = BlockBuilder([INDEX, *joined(types), *types_of(sliced)], (), b.location)
    index, *arguments = body.arguments
    shared, carried, sums, parts, given = parts_of(arguments, [*sizes, len(sliced)])
    environment = mapping(
        [step, *back.shared, *joint.cotangents, *needed],
        [index, *shared, *carried, *given, *parts],
    )
    return body.finish(joined(back.append_step(body.builder, environment, sums)))


def _append_scan(
    b: Builder,
    op: ScanOp,
    consts: Sequence[SSAValue],
    carries: Sequence[SSAValue],
    elements: Sequence[SSAValue],
    body: Block,
    *,
    back: bool = False,
) -> Sequence[SSAValue]:
    """Append a scan of as many steps as another one, in the same order or back."""
    return b.scan(
        op.count,
        consts,
        carries,
        elements,
        body,
        reverse=(op.reverse is not None) != back,
        unroll=op.unroll.value.data if op.unroll is not None else None,
    )


RULES: Final[dict[type[Operation], OpRule]] = {ScanOp: ScanRule()}
