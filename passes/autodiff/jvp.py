"""Forward mode: tangents of results from tangents of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ...ir.functions import return_of
from ...ir.locations import derived
from ..functions import replace_functions, visibility_of
from .engine import ENGINE
from .kinds import derivative_type, zero_like
from .signature import differentiable_results, inputs_of, prepared, with_arguments


def jvp(function: FuncOp, argnums: Sequence[int] = (0,), *, aux: int = 0) -> FuncOp:
    """Return the function that also computes a Jacobian-vector product (forward mode).

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.

    Returns:
        ``(x..., tangents of the argnums...) -> (y..., tangents of y...)``. Results of integers and
        bools have no tangent.

    Raises:
        GradatimError: if ``argnums`` or ``aux`` do not fit, or if an op has no derivative rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
    """
    function = prepared(function)
    inputs = inputs_of(function, argnums)
    positions = set(differentiable_results(function, aux))
    parameters = function.body.block.args
    names = [f"{value.name_hint}_tangent" if value.name_hint else None for value in inputs]
    new = with_arguments(function, [derivative_type(value) for value in inputs], names)
    own, extra = new.arguments[: len(parameters)], new.arguments[len(parameters) :]
    given = dict(zip(inputs, extra))
    wanted = [i in positions for i in range(len(return_of(function).operands))]
    results, tangents = ENGINE.push_forward(
        new.builder, function.body.block, own, [given.get(p) for p in parameters], wanted
    )
    new.builder.location = derived(function.location, "jvp")
    found = [
        tangent if tangent is not None else zero_like(new.builder, value)
        for value, tangent, wants in zip(results, tangents, wanted)
        if wants
    ]
    return new.finish([*results, *found], visibility_of(function))


@dataclass(frozen=True)
class ArrayJvp(ModulePass):
    """Differentiate a function in forward mode: from tangents of arguments to tangents of results.

    The new function takes the old one's place. It has the tangents of the arguments ``argnums`` as
    further arguments and the tangents of its results as further results. Ops that no derivative
    flows through get none. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
          %y = array.sin %x : tensor<f64>
          %0 = array.cos %x : tensor<f64>
          %1 = array.mul %x_tangent, %0 : tensor<f64>
          func.return %y, %1 : tensor<f64>, tensor<f64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.
    """

    name: ClassVar[str] = "array-jvp"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by its jvp."""
        replace_functions(op, self.function, lambda f: jvp(f, self.argnums, aux=self.aux))
