"""The derivative of a remat: what its policy does not let reverse mode keep is computed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ....ir.array.contraction import ConvolutionOp, DotGeneralOp
from ....ir.array.control import RematOp
from ....ir.array.plain import NameOp
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ...blocks import mapping
from ...costs import cost_of_computing, cost_of_saving
from ...cut import UNBOUNDED
from ...groups import chosen, parts_of, spread, types_of
from ...partition import Prices, choose_residuals
from ..kinds import Derivatives, Engine, Flags, OpRule, Pullback, RegionRule
from .common import Joint, filled


class RematRule(RegionRule):
    """Both modes stay within remats of the same policy, so that it holds to every order.

    The sweep back takes the operands through a barrier, together with the cotangents, so that what
    it computes again is not merged with the first time, nor done before its turn.
    """

    def varied(self, engine: Engine, op: RematOp, varied: Flags, /) -> Flags:
        """Return the body's results that vary."""
        return engine.varied(op.body.block, varied)

    def useful(self, engine: Engine, op: RematOp, varied: Flags, wanted: Flags, /) -> Flags:
        """Return the operands that the body needs."""
        return engine.useful(op.body.block, varied, wanted)

    def jvp(
        self,
        engine: Engine,
        b: Builder,
        op: RematOp,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append one remat for values and tangents."""
        flags = [t is not None for t in tangents]
        given = [t for t in tangents if t is not None]
        body = BlockBuilder(types_of([*operands, *given]), (), b.location)
        own, extra = parts_of(body.arguments, (len(operands), len(given)))
        values, found = engine.push_forward(
            body.builder, op.body.block, own, spread(extra, flags), wanted
        )
        moved = filled(body.builder, chosen(found, wanted), chosen(values, wanted))
        results = b.remat(op.policy.data, [*operands, *given], body.finish([*values, *moved]))
        return results[: len(values)], spread(results[len(values) :], wanted)

    def vjp(
        self,
        engine: Engine,
        b: Builder,
        op: RematOp,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append the remat with what the policy lets it keep as further results."""
        policy = op.policy.data
        joint = Joint(engine, op.body.block, varied, wanted, op.location, linear=linear)
        needed = choose_residuals(
            joint.block, joint.cotangents, joint.gradients, _prices(policy, joint)
        )
        kept = [value for value in needed if value not in set(joint.arguments)]
        body = BlockBuilder(types_of(joint.arguments), (), b.location)
        environment = mapping(joint.arguments, body.arguments)
        values = joint.append_forward(body.block, environment, kept)
        found = b.remat(policy, operands, body.finish(values))
        results = found[: len(joint.results)]
        outer = mapping([*joint.arguments, *kept], [*operands, *found[len(results) :]])

        def pullback(cotangents: Derivatives) -> Derivatives:
            given = filled(b, chosen(cotangents, wanted), chosen(results, wanted))
            inputs: Sequence[SSAValue] = [*(outer[value] for value in needed), *given]
            if policy != "everything":
                inputs = b.barrier(inputs)
            back = BlockBuilder(types_of(inputs), (), b.location)
            environment = mapping([*needed, *joint.cotangents], back.arguments)
            gradients = joint.append_gradients(back.block, environment)
            return spread(b.remat(policy, inputs, back.finish(gradients)), varied)

        return results, pullback


def _prices(policy: str, joint: Joint) -> Prices:
    """Return prices by which operands are free and only what the policy allows can be kept."""
    arguments = set(joint.arguments)
    if policy == "everything":
        return Prices(lambda value: 0 if value in arguments else cost_of_saving(value))
    allowed = _allowed_by(policy)

    def saving(value: SSAValue) -> int:
        if value in arguments:
            return 0
        return 1 if allowed(value) else UNBOUNDED

    def computing(op: Operation) -> int:
        return cost_of_computing(op) + 1

    return Prices(saving, computing)


def _allowed_by(policy: str) -> Callable[[SSAValue], bool]:
    """Return what tells whether a value can be kept."""
    if policy == "dots":
        return lambda value: isinstance(value.owner, DotGeneralOp | ConvolutionOp)
    names = set(policy.removeprefix("names:").split(",")) if policy.startswith("names:") else set()
    return lambda value: any(
        isinstance(op, NameOp) and op.label.data in names
        for op in (value.owner, *(use.operation for use in value.uses))
    )


RULES: Final[dict[type[Operation], OpRule]] = {RematOp: RematRule()}
