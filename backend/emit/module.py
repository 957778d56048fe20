"""A module as LLVM IR text: functions, globals, declarations, and the vector math they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from .. import vector_math
from . import arithmetic, control, kernel_ops, memory
from .function import Emit, FunctionEmitter
from .literals import bytes_literal, dense_bytes
from .types import ValueType, value_type

ENTRY = "gd.main"
"""The symbol of a program's C entry: pointers to arguments, then to results; returns 0."""

RULES: dict[type[Operation], Emit] = {
    **arithmetic.RULES,
    **memory.RULES,
    **control.RULES,
    **kernel_ops.RULES,
}
"""How to emit each op of the loop level."""


@dataclass(frozen=True)
class LlvmModule:
    """LLVM IR text, and the external symbols that it needs at link time."""

    text: str
    externals: frozenset[str]


class ModuleEmitter:
    """Collects what the functions of one module need."""

    def __init__(self, entry: str, target: vector_math.Target) -> None:
        self.entry = entry
        self.target = target
        self.declarations: dict[str, str] = {}
        self.vector_math_requests: set[tuple[str, vector_math.Element, int]] = set()

    def declare(self, symbol: str, result: str, arguments: Sequence[str]) -> None:
        """Declare a function that is resolved at link time."""
        self.declarations.setdefault(symbol, f"declare {result} @{symbol}({', '.join(arguments)})")

    def vector_math(self, name: str, type_: ValueType) -> str:
        """Return the symbol of a vector math function on values of the given type."""
        element: vector_math.Element = "f32" if type_.scalar.text == "float" else "f64"
        request = (name, element, max(type_.lanes, 1))
        self.vector_math_requests.add(request)
        return vector_math.symbol_of(*request)

    def symbol_of(self, name: str) -> str:
        """Return the LLVM symbol of a function of the module."""
        return ENTRY if name == self.entry else name

    def function(self, function: FuncOp) -> str:
        """Return the definition of a function, or declare an external one."""
        name = function.sym_name.data
        inputs = [value_type(t).text for t in function.function_type.inputs]
        outputs = [value_type(t).text for t in function.function_type.outputs]
        result = outputs[0] if outputs else "void"
        if function.is_declaration:
            self.declare(name, result, inputs)
            return ""
        e = FunctionEmitter(self, RULES)
        block = function.body.block
        for i, argument in enumerate(block.args):
            e.bind(argument, f"%a{i}")
        terminator = e.emit_ops(block)
        is_entry = name == self.entry
        e.line(_return_text(e, terminator, is_entry))
        parameters = ", ".join(
            f"{type_}{' noalias' if type_ == 'ptr' else ''} %a{i}" for i, type_ in enumerate(inputs)
        )
        linkage, kind = ("", "i32") if is_entry else ("internal ", result)
        head = f"define {linkage}{kind} @{self.symbol_of(name)}({parameters}) #0 {{\nentry:"
        return "\n".join((head, *e.prologue, *e.lines, "}"))


def _return_text(e: FunctionEmitter, terminator: Operation, is_entry: bool) -> str:
    if is_entry:
        return "ret i32 0"
    return f"ret {e.typed(terminator.operands[0])}" if terminator.operands else "ret void"


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
    emitter = ModuleEmitter(entry, target)
    parts: list[str] = []
    for op in module.body.block.ops:
        if isinstance(op, FuncOp):
            parts.append(emitter.function(op))
        elif isinstance(op, memref.GlobalOp):
            parts.append(_global(op))
    definitions = vector_math.definitions(sorted(emitter.vector_math_requests), target)
    attributes = f"attributes #0 = {{ nounwind {target.function_attributes} }}"
    text = "\n\n".join(
        part
        for part in (*parts, definitions, "\n".join(emitter.declarations.values()), attributes)
        if part
    )
    return LlvmModule(text + "\n", frozenset(emitter.declarations))
