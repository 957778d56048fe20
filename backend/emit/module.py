"""A module as LLVM IR text: functions, globals, declarations, and the vector math they need."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from .. import vector_math
from . import arithmetic, control, kernel_ops, memory, parallel, scratch, tape
from .function import Emit, FunctionEmitter
from .literals import bytes_literal, dense_bytes
from .symbols import ModuleSymbols
from .types import value_type

RULES: dict[type[Operation], Emit] = {
    **arithmetic.RULES,
    **memory.RULES,
    **control.RULES,
    **parallel.RULES,
    **kernel_ops.RULES,
    **scratch.RULES,
    **tape.RULES,
}
"""How to emit each op of the loop level."""


@dataclass(frozen=True)
class LlvmModule:
    """LLVM IR text, and the external symbols that it needs at link time."""

    text: str
    externals: frozenset[str]


def _function(function: FuncOp, symbols: ModuleSymbols) -> str:
    """Return the definition of a function, or declare an external one."""
    name = function.sym_name.data
    inputs = [value_type(t).text for t in function.function_type.inputs]
    outputs = [value_type(t).text for t in function.function_type.outputs]
    result = outputs[0] if outputs else "void"
    if function.is_declaration:
        symbols.declare(name, result, inputs)
        return ""
    is_entry = name == symbols.entry
    e = FunctionEmitter(symbols, RULES, is_entry)
    block = function.body.block
    for i, argument in enumerate(block.args):
        e.bind(argument, f"%a{i}")
    terminator = e.emit_ops(block)
    e.line(_return_text(e, terminator, is_entry))
    parameters = ", ".join(
        f"{type_}{' noalias' if is_entry and type_ == 'ptr' else ''} %a{i}"
        for i, type_ in enumerate(inputs)
    )
    linkage, kind = ("", "i32") if is_entry else ("internal ", result)
    head = f"define {linkage}{kind} @{symbols.symbol_of(name)}({parameters}) #0 {{\nentry:"
    return "\n".join((head, *e.prologue, *e.lines, "}"))


def _return_text(e: FunctionEmitter, terminator: Operation, is_entry: bool) -> str:
    if terminator.operands:
        return f"ret {e.typed(terminator.operands[0])}"
    return "ret i32 0" if is_entry else "ret void"


def _global(op: memref.GlobalOp) -> str:
    value = op.initial_value
    assert isinstance(value, DenseIntOrFPElementsAttr)
    data = dense_bytes(value)
    return (
        f"@{op.sym_name.data} = internal constant [{len(data)} x i8] "
        f"{bytes_literal(data)}, align 64"
    )


def emit_module(module: ModuleOp, entry: str, target: vector_math.Target) -> LlvmModule:
    """Emit a module of the loop level as LLVM IR text.

    Args:
        module: functions on memrefs, of the dialects that ``RULES`` covers.
        entry: the function that becomes the program's C entry, ``gd.main``.
        target: what the processor offers.

    Raises:
        GradatimError: an op cannot be emitted.
    """
    symbols = ModuleSymbols(entry)
    parts: list[str] = []
    for op in module.body.block.ops:
        if isinstance(op, FuncOp):
            parts.append(_function(op, symbols))
        elif isinstance(op, memref.GlobalOp):
            parts.append(_global(op))
    parts += [*symbols.outlined, *symbols.definitions.values()]
    calls = symbols.vector_math_calls
    called_once = {function for function, count in calls.items() if count == 1}
    definitions = vector_math.definitions(sorted(calls), target, inlined=called_once)
    attributes = f"attributes #0 = {{ nounwind {target.function_attributes} }}"
    text = "\n\n".join(
        part
        for part in (*parts, definitions, "\n".join(symbols.declarations.values()), attributes)
        if part
    )
    return LlvmModule(text + "\n", frozenset(symbols.declarations))
