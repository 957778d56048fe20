"""Batching of loops and branches in which lanes do different things.

A loop goes on while any lane does, under a mask that holds the others where they stopped. Where
little is carried, it runs over one block of lanes after the other, so that no lane waits for the
slowest of all, and what is carried stays in vector registers. A branch is chosen for each lane by a
select between all branches, or by running the lanes one by one, whichever is cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final, NamedTuple

from xdsl.ir import SSAValue

from ....ir.array.control import INDEX, CaseOp, TapeType, WhileOp
from ....ir.array.effect import has_effect
from ....ir.array.regions import terminator_of
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ....ir.types import dtype_of, shape_of, tensor_info, tensor_type
from ...blocks import append_block
from ...costs import cost_of_block
from ...groups import chosen, parts_of, spread, types_of
from ...simplify.control.select import wide_enough
from ..batched import Batched, Flags, Lanes, at_axis
from ..collective import require_in_step
from ..guards import wants_guards
from .common import batch_block, heeds_mask, in_front


class Carries(NamedTuple):
    """What a while carries for a batch."""

    diverging: bool
    """Whether lanes may stop at different steps."""
    batched: Flags
    """Which carries differ between lanes."""


def carries_of(lanes: Lanes, op: WhileOp, batched: Flags) -> Carries:
    """Return what a while carries if some operands carry the batch."""
    consts, carries = parts_of(batched, [len(group) for group in op.groups])
    changing = _changing(op)
    while True:
        flags = [*consts, *carries]
        (diverging,) = lanes.batched(op.condition.block, flags)
        results = lanes.batched(op.body.block, flags)
        grown = [
            c or r or (diverging and changes) for c, r, changes in zip(carries, results, changing)
        ]
        if grown == list(carries):
            return Carries(diverging, grown)
        carries = grown


def _changing(op: WhileOp) -> list[bool]:
    """Tell which carries the body does not just hand on."""
    own = op.body.block.args[len(op.groups[0]) :]
    return [v is not a for v, a in zip(terminator_of(op.body.block).operands, own)]


# Loops under a mask


def run_masked(
    lanes: Lanes, b: Builder, op: WhileOp, operands: Sequence[Batched], flags: Flags
) -> list[Batched]:
    """Append a loop in which lanes stop at different steps."""
    require_in_step(lanes, op)
    consts, carries = parts_of(operands, [len(group) for group in op.groups])
    fixed = [carry for carry, flag in zip(carries, flags) if not flag]
    moving = [
        Batched(at_axis(b, carry, 0, lanes.size), 0) for carry, flag in zip(carries, flags) if flag
    ]
    loop = _MaskedLoop(op, flags)
    results: Sequence[SSAValue]
    if lanes.size > BLOCK and _is_small(op, moving):
        results = _in_blocks(lanes, b, loop, [*consts, *fixed], moving)
    else:
        results = loop.append(lanes, b, [*consts, *fixed], moving, lanes.mask)
    return [
        Batched(value, 0) if value is not None else carry
        for value, carry in zip(spread(results, flags), carries)
    ]


class _MaskedLoop:
    """A while for lanes that stop at different steps; carries without batch are consts to it."""

    def __init__(self, op: WhileOp, flags: Flags) -> None:
        self.op = op
        self.flags = flags
        self.consts = len(op.groups[0])

    def arguments(self, consts: Sequence[Batched], moving: Sequence[SSAValue]) -> list[Batched]:
        """Return arguments of the original regions."""
        own, fixed = consts[: self.consts], iter(consts[self.consts :])
        carried = spread(moving, self.flags)
        return [*own, *(Batched(v, 0) if v is not None else next(fixed) for v in carried)]

    def append(
        self,
        lanes: Lanes,
        b: Builder,
        consts: Sequence[Batched],
        moving: Sequence[Batched],
        mask: SSAValue | None,
    ) -> Sequence[SSAValue]:
        """Append the loop for the lanes of a mask; return the carries that differ."""
        size = lanes.size
        start = [value for value, _ in moving]
        values = [value for value, _ in consts]
        axes = [axis for _, axis in consts]
        outer = [mask] if mask is not None else []
        active = self._condition(lanes, b, self.arguments(consts, start), mask)
        sizes = (len(values), len(outer), len(start), 1)
        types = types_of([*values, *outer, *start, active])

        condition = BlockBuilder(types, (), b.location)
        (going,) = parts_of(condition.arguments, sizes)[-1]
        any_lane = condition.builder.reduce("or", going, (0,))

        body = BlockBuilder(types, (), b.location)
        inner = body.builder
        own, given, old, (going,) = parts_of(body.arguments, sizes)
        batched = [Batched(value, axis) for value, axis in zip(own, axes)]
        found, advancing = lanes.append(
            inner, self.op.body.block, self.arguments(batched, old), going
        )
        assert advancing is not None
        new = in_front(inner, chosen(found, self.flags), [True] * len(old), size)
        kept = [_choose(inner, advancing, *pair) for pair in zip(new, old)]
        still = self._condition(
            lanes, inner, self.arguments(batched, kept), given[0] if given else None
        )
        results = b.while_(
            [*values, *outer],
            [*start, active],
            condition.finish([any_lane]),
            body.finish([*kept, still]),
        )
        return results[:-1]

    def _condition(
        self, lanes: Lanes, b: Builder, arguments: Sequence[Batched], mask: SSAValue | None
    ) -> SSAValue:
        """Append which lanes of a mask go on."""
        (found,), _ = lanes.append(b, self.op.condition.block, arguments, mask)
        going = at_axis(b, found, 0, lanes.size)
        return going if mask is None else b.and_(going, mask)


def _choose(b: Builder, mask: SSAValue, new: SSAValue, old: SSAValue) -> SSAValue:
    """Append the new value of lanes in the mask and the old one of the others."""
    if isinstance(new.type, TapeType):
        return new
    return b.select(b.broadcast(mask, shape_of(new), (0,)), new, old)


# Blocks of lanes

BLOCK: Final = 16
"""The lanes of a block: a few vector registers for each value."""

SMALL: Final = 64
"""The most elements of a value of one lane of which a block stays in a cache line or a few."""

CHEAP_STEP: Final = 2_000_000
"""The picoseconds that a step of one lane takes at most where running lanes in blocks pays."""


def _is_small(op: WhileOp, moving: Sequence[Batched]) -> bool:
    """Tell whether a block of lanes fits into registers and the nearest cache.

    What has effects does not run in blocks, the last of which may have lanes twice.
    """
    if has_effect(op) or any(isinstance(value.type, TapeType) for value, _ in moving):
        return False
    values = [
        value
        for region in op.regions
        for value in (*region.block.args, *(r for inner in region.block.ops for r in inner.results))
    ]
    sizes = [prod(shape_of(v)) for v in values if not isinstance(v.type, TapeType)]
    return max(sizes, default=0) <= SMALL and cost_of_block(op.body.block) <= CHEAP_STEP


def _in_blocks(
    lanes: Lanes,
    b: Builder,
    loop: _MaskedLoop,
    consts: Sequence[Batched],
    moving: Sequence[Batched],
) -> list[SSAValue]:
    """Append a scan over blocks of lanes, each of which runs the loop on its own.

    The last block is filled up with the first lanes.
    """
    flags = [axis is not None for _, axis in consts]
    shared = [value for value, axis in consts if axis is None]
    own = [Batched(at_axis(b, const, 0, lanes.size), 0) for const in chosen(consts, flags)]
    mask = [Batched(lanes.mask, 0)] if lanes.mask is not None else []
    elements = [_grouped(b, value) for value, _ in (*own, *moving, *mask)]
    count = shape_of(elements[0])[0]
    types = [tensor_type(shape_of(e)[1:], dtype_of(e)) for e in elements]
    body = BlockBuilder([INDEX, *types_of(shared), *types], (), b.location)
    sizes = (1, len(shared), len(own), len(moving), len(mask))
    _, same, different, start, inner_mask = parts_of(body.arguments, sizes)
    rest = iter(same)
    given = [
        Batched(value, 0) if value is not None else Batched(next(rest), None)
        for value in spread(different, flags)
    ]
    results = loop.append(
        lanes.of_size(BLOCK),
        body.builder,
        given,
        [Batched(value, 0) for value in start],
        inner_mask[0] if inner_mask else None,
    )
    stacked = b.scan(count, shared, (), elements, body.finish(results))
    return [_ungrouped(b, value, lanes.size) for value in stacked]


def _grouped(b: Builder, value: SSAValue) -> SSAValue:
    """Append the lanes of a value, which counts them in front, as blocks."""
    size, *shape = shape_of(value)
    count = -(-size // BLOCK)
    missing = count * BLOCK - size
    if missing:
        first = b.slice(value, [0] * (1 + len(shape)), [missing, *shape])
        value = b.concatenate([value, first], 0)
    return b.reshape(value, (count, BLOCK, *shape))


def _ungrouped(b: Builder, value: SSAValue, size: int) -> SSAValue:
    """Append the first lanes of blocks of them."""
    count, block, *shape = shape_of(value)
    flat = b.reshape(value, (count * block, *shape))
    return b.slice(flat, [0] * (1 + len(shape)), [size, *shape])


# Branches

LANE: Final = 5_000
"""The picoseconds that it takes to begin and end one lane that runs on its own."""


def select_branch(
    lanes: Lanes, b: Builder, op: CaseOp, index: Batched, inputs: Sequence[Batched]
) -> list[Batched]:
    """Append what chooses a branch for each lane."""
    require_in_step(lanes, op)
    number = wide_enough(b, at_axis(b, index, 0, lanes.size), len(op.regions))
    index = Batched(number, 0)
    masks: list[SSAValue | None] = [None] * len(op.regions)
    if heeds_mask(op) or wants_guards(op):
        masks = [_takers(lanes, b, index.value, i, len(masks)) for i in range(len(masks))]
    axes, every = [axis for _, axis in inputs], [True] * len(op.results)
    blocks = [
        batch_block(lanes, b, region.block, axes, every, mask)
        for region, mask in zip(op.regions, masks)
    ]
    costs = [cost_of_block(region.block) for region in op.regions]
    apart = lanes.size * (sum(costs) // len(costs) + LANE)
    if apart < sum(map(cost_of_block, blocks)):
        return _lane_by_lane(lanes, b, op, index, inputs)
    values = [value for value, _ in inputs]
    found = [
        append_block(b.block, block, [*values, *([mask] if mask is not None else [])])
        for block, mask in zip(blocks, masks)
    ]
    return [Batched(_chosen_branch(b, index.value, column), 0) for column in zip(*found)]


def _takers(lanes: Lanes, b: Builder, index: SSAValue, number: int, count: int) -> SSAValue | None:
    """Append which lanes take a branch."""
    if count == 1:
        return lanes.mask
    last = number == count - 1
    if dtype_of(index).kind == "b":
        takes = index if last else b.not_(index)
    else:
        predicate = "le" if number == 0 else "ge" if last else "eq"
        takes = b.compare(predicate, index, b.full_like(index, number))
    return takes if lanes.mask is None else b.and_(takes, lanes.mask)


def _chosen_branch(b: Builder, index: SSAValue, values: Sequence[SSAValue]) -> SSAValue:
    """Append a selection of one of several values for each lane."""
    found = values[-1]
    for number, value in reversed(list(enumerate(values[:-1]))):
        if dtype_of(index).kind == "b":
            takes = b.not_(index)
        else:
            takes = b.compare("le", index, b.full_like(index, number))
        found = b.select(b.broadcast(takes, shape_of(value), (0,)), value, found)
    return found


def _lane_by_lane(
    lanes: Lanes, b: Builder, op: CaseOp, index: Batched, inputs: Sequence[Batched]
) -> list[Batched]:
    """Append a scan over the lanes, each of which runs its branch only."""
    flags = [axis is not None for _, axis in inputs]
    mask = lanes.mask if heeds_mask(op) else None
    own = [index, *chosen(inputs, flags), *([Batched(mask, 0)] if mask is not None else [])]
    elements = [at_axis(b, value, 0, lanes.size) for value in own]
    shared = [value for value, axis in inputs if axis is None]
    parts = [tensor_type(shape_of(e)[1:], dtype_of(e)) for e in elements]
    body = BlockBuilder([INDEX, *types_of(shared), *parts], (), b.location)
    sizes = (1, len(shared), 1, sum(flags), len(own) - 1 - sum(flags))
    _, same, (branch,), different, goes_on = parts_of(body.arguments, sizes)
    rest = iter(same)
    given = [v if v is not None else next(rest) for v in spread(different, flags)]
    if goes_on:
        results = _guarded(body.builder, goes_on[0], op, branch, given)
    else:
        results = _copy_of_case(body.builder, op, branch, given)
    stacked = b.scan(lanes.size, shared, (), elements, body.finish(results))
    return [Batched(value, 0) for value in stacked]


def _copy_of_case(
    b: Builder, op: CaseOp, index: SSAValue, inputs: Sequence[SSAValue]
) -> Sequence[SSAValue]:
    blocks = []
    for region in op.regions:
        block = BlockBuilder(region.block.arg_types, (), b.location)
        blocks.append(block.finish(append_block(block.block, region.block, block.arguments)))
    return b.case(index, inputs, blocks)


def _guarded(
    b: Builder, goes_on: SSAValue, op: CaseOp, index: SSAValue, inputs: Sequence[SSAValue]
) -> Sequence[SSAValue]:
    """Append the case for a lane that goes on, zeros for one that does not."""
    types = types_of([index, *inputs])
    skipped, run = (BlockBuilder(types, (), b.location) for _ in range(2))
    zeros = [skipped.builder.full(*tensor_info(result), 0) for result in op.results]
    own, *given = run.arguments
    results = _copy_of_case(run.builder, op, own, given)
    return b.case(goes_on, [index, *inputs], [skipped.finish(zeros), run.finish(results)])
