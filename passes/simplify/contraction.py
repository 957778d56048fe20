"""Simplification of contractions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from xdsl.ir import Operation, SSAValue

from ...ir.array import contraction as c
from ...ir.array import shape as s
from ...ir.array.contraction import free_dims
from ...ir.types import shape_of, tensor_info
from .rules import Compositions, RuleBuilder, Rules, integers_of


class _Side(NamedTuple):
    """One operand of a ``dot_general`` with its dimensions by role."""

    value: SSAValue
    batch: Sequence[int]
    contract: Sequence[int]

    @property
    def free(self) -> list[int]:
        """The dimensions that are neither batch nor contracted ones."""
        return free_dims(len(shape_of(self.value)), (*self.batch, *self.contract))


def _sides(op: Operation) -> list[_Side]:
    lhs, rhs = op.operands
    return [
        _Side(lhs, integers_of(op, "lhs_batch"), integers_of(op, "lhs_contract")),
        _Side(rhs, integers_of(op, "rhs_batch"), integers_of(op, "rhs_contract")),
    ]


def _dot_general(b: RuleBuilder, lhs: _Side, rhs: _Side) -> SSAValue:
    return b.dot_general(
        lhs.value,
        rhs.value,
        batch=(lhs.batch, rhs.batch),
        contract=(lhs.contract, rhs.contract),
    )


# One op


def _sum_of_nothing(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A sum over no products is zero."""
    shape, dtype = tensor_info(op.results[0])
    return b.full(shape, dtype, 0) if 0 in shape_of(op._operands[0]) else None


def _sorted_contraction(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Pairs of contracted dimensions have no order; the left ones rise."""
    contract = integers_of(op, "lhs_contract")
    if len(contract) < 2 or list(contract) == sorted(contract):
        return None
    lhs, rhs = _sides(op)
    pairs = sorted(zip(lhs.contract, rhs.contract))
    return _dot_general(
        b,
        lhs._replace(contract=[left for left, _ in pairs]),
        rhs._replace(contract=[right for _, right in pairs]),
    )


RULES: Final[Rules] = {c.DotGeneralOp: [_sum_of_nothing, _sorted_contraction]}

# An op and the op that makes its operand


def _dot_of_transpose(
    b: RuleBuilder, op: Operation, inner: Operation, index: int
) -> SSAValue | None:
    """A product reads its operand in any order, as long as the free dimensions keep theirs."""
    sides = _sides(op)
    side = sides[index]
    permutation = integers_of(inner, "permutation")
    free = [permutation[d] for d in side.free]
    if free != sorted(free):
        return None
    sides[index] = _Side(
        inner.operands[0],
        [permutation[d] for d in side.batch],
        [permutation[d] for d in side.contract],
    )
    return _dot_general(b, *sides)


def _dot_of_broadcast(
    b: RuleBuilder, op: Operation, inner: Operation, index: int
) -> SSAValue | None:
    """Free dimensions that only repeat are repeated after the product."""
    sides = _sides(op)
    side = sides[index]
    shape, places = shape_of(side.value), integers_of(inner, "dims")
    repeated = [d for d in side.free if d not in places]
    if not repeated:
        return None
    kept = [d for d in range(len(shape)) if d not in repeated]
    small = b.broadcast(
        inner.operands[0], tuple(shape[d] for d in kept), [kept.index(d) for d in places]
    )
    sides[index] = _Side(
        small, [kept.index(d) for d in side.batch], [kept.index(d) for d in side.contract]
    )
    before = len(side.batch) + (len(_sides(op)[0].free) if index else 0)
    new = {before + side.free.index(d) for d in repeated}
    result = shape_of(op.results[0])
    return b.broadcast(
        _dot_general(b, *sides), result, [d for d in range(len(result)) if d not in new]
    )


def _transpose_of_dot(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A product whose free dimensions trade places is the product of the traded operands."""
    lhs, rhs = _sides(inner)
    batch, left, right = len(lhs.batch), len(lhs.free), len(rhs.free)
    dims = list(range(batch + left + right))
    traded = (*dims[:batch], *dims[batch + left :], *dims[batch : batch + left])
    if integers_of(op, "permutation") != traded or not b.is_used_once(inner):
        return None
    return _dot_general(b, rhs, lhs)


COMPOSITIONS: Final[Compositions] = {
    (c.DotGeneralOp, 0, s.TransposeOp): partial(_dot_of_transpose, index=0),
    (c.DotGeneralOp, 1, s.TransposeOp): partial(_dot_of_transpose, index=1),
    (c.DotGeneralOp, 0, s.BroadcastOp): partial(_dot_of_broadcast, index=0),
    (c.DotGeneralOp, 1, s.BroadcastOp): partial(_dot_of_broadcast, index=1),
    (s.TransposeOp, 0, c.DotGeneralOp): _transpose_of_dot,
}
