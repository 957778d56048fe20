"""Derivative rules of the indexing family.

Reading and writing are transposes of each other. A position out of range is read at the edge, so
that its cotangent is added there, and is not written, so that its update has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from ...ir.array import indexing as n
from ...ir.array.base import ArrayOp
from ...ir.attributes import ScatterKind
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of
from ..scatters import combine_at
from .kinds import ByKind, Composed, Derivatives, Linear, OpRule, Own

_INT64 = np.dtype(np.int64)

# Windows


def _dynamic_slice(b: Builder, op: n.DynamicSliceOp, g: SSAValue, position: int) -> SSAValue:
    """Put the window among zeros."""
    return b.dynamic_update_slice(b.full_like(op.operand, 0), g, op.starts)


def _dynamic_update_slice(
    b: Builder, op: n.DynamicUpdateSliceOp, g: SSAValue, position: int
) -> SSAValue:
    """What is replaced has no influence; what replaces it has all there."""
    if position == 0:
        return b.dynamic_update_slice(g, b.full_like(op.update, 0), op.starts)
    return b.dynamic_slice(g, op.starts, shape_of(op.update))


# Gathers


def _gather(b: Builder, op: n.GatherOp, g: SSAValue, position: int) -> SSAValue:
    """Add up what was taken from each place."""
    shape, dims = shape_of(op.operand), op.dims.data
    if prod(shape) == 0:
        return b.full_like(op.operand, 0)
    indices = [
        b.clamp(b.full_like(i, 0), i, b.full_like(i, shape[d] - 1))
        for i, d in zip(op.indices, dims)
    ]
    return b.scatter("add", b.full_like(op.operand, 0), g, indices, dims)


# Scatters


def _gathered(b: Builder, op: n.ScatterOp, x: SSAValue) -> SSAValue:
    """Take what is at the positions of the updates; any element where they are out of range."""
    if prod(shape_of(x)) == 0:
        return b.full_like(op.update, 0)
    return b.gather(x, op.indices, op.dims.data)


def _masked(b: Builder, op: n.ScatterOp, mask: SSAValue, values: SSAValue) -> SSAValue:
    """Keep the values, which are as the updates are, where the mask of the indices is set."""
    rank = len(shape_of(op.indices[0]))
    wide = b.broadcast(mask, shape_of(values), range(rank))
    return b.select(wide, values, b.full_like(values, 0))


def _in_range(b: Builder, op: n.ScatterOp) -> SSAValue:
    """Tell which updates are in range."""
    shape = shape_of(op.operand)
    inside: SSAValue | None = None
    for index, dim in zip(op.indices, op.dims.data):
        for test in (
            b.compare("ge", index, b.full_like(index, 0)),
            b.compare("lt", index, b.full_like(index, shape[dim])),
        ):
            inside = test if inside is None else b.and_(inside, test)
    assert inside is not None
    return inside


def _remaining(b: Builder, op: n.ScatterOp) -> SSAValue:
    """Tell which updates are in range and not overwritten by later ones.

    Each update's number is scattered in its place; those that are still there remain.
    """
    if op.unique is not None:
        return _in_range(b, op)
    shape = shape_of(op.indices[0])
    sizes = tuple(shape_of(op.operand)[d] for d in op.dims.data)
    if prod(sizes) == 0:
        return b.full(shape, np.dtype(np.bool_), False)
    numbers = b.reshape(b.iota((prod(shape),), _INT64, 0), shape)
    dims = range(len(sizes))
    last = b.scatter("set", b.full(sizes, _INT64, -1), numbers, op.indices, dims)
    return b.compare("eq", b.gather(last, op.indices, dims), numbers)


def _again(
    b: Builder, op: n.ScatterOp, kind: ScatterKind, x: SSAValue, update: SSAValue
) -> SSAValue:
    """Scatter other values to the same positions."""
    return b.scatter(kind, x, update, op.indices, op.dims.data, unique=op.unique is not None)


def _transpose_set(b: Builder, op: n.ScatterOp, g: SSAValue, position: int) -> SSAValue:
    if position == 0:
        return _again(b, op, ScatterKind.SET, g, b.full_like(op.update, 0))
    return _masked(b, op, _remaining(b, op), _gathered(b, op, g))


def _transpose_add(b: Builder, op: n.ScatterOp, g: SSAValue, position: int) -> SSAValue:
    return g if position == 0 else _masked(b, op, _in_range(b, op), _gathered(b, op, g))


# Products


def _compose_product(b: Builder, op: n.ScatterOp, operands: Sequence[SSAValue]) -> SSAValue:
    """Append the product of what is there and the updates, one after the other if need be.

    The products are replaced rather than combined, so that the derivative takes the product of all
    other factors, right where some are zero.
    """
    x, update, *indices = operands
    unique, dims = op.unique is not None, op.dims.data
    return combine_at(b, [x], [update], indices, dims, _multiply, unique=unique)[0]


def _multiply(b: Builder, old: Sequence[SSAValue], new: Sequence[SSAValue]) -> list[SSAValue]:
    return [b.mul(x, y) for x, y in zip(old, new)]


# Minimum and maximum: the elements that equal the result share its derivative


def _winners(b: Builder, op: n.ScatterOp) -> tuple[SSAValue, SSAValue, SSAValue]:
    """Append which old elements and which updates equal the result, and how many for each place."""
    x, z = op.operand, op.result
    old = b.or_(b.compare("eq", x, z), b.compare("ne", x, x))
    taken = b.compare("eq", op.update, _gathered(b, op, z))
    rank = len(shape_of(op.indices[0]))
    new = b.and_(taken, b.broadcast(_in_range(b, op), shape_of(op.update), range(rank)))
    ones = (b.convert(mask, dtype_of(x)) for mask in (old, new))
    count = _again(b, op, ScatterKind.ADD, *ones)
    return old, new, b.max(count, b.full_like(count, 1))


def _extremum_jvp(b: Builder, op: n.ScatterOp, tangents: Derivatives) -> Derivatives:
    old, new, count = _winners(b, op)
    x, update = (
        b.full_like(value, 0) if tangent is None else b.select(mask, tangent, b.full_like(value, 0))
        for mask, tangent, value in zip((old, new), tangents, op.operands)
    )
    return [b.div(_again(b, op, ScatterKind.ADD, x, update), count)]


def _extremum_vjp(
    b: Builder, op: n.ScatterOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    g = cotangents[0]
    assert g is not None
    old, new, count = _winners(b, op)
    share = b.div(g, count)
    taken = _gathered(b, op, share)
    return [
        b.select(old, share, b.full_like(share, 0)) if wanted[0] else None,
        b.select(new, taken, b.full_like(taken, 0)) if wanted[1] else None,
        *[None] * len(op.indices),
    ]


_EXTREMUM = Own(_extremum_jvp, _extremum_vjp)

RULES: Final[dict[type[ArrayOp], OpRule]] = {
    n.DynamicSliceOp: Linear(_dynamic_slice),
    n.DynamicUpdateSliceOp: Linear(_dynamic_update_slice),
    n.GatherOp: Linear(_gather),
    n.ScatterOp: ByKind(
        {
            ScatterKind.SET: Linear(_transpose_set),
            ScatterKind.ADD: Linear(_transpose_add),
            ScatterKind.MUL: Composed(_compose_product),
            ScatterKind.MIN: _EXTREMUM,
            ScatterKind.MAX: _EXTREMUM,
        }
    ),
}

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {}
