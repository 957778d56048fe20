"""The reference interpreter: runs array-level IR op by op on NumPy arrays.

It is the meaning of the IR. Whatever the compiler does to a program, running the result here must
give the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue

from .array.base import ArrayOp
from .errors import GradatimError
from .functions import find_function
from .kernel.ops import FusionOp
from .locations import spell_location
from .types import spell, spell_info, tensor_info

Values = list[np.ndarray]


class Interpreter:
    """Runs the functions of a module on NumPy arrays."""

    def __init__(self, module: ModuleOp) -> None:
        self.module = module

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

    def run_block(self, block: Block, arguments: Sequence[np.ndarray]) -> Values:
        """Run a block's ops in order and return the operands of its terminator."""
        environment: dict[SSAValue, np.ndarray] = dict(zip(block.args, arguments))
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
        if isinstance(op, ArrayOp):
            return list(op.evaluate_results(*operands))
        rule = _RULES.get(type(op))
        if rule is None:
            raise GradatimError(
                f"{op.name} has no reference semantics", spell_location(op.location)
            )
        return rule(self, op, operands)


def _fits(value: SSAValue, array: np.ndarray) -> bool:
    shape, dtype = tensor_info(value)
    return array.shape == shape and array.dtype == dtype


def _call(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, CallOp)
    callee = find_function(interpreter.module, op.callee.root_reference.data)
    return interpreter.run_function(callee, operands)


def _fuse(interpreter: Interpreter, op: Operation, operands: Values) -> Values:
    assert isinstance(op, FusionOp)
    return interpreter.run_block(op.body.block, operands)


_RULES: dict[type[Operation], Callable[[Interpreter, Operation, Values], Values]] = {
    CallOp: _call,
    FusionOp: _fuse,
}
