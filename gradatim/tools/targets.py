"""What a module can be printed as: MLIR text; of the loop level also LLVM IR and assembly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.target import Target

from ..backend import jit
from ..backend.emit import emit_module
from ..backend.vector_math import Target as Processor
from ..ir.errors import GradatimError
from ..ir.functions import find_function
from ..ir.locations import spell_location
from ..ir.text import ExactPrinter, ExactSyntaxPrinter

TO_LOOPS = ("array-inline", "array-fuse", "kernel-bufferize", "kernel-lower-to-loops")
"""The passes that bring a program from the array level to the loop level."""


@dataclass(frozen=True)
class TextTarget(MLIRTarget):
    """MLIR text, as xDSL's target of this name, with exact constants."""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print the module."""
        printer = (ExactSyntaxPrinter if self.syntax_highlight else ExactPrinter)(
            stream=output,
            print_generic_format=self.print_generic_format,
            print_properties_as_attributes=self.print_properties_as_attributes,
            print_debuginfo=self.print_debuginfo,
        )
        printer.print_op(module)
        printer.print_metadata(ctx.loaded_dialects)
        print(file=output)


@dataclass(frozen=True)
class LlvmTarget(Target):
    """LLVM IR of a module of the loop level.

    Options:
        function: the entry, the first function if not given.
        vector_bits: the width of the processor's vector registers.
        fma: whether the processor has a fused multiply-add.
    """

    name: ClassVar[str] = "llvm"

    function: str | None = None
    vector_bits: int = 256
    fma: bool = True

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print the module as LLVM IR."""
        output.write(_emit(module, self.function, Processor(self.vector_bits, self.fma)))


@dataclass(frozen=True)
class AsmTarget(Target):
    """Assembly of a module of the loop level, for this machine.

    Options:
        function: the entry, the first function if not given.
    """

    name: ClassVar[str] = "asm"

    function: str | None = None

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print the module as assembly."""
        text = _emit(module, self.function, jit.host_target().vector_math)
        output.write(jit.assembly(text))


def _emit(module: ModuleOp, function: str | None, processor: Processor) -> str:
    _require_buffers(module)
    entry = _first_function(module) if function is None else find_function(module, function)
    return emit_module(module, entry.sym_name.data, processor).text


def _require_buffers(module: ModuleOp) -> None:
    """Refuse a program that has tensors, which loops do not."""
    for op in module.walk():
        arguments = (a for region in op.regions for b in region.blocks for a in b.args)
        if any(isinstance(value.type, TensorType) for value in (*op.results, *arguments)):
            raise GradatimError(
                f"{op.name} has a tensor, but LLVM IR is made from the loop level: run "
                f"{','.join(TO_LOOPS)} first",
                spell_location(op.location),
            )


def _first_function(module: ModuleOp) -> FuncOp:
    for op in module.body.block.ops:
        if isinstance(op, FuncOp) and not op.is_declaration:
            return op
    raise GradatimError("the module has no function")
