"""Jacobians: a derivative pass, batched over one-hot tangents or cotangents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import ClassVar, Final

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.functions import return_of
from ...ir.locations import derived
from ...ir.types import shape_of, tensor_info
from ..batching.vmap import NOT_MAPPED, vmap
from ..blocks import append_block
from ..functions import replace_functions, visibility_of
from ..signatures import select_results
from .jvp import jvp
from .signature import differentiable_results, inputs_of, with_arguments
from .vjp import vjp

MODES: Final = ("forward", "reverse")


def jacobian(
    function: FuncOp, argnums: Sequence[int] = (0,), *, aux: int = 0, mode: str = "reverse"
) -> FuncOp:
    """Return the function that computes Jacobians.

    All rows (reverse mode) or columns (forward mode) of all of them come from one batch, of as many
    examples as there are elements in the results or in the arguments; what does not depend on the
    example is computed once.

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no derivative.
        mode: ``forward`` or ``reverse``.

    Returns:
        ``(x...) -> (Jacobians..., aux...)``: for each result of floats or complex numbers and,
        below it, each of the argnums, an array whose dimensions are those of the result and, behind
        them, those of the argument.

    Raises:
        GradatimError: if there is no such mode, if ``argnums`` or ``aux`` do not fit, or if an op
            has no derivative or batching rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
    """
    if mode not in MODES:
        raise GradatimError(f"the modes of a Jacobian are {' and '.join(MODES)}, not {mode!r}")
    inputs = inputs_of(function, argnums)
    results = return_of(function).operands
    outputs = [results[i] for i in differentiable_results(function, aux)]
    new = with_arguments(function, (), ())
    new.builder.location = derived(function.location, "jacobian")
    # The batch is where the result has the dimensions that it becomes, so that none need to move.
    if mode == "forward":
        product = jvp(function, argnums, aux=aux)
        basis = _Basis(inputs, batch_first=False)
        places = [len(shape_of(value)) for value in outputs]
    else:
        product = vjp(function, argnums, aux=aux, value=False)
        basis = _Basis(outputs, batch_first=True)
        places = [0] * len(inputs)
    # What does not depend on the direction comes from the function itself, not from the batch.
    total = len(return_of(product).operands)
    select_results(product, tuple(range(total - len(places), total)))
    if basis.size != 1:
        in_axes = [NOT_MAPPED] * len(new.arguments) + basis.axes
        product = _batch(function, product, basis.size, in_axes, places)
    arguments = [*new.arguments, *basis.one_hot(new.builder)]
    found = append_block(new.block, product.body.block, arguments)
    own = append_block(new.block, function.body.block, new.arguments) if aux else []
    new.builder.location = derived(function.location, "jacobian")
    blocks = [basis.split(new.builder, value, place) for value, place in zip(found, places)]
    rows = zip(*blocks) if mode == "reverse" else blocks
    jacobians = [
        new.builder.reshape(block, shape_of(y) + shape_of(x))
        for y, row in zip(outputs, rows)
        for x, block in zip(inputs, row)
    ]
    return new.finish([*jacobians, *own[len(own) - aux :]], visibility_of(function))


def _batch(
    function: FuncOp, product: FuncOp, size: int, in_axes: list[int], out_axes: list[int]
) -> FuncOp:
    """Return the batch of a function that was made of another one, beside which its calls are."""
    block = function.parent
    if block is None:
        return vmap(product, size, in_axes, out_axes)
    block.insert_op_before(product, function)
    batch = vmap(product, size, in_axes, out_axes)
    block.detach_op(product)
    return batch


class _Basis:
    """The standard basis of the space of all elements of some values.

    Attributes:
        values: the values.
        batch_first: whether a batch of vectors has its dimension before or behind all others.
        size: how many elements they have together.
    """

    def __init__(self, values: Sequence[SSAValue], *, batch_first: bool) -> None:
        self.values = values
        self.batch_first = batch_first
        sizes = [prod(shape_of(value)) for value in values]
        self._ends = list(accumulate(sizes, initial=0))
        self.size = self._ends[-1]

    @property
    def axes(self) -> list[int]:
        """The dimension of the batch in each value's part of the vectors."""
        return [0 if self.batch_first else len(shape_of(value)) for value in self.values]

    def one_hot(self, b: Builder) -> list[SSAValue]:
        """Append for each value the batch of its parts of the basis' vectors.

        The only vector of a space of one dimension has no batch.
        """
        return [self._part(b, value, start) for value, start in zip(self.values, self._ends)]

    def _part(self, b: Builder, value: SSAValue, start: int) -> SSAValue:
        shape, dtype = tensor_info(value)
        if self.size == 1:
            return b.full(shape, dtype, 1)
        count = prod(shape)
        matrix = (self.size, count) if self.batch_first else (count, self.size)
        index = np.dtype(np.int32 if self.size < 2**31 else np.int64)
        element = b.iota(matrix, index, int(self.batch_first))
        if start:
            element = b.add(element, b.full(matrix, index, start))
        is_hot = b.compare("eq", element, b.iota(matrix, index, int(not self.batch_first)))
        batched = (self.size, *shape) if self.batch_first else (*shape, self.size)
        return b.reshape(b.convert(is_hot, dtype), batched)

    def split(self, b: Builder, value: SSAValue, dim: int) -> list[SSAValue]:
        """Take a value apart whose dimension ``dim`` counts the basis' vectors."""
        shape = shape_of(value)
        if self.size == 1:
            shape = (*shape[:dim], 1, *shape[dim:])
            value = b.reshape(value, shape)
        parts = []
        for start, end in zip(self._ends, self._ends[1:]):
            starts, limits = [0] * len(shape), list(shape)
            starts[dim], limits[dim] = start, end
            parts.append(b.slice(value, starts, limits))
        return parts


@dataclass(frozen=True)
class ArrayJacobian(ModulePass):
    """Compute the Jacobians of a function.

    The new function takes the old one's place. Its results are the Jacobians, for each old result
    and, below it, each argument of ``argnums``; their dimensions are those of the result and behind
    them those of the argument. They come from one batch of Jacobian-vector products with one-hot
    tangents (``mode=forward``), or of vector-Jacobian products with one-hot cotangents. Calls are
    inlined first.

        func.func @f(%x: tensor<3xf64>) -> tensor<3xf64> {
          %y = array.sin %x : tensor<3xf64>
          func.return %y : tensor<3xf64>
        }

    becomes with ``array-jacobian{mode=forward}``

        func.func @f(%x: tensor<3xf64>) -> tensor<3x3xf64> {
          %0 = array.iota dim 0 : tensor<3x3xi32>
          %1 = array.iota dim 1 : tensor<3x3xi32>
          %2 = array.compare eq %0, %1 : tensor<3x3xi32> -> tensor<3x3xi1>
          %3 = array.convert %2 : tensor<3x3xi1> -> tensor<3x3xf64>
          %y = array.sin %x : tensor<3xf64>
          %4 = array.cos %x : tensor<3xf64>
          %5 = array.broadcast %4 dims [0] : tensor<3xf64> -> tensor<3x3xf64>
          %6 = array.mul %3, %5 : tensor<3x3xf64>
          func.return %6 : tensor<3x3xf64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no derivative; they are kept.
        mode: ``forward`` or ``reverse``.
    """

    name: ClassVar[str] = "array-jacobian"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0
    mode: str = "reverse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by that of its Jacobians."""
        replace_functions(
            op,
            self.function,
            lambda f: jacobian(f, self.argnums, aux=self.aux, mode=self.mode),
        )
