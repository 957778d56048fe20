"""What emitters share while one function is written: names, blocks, lines, stack slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects import arith
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Block, Operation, SSAValue

from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from .symbols import ModuleSymbols
from .types import INDEX, Layout, ValueType, memref_layout, value_type

Emit: TypeAlias = Callable[["FunctionEmitter", Operation], None]


class FunctionEmitter:
    """Writes the body of one LLVM function.

    ``lines`` grow downwards; ``prologue`` holds the stack slots, which belong into the entry block.
    Values are named by what stands for them in an operand: a register or a literal.
    """

    def __init__(
        self,
        symbols: ModuleSymbols,
        rules: Mapping[type[Operation], Emit],
        is_entry: bool = False,
    ) -> None:
        self.symbols = symbols
        self.rules = rules
        self.is_entry = is_entry
        self.lines: list[str] = []
        self.prologue: list[str] = []
        self.names: dict[SSAValue, str] = {}
        self.block = "entry"
        self._registers = 0
        self._blocks = 0

    # Names

    def register(self) -> str:
        """Return a fresh register name."""
        self._registers += 1
        return f"%v{self._registers}"

    def ref(self, value: SSAValue) -> str:
        """Return what stands for ``value`` in an operand."""
        return self.names[value]

    def typed(self, value: SSAValue) -> str:
        """Return ``value`` with its type, as in an argument list."""
        return f"{value_type(value.type).text} {self.names[value]}"

    def bind(self, value: SSAValue, name: str) -> None:
        """Let ``name`` stand for ``value``."""
        self.names[value] = name

    # Instructions

    def line(self, text: str) -> None:
        """Append an instruction without result."""
        self.lines.append("  " + text)

    def compute(self, text: str) -> str:
        """Append an instruction and return the register that holds its result."""
        name = self.register()
        self.lines.append(f"  {name} = {text}")
        return name

    def result(self, op: Operation, text: str) -> None:
        """Append the instruction that computes the op's only result."""
        self.names[op.results[0]] = self.compute(text)

    def intrinsic(self, name: str, type_: ValueType, arguments: Sequence[str]) -> str:
        """Append a call of an LLVM intrinsic overloaded on one type, and return its register."""
        symbol = f"llvm.{name}.{mangle(type_)}"
        texts = [f"{type_.text} {argument}" for argument in arguments]
        return self.compute(f"call {type_.text} @{symbol}({', '.join(texts)})")

    def vector_math(self, op: Operation, name: str) -> None:
        """Append the call of a vector math function on the op's operands."""
        symbol = self.symbols.vector_math(name, value_type(op.operands[0].type))
        arguments = ", ".join(map(self.typed, op.operands))
        self.result(op, f"call {value_type(op.results[0].type).text} @{symbol}({arguments})")

    def stack_slot(self, type_text: str, count: int, alignment: int) -> str:
        """Reserve stack memory for the whole call, and return its pointer."""
        name = self.register()
        self.prologue.append(f"  {name} = alloca [{count} x {type_text}], align {alignment}")
        return name

    # Integer arithmetic that folds literals

    def add_index(self, left: str, right: str) -> str:
        """Return left + right; literals are added here and now."""
        if is_literal(left) and is_literal(right):
            return str(int(left) + int(right))
        if left == "0" or right == "0":
            return right if left == "0" else left
        return self.compute(f"add {INDEX} {left}, {right}")

    def scale_index(self, value: str, factor: int) -> str:
        """Return value * factor; literals are multiplied here and now."""
        if is_literal(value):
            return str(int(value) * factor)
        return value if factor == 1 else self.compute(f"mul {INDEX} {value}, {factor}")

    def address(self, memref: SSAValue, indices: Sequence[SSAValue]) -> str:
        """Return the pointer to an element."""
        type_ = memref.type
        assert isinstance(type_, MemRefType)
        layout: Layout = memref_layout(type_)
        offset = "0"
        for index, stride in zip(indices, layout.strides):
            offset = self.add_index(offset, self.scale_index(self.ref(index), stride))
        return self.element_pointer(self.ref(memref), value_type(type_).scalar.storage, offset)

    def element_pointer(self, pointer: str, element: str, offset: str) -> str:
        """Return the pointer ``offset`` elements after ``pointer``."""
        if offset == "0":
            return pointer
        return self.compute(f"getelementptr {element}, ptr {pointer}, {INDEX} {offset}")

    # Blocks

    def fresh_blocks(self, *kinds: str) -> list[str]:
        """Return fresh block labels of the given kinds."""
        self._blocks += 1
        return [f"{kind}{self._blocks}" for kind in kinds]

    def start_block(self, label: str) -> None:
        """Start a basic block."""
        self.lines.append(f"{label}:")
        self.block = label

    def branch(self, label: str) -> None:
        """End the basic block with a jump."""
        self.line(f"br label %{label}")

    def placeholder(self) -> int:
        """Append an empty line to be filled in later (a phi), and return its position."""
        self.lines.append("")
        return len(self.lines) - 1

    def emit_ops(self, block: Block) -> Operation:
        """Emit all ops of a block but its terminator, which is returned."""
        last = block.last_op
        assert last is not None
        rules = self.rules
        for op in block.ops:
            if op is last:
                break
            rule = rules.get(type(op))
            if rule is None:
                raise GradatimError(
                    f"{op.name} cannot be emitted as LLVM IR", spell_location(op.location)
                )
            rule(self, op)
        return last


def fast_math(op: Operation) -> str:
    """Return the op's fast-math flags, each followed by a space."""
    flags = op.properties.get("fastmath")
    if flags is None:
        return ""
    assert isinstance(flags, arith.FastMathFlagsAttr)
    return "".join(f"{flag.value} " for flag in flags.data)


def is_literal(name: str) -> bool:
    """Tell whether an operand is an integer literal."""
    return name[0] not in "%@"


def mangle(type_: ValueType) -> str:
    """Spell a type as the suffix of an overloaded intrinsic: ``v8f64``."""
    scalar = {"float": "f32", "double": "f64"}.get(type_.scalar.text, type_.scalar.text)
    return f"v{type_.lanes}{scalar}" if type_.lanes else scalar
