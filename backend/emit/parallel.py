"""The emitter of ``scf.parallel``: the body becomes a function that threads call by number.

    void @name(ptr %context, i64 %number)

runs one iteration, numbered in the order of nested loops. What it uses from outside is handed over
in memory on the stack of the function around the loop, which outlives all iterations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from xdsl.dialects import scf
from xdsl.ir import Block, Operation, SSAValue

from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from ...ir.ops import ops_in
from .function import Emit, FunctionEmitter, is_literal
from .types import INDEX, value_type

_RUN: Final = "gd.parallel"
_CONTEXT_ALIGNMENT: Final = 64


def _parallel(e: FunctionEmitter, op: Operation) -> None:
    assert isinstance(op, scf.ParallelOp)
    if op.results:
        raise GradatimError(
            "scf.parallel with results cannot be emitted as LLVM IR", spell_location(op.location)
        )
    steps = [e.ref(step) for step in op.step]
    lowers = [e.ref(lower) for lower in op.lowerBound]
    trips = [
        _trips(e, lower, e.ref(upper), step)
        for lower, upper, step in zip(lowers, op.upperBound, steps)
    ]
    captured = _captured(e, op)
    used = {name: value_type(value.type).text for value, name in captured.items()}
    used.update(dict.fromkeys((*lowers, *steps, *trips), INDEX))
    passed = {name: type_ for name, type_ in used.items() if name.startswith("%")}
    context_type = f"{{ {', '.join(passed.values())} }}"
    context = e.stack_slot(context_type, 1, _CONTEXT_ALIGNMENT)
    for number, (name, type_) in enumerate(passed.items()):
        e.line(f"store {type_} {name}, ptr {_field(e, context_type, context, number)}")
    inner = FunctionEmitter(e.symbols, e.rules)
    local = _load_fields(inner, passed)
    for value, name in captured.items():
        inner.bind(value, local.get(name, name))
    dimensions = [
        [local.get(name, name) for name in triple] for triple in zip(lowers, steps, trips)
    ]
    symbol = _outline(inner, op.body.block, dimensions)
    count = trips[0]
    for other in trips[1:]:
        count = e.compute(f"mul {INDEX} {count}, {other}")
    e.symbols.declare(_RUN, "void", ["ptr", "ptr", INDEX])
    e.line(f"call void @{_RUN}(ptr @{symbol}, ptr {context}, {INDEX} {count})")


def _trips(e: FunctionEmitter, lower: str, upper: str, step: str) -> str:
    """Return how many iterations a dimension has."""
    if all(map(is_literal, (lower, upper, step))):
        return str(max(-(-(int(upper) - int(lower)) // int(step)), 0))
    length = e.compute(f"sub {INDEX} {upper}, {lower}")
    rounded = e.add_index(e.compute(f"add {INDEX} {length}, {step}"), "-1")
    quotient = e.compute(f"sdiv {INDEX} {rounded}, {step}")
    return e.compute(f"call {INDEX} @llvm.smax.i64({INDEX} {quotient}, {INDEX} 0)")


def _captured(e: FunctionEmitter, op: Operation) -> dict[SSAValue, str]:
    """Return what the body uses from outside."""
    inner = (each for region in op.regions for each in ops_in(region.block))
    operands = (value for each in inner for value in each._operands)
    return {value: e.names[value] for value in operands if value in e.names}


def _field(e: FunctionEmitter, context_type: str, context: str, number: int) -> str:
    return e.compute(f"getelementptr {context_type}, ptr {context}, i64 0, i32 {number}")


def _load_fields(e: FunctionEmitter, passed: Mapping[str, str]) -> Mapping[str, str]:
    """Load what was handed over; return what stands for each name of the function outside."""
    context_type = f"{{ {', '.join(passed.values())} }}"
    loaded = (
        e.compute(f"load {type_}, ptr {_field(e, context_type, '%context', number)}")
        for number, type_ in enumerate(passed.values())
    )
    return dict(zip(passed, loaded))


def _outline(e: FunctionEmitter, body: Block, dimensions: Sequence[Sequence[str]]) -> str:
    """Define the function that runs one iteration, and return its symbol.

    ``dimensions`` are lower bound, step and number of iterations of each.
    """
    for argument, position in zip(body.args, _positions(e, dimensions)):
        e.bind(argument, position)
    e.emit_ops(body)
    e.line("ret void")
    parameters = f"ptr noalias readonly %context, {INDEX} %number"
    return e.symbols.outline(parameters, [*e.prologue, *e.lines])


def _positions(e: FunctionEmitter, dimensions: Sequence[Sequence[str]]) -> list[str]:
    """Return the loop variables of the iteration whose number is ``%number``."""
    positions = []
    rest = "%number"
    for place, (lower, step, trips) in reversed(list(enumerate(dimensions))):
        turn = rest
        if place:
            turn = e.compute(f"urem {INDEX} {rest}, {trips}")
            rest = e.compute(f"udiv {INDEX} {rest}, {trips}")
        scaled = (
            e.scale_index(turn, int(step))
            if is_literal(step)
            else e.compute(f"mul {INDEX} {turn}, {step}")
        )
        positions.append(e.add_index(lower, scaled))
    return positions[::-1]


RULES: Final[dict[type[Operation], Emit]] = {scf.ParallelOp: _parallel}
