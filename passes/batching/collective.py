"""Batching of collectives: under their name they become reductions over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import Operation

from ...ir.array.collective import LaneIndexOp, LaneReduceOp
from ...ir.attributes import ReduceKind
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from .batched import Batched, BatchingRule, Flags, LaneRule, Lanes


def is_resolved(lanes: Lanes, op: Operation) -> bool:
    """Tell whether an op asks for the other lanes of this batch."""
    return isinstance(op, LaneReduceOp | LaneIndexOp) and op.axis.data == lanes.name


def require_in_step(lanes: Lanes, op: Operation) -> None:
    """Raise GradatimError if something in an op asks for lanes that do not run it in step."""
    for inner in op.walk():
        if is_resolved(lanes, inner):
            raise GradatimError(
                "a function of all lanes of a `vmap` is called in a loop or branch that not all of "
                "them take; let the condition be the same for all",
                spell_location(inner.location),
            )


class _Reduce(LaneRule):
    def batched(self, lanes: Lanes, op: LaneReduceOp, batched: Flags, /) -> Flags:
        return [False] if is_resolved(lanes, op) else batched

    def append(
        self, lanes: Lanes, b: Builder, op: LaneReduceOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        ((value, axis),) = operands
        kind = op.kind.data
        if not is_resolved(lanes, op):
            return [Batched(b.lane_reduce(kind, value, op.axis.data), axis)]
        if axis is not None:
            return [Batched(b.reduce(kind, value, (axis,)), None)]
        if kind is ReduceKind.ADD:
            value = b.mul(value, b.full_like(value, lanes.size))
        return [Batched(value, None)]


class _Index(LaneRule):
    def batched(self, lanes: Lanes, op: LaneIndexOp, batched: Flags, /) -> Flags:
        return [is_resolved(lanes, op)]

    def append(
        self, lanes: Lanes, b: Builder, op: LaneIndexOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        return [Batched(b.iota((lanes.size,), np.dtype(np.int64), 0), 0)]


RULES: Final[dict[type[Operation], BatchingRule | LaneRule]] = {
    LaneReduceOp: _Reduce(),
    LaneIndexOp: _Index(),
}
