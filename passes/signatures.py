"""Choosing and ordering the results of a function, and ordering its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..ir.errors import GradatimError
from ..ir.functions import return_of
from .simplify.inline import is_private
from .simplify.rewriting import functions_of


def select_results(function: FuncOp, results: tuple[int, ...]) -> None:
    """Make a function that nobody calls return only these of its results, in this order.

    Raises:
        GradatimError: if it has no such results.
    """
    terminator = return_of(function)
    operands = terminator.operands
    if not all(0 <= i < len(operands) for i in results):
        raise GradatimError(
            f"@{function.sym_name.data} has {len(operands)} results, not {list(results)}"
        )
    chosen = [operands[i] for i in results]
    terminator.operands = chosen
    inputs = function.function_type.inputs
    function.properties["function_type"] = FunctionType.from_lists(
        list(inputs), [value.type for value in chosen]
    )


@dataclass(frozen=True)
class ArraySelectResults(ModulePass):
    """Keep some of a function's results, in a given order.

    With ``results=1,0`` this

        func.func @f(%x: tensor<f64>, %y: tensor<i32>) -> (tensor<f64>, tensor<i32>) {
          func.return %x, %y : tensor<f64>, tensor<i32>
        }

    becomes

        func.func @f(%x: tensor<f64>, %y: tensor<i32>) -> (tensor<i32>, tensor<f64>) {
          func.return %y, %x : tensor<i32>, tensor<f64>
        }

    Ops that only dropped results needed stay; ``array-dce`` removes them.

    Options:
        function: the function, which nobody calls; every public one if left out.
        results: the positions of the results to keep.
    """

    name: ClassVar[str] = "array-select-results"

    function: str | None = None
    results: tuple[int, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Change the function's return and type."""
        for function in functions_of(op):
            name = function.sym_name.data
            if name == self.function or (self.function is None and not is_private(function)):
                select_results(function, self.results)


def permute_arguments(function: FuncOp, arguments: tuple[int, ...]) -> None:
    """Make a function that nobody calls take its arguments in this order.

    Raises:
        GradatimError: if these are not the positions of its arguments.
    """
    block = function.body.block
    old = list(block.args)
    if sorted(arguments) != list(range(len(old))):
        raise GradatimError(
            f"@{function.sym_name.data} has {len(old)} arguments, not {list(arguments)}"
        )
    for value in (old[i] for i in arguments):
        new = block.insert_arg(value.type, len(block.args))
        new.name_hint, new.location = value.name_hint, value.location
        value.replace_all_uses_with(new)
    for value in old:
        block.erase_arg(value)
    outputs = function.function_type.outputs
    function.properties["function_type"] = FunctionType.from_lists(
        [value.type for value in block.args], list(outputs)
    )


@dataclass(frozen=True)
class ArrayPermuteArguments(ModulePass):
    """Give a function its arguments in another order.

    With ``arguments=1,0`` this

        func.func @f(%x: tensor<f64>, %y: tensor<i32>) -> tensor<f64> {
          func.return %x : tensor<f64>
        }

    becomes

        func.func @f(%y: tensor<i32>, %x: tensor<f64>) -> tensor<f64> {
          func.return %x : tensor<f64>
        }

    Options:
        function: the function, which nobody calls; every public one if left out.
        arguments: the positions of the arguments, in their new order.
    """

    name: ClassVar[str] = "array-permute-arguments"

    function: str | None = None
    arguments: tuple[int, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Change the function's block and type."""
        for function in functions_of(op):
            name = function.sym_name.data
            if name == self.function or (self.function is None and not is_private(function)):
                permute_arguments(function, self.arguments)
