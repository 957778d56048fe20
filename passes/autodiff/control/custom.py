"""Derivatives by rules of the user's; what mode a rule is not for follows by transposition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ....ir.array.control import CLOSES_OVER, CustomDerivativeOp
from ....ir.builder import Builder
from ....ir.errors import GradatimError
from ....ir.functions import BlockBuilder
from ....ir.locations import spell_location
from ...blocks import append_block
from ...groups import chosen, spread
from ..kinds import Derivatives, Engine, Flags, OpRule, Pullback, RegionRule, is_inexact
from .common import append_transpose, filled


class CustomDerivativeRule(RegionRule):
    """Forward mode is the jvp region, or the transpose of the backward region; reverse mode is the
    forward and the backward regions, or the transpose of the jvp region.
    """

    def varied(self, engine: Engine, op: CustomDerivativeOp, varied: Flags, /) -> Flags:
        """Return all inexact results if a differentiable operand varies.

        Raises:
            GradatimError: if another operand varies that the user's function closes over.
        """
        if any(varied[: op.skipped]) and CLOSES_OVER in op.attributes:
            raise GradatimError(
                "a function with derivative rules closes over a value by which it is "
                "differentiated, of which the rules do not know; let it take the value as argument",
                spell_location(op.location),
            )
        varies = any(varied[op.skipped :])
        return [varies and is_inexact(result) for result in op.results]

    def useful(
        self, engine: Engine, op: CustomDerivativeOp, varied: Flags, wanted: Flags, /
    ) -> Flags:
        """Return all differentiable operands that vary if a result is wanted."""
        return [*[False] * op.skipped, *(any(wanted) and v for v in varied[op.skipped :])]

    def jvp(
        self,
        engine: Engine,
        b: Builder,
        op: CustomDerivativeOp,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append the jvp region, or the forward one and the transpose of the backward one."""
        differentiated = _differentiated(op, operands)
        given = filled(b, chosen(tangents, differentiated), chosen(operands, differentiated))
        inexact = [is_inexact(result) for result in op.results]
        blocks = op.blocks
        if blocks.jvp is not None:
            values = append_block(b.block, blocks.jvp, [*operands, *given])
            results, moved = values[: len(inexact)], values[len(inexact) :]
        else:
            results, residuals = _forward(b, op, operands)
            assert blocks.backward is not None
            linear = [*[False] * len(residuals), *[True] * sum(inexact)]
            moved = append_transpose(engine, b, blocks.backward, linear, residuals, given)
        found = spread(moved, inexact)
        return (
            _fresh(b, results, operands),
            [t if wants else None for t, wants in zip(found, wanted)],
        )

    def vjp(
        self,
        engine: Engine,
        b: Builder,
        op: CustomDerivativeOp,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append the forward region, or the jvp region without tangents."""
        differentiated = _differentiated(op, operands)
        inexact = [is_inexact(result) for result in op.results]
        blocks = op.blocks
        if blocks.backward is not None:
            results, residuals = _forward(b, op, operands)
        else:
            results, residuals = append_block(b.block, blocks.primal, operands), []

        def pullback(cotangents: Derivatives) -> Derivatives:
            given = filled(b, chosen(cotangents, inexact), chosen(op.results, inexact))
            if blocks.backward is not None:
                found = append_block(b.block, blocks.backward, [*residuals, *given])
            else:
                assert blocks.jvp is not None
                found = append_transpose(
                    engine,
                    b,
                    blocks.jvp,
                    [*[False] * len(operands), *[True] * sum(differentiated)],
                    operands,
                    [*[None] * len(inexact), *given],
                )
            gradients = spread(found, differentiated)
            return [g if varies else None for g, varies in zip(gradients, varied)]

        return _fresh(b, results, operands), pullback


def _differentiated(op: CustomDerivativeOp, operands: Sequence[SSAValue]) -> list[bool]:
    return [i >= op.skipped and is_inexact(value) for i, value in enumerate(operands)]


def _forward(
    b: Builder, op: CustomDerivativeOp, operands: Sequence[SSAValue]
) -> tuple[list[SSAValue], list[SSAValue]]:
    """Append the forward region; return results and residuals."""
    block = op.blocks.forward
    assert block is not None
    values = append_block(b.block, block, operands)
    return values[: len(op.results)], values[len(op.results) :]


def _fresh(b: Builder, results: Sequence[SSAValue], operands: Sequence[SSAValue]) -> list[SSAValue]:
    """Return results that are distinct and no operands, whose derivatives are not theirs."""
    taken, found = set(operands), []
    for result in results:
        if result in taken:
            block = BlockBuilder([result.type], (), b.location)
            (result,) = b.remat("everything", [result], block.finish(block.arguments))
        taken.add(result)
        found.append(result)
    return found


RULES: Final[dict[type[Operation], OpRule]] = {CustomDerivativeOp: CustomDerivativeRule()}
