"""Reverse mode: gradients of arguments from cotangents of results."""

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
from ...ir.functions import FunctionBuilder, return_of
from ...ir.locations import derived
from ...ir.types import shape_of, spell
from ..functions import replace_functions, visibility_of
from .engine import ENGINE
from .kinds import derivative_type, zero_like
from .signature import differentiable_results, inputs_of, prepared, with_arguments


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
    function = prepared(function)
    inputs = inputs_of(function, argnums)
    positions = differentiable_results(function, aux)
    outputs = return_of(function).operands
    if seed:
        _require_scalar(function, len(outputs) - aux, positions)
    joint, results, gradients = reverse(function, inputs, positions, seed=seed)
    kept = results if value else results[len(outputs) - aux :]
    return joint.finish([*kept, *gradients], visibility_of(function))


def reverse(
    function: FuncOp,
    inputs: Sequence[SSAValue],
    outputs: Sequence[int],
    *,
    seed: bool = False,
    linear: bool = False,
) -> tuple[FunctionBuilder, list[SSAValue], list[SSAValue]]:
    """Return a function to be finished, the old one's results in it, and gradients by the inputs.

    It has the cotangents of the results at ``outputs`` as further arguments, unless ``seed`` makes
    them 1. ``inputs`` are arguments of the old function, in which it must be linear if ``linear``.
    """
    parameters, count = function.body.block.args, len(return_of(function).operands)
    types = [] if seed else [derivative_type(return_of(function).operands[i]) for i in outputs]
    joint = with_arguments(function, types, ["cotangent"] * len(types))
    own, extra = joint.arguments[: len(parameters)], joint.arguments[len(parameters) :]
    builder = joint.builder
    varied = [p in set(inputs) for p in parameters]
    wanted = [i in set(outputs) for i in range(count)]
    results, pullback = ENGINE.record(
        builder, function.body.block, own, varied, wanted, linear=linear
    )
    builder.location = derived(function.location, "vjp")
    given = [builder.full_like(results[outputs[0]], 1)] if seed else extra
    cotangents = dict(zip(outputs, given))
    pulled = pullback([cotangents.get(i) for i in range(count)])
    found: dict[SSAValue, SSAValue] = {x: g for x, g in zip(parameters, pulled) if g is not None}
    builder.location = derived(function.location, "vjp")
    gradients = [found.get(x) or zero_like(builder, x) for x in inputs]
    return joint, results, gradients


def _require_scalar(function: FuncOp, results: int, positions: Sequence[int]) -> None:
    """Raise unless the function's one result is a number that has a derivative."""
    name, operands = function.sym_name.data, return_of(function).operands
    if results != 1:
        raise GradatimError(f"a gradient needs one result apart from aux; @{name} has {results}")
    if not positions or shape_of(operands[0]) != ():
        raise ShapeError(
            f"a gradient needs a result that is one float; @{name} returns {spell(operands[0])}"
        )


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
