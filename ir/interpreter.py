"""The reference interpreter: runs array-level IR op by op on NumPy arrays.

It is the meaning of the IR. Whatever the compiler does to a program, running the result here must
give the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue

from .array.base import ArrayOp
from .array.control import (
    CaseOp,
    CustomDerivativeOp,
    RematOp,
    ScanOp,
    TapeNewOp,
    TapePopOp,
    TapePushOp,
    TapeType,
    WhileOp,
)
from .array.effect import CallbackOp, CheckOp
from .array.plain import BarrierOp, GuardOp, NameOp
from .errors import GradatimError
from .functions import find_function
from .kernel.ops import FusionOp
from .locations import spell_location
from .types import spell, spell_info, tensor_info

Values: TypeAlias = list[Any]
"""Arrays, and for tapes tuples of tuples of arrays, the one pushed last at the end."""


class Interpreter:
    """Runs the functions of a module on NumPy arrays.

    Args:
        module: the functions.
        callbacks: the Python functions that the module calls, by their numbers; each takes arrays
            and returns a sequence of arrays.
    """

    def __init__(
        self, module: ModuleOp, callbacks: Sequence[Callable[..., Sequence[Any]]] = ()
    ) -> None:
        self.module = module
        self.callbacks = callbacks

    def call(self, name: str, *arguments: np.ndarray) -> Values:
        """Run the function ``name`` and return its results as arrays.

        Raises:
            GradatimError: if there is no such function, if an argument is not of its type, or if
                an op has no reference semantics.
        """
        function = find_function(self.module, name)
        with np.errstate(all="ignore"):
            return self.run_function(function, [np.asarray(a) for a in arguments])

    def run_function(self, function: FuncOp, arguments: Sequence[np.ndarray]) -> Values:
        """Run a function on arrays of its arguments' types."""
        block = function.body.block
        if len(arguments) != len(block.args):
            raise GradatimError(
                f"@{function.sym_name.data} takes {len(block.args)} arguments, not {len(arguments)}"
            )
        for index, (parameter, value) in enumerate(zip(block.args, arguments)):
            if not _fits(parameter, value):
                raise GradatimError(
                    f"argument {index} of @{function.sym_name.data} must be {spell(parameter)}, "
                    f"not {spell_info(value.shape, value.dtype)}"
                )
        return self.run_block(block, arguments)

    def run_block(self, block: Block, arguments: Sequence[Any]) -> Values:
        """Run a block's ops in order and return the operands of its terminator."""
        environment: dict[SSAValue, Any] = dict(zip(block.args, arguments))
        for op in block.ops:
            operands = [environment[value] for value in op.operands]
            if op is block.last_op:
                return operands
            for result, value in zip(op.results, self.run_op(op, operands)):
                if not _fits(result, value):
                    raise GradatimError(
                        f"{op.name} gave {spell_info(value.shape, value.dtype)} "
                        f"for a result of {spell(result)}",
                        spell_location(op.location),
                    )
                environment[result] = value
        return []

    def run_op(self, op: Operation, operands: Values) -> Values:
        """Run one op."""
        if isinstance(op, CallbackOp):
            return self._call_back(op, operands)
        if isinstance(op, CheckOp) and not operands[0]:
            self._fail(op, operands[1:])
        if isinstance(op, ArrayOp):
            return list(op.evaluate_results(*operands))
        rule = _RULES.get(type(op))
        if rule is None:
            raise GradatimError(
                f"{op.name} has no reference semantics", spell_location(op.location)
            )
        return rule(self, op, operands)

    def _fail(self, op: CheckOp, payload: Values) -> NoReturn:
        number = op.number.value.data
        if number < len(self.callbacks):
            self.callbacks[number](*payload)
        raise GradatimError(op.text(payload), spell_location(op.location))

    def _call_back(self, op: CallbackOp, operands: Values) -> Values:
        number = op.number.value.data
        if number >= len(self.callbacks):
            raise GradatimError(
                f"{op.name} {op.label} has no meaning without its function",
                spell_location(op.location),
            )
        return [np.asarray(value) for value in self.callbacks[number](*operands)]


def _fits(value: SSAValue, found: Any) -> bool:
    if isinstance(value.type, TapeType):
        return type(found) is tuple
    shape, dtype = tensor_info(value)
    return bool(found.shape == shape and found.dtype == dtype)


def _call(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, CallOp)
    callee = find_function(interpreter.module, op.callee.root_reference.data)
    return interpreter.run_function(callee, operands)


def _run_first_region(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    return interpreter.run_block(op.regions[0].block, operands)


def _case(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, CaseOp)
    index, *inputs = operands
    chosen = min(max(int(index), 0), len(op.regions) - 1)
    return interpreter.run_block(op.regions[chosen].block, inputs)


def _scan(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, ScanOp)
    first, second, _ = map(len, op.groups)
    consts, carries = operands[:first], operands[first : first + second]
    elements = operands[first + second :]
    stacks = [np.empty(*tensor_info(value)) for value in op.results[second:]]
    order = range(op.count) if op.reverse is None else reversed(range(op.count))
    for i in order:
        parts = [np.asarray(element[i]) for element in elements]
        arguments = [np.asarray(i, np.int64), *consts, *carries, *parts]
        results = interpreter.run_block(op.body.block, arguments)
        carries = results[:second]
        for stack, item in zip(stacks, results[second:]):
            stack[i] = item
    return [*carries, *stacks]


def _while(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, WhileOp)
    count = len(op.groups[0])
    consts, carries = operands[:count], operands[count:]
    while interpreter.run_block(op.condition.block, [*consts, *carries])[0]:
        carries = interpreter.run_block(op.body.block, [*consts, *carries])
    return carries


def _identity(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    return operands


def _guard(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, GuardOp)
    mask, x = operands
    return [np.where(mask, x, x.dtype.type(op.safe.value.data))]


def _new_tape(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    return [()]


def _push(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    tape, *values = operands
    return [(*tape, tuple(values))]


def _pop(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    (tape,) = operands
    if not tape:
        raise GradatimError(f"{op.name} of an empty tape", spell_location(op.location))
    return [tape[:-1], *tape[-1]]


_RULES: dict[type[Operation], Callable[[Interpreter, Operation, Values], Values]] = {
    CallOp: _call,
    FusionOp: _run_first_region,
    CaseOp: _case,
    ScanOp: _scan,
    WhileOp: _while,
    RematOp: _run_first_region,
    CustomDerivativeOp: _run_first_region,
    BarrierOp: _identity,
    NameOp: _identity,
    GuardOp: _guard,
    TapeNewOp: _new_tape,
    TapePushOp: _push,
    TapePopOp: _pop,
}
