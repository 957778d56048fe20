"""Which loops are made of lanes: what each buffer in them is needed as, and what aliases what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import lcm, prod
from typing import Final

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import IntegerAttr, MemRefType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.tensor import FromElementsOp
from xdsl.ir import Block, SSAValue

from ...ir.array.effect import CallbackOp, CheckOp
from ...ir.kernel.buffers import value_type
from ...ir.kernel.ops import FusionOp
from ...ir.ops import ops_of
from ...ir.types import shape_of, tensor_info
from ..fusion.cost import cost_of
from .demands import demands_of


class MeetingLanes(Exception):
    """Lanes of a loop depend on each other, or it does what is not looked into."""


@dataclass
class LoopLanes:
    """A loop whose lanes do not meet.

    Attributes:
        needs: of each buffer, whether lanes need the same lanes of it or the whole.
        within: the same of the values in each kernel on buffers.
        written: the buffers that the loop writes.
        microseconds: an estimate of its time on one core.
        tile: the most rows that a product in it computes at a time.
    """

    needs: dict[SSAValue, bool] = field(default_factory=dict)
    within: dict[FusionOp, dict[SSAValue, bool]] = field(default_factory=dict)
    written: set[SSAValue] = field(default_factory=set)
    microseconds: float = 0.0
    tile: int = 1

    @property
    def count(self) -> int:
        """The number of lanes."""
        return shape_of(value_type(next(iter(self.written)).type))[0]


def lanes_of(loop: scf.ForOp) -> LoopLanes | None:
    """Return the lanes of a loop, or None if there are none that stay apart."""
    lanes = LoopLanes()
    try:
        _visit_loop(loop, lanes, 1)
        _require_equal_counts(lanes)
        _require_no_overlap(lanes)
    except MeetingLanes:
        return None
    return lanes


# What the loop does


def _visit_loop(loop: scf.ForOp, lanes: LoopLanes, times: int) -> None:
    _visit_rotation(loop, lanes)
    times *= steps_of(loop) or 0
    for op in loop.body.block.ops:
        if isinstance(op, FusionOp):
            _visit_fusion(op, lanes)
            lanes.microseconds += times * cost_of(op).microseconds
        elif isinstance(op, memref.CopyOp):
            _need(lanes, op.source, True)
            _need(lanes, op.destination, True)
            lanes.written.add(op.destination)
        elif isinstance(op, scf.ForOp):
            _visit_loop(op, lanes, times)
        elif type(op) not in _INDEPENDENT:
            raise MeetingLanes


def _visit_rotation(loop: scf.ForOp, lanes: LoopLanes) -> None:
    """Buffers that a loop carries change places with each other in each step."""
    arguments = loop.body.block.args[1:]
    if not loop_rotates(loop) or steps_of(loop) is None:
        raise MeetingLanes
    for buffer in (*loop.iter_args, *arguments):
        _need(lanes, buffer, True)
        lanes.written.add(buffer)


def loop_rotates(loop: scf.ForOp) -> bool:
    """Tell whether a loop carries nothing but buffers that change places."""
    return set(_yielded(loop)) == set(loop.body.block.args[1:])


def _yielded(loop: scf.ForOp) -> Sequence[SSAValue]:
    last = loop.body.block.last_op
    return () if last is None else last.operands


def steps_of(loop: scf.ForOp) -> int | None:
    """Return how many steps a loop takes, if that is known."""
    start, end, step = map(known_index, loop.operands[:3])
    if start is None or end is None or step is None:
        return None
    return max(-(-(end - start) // step), 0)


def places_after(loop: scf.ForOp) -> list[SSAValue]:
    """Return the buffer that each result of a loop is, after all steps of a rotation."""
    arguments = list(loop.body.block.args[1:])
    moves = [arguments.index(v) for v in _yielded(loop)]  # type: ignore[arg-type]
    places = list(range(len(moves)))
    for _ in range((steps_of(loop) or 0) % lcm(*range(1, len(moves) + 1))):
        places = [places[move] for move in moves]
    return [loop.iter_args[place] for place in places]


def known_index(value: SSAValue) -> int | None:
    """Return the number that an index is, if it is a constant."""
    owner = value.owner
    constant = owner.properties["value"] if isinstance(owner, arith.ConstantOp) else None
    return constant.value.data if isinstance(constant, IntegerAttr) else None


_INDEPENDENT: Final = (
    arith.ConstantOp,
    arith.AddiOp,
    arith.SubiOp,
    arith.MuliOp,
    arith.IndexCastOp,
    FromElementsOp,
    memref.SubviewOp,
    scf.YieldOp,
)
"""Ops on indices and views, which each lane may do for itself."""


def _need(lanes: LoopLanes, buffer: SSAValue, some: bool) -> None:
    """Note that lanes need the same lanes of a buffer, or all of it."""
    if some and not (isinstance(buffer.type, MemRefType) and buffer.type.get_shape()):
        raise MeetingLanes
    if lanes.needs.setdefault(buffer, some) != some:
        raise MeetingLanes


_SEEN: Final = (CallbackOp, CheckOp)
"""Ops by which Python sees values."""


def _visit_fusion(fusion: FusionOp, lanes: LoopLanes) -> None:
    schedule = fusion.schedule.data
    if schedule.library is not None:
        raise MeetingLanes  # it gains from many rows, and has threads of its own
    if any(type(op) in _SEEN for op in ops_of(fusion.body.block)):
        raise MeetingLanes  # what Python sees is whole, and once
    lanes.tile = max(lanes.tile, schedule.tile)
    if fusion.results:
        if fusion.outs:
            raise MeetingLanes
        needs: dict[SSAValue, bool] = dict.fromkeys(fusion.body.block.args, False)
    else:
        needs = lanes.within[fusion] = _demands_in(fusion)
        lanes.written.update(fusion.outs)
    for argument, buffer in zip(fusion.body.block.args, fusion.ins):
        if argument in needs:
            _need(lanes, buffer, needs[argument])
    for buffer in fusion.outs:
        _need(lanes, buffer, True)


def _demands_in(fusion: FusionOp) -> dict[SSAValue, bool]:
    """Return of what values in a fusion lanes of its results need lanes, and of what the whole.

    Raises:
        MeetingLanes: if lanes need other lanes, or a value as both.
    """
    needs: dict[SSAValue, bool] = dict.fromkeys(fusion.terminator.operands, True)
    for op in reversed(fusion.body.block.ops):
        wanted = {needs[result] for result in op.results if result in needs}
        if op is fusion.terminator or not wanted:
            continue
        demands = demands_of(op) if wanted == {True} else [False] * len(op.operands)
        if demands is None or len(wanted) > 1:
            raise MeetingLanes
        for operand, some in zip(op.operands, demands):
            if needs.setdefault(operand, some) != some:
                raise MeetingLanes
    return needs


def _require_equal_counts(lanes: LoopLanes) -> None:
    shapes = (shape_of(value_type(v.type)) for v, some in lanes.needs.items() if some)
    if len({shape[0] for shape in shapes}) != 1:
        raise MeetingLanes


# What shares memory


@dataclass(frozen=True)
class _Extent:
    """Where a buffer is: a base, the bytes of it that it takes, and the bytes of a lane.

    The bytes of a lane are 0 where it is needed as a whole.
    """

    base: SSAValue
    start: int
    end: int
    lane: int


def _require_no_overlap(lanes: LoopLanes) -> None:
    """Buffers that share memory must have their lanes in the same places, if one is written.

    The parts of a stack have them at equal distances from its start.
    """
    extents: dict[SSAValue, list[tuple[_Extent, bool]]] = {}
    for buffer, some in lanes.needs.items():
        if not _is_carried(buffer):
            extent = _extent(buffer, some)
            extents.setdefault(extent.base, []).append((extent, buffer in lanes.written))
    for found in extents.values():
        end = -1
        for extent, is_written in sorted(found, key=lambda pair: pair[0].start):
            if extent.start >= end:
                end, lanes_at, written = extent.end, (extent.start, extent.lane), False
                agree = True
            end = max(end, extent.end)
            written |= is_written
            agree &= (extent.start, extent.lane) == lanes_at
            if written and not agree:
                raise MeetingLanes


def _is_carried(buffer: SSAValue) -> bool:
    """Tell whether a buffer is one of those that a loop moves about."""
    return isinstance(buffer.owner, Block) and isinstance(buffer.owner.parent_op(), scf.ForOp)


def _extent(buffer: SSAValue, some: bool) -> _Extent:
    """Return where a buffer is; parts of a stack take the place of the stack, in any step."""
    stack = buffer
    while isinstance(stack.owner, memref.SubviewOp):
        stack = stack.owner.source
    size = _bytes(stack)
    lane = _bytes(buffer) // max(shape_of(value_type(buffer.type))[0], 1) if some else 0
    view = stack.owner
    if isinstance(view, memref.ViewOp) and (shift := known_index(view.byte_shift)) is not None:
        return _Extent(view.source, shift, shift + size, lane)
    is_argument = isinstance(view, Block) and isinstance(view.parent_op(), FuncOp)
    if is_argument or isinstance(view, memref.AllocOp | memref.GetGlobalOp):
        return _Extent(stack, 0, size, lane)
    raise MeetingLanes


def _bytes(buffer: SSAValue) -> int:
    shape, dtype = tensor_info(value_type(buffer.type))
    return prod(shape) * dtype.itemsize
