"""What is kept in registers: small arrays, and the ops that are computed on them without loops."""

from __future__ import annotations

from math import prod
from typing import Final

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ..array import shape as s
from ..array.contraction import DotGeneralOp
from ..array.indexing import DynamicSliceOp, GatherOp
from ..array.reduction import CumulativeOp, ReduceOp
from ..errors import GradatimError
from ..types import shape_of, spell
from .space import is_elementwise

MAX_ELEMENTS: Final = 64
"""An array of more elements is kept in memory."""

MAX_PRODUCTS: Final = 512
"""A matrix product of more multiplications is not written out."""

MAX_POSITIONS: Final = 8
"""A gather from more computed positions is not written out."""

MOVING_OPS: Final[tuple[type[Operation], ...]] = (
    *(s.BroadcastOp, s.ReshapeOp, s.TransposeOp, s.SliceOp, s.ReverseOp),
    *(s.PadOp, s.ConcatenateOp),
)
"""Ops that only say which element is where."""

OTHER_OPS: Final[tuple[type[Operation], ...]] = (
    *(s.ConstantOp, s.IotaOp),
    *(ReduceOp, CumulativeOp, DotGeneralOp),
)
"""What can be written out besides ops that are elementwise or only move."""

READING_OPS: Final[tuple[type[Operation], ...]] = (s.SliceOp, DynamicSliceOp, GatherOp)
"""Ops whose first operand may be large: they read a part of it in memory."""

_WRITTEN_OUT: Final = frozenset((*MOVING_OPS, *READING_OPS, *OTHER_OPS))


def is_small(type_: Attribute) -> bool:
    """Tell whether values of a type can be kept in registers."""
    return isinstance(type_, TensorType) and 0 < prod(shape_of(type_)) <= MAX_ELEMENTS


def is_small_op(op: Operation) -> bool:
    """Tell whether an op can be written out on small arrays."""
    kind = type(op)
    if len(op.results) != 1 or not is_small(op.results[0].type):
        return False
    if is_elementwise(kind):
        return True  # operands are no larger
    if kind not in _WRITTEN_OUT:
        return False
    first = 1 if kind in READING_OPS else 0
    if not all(is_small(operand.type) for operand in op._operands[first:]):
        return False
    if type(op) is GatherOp:
        return prod(shape_of(op.indices[0])) <= MAX_POSITIONS
    return type(op) is not DotGeneralOp or _products(op) <= MAX_PRODUCTS


def is_read_at_computed_positions(value: SSAValue) -> bool:
    """Tell whether an op needs a value in memory, since it computes which element it reads."""
    return any(
        isinstance(use.operation, DynamicSliceOp | GatherOp) and use.index == 0
        for use in value.uses
    )


def _products(op: DotGeneralOp) -> int:
    depth = prod(shape_of(op.lhs)[d] for d in op.lhs_contract.data)
    return depth * prod(shape_of(op.result))


def require_small(block: Block) -> None:
    """Check that the body of a fusion can be written out.

    Raises:
        GradatimError: if an op cannot, or reads a part of what is neither small nor an argument.
    """
    for op in block.ops:
        if op is block.last_op:
            break
        if not is_small_op(op):
            raise GradatimError(f"{op.name} cannot be computed in registers")
        if not is_small(op.operands[0].type if op.operands else op.results[0].type):
            _require_argument(op.operands[0], block)
    for value in block.last_op.operands if block.last_op else ():
        if not is_small(value.type):
            raise GradatimError(f"a value {spell(value)} cannot be kept in registers")


def _require_argument(value: SSAValue, block: Block) -> None:
    if value not in block.args:
        raise GradatimError(f"a value {spell(value)} cannot be kept in registers")
