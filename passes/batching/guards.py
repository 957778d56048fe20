"""Lanes that have stopped, in ops that are not finite everywhere.

Under a mask an op computes for all lanes. What it gives for those that have stopped is not used;
but a derivative that is infinite there, times a cotangent of zero, would be NaN, and NaN in a sum
over lanes is NaN for all. So what such an op takes is guarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array.control import CustomDerivativeOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of
from .batched import Batched, Lanes

SAFE: Final[dict[type[Operation], tuple[float | None, ...]]] = {
    e.DivOp: (None, 1.0),
    e.RemOp: (None, 1.0),
    e.PowOp: (1.0, 1.0),
    e.Atan2Op: (1.0, 1.0),
    **dict.fromkeys((e.SqrtOp, e.RsqrtOp, e.CbrtOp, e.AbsOp), (1.0,)),
    **dict.fromkeys((e.LogOp, e.Log2Op, e.Log10Op, e.Log1pOp), (1.0,)),
    **dict.fromkeys((e.LgammaOp, e.DigammaOp), (1.0,)),
    **dict.fromkeys((e.ExpOp, e.Exp2Op, e.Expm1Op, e.SinhOp, e.CoshOp), (0.0,)),
    **dict.fromkeys((e.TanOp, e.AsinOp, e.AcosOp, e.AtanhOp, e.ErfInvOp), (0.0,)),
    e.AcoshOp: (2.0,),
}
"""For each operand of ops that are not finite everywhere, or whose derivatives are not, a number
for which both are; None for an operand by which it makes no difference."""


def guarded(
    lanes: Lanes, b: Builder, op: Operation, operands: Sequence[Batched]
) -> Sequence[Batched]:
    """Return the operands of an op with guards for lanes that are not in the mask, if need be."""
    safe = SAFE.get(type(op))
    if lanes.mask is None or safe is None or dtype_of(op.results[0]).kind not in "fc":
        return operands
    return [
        operand if number is None else _guarded(lanes, b, operand, number)
        for operand, number in zip(operands, safe)
    ]


def _guarded(lanes: Lanes, b: Builder, operand: Batched, safe: float) -> Batched:
    value, axis = operand
    if axis is None:
        return operand
    assert lanes.mask is not None
    mask = b.broadcast(lanes.mask, shape_of(value), (axis,))
    return Batched(b.guard(mask, value, safe), axis)


def guarded_result(lanes: Lanes, b: Builder, value: SSAValue) -> Batched:
    """Return a result of which nobody knows where it is finite, with the batch in front."""
    if lanes.mask is None or dtype_of(value).kind not in "fc":
        return Batched(value, 0)
    return _guarded(lanes, b, Batched(value, 0), 0.0)


def wants_guards(op: Operation) -> bool:
    """Tell whether something in an op is guarded where lanes have stopped."""
    return any(type(inner) in SAFE or isinstance(inner, CustomDerivativeOp) for inner in op.walk())
