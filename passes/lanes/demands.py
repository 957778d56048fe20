"""What an op needs of its operands to compute some lanes of its results.

Lanes are places along dimension 0. A rule answers for each operand whether the same lanes of it are
needed, or the operand as a whole; None means that lanes of the result depend on others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array.base import ArrayOp
from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceOp
from ...ir.array.shape import (
    BroadcastOp,
    ConcatenateOp,
    ConstantOp,
    IotaOp,
    PadOp,
    ReshapeOp,
    ReverseOp,
    SliceOp,
    TransposeOp,
    dim_of,
)
from ...ir.attributes import integers
from ...ir.kernel.space import is_elementwise
from ...ir.types import Tensor, element_of, is_splat, shape_of, splat, tensor_info, tensor_type

Demands = Sequence[bool] | None
Rule = Callable[[Any], Demands]


def demands_of(op: Operation) -> Demands:
    """Return for each operand whether lanes of it give lanes of the results, or None."""
    rule = _elementwise if is_elementwise(type(op)) else RULES.get(type(op))
    return rule(op) if rule is not None else None


def _if(op: Operation, independent: bool) -> Demands:
    return [True] * len(op.operands) if independent else None


def _elementwise(op: Operation) -> Demands:
    return _if(op, True)


def _constant(op: ConstantOp) -> Demands:
    return _if(op, is_splat(op.value))


def _along_dim(op: IotaOp | ConcatenateOp | ArgReduceOp | CumulativeOp) -> Demands:
    return _if(op, dim_of(op.properties) != 0)


def _along_dims(op: ReduceOp | ReverseOp) -> Demands:
    return _if(op, 0 not in op.dims.data)


def _broadcast(op: BroadcastOp) -> Demands:
    return [op.dims.data[:1] == (0,)]


def _reshape(op: ReshapeOp) -> Demands:
    return _if(op, shape_of(op.operand)[:1] == shape_of(op.result)[:1])


def _transpose(op: TransposeOp) -> Demands:
    return _if(op, op.permutation.data[0] == 0)


def _slice(op: SliceOp) -> Demands:
    return _if(op, shape_of(op.operand)[0] == shape_of(op.result)[0] and op.strides.data[0] == 1)


def _pad(op: PadOp) -> Demands:
    return [True, False] if not any(p.data[0] for p in (op.low, op.high, op.interior)) else None


def _product(op: DotGeneralOp) -> Demands:
    """Dimension 0 is one of the batch, or the first free one of an operand."""
    if op.lhs_batch.data:
        independent = op.lhs_batch.data[0] == op.rhs_batch.data[0] == 0
        return _if(op, independent)
    for place, (operand, contract) in enumerate(
        ((op.lhs, op.lhs_contract), (op.rhs, op.rhs_contract))
    ):
        free = free_dims(len(shape_of(operand)), contract.data)
        if free:
            return [place == 0, place == 1] if free[0] == 0 else None
    return None


RULES: Final[dict[type[Operation], Rule]] = {
    ArgReduceOp: _along_dim,
    BroadcastOp: _broadcast,
    ConcatenateOp: _along_dim,
    ConstantOp: _constant,
    CumulativeOp: _along_dim,
    DotGeneralOp: _product,
    IotaOp: _along_dim,
    PadOp: _pad,
    ReduceOp: _along_dims,
    ReshapeOp: _reshape,
    ReverseOp: _along_dims,
    SliceOp: _slice,
    TransposeOp: _transpose,
}
"""The rules of ops that are not elementwise; of ops without one, lanes depend on each other."""


def lanes_type(type_: Attribute, count: int) -> Tensor:
    """Return the type of so many lanes of a value."""
    shape, dtype = tensor_info(type_)
    return tensor_type((count, *shape[1:]), dtype)


def on_lanes(op: ArrayOp, operands: Sequence[SSAValue], count: int) -> ArrayOp:
    """Return the op that computes so many lanes of the results, of lanes of the operands."""
    types = [lanes_type(result.type, count) for result in op.results]
    properties = dict(op.properties)
    if isinstance(op, SliceOp):
        properties["limits"] = integers((count, *op.limits.data[1:]))
    if isinstance(op, ConstantOp):
        properties["value"] = _splat_like(op.value, types[0])
    return op.make(operands, types, properties, op.location)


def _splat_like(value: DenseIntOrFPElementsAttr, type_: Tensor) -> Attribute:
    return splat(*tensor_info(type_), element_of(value))
