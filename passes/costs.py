"""What it costs to keep a value for later, and to compute it again then.

Both in picoseconds on one core, so that they can be weighed against each other. Powers of two
matter here, not a tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from math import prod
from typing import Final

from xdsl.ir import Block, Operation, SSAValue

from ..ir.array import OPS_BY_FAMILY
from ..ir.array import control as t
from ..ir.array.contraction import DotGeneralOp, free_dims
from ..ir.array.effect import CallbackOp, has_effect
from ..ir.array.elementwise import ConvertOp, ElementwiseOp
from ..ir.array.shape import BroadcastOp, ConstantOp, IotaOp, ReshapeOp
from ..ir.types import shape_of, tensor_info
from .cut import UNBOUNDED
from .fusion.cost import FLOP_TIME, UNKNOWN_STEPS, bytes_of, flops_in

FLOP: Final = round(FLOP_TIME * 1e6)
"""An addition of 32-bit floats within a vector."""

NARROW: Final = 4
"""Arrays of fewer elements take as long as this many: they fill no vector."""

CACHED_BYTE: Final = 100
"""To write and read a byte that stays in a cache."""

FAR_BYTE: Final = 500
"""To write a byte to fresh memory and to read it back from there."""

CACHE: Final = 1 << 20
"""The bytes that stay in a cache."""

CALL: Final = 20_000_000
"""To call a Python function."""

EFFECT: Final = 1 << 50
"""What it is worth to have an effect only once."""

READ_BYTE: Final = 25
"""To read a byte from a cache."""

MANY_ROWS: Final = 256
"""The rows from which on a product is as fast as it gets."""

_FREE: Final = (ConstantOp, IotaOp, BroadcastOp, ReshapeOp)
"""What a loop over the elements does without computing anything."""


def cost_of_saving(value: SSAValue, copies: int = 1) -> int:
    """Return what it costs to write a value and to read it back, where it is one of many copies.

    A tape cannot be kept among others.
    """
    if isinstance(value.type, t.TapeType):
        return UNBOUNDED
    size = bytes_of(value)
    return 1 + size * (CACHED_BYTE if size * copies <= CACHE else FAR_BYTE)


def cost_of_reading(value: SSAValue) -> int:
    """Return what it costs to read a value that is there."""
    return UNBOUNDED if isinstance(value.type, t.TapeType) else 1 + bytes_of(value) * READ_BYTE


def cost_of_computing(op: Operation) -> int:
    """Return what it costs to run an op.

    One with an effect is run again only if its results cannot be kept.
    """
    if has_effect(op):
        return EFFECT
    kind = type(op)
    if kind is CallbackOp:
        return CALL
    if op.regions:
        return 1 + _region_costs(op)
    if kind in _FREE:
        return 0
    elements, width = _elements(op)
    flops = elements * width * _unit(kind)
    if kind is not ConvertOp:
        flops = max(flops, flops_in(op))
    return 1 + FLOP * flops * max(elements, NARROW) // max(elements, 1)


def gain_of_batching(op: Operation, varying: Collection[SSAValue]) -> int:
    """Return what is gained for each of many runs of an op if they are made at once.

    Elementwise ops on few numbers fill vectors then, and products of few rows by what is the same
    in all runs come near the speed of those of many rows. ``varying`` are the operands that differ.
    """
    if isinstance(op, ElementwiseOp):
        elements = max(_elements(op)[0], 1)
        return max(cost_of_computing(op) * (NARROW - elements) // NARROW, 0)
    if isinstance(op, DotGeneralOp):
        flags = [value in varying for value in op._operands]
        rows = [
            prod(shape_of(value)[d] for d in free_dims(len(shape_of(value)), (*batch, *contract)))
            for value, batch, contract in (
                (op.lhs, op.lhs_batch.data, op.lhs_contract.data),
                (op.rhs, op.rhs_batch.data, op.rhs_contract.data),
            )
        ]
        if any(flags) and not all(flags) and rows[flags.index(True)] < MANY_ROWS:
            return cost_of_computing(op) // 2
    return 0


def cost_of_block(block: Block) -> int:
    """Return what it costs to run a block once."""
    return sum(map(cost_of_computing, block.ops))


def _region_costs(op: Operation) -> int:
    costs = [cost_of_block(region.blocks.first) for region in op.regions if region.blocks.first]
    rule = _STEPS.get(type(op))
    return sum(costs) * rule(op) if rule else max(costs)


_STEPS: Final[dict[type[Operation], Callable[[Operation], int]]] = {
    t.ScanOp: lambda op: t.length_of(op.properties),
    t.WhileOp: lambda op: UNKNOWN_STEPS,
}


def _elements(op: Operation) -> tuple[int, int]:
    """Return how many elements an op touches, and how many times wider than 32 bits they are."""
    infos = [
        tensor_info(value)
        for value in (*op._operands, *op.results)
        if not isinstance(value.type, t.TapeType)
    ]
    elements = max((prod(info.shape) for info in infos), default=0)
    return elements, max((-(-info.dtype.itemsize // 4) for info in infos), default=1)


@cache
def _unit(op_type: type[Operation]) -> int:
    """Return the additions that an op takes for each element it touches, at least."""
    family = next((name for name, ops in OPS_BY_FAMILY.items() if op_type in ops), "control")
    return _UNITS.get(family, 4)


_UNITS: Final = {"elementwise": 1, "shape": 1, "reduction": 1, "contraction": 1, "control": 1}
"""By family; what is not listed moves elements one by one."""
