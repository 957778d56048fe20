"""A status among the results of a function: whether what they are made by holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.passes import ModulePass

from ..ir.builder import Builder
from ..ir.errors import GradatimError
from ..ir.functions import find_function, return_of
from ..ir.types import shape_of

STATUS: Final = np.dtype(np.int32)
"""The dtype of a status. 0 means that the other results are valid."""

MISMATCH: Final = -1
"""The status of a program that was run for arguments which it does not take after all."""


def add_status(module: ModuleOp, function: FuncOp, condition: str, arguments: int) -> None:
    """Let a function that nobody calls return a status too: 0 if a condition holds, or `MISMATCH`.

    Args:
        module: holds the function.
        function: the function.
        condition: the name of a function that returns bools, all of which must hold.
        arguments: how many of the function's first arguments it takes.

    Raises:
        GradatimError: if there is no such condition, or it takes other arguments.
    """
    callee = find_function(module, condition)
    callee.properties["sym_visibility"] = StringAttr("private")
    results = list(callee.function_type.outputs)
    operands = function.body.block.args[:arguments]
    if [operand.type for operand in operands] != list(callee.function_type.inputs):
        raise GradatimError(
            f"@{condition} does not take the first {arguments} arguments of "
            f"@{function.sym_name.data}"
        )
    terminator = return_of(function)
    call = CallOp.create(
        operands=operands,
        result_types=results,
        properties={"callee": SymbolRefAttr(condition)},
        location=function.location,
    )
    function.body.block.insert_op_before(call, terminator)
    block = function.body.block
    block.detach_op(terminator)
    b = Builder(block, function.location)
    holds = b.full((), np.dtype(np.bool_), True)
    for result in call.results:
        dims = range(len(shape_of(result)))
        holds = b.and_(holds, b.reduce("and", result, dims) if dims else result)
    status = b.select(holds, b.full((), STATUS, 0), b.full((), STATUS, MISMATCH))
    block.add_op(terminator)
    terminator.operands = [*terminator.operands, status]
    function.properties["function_type"] = FunctionType.from_lists(
        list(function.function_type.inputs), [value.type for value in terminator.operands]
    )


@dataclass(frozen=True)
class ArrayAddStatus(ModulePass):
    """Let a function tell by a last result, a 0-d int32, whether a condition holds.

    With ``function=f condition=g arguments=1`` this

        func.func @f(%x: tensor<f64>, %t: tensor<f64>) -> tensor<f64> {
          func.return %t : tensor<f64>
        }

    becomes

        func.func @f(%x: tensor<f64>, %t: tensor<f64>) -> (tensor<f64>, tensor<i32>) {
          %0 = func.call @g(%x) : (tensor<f64>) -> tensor<i1>
          %1 = array.constant dense<true> : tensor<i1>
          %2 = array.and %1, %0 : tensor<i1>
          %3 = array.constant dense<0> : tensor<i32>
          %4 = array.constant dense<-1> : tensor<i32>
          %5 = array.select %2, %3, %4 : tensor<i32>
          func.return %t, %5 : tensor<f64>, tensor<i32>
        }

    Options:
        function: the function, which nobody calls.
        condition: a function that returns bools, of any shape; it becomes private.
        arguments: how many of the function's first arguments the condition takes.
    """

    name: ClassVar[str] = "array-add-status"

    function: str
    condition: str
    arguments: int

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Change the function."""
        add_status(op, find_function(op, self.function), self.condition, self.arguments)
