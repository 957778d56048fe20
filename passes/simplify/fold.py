"""Constant folding: the reference semantics, run by the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Final

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array import OPS_BY_FAMILY
from ...ir.array import shape as s
from ...ir.array.base import FOLD_SIZE_LIMIT, ArrayOp
from ...ir.builder import Builder
from ...ir.types import is_splat, shape_of, splat, tensor_info, to_numpy
from .rewriting import functions_of, rewrite_forward
from .rules import constant_of

_OPERAND_SIZE_LIMIT: Final = 16 * FOLD_SIZE_LIMIT
"""Operands of more elements than this are not worth the compiler's time."""

_ELEMENTWISE: Final = frozenset(OPS_BY_FAMILY["elementwise"])

_MOVES_ELEMENTS: Final = frozenset(
    (s.BroadcastOp, s.ReshapeOp, s.TransposeOp, s.SliceOp, s.PadOp, s.ConcatenateOp, s.ReverseOp)
)


def folded(op: Operation) -> DenseIntOrFPElementsAttr | None:
    """Return what an op computes if its operands are constants, or if its result is empty.

    A splat stays one, whatever its size; else the result has at most ``FOLD_SIZE_LIMIT`` elements.
    """
    if not isinstance(op, ArrayOp) or type(op) is s.ConstantOp:
        return None
    shape, dtype = tensor_info(op.results[0])
    if 0 in shape:
        return splat(shape, dtype, 0)
    constants = [constant_of(value) for value in op._operands]
    values = [c for c in constants if c is not None]
    if not values or len(values) < len(constants):
        return None
    if all(map(is_splat, values)):
        element = _folded_element(op, values)
        if element is not None:
            return splat(shape, dtype, element)
    sizes = [prod(shape_of(value)) for value in op._operands]
    if prod(shape) > FOLD_SIZE_LIMIT or max(sizes) > _OPERAND_SIZE_LIMIT:
        return None
    return op.fold_constants(values)


def _folded_element(op: ArrayOp, values: Sequence[DenseIntOrFPElementsAttr]) -> np.ndarray | None:
    """Return the one element of the result for splat operands, or None if there are several."""
    elements = [to_numpy(value).flat[:1] for value in values]
    if type(op) in _ELEMENTWISE:
        with np.errstate(all="ignore"):
            return op.evaluate(*elements).reshape(())
    bits = {element.tobytes() for element in elements}
    return elements[0].reshape(()) if type(op) in _MOVES_ELEMENTS and len(bits) == 1 else None


def fold_constants(function: FuncOp) -> None:
    """Replace ops of constants in a function by constants, in one forward walk."""
    block = function.body.block
    builder = Builder(block)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        value = folded(op)
        if value is None:
            return None
        builder.location = op.location
        return (builder.constant_attribute(value),)

    rewrite_forward(block, visit)


@dataclass(frozen=True)
class ArrayFold(ModulePass):
    """Compute what depends on constants only.

    One forward walk over each function. Equal elements are computed once and stay one, whatever
    the size of the array; other results have at most 1024 elements, lest the program grow. Arrays
    without elements are constants too.

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
