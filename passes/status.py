"""A status among the results of a function: whether what they are made by holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp, StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from ..ir.builder import Builder
from ..ir.errors import GradatimError
from ..ir.functions import BlockBuilder, block_of, find_function, return_of
from ..ir.types import shape_of, tensor_info
from .effects import any_effects
from .simplify.inline import inline_calls

STATUS: Final = np.dtype(np.int32)
"""The dtype of a status. 0 means that the other results are valid."""

MISMATCH: Final = -1
"""The status of a program that was run for arguments which it does not take after all."""


def add_status(module: ModuleOp, function: FuncOp, condition: str, arguments: int) -> None:
    """Let a function that nobody calls return a status too: 0 if a condition holds, or `MISMATCH`.

    Where it does not hold, nothing that has effects runs; a function with effects gives zeros then.

    Args:
        module: holds the function.
        function: the function.
        condition: the name of a function without effects that returns bools, all of which must
            hold.
        arguments: how many of the function's first arguments it takes.

    Raises:
        GradatimError: if there is no such condition, or it takes other arguments.
    """
    callee = find_function(module, condition)
    if list(function.function_type.inputs)[:arguments] != list(callee.function_type.inputs):
        raise GradatimError(
            f"@{condition} does not take the first {arguments} arguments of "
            f"@{function.sym_name.data}"
        )
    if any_effects(module):
        inline_calls(module, function)
        results, holds = _guard_effects(function, callee)
    else:
        results, holds = _take_results(function), _append_condition(function, callee)
    callee.properties["sym_visibility"] = StringAttr("private")
    block = function.body.block
    b = Builder(block, function.location)
    status = b.select(holds, b.full((), STATUS, 0), b.full((), STATUS, MISMATCH))
    block.add_op(ReturnOp.create(operands=[*results, status], location=function.location))
    function.properties["function_type"] = FunctionType.from_lists(
        list(block.arg_types), [value.type for value in (*results, status)]
    )


def _take_results(function: FuncOp) -> Sequence[SSAValue]:
    terminator = return_of(function)
    results = list(terminator.operands)
    function.body.block.erase_op(terminator)
    return results


def _append_condition(function: FuncOp, callee: FuncOp) -> SSAValue:
    """Append whether the condition holds for the first arguments of a function."""
    block = function.body.block
    call = CallOp.create(
        operands=block.args[: len(callee.function_type.inputs)],
        result_types=list(callee.function_type.outputs),
        properties={"callee": SymbolRefAttr(callee.sym_name.data)},
        location=function.location,
    )
    block.add_op(call)
    b = Builder(block, function.location)
    holds = b.full((), np.dtype(np.bool_), True)
    for result in call.results:
        dims = range(len(shape_of(result)))
        holds = b.and_(holds, b.reduce("and", result, dims) if dims else result)
    return holds


def _guard_effects(function: FuncOp, callee: FuncOp) -> tuple[Sequence[SSAValue], SSAValue]:
    """Let all of a function run only if the condition holds; return its results, and whether."""
    types = list(function.function_type.outputs)
    body = block_of(function)
    block = Block(arg_types=body.arg_types)
    for old, new in zip(body.args, block.args):
        new.name_hint = old.name_hint
    function.body.add_block(block)
    holds = _append_condition(function, callee)
    other = BlockBuilder(body.arg_types, (), function.location)
    zeros = [other.builder.full(*tensor_info(type_), 0) for type_ in types]
    b = Builder(block, function.location)
    return b.case(holds, block.args, [other.finish(zeros), body]), holds


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

    A function with effects runs inside an ``array.case``, which chooses zeros if the condition does
    not hold.

    Options:
        function: the function, which nobody calls.
        condition: a function without effects that returns bools, of any shape; it becomes private.
        arguments: how many of the function's first arguments the condition takes.
    """

    name: ClassVar[str] = "array-add-status"

    function: str
    condition: str
    arguments: int

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Change the function."""
        add_status(op, find_function(op, self.function), self.condition, self.arguments)
