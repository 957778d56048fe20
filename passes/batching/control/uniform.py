"""Batching of ops with regions in which all lanes do the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Block, Operation, SSAValue

from ....ir.array.control import (
    CaseOp,
    CustomDerivativeOp,
    CustomParts,
    RematOp,
    ScanOp,
    WhileOp,
    is_inexact_type,
)
from ....ir.array.regions import terminator_of
from ....ir.builder import Builder
from ....ir.functions import BlockBuilder
from ....ir.types import shape_of
from ...blocks import append_block
from ...groups import parts_of, types_of
from ..batched import Batched, Flags, LaneRule, Lanes, at_axis, moved
from ..custom import user_rule_of
from ..guards import guarded_result
from .common import batch_block, front_axes, in_front, mask_for, placed_types
from .divergent import carries_of, run_masked, select_branch


def _flags_of(operands: Sequence[Batched]) -> list[bool]:
    return [axis is not None for _, axis in operands]


def _values_of(operands: Sequence[Batched]) -> list[SSAValue]:
    return [value for value, _ in operands]


def _axes_of(operands: Sequence[Batched]) -> list[int | None]:
    return [axis for _, axis in operands]


def _optional(mask: SSAValue | None) -> list[SSAValue]:
    return [mask] if mask is not None else []


class _Scan(LaneRule):
    """The same loop; elements and stacked results have the batch behind the steps."""

    def batched(self, lanes: Lanes, op: ScanOp, batched: Flags, /) -> Flags:
        """Return the carries that differ in some step, and the stacked results."""
        consts, carries, elements = parts_of(batched, [len(group) for group in op.groups])
        while True:
            flags = lanes.batched(op.body.block, [False, *consts, *carries, *elements])
            grown = [a or b for a, b in zip(carries, flags)]
            if grown == list(carries):
                return [*grown, *flags[len(carries) :]]
            carries = grown

    def append(
        self, lanes: Lanes, b: Builder, op: ScanOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the loop for all lanes."""
        flags = self.batched(lanes, op, _flags_of(operands))
        consts, carries, elements = parts_of(operands, [len(group) for group in op.groups])
        carried, stacked = flags[: len(carries)], flags[len(carries) :]
        elements = [_behind_steps(b, element) for element in elements]
        mask = mask_for(lanes, op)
        axes = [
            None,
            *_axes_of(consts),
            *front_axes(carried),
            *(None if axis is None else axis - 1 for axis in _axes_of(elements)),
        ]
        body = batch_block(lanes, b, op.body.block, axes, flags, mask, 1 + len(consts))
        results = b.scan(
            op.count,
            [*_values_of(consts), *_optional(mask)],
            in_front(b, carries, carried, lanes.size),
            _values_of(elements),
            body,
            reverse=op.reverse is not None,
            unroll=op.unroll.value.data if op.unroll is not None else None,
        )
        axes = [*front_axes(carried), *(1 if flag else None for flag in stacked)]
        return [Batched(value, axis) for value, axis in zip(results, axes)]


def _behind_steps(b: Builder, element: Batched) -> Batched:
    """Move the batch out of dimension 0, along which a scan takes its steps."""
    return Batched(moved(b, element.value, 0, 1), 1) if element.axis == 0 else element


class _While(LaneRule):
    """The same loop where the condition is; else one under a mask."""

    def batched(self, lanes: Lanes, op: WhileOp, batched: Flags, /) -> Flags:
        """Return the carries that differ in some step, or that lanes leave at different steps."""
        return carries_of(lanes, op, batched).batched

    def append(
        self, lanes: Lanes, b: Builder, op: WhileOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the loop for all lanes."""
        found = carries_of(lanes, op, _flags_of(operands))
        if found.diverging:
            return run_masked(lanes, b, op, operands, found.batched)
        consts, carries = parts_of(operands, [len(group) for group in op.groups])
        mask = mask_for(lanes, op)
        axes = [*_axes_of(consts), *front_axes(found.batched)]
        blocks = [
            batch_block(lanes, b, region.block, axes, flags, mask, len(consts))
            for region, flags in zip(op.regions, ([False], found.batched))
        ]
        results = b.while_(
            [*_values_of(consts), *_optional(mask)],
            in_front(b, carries, found.batched, lanes.size),
            *blocks,
        )
        return [Batched(v, axis) for v, axis in zip(results, front_axes(found.batched))]


class _Case(LaneRule):
    """The same branch for all lanes where the index is; else a branch for each."""

    def batched(self, lanes: Lanes, op: CaseOp, batched: Flags, /) -> Flags:
        """Return the results that differ in some branch, or all if the branch does."""
        index, *inputs = batched
        flags = [lanes.batched(region.block, inputs) for region in op.regions]
        return [index or any(column) for column in zip(*flags)]

    def append(
        self, lanes: Lanes, b: Builder, op: CaseOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the case, or what chooses for each lane."""
        index, *inputs = operands
        if index.axis is not None:
            return select_branch(lanes, b, op, index, inputs)
        flags = self.batched(lanes, op, _flags_of(operands))
        mask = mask_for(lanes, op)
        blocks = [
            batch_block(lanes, b, region.block, _axes_of(inputs), flags, mask)
            for region in op.regions
        ]
        results = b.case(index.value, [*_values_of(inputs), *_optional(mask)], blocks)
        return [Batched(value, axis) for value, axis in zip(results, front_axes(flags))]


class _Remat(LaneRule):
    """The body for all lanes, under the same policy."""

    def batched(self, lanes: Lanes, op: RematOp, batched: Flags, /) -> Flags:
        """Return the body's results that differ, or what a rule of the user's says."""
        rule = user_rule_of(op)
        if rule is not None and any(batched):
            return rule(lanes.size, batched)[1]
        return lanes.batched(op.body.block, batched)

    def append(
        self, lanes: Lanes, b: Builder, op: RematOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the body for all lanes, or what a rule of the user's makes of it."""
        rule = user_rule_of(op)
        if rule is not None:
            own = _flags_of(operands)
            function, carried = rule(lanes.size, own)
            values = in_front(b, operands, own, lanes.size)
            found = append_block(b.block, function.body.block, values)
            return [Batched(v, 0 if flag else None) for v, flag in zip(found, carried)]
        flags = self.batched(lanes, op, _flags_of(operands))
        mask = mask_for(lanes, op)
        body = batch_block(lanes, b, op.body.block, _axes_of(operands), flags, mask)
        values = [*_values_of(operands), *_optional(mask)]
        results = b.remat(op.policy.data, values, body)
        return [Batched(value, axis) for value, axis in zip(results, front_axes(flags))]


class _CustomDerivative(LaneRule):
    """Each region for all lanes; the cotangent of what is the same for all is a sum over them."""

    def batched(self, lanes: Lanes, op: CustomDerivativeOp, batched: Flags, /) -> Flags:
        """Return all results."""
        return [any(batched)] * len(op.results)

    def append(
        self, lanes: Lanes, b: Builder, op: CustomDerivativeOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the regions for all lanes; where these have stopped, derivatives are zero."""
        own = _flags_of(operands)
        mask = _optional(lanes.mask)
        values = [*mask, *in_front(b, operands, own, lanes.size)]
        parts = op.blocks
        differentiated = [
            flag
            for flag, value in zip(own[op.skipped :], op.operands[op.skipped :])
            if is_inexact_type(value.type)
        ]

        def all_of(body: Block | None, flags: Flags) -> Block | None:
            """Return the batch of a block, all of whose results carry it."""
            if body is None:
                return None
            every = [True] * len(terminator_of(body).operands)
            return batch_block(lanes, b, body, front_axes(flags), every, lanes.mask, 0)

        primal = all_of(parts.primal, own)
        assert primal is not None
        blocks = CustomParts(
            primal,
            _tangents_of_lanes(lanes, b, parts.jvp, own, differentiated),
            _with_mask(all_of(parts.forward, own), len(op.results), len(mask)),
            _summed_backward(lanes, b, parts.backward, differentiated),
        )
        results = b.custom_derivative(op.skipped + len(mask), values, blocks)
        custom = b.block.last_op
        assert custom is not None
        custom.attributes.update(op.attributes)
        return [guarded_result(lanes, b, value) for value in results]


def _tangents_of_lanes(
    lanes: Lanes, b: Builder, body: Block | None, own: Flags, differentiated: Flags
) -> Block | None:
    """Return the batch of a rule for tangents; under a mask, it takes that first."""
    if body is None:
        return None
    axes = front_axes([*own, *differentiated])
    types = placed_types(body.args, axes, lanes.size)
    block = BlockBuilder([*types_of(_optional(lanes.mask)), *types], (), b.location)
    inner, count = block.builder, len(own)
    mask, values = block.arguments[: -len(types)], block.arguments[-len(types) :]
    given = [Batched(value, axis) for value, axis in zip(values, axes)]
    tangents = [_where(lanes, inner, mask, tangent) for tangent in given[count:]]
    found, _ = lanes.append(inner, body, [*given[:count], *tangents], *mask)
    return block.finish(in_front(inner, found, [True] * len(found), lanes.size))


def _with_mask(forward: Block | None, results: int, count: int) -> Block | None:
    """Let a forward rule hand its mask, if it has one, on to the backward rule."""
    if forward is not None:
        last = terminator_of(forward)
        values = list(last.operands)
        last.operands = [*values[:results], *forward.args[:count], *values[results:]]
    return forward


def _summed_backward(lanes: Lanes, b: Builder, body: Block | None, flags: Flags) -> Block | None:
    """Return the batch of a backward rule; ``flags`` say which cotangents carry it.

    Under a mask, it takes that first.
    """
    if body is None:
        return None
    types = placed_types(body.args, [0] * len(body.args), lanes.size)
    block = BlockBuilder([*types_of(_optional(lanes.mask)), *types], (), b.location)
    inner = block.builder
    mask, values = block.arguments[: -len(types)], block.arguments[-len(types) :]
    found, _ = lanes.append(inner, body, [Batched(value, 0) for value in values], *mask)
    every = in_front(inner, found, [True] * len(found), lanes.size)
    moved = [_where(lanes, inner, mask, Batched(v, 0)).value for v in every]
    return block.finish(
        [v if flag else inner.reduce("add", v, (0,)) for v, flag in zip(moved, flags)]
    )


def _where(lanes: Lanes, b: Builder, mask: Sequence[SSAValue], value: Batched) -> Batched:
    """Return derivatives, and zeros for lanes that are not in the mask, if there is one."""
    if not mask:
        return value
    found = at_axis(b, value, 0, lanes.size)
    goes_on = b.broadcast(mask[0], shape_of(found), (0,))
    return Batched(b.select(goes_on, found, b.full_like(found, 0)), 0)


RULES: Final[dict[type[Operation], LaneRule]] = {
    ScanOp: _Scan(),
    WhileOp: _While(),
    CaseOp: _Case(),
    RematOp: _Remat(),
    CustomDerivativeOp: _CustomDerivative(),
}
