"""Derivative rules of the ops of the family without regions: tapes, barriers and names.

Beside a differentiable tape runs one of tangents, or of cotangents, which is pushed and popped when
the tape is. Back in time a push becomes a pop and a pop a push.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from ....ir.array import control as t
from ....ir.array import plain as p
from ....ir.builder import Builder
from ...groups import chosen, spread
from ..kinds import Composed, Derivative, Derivatives, OpRule, Own, is_inexact
from .common import filled


def _inexact_flags(values: Sequence[SSAValue]) -> list[bool]:
    return [is_inexact(value) for value in values]


def _new_jvp(b: Builder, op: t.TapeNewOp, tangents: Derivatives) -> Derivatives:
    types = op.result.type
    assert isinstance(types, t.TapeType)
    return [b.tape_new(t.inexact_types(types.types))]


def _new_vjp(
    b: Builder, op: t.TapeNewOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    return []


def _push_jvp(b: Builder, op: t.TapePushOp, tangents: Derivatives) -> Derivatives:
    tape, *items = tangents
    assert tape is not None
    return [_push(b, tape, items, op.values)]


def _push_vjp(
    b: Builder, op: t.TapePushOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    tape = cotangents[0]
    if tape is None:  # nothing pops what is pushed here
        return [None] * len(op.operands)
    rest, items = b.tape_pop(tape)
    return [rest, *spread(items, _inexact_flags(op.values))]


def _pop_jvp(b: Builder, op: t.TapePopOp, tangents: Derivatives) -> Derivatives:
    tape = tangents[0]
    assert tape is not None
    rest, items = b.tape_pop(tape)
    return [rest, *spread(items, _inexact_flags(op.values))]


def _pop_vjp(
    b: Builder, op: t.TapePopOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    (rest,) = filled(b, cotangents[:1], [op.rest])
    return [_push(b, rest, cotangents[1:], op.values)]


def _push(b: Builder, tape: SSAValue, items: Derivatives, values: Sequence[SSAValue]) -> SSAValue:
    """Push the derivatives of some values."""
    flags = _inexact_flags(values)
    return b.tape_push(tape, filled(b, chosen(items, flags), chosen(values, flags)))


def _behind_barrier(b: Builder, derivatives: Derivatives) -> list[Derivative]:
    flags = [g is not None for g in derivatives]
    return spread(b.barrier([g for g in derivatives if g is not None]), flags)


def _identity_jvp(b: Builder, op: Operation, tangents: Derivatives) -> Derivatives:
    return tangents


def _identity_vjp(
    b: Builder, op: Operation, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    return cotangents


def select_safe(b: Builder, op: p.GuardOp, operands: Sequence[SSAValue]) -> SSAValue:
    """Append what a guard is where derivatives are taken."""
    mask, x = operands
    return b.select(mask, x, b.full_like(x, op.safe.value.data))


RULES: Final[dict[type[Operation], OpRule]] = {
    t.TapeNewOp: Own(_new_jvp, _new_vjp),
    t.TapePushOp: Own(_push_jvp, _push_vjp),
    t.TapePopOp: Own(_pop_jvp, _pop_vjp),
    p.GuardOp: Composed(select_safe),
    p.NameOp: Own(_identity_jvp, _identity_vjp),
    p.BarrierOp: Own(
        lambda b, op, tangents: _behind_barrier(b, tangents),
        lambda b, op, cotangents, wanted: _behind_barrier(b, cotangents),
    ),
}
