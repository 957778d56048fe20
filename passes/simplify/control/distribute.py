"""What a scan computes of its elements alone is computed for all steps at once, if that is faster.

Products of few rows become one product of many, and functions of few numbers run in vectors. The
results are further elements of the scan. Which values they are follows from what is gained and from
what it costs to write and read them, as a minimum cut.
"""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation, SSAValue

from ....ir.array.base import is_array_op
from ....ir.array.control import ScanOp
from ....ir.array.effect import has_effect
from ....ir.array.regions import terminator_of
from ....ir.builder import Builder
from ....ir.ops import ops_of
from ....ir.types import dtype_of
from ...batching.batched import Batched, at_axis
from ...batching.vmap import append_ops
from ...blocks import dependent_values, ops_between
from ...costs import cost_of_reading, cost_of_saving, gain_of_batching
from ...fusion.cost import bytes_of
from ...partition import Prices, choose_residuals
from .draft import ELEMENTS, Draft

FEW: Final = 8
"""Scans of fewer steps stay as they are."""

MOST_BYTES: Final = 1 << 28
"""The most memory for what is computed for all steps at once."""


def distribute(b: Builder, draft: Draft) -> None:
    """Compute before a scan, for all steps, what does not depend on what is carried."""
    op, (block,) = draft.op, draft.blocks
    assert isinstance(op, ScanOp)
    if op.count < FEW:
        return
    values = _worth_computing_at_once(draft, op.count)
    if not values or op.count * sum(map(bytes_of, values)) > MOST_BYTES:
        return
    index, consts, _, elements = draft.parts
    steps = b.iota((op.count,), dtype_of(index[0]), 0)
    environment: dict[SSAValue, Batched] = {index[0]: Batched(steps, 0)}
    environment.update((v, Batched(c, None)) for v, c in zip(consts, draft.groups[0]))
    environment.update((v, Batched(e, 0)) for v, e in zip(elements, draft.groups[ELEMENTS]))
    append_ops(b, ops_between(block, environment, values), environment, op.count)
    for value in values:
        stack = at_axis(b, environment[value], 0, op.count)
        (part,) = draft.add(ELEMENTS, stack, value.type)
        part.name_hint = value.name_hint
        value.replace_all_uses_with(part)


def _worth_computing_at_once(draft: Draft, count: int) -> list[SSAValue]:
    (block,) = draft.blocks
    index, consts, carries, elements = draft.parts
    staying = [op for op in ops_of(block) if has_effect(op) or not is_array_op(op)]
    late = [*carries, *(result for op in staying for result in op.results)]
    unknown = dependent_values(block, late)
    early = [
        op
        for op in ops_of(block)
        if is_array_op(op) and op._operands and unknown.isdisjoint(op.results)
    ]
    if not early:
        return []
    varying = dependent_values(block, [*index, *elements])
    gains: dict[Operation, int] = {
        op: gain_of_batching(op, varying) for op in early if op.results[0] in varying
    }
    if not any(gains.values()):
        return []
    at_hand = {*index, *consts}

    def saving(value: SSAValue) -> int:
        if value in at_hand:
            return 0
        return cost_of_reading(value) if value in elements else cost_of_saving(value, count)

    def computing(op: Operation) -> int:
        return gains.get(op, 0)

    outputs = terminator_of(block).operands
    chosen = choose_residuals(block, late, outputs, Prices(saving, computing))
    return [value for value in chosen if value in varying and isinstance(value.owner, Operation)]
