"""Reverse mode: one sweep over the tape, against the order of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from ...ir.errors import GradatimError, ShapeError
from ...ir.functions import return_of
from ...ir.locations import derived
from ...ir.types import shape_of, spell
from ..functions import replace_functions
from .kinds import Derivative, PairwiseSum
from .primal import Primal, copy_primal, differentiable_results, inputs_of


def vjp(
    function: FuncOp,
    argnums: Sequence[int] = (0,),
    *,
    aux: int = 0,
    seed: bool = False,
    value: bool = True,
) -> FuncOp:
    """Return the function that also computes a vector-Jacobian product (reverse mode).

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no cotangent.
        seed: whether the cotangent is 1 instead of an argument, so that the vjp is the gradient;
            apart from the aux ones there must be one result, a 0-d float (or complex number, whose
            gradient is the derivative where the function is holomorphic).
        value: whether to return the results before the aux ones.

    Returns:
        ``(x..., cotangents of y...) -> (y..., gradients of the argnums...)``. Results of integers
        and bools have no cotangent. For complex numbers, see ``passes.autodiff.kinds``.

    Raises:
        GradatimError: if ``argnums`` or ``aux`` do not fit, or if an op has no derivative rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
        ShapeError: if ``seed`` is set and the result is not one number.
    """
    inputs = inputs_of(function, argnums)
    positions = differentiable_results(function, aux)
    results = return_of(function).operands
    if seed:
        _require_scalar(function, len(results) - aux, positions)
    types = [] if seed else [results[i].type for i in positions]
    primal = copy_primal(function, inputs, types, ["cotangent"] * len(types))
    builder = primal.builder
    builder.location = derived(function.location, "vjp")
    outputs = [primal.outputs[i] for i in positions]
    cotangents = [builder.full_like(outputs[0], 1)] if seed else primal.extra
    gradients = _sweep(primal, outputs, cotangents)
    builder.location = derived(function.location, "vjp")
    found = [
        g if g is not None else builder.full_like(x, 0) for x, g in zip(primal.inputs, gradients)
    ]
    kept = primal.outputs if value else primal.outputs[len(results) - aux :]
    return primal.finish([*kept, *found], function)


def _require_scalar(function: FuncOp, results: int, positions: Sequence[int]) -> None:
    """Raise unless the function's one result is a number that has a derivative."""
    name, operands = function.sym_name.data, return_of(function).operands
    if results != 1:
        raise GradatimError(f"a gradient needs one result apart from aux; @{name} has {results}")
    if not positions or shape_of(operands[0]) != ():
        raise ShapeError(
            f"a gradient needs a result that is one float; @{name} returns {spell(operands[0])}"
        )


def _sweep(
    primal: Primal, outputs: Sequence[SSAValue], cotangents: Sequence[SSAValue]
) -> list[Derivative]:
    """Append the cotangents of all values between outputs and inputs; return the inputs' ones.

    The cotangents of a value, one from each use, are summed as they come, until the op that made it
    is reached.
    """
    builder, varied = primal.builder, primal.varied
    pending: dict[SSAValue, PairwiseSum] = {}

    def contribute(values: Sequence[SSAValue], contributions: Sequence[Derivative]) -> None:
        for value, contribution in zip(values, contributions):
            if contribution is not None:
                if value not in pending:
                    pending[value] = PairwiseSum(builder)
                pending[value].add(contribution)

    def collect(value: SSAValue) -> Derivative:
        return pending.pop(value).total() if value in pending else None

    contribute(outputs, cotangents)
    for op, rule in reversed(primal.tape):
        if pending.keys().isdisjoint(op.results):
            continue
        builder.location = derived(op.location, "vjp")
        given = [collect(result) for result in op.results]
        wanted = [value in varied for value in op.operands]
        contribute(op.operands, rule.vjp(builder, op, given, wanted))
    return [collect(value) for value in primal.inputs]


@dataclass(frozen=True)
class ArrayVjp(ModulePass):
    """Differentiate a function in reverse mode: from cotangents of results to those of arguments.

    The new function takes the old one's place. It has cotangents of its results as further
    arguments and the gradients by the arguments ``argnums`` as further results. Ops that no
    derivative flows through get none. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f(%x: tensor<f64>, %cotangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
          %y = array.sin %x : tensor<f64>
          %0 = array.cos %x : tensor<f64>
          %1 = array.mul %cotangent, %0 : tensor<f64>
          func.return %y, %1 : tensor<f64>, tensor<f64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no cotangent.
        seed: whether the cotangent is 1 instead of an argument, for a single 0-d result.
        value: whether to keep the results before the aux ones.
    """

    name: ClassVar[str] = "array-vjp"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0
    seed: bool = False
    value: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by its vjp."""
        replace_functions(
            op,
            self.function,
            lambda f: vjp(f, self.argnums, aux=self.aux, seed=self.seed, value=self.value),
        )
