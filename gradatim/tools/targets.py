"""What a module can be printed as: MLIR text; of the loop level also LLVM IR and assembly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.target import Target

from ..backend import jit
from ..backend.emit import emit_module
from ..backend.vector_math import Target as Processor
from ..ir.errors import GradatimError
from ..ir.text import ExactPrinter, ExactSyntaxPrinter


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

    Attributes:
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
        processor = Processor(self.vector_bits, self.fma)
        entry = self.function or _first_function(module)
        output.write(emit_module(module, entry, processor).text)


@dataclass(frozen=True)
class AsmTarget(Target):
    """Assembly of a module of the loop level, for this machine.

    Attributes:
        function: the entry, the first function if not given.
    """

    name: ClassVar[str] = "asm"

    function: str | None = None

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print the module as assembly."""
        host = jit.host_target()
        processor = Processor(host.vector_bits, host.fma)
        entry = self.function or _first_function(module)
        output.write(jit.assembly(emit_module(module, entry, processor).text))


def _first_function(module: ModuleOp) -> str:
    for op in module.body.block.ops:
        if isinstance(op, FuncOp) and not op.is_declaration:
            return op.sym_name.data
    raise GradatimError("the module has no function")
