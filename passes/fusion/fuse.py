"""The pass that groups array ops into kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...ir.functions import find_function
from ..simplify.rewriting import functions_of
from .rebuild import fuse


@dataclass(frozen=True)
class ArrayFuse(ModulePass):
    """Group array ops into kernels that read and write memory once.

    One walk over each function. An op joins the kernel of the values it needs if one loop nest can
    compute both: elementwise ops and reductions of one shape, and what has the shape of the rows
    between a reduction and its uses. Broadcasts, constants, and slices, reverses, transposes, pads
    and concatenations of values in memory are evaluated in each kernel that needs them; elementwise
    ops below these too, if that repeats little. Nothing else is computed twice. A kernel takes at
    most 192 ops, so that time is linear in them.

    Regions are made of kernels as the function is. If there are any, ops on at most 64 elements go
    into kernels that are computed in registers, unless they are between others of a loop nest. Long
    scans that carry nothing get an attribute ``kernel.parallel``: how many steps a thread takes at
    a time. Small parts of a large carry that its next value is computed from are kernels of their
    own, so that the carry can be changed in place.

        %a = array.sin %x : tensor<4x8xf32>
        %s = array.reduce add %a dims [1] : tensor<4x8xf32> -> tensor<4xf32>
        %b = array.neg %s : tensor<4xf32>

    becomes

        %b = kernel.fusion ins(%x_1 = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8> {
          %a = array.sin %x_1 : tensor<4x8xf32>
          %s = array.reduce add %a dims [1] : tensor<4x8xf32> -> tensor<4xf32>
          %b_1 = array.neg %s : tensor<4xf32>
          kernel.yield %b_1 : tensor<4xf32>
        } -> (tensor<4xf32>)

    Options:
        function: the function to work on; each one of the module if none is named.
        vector-bits: the width of the processor's vector registers.
    """

    name: ClassVar[str] = "array-fuse"
    function: str | None = None
    vector_bits: int = 256

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to the functions."""
        if self.function is None:
            functions = list(functions_of(op))
        else:
            functions = [find_function(op, self.function)]
        for function in functions:
            fuse(function, self.vector_bits)
