"""Tapes in memory: stacks of records of equal size, which grow as they are pushed on."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from xdsl.dialects.builtin import IntegerAttr, MemRefType, i8, i32, i64
from xdsl.ir import ParametrizedAttribute, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryAllocEffect, MemoryFreeEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from ..types import Tensor, tensor_info

RECORD_ALIGNMENT = 8
"""Fields and records start at multiples of the longest element."""


@irdl_attr_definition
class TapeType(ParametrizedAttribute, TypeAttribute):
    """A tape in memory: where its records are, how many there are, how many there is room for."""

    name = "kernel.tape"


class Record(NamedTuple):
    """The layout of a record.

    Attributes:
        offsets: where each field starts, in bytes.
        size: the bytes of the record.
    """

    offsets: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, types: Sequence[Tensor]) -> Record:
        """Return the layout of a record of arrays of these types."""
        offsets, end = [], 0
        for type_ in types:
            shape, dtype = tensor_info(type_)
            offsets.append(end)
            size = prod(shape) * dtype.itemsize
            end += -(-size // RECORD_ALIGNMENT) * RECORD_ALIGNMENT
        return cls(tuple(offsets), max(end, RECORD_ALIGNMENT))


def _require_record(op: IRDLOperation, type_: MemRefType) -> None:
    if type_.element_type != i8 or type_.get_num_dims() != 1:
        raise VerifyException(f"{op.name}: a record is bytes, not {type_}")


@irdl_op_definition
class TapeNewOp(IRDLOperation):
    """An empty tape, which takes no memory yet.

    %t = kernel.tape_new : !kernel.tape
    """

    name = "kernel.tape_new"
    result = result_def(TapeType)
    traits = traits_def(MemoryAllocEffect())
    assembly_format = "attr-dict `:` type($result)"


@irdl_op_definition
class TapePushOp(IRDLOperation):
    """The tape with one record more, and that record, which is to be written.

        %u, %r = kernel.tape_push %t status %s : !kernel.tape, memref<i32> -> memref<24xi8>

    If there is no room, the tape moves to memory of twice the size. If there is none to be had, 1
    is written to ``status``, and older records are written over. The tape must not be used again.
    """

    name = "kernel.tape_push"
    tape = operand_def(TapeType)
    status = operand_def(MemRefType(i32, []))
    result = result_def(TapeType)
    record = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect(), MemoryWriteEffect())
    assembly_format = (
        "$tape `status` $status attr-dict `:` type($tape) `,` type($status) `->` type($result) `,` "
        "type($record)"
    )

    def verify_(self) -> None:
        """Check the type of the record."""
        assert isinstance(self.record.type, MemRefType)
        _require_record(self, self.record.type)


@irdl_op_definition
class TapePopOp(IRDLOperation):
    """The tape without its last record, and that record, which is there until the next push.

    %u, %r = kernel.tape_pop %t : !kernel.tape -> !kernel.tape, memref<24xi8>
    """

    name = "kernel.tape_pop"
    tape = operand_def(TapeType)
    rest = result_def(TapeType)
    record = result_def(MemRefType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$tape attr-dict `:` type($tape) `->` type($rest) `,` type($record)"

    def verify_(self) -> None:
        """Check the type of the record."""
        assert isinstance(self.record.type, MemRefType)
        _require_record(self, self.record.type)


@irdl_op_definition
class TapeFreeOp(IRDLOperation):
    """Give back the memory of a tape of records of a size.

    kernel.tape_free %t record 24 : !kernel.tape
    """

    name = "kernel.tape_free"
    tape = operand_def(TapeType)
    record = prop_def(IntegerAttr.constr(type=i64))
    traits = traits_def(MemoryFreeEffect())
    assembly_format = "$tape `record` $record attr-dict `:` type($tape)"
