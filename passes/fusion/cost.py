"""The cost model: what fused ops compute, and what they read and write."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array.contraction import ConvolutionOp, DotGeneralOp
from ...ir.array.control import ScanOp, WhileOp
from ...ir.array.elementwise import ElementwiseOp
from ...ir.array.indexing import DynamicSliceOp, GatherOp
from ...ir.array.ordering import SortOp
from ...ir.array.random import ThreefryOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceOp, ReduceWindowOp
from ...ir.array.shape import SliceOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.space import IterationSpace, is_used_within, iteration_space
from ...ir.ops import ops_of
from ...ir.types import shape_of, tensor_info

CHEAP: Final = 1

_SORT_FLOPS: Final = 100
"""What sorting takes for each element."""

_FLOPS: Final[dict[int, tuple[type[Operation], ...]]] = {
    4: (e.DivOp, e.RemOp, e.SqrtOp, e.RsqrtOp, e.NextAfterOp, e.ConvertOp),
    12: (e.ExpOp, e.Exp2Op, e.Expm1Op, e.CbrtOp, e.LogisticOp),
    16: (e.LogOp, e.Log2Op, e.Log10Op, e.Log1pOp, e.SinOp, e.CosOp, e.TanhOp, e.SinhOp, e.CoshOp),
    24: (e.TanOp, e.AsinOp, e.AcosOp, e.AtanOp, e.Atan2Op, e.AsinhOp, e.AcoshOp, e.AtanhOp),
    32: (e.ErfOp, e.ErfcOp, e.ErfInvOp),
    60: (e.PowOp,),
    80: (ThreefryOp,),
    100: (e.LgammaOp, e.DigammaOp),
}
"""Additions that take as long as one op on the same vector, where they are more than one.

They follow measured times of vector polynomials against one addition; powers of ten matter here,
not a factor of two.
"""

_FLOPS_OF: Final = {op: flops for flops, ops in _FLOPS.items() for op in ops}


class Cost(NamedTuple):
    """What one run of a kernel takes.

    Attributes:
        bytes_read: of the operands, each counted once.
        bytes_written: of the results.
        flops: additions or as long as that many additions.
        scratch: the bytes of intermediates that one row keeps in cache.
    """

    bytes_read: int
    bytes_written: int
    flops: int
    scratch: int

    @property
    def microseconds(self) -> float:
        """An estimate of the time on one core."""
        return self.flops * FLOP_TIME + (self.bytes_read + self.bytes_written) * BYTE_TIME


FLOP_TIME: Final = 5e-5
"""Microseconds of an addition within a vector of 32-bit floats that are in cache."""

BYTE_TIME: Final = 1e-4
"""Microseconds to move a byte to or from main memory, at 10 GB/s."""


UNKNOWN_STEPS: Final = 100
"""How many steps a loop is supposed to take whose number is computed."""


def microseconds_in(block: Block) -> float:
    """Estimate the time of a block of kernels on one core, with the loops and branches in it."""
    total = 0.0
    for op in block.ops:
        if isinstance(op, FusionOp):
            total += cost_of(op).microseconds
        elif op.regions:
            inner = [microseconds_in(found) for region in op.regions for found in region.blocks]
            if isinstance(op, ScanOp):
                total += op.count * sum(inner)
            elif isinstance(op, WhileOp):
                total += UNKNOWN_STEPS * sum(inner)
            else:
                total += max(inner)
    return total


@cache
def flops_of(op_type: type[Operation]) -> int:
    """Return how many additions take as long as an op of this type, for each element."""
    if issubclass(op_type, ElementwiseOp):
        return _FLOPS_OF.get(op_type, CHEAP)
    return CHEAP if op_type in (ReduceOp, ArgReduceOp, CumulativeOp) else 0


def bytes_of(value: SSAValue) -> int:
    """Return the bytes that a value takes in memory."""
    shape, dtype = tensor_info(value)
    return prod(shape) * dtype.itemsize


def flops_in(op: Operation) -> int:
    """Return the additions that an op takes for all elements, weighted by their width."""
    rule = _FLOPS_RULES.get(type(op))
    if rule is not None:
        return rule(op)
    flops = flops_of(type(op))
    if not flops:
        return 0
    shape, dtype = tensor_info(op._operands[0])
    elements = max(prod(shape), prod(shape_of(op.results[0])))
    return flops * elements * _words(dtype)


def _size(value: SSAValue) -> int:
    """Return the elements of a value, each counted by its width."""
    shape, dtype = tensor_info(value)
    return prod(shape) * _words(dtype)


def _flops_of_product(op: DotGeneralOp) -> int:
    depth = prod(shape_of(op.lhs)[d] for d in op.lhs_contract.data)
    return 2 * depth * _size(op.result)


_FLOPS_RULES: Final[dict[type[Operation], Callable[[Any], int]]] = {
    DotGeneralOp: _flops_of_product,
    ConvolutionOp: lambda op: 2 * prod(shape_of(op.rhs)[:-1]) * _size(op.result),
    ReduceWindowOp: lambda op: prod(op.sizes.data) * _size(op.result),
    SortOp: lambda op: _SORT_FLOPS * _size(op.operands[0]),
}


def _words(dtype: np.dtype) -> int:
    """Return how many times fewer elements a vector holds than 32-bit ones."""
    return -(-dtype.itemsize // 4)


def cost_of(fusion: FusionOp) -> Cost:
    """Return the cost of a fusion, on tensors or on buffers."""
    block = fusion.body.block
    return Cost(
        sum(map(_bytes_touched, block.args)),
        sum(map(bytes_of, fusion.terminator.operands)),
        sum(map(flops_in, ops_of(block))),
        _scratch_bytes(fusion),
    )


_TAKING: Final = (SliceOp, DynamicSliceOp, GatherOp)


def _bytes_touched(argument: SSAValue) -> int:
    """Return the bytes of an operand that are read: only a part where all uses take parts."""
    parts = 0
    for use in argument.uses:
        op = use.operation
        takes_part = type(op) in _TAKING and not use.index
        parts += bytes_of(op.results[0]) if takes_part else bytes_of(argument)
    return min(parts, bytes_of(argument))


def _scratch_bytes(fusion: FusionOp) -> int:
    """Return the bytes of a row of each computed value that outlives a reduction of the row."""
    block = fusion.body.block
    if fusion.schedule.data.registers:
        return 0
    stage: dict[SSAValue, int] = {}
    kept: set[SSAValue] = set()
    for op in block.ops:
        if not op.results:
            continue
        own = max((stage.get(v, 0) for v in op.operands), default=0)
        kept.update(v for v in op.operands if isinstance(v.owner, ElementwiseOp) and stage[v] < own)
        awaited = isinstance(op, ReduceOp) and is_used_within(op.result, block)
        stage.update(dict.fromkeys(op.results, own + awaited))
    if not kept:
        return 0
    space = iteration_space(block)
    columns = set(range(len(space.domain))) - set(fusion.schedule.data.rows)
    return sum(_row_bytes(v, space, columns) for v in kept)


def _row_bytes(value: SSAValue, space: IterationSpace, columns: set[int]) -> int:
    extents = [space.domain[a] for a in space.axes.get(value, ()) if a in columns]
    return prod(extents) * tensor_info(value).dtype.itemsize if extents else 0
