"""Memory access that upstream lacks: small arrays, vectors of strided and scattered elements."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    IndexType,
    IntegerAttr,
    MemRefType,
    TensorType,
    VectorType,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from ..errors import GradatimError
from ..types import spell
from .buffers import value_type
from .registers import is_small


@irdl_op_definition
class LoadOp(IRDLOperation):
    """Read a small array from memory into registers.

    %v = kernel.load %x : memref<3xf64> -> tensor<3xf64>
    """

    name = "kernel.load"
    buffer = operand_def(MemRefType)
    result = result_def(TensorType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$buffer attr-dict `:` type($buffer) `->` type($result)"

    def verify_(self) -> None:
        """Check that the buffer holds the array."""
        require_held(self, self.buffer, self.result)


@irdl_op_definition
class StoreOp(IRDLOperation):
    """Write a small array from registers to memory.

    kernel.store %v, %x : tensor<3xf64>, memref<3xf64>
    """

    name = "kernel.store"
    value = operand_def(TensorType)
    buffer = operand_def(MemRefType)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$value `,` $buffer attr-dict `:` type($value) `,` type($buffer)"

    def verify_(self) -> None:
        """Check that the buffer holds the array."""
        require_held(self, self.buffer, self.value)


def require_held(op: IRDLOperation, buffer: SSAValue, value: SSAValue) -> None:
    """Raise VerifyException unless a buffer holds an array that can be in registers."""
    try:
        held = value_type(buffer.type)
    except GradatimError as error:
        raise VerifyException(f"{op.name}: {error.message}") from None
    if held != value.type:
        raise VerifyException(f"{op.name}: the buffer holds {spell(held)}, not {spell(value)}")
    if not is_small(held):
        raise VerifyException(f"{op.name}: {spell(held)} cannot be kept in registers")


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
class InterleavedLoadOp(IRDLOperation):
    """Load lane ``i`` of result ``j`` from element ``offset + i * results + j`` of a flat buffer.

    %v, %w = kernel.interleaved_load %x[%i] : memref<64xf64> -> vector<4xf64>, vector<4xf64>
    """

    name = "kernel.interleaved_load"
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    vectors = var_result_def(VectorType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$buffer `[` $offset `]` attr-dict `:` type($buffer) `->` type($vectors)"

    def verify_(self) -> None:
        """Check that the vectors are of one type."""
        require_alike(self, self.vectors)


@irdl_op_definition
class InterleavedStoreOp(IRDLOperation):
    """Store lane ``i`` of value ``j`` to element ``offset + i * values + j`` of a flat buffer.

    kernel.interleaved_store %v, %w to %x[%i] : vector<4xf64>, vector<4xf64> to memref<64xf64>
    """

    name = "kernel.interleaved_store"
    vectors = var_operand_def(VectorType)
    buffer = operand_def(MemRefType)
    offset = operand_def(IndexType)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = (
        "$vectors `to` $buffer `[` $offset `]` attr-dict `:` type($vectors) `to` type($buffer)"
    )

    def verify_(self) -> None:
        """Check that the vectors are of one type."""
        require_alike(self, self.vectors)


def require_alike(op: IRDLOperation, vectors: Sequence[SSAValue]) -> None:
    """Raise VerifyException unless vectors, of which there are two or more, have one type."""
    if len(vectors) < 2 or len({v.type for v in vectors}) != 1:
        raise VerifyException(f"{op.name}: takes two or more vectors of one type")


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
