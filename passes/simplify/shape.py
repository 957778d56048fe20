"""Simplification of shape ops."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from xdsl.ir import Operation, SSAValue

from ...ir.array import shape as s
from ...ir.array.shape import dim_of
from ...ir.types import Shape, shape_of, tensor_info
from .rules import Compositions, RuleBuilder, Rules, integers_of

# One op


def _does_nothing(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """An op that gives its operand back: a reshape to the same shape, a slice of everything."""
    x = op._operands[0]
    return x if shape_of(x) == shape_of(op.results[0]) else None


def _transpose_of_ones(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A transpose that moves only dimensions of size 1 is a reshape."""
    x = op._operands[0]
    shape = shape_of(x)
    moved = [d for d in integers_of(op, "permutation") if shape[d] != 1]
    return b.reshape(x, shape_of(op.results[0])) if moved == sorted(moved) else None


def _broadcast_to_ones(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A broadcast along new dimensions of size 1 is a reshape."""
    x = op._operands[0]
    shape = shape_of(op.results[0])
    return b.reshape(x, shape) if prod(shape_of(x)) == prod(shape) else None


def _unit_strides(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """The stride of a single element is 1, and the limit is behind the last element."""
    starts, limits, strides = (integers_of(op, n) for n in ("starts", "limits", "strides"))
    sizes = shape_of(op.results[0])
    steps = tuple(stride if n > 1 else 1 for n, stride in zip(sizes, strides))
    ends = _limits(starts, sizes, steps)
    if steps == strides and ends == limits:
        return None
    return b.slice(op.operands[0], starts, ends, steps)


def _limits(starts: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> Shape:
    """Return the smallest limits of a slice without empty dimensions."""
    return tuple(start + (n - 1) * stride + 1 for start, n, stride in zip(starts, sizes, strides))


def _pad_as_slice(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A pad that only cuts off is a slice."""
    low, high, interior = (integers_of(op, n) for n in ("low", "high", "interior"))
    if max((*low, *high), default=0) > 0 or any(interior):
        return None
    x = op._operands[0]
    return b.slice(x, [-n for n in low], [n + cut for n, cut in zip(shape_of(x), high)])


def _pad_of_nothing(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x, value = op._operands
    return b.broadcast(value, shape_of(op.results[0]), ()) if 0 in shape_of(x) else None


def _iota_of_one(b: RuleBuilder, op: Operation) -> SSAValue | None:
    shape, dtype = tensor_info(op.results[0])
    return b.full(shape, dtype, 0) if shape[dim_of(op.properties)] == 1 else None


def _flat_concatenation(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Operands that are empty vanish; those that are concatenations themselves are opened."""
    dim = dim_of(op.properties)
    inputs: list[SSAValue] = []
    for value in op._operands:
        owner = value.owner
        if type(owner) is s.ConcatenateOp and dim_of(owner.properties) == dim:
            inputs += owner.operands
        elif shape_of(value)[dim] > 0:
            inputs.append(value)
    unchanged = len(inputs) > 1 and tuple(inputs) == tuple(op._operands)
    return None if unchanged else b.concatenate(inputs, dim)


def _rejoined_slices(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Neighbouring slices of one array, joined in order, are one slice."""
    dim = dim_of(op.properties)
    inputs: list[SSAValue] = [op._operands[0]]
    for value in op._operands[1:]:
        joined = _join_slices(b, inputs[-1], value, dim)
        if joined is None:
            inputs.append(value)
        else:
            inputs[-1] = joined
    return b.concatenate(inputs, dim) if len(inputs) < len(op._operands) else None


def _join_slices(b: RuleBuilder, x: SSAValue, y: SSAValue, dim: int) -> SSAValue | None:
    first, second = x.owner, y.owner
    if (
        type(first) is not s.SliceOp
        or type(second) is not s.SliceOp
        or first.operands[0] is not second.operands[0]
    ):
        return None
    starts, limits = list(first.starts.data), list(first.limits.data)
    next_starts, next_limits = list(second.starts.data), list(second.limits.data)
    if any(step != 1 for step in (*first.strides.data, *second.strides.data)):
        return None
    if limits.pop(dim) != next_starts.pop(dim):
        return None
    start = starts.pop(dim)
    limit = next_limits.pop(dim)
    if starts != next_starts or limits != next_limits:
        return None
    starts.insert(dim, start)
    limits.insert(dim, limit)
    return b.slice(first.operands[0], starts, limits)


def _reverse_of_ones(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """Reversing one element does nothing, and dimensions are listed in order."""
    x = op._operands[0]
    shape = shape_of(x)
    dims = integers_of(op, "dims")
    kept = tuple(sorted(d for d in dims if shape[d] > 1))
    return b.reverse(x, kept) if kept != dims or not dims else None


RULES: Final[Rules] = {
    s.IotaOp: [_iota_of_one],
    s.BroadcastOp: [_broadcast_to_ones],
    s.ReshapeOp: [_does_nothing],
    s.TransposeOp: [_transpose_of_ones],
    s.SliceOp: [_does_nothing, _unit_strides],
    s.PadOp: [_pad_of_nothing, _pad_as_slice],
    s.ConcatenateOp: [_flat_concatenation, _rejoined_slices],
    s.ReverseOp: [_reverse_of_ones],
}

# An op and the op that makes its operand


def _broadcast_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    outer = integers_of(op, "dims")
    dims = [outer[d] for d in integers_of(inner, "dims")]
    return b.broadcast(inner.operands[0], shape_of(op.results[0]), dims)


def _broadcast_of_reshape(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Dimensions of size 1 that a reshape inserted come with the broadcast."""
    x = inner.operands[0]
    shape = shape_of(op.operands[0])
    kept = [d for d, n in enumerate(shape) if n != 1]
    if shape_of(x) != tuple(shape[d] for d in kept):
        return None
    outer = integers_of(op, "dims")
    return b.broadcast(x, shape_of(op.results[0]), [outer[d] for d in kept])


def _broadcast_of_iota(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    shape, dtype = tensor_info(op.results[0])
    return b.iota(shape, dtype, integers_of(op, "dims")[dim_of(inner.properties)])


def _reshape_of_reshape(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.reshape(inner.operands[0], shape_of(op.results[0]))


def _reshape_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A reshape that inserts or removes dimensions of size 1 acts before the broadcast."""
    x = inner.operands[0]
    before, after = shape_of(op.operands[0]), shape_of(op.results[0])
    old = [d for d, n in enumerate(before) if n != 1]
    new = [d for d, n in enumerate(after) if n != 1]
    if prod(shape_of(x)) == 1:
        return b.broadcast(b.reshape(x, ()), after, ())
    if [before[d] for d in old] != [after[d] for d in new]:
        return None
    place = dict(zip(old, new))
    dims = [place[d] for d in integers_of(inner, "dims") if d in place]
    small = b.reshape(x, tuple(after[d] for d in dims))
    return b.broadcast(small, after, dims)


def _transpose_of_transpose(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    first, second = integers_of(inner, "permutation"), integers_of(op, "permutation")
    return b.transpose(inner.operands[0], [first[d] for d in second])


def _transpose_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Permute the elements before they are repeated."""
    place = {d: i for i, d in enumerate(integers_of(op, "permutation"))}
    moved = [place[d] for d in integers_of(inner, "dims")]
    order = sorted(range(len(moved)), key=moved.__getitem__)
    small = b.transpose(inner.operands[0], order)
    return b.broadcast(small, shape_of(op.results[0]), sorted(moved))


def _transpose_of_iota(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    shape, dtype = tensor_info(op.results[0])
    return b.iota(shape, dtype, integers_of(op, "permutation").index(dim_of(inner.properties)))


def _slice_of_slice(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    starts = [
        first + start * stride
        for first, start, stride in zip(
            integers_of(inner, "starts"), integers_of(op, "starts"), integers_of(inner, "strides")
        )
    ]
    pairs = zip(integers_of(inner, "strides"), integers_of(op, "strides"))
    strides = [inside * outside for inside, outside in pairs]
    limits = _limits(starts, shape_of(op.results[0]), strides)
    return b.slice(inner.operands[0], starts, limits, strides)


def _slice_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Slice the elements before they are repeated."""
    dims = integers_of(inner, "dims")
    small = b.slice(inner.operands[0], *_bounds_along(op, dims))
    return b.broadcast(small, shape_of(op.results[0]), dims)


def _bounds_along(op: Operation, dims: Sequence[int]) -> list[list[int]]:
    """Return starts, limits and strides of a slice along some dimensions."""
    return [[integers_of(op, name)[d] for d in dims] for name in ("starts", "limits", "strides")]


def _slice_of_iota(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A slice that begins with 0 and skips nothing counts as before."""
    dim = dim_of(inner.properties)
    if integers_of(op, "starts")[dim] != 0 or integers_of(op, "strides")[dim] != 1:
        return None
    shape, dtype = tensor_info(op.results[0])
    return b.iota(shape, dtype, dim)


def _slice_of_concatenate(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Operands of a concatenation that a slice does not touch are not needed."""
    dim = dim_of(inner.properties)
    starts, limits = list(integers_of(op, "starts")), list(integers_of(op, "limits"))
    inputs: list[SSAValue] = []
    skipped = begin = 0
    for value in inner.operands:
        end = begin + shape_of(value)[dim]
        if end <= starts[dim]:
            skipped = end
        elif begin < limits[dim]:
            inputs.append(value)
        begin = end
    if len(inputs) == len(inner.operands):
        return None
    starts[dim] -= skipped
    limits[dim] -= skipped
    return b.slice(b.concatenate(inputs, dim), starts, limits, integers_of(op, "strides"))


def _slice_of_pad(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A slice of what was padded, or of the padding alone."""
    x, value = inner.operands
    starts, limits, strides = (integers_of(op, n) for n in ("starts", "limits", "strides"))
    if any(integers_of(inner, "interior")):
        return None
    low, sizes = integers_of(inner, "low"), shape_of(x)
    starts = tuple(start - before for start, before in zip(starts, low))
    limits = tuple(limit - before for limit, before in zip(limits, low))
    if any(start >= n or limit <= 0 for start, limit, n in zip(starts, limits, sizes)):
        return b.broadcast(value, shape_of(op.results[0]), ())
    if any(start < 0 or limit > n for start, limit, n in zip(starts, limits, sizes)):
        return None
    return b.slice(x, starts, limits, strides)


def _pad_of_pad(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Padding twice with one value is padding once, unless something is cut off or parted."""
    x, value = inner.operands
    edges = [integers_of(o, name) for o in (inner, op) for name in ("low", "high")]
    parted = any((*integers_of(inner, "interior"), *integers_of(op, "interior")))
    if value is not op.operands[1] or parted or min(map(min, edges)) < 0:
        return None
    low, high, more_low, more_high = edges
    lows = [a + c for a, c in zip(low, more_low)]
    return b.pad(x, value, lows, [a + c for a, c in zip(high, more_high)])


def _reverse_of_reverse(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    dims = set(integers_of(op, "dims")) ^ set(integers_of(inner, "dims"))
    return b.reverse(inner.operands[0], sorted(dims))


def _reverse_of_broadcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Reverse the elements before they are repeated."""
    dims, reversed_dims = integers_of(inner, "dims"), integers_of(op, "dims")
    small = b.reverse(inner.operands[0], [i for i, d in enumerate(dims) if d in reversed_dims])
    return b.broadcast(small, shape_of(op.results[0]), dims)


COMPOSITIONS: Final[Compositions] = {
    (s.BroadcastOp, 0, s.BroadcastOp): _broadcast_of_broadcast,
    (s.BroadcastOp, 0, s.ReshapeOp): _broadcast_of_reshape,
    (s.BroadcastOp, 0, s.IotaOp): _broadcast_of_iota,
    (s.ReshapeOp, 0, s.ReshapeOp): _reshape_of_reshape,
    (s.ReshapeOp, 0, s.BroadcastOp): _reshape_of_broadcast,
    (s.TransposeOp, 0, s.TransposeOp): _transpose_of_transpose,
    (s.TransposeOp, 0, s.BroadcastOp): _transpose_of_broadcast,
    (s.TransposeOp, 0, s.IotaOp): _transpose_of_iota,
    (s.SliceOp, 0, s.SliceOp): _slice_of_slice,
    (s.SliceOp, 0, s.BroadcastOp): _slice_of_broadcast,
    (s.SliceOp, 0, s.IotaOp): _slice_of_iota,
    (s.SliceOp, 0, s.ConcatenateOp): _slice_of_concatenate,
    (s.SliceOp, 0, s.PadOp): _slice_of_pad,
    (s.PadOp, 0, s.PadOp): _pad_of_pad,
    (s.ReverseOp, 0, s.ReverseOp): _reverse_of_reverse,
    (s.ReverseOp, 0, s.BroadcastOp): _reverse_of_broadcast,
}
