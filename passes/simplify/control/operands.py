"""What ops with regions take: what costs nothing is made inside, what is equal is taken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ....ir.array.shape import BroadcastOp, ConstantOp, IotaOp, dim_of
from ....ir.builder import Builder
from ....ir.types import is_splat, shape_of, tensor_info
from ..rules import constant_of, integers_of
from .draft import ELEMENTS, Draft

SMALL: Final = 16
"""The most elements of a constant that is written where it is used; splats have any number."""


def merge_equal_operands(draft: Draft, group: int) -> None:
    """Take a value only once."""
    first: dict[SSAValue, int] = {}
    for number, operand in enumerate(draft.groups[group]):
        first.setdefault(operand, number)
    for number in reversed(range(len(draft.groups[group]))):
        other = first[draft.groups[group][number]]
        if other != number:
            draft.replace_uses(group, number, draft.arguments(group, other))
            draft.drop(group, number)


def sink_operands(draft: Draft, group: int) -> None:
    """Make constants, counts and repeated elements inside; take what they are made of instead."""
    number = 0
    while number < len(draft.groups[group]):
        operand = draft.groups[group][number]
        owner = operand.owner
        if _is_sunk(owner) and draft.is_used(group, number):
            assert isinstance(owner, Operation)
            parts = [draft.add(group, value, value.type) for value in owner._operands]
            copies = [
                _at_start(block, owner, [part[i] for part in parts])
                for i, block in enumerate(draft.blocks)
            ]
            draft.replace_uses(group, number, copies)
            draft.drop(group, number)
        else:
            number += 1


def _is_sunk(owner: Operation | Block) -> bool:
    if isinstance(owner, ConstantOp):
        shape = shape_of(owner.result)
        return is_splat(owner.value) or int(np.prod(shape)) <= SMALL
    return isinstance(owner, BroadcastOp | IotaOp)


def _at_start(block: Block, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    """Insert a copy of an op at the beginning of a block."""
    copy = type(op).create(
        operands=operands,
        result_types=op.result_types,
        properties=op.properties,
        location=op.location,
    )
    _insert(block, [copy])
    return copy.results[0]


def _insert(block: Block, ops: list[Operation]) -> None:
    assert block.first_op is not None
    block.insert_ops_before(ops, block.first_op)


def sink_elements(draft: Draft) -> None:
    """Make the parts of repeated elements and of counts inside a scan."""
    for number in reversed(range(len(draft.groups[ELEMENTS]))):
        made = _parts_of(draft.groups[ELEMENTS][number])
        if made is None or not draft.is_used(ELEMENTS, number):
            continue
        operands, make = made
        body = draft.blocks[0]
        given = [draft.add(0, value, value.type)[0] for value in operands]
        scratch = Block()
        part = make(Builder(scratch, draft.op.location), body.args[0], given)
        draft.replace_uses(ELEMENTS, number, [part])
        draft.drop(ELEMENTS, number)
        ops = list(scratch.ops)
        for op in ops:
            scratch.detach_op(op)
        _insert(body, ops)


Part: TypeAlias = Callable[[Builder, SSAValue, Sequence[SSAValue]], SSAValue]
"""Appends the part of an element for a step from the index and what the element is made of."""


def _parts_of(element: SSAValue) -> tuple[list[SSAValue], Part] | None:
    """Return what makes the parts of an element, if they cost nothing."""
    owner, (shape, dtype) = element.owner, tensor_info(element)
    constant = constant_of(element)
    if constant is not None and is_splat(constant):
        value = np.frombuffer(constant.data.data, dtype)[0]
        return [], lambda b, step, given: b.full(shape[1:], dtype, value)
    if isinstance(owner, IotaOp):
        dim = dim_of(owner.properties)
        if dim > 0:
            return [], lambda b, step, given: b.iota(shape[1:], dtype, dim - 1)
        if dtype.kind in "if" and dtype.itemsize >= 4:
            return [], lambda b, step, given: b.broadcast(b.convert(step, dtype), shape[1:], ())
    if isinstance(owner, BroadcastOp):
        dims = integers_of(owner, "dims")
        if 0 not in dims:
            rest = [d - 1 for d in dims]
            return [owner.operand], lambda b, step, given: b.broadcast(given[0], shape[1:], rest)
    return None
