"""Memory access of the loop level that upstream lacks: vectors of elements that lie apart."""

from __future__ import annotations

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    MemRefType,
    VectorType,
    i64,
)
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect


@irdl_op_definition
class StridedLoadOp(IRDLOperation):
    """Load lane ``i`` from element ``offset + i * stride`` of a flat buffer.

        %v = kernel.strided_load %x[%i] stride 8 : memref<64xf64> -> vector<4xf64>

    Lanes whose mask is not set are 0 and are not read.
    """

    name = "kernel.strided_load"
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    mask = opt_operand_def(VectorType)
    stride = prop_def(IntegerAttr.constr(type=i64))
    result = result_def(VectorType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$buffer `[` $offset `]` `stride` $stride (`mask` $mask^ `:` type($mask))? attr-dict "
        "`:` type($buffer) `->` type($result)"
    )


@irdl_op_definition
class StridedStoreOp(IRDLOperation):
    """Store lane ``i`` to element ``offset + i * stride`` of a flat buffer.

        kernel.strided_store %v, %x[%i] stride 2 : vector<4xf64>, memref<64xf64>

    Lanes whose mask is not set are not written.
    """

    name = "kernel.strided_store"
    value = operand_def(VectorType)
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    mask = opt_operand_def(VectorType)
    stride = prop_def(IntegerAttr.constr(type=i64))
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$value `,` $buffer `[` $offset `]` `stride` $stride (`mask` $mask^ `:` type($mask))? "
        "attr-dict `:` type($value) `,` type($buffer)"
    )


@irdl_op_definition
class GatherLoadOp(IRDLOperation):
    """Load lane ``i`` from element ``offset + positions[i]`` of a flat buffer.

        %v = kernel.gather_load %x[%i] at %p : memref<64xf64>, vector<4xi64> -> vector<4xf64>

    Lanes whose mask is not set are 0 and are not read.
    """

    name = "kernel.gather_load"
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    positions = operand_def(VectorType)
    mask = opt_operand_def(VectorType)
    result = result_def(VectorType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$buffer `[` $offset `]` `at` $positions (`mask` $mask^ `:` type($mask))? attr-dict "
        "`:` type($buffer) `,` type($positions) `->` type($result)"
    )


@irdl_op_definition
class ScatterStoreOp(IRDLOperation):
    """Store lane ``i`` to element ``offset + positions[i]`` of a flat buffer, the last lane last.

        kernel.scatter_store %v, %x[%i] at %p : vector<4xf64>, memref<64xf64>, vector<4xi64>

    Lanes whose mask is not set are not written.
    """

    name = "kernel.scatter_store"
    value = operand_def(VectorType)
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    positions = operand_def(VectorType)
    mask = opt_operand_def(VectorType)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$value `,` $buffer `[` $offset `]` `at` $positions (`mask` $mask^ `:` type($mask))? "
        "attr-dict `:` type($value) `,` type($buffer) `,` type($positions)"
    )
