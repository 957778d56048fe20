"""What the rules of the control family share."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, Block, SSAValue

from ....ir.array.control import TapePopOp, TapePushOp, WhileOp
from ....ir.array.effect import has_effect
from ....ir.array.regions import RegionOp
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ..batched import Batched, Flags, Lanes, at_axis, batched_type
from ..guards import wants_guards


def front_axes(flags: Flags) -> list[int | None]:
    """Return the axis of values that carry the batch in front, where they carry it."""
    return [0 if flag else None for flag in flags]


def in_front(b: Builder, values: Sequence[Batched], flags: Flags, size: int) -> list[SSAValue]:
    """Return values with the batch in front where a flag is set, and without it elsewhere."""
    return [
        at_axis(b, value, 0, size) if flag else value.value for value, flag in zip(values, flags)
    ]


def placed_types(
    values: Sequence[SSAValue], axes: Sequence[int | None], size: int
) -> list[Attribute]:
    """Return the types of values with the batch at the given axes."""
    return [batched_type(value.type, axis, size) for value, axis in zip(values, axes)]


def batch_block(
    lanes: Lanes,
    b: Builder,
    body: Block,
    axes: Sequence[int | None],
    flags: Flags,
    mask: SSAValue | None = None,
    place: int | None = None,
) -> Block:
    """Return a block that does for all lanes what another one does for one.

    ``axes`` say where the arguments carry the batch, and ``flags`` which results shall carry it in
    front. Where there is a mask, the block takes it as a further argument at ``place``, or last.
    """
    types = placed_types(body.args, axes, lanes.size)
    names = [argument.name_hint for argument in body.args]
    at = len(types) if place is None else place
    if mask is not None:
        types.insert(at, mask.type)
        names.insert(at, None)
    block = BlockBuilder(types, names, b.location)
    arguments = list(block.arguments)
    inner = arguments.pop(at) if mask is not None else None
    given = [Batched(value, axis) for value, axis in zip(arguments, axes)]
    found, _ = lanes.append(block.builder, body, given, inner)
    return block.finish(in_front(block.builder, found, flags, lanes.size))


def mask_for(lanes: Lanes, op: RegionOp) -> SSAValue | None:
    """Return which lanes go on, if something in the op wants to know it."""
    wanted = lanes.mask is not None and (heeds_mask(op) or wants_guards(op))
    return lanes.mask if wanted else None


def heeds_mask(op: RegionOp) -> bool:
    """Tell whether an op has loops, which lanes must leave, tapes, or effects."""
    heeding = WhileOp | TapePushOp | TapePopOp
    return has_effect(op) or any(isinstance(inner, heeding) for inner in op.walk())
