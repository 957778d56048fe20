"""Batching of elementwise ops: the same op on larger arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation

from ...ir.array import OPS_BY_FAMILY
from ...ir.array.base import ArrayOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, tensor_type
from .batched import Batched, BatchingRule, at_axis, batched_shape, first_axis


def elementwise(b: Builder, op: Operation, operands: Sequence[Batched], size: int) -> Batched:
    """Bring all operands to the axis of the first batched one."""
    axis = first_axis(operands)
    result = op.results[0]
    requested = tensor_type(batched_shape(result, axis, size), dtype_of(result))
    values = [at_axis(b, operand, axis, size) for operand in operands]
    return Batched(b.create(_type(op), values, op.properties, requested), axis)


def _type(op: Operation) -> type[ArrayOp]:
    assert isinstance(op, ArrayOp)
    return type(op)


RULES: Final[dict[type[Operation], BatchingRule]] = dict.fromkeys(
    OPS_BY_FAMILY["elementwise"], elementwise
)
