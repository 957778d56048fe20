"""Choosing schedules: which loops are rows, which run in parallel, and how wide vectors are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Final

import numpy as np
from xdsl.ir import Operation

from ...ir.array.contraction import ConvolutionOp, DotGeneralOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceWindowOp
from ...ir.array.shape import dim_of
from ...ir.kernel.schedule import Schedule
from ...ir.kernel.space import Axes
from ...ir.kernel.updates import UPDATING
from ...ir.types import Shape, dtype_of, shape_of
from .cost import BYTE_TIME, FLOP_TIME, bytes_of, flops_in, flops_of
from .grouping import Group

PARALLEL_MICROSECONDS: Final = 200.0
"""A kernel that takes less on one core, by the cost model, is not split among threads."""

PARALLEL_ROWS: Final = 64
"""So many rows are enough to split; inner loops are then left whole."""

GEMM_PRODUCTS: Final = 4096
"""A matrix product of more multiplications is the library's; below, a call costs more."""

REDUCTION_VECTORS: Final = 4
"""Accumulators of a reduction, which hide the latency of an addition."""


def choose_schedule(
    group: Group, domain: Shape, reads: Sequence[Axes], is_flat: bool, vector_bits: int
) -> Schedule:
    """Return the schedule of a group of ops that share loops.

    Args:
        group: the ops.
        domain: the loops, with those of size one.
        reads: the loops along which each operand is read.
        is_flat: no op needs to know where in the loops an element is.
        vector_bits: the width of a vector register.
    """
    reduced = list(group.reduced.values())
    columns = group.columns
    if columns is None:
        columns = _collapsible(len(group.extent), [*reads, *reduced], is_flat)
    dtypes = _dtypes(group)
    lanes, unroll = _vectors(group, columns, _lanes(dtypes, vector_bits))
    dims = [d for d, n in enumerate(domain) if n != 1]
    rows = tuple(d for a, d in enumerate(dims) if a not in columns)
    single_pass = group.columns is None
    outer = rows or (tuple(range(len(domain))) if single_pass else ())
    is_long = _microseconds(group, dtypes) > PARALLEL_MICROSECONDS
    return Schedule(rows, _first_of(outer, domain) if is_long else (), lanes, unroll)


def _collapsible(rank: int, along: Iterable[Iterable[int]], is_flat: bool) -> frozenset[int]:
    """Return the last loops that can be one loop: whatever runs along one runs along all."""
    if not rank:
        return frozenset()
    first = rank - 1
    sets = [set(axes) for axes in along]
    while is_flat and first and all((first - 1 in axes) == (first in axes) for axes in sets):
        first -= 1
    return frozenset(range(first, rank))


def _first_of(dims: Sequence[int], domain: Shape) -> tuple[int, ...]:
    """Return the first dimensions that have enough iterations together to be split."""
    count = 1
    for number, d in enumerate(dims, 1):
        count *= domain[d]
        if count >= PARALLEL_ROWS:
            return tuple(dims[:number])
    return tuple(dims)


def _vectors(group: Group, columns: frozenset[int], widest: int) -> tuple[int, int]:
    """Return the lanes of a vector and how many are taken at a time."""
    if not group.extent:
        return 1, 1
    last = len(group.extent) - 1
    collapsed = group.columns is None
    length = prod([group.extent[a] for a in columns]) if collapsed else group.extent[last]
    lanes = min(widest, 1 << max(length - 1, 0).bit_length())
    reduces = any(last in axes for axes in group.reduced.values())
    enough = length >= 4 * REDUCTION_VECTORS * lanes
    return lanes, REDUCTION_VECTORS if reduces and enough else 1


def _dtypes(group: Group) -> set[np.dtype]:
    """Return the dtypes of what a group computes, and of what it compares or converts."""
    types = {id(v.type): v.type for op, _ in group.placed for v in (*op.results, *op._operands[:1])}
    return {dtype_of(type_) for type_ in types.values()}


def _lanes(dtypes: Iterable[np.dtype], vector_bits: int) -> int:
    """Return how many of the widest elements a vector holds; numbers count before indices."""
    floats, others = 0, 1
    for dtype in dtypes:
        if dtype.kind in "fc":
            floats = max(floats, dtype.itemsize // (2 if dtype.kind == "c" else 1))
        else:
            others = max(others, dtype.itemsize)
    return vector_bits // (8 * (floats or others))


def _microseconds(group: Group, dtypes: Iterable[np.dtype]) -> float:
    """Estimate the time of a group on one core."""
    elements = prod(group.extent)
    width = -(-max(dtype.itemsize for dtype in dtypes) // 4)
    flops = sum(flops_of(type(op)) for op, _ in group.placed) * width
    streams = len(group.outputs) + 1
    return elements * (flops * FLOP_TIME + 4 * width * streams * BYTE_TIME)


def schedule_alone(op: Operation, vector_bits: int) -> Schedule:
    """Return the schedule of an op that is a kernel of its own."""
    if isinstance(op, DotGeneralOp):
        return _schedule_product(op, vector_bits)
    if isinstance(op, ReduceWindowOp | ConvolutionOp):
        return _schedule_windows(op, vector_bits)
    if isinstance(op, ArgReduceOp | CumulativeOp):
        return _schedule_lines(op, vector_bits)
    if type(op) in UPDATING:
        return _schedule_update(op, vector_bits)
    domain = shape_of(op.results[0])
    return Schedule(
        tuple(range(len(domain) - 1)), vector=_lanes_along_last(op, domain, vector_bits)
    )


def _schedule_lines(op: ArgReduceOp | CumulativeOp, vector_bits: int) -> Schedule:
    """Loop over the lines along the op's dimension."""
    domain = shape_of(op.operand)
    along = dim_of(op.properties)
    rows = tuple(d for d in range(len(domain)) if d != along)
    bytes_moved = bytes_of(op.operand) + bytes_of(op.result)
    is_long = flops_in(op) * FLOP_TIME + bytes_moved * BYTE_TIME > PARALLEL_MICROSECONDS
    parallel = _first_of(rows, domain) if is_long else ()
    return Schedule(rows, parallel, _lanes_along_last(op, domain, vector_bits))


def _schedule_update(op: Operation, vector_bits: int) -> Schedule:
    """Loop over what is updated, in vectors along the last dimension that allows it."""
    domain = shape_of(op.results[0])
    update = op.operands[1]
    rows = tuple(range(len(domain) - 1))
    is_long = 2 * bytes_of(update) * BYTE_TIME > PARALLEL_MICROSECONDS
    outer = rows or tuple(range(len(domain)))
    return Schedule(rows, outer[:1] if is_long else (), _lanes([dtype_of(update)], vector_bits))


def _lanes_along_last(op: Operation, domain: Shape, vector_bits: int) -> int:
    """Return the lanes of a vector along the last dimension, no more than it needs."""
    widest = _lanes([dtype_of(op.results[0])], vector_bits)
    return min(widest, 1 << max(domain[-1] - 1, 0).bit_length())


def _schedule_windows(op: ReduceWindowOp | ConvolutionOp, vector_bits: int) -> Schedule:
    """Loop over the windows, along which or the features vectors run, whichever is long enough."""
    domain = shape_of(op.result)
    longest = max(domain, default=1)
    lanes = min(_lanes([dtype_of(op.result)], vector_bits), 1 << max(longest - 1, 0).bit_length())
    rows = tuple(range(len(domain) - 1))
    is_long = flops_in(op) * FLOP_TIME > PARALLEL_MICROSECONDS
    outer = rows or tuple(range(len(domain)))
    return Schedule(rows, _first_of(outer, domain) if is_long else (), lanes)


def _schedule_product(op: DotGeneralOp, vector_bits: int) -> Schedule:
    """Use the library for a large product of matrices, loops for a small one."""
    domain = shape_of(op.result)
    dtype = dtype_of(op.result)
    batch = len(op.lhs_batch.data)
    depth = prod([shape_of(op.lhs)[d] for d in op.lhs_contract.data])
    products = depth * prod(domain[batch:])
    is_long = flops_in(op) * FLOP_TIME > PARALLEL_MICROSECONDS
    if products > GEMM_PRODUCTS and dtype.kind in "fc":
        rows = tuple(range(batch))
        outer = rows or tuple(range(len(domain)))
        return Schedule(rows, outer if is_long else (), library="gemm")
    rows = tuple(range(len(domain) - 1))
    length = domain[-1] if domain else depth
    lanes = min(_lanes([dtype], vector_bits), 1 << max(length - 1, 0).bit_length())
    return Schedule(rows, _first_of(rows, domain) if is_long else (), lanes)
