"""The copies of arrays that a program makes, and why."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ...ir.kernel.buffers import value_type
from ...ir.locations import spell_location
from ...ir.types import spell_info, tensor_info
from .bufferize import COPY_REASON

_VIEWS = (memref.ReinterpretCastOp, memref.SubviewOp, memref.CollapseShapeOp, memref.ExpandShapeOp)


class ArrayCopy(NamedTuple):
    """A copy of an array that a program makes.

    Attributes:
        array: the type of what is copied, as ``f64[1000]``.
        nbytes: how many bytes that are.
        reason: why it is copied, and not changed or returned where it is.
        in_loop: whether it is copied in each step of a loop.
        where: the place in the user's program that needs the copy.
    """

    array: str
    nbytes: int
    reason: str
    in_loop: bool
    where: str | None

    def __str__(self) -> str:
        often = ", in each step of a loop" if self.in_loop else ""
        where = f" at {self.where}" if self.where else ""
        return f"{self.array} is copied{where}{often}: {self.reason}"


def copies_of(module: ModuleOp) -> list[ArrayCopy]:
    """Return the copies of a module of the loop level, in order."""
    return [_described(op) for op in module.walk() if isinstance(op, memref.CopyOp)]


def _described(op: memref.CopyOp) -> ArrayCopy:
    memory = _memory_of(op.source)
    shape, dtype = tensor_info(value_type(op.source.type))
    whole = tensor_info(value_type(memory.type)).shape
    reason = op.attributes.get(COPY_REASON)
    return ArrayCopy(
        spell_info(whole if prod(whole) == prod(shape) else shape, dtype),
        prod(shape) * dtype.itemsize,
        reason.data if isinstance(reason, StringAttr) else _why_changed_elsewhere(memory),
        any(isinstance(outer, (scf.ForOp, scf.WhileOp)) for outer in _around(op)),
        spell_location(op.location),
    )


def _around(op: Operation) -> Iterator[Operation]:
    outer = op.parent_op()
    while outer is not None:
        yield outer
        outer = outer.parent_op()


def _memory_of(buffer: SSAValue) -> SSAValue:
    """Return the buffer of which another one is a view, or part."""
    while isinstance(buffer.owner, _VIEWS):
        buffer = buffer.owner.operands[0]
    return buffer


def _why_changed_elsewhere(memory: SSAValue) -> str:
    """Say why an array is changed in other memory than its own."""
    owner = memory.owner
    if isinstance(owner, memref.GetGlobalOp):
        return "a constant is changed"
    if isinstance(owner, Block) and isinstance(owner.parent_op(), FuncOp):
        return "an argument is changed, and the caller's array must not be"
    return "it is changed, and needed as it was"
