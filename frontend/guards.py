"""Decisions that Python takes while a function is traced, by the values that it is called with.

Where Python needs the value of a traced condition or number, and the function is traced for a call,
the value is computed from the call's arguments. What was traced then holds for arguments that give
the same values only: each becomes a `Guard`, which compiled code checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue

from ..ir.builder import Builder
from ..ir.functions import FunctionBuilder, return_of
from ..ir.interpreter import Interpreter
from ..ir.locations import spell_location
from ..ir.types import tensor_info
from .source import user_location

if TYPE_CHECKING:
    from .tracer import Tracer
    from .tracing import Trace
    from .transforms import Lanes


class Guard(NamedTuple):
    """A value that was needed while tracing.

    Attributes:
        value: in the function that is traced.
        expected: what it was, a 0-d array.
        what: what needed it, for messages.
        where: the user's file and line.
    """

    value: SSAValue
    expected: np.ndarray
    what: str
    where: str


class Differs(Exception):
    """A value that is needed is not the same in all lanes of a `vmap`."""


@dataclass
class Example:
    """The arguments that a function is traced for.

    Attributes:
        leaves: the arguments of the outermost function.
        lanes: how they are mapped over, by each `vmap` around the function that is traced, the
            innermost first.
    """

    leaves: Sequence[np.ndarray]
    lanes: Sequence[Lanes]

    def evaluate(self, trace: Trace, value: SSAValue) -> np.ndarray | None:
        """Return what a traced number is for these arguments; None if it depends on unknown ones.

        Raises:
            Differs: if it is not the same in all lanes.
        """
        found = self._lanes_of(trace, value)
        if found is None or not found.size:
            return None
        values = found.reshape(-1)
        if any(not same_bits(values[0], value) for value in np.unique(values)):
            raise Differs
        return np.asarray(values[0])

    def first(self, trace: Trace, value: SSAValue) -> np.ndarray | None:
        """Return what a traced value is for these arguments, in the first lane."""
        found = self._lanes_of(trace, value)
        return None if found is None else np.asarray(found[(0,) * len(self.lanes)])

    def _lanes_of(self, trace: Trace, value: SSAValue) -> np.ndarray | None:
        captures = [c for c in trace.captures if isinstance(c, np.ndarray)]
        if len(captures) != len(trace.captures):
            return None  # they are values of an outer function
        from .callbacks import FUNCTIONS

        module = _slice(trace, value)
        if module is None:
            return None
        for lanes in self.lanes:
            _map(module, lanes, len(captures))
        with np.errstate(all="ignore"):
            (found,) = Interpreter(module, FUNCTIONS).call("slice", *captures, *self.leaves)
        return np.asarray(found)


def _slice(trace: Trace, value: SSAValue) -> ModuleOp | None:
    """Return a module whose first function computes a value from the parameters of a trace.

    There is none if it depends on an effect, which is to happen once, when the program runs.
    """
    from ..passes.effects import drop_effects

    block = trace.builder.block
    function = FunctionBuilder("slice", block.arg_types)
    mapped: dict[SSAValue, SSAValue] = dict(zip(block.args, function.arguments))
    for op in _needed(block, [value]):
        function.block.add_op(op.clone(mapped))
    made = function.finish([mapped[value]])
    module = ModuleOp([made, *[f.clone() for f in trace.functions.values()]])
    return module if drop_effects(module, made) else None


def _needed(block: Block, values: Sequence[SSAValue]) -> list[Any]:
    """Return the ops of a block that values depend on, in order."""
    wanted = set()
    pending = [value.owner for value in values]
    while pending:
        op = pending.pop()
        if isinstance(op, Block) or op in wanted:
            continue
        wanted.add(op)
        pending += [operand.owner for operand in op.operands]
    return [op for op in block.ops if op in wanted]


def _map(module: ModuleOp, lanes: Lanes, captures: int) -> None:
    from ..passes.registry import PASSES

    axes = (*[-1] * captures, *lanes.in_axes)
    options = {"function": "slice", "in_axes": axes, "out_axes": (0,), **lanes.options}
    PASSES["array-vmap"]()(**options).apply(Context(), module)


def same_bits(first: Any, second: Any) -> bool:
    """Tell whether two numbers are the same, down to the sign of zero; NaN is the same as NaN."""
    if first != first or second != second:
        return bool(first != first and second != second)
    return bool(first == second and np.signbit(np.real(first)) == np.signbit(np.real(second)))


def decide(tracer: Tracer, what: str) -> np.ndarray | None:
    """Return what a traced value is in the call that its function is traced for, and guard it.

    Args:
        tracer: of one element.
        what: what needs the value, for messages.

    Returns:
        A 0-d array; None if the function is not traced for a call.

    Raises:
        Differs: if the value is not the same in all lanes.
    """
    trace, value = tracer.trace, tracer.value
    known = trace.guards.get(value)
    if known is not None:
        return known.expected
    if trace.example is None or trace.finished:
        return None
    found = trace.example.evaluate(trace, value)
    if found is not None:
        where = spell_location(user_location()) or "an unknown place"
        trace.guards[value] = Guard(value, found, what, where)
    return found


def add_condition(module: ModuleOp, function: FuncOp, guards: Sequence[Guard], name: str) -> None:
    """Add a function to a module that tells of its arguments whether all guards hold.

    Args:
        module: holds the function.
        function: as it was traced, with the guarded values as its last results.
        guards: what they must be.
        name: of the new function.
    """
    from ..passes.effects import any_effects, drop_effects

    block = function.body.block
    values = return_of(function).operands[-len(guards) :]
    made = FunctionBuilder(name, block.arg_types, (), function.location)
    mapped: dict[SSAValue, SSAValue] = dict(zip(block.args, made.arguments))
    for op in _needed(block, values):
        made.block.add_op(op.clone(mapped))
    holds = made.builder.full((), np.dtype(np.bool_), True)
    for value, guard in zip(values, guards):
        holds = made.builder.and_(holds, _holds(made.builder, mapped[value], guard.expected))
    condition = made.finish([holds])
    module.body.block.add_op(condition)
    if any_effects(module):
        drop_effects(module, condition)


def _holds(b: Builder, value: SSAValue, expected: np.ndarray) -> SSAValue:
    """Return whether a value is what it was, to be computed by compiled code."""
    dtype = tensor_info(value).dtype
    value = b.reshape(value, ())
    if dtype.kind == "b":
        return value if expected else b.not_(value)
    if dtype.kind == "c":
        parts = [(b.real(value), expected.real), (b.imag(value), expected.imag)]
        return b.and_(*[_holds(b, part, np.asarray(number)) for part, number in parts])
    if expected != expected:
        return b.compare("ne", value, value)
    equal = b.compare("eq", value, b.full((), dtype, expected))
    if dtype.kind != "f" or expected != 0:
        return equal
    one = b.full((), dtype, 1)
    sign = b.full((), dtype, np.copysign(1, expected))
    return b.and_(equal, b.compare("eq", b.copy_sign(one, value), sign))
