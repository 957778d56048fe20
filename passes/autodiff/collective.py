"""Derivatives of collectives: of a sum over lanes, those of all lanes add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ...ir.array.collective import LaneIndexOp, LaneReduceOp
from ...ir.attributes import ReduceKind
from ...ir.builder import Builder
from ...ir.types import dtype_of
from .kinds import ByKind, Derivatives, Linear, OpRule, Own


def _transpose_sum(b: Builder, op: LaneReduceOp, g: SSAValue, position: int) -> SSAValue:
    return b.lane_reduce("add", g, op.axis.data)


def _share(b: Builder, op: LaneReduceOp, value: SSAValue) -> SSAValue:
    """Return what a lane has of a value of those that have the extremum, which share it."""
    equal = b.compare("eq", op.operand, op.result)
    count = b.lane_reduce("add", b.convert(equal, dtype_of(op.result)), op.axis.data)
    zero = b.full_like(value, 0)
    return b.select(equal, b.div(value, b.max(count, b.full_like(count, 1))), zero)


def _extremum_jvp(b: Builder, op: LaneReduceOp, tangents: Derivatives) -> Derivatives:
    assert tangents[0] is not None
    return [b.lane_reduce("add", _share(b, op, tangents[0]), op.axis.data)]


def _extremum_vjp(
    b: Builder, op: LaneReduceOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    assert cotangents[0] is not None
    return [_share(b, op, b.lane_reduce("add", cotangents[0], op.axis.data))]


_EXTREMUM = Own(_extremum_jvp, _extremum_vjp)

RULES: Final[dict[type[Operation], OpRule]] = {
    LaneReduceOp: ByKind(
        {
            ReduceKind.ADD: Linear(_transpose_sum),
            ReduceKind.MAX: _EXTREMUM,
            ReduceKind.MIN: _EXTREMUM,
        }
    )
}

NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {LaneIndexOp: "it has no operands"}
