"""Derivative rules of the reduction family."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import Final

from xdsl.ir import SSAValue

from ...ir.array import reduction as r
from ...ir.array.base import ArrayOp
from ...ir.array.reduction import identity_of
from ...ir.attributes import ReduceKind
from ...ir.builder import Builder
from ...ir.types import Shape, dtype_of, shape_of, tensor_info
from ..windows import combine_windows
from .kinds import ByKind, Composed, Derivatives, Linear, OpRule, Own


def _kept_dims(op: r.ReduceOp) -> Shape:
    reduced = op.dims.data
    return tuple(d for d in range(len(shape_of(op.operand))) if d not in reduced)


def _expand(b: Builder, op: r.ReduceOp, value: SSAValue) -> SSAValue:
    """Repeat a value of the result's shape along the reduced dimensions."""
    return b.broadcast(value, shape_of(op.operand), _kept_dims(op))


def _transpose_sum(b: Builder, op: r.ReduceOp, g: SSAValue, position: int) -> SSAValue:
    return _expand(b, op, g)


# Minimum and maximum: the elements that equal the result share its derivative


def _winners(b: Builder, op: r.ReduceOp) -> tuple[SSAValue, SSAValue]:
    """Append which elements equal the result, and how many do, at least 1."""
    equal = b.compare("eq", op.operand, _expand(b, op, op.result))
    count = b.reduce("add", b.convert(equal, dtype_of(op.result)), op.dims.data)
    return equal, b.max(count, b.full_like(count, 1))


def _extremum_jvp(b: Builder, op: r.ReduceOp, tangents: Derivatives) -> Derivatives:
    tangent = tangents[0]
    assert tangent is not None
    equal, count = _winners(b, op)
    chosen = b.select(equal, tangent, b.full_like(tangent, 0))
    return [b.div(b.reduce("add", chosen, op.dims.data), count)]


def _extremum_vjp(
    b: Builder, op: r.ReduceOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    g = cotangents[0]
    assert g is not None
    equal, count = _winners(b, op)
    share = _expand(b, op, b.div(g, count))
    return [b.select(equal, share, b.full_like(share, 0))]


# Products


def _compose_product(b: Builder, op: r.ReduceOp, operands: Sequence[SSAValue]) -> SSAValue:
    """Append the product as a tree of products of halves.

    Its derivative takes the product of the other elements, right where elements are zero, in linear
    work and logarithmic depth.
    """
    shape, kept, dims = shape_of(operands[0]), _kept_dims(op), op.dims.data
    size = prod(shape[d] for d in dims)
    result_shape = shape_of(op.result)
    if size == 0:
        return b.full_like(op.result, 1)
    rows = b.reshape(b.transpose(operands[0], (*kept, *dims)), (*result_shape, size))
    factors = []
    while size > 1:
        if size % 2:
            factors.append(_columns(b, rows, size - 1, size))
        size //= 2
        rows = b.mul(_columns(b, rows, 0, size), _columns(b, rows, size, 2 * size))
    for factor in factors:
        rows = b.mul(rows, factor)
    return b.reshape(rows, result_shape)


def _columns(b: Builder, x: SSAValue, start: int, limit: int) -> SSAValue:
    """Append the part from start to limit of the last dimension."""
    shape = shape_of(x)
    return b.slice(x, [*[0] * (len(shape) - 1), start], [*shape[:-1], limit])


# Cumulative operations


def _transpose_cumulative_sum(
    b: Builder, op: r.CumulativeOp, g: SSAValue, position: int
) -> SSAValue:
    return b.cumulative("add", g, op.dim.data, reverse=op.reverse is None)


def _compose_cumulative(b: Builder, op: r.CumulativeOp, operands: Sequence[SSAValue]) -> SSAValue:
    """Append the scan by doubling: step k combines each element with the one 2^k before it.

    Hillis and Steele, Data parallel algorithms, Communications of the ACM 29(12), 1986.
    """
    combined, dim = operands[0], op.dim.data
    shape, dtype = tensor_info(combined)
    kind = op.kind.data
    neutral = b.full((), dtype, identity_of(kind, dtype))
    distance = 1
    while distance < shape[dim]:
        edge = [distance if d == dim else 0 for d in range(len(shape))]
        back = [-n for n in edge]
        low, high = (edge, back) if op.reverse is None else (back, edge)
        combined = _COMBINE[kind](b, combined, b.pad(combined, neutral, low, high))
        distance *= 2
    return combined


# Windows


def _transpose_window_sum(b: Builder, op: r.ReduceWindowOp, g: SSAValue, position: int) -> SSAValue:
    """Part the cotangents by the strides and sum over reversed windows, which slide by one."""
    shape, dtype = tensor_info(op.operand)
    if 0 in (*shape, *shape_of(g)):
        return b.full(shape, dtype, 0)
    windows = [w.transposed(n) for w, n in zip(r.windows_of(op.properties), shape)]
    none = [0] * len(shape)
    parted = b.pad(g, b.full((), dtype, 0), none, none, [w.base_dilation - 1 for w in windows])
    return b.reduce_window("add", parted, [w._replace(base_dilation=1) for w in windows])


def _compose_windows(b: Builder, op: r.ReduceWindowOp, operands: Sequence[SSAValue]) -> SSAValue:
    shape, dtype = tensor_info(operands[0])
    if 0 in shape_of(op.result):
        return b.full_like(op.result, 0)
    kind, windows = op.kind.data, r.windows_of(op.properties)
    neutral = b.full((), dtype, identity_of(kind, dtype))
    padded = b.pad(operands[0], neutral, op.low.data, op.high.data)
    return combine_windows(
        padded, shape, windows, partial(_part, b), lambda x, y: _COMBINE[kind](b, x, y)
    )


def _part(b: Builder, x: SSAValue, dim: int, start: int, limit: int, stride: int) -> SSAValue:
    """Append a strided part of one dimension."""
    bounds = [(0, n, 1) for n in shape_of(x)]
    bounds[dim] = start, limit, stride
    starts, limits, strides = zip(*bounds)
    return b.slice(x, starts, limits, strides)


_COMBINE: Final = {
    ReduceKind.MUL: Builder.mul,
    ReduceKind.MIN: Builder.min,
    ReduceKind.MAX: Builder.max,
}

_EXTREMUM = Own(_extremum_jvp, _extremum_vjp)

RULES: Final[dict[type[ArrayOp], OpRule]] = {
    r.ReduceOp: ByKind(
        {
            ReduceKind.ADD: Linear(_transpose_sum),
            ReduceKind.MUL: Composed(_compose_product),
            ReduceKind.MIN: _EXTREMUM,
            ReduceKind.MAX: _EXTREMUM,
        }
    ),
    r.CumulativeOp: ByKind(
        {
            ReduceKind.ADD: Linear(_transpose_cumulative_sum),
            **{kind: Composed(_compose_cumulative) for kind in _COMBINE},
        }
    ),
    r.ReduceWindowOp: ByKind(
        {
            ReduceKind.ADD: Linear(_transpose_window_sum),
            **{kind: Composed(_compose_windows) for kind in _COMBINE},
        }
    ),
}

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {
    r.ArgReduceOp: "its result is a position, an integer",
}
