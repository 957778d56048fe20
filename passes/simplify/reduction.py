"""Simplification of reductions."""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array import reduction as r
from ...ir.array import shape as s
from ...ir.array.reduction import identity_of
from ...ir.array.reduction import kind_of as reduce_kind_of
from ...ir.array.shape import dim_of
from ...ir.attributes import ReduceKind
from ...ir.types import dtype_of, shape_of, tensor_info
from .rules import Compositions, RuleBuilder, Rules, integers_of, kind_of, splat_of

# One op


def _reduction_of_nothing(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A reduction over no elements gives the neutral one."""
    x = op._operands[0]
    if 0 not in shape_of(x):
        return None
    shape, dtype = tensor_info(op.results[0])
    return b.full(shape, dtype, identity_of(reduce_kind_of(op.properties), dtype))


def _sorted_dims(b: RuleBuilder, op: Operation) -> SSAValue | None:
    dims = integers_of(op, "dims")
    if len(dims) < 2 or list(dims) == sorted(dims):
        return None
    return b.reduce(reduce_kind_of(op.properties), op.operands[0], sorted(dims))


def _reduction_of_ones(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Over dimensions of size 1 a reduction is a reshape; a sum makes the zero positive."""
    x = op._operands[0]
    shape = shape_of(x)
    dims = integers_of(op, "dims")
    if dims and all(shape[d] != 1 for d in dims):
        return None
    kind = reduce_kind_of(op.properties)
    kept = [d for d in range(len(shape)) if d not in dims or shape[d] != 1]
    reshaped = b.reshape(x, tuple(shape[d] for d in kept))
    rest = [i for i, d in enumerate(kept) if d in dims]
    if rest:
        return b.reduce(kind, reshaped, rest)
    if kind is ReduceKind.ADD and kind_of(x) in "fc":
        return b.add(reshaped, b.full_like(reshaped, 0))
    return None if kind_of(x) == "c" else reshaped


def _position_of_one(b: RuleBuilder, op: Operation) -> SSAValue | None:
    one = shape_of(op._operands[0])[dim_of(op.properties)] == 1
    return b.full_like(op.results[0], 0) if one else None


def _accumulation_of_one(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x = op._operands[0]
    return x if shape_of(x)[dim_of(op.properties)] == 1 else None


RULES: Final[Rules] = {
    r.ReduceOp: [_reduction_of_nothing, _reduction_of_ones, _sorted_dims],
    r.ArgReduceOp: [_position_of_one],
    r.CumulativeOp: [_accumulation_of_one],
}

# An op and the op that makes its operand


_IDEMPOTENT: Final = (ReduceKind.MIN, ReduceKind.MAX, ReduceKind.AND, ReduceKind.OR)


def _is_counted(b: RuleBuilder, kind: ReduceKind, dtype: np.dtype, count: int) -> bool:
    """Tell whether ``count`` copies of an element are reduced without a loop, as `_combined`."""
    if count == 1 or kind in _IDEMPOTENT or kind is ReduceKind.XOR:
        return True
    return kind is ReduceKind.ADD and (dtype.kind in "iu" or b.fast)


def _combined(b: RuleBuilder, kind: ReduceKind, x: SSAValue, count: int) -> SSAValue:
    """Return the reduction of ``count`` copies of each element, where it `_is_counted`."""
    if count == 1 or kind in _IDEMPOTENT:
        return x
    if kind is ReduceKind.XOR:
        return x if count % 2 else b.full_like(x, 0)
    return b.mul(x, b.constant(_count(count, x)))


def _count(count: int, x: SSAValue) -> np.ndarray:
    """Return ``count``, wrapped to the width of x's integers, in x's type."""
    shape, dtype = tensor_info(x)
    return np.broadcast_to(np.asarray(count).astype(dtype), shape)


def _reduce_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Reduce the elements before they are repeated, and copies of them by counting."""
    kind = reduce_kind_of(op.properties)
    x, shape = inner.operands[0], shape_of(op.operands[0])
    dims, places = integers_of(op, "dims"), integers_of(inner, "dims")
    count = prod(shape[d] for d in dims if d not in places)
    if not _is_counted(b, kind, dtype_of(x), count):
        return None
    small = b.reduce(kind, x, [i for i, d in enumerate(places) if d in dims])
    value = _combined(b, kind, small, count)
    kept = [d for d in range(len(shape)) if d not in dims]
    return b.broadcast(
        value, shape_of(op.results[0]), [i for i, d in enumerate(kept) if d in places]
    )


def _reduce_of_constant(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A reduction of equal elements counts them."""
    x, kind = op.operands[0], reduce_kind_of(op.properties)
    element = splat_of(x)
    count = prod(shape_of(x)[d] for d in integers_of(op, "dims"))
    if element is None or not _is_counted(b, kind, dtype_of(x), count):
        return None
    value = _combined(b, kind, b.full((), dtype_of(x), element), count)
    return b.broadcast(value, shape_of(op.results[0]), ())


def _reduce_of_reduce(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Reductions of one kind are one; the order of additions is free."""
    kind = reduce_kind_of(op.properties)
    if reduce_kind_of(inner.properties) is not kind or not b.is_used_once(inner):
        return None
    x, dims = inner.operands[0], integers_of(inner, "dims")
    kept = [d for d in range(len(shape_of(x))) if d not in dims]
    return b.reduce(kind, x, sorted((*dims, *(kept[d] for d in integers_of(op, "dims")))))


def _reduce_of_transpose(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Transpose what is left after the reduction."""
    permutation, dims = integers_of(inner, "permutation"), integers_of(op, "dims")
    kept = [d for i, d in enumerate(permutation) if i not in dims]
    small = b.reduce(
        reduce_kind_of(op.properties), inner.operands[0], sorted(permutation[i] for i in dims)
    )
    return b.transpose(small, [sorted(kept).index(d) for d in kept])


def _reduce_of_reverse(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Reversing what is reduced only changes the order, which is free."""
    dims, reversed_dims = integers_of(op, "dims"), integers_of(inner, "dims")
    rest = [d for d in reversed_dims if d not in dims]
    if len(rest) == len(reversed_dims):
        return None
    return b.reduce(reduce_kind_of(op.properties), b.reverse(inner.operands[0], rest), dims)


COMPOSITIONS: Final[Compositions] = {
    (r.ReduceOp, 0, s.BroadcastOp): _reduce_of_broadcast,
    (r.ReduceOp, 0, s.ConstantOp): _reduce_of_constant,
    (r.ReduceOp, 0, r.ReduceOp): _reduce_of_reduce,
    (r.ReduceOp, 0, s.TransposeOp): _reduce_of_transpose,
    (r.ReduceOp, 0, s.ReverseOp): _reduce_of_reverse,
}
