"""The C library's functions, for the rare arguments that the vector algorithms do not cover."""

from __future__ import annotations

from collections.abc import Callable

from .builder import Builder, Value, type_suffix, type_text
from .function import PURE, MathFunction
from .target import Target

# From the operands of a function the mask of the lanes in question.
Condition = Callable[..., Value]


def exact_where(
    b: Builder, condition: Condition, name: str, fast: Value, *operands: Value
) -> Value:
    """``fast``, but the library's ``name`` of the operands where ``condition`` holds.

    One test of the whole vector; the function called if any lane is set is cold, so the
    fast path falls through. This must be the last step of an algorithm but for a conversion,
    for the value numbering knows no blocks.
    """
    mask = condition(b, *operands)
    element = fast.element
    library = _declaration(name, element, len(operands))
    arguments = ", ".join(f"{operand.type} {operand.text}" for operand in operands)
    if b.lanes == 1:
        return b.branch(mask.text, library, arguments, fast)
    slow = _lane_by_lane(condition, library, element, b.lanes, len(operands), b.target)
    reduced = f"call i1 @llvm.vector.reduce.or.{type_suffix('i1', b.lanes)}"
    b.lines.append(f"  %any = {reduced}({mask.type} {mask.text})")
    return b.branch("%any", slow, f"{arguments}, {fast.type} {fast.text}", fast)


def _declaration(name: str, element: str, arity: int) -> MathFunction:
    symbol = name + ("f" if element == "float" else "")
    signature = ", ".join([element] * arity)
    return MathFunction(symbol, f"declare {element} @{symbol}({signature}) {PURE} cold\n")


def _lane_by_lane(
    condition: Condition,
    library: MathFunction,
    element: str,
    lanes: int,
    arity: int,
    target: Target,
) -> MathFunction:
    """A function of the operands and the fast result: a loop over the lanes in memory.

    It calls the library for every lane and keeps the value where the condition holds.
    """
    vector = type_text(element, lanes)
    names = ("x", "y")[:arity]
    memory = (*names, "fast")
    scalar = Builder(target, 1, "")
    operands = [Value(scalar, element, 1, f"%{name}.lane") for name in names]
    mask = condition(scalar, *operands)
    arguments = ", ".join(f"{element} {operand.text}" for operand in operands)
    parameters = ", ".join(f"{vector} %{name}" for name in memory)
    words = " ".join(filter(None, (PURE, "cold noinline", target.function_attributes)))
    symbol = f"gd.lanes.{library.symbol}.v{lanes}"
    lines = [
        f"define internal {vector} @{symbol}({parameters}) {words} {{",
        "entry:",
        *(f"  %{name}.memory = alloca {vector}, align 16" for name in memory),
        *(f"  store {vector} %{name}, ptr %{name}.memory, align 16" for name in memory),
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]",
        *(f"  %{m}.at = getelementptr {element}, ptr %{m}.memory, i64 %i" for m in memory),
        *(f"  %{name}.lane = load {element}, ptr %{name}.at" for name in memory),
        *scalar.lines,
        f"  %exact = call {element} @{library.symbol}({arguments})",
        f"  %kept = select i1 {mask.text}, {element} %exact, {element} %fast.lane",
        f"  store {element} %kept, ptr %fast.at",
        "  %next = add i64 %i, 1",
        f"  %more = icmp ult i64 %next, {lanes}",
        "  br i1 %more, label %loop, label %end",
        "end:",
        f"  %result = load {vector}, ptr %fast.memory, align 16",
        f"  ret {vector} %result",
        "}",
    ]
    return MathFunction(symbol, "\n".join(lines) + "\n", (library,))
