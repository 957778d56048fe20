"""Derivative rules of the contraction family."""

from __future__ import annotations

from typing import Final

from xdsl.ir import SSAValue

from ...ir.array import contraction as c
from ...ir.array.base import ArrayOp
from ...ir.array.contraction import free_dims
from ...ir.builder import Builder
from ...ir.types import Shape, shape_of
from .kinds import Linear, OpRule


def _dot_general(b: Builder, op: c.DotGeneralOp, g: SSAValue, position: int) -> SSAValue:
    """Contract the cotangent with the other operand over the other's free dimensions.

    The cotangent stands on the side of the other's free dimensions, so that for plain matrix
    products no transpose is left over.
    """
    lhs_dims = op.lhs_batch.data, op.lhs_contract.data
    rhs_dims = op.rhs_batch.data, op.rhs_contract.data
    batch = range(len(op.lhs_batch.data))
    lhs_free = free_dims(len(shape_of(op.lhs)), lhs_dims[0] + lhs_dims[1])
    rhs_free = free_dims(len(shape_of(op.rhs)), rhs_dims[0] + rhs_dims[1])
    first_free = len(batch) + len(lhs_free)
    g_lhs = range(len(batch), first_free)
    g_rhs = range(first_free, first_free + len(rhs_free))
    if position == 0:
        product = b.dot_general(
            g, op.rhs, batch=(batch, op.rhs_batch.data), contract=(g_rhs, rhs_free)
        )
        order = [*lhs_dims[0], *lhs_free, *_partners(rhs_dims[1], lhs_dims[1])]
    else:
        product = b.dot_general(
            op.lhs, g, batch=(op.lhs_batch.data, batch), contract=(lhs_free, g_lhs)
        )
        order = [*rhs_dims[0], *_partners(lhs_dims[1], rhs_dims[1]), *rhs_free]
    return b.transpose(product, sorted(range(len(order)), key=order.__getitem__))


def _partners(dims: Shape, partners: Shape) -> list[int]:
    """Return the partners of contracted dimensions in the order in which these are left over."""
    return [partner for _, partner in sorted(zip(dims, partners))]


def _convolution(b: Builder, op: c.ConvolutionOp, g: SSAValue, position: int) -> SSAValue:
    """Convolve the cotangent: with the reversed kernel, or with the input as its kernel."""
    if 0 in (*shape_of(op.lhs), *shape_of(op.rhs), *shape_of(g)):
        return b.full_like(op.operands[position], 0)
    return (_convolution_input, _convolution_kernel)[position](b, op, g)


def _convolution_input(b: Builder, op: c.ConvolutionOp, g: SSAValue) -> SSAValue:
    """Slide the reversed kernel, from the features out to those in, over the parted cotangent."""
    groups, kernel = c.groups_of(op.properties), shape_of(op.rhs)
    *taps, depth, features = kernel
    spatial = len(taps)
    grouped = b.reshape(
        b.reverse(op.rhs, range(spatial)), (*taps, depth, groups, features // groups)
    )
    order = (*range(spatial), spatial + 2, spatial + 1, spatial)
    back = b.reshape(b.transpose(grouped, order), (*taps, features // groups, groups * depth))
    sizes = shape_of(op.lhs)[1:-1]
    windows = [w.transposed(n) for w, n in zip(c.windows_of(kernel, op.properties), sizes)]
    return b.convolution(g, back, windows, groups)


def _convolution_kernel(b: Builder, op: c.ConvolutionOp, g: SSAValue) -> SSAValue:
    """Sum over the batch and the windows: batches become features, each group beside its own."""
    groups, kernel = c.groups_of(op.properties), shape_of(op.rhs)
    batch, *sizes, _ = shape_of(op.lhs)
    spatial, depth = len(sizes), kernel[-2]
    grouped = b.reshape(op.lhs, (batch, *sizes, groups, depth))
    order = (spatial + 2, *range(1, spatial + 1), spatial + 1, 0)
    x = b.reshape(b.transpose(grouped, order), (depth, *sizes, groups * batch))
    cotangent = b.transpose(g, (*range(1, spatial + 1), 0, spatial + 1))
    windows = [w.exchanged(n) for w, n in zip(c.windows_of(kernel, op.properties), sizes)]
    product = b.convolution(x, cotangent, windows, groups)
    return b.transpose(product, (*range(1, spatial + 1), 0, spatial + 1))


RULES: Final[dict[type[ArrayOp], OpRule]] = {
    c.ConvolutionOp: Linear(_convolution, in_each=True),
    c.DotGeneralOp: Linear(_dot_general, in_each=True),
}

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {}
