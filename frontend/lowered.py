"""Lowering: a traced function through the levels of the IR to LLVM and object code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ..backend import jit
from ..backend.call import emit_entry
from ..backend.emit import emit_module
from ..ir.ops import copy_module
from ..ir.text import to_text
from ..passes.bufferize.copies import ArrayCopy, copies_of
from ..passes.fusion.cost import Cost
from ..passes.pipeline import (
    PIPELINES,
    Hook,
    Options,
    PassRecord,
    cost_table,
    estimate_microseconds,
    run_passes,
)
from ..passes.registry import PASSES
from .boundary import public
from .errors import ArgumentError
from .layouts import flat_call

if TYPE_CHECKING:
    from .compiled import Compiled
    from .traced import Traced

LEVELS: Final = ("array", "kernel", "loop", "llvm", "asm")
"""The levels of the IR, from the program to the machine."""

_RELEASE_GIL_MICROSECONDS: Final = 5.0


class LlvmProgram(NamedTuple):
    """A program as LLVM IR text with its entry, and the symbols that it needs at link time."""

    text: str
    externals: frozenset[str]


class Lowering(NamedTuple):
    """What lowering gives.

    Attributes:
        program: the program as LLVM IR text.
        loop: the program at the loop level.
        records: what each pass did.
    """

    program: LlvmProgram
    loop: ModuleOp
    records: tuple[PassRecord, ...]


def lower(
    traced: Traced,
    hooks: Sequence[Hook] = (),
    at_level: Callable[[str, ModuleOp], None] = lambda level, module: None,
    *,
    counted: bool = True,
) -> Lowering:
    """Lower a traced function to LLVM IR.

    Args:
        traced: the function.
        hooks: see the program after each pass behind the transformations.
        at_level: sees the program when it reaches a level.
        counted: whether the records tell the number of ops.
    """
    options = Options(vector_bits=jit.host_target().vector_bits)
    transforms = [PASSES[call.name]()(**call.options) for call in traced.passes]
    passes: list[ModulePass] = list(transforms)
    levels: dict[int, str] = {}
    for level, pipeline in PIPELINES.items():
        passes += pipeline(options)
        levels[len(passes)] = level
    microseconds = 0.0

    def watch(number: int, record: PassRecord, module: ModuleOp) -> None:
        nonlocal microseconds
        if number >= len(transforms):
            for hook in hooks:
                hook(number - len(transforms), record, module)
        if number in levels:
            at_level(levels[number], module)
        if levels.get(number) == "kernel":
            microseconds = estimate_microseconds(module)

    module = copy_module(traced.source)
    records = run_passes(module, passes, [watch], counted=counted)
    emitted = emit_module(module, traced.fun_name, jit.host_target().vector_math)
    release_gil = microseconds > _RELEASE_GIL_MICROSECONDS
    entry = emit_entry(flat_call(traced), release_gil=release_gil, has_status=traced.has_status)
    program = LlvmProgram(f"{emitted.text}\n{entry}", emitted.externals)
    return Lowering(program, module, tuple(records))


class Lowered:
    """A function with its program at every level.

    Attributes:
        traced: the function as traced.
    """

    def __init__(self, traced: Traced) -> None:
        self.traced = traced

    @public
    def as_text(self, level: str = "array", *, debug_info: bool = False) -> str:
        """Return the program as text.

        Args:
            level: ``array`` (transformed and simplified), ``kernel`` (grouped into kernels),
                ``loop``, ``llvm`` or ``asm``.
            debug_info: print source locations, on the levels that are MLIR.

        Raises:
            ArgumentError: if there is no such level.
        """
        if level not in LEVELS:
            raise ArgumentError(f"the levels are {', '.join(LEVELS)}, not {level!r}")
        if level == "llvm":
            return self._lowering.program.text
        if level == "asm":
            return jit.assembly(self._lowering.program.text)
        return to_text(self._modules[level], locations=debug_info)

    @property
    def passes(self) -> tuple[PassRecord, ...]:
        """Name, time in ms, and ops before and after, of each pass down to the loop level."""
        return self._lowering.records

    def cost(self) -> list[tuple[str, Cost]]:
        """Return what each kernel costs: bytes moved, operations, scratch memory."""
        return cost_table(self._modules["kernel"])

    def copies(self) -> list[ArrayCopy]:
        """Return the copies of arrays that the program makes, each with its reason and place.

        What changes an array stores in its memory if the old contents are not needed any more. The
        copies that remain, and those of results that are arguments, are listed here.
        """
        return copies_of(self._modules["loop"])

    def compile(self) -> Compiled:
        """Compile to machine code."""
        from .compiled import Compiled

        arguments = self.traced.function.arguments
        return Compiled(self.traced, arguments.unflatten(arguments.types))

    @cached_property
    def _modules(self) -> dict[str, ModuleOp]:
        modules: dict[str, ModuleOp] = {}

        def keep(level: str, module: ModuleOp) -> None:
            modules[level] = copy_module(module)

        lower(self.traced, at_level=keep)
        return modules

    @cached_property
    def _lowering(self) -> Lowering:
        return lower(self.traced)
