"""Constant folding: the reference semantics, run by the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import is_array_op
from ...ir.array.effect import CallbackOp
from ...ir.array.shape import ConstantOp
from ...ir.builder import Builder
from ...ir.types import shape_of, splat, tensor_info
from .rewriting import blocks_of, functions_of, rewrite_forward
from .rules import constant_of

_UNFOLDED: Final = (ConstantOp, CallbackOp)


def folded(op: Operation) -> Sequence[DenseIntOrFPElementsAttr] | None:
    """Return what an op computes if its operands are constants, or if its results are empty.

    A splat stays one, whatever its size; other constants have at most ``FOLD_SIZE_LIMIT`` elements.
    """
    if not is_array_op(op) or type(op) in _UNFOLDED:
        return None
    results = op.results
    if 0 in shape_of(results[0]) and all(0 in shape_of(result) for result in results):
        return [splat(*tensor_info(result), 0) for result in results]
    constants = []
    for value in op._operands:
        constant = constant_of(value)
        if constant is None:
            return None
        constants.append(constant)
    return op.fold_constants(constants)


def fold_constants(function: FuncOp) -> None:
    """Replace ops of constants in a function by constants, in one forward walk."""
    _fold(function.body.block)


def _fold(block: Block) -> None:
    builder = Builder(block)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        for inner in blocks_of(op):
            _fold(inner)
        values = folded(op)
        if values is None:
            return None
        builder.location = op.location
        return [builder.constant_attribute(value) for value in values]

    rewrite_forward(block, visit)


@dataclass(frozen=True)
class ArrayFold(ModulePass):
    """Compute what depends on constants only.

    One forward walk over each function and each region. Equal elements are computed once and stay
    one, whatever the size of the array; other results have at most 1024 elements, lest the program
    grow. Arrays without elements are constants too.

        %a = array.constant dense<2.0> : tensor<1000xf64>
        %b = array.constant dense<3.0> : tensor<1000xf64>
        %c = array.mul %a, %b : tensor<1000xf64>

    becomes, besides what ``array-dce`` will erase,

        %c = array.constant dense<6.0> : tensor<1000xf64>
    """

    name: ClassVar[str] = "array-fold"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            fold_constants(function)
