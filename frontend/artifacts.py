"""Whole compiled programs on disk, found by what was traced, so that no pass runs again.

The key is a hash of the traced function before any transformation, of the passes to come and of
the machine. Reading the structure takes a few microseconds an op, a tenth of printing it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FunctionType, ModuleOp
from xdsl.ir import Attribute, Block, Data, Operation, SSAValue

from ..backend import cache, jit
from ..ir.array.effect import CallbackOp
from ..ir.ops import ops_in, ops_of
from ..ir.types import tensor_info
from ..passes.batching.custom import BATCHING

if TYPE_CHECKING:
    from ..passes.pipeline import Hook
    from .traced import Traced


class ProgramCode(NamedTuple):
    """A compiled program, to be linked.

    Attributes:
        object: relocatable machine code.
        externals: the symbols that it needs beside those of the call.
    """

    object: bytes
    externals: tuple[str, ...]


def compile_program(traced: Traced, hooks: Sequence[Hook] = ()) -> ProgramCode:
    """Compile a traced function, or find it on disk.

    Hooks see the program after each pass; if there are any, also by the environment, the function
    is always compiled.
    """
    if hooks or os.environ.get("GRADATIM_DUMP") or os.environ.get("GRADATIM_VERIFY"):
        return _compile(traced, hooks)
    if not cache.enabled() or calls_python(traced.source):  # functions of this process
        return _compile(traced)
    key = _key(traced)
    found = cache.lookup(key)
    if found is not None:
        externals, _, code = found.partition(b"\n")
        return ProgramCode(code, tuple(externals.decode().split()))
    program = _compile(traced)
    cache.store(key, " ".join(program.externals).encode() + b"\n" + program.object)
    return program


def calls_python(module: ModuleOp) -> bool:
    """Tell whether a program, or batching it, calls functions that other processes do not have."""
    return any(
        type(op) is CallbackOp or BATCHING in op.attributes for op in ops_in(module.body.block)
    )


def _compile(traced: Traced, hooks: Sequence[Hook] | None = None) -> ProgramCode:
    """Compile, seen by hooks, or by nobody."""
    from .lowered import lower  # not needed where the program is found on disk

    program = lower(traced, hooks or (), counted=hooks is not None).program
    return ProgramCode(jit.compile_object(program.text), tuple(sorted(program.externals)))


def _key(traced: Traced) -> str:
    host = jit.host_target()
    passes = repr([(call.name, call.options) for call in traced.passes])
    return cache.key(
        "program", fingerprint(traced.source), passes, host.triple, host.cpu, host.features
    )


def fingerprint(module: ModuleOp) -> bytes:
    """Return a hash of a module that ignores names of values and locations.

    Equal programs have equal fingerprints in every process.
    """
    return blake2b("\n".join(_Reader().read(module.body.block)).encode("latin-1")).digest()


class _Reader:
    """Spells the structure of a module, one line an op."""

    def __init__(self) -> None:
        self._numbers: dict[SSAValue, int] = {}
        self._spelled: dict[int, str] = {}  # by identity of attributes, which the module keeps

    def read(self, block: Block) -> Iterator[str]:
        numbers = self._numbers
        for argument in block.args:
            numbers[argument] = len(numbers)
            yield self._attribute(argument.type)
        for op in ops_of(block):
            yield self._operation(op)
            for result in op.results:
                numbers[result] = len(numbers)
            for region in op.regions:
                for inner in region.blocks:
                    yield "{"
                    yield from self.read(inner)
                    yield "}"

    def _operation(self, op: Operation) -> str:
        parts = [op.name]
        parts += [str(self._numbers[operand]) for operand in op._operands]
        for name, attribute in op.properties.items():
            parts += (name, self._attribute(attribute))
        for name, attribute in op.attributes.items():
            parts += (name, self._attribute(attribute))
        parts += [self._attribute(result.type) for result in op.results]
        return " ".join(parts)

    def _attribute(self, attribute: Attribute) -> str:
        found = self._spelled.get(id(attribute))
        if found is None:
            found = self._spelled[id(attribute)] = _spell(attribute)
        return found


def _spell(attribute: Attribute) -> str:
    if isinstance(attribute, DenseIntOrFPElementsAttr):
        shape, dtype = tensor_info(attribute.type)
        content = attribute.data.data
        return f"{shape}{dtype.str}{len(content)}:{content.decode('latin-1')}"
    if isinstance(attribute, FunctionType):
        return "function"  # arguments and results are spelled apart
    if isinstance(attribute, Data):
        return repr(attribute.data)
    return str(attribute)
