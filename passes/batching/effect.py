"""Batching of effects.

There is a callback for each lane, one after the other, or one for all. A check is one for all
lanes: it fails if it does in any, with what the first of these has to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array.control import INDEX, element_type_of
from ...ir.array.effect import CallbackOp, CheckOp
from ...ir.builder import Builder
from ...ir.functions import BlockBuilder
from ...ir.types import Tensor, shape_of, tensor_info, tensor_type
from .batched import Batched, BatchingRule, Flags, LaneRule, Lanes, at_axis


class _Callback(LaneRule):
    def batched(self, lanes: Lanes, op: CallbackOp, batched: Flags, /) -> Flags:
        return [any(batched)] * len(op.results)

    def append(
        self, lanes: Lanes, b: Builder, op: CallbackOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        if op.mapping.data == "sequential":
            results = _one_by_one(lanes, b, op, operands)
        else:
            results = _at_once(lanes, b, op, operands)
        return [Batched(value, 0) for value in results]


def _at_once(
    lanes: Lanes, b: Builder, op: CallbackOp, operands: Sequence[Batched]
) -> Sequence[SSAValue]:
    """Call the function once, with the lanes along dimension 0."""
    repeats = op.mapping.data == "broadcast_all"
    values = []
    for operand in operands:
        if operand.axis is None and not repeats:
            values.append(b.reshape(operand.value, (1, *shape_of(operand.value))))
        else:
            values.append(at_axis(b, operand, 0, lanes.size))
    types = [_mapped(type_, lanes.size) for type_ in op.types.data]
    return _call(b, op, values, types)


def _mapped(type_: Tensor, size: int) -> Tensor:
    shape, dtype = tensor_info(type_)
    return tensor_type((size, *shape), dtype)


def _one_by_one(
    lanes: Lanes, b: Builder, op: CallbackOp, operands: Sequence[Batched]
) -> Sequence[SSAValue]:
    """Call the function for each lane in order; where some do not go on, not for them."""
    shared = [value for value, axis in operands if axis is None]
    varying = [at_axis(b, x, 0, lanes.size) for x in operands if x.axis is not None]
    mask = [] if lanes.mask is None else [lanes.mask]
    parts = [element_type_of(value.type, lanes.size) for value in (*mask, *varying)]
    body = BlockBuilder([INDEX, *(v.type for v in shared), *parts], (), b.location)
    _, *arguments = body.arguments
    consts, elements = iter(arguments[: len(shared)]), arguments[len(shared) :]
    own = iter(elements[len(mask) :])
    values = [next(consts if axis is None else own) for _, axis in operands]
    if mask:
        results = _where(body.builder, elements[0], op, values)
    else:
        results = _call(body.builder, op, values, op.types.data)
    return b.scan(lanes.size, shared, [], [*mask, *varying], body.finish(results))


def _where(
    b: Builder, goes_on: SSAValue, op: CallbackOp, values: Sequence[SSAValue]
) -> Sequence[SSAValue]:
    """Call the function if a lane goes on; else there are zeros."""
    types = [value.type for value in values]
    idle, active = (BlockBuilder(types, (), b.location) for _ in range(2))
    zeros = [idle.builder.full(*tensor_info(type_), 0) for type_ in op.types.data]
    results = _call(active.builder, op, active.arguments, op.types.data)
    return b.case(goes_on, values, [idle.finish(zeros), active.finish(results)])


def _call(
    b: Builder, op: CallbackOp, values: Sequence[SSAValue], types: Sequence[Tensor]
) -> Sequence[SSAValue]:
    return b.callback(
        op.number.value.data,
        op.label.data,
        values,
        types,
        mapping=op.mapping.data,
        pure=op.pure is not None,
    )


class _Check(LaneRule):
    def batched(self, lanes: Lanes, op: CheckOp, batched: Flags, /) -> Flags:
        return [False]

    def append(
        self, lanes: Lanes, b: Builder, op: CheckOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        if not lanes.size:
            return [Batched(b.full((), np.dtype(np.bool_), True), None)]
        holds = at_axis(b, operands[0], 0, lanes.size)
        if lanes.mask is not None:
            holds = b.or_(holds, b.not_(lanes.mask))
        first = b.argreduce("min", b.convert(holds, np.dtype(np.int32)), 0)
        payload = [_of_lane(b, operand, first, lanes.size) for operand in operands[1:]]
        names = [name.data for name in op.names]
        number, message = op.number.value.data, op.message.data
        every = b.reduce("and", holds, (0,))
        return [Batched(b.check(every, message, payload, names, number=number), None)]


def _of_lane(b: Builder, operand: Batched, lane: SSAValue, size: int) -> SSAValue:
    """Return what one lane has of a value."""
    if operand.axis is None:
        return operand.value
    value = at_axis(b, operand, 0, size)
    shape = shape_of(value)[1:]
    origin = b.full((), np.dtype(np.int64), 0)
    taken = b.dynamic_slice(value, [lane, *[origin] * len(shape)], (1, *shape))
    return b.reshape(taken, shape)


RULES: Final[dict[type[Operation], BatchingRule | LaneRule]] = {
    CallbackOp: _Callback(),
    CheckOp: _Check(),
}
