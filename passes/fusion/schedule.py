"""Choosing schedules: which loops are rows, which run in parallel, and how wide vectors are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Final

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Block, Operation

from ...ir.array.contraction import ConvolutionOp, DotGeneralOp
from ...ir.array.control import ScanOp
from ...ir.array.effect import CallbackOp
from ...ir.array.ordering import SortOp
from ...ir.array.reduction import ArgReduceOp, CumulativeOp, ReduceWindowOp
from ...ir.array.shape import dim_of
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.schedule import PARALLEL_STEPS, SHORT_LOOP, Schedule, ScheduleAttr
from ...ir.kernel.space import Axes
from ...ir.kernel.updates import UPDATING
from ...ir.types import Shape, dtype_of, shape_of
from .cost import BYTE_TIME, FLOP_TIME, bytes_of, flops_in, flops_of, microseconds_in
from .grouping import Group
from .products import schedule_product
from .target import MAX_CHUNKS, Target, first_of, lanes_of

REDUCTION_VECTORS: Final = 4
"""Accumulators of a reduction, which hide the latency of an addition."""


def choose_schedule(
    group: Group,
    body: Block,
    domain: Shape,
    reads: Sequence[Axes],
    is_flat: bool,
    is_joined: bool,
    target: Target,
) -> Schedule:
    """Return the schedule of a group of ops that share loops.

    Args:
        group: the ops.
        body: they and what is evaluated in place for them.
        domain: the loops, with those of size one.
        reads: the loops along which each operand is read.
        is_flat: no op needs to know where in the loops an element is.
        is_joined: the last dimension is made of arrays, one at each position.
        target: what it is for.
    """
    reduced = list(group.reduced.values())
    columns = group.columns
    if columns is None:
        columns = _collapsible(len(group.extent), [*reads, *reduced], is_flat)
        if is_joined and not reduced and len(columns) == 1 and group.extent[-1] <= SHORT_LOOP:
            columns = frozenset(range(len(group.extent)))
    dtypes = _dtypes(group)
    lanes, unroll = _vectors(group, columns, lanes_of(dtypes, target.vector_bits))
    dims = [d for d, n in enumerate(domain) if n != 1]
    rows = tuple(d for a, d in enumerate(dims) if a not in columns)
    single_pass = group.columns is None
    outer = rows or (tuple(range(len(domain))) if single_pass else ())
    is_long = _microseconds(group, body, dtypes) > target.parallel_microseconds
    return Schedule(rows, first_of(outer, domain) if is_long else (), lanes, unroll)


def _collapsible(rank: int, along: Iterable[Iterable[int]], is_flat: bool) -> frozenset[int]:
    """Return the last loops that can be one loop: whatever runs along one runs along all."""
    if not rank:
        return frozenset()
    first = rank - 1
    sets = [set(axes) for axes in along]
    while is_flat and first and all((first - 1 in axes) == (first in axes) for axes in sets):
        first -= 1
    return frozenset(range(first, rank))


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


def _microseconds(group: Group, body: Block, dtypes: Iterable[np.dtype]) -> float:
    """Estimate the time of a group on one core."""
    elements = prod(group.extent)
    width = -(-max(dtype.itemsize for dtype in dtypes) // 4)
    streams = len(group.outputs) + 1
    placed = elements * width * sum(flops_of(type(op)) for op, _ in group.placed)
    flops = max(placed, sum(map(flops_in, body.ops)))  # one number a row takes a vector's time
    return flops * FLOP_TIME + elements * 4 * width * streams * BYTE_TIME


MIN_PARALLEL_STEPS: Final = 16
"""A scan of fewer steps is not split among threads, but what is in the steps may be."""

STEPS_MICROSECONDS: Final = 10.0
"""What the steps that a thread takes at a time should last, at least."""


def split_steps(op: ScanOp, target: Target) -> None:
    """Let the steps of a scan that carries nothing run on several threads, if they take long.

    What is in the steps then runs on one.
    """
    step = microseconds_in(op.body.block)
    if op.count < MIN_PARALLEL_STEPS or op.count * step <= target.parallel_microseconds:
        return
    if any(isinstance(inner, CallbackOp) for inner in op.walk()):
        return  # Python runs in the thread of the caller, in the order of the steps
    least = math.ceil(STEPS_MICROSECONDS / step)
    chunk = max(least, -(-op.count // MAX_CHUNKS))
    op.attributes[PARALLEL_STEPS] = IntegerAttr(chunk, i64)
    for inner in op.body.block.walk():
        inner.attributes.pop(PARALLEL_STEPS, None)
        if isinstance(inner, FusionOp) and inner.schedule.data.parallel:
            inner.schedule = ScheduleAttr(replace(inner.schedule.data, parallel=()))


def schedule_alone(op: Operation, target: Target) -> Schedule:
    """Return the schedule of an op that is a kernel of its own."""
    if isinstance(op, DotGeneralOp):
        return schedule_product(op, target)
    if isinstance(op, ReduceWindowOp | ConvolutionOp):
        return _schedule_windows(op, target)
    if isinstance(op, ArgReduceOp | CumulativeOp | SortOp):
        return _schedule_lines(op, target)
    if type(op) in UPDATING:
        return _schedule_update(op, target)
    if isinstance(op, CallbackOp):
        return Schedule()
    domain = shape_of(op.results[0])
    return Schedule(tuple(range(len(domain) - 1)), vector=_lanes_along_last(op, domain, target))


def _schedule_lines(op: ArgReduceOp | CumulativeOp | SortOp, target: Target) -> Schedule:
    """Loop over the lines along the op's dimension."""
    domain = shape_of(op.operands[0])
    along = dim_of(op.properties)
    rows = tuple(d for d in range(len(domain)) if d != along)
    bytes_moved = sum(map(bytes_of, (*op.operands, *op.results)))
    is_long = flops_in(op) * FLOP_TIME + bytes_moved * BYTE_TIME > target.parallel_microseconds
    parallel = first_of(rows, domain) if is_long else ()
    return Schedule(rows, parallel, _lanes_along_last(op, domain, target))


def _schedule_update(op: Operation, target: Target) -> Schedule:
    """Loop over what is updated, in vectors along the last dimension that allows it."""
    domain = shape_of(op.results[0])
    update = op.operands[1]
    rows = tuple(range(len(domain) - 1))
    is_long = 2 * bytes_of(update) * BYTE_TIME > target.parallel_microseconds
    outer = rows or tuple(range(len(domain)))
    return Schedule(
        rows, outer[:1] if is_long else (), lanes_of([dtype_of(update)], target.vector_bits)
    )


def _lanes_along_last(op: Operation, domain: Shape, target: Target) -> int:
    """Return the lanes of a vector along the last dimension, no more than it needs."""
    widest = lanes_of([dtype_of(op.results[0])], target.vector_bits)
    return min(widest, 1 << max(domain[-1] - 1, 0).bit_length())


def _schedule_windows(op: ReduceWindowOp | ConvolutionOp, target: Target) -> Schedule:
    """Loop over the windows, along which or the features vectors run, whichever is long enough."""
    domain = shape_of(op.result)
    longest = max(domain, default=1)
    lanes = min(
        lanes_of([dtype_of(op.result)], target.vector_bits), 1 << max(longest - 1, 0).bit_length()
    )
    rows = tuple(range(len(domain) - 1))
    is_long = flops_in(op) * FLOP_TIME > target.parallel_microseconds
    outer = rows or tuple(range(len(domain)))
    return Schedule(rows, first_of(outer, domain) if is_long else (), lanes)
