"""Derivative rules of the shape family: all of its ops are linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from ...ir.array import shape as s
from ...ir.array.base import ArrayOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of
from .kinds import Derivative, Derivatives, Linear, OpRule, Own, apply_jointly

_BOOL = np.dtype(np.bool_)


def _broadcast(b: Builder, op: s.BroadcastOp, g: SSAValue, position: int) -> SSAValue:
    kept = op.dims.data
    return b.reduce("add", g, [d for d in range(len(shape_of(g))) if d not in kept])


def _reshape(b: Builder, op: s.ReshapeOp, g: SSAValue, position: int) -> SSAValue:
    return b.reshape(g, shape_of(op.operand))


def _transpose(b: Builder, op: s.TransposeOp, g: SSAValue, position: int) -> SSAValue:
    permutation = op.permutation.data
    return b.transpose(g, sorted(range(len(permutation)), key=permutation.__getitem__))


def _slice(b: Builder, op: s.SliceOp, g: SSAValue, position: int) -> SSAValue:
    """Put the elements back to their places among zeros."""
    starts, strides = op.starts.data, op.strides.data
    ends = [
        start + (max(n - 1, 0) * stride + 1 if n else 0)
        for n, start, stride in zip(shape_of(g), starts, strides)
    ]
    high = [n - end for n, end in zip(shape_of(op.operand), ends)]
    zero = b.full((), dtype_of(g), 0)
    return b.pad(g, zero, starts, high, [stride - 1 for stride in strides])


def _pad(b: Builder, op: s.PadOp, g: SSAValue, position: int) -> SSAValue:
    if position == 0:
        return _pad_operand(b, op, g)
    return _pad_value(b, op, g)


def _pad_operand(b: Builder, op: s.PadOp, g: SSAValue) -> SSAValue:
    """Take the operand's places; zeros for what negative edges had cut off."""
    low, high = op.low.data, op.high.data
    strides = [n + 1 for n in op.interior.data]
    if min((*low, *high), default=0) >= 0:
        limits = [n - edge for n, edge in zip(shape_of(g), high)]
        return b.slice(g, low, limits, strides)
    zero = b.full((), dtype_of(g), 0)
    restored = b.pad(g, zero, [-n for n in low], [-n for n in high])
    return b.slice(restored, [0] * len(strides), shape_of(restored), strides)


def _pad_value(b: Builder, op: s.PadOp, g: SSAValue) -> SSAValue:
    """Sum over the padded places, which a mask tells."""
    false = b.full(shape_of(op.operand), _BOOL, False)
    true = b.full((), _BOOL, True)
    padded = b.pad(false, true, op.low.data, op.high.data, op.interior.data)
    return b.reduce("add", b.select(padded, g, b.full_like(g, 0)), range(len(shape_of(g))))


def _concatenate_vjp(
    b: Builder, op: s.ConcatenateOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    """Take each operand's part, in one walk, since operands may be many."""
    dim, g = op.dim.data, cotangents[0]
    assert g is not None
    found: list[Derivative] = []
    starts, limits = [0] * len(shape_of(g)), list(shape_of(g))
    for operand, wants in zip(op.operands, wanted):
        limits[dim] = starts[dim] + shape_of(operand)[dim]
        found.append(b.slice(g, starts, limits) if wants else None)
        starts[dim] = limits[dim]
    return found


def _reverse(b: Builder, op: s.ReverseOp, g: SSAValue, position: int) -> SSAValue:
    return b.reverse(g, op.dims.data)


RULES: Final[dict[type[ArrayOp], OpRule]] = {
    s.BroadcastOp: Linear(_broadcast),
    s.ReshapeOp: Linear(_reshape),
    s.TransposeOp: Linear(_transpose),
    s.SliceOp: Linear(_slice),
    s.PadOp: Linear(_pad),
    s.ConcatenateOp: Own(apply_jointly, _concatenate_vjp),
    s.ReverseOp: Linear(_reverse),
}

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {
    s.ConstantOp: "it has no operands",
    s.IotaOp: "it has no operands",
}
