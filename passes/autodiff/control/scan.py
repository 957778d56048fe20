"""The derivative of a scan: one scan forward, and one back over what it kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import SSAValue

from ....ir.array.control import INDEX, ScanOp
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ...blocks import append_needed
from ...groups import chosen, parts_of, spread, types_of
from ..kinds import Derivatives, Engine, Flags, Pullback, RegionRule, zero_like
from .common import Joint, derivative_types, filled
from .loops import Reversal, loop_of


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
        active = loop_of(op, 1).active(engine, [t is not None for t in tangents], wanted)
        flags = (active.consts, active.carries, active.elements)
        parts = op.parts
        own = (parts.consts, parts.carries, parts.elements)
        extra = [derivative_types(chosen(*pair)) for pair in zip(own, flags)]
        groups = [group for pair in zip(map(types_of, own), extra) for group in pair]
        body = BlockBuilder([INDEX, *(t for group in groups for t in group)], (), b.location)
        index, *arguments = body.arguments
        given = parts_of(arguments, map(len, groups))
        values, found = engine.push_forward(
            body.builder,
            op.body.block,
            [index, *(v for group in given[::2] for v in group)],
            [None, *(t for pair in zip(given[1::2], flags) for t in spread(*pair))],
            [*active.carries, *active.stacked],
        )
        count = len(parts.carries)
        carried = filled(
            body.builder,
            chosen(found[:count], active.carries),
            chosen(values[:count], active.carries),
        )
        stacked = [t is not None for t in found[count:]]
        block = body.finish(
            [
                *values[:count],
                *carried,
                *values[count:],
                *(t for t in found[count:] if t is not None),
            ]
        )
        given_groups = parts_of(operands, map(len, own))
        given_tangents = parts_of(tangents, map(len, own))
        outer = [
            [*group, *filled(b, chosen(ts, fs), chosen(group, fs))]
            for group, ts, fs in zip(given_groups, given_tangents, flags)
        ]
        results = b.scan(
            op.count, *outer, block, reverse=op.reverse is not None, unroll=unroll_of(op)
        )
        sizes = (count, len(carried), len(values) - count, sum(stacked))
        carries, carry_tangents, ys, y_tangents = parts_of(results, sizes)
        return (
            [*carries, *ys],
            [*spread(carry_tangents, active.carries), *spread(y_tangents, stacked)],
        )

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
        count, forward = loop.sizes[1], op.reverse is None
        elements = joint.arguments[-loop.sizes[2] :] if loop.sizes[2] else ()
        stacked = joint.results[count:]
        at_hand = {joint.arguments[0], *elements, *stacked}
        back = Reversal(joint, loop, active, at_hand, op.count)

        body = BlockBuilder(op.body.block.arg_types, (), b.location)
        environment = dict(zip(joint.arguments, body.arguments))
        outputs = [*joint.results, *back.kept]
        values = append_needed(body.block, joint.block, outputs, environment)
        groups = parts_of(operands, loop.sizes)
        found = b.scan(
            op.count, *groups, body.finish(values), reverse=not forward, unroll=unroll_of(op)
        )
        results = found[: len(joint.results)]
        stacks = {
            **dict(zip(elements, groups[2])),
            **dict(zip(stacked, results[count:])),
            **dict(zip(back.kept, found[len(results) :])),
        }

        def pullback(cotangents: Derivatives) -> Derivatives:
            carried = filled(b, *(chosen(v[:count], active.carries) for v in (cotangents, results)))
            sliced = filled(b, *(chosen(v[count:], active.stacked) for v in (cotangents, results)))
            operands = chosen(groups[0], active.consts)
            sums = [zero_like(b, value) for value in chosen(operands, back.summed)]
            shared = back.before_loop(b, groups[0])
            needed = [value for value in (*back.at_hand, *back.kept) if value in stacks]
            inner = [
                INDEX,
                *types_of(shared),
                *types_of([*carried, *sums]),
                *types_of(needed),
                *types_of(joint.cotangents[len(carried) :]),
            ]
            body = BlockBuilder(inner, (), b.location)
            index, *arguments = body.arguments
            sizes = (len(shared), len(carried), len(sums), len(needed), len(sliced))
            parts = parts_of(arguments, sizes)
            environment = dict(zip(back.shared, parts[0]))
            environment.update(zip(joint.cotangents, [*parts[1], *parts[4]]))
            environment.update(zip(needed, parts[3]))
            environment[joint.arguments[0]] = index
            step = back.append_step(body.builder, environment, parts[2])
            outs = b.scan(
                op.count,
                shared,
                [*carried, *sums],
                [*(stacks[value] for value in needed), *sliced],
                body.finish([*step[0], *step[1], *step[2]]),
                reverse=forward,
                unroll=unroll_of(op),
            )
            carry_gradients, totals, element_gradients = parts_of(
                outs, [len(part) for part in step]
            )
            consts = spread(spread(totals, back.summed), active.consts)
            return [
                *consts,
                *spread(carry_gradients, active.carries),
                *spread(element_gradients, active.elements),
            ]

        return results, pullback


def unroll_of(op: ScanOp) -> int | None:
    """Return how many steps a scan writes out at once, if it says so."""
    return op.unroll.value.data if op.unroll is not None else None


RULES: Final = {ScanOp: ScanRule()}
