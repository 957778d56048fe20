"""Batching of the ops of the family without regions.

A tape of a batch serves all lanes: what one pushes all push, and with it which of them meant it.
Lanes that have taken fewer steps than others wait, going back, until their own entries come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import Operation

from ....ir.array import control as t
from ....ir.array import plain as p
from ....ir.builder import Builder
from ..batched import Batched, Flags, LaneRule, Lanes, at_axis, batched_type


class _ByPosition(LaneRule):
    """An op whose results are its operands, each with its own axis."""

    def batched(self, lanes: Lanes, op: p.PlainOp, batched: Flags, /) -> Flags:
        return batched

    def append(
        self, lanes: Lanes, b: Builder, op: p.PlainOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        values = [value for value, _ in operands]
        results = b.create_plain(type(op), values, [v.type for v in values], op.properties)
        return [Batched(value, axis) for value, (_, axis) in zip(results, operands)]


class _Guard(LaneRule):
    """The mask and the operand have the batch in front."""

    def batched(self, lanes: Lanes, op: p.GuardOp, batched: Flags, /) -> Flags:
        return [any(batched)]

    def append(
        self, lanes: Lanes, b: Builder, op: p.GuardOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        mask, x = (at_axis(b, operand, 0, lanes.size) for operand in operands)
        return [Batched(b.guard(mask, x, op.safe.value.data), 0)]


class _OnTape(LaneRule):
    """An op on tapes, which always are tapes of the batch."""

    def batched(self, lanes: Lanes, op: p.PlainOp, batched: Flags, /) -> Flags:
        return [True] * len(op.results)


class _New(_OnTape):
    def append(
        self, lanes: Lanes, b: Builder, op: t.TapeNewOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        type_ = batched_type(op.result.type, 0, lanes.size)
        assert isinstance(type_, t.TapeType)
        return [Batched(b.tape_new(type_.types), 0)]


class _Push(_OnTape):
    def append(
        self, lanes: Lanes, b: Builder, op: t.TapePushOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        tape, *items = operands
        mask = lanes.mask
        if mask is None:
            mask = b.full((lanes.size,), np.dtype(np.bool_), True)
        values = [at_axis(b, item, 0, lanes.size) for item in items]
        return [Batched(b.tape_push(tape.value, [mask, *values]), 0)]


class _Pop(_OnTape):
    def append(
        self, lanes: Lanes, b: Builder, op: t.TapePopOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        rest, (mask, *items) = b.tape_pop(operands[0].value)
        if lanes.mask is not None:
            lanes.mask = b.and_(lanes.mask, mask)
        return [Batched(rest, 0), *(Batched(item, 0) for item in items)]


RULES: Final[dict[type[Operation], LaneRule]] = {
    p.BarrierOp: _ByPosition(),
    p.NameOp: _ByPosition(),
    p.GuardOp: _Guard(),
    t.TapeNewOp: _New(),
    t.TapePushOp: _Push(),
    t.TapePopOp: _Pop(),
}
