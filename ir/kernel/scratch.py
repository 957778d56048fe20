"""Scratch memory of what several threads run at once, each with memory of its own.

A *reserve* is memory for one of them. Whoever finds it taken has memory allocated, and waits for
the reserve if there is none. So nothing can fail once the reserve is there, and where one thread
does all the work, nothing is allocated at all.
"""

from __future__ import annotations

from typing import Final

from xdsl.dialects.builtin import MemRefType, i8
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryAllocEffect, MemoryFreeEffect, MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

HEADER: Final = 64
"""The bytes at the start of a reserve that say whether it is taken: a cache line."""


@irdl_op_definition
class ScratchReserveOp(IRDLOperation):
    """Make memory a reserve that nobody has taken.

    kernel.scratch_reserve %r : memref<1088xi8>
    """

    name = "kernel.scratch_reserve"
    reserve = operand_def(MemRefType)
    traits = traits_def(MemoryWriteEffect())
    assembly_format = "$reserve attr-dict `:` type($reserve)"


@irdl_op_definition
class ScratchTakeOp(IRDLOperation):
    """Take a reserve, or what is allocated in its stead.

    %s = kernel.scratch_take %r : memref<1088xi8> -> memref<1024xi8>
    """

    name = "kernel.scratch_take"
    reserve = operand_def(MemRefType)
    result = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect(), MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$reserve attr-dict `:` type($reserve) `->` type($result)"

    def verify_(self) -> None:
        """Check that a reserve has room for what is taken."""
        assert isinstance(self.result.type, MemRefType)
        (size,) = self.result.type.get_shape()
        if self.reserve.type != MemRefType(i8, [size + HEADER]):
            raise VerifyException(f"{self.name}: {self.reserve.type} is no reserve of {size} bytes")


@irdl_op_definition
class ScratchGiveOp(IRDLOperation):
    """Give back what was taken.

    kernel.scratch_give %s, %r : memref<1024xi8>, memref<1088xi8>
    """

    name = "kernel.scratch_give"
    taken = operand_def(MemRefType)
    reserve = operand_def(MemRefType)
    traits = traits_def(MemoryFreeEffect(), MemoryWriteEffect())
    assembly_format = "$taken `,` $reserve attr-dict `:` type($taken) `,` type($reserve)"
